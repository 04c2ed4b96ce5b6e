//! `daemon.json`, and containerd's `config.toml`.

use super::{SETTINGS, WrittenFile};
use crate::formats::attributes::Attributes;
use crate::formats::engine_settings::EngineSettings;
use crate::formats::json;
use crate::formats::secrets::{names_of_addresses_with_passwords, names_of_secrets};
use crate::formats::user_profile;
use crate::inventory::Risk;
use crate::inventory::risk::{judge_containerd, judge_engine, told};
use dockline_timeline::{Findings, IssueKind, Position};
use serde_json::Value;
use std::borrow::Cow;

/// What a file of settings says.
pub(super) struct Told {
    /// What was written.
    pub(super) what: String,
    pub(super) settings: EngineSettings,
    pub(super) risks: Vec<Risk>,
    /// Variables that it sets, as `NAME=value`.
    pub(super) environment: Vec<String>,
    pub(super) command_line: Option<String>,
    /// Names of what may be a secret.
    pub(super) secrets: Vec<String>,
}

impl Told {
    pub(super) fn report(mut self, written: &WrittenFile<'_>, findings: &mut dyn Findings) {
        if self.settings.cut {
            let what =
                format!("more than {} settings, the rest is not read", self.settings.pairs.len());
            findings.issue(written.file.issue(IssueKind::LimitReached, Position::File, what));
        }
        for pairs in [&self.settings.pairs, &self.environment] {
            self.secrets.extend(names_of_addresses_with_passwords(pairs));
        }
        self.secrets.sort();
        self.secrets.dedup();
        let text = told(&format!("{} last written", self.what), &self.risks);
        let Some(mut event) = written.event(&SETTINGS, &text) else { return };
        event.command_line = self.command_line.as_deref();
        event.tags.extend(self.risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        event.tags.extend((!self.secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("risks", self.risks.iter().map(Risk::to_string).collect());
        all.texts("possible_secrets", &self.secrets);
        all.texts("settings", &self.settings.pairs);
        all.texts("environment", &self.environment);
        all.owned_text("user_name", user_profile::user(&written.file.path));
        event.attributes = all.into_vec();
        findings.event(&event);
    }
}

pub(super) fn of_engine(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(document) = document(written, findings) else {
        return unreadable("settings of the engine", written, findings);
    };
    let settings = EngineSettings::from_document(&document);
    let risks = judge_engine(&settings, false);
    let secrets = names_of_secrets(&settings.options());
    let what = "settings of the engine".to_owned();
    let told = Told { what, settings, risks, environment: Vec::new(), command_line: None, secrets };
    told.report(written, findings);
}

/// The JSON of the file.
pub(super) fn document(written: &WrittenFile<'_>, findings: &mut dyn Findings) -> Option<Value> {
    json::record(&written.read(findings)?, written.file, findings)
}

/// Of a file without readable content, the time at which it was written.
pub(super) fn unreadable(what: &str, written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let text = format!("{what} last written; the content cannot be read");
    if let Some(event) = written.event(&SETTINGS, &text) {
        findings.event(&event);
    }
}

pub(super) fn of_containerd(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(text) = written.text(findings) else { return };
    let document: Value = match toml::from_str(&text) {
        Ok(document) => document,
        Err(error) => {
            let at = error.span().and_then(|span| u64::try_from(span.start).ok());
            let at = at.map_or(Position::File, Position::Offset);
            let what = format!("no TOML: {}", error.message());
            findings.issue(written.file.issue(IssueKind::Malformed, at, what));
            return unreadable("settings of containerd", written, findings);
        }
    };
    let settings = EngineSettings::from_document(&document);
    let risks = judge_containerd(&settings);
    let secrets = names_of_secrets(&settings.pairs);
    let what = "settings of containerd".to_owned();
    let told = Told { what, settings, risks, environment: Vec::new(), command_line: None, secrets };
    told.report(written, findings);
}
