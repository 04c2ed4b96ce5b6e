//! Files of settings of Podman, Buildah, Skopeo and CRI-O: TOML, `policy.json` JSON.
//!
//! After containers/common 0.60 `docs/containers.conf.5.md`, containers/image 5.36
//! `docs/containers-{registries.conf,policy.json}.5.md`, containers/storage 1.59
//! `docs/containers-storage.conf.5.md`, cri-o 1.36 `docs/crio.conf.5.md`.

use super::attributes::Attributes;
use super::engine_settings::EngineSettings;
use super::json;
use super::secrets::{names_of_addresses_with_passwords, names_of_secrets};
use crate::inventory::Risk;
use crate::inventory::risk::judge_containers_conf;
use crate::{Artifact, ArtifactFile};
use dockline_timeline::{Event, Findings, IssueKind, Position};
use serde_json::Value;
use std::borrow::Cow;

/// The settings of one file.
pub struct SettingsFile {
    settings: EngineSettings,
    /// The risks among them.
    pub risks: Vec<Risk>,
    secrets: Vec<String>,
}

impl SettingsFile {
    /// Reads a file; issues tell what is wrong with it, and `None` that it holds no settings.
    pub fn read(
        artifact: &Artifact,
        file: &ArtifactFile,
        findings: &mut dyn Findings,
    ) -> Option<SettingsFile> {
        let bytes = artifact.read(file, findings)?;
        let is_json = file.path.file_name().is_some_and(|name| name.ends_with(b".json"));
        let document = match is_json {
            true => json::record(&bytes, file, findings)?,
            false => of_toml(&bytes, file, findings)?,
        };
        let settings = EngineSettings::from_document(&document);
        if settings.cut {
            let what = format!("more than {} settings, the rest is not read", settings.pairs.len());
            findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
        }
        // `engine.env` and the like are lists of `NAME=value`: the setting's own name promises
        // nothing.
        let values: Vec<String> = settings.iter().map(|(_, value)| value.to_owned()).collect();
        let mut secrets = names_of_secrets(&values);
        secrets.extend(names_of_addresses_with_passwords(&settings.pairs));
        secrets.sort();
        secrets.dedup();
        let risks = judge_containers_conf(&settings, &document);
        Some(SettingsFile { settings, risks, secrets })
    }

    /// Puts the settings and their risks on an event.
    pub fn describe<'a>(&'a self, event: &mut Event<'a>) {
        event.tags.extend(self.risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        event.tags.extend((!self.secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("risks", self.risks.iter().map(Risk::to_string).collect());
        all.texts("possible_secrets", &self.secrets);
        all.texts("settings", &self.settings.pairs);
        event.attributes.extend(all.into_vec());
    }
}

fn of_toml(bytes: &[u8], file: &ArtifactFile, findings: &mut dyn Findings) -> Option<Value> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let (what, at) = match std::str::from_utf8(bytes) {
        Ok(text) => match toml::from_str(text) {
            Ok(document) => {
                findings.records(&file.origin, 1, length);
                return Some(document);
            }
            Err(error) => {
                (format!("no TOML: {}", error.message()), error.span().map(|span| span.start))
            }
        },
        Err(error) => ("no TOML: bytes that are not UTF-8".to_owned(), Some(error.valid_up_to())),
    };
    let at = at.and_then(|at| u64::try_from(at).ok()).map_or(Position::File, Position::Offset);
    findings.issue(file.issue(IssueKind::Malformed, at, what).losing(1, length));
    None
}
