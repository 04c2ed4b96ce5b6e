//! What the engine wrote of a volume.

use crate::formats::attributes::Attributes;
use crate::formats::bolt::{Content, Entry};
use crate::formats::json::{self, Fields, Wrong};
use crate::formats::secrets::names_of_secrets;
use dockline_timeline::{Attribute, IssueKind};
use serde_json::Value;

/// The label of a volume to which nobody gave a name.
const ANONYMOUS: &str = "com.docker.volume.anonymous=";

/// A volume; what was not read is absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Volume {
    /// Where its record lies in the database.
    pub(super) offset: Option<u64>,
    pub(super) labels: Vec<String>,
    /// Where it was found if the record is no longer current.
    pub(super) recovered_from: Option<String>,
    /// What is wrong with its record.
    pub(super) flaws: Vec<json::Flaw>,
    driver: Option<String>,
    /// As `key=value`, those of the driver `local` under the keys of `docker volume create`.
    options: Vec<String>,
}

impl Volume {
    /// From a record of the database; under which name.
    pub(super) fn from_entry(
        entry: &Entry<'_, '_>,
        recovered_from: Option<&str>,
    ) -> Result<(String, Volume), (IssueKind, String)> {
        let Content::Value(value) = entry.content else {
            return Err((IssueKind::Unsupported, "a bucket in that of volumes".to_owned()));
        };
        let name = std::str::from_utf8(entry.key);
        let name = name.map_err(|_| (IssueKind::Malformed, "the name is not UTF-8".to_owned()))?;
        let mut volume = Volume {
            offset: Some(entry.offset),
            recovered_from: recovered_from.map(str::to_owned),
            ..Volume::default()
        };
        // Engines wrote an empty value where there was nothing to say.
        if !value.is_empty() {
            let document = json::read(value).map_err(|flaw| (flaw.kind, flaw.what))?;
            volume.flaws.extend(document.flaws);
            volume.read(&document.value);
        }
        Ok((name.to_owned(), volume))
    }

    fn read(&mut self, value: &Value) {
        let wrong = Wrong::default();
        let fields = Fields::new(value, &wrong);
        self.driver = fields.text("Driver");
        self.labels = fields.object("Labels").pairs();
        self.options = fields.object("Options").pairs();
        self.flaws.extend(wrong.into_flaws());
    }

    /// Adds what `opts.json` says and the database does not; what is wrong in it.
    pub(super) fn add_options(&mut self, value: &Value) -> Vec<json::Flaw> {
        let wrong = Wrong::default();
        let fields = Fields::new(value, &wrong);
        let keys = [("type", "MountType"), ("o", "MountOpts"), ("device", "MountDevice")];
        for (name, key) in keys {
            let option = fields.text(key).map(|text| format!("{name}={text}"));
            self.options.extend(option.filter(|option| !self.options.contains(option)));
        }
        wrong.into_flaws()
    }

    /// Whether its name was made by the engine.
    pub(super) fn is_anonymous(&self, name: &str) -> bool {
        let hexadecimal = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let labelled = self.labels.iter().any(|label| label.starts_with(ANONYMOUS));
        labelled || (name.len() == 64 && hexadecimal)
    }

    /// Names of options that promise a secret, also of those in the list that `mount` is given.
    pub(super) fn secrets(&self) -> Vec<String> {
        let given = self.options.iter().filter_map(|option| option.strip_prefix("o="));
        let given: Vec<String> =
            given.flat_map(|list| list.split(',')).map(|option| option.trim().to_owned()).collect();
        let mut names = names_of_secrets(&given);
        names.extend(names_of_secrets(&self.options));
        names.extend(names_of_secrets(&self.labels));
        names
    }

    pub(super) fn describe(&self) -> Vec<Attribute<'_>> {
        let mut all = Attributes::default();
        all.text("volume_driver", self.driver.as_deref());
        all.texts("volume_options", &self.options);
        all.list("possible_secrets", self.secrets());
        all.text("recovered_from", self.recovered_from.as_deref());
        all.into_vec()
    }

    /// `, of the driver nfs, with type=cifs, device=//10.0.0.9/share`.
    pub(super) fn in_words(&self) -> String {
        let driver = self.driver.as_deref().filter(|driver| *driver != "local");
        let driver = driver.map(|driver| format!(", of the driver {driver}")).unwrap_or_default();
        let told = |option: &&String| option.starts_with("type=") || option.starts_with("device=");
        let told: Vec<&str> = self.options.iter().filter(told).map(String::as_str).collect();
        let options =
            if told.is_empty() { String::new() } else { format!(", with {}", told.join(", ")) };
        format!("{driver}{options}")
    }
}
