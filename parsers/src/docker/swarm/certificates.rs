//! Certificates of the swarm's authority and of this node, and the node's private key.

use super::{CERTIFICATE, WrittenFile};
use crate::formats::attributes::Attributes;
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject,
};
use std::borrow::Cow;
use std::time::Duration;
use x509_cert::Certificate;
use x509_cert::time::Time;

/// Certificates that are read of one file; a node's has its own and that of the authority.
const LIMIT: usize = 16;
/// How long before it is issued the validity of a node's certificate begins.
const NODE_BACKDATED: Duration = Duration::from_secs(60 * 60);
/// The same of the authority's.
const AUTHORITY_BACKDATED: Duration = Duration::from_secs(5 * 60);

pub(super) fn certificate(one: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(bytes) = one.artifact.read(one.file, findings) else { return };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    match Certificate::load_pem_chain(&bytes) {
        Ok(chain) => {
            findings.records(&one.file.origin, 1, length);
            if chain.len() > LIMIT {
                let what = format!("more than {LIMIT} certificates, the rest is not read");
                findings.issue(one.file.issue(IssueKind::LimitReached, Position::File, what));
            }
            let chain = chain.iter().take(LIMIT).enumerate();
            chain.for_each(|(index, found)| Issued::new(found, index).report(one, findings));
        }
        Err(error) => {
            let what = format!("no certificate: {error}");
            let issue = one.file.issue(IssueKind::Malformed, Position::File, what);
            findings.issue(issue.losing(1, length));
        }
    }
    let name = one.file.capture("certificate").unwrap_or_default();
    let text = format!("certificate {name}.crt of the swarm last written");
    if let Some(event) = one.event(&CERTIFICATE, &text) {
        findings.event(&event);
    }
}

/// What a certificate says.
struct Issued {
    key: String,
    subject: String,
    issuer: String,
    serial: String,
    is_authority: bool,
    from: Option<Instant>,
    issued: Option<Instant>,
    until: Option<Instant>,
}

impl Issued {
    fn new(certificate: &Certificate, index: usize) -> Issued {
        let content = certificate.tbs_certificate();
        let (subject, issuer) = (content.subject().to_string(), content.issuer().to_string());
        let is_authority = subject == issuer;
        let backdated = if is_authority { AUTHORITY_BACKDATED } else { NODE_BACKDATED };
        let begins = content.validity().not_before;
        Issued {
            key: format!("certificate[{index}]"),
            serial: content.serial_number().to_string(),
            is_authority,
            from: instant(begins.to_unix_duration()),
            issued: begins.to_unix_duration().checked_add(backdated).and_then(instant),
            until: of_time(content.validity().not_after),
            subject,
            issuer,
        }
    }

    fn report(&self, one: &WrittenFile<'_>, findings: &mut dyn Findings) {
        let what = match self.is_authority {
            true => format!("certificate of the swarm's authority {}", self.subject),
            false => format!("certificate of a swarm node {}", self.subject),
        };
        let until = self.until.map(|until| format!(", until {until}")).unwrap_or_default();
        let backdated = if self.is_authority { "five minutes" } else { "an hour" };
        let moments = [
            (self.from, Meaning::Start, "valid", Confidence::Recorded, {
                format!("{what} valid from now{until}")
            }),
            (self.issued, Meaning::Creation, "create", Confidence::Inferred, {
                format!("{what} issued: its validity begins {backdated} before, to the minute")
            }),
        ];
        for (instant, meaning, action, confidence, text) in moments {
            let Some(instant) = instant else { continue };
            let when = (instant, meaning);
            let origin = &one.file.origin;
            let mut event = Event::new(origin, &CERTIFICATE, &Subject::UNKNOWN, when);
            event.position = Position::Key(&self.key);
            event.confidence = confidence;
            event.action = action;
            event.text = (&text).into();
            let mut all = Attributes::default();
            all.text("certificate_subject", Some(&self.subject));
            all.text("certificate_issuer", Some(&self.issuer));
            all.text("certificate_serial", Some(&self.serial));
            all.owned_text("valid_until", self.until.map(|until| until.to_string()));
            event.attributes = all.into_vec();
            findings.event(&event);
        }
    }
}

fn of_time(time: Time) -> Option<Instant> {
    instant(time.to_unix_duration())
}

fn instant(since_1970: Duration) -> Option<Instant> {
    Instant::new(i64::try_from(since_1970.as_secs()).ok()?, since_1970.subsec_nanos())
}

/// The node's private key; a manager's has the key to the raft log in its headers.
pub(super) fn key(one: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(bytes) = one.artifact.read(one.file, findings) else { return };
    findings.records(&one.file.origin, 1, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let content = String::from_utf8_lossy(&bytes);
    let private = content.contains("PRIVATE KEY-----");
    if !private {
        let what = "holds no private key";
        findings.issue(one.file.issue(IssueKind::Malformed, Position::File, what));
    }
    let raft = content.lines().any(|line| line.starts_with("raft-dek:"));
    let locked = content.contains("ENCRYPTED");
    let text = format!(
        "private key {}.key of the swarm last written{}{}",
        one.file.capture("key").unwrap_or_default(),
        if locked { "; locked with a passphrase" } else { "" },
        if raft { "; with the key to the log of the managers: this node is a manager" } else { "" },
    );
    let Some(mut event) = one.event(&CERTIFICATE, &text) else { return };
    event.tags.extend(private.then_some(Cow::Borrowed("private-key")));
    let mut all = Attributes::default();
    all.flag("raft_key", raft);
    all.flag("key_encrypted", locked);
    event.attributes = all.into_vec();
    findings.event(&event);
}
