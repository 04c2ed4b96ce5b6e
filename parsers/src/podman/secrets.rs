//! Secrets that Podman keeps: `secrets/secrets.json` and `secrets/filedriver/secretsdata.json`.
//!
//! The first names each secret, with its times; the second holds the values of the driver `file`, the
//! default, in base64 and nothing more: whoever can read the file can read them. A secret that other
//! drivers (`pass`, `shell`) keep has no value here.
//!
//! | instant | event |
//! |---|---|
//! | `createdAt` | secret created |
//! | `updatedAt`, since Podman 4.6 | secret last replaced |
//! | time of the file of values | a value of which no secret is known: of one that was removed |
//!
//! A value is shown, as every secret in the evidence is, and its event is tagged `possible-secret`.

use crate::formats::attributes::Attributes;
use crate::formats::base64;
use crate::formats::json::{self, Fields, Wrong};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Confidence, Event, Findings, Instant, Kind, Meaning, Position, Subject};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.secrets",
    reads: &["secrets/secrets.json", "secrets/filedriver/secretsdata.json"],
    gather: Gather::DataRoot,
    about: "secrets that Podman keeps, with the values that it stores in the clear",
    yields: "secret created, last replaced; values of removed secrets",
    references: &[
        "containers/common 0.50 and 0.60 pkg/secrets/{secrets,secretsdb}.go, filedriver.go",
    ],
    parse,
};

static SECRET: Kind =
    Kind { data_type: "podman:secret", source_short: "PODMAN", source_long: "Podman secret" };

/// A secret.
struct Secret {
    id: String,
    name: Option<String>,
    driver: Option<String>,
    created: Option<Instant>,
    updated: Option<Instant>,
    labels: Vec<String>,
    value: Option<String>,
}

/// Values by the id of their secret.
type Values = BTreeMap<String, String>;

fn parse(artifact: &Arc<Artifact>, _inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let named =
        |name: &[u8]| artifact.files.iter().find(|file| file.path.file_name() == Some(name));
    let data = named(b"secretsdata.json");
    let mut values = data.map(|file| values(artifact, file, findings)).unwrap_or_default();
    if let Some(file) = named(b"secrets.json") {
        for secret in secrets(artifact, file, &mut values, findings) {
            secret.report(file, findings);
        }
    }
    if let Some(file) = data {
        let metadata = artifact.metadata(file, findings);
        let modified = metadata.and_then(|metadata| metadata.modified);
        modified.into_iter().for_each(|modified| report_strays(file, modified, &values, findings));
    }
}

fn document(artifact: &Artifact, file: &ArtifactFile, findings: &mut dyn Findings) -> Option<Json> {
    json::record(&artifact.read(file, findings)?, file, findings)
}

fn values(artifact: &Artifact, file: &ArtifactFile, findings: &mut dyn Findings) -> Values {
    let Some(document) = document(artifact, file, findings) else { return Values::new() };
    let wrong = Wrong::default();
    let fields = Fields::new(&document, &wrong);
    let value = |id: String| Some((id.clone(), shown(&fields.text(&id)?)));
    let values = fields.keys().into_iter().filter_map(value).collect();
    wrong.into_flaws().iter().for_each(|flaw| flaw.report(file, findings));
    values
}

/// The text that a value stands for; a value that is none as it is stored.
fn shown(stored: &str) -> String {
    let text = base64::decode(stored).and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_else(|| format!("base64:{stored}"))
}

/// The secrets, with their values, which are taken out of `values`.
fn secrets(
    artifact: &Artifact,
    file: &ArtifactFile,
    values: &mut Values,
    findings: &mut dyn Findings,
) -> Vec<Secret> {
    let Some(document) = document(artifact, file, findings) else { return Vec::new() };
    let wrong = Wrong::default();
    let fields = Fields::new(&document, &wrong).object("secrets");
    let mut secret = |(id, fields): (&str, Fields<'_>)| Secret {
        id: id.to_owned(),
        name: fields.text("name"),
        driver: fields.text("driver"),
        created: fields.instant("createdAt"),
        updated: fields.instant("updatedAt"),
        labels: fields.object("labels").pairs(),
        value: values.remove(id),
    };
    let secrets = fields.members().into_iter().map(&mut secret).collect();
    wrong.into_flaws().iter().for_each(|flaw| flaw.report(file, findings));
    secrets
}

impl Secret {
    fn report(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let name = self.name.as_deref().unwrap_or(&self.id);
        let replaced = self.updated.filter(|updated| Some(*updated) != self.created);
        let moments = [
            (self.created, Meaning::Creation, "create", "created", "createdAt"),
            (replaced, Meaning::Update, "update", "last replaced", "updatedAt"),
        ];
        for (instant, meaning, action, what, key) in moments {
            let Some(instant) = instant else { continue };
            let text = format!("secret {name} {what}");
            let key = format!("secrets.{}.{key}", self.id);
            let mut event =
                Event::new(&file.origin, &SECRET, &Subject::UNKNOWN, (instant, meaning));
            event.position = Position::Key(&key);
            event.action = action;
            event.text = (&text).into();
            event.labels = &self.labels;
            event.tags.push(Cow::Borrowed("possible-secret"));
            let mut all = Attributes::default();
            all.text("secret_name", self.name.as_deref());
            all.text("secret_identifier", Some(&self.id));
            all.text("secret_driver", self.driver.as_deref());
            all.text("secret_value", self.value.as_deref());
            event.attributes = all.into_vec();
            findings.event(&event);
        }
    }
}

/// Values that no secret has: removal takes the name first.
fn report_strays(
    file: &ArtifactFile,
    modified: Instant,
    values: &Values,
    findings: &mut dyn Findings,
) {
    for (id, value) in values {
        let text = format!(
            "value of a secret {id} that is not in the list: the file was last written now"
        );
        let when = (modified, Meaning::ContentModification);
        let mut event = Event::new(&file.origin, &SECRET, &Subject::UNKNOWN, when);
        event.position = Position::Key(id);
        event.confidence = Confidence::Filesystem;
        event.action = "write";
        event.text = (&text).into();
        event.tags.push(Cow::Borrowed("possible-secret"));
        let mut all = Attributes::default();
        all.text("secret_identifier", Some(id));
        all.text("secret_value", Some(value));
        event.attributes = all.into_vec();
        findings.event(&event);
    }
}
