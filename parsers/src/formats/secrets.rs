//! Names that promise a secret.
//!
//! A value is evidence and is shown whatever its name; the names let an analyst find, and redact,
//! what may be a password.

/// Parts of names that promise a secret, in upper case.
const PROMISING: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PWD",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "APIKEY",
    "_KEY",
    "KEY_",
    "PRIVATE",
    "AUTH",
    "_PAT",
    "_PASS",
    "_DSN",
    "CONNECTION_STRING",
    "DATABASE_URL",
];
/// Names that hold such a part and promise nothing: the working directories of a shell.
const HARMLESS: &[&str] = &["PWD", "OLDPWD"];

/// The names among `NAME=value` pairs that promise a secret and have a value.
#[must_use]
pub fn names_of_secrets(pairs: &[String]) -> Vec<String> {
    let named = pairs.iter().filter_map(|pair| pair.split_once('='));
    named
        .filter(|(name, value)| !value.is_empty() && promises_secret(name))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The names among `NAME=value` pairs whose value is an address with a password in it, such as
/// `http://user:password@proxy:3128`.
#[must_use]
pub fn names_of_addresses_with_passwords(pairs: &[String]) -> Vec<String> {
    let named = pairs.iter().filter_map(|pair| pair.split_once('='));
    named.filter(|(_, value)| holds_password(value)).map(|(name, _)| name.to_owned()).collect()
}

/// Whether a text is an address with a user and a password in it.
#[must_use]
pub fn holds_password(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
}

fn promises_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let promising = || PROMISING.iter().any(|part| name.contains(part));
    !HARMLESS.contains(&name.as_str()) && (name == "KEY" || promising())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_promises_a_secret_is_found_in_any_case() {
        let names = |pairs: &[&str]| {
            names_of_secrets(&pairs.iter().map(|pair| (*pair).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            names(&["DB_PASSWORD=x", "api-key=y", "Token=z"]),
            ["DB_PASSWORD", "api-key", "Token"]
        );
        assert_eq!(names(&["PATH=/bin", "PWD=/", "MODE=prod", "KEYBOARD=de", "TOKEN="]), [""; 0]);
    }

    #[test]
    fn a_password_in_an_address_is_found_before_its_host_only() {
        for address in ["http://u:p@proxy:3128", "https://:p@h/x", "tcp://a:b:c@d@h"] {
            assert!(holds_password(address), "{address}");
        }
        for address in
            ["http://proxy:3128", "http://u@proxy", "http://u:@h", "http://h/u:p@x", "u:p@h"]
        {
            assert!(!holds_password(address), "{address}");
        }
        let pairs = ["HTTP_PROXY=http://u:p@proxy", "NO_PROXY=h"].map(str::to_owned);
        assert_eq!(names_of_addresses_with_passwords(&pairs), ["HTTP_PROXY"]);
    }
}
