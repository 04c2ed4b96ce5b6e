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
}
