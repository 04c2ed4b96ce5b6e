//! Events of the configuration of an image: created, built step by step, arrived.

use crate::formats::image_config::{FIXED_DATE, ImageConfig, Step, is_fixed_date};
use crate::{Artifact, ArtifactFile, DiffId, Digest, Inventory};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

static CONFIGURATION: Kind = Kind {
    data_type: "podman:image:configuration",
    source_short: "PODMAN",
    source_long: "Podman image configuration",
};
static HISTORY: Kind = Kind {
    data_type: "podman:image:history",
    source_short: "PODMAN",
    source_long: "Podman image history",
};

/// The configuration of an image and where it stands.
struct Image<'a> {
    file: &'a ArtifactFile,
    id: Digest,
    subject: Subject,
    config: ImageConfig,
    /// Whether the content is what its name says.
    genuine: bool,
    size: u64,
}

pub(super) fn parse(
    (artifact, file): (&Artifact, &ArtifactFile),
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let Some(id) = file.capture("image").and_then(Digest::from_hex) else { return };
    let Some(bytes) = artifact.read(file, findings) else { return };
    let genuine = Digest::of(&bytes) == id;
    if !genuine {
        let what = "the content has another digest than that of its name: changed";
        findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
    }
    let image = Image {
        file,
        subject: inventory.image_subject(id.as_str()),
        id,
        config: ImageConfig::of_file(file, &bytes, findings),
        genuine,
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
    };
    image.creation(findings);
    image.history(findings);
    let metadata = artifact.metadata(file, findings);
    if let Some(modified) = metadata.and_then(|metadata| metadata.modified) {
        image.arrival(modified, findings);
    }
}

impl Image<'_> {
    fn event<'e>(&'e self, kind: &'e Kind, when: (Instant, Meaning)) -> Event<'e> {
        let mut event = Event::new(&self.file.origin, kind, &self.subject, when);
        event.tags.extend((!self.genuine).then_some(Cow::Borrowed("digest-mismatch")));
        if when.1 == Meaning::Creation && is_fixed_date(when.0) {
            event.tags.push(Cow::Borrowed("not-wall-clock"));
        }
        event
    }

    fn creation(&self, findings: &mut dyn Findings) {
        let Some(created) = self.config.created else { return };
        let note = if is_fixed_date(created) { FIXED_DATE } else { "" };
        let text = format!("image {} built{note}", self.id.short());
        let mut event = self.event(&CONFIGURATION, (created, Meaning::Creation));
        event.position = Position::Key("created");
        event.action = "build";
        event.text = (&text).into();
        self.config.describe(&mut event);
        findings.event(&event);
    }

    fn history(&self, findings: &mut dyn Findings) {
        let layers = self.config.layer_of_steps();
        for (index, step) in self.config.history.iter().enumerate() {
            let layer = layers.as_ref().and_then(|layers| layers.get(index).copied().flatten());
            self.step((index, step), layer, findings);
        }
    }

    fn step(
        &self,
        (index, step): (usize, &Step),
        layer: Option<&DiffId>,
        findings: &mut dyn Findings,
    ) {
        let Some(created) = step.created else { return };
        let note = if is_fixed_date(created) { FIXED_DATE } else { "" };
        let (text, key) = (format!("{}{note}", step.told()), format!("history[{index}].created"));
        let mut event = self.event(&HISTORY, (created, Meaning::Creation));
        event.position = Position::Key(&key);
        event.action = "build";
        event.text = (&text).into();
        event.command_line = step.created_by.as_deref();
        let number = i64::try_from(index).unwrap_or(i64::MAX);
        event.attribute("history_index", Some(Value::Integer(number)));
        event.attribute("empty_layer", Some(Value::Boolean(step.empty_layer)));
        let comment = step.comment.as_deref();
        event.attribute("step_comment", comment.map(|text| Value::Text(text.into())));
        let author = step.author.as_deref();
        event.attribute("step_author", author.map(|text| Value::Text(text.into())));
        event.attribute("diff_id", layer.map(|layer| Value::Text(layer.0.as_str().into())));
        findings.event(&event);
    }

    fn arrival(&self, modified: Instant, findings: &mut dyn Findings) {
        let text = format!("image {} arrived on this host", self.id.short());
        let timeless = self.config.history.iter().filter(|step| step.created.is_none());
        let timeless: Vec<Cow<'_, str>> = timeless.map(|step| Cow::from(step.told())).collect();
        let mut event = self.event(&CONFIGURATION, (modified, Meaning::Added));
        event.confidence = Confidence::Filesystem;
        event.action = "store";
        event.text = (&text).into();
        event.size = Some(self.size);
        event.sha256_hash = self.genuine.then(|| self.id.hex());
        let driver = self.file.capture("driver");
        event.attribute("storage_driver", driver.map(|driver| Value::Text(driver.into())));
        let timeless = (!timeless.is_empty()).then_some(Value::List(timeless));
        event.attribute("history_without_time", timeless);
        if self.config.created.is_none() {
            self.config.describe(&mut event);
        }
        findings.event(&event);
    }
}
