//! Contexts: engines that the client knows by a name, often on other hosts.

use super::{CLIENT, HomeFile};
use crate::formats::json::{self, Fields, Wrong};
use dockline_timeline::{Findings, Meaning, Subject, Value};
use std::borrow::Cow;

impl HomeFile<'_> {
    pub(super) fn context(&self, findings: &mut dyn Findings) {
        let Some(document) = self.document(findings) else { return };
        let Some(modified) = self.modified(findings) else { return };
        let wrong = Wrong::default();
        let fields = Fields::new(&document, &wrong);
        let name = fields.text("Name").unwrap_or_default();
        let description = fields.object("Metadata").text("Description");
        let (endpoints, unchecked) = endpoints(&fields);
        let described = description.map(|text| format!(" ({text})")).unwrap_or_default();
        let note = if unchecked { "; the certificate is not checked" } else { "" };
        let text = format!(
            "context {name}{described} made or changed: {}{note}",
            if endpoints.is_empty() { "no endpoint".to_owned() } else { endpoints.join(", ") }
        );
        let at = (modified, Meaning::ContentModification);
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, at);
        event.action = "write";
        event.text = (&text).into();
        event.attribute("client_context", Some(Value::Text(Cow::from(name))));
        event.tags.extend(
            endpoints
                .iter()
                .any(|endpoint| is_remote(endpoint))
                .then_some(Cow::Borrowed("remote-engine")),
        );
        let endpoints = endpoints.into_iter().map(Cow::from).collect();
        event.attribute("endpoints", Some(Value::List(endpoints)));
        findings.event(&event);
        for flaw in wrong.into_flaws() {
            flaw.report(self.file, findings);
        }
    }

    /// The file as JSON, with what is wrong around it told.
    pub(super) fn document(&self, findings: &mut dyn Findings) -> Option<serde_json::Value> {
        let bytes = self.artifact.read(self.file, findings)?;
        match json::read(&bytes) {
            Ok(document) => {
                findings.records(&self.file.origin, 1, document.length);
                for flaw in &document.flaws {
                    flaw.report(self.file, findings);
                }
                Some(document.value)
            }
            Err(flaw) => {
                flaw.report_lost(self.file, bytes.len(), findings);
                None
            }
        }
    }
}

/// Whether it leads to an engine over the network, on this host or another.
fn is_remote(endpoint: &str) -> bool {
    let host = endpoint.split_once(' ').map_or("", |(_, host)| host);
    ["tcp://", "ssh://", "http://", "https://"].iter().any(|scheme| host.starts_with(scheme))
}

/// `docker ssh://root@203.0.113.50`, and whether a certificate is not checked.
fn endpoints(fields: &Fields<'_>) -> (Vec<String>, bool) {
    let mut unchecked = false;
    let mut endpoints = Vec::new();
    for (kind, endpoint) in fields.object("Endpoints").members() {
        unchecked |= endpoint.boolean("SkipTLSVerify") == Some(true);
        endpoints.push(format!("{kind} {}", endpoint.text("Host").unwrap_or_default()));
    }
    (endpoints, unchecked)
}
