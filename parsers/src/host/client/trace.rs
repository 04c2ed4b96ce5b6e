//! Files that say something by being there.

use super::{CLIENT, HomeFile};
use dockline_timeline::{Findings, Instant, Meaning, Subject, Value};
use std::borrow::Cow;

impl HomeFile<'_> {
    pub(super) fn trace(&self, findings: &mut dyn Findings) {
        findings.records(&self.file.origin, 1, 0);
        let Some(modified) = self.modified(findings) else { return };
        let name = self.file.path.file_name().unwrap_or_default();
        if name.eq_ignore_ascii_case(b".wslconfig") {
            return self.wsl_settings(modified, findings);
        }
        let (what, is_secret) = what(name, self.file.capture("tls"), self.file.capture("key"));
        let text = format!("{what}; its content is not read");
        let at = (modified, Meaning::ContentModification);
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, at);
        event.action = "write";
        event.text = (&text).into();
        event.tags.extend(is_secret.then_some(Cow::Borrowed("possible-secret")));
        findings.event(&event);
    }

    /// Settings of the machine in which WSL runs all distributions, such as where its swap file lies,
    /// which can hold the memory of containers.
    fn wsl_settings(&self, modified: Instant, findings: &mut dyn Findings) {
        let Some(content) = self.text(findings) else { return };
        let lines =
            content.lines().map(str::trim).filter(|line| !line.starts_with(['#', '[', ';']));
        let settings: Vec<&str> = lines.filter(|line| line.contains('=')).collect();
        let text = format!("settings of WSL last written: {}", settings.join(", "));
        let at = (modified, Meaning::ContentModification);
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, at);
        event.action = "write";
        event.text = (&text).into();
        let settings = settings.into_iter().map(Cow::from).collect();
        event.attribute("settings", Some(Value::List(settings)));
        findings.event(&event);
    }
}

/// What the file is, and whether its content is a secret.
fn what(name: &[u8], tls: Option<&str>, key: Option<&str>) -> (String, bool) {
    if let Some(tls) = tls {
        let what = format!("certificate or key of a context, {tls}, last written");
        return (what, tls.ends_with("key.pem"));
    }
    if let Some(key) = key {
        return (format!("private key {key} for signing images last written"), true);
    }
    match name.to_ascii_lowercase().as_slice() {
        b"config.json" => ("settings of image scans last written".to_owned(), false),
        b".token_seed" => {
            let what = "seed of tokens last written: a login at a registry with tokens, or before";
            (what.to_owned(), true)
        }
        _ => ("kubeconfig with clusters and credentials last written".to_owned(), true),
    }
}
