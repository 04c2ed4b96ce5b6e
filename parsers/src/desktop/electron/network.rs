//! What Chromium keeps of servers: which it spoke to, which asked for HTTPS, which for reports of errors.

use super::Profile;
use super::cookies::Row;
use crate::ArtifactFile;
use crate::formats::base64;
use crate::formats::json::{Fields, Wrong};
use dockline_timeline::{Findings, Instant, IssueKind, Meaning, Position, Value};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::sync::Arc;

/// Servers that are listed.
const SERVERS: usize = 1_000;

/// Names that a hash is held against: servers that these programs speak to.
const KNOWN: &[&str] = &[
    "docker.com",
    "accounts.docker.com",
    "api.docker.com",
    "app.docker.com",
    "auth.docker.com",
    "desktop.docker.com",
    "docs.docker.com",
    "hub.docker.com",
    "login.docker.com",
    "www.docker.com",
    "auth0.com",
    "cdn.auth0.com",
    "docker-pinata-support.s3.amazonaws.com",
    "docker.auth0.com",
    "notify.bugsnag.com",
    "api.segment.io",
    "github.com",
    "api.github.com",
    "podman-desktop.io",
    "registry.podman-desktop.io",
    "rancherdesktop.io",
    "desktop.version.rancher.io",
];

/// Tables with policies of servers, and what these ask for.
const POLICIES: &[(&str, &str)] =
    &[("nel_policies", "network errors"), ("reporting_endpoint_groups", "reports")];

impl Profile<'_> {
    /// `Network Persistent State`.
    pub(super) fn servers(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(document) = self.json(file, findings) else { return };
        let wrong = Wrong::default();
        let properties =
            Fields::new(&document, &wrong).object("net").object("http_server_properties");
        let servers = properties.objects("servers");
        let mut names: Vec<String> =
            servers.iter().filter_map(|server| server.text("server")).collect();
        let count = names.len();
        names.truncate(SERVERS);
        let text = match count {
            0 => "state of the network last written; it names no server".to_owned(),
            _ => format!("state of the network last written; servers contacted: {count}"),
        };
        wrong.into_flaws().iter().for_each(|flaw| flaw.report(file, findings));
        if count > SERVERS {
            let what = format!("{count} servers, of which {SERVERS} are listed");
            findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
        }
        if let Some(mut event) = self.written(file, &text, findings) {
            let list = names.into_iter().map(Cow::Owned).collect::<Vec<_>>();
            event.attribute("servers", (!list.is_empty()).then_some(Value::List(list)));
            findings.event(&event);
        }
    }

    /// `TransportSecurity`: since 2020 a list of entries, before a map by hash.
    pub(super) fn transport_security(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(document) = self.json(file, findings) else { return };
        let wrong = Wrong::default();
        let fields = Fields::new(&document, &wrong);
        for entry in fields.objects("sts") {
            let host = entry.text("host");
            self.asked_for_https(file, (host, &entry), findings);
        }
        let by_hash = if fields.has("sts") { Vec::new() } else { fields.members() };
        for (hash, entry) in by_hash.iter().filter(|(_, entry)| entry.has("sts_observed")) {
            self.asked_for_https(file, (Some((*hash).to_owned()), entry), findings);
        }
        wrong.into_flaws().iter().for_each(|flaw| flaw.report(file, findings));
    }

    fn asked_for_https(
        &self,
        file: &ArtifactFile,
        (hash, entry): (Option<String>, &Fields<'_>),
        findings: &mut dyn Findings,
    ) {
        let key = Position::OwnedKey(Arc::from(format!("{}.sts_observed", entry.path())));
        let Some(observed) = entry.text("sts_observed").and_then(|text| seconds(&text)) else {
            let what = "an entry without the time at which it was made";
            return findings.issue(file.issue(IssueKind::Malformed, key, what));
        };
        let server = hash.as_deref().and_then(server_of);
        let text = match (server, &hash) {
            (Some(server), _) => format!("{server} asked to be spoken to by HTTPS only"),
            (None, Some(hash)) => format!("a server asked to be spoken to by HTTPS only: {hash}"),
            (None, None) => "a server asked to be spoken to by HTTPS only".to_owned(),
        };
        let mut event = self.event(file, (observed, Meaning::Recorded), &text);
        event.action = "connect";
        event.position = key;
        let words = |text: &str| Value::Text(Cow::Owned(text.to_owned()));
        event.attribute("server", server.map(words));
        event.attribute("server_hash", hash.as_deref().map(words));
        findings.event(&event);
    }

    /// `Reporting and NEL`.
    pub(super) fn policies(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        const COLUMNS: &[&str] = &[
            "origin_scheme",
            "origin_host",
            "origin_port",
            "received_ip_address",
            "last_access_us_since_epoch",
        ];
        let Some(database) = self.database(file, findings) else { return };
        for (table, what) in POLICIES {
            let rows = Row::all(&database, (table, COLUMNS), file, findings);
            findings.records(&file.origin, u64::try_from(rows.len()).unwrap_or(u64::MAX), 0);
            for row in &rows {
                let Some(instant) = row.instant("last_access_us_since_epoch") else { continue };
                let of = |column| row.text(column).unwrap_or_default();
                let server = format!("{}://{}", of("origin_scheme"), of("origin_host"));
                let text = format!("policy of {server} for {what} last used");
                let mut event = self.event(file, (instant, Meaning::LastAccess), &text);
                event.action = "access";
                event.position = row.position(table, "last_access_us_since_epoch");
                event.attribute("server", Some(Value::Text(Cow::Borrowed(&server))));
                let address = row.text("received_ip_address").filter(|text| !text.is_empty());
                event.attribute("server_address", address.map(Value::Text));
                findings.event(&event);
            }
        }
    }
}

/// The known server with this hash: SHA-256 of its name in the form of the DNS, in base64.
fn server_of(hash: &str) -> Option<&'static str> {
    let hash = base64::decode(hash)?;
    let is_hash_of = |name: &&&str| {
        let mut sum = Sha256::new();
        for label in name.split('.') {
            sum.update([u8::try_from(label.len()).unwrap_or(u8::MAX)]);
            sum.update(label);
        }
        sum.update([0]);
        sum.finalize().as_slice() == hash.as_slice()
    };
    KNOWN.iter().find(is_hash_of).copied()
}

/// Seconds since 1970 with a fraction, from the text of a number.
fn seconds(text: &str) -> Option<Instant> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Instant::new(whole.parse().ok()?, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_of_a_known_server_is_its_name() {
        // Computed with Python's hashlib from the name in the form of the DNS.
        assert_eq!(
            server_of("1p3pQif72Jh6hUMsgIhYVy3UhEY5ssees9pUR1jCcMY="),
            Some("hub.docker.com")
        );
        assert_eq!([server_of("AAAA"), server_of("no base64")], [None, None]);
    }

    #[test]
    fn a_number_of_seconds_keeps_its_fraction() {
        let at = |text| seconds(text).map(|instant| instant.to_string());
        assert_eq!(at("1690000000.123456").as_deref(), Some("2023-07-22T04:26:40.123456000Z"));
        assert_eq!(at("1690000000").as_deref(), Some("2023-07-22T04:26:40.000000000Z"));
        assert_eq!([at(""), at("x.5"), at("1e300")], [None, None, None]);
    }
}
