//! Who the engine is, and the keys and certificates with which it shows it.

use super::settings::document;
use super::{IDENTITY, WrittenFile};
use crate::formats::attributes::Attributes;
use crate::formats::json::{Fields, Wrong};
use dockline_timeline::{Findings, IssueKind, Position};
use std::borrow::Cow;

/// Longest `engine-id`: a UUID has 36 characters, a key id of libtrust 59.
const ID_LENGTH: usize = 64;

pub(super) fn engine_id(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(text) = written.text(findings) else { return };
    let id = text.trim();
    let known = id.len() <= ID_LENGTH
        && !id.is_empty()
        && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':'));
    if !known {
        let shown: String = id.chars().take(ID_LENGTH).collect();
        let what = format!("{shown:?} is no identity of an engine");
        findings.issue(written.file.issue(IssueKind::Malformed, Position::File, what));
        return;
    }
    let from = if id.contains(':') { "; it is the key id of an engine before 23.0" } else { "" };
    let text = format!("identity {id} made: first start of an engine of 23.0 or later here{from}");
    let Some(mut event) = written.event(&IDENTITY, &text) else { return };
    event.action = "create";
    let mut all = Attributes::default();
    all.text("engine_identifier", Some(id));
    event.attributes = all.into_vec();
    findings.event(&event);
}

/// The key with which engines up to 22 named themselves, a JSON Web Key.
pub(super) fn key(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let document = document(written, findings).unwrap_or_default();
    let wrong = Wrong::default();
    let fields = Fields::new(&document, &wrong);
    let (id, private) = (fields.text("kid"), fields.has("d"));
    let kind = [fields.text("kty"), fields.text("crv")].into_iter().flatten();
    let kind = kind.collect::<Vec<_>>().join(" ");
    wrong.into_flaws().iter().for_each(|flaw| flaw.report(written.file, findings));
    let text = match (&id, private) {
        (Some(id), true) => {
            format!("identity {id} and its private key made: first start of an engine up to 22")
        }
        (Some(id), false) => format!("identity {id} last written, without its private key"),
        (None, _) => "identity of the engine last written; it has no key id".to_owned(),
    };
    let Some(mut event) = written.event(&IDENTITY, &text) else { return };
    event.action = if private { "create" } else { "write" };
    event.tags.extend(private.then_some(Cow::Borrowed("private-key")));
    let mut all = Attributes::default();
    all.text("engine_identifier", id.as_deref());
    all.text("key_type", Some(kind.as_str()).filter(|kind| !kind.is_empty()));
    event.attributes = all.into_vec();
    findings.event(&event);
}

/// A graph of who may name images, of engines before 1.10.
pub(super) fn trust_graph(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    if document(written, findings).is_none() {
        return;
    }
    let text = "graph of trusted names last written";
    if let Some(event) = written.event(&IDENTITY, text) {
        findings.event(&event);
    }
}

/// What the engine trusts a registry by, or shows itself to it with.
pub(super) fn certificate(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(content) = written.text(findings) else { return };
    let name = written.file.capture("certificate").unwrap_or_default();
    let registry = written.file.capture("registry").unwrap_or_default();
    let private = content.contains("PRIVATE KEY-----");
    let what = match name.rsplit_once('.').map(|(_, extension)| extension) {
        _ if private => "private key",
        Some("crt") => "authority",
        Some("cert") => "certificate of this client",
        _ => "file",
    };
    let text = format!("{what} for the registry {registry} last written: {name}");
    let Some(mut event) = written.event(&IDENTITY, &text) else { return };
    event.tags.extend(private.then_some(Cow::Borrowed("private-key")));
    let mut all = Attributes::default();
    all.text("registry", Some(registry));
    event.attributes = all.into_vec();
    findings.event(&event);
}
