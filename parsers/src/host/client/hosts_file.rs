//! The hosts file of Windows, in which Docker Desktop keeps names of its own.
//!
//! It writes them between two comments when it starts and the address of the host has changed. The
//! comments are not asked for: the names are Docker's alone.

use super::{CLIENT, HomeFile};
use dockline_timeline::{Findings, Meaning, Subject, Value};
use std::borrow::Cow;

impl HomeFile<'_> {
    pub(super) fn hosts_file(&self, findings: &mut dyn Findings) {
        let Some(content) = self.text(findings) else { return };
        let count = u64::try_from(content.lines().count()).unwrap_or(u64::MAX);
        findings.records(&self.file.origin, 1, 0);
        let names: Vec<String> = content.lines().filter_map(name_of_docker).collect();
        if names.is_empty() {
            return findings.unconcerned(&self.file.origin, count);
        }
        let Some(modified) = self.modified(findings) else { return };
        let text = format!(
            "hosts file last written, by Docker Desktop when the host's address changed or by \
             another program; names of Docker in it: {}",
            names.join(", ")
        );
        let at = (modified, Meaning::ContentModification);
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, at);
        event.action = "write";
        event.text = (&text).into();
        let names = names.into_iter().map(Cow::from).collect();
        event.attribute("host_names", Some(Value::List(names)));
        findings.event(&event);
    }
}

/// `192.168.1.5 host.docker.internal`.
fn name_of_docker(line: &str) -> Option<String> {
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_whitespace();
    let address = words.next()?;
    let names: Vec<&str> = words.filter(|name| name.ends_with(".docker.internal")).collect();
    (!names.is_empty()).then(|| format!("{address} {}", names.join(" ")))
}
