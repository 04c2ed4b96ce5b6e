//! The configuration of a client: `config.json`, `.dockercfg` and Podman's `auth.json`.

use super::{CLIENT, HomeFile};
use crate::formats::attributes::Attributes;
use crate::formats::base64;
use crate::formats::json::{Fields, Wrong};
use crate::formats::secrets::names_of_secrets;
use dockline_timeline::{Findings, Instant, Meaning, Position, Subject, Value};
use std::borrow::Cow;

/// A registry at which somebody logged in.
struct Login {
    registry: String,
    user: Option<String>,
    /// What is stored of it; nothing when a helper keeps it.
    stored: Vec<&'static str>,
}

impl HomeFile<'_> {
    pub(super) fn configuration(&self, findings: &mut dyn Findings) {
        let Some(document) = self.document(findings) else { return };
        let Some(modified) = self.modified(findings) else { return };
        let wrong = Wrong::default();
        let fields = Fields::new(&document, &wrong);
        // The oldest kind is the map of registries alone.
        let is_old =
            self.file.path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(b".dockercfg"))
                && !fields.has("auths");
        let registries = if is_old { fields.clone() } else { fields.object("auths") };
        let logins: Vec<Login> = registries
            .members()
            .into_iter()
            .map(|(registry, fields)| login(registry, &fields))
            .collect();
        self.settings(modified, (&fields, &logins), findings);
        for login in &logins {
            self.login(modified, login, findings);
        }
        for flaw in wrong.into_flaws() {
            flaw.report(self.file, findings);
        }
    }

    fn settings(
        &self,
        modified: Instant,
        (fields, logins): (&Fields<'_>, &[Login]),
        findings: &mut dyn Findings,
    ) {
        let text = format!(
            "client configuration last written (login, logout or a change of settings){}: {}",
            self.which(),
            summary(fields, logins)
        );
        let headers = fields.object("HttpHeaders").pairs();
        let proxies = proxies(fields);
        let with_password = proxies.iter().any(|proxy| proxy.ends_with(MASKED));
        let mut secrets = names_of_secrets(&headers);
        secrets.extend(with_password.then(|| "proxies".to_owned()));
        let at = (modified, Meaning::ContentModification);
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, at);
        event.action = "write";
        event.text = (&text).into();
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("registries", logins.iter().map(|login| login.registry.clone()).collect());
        all.owned_text("credentials_store", fields.text("credsStore"));
        all.list("credential_helpers", fields.object("credHelpers").pairs());
        all.owned_text("client_context", fields.text("currentContext"));
        all.list("http_headers", headers);
        all.list("proxies", proxies);
        all.list("possible_secrets", secrets);
        event.attributes.extend(all.into_vec());
        findings.event(&event);
    }

    fn login(&self, modified: Instant, login: &Login, findings: &mut dyn Findings) {
        let user = login.user.as_deref().map(|user| format!(" as {user}")).unwrap_or_default();
        let kept = match login.stored.as_slice() {
            [] => "a helper keeps the credentials".to_owned(),
            stored => format!("{} stored in the file, not shown here", stored.join(" and ")),
        };
        let text = format!(
            "login at registry {}{user}, now or before{}: {kept}",
            login.registry,
            self.which()
        );
        let key = format!("auths.{}", login.registry);
        let at = (modified, Meaning::ContentModification);
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, at);
        event.position = Position::Key(&key);
        event.action = "login";
        event.text = (&text).into();
        if !login.stored.is_empty() {
            event.tags.push(Cow::from("stored-credentials"));
            let stored = login.stored.iter().map(|what| Cow::from(*what)).collect();
            event.attribute("possible_secrets", Some(Value::List(stored)));
        }
        let registries = vec![Cow::from(login.registry.as_str())];
        event.attribute("registries", Some(Value::List(registries)));
        let user = login.user.as_deref().map(|user| Value::Text(user.into()));
        event.attribute("registry_user", user);
        findings.event(&event);
    }

    fn which(&self) -> &'static str {
        match self.file.capture("leftover") {
            None | Some("") => "",
            Some(_) => ", in a copy beside the file in use",
        }
    }
}

fn login(registry: &str, fields: &Fields<'_>) -> Login {
    let decoded = fields.text("auth").and_then(|text| base64::decode(text.trim()));
    let decoded = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (user, password) = match decoded.as_deref().map(|text| text.split_once(':')) {
        Some(Some((user, password))) => (Some(user.to_owned()), !password.is_empty()),
        Some(None) => (None, true),
        None => (None, fields.has("auth")),
    };
    let mut stored = Vec::new();
    stored.extend((password || fields.text("password").is_some()).then_some("password"));
    stored.extend(fields.text("identitytoken").map(|_| "identity token"));
    stored.extend(fields.text("registrytoken").map(|_| "registry token"));
    let user = fields.text("username").or(user).filter(|user| !user.is_empty());
    Login { registry: registry.to_owned(), user, stored }
}

fn summary(fields: &Fields<'_>, logins: &[Login]) -> String {
    let names: Vec<&str> = logins.iter().map(|login| login.registry.as_str()).collect();
    let mut parts = vec![match names.as_slice() {
        [] => "no login at a registry".to_owned(),
        names => format!("logins at {}", names.join(", ")),
    }];
    parts.extend(fields.text("credsStore").map(|store| format!("credentials kept by {store}")));
    parts.extend(fields.text("currentContext").map(|context| format!("context {context} in use")));
    parts.join("; ")
}

/// What stands behind a proxy whose password is not shown.
const MASKED: &str = " (with a password, not shown here)";

/// `default httpProxy=http://user@proxy:3128`, without passwords.
fn proxies(fields: &Fields<'_>) -> Vec<String> {
    let mut proxies = Vec::new();
    for (engine, settings) in fields.object("proxies").members() {
        for pair in settings.pairs() {
            let (name, url) = pair.split_once('=').unwrap_or((&pair, ""));
            proxies.push(format!("{engine} {name}={}", without_password(url)));
        }
    }
    proxies
}

fn without_password(url: &str) -> String {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let (credentials, host) = rest.rsplit_once('@')?;
        let (user, _) = credentials.split_once(':')?;
        Some(format!("{scheme}://{user}@{host}{MASKED}"))
    };
    parts().unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        assert_eq!(
            without_password("http://svc:p@ss@proxy:3128"),
            format!("http://svc@proxy:3128{MASKED}")
        );
        for url in ["http://proxy:3128", "http://svc@proxy:3128", "localhost,.lan", ""] {
            assert_eq!(without_password(url), url);
        }
    }
}
