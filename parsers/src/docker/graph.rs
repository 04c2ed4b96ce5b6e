//! Images of engines before 1.10: `graph/<id>/json`, and `repositories-<driver>` with their names.
//!
//! Each layer is an image of its own there, with a random id, its parent's id, and the one step that
//! made it. Engine 1.10 copied all of them into `image/<driver>` when it first started and left these
//! files where they were, so that they are older than anything else below the data root.
//!
//! | instant | event |
//! |---|---|
//! | `created` of an image | image created, by its maker's clock; from a container when it was committed |
//! | time of its `json` (`filesystem`) | image arrived on this host |
//! | time of `repositories-<driver>` (`filesystem`) | a name was given or taken away; the names |
//!
//! After moby 1.9.1 `graph/graph.go`, `graph/tags.go`, `image/image.go`. `layersize` is told with its
//! image. Not supported: `checksum`, `v1Compatibility` and `tar-data.json.gz` beside it.

use crate::formats::attributes::Attributes;
use crate::formats::image_config::{ConfigEvents, ImageConfig};
use crate::formats::json::{self, Document, Fields, Wrong};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.graph",
    reads: &[
        "graph/{image:id}/json",
        "graph/{image:id}/layersize",
        "repositories-aufs",
        "repositories-btrfs",
        "repositories-devicemapper",
        "repositories-overlay",
        "repositories-vfs",
        "repositories-zfs",
    ],
    gather: Gather::DataRoot,
    about: "images of engines before 1.10, which later engines left where they were",
    yields: "image created, its arrival on this host, last change of the names",
    references: &["moby 1.9.1 graph/graph.go, graph/tags.go, image/image.go"],
    parse,
};

const fn kind(data_type: &'static str, source_long: &'static str) -> Kind {
    Kind { data_type, source_short: "DOCKER", source_long }
}

static IMAGE: Kind = kind("docker:graph:image", "Docker image before 1.10");
static HISTORY: Kind = kind("docker:graph:history", "Docker image before 1.10, history");
static NAMES: Kind = kind("docker:graph:names", "Docker image names before 1.10");

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &artifact.files {
        if file.capture("image").is_none() {
            add_names((artifact, file), &mut names, findings);
        }
    }
    for file in artifact.files.iter().filter(|file| file.capture("image").is_some()) {
        match file.path.file_name() {
            Some(b"json") => image((artifact, file), (inventory, &names), findings),
            // It is told with its image.
            _ => findings.records(&file.origin, 1, 0),
        }
    }
}

fn document(
    (artifact, file): (&Artifact, &ArtifactFile),
    findings: &mut dyn Findings,
) -> Option<Document> {
    let bytes = artifact.read(file, findings)?;
    match json::read(&bytes) {
        Ok(document) => {
            findings.records(&file.origin, 1, document.length);
            document.flaws.iter().for_each(|flaw| flaw.report(file, findings));
            Some(document)
        }
        Err(flaw) => {
            flaw.report_lost(file, bytes.len(), findings);
            None
        }
    }
}

/// `{"Repositories":{"ubuntu":{"14.04":"<id>"}}}`.
fn add_names(
    (artifact, file): (&Artifact, &ArtifactFile),
    names: &mut BTreeMap<String, Vec<String>>,
    findings: &mut dyn Findings,
) {
    let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
    let Some(document) = document((artifact, file), findings) else { return };
    let wrong = Wrong::default();
    let name = String::from_utf8_lossy(file.path.file_name().unwrap_or_default());
    let driver = name.strip_prefix("repositories-");
    let mut pairs = Vec::new();
    for (repository, tags) in Fields::new(&document.value, &wrong).object("Repositories").members()
    {
        for tag in tags.keys() {
            let Some(id) = tags.text(&tag) else { continue };
            let joint = if tag.contains(':') { '@' } else { ':' };
            let name = format!("{repository}{joint}{tag}");
            pairs.push(format!("{name}={id}"));
            names.entry(id).or_default().push(name);
        }
    }
    wrong.into_flaws().iter().for_each(|flaw| flaw.report(file, findings));
    let Some(modified) = modified else { return };
    let text = format!("names of images last changed: {} of them", pairs.len());
    let at = (modified, Meaning::ContentModification);
    let mut event = Event::new(&file.origin, &NAMES, &Subject::UNKNOWN, at);
    event.confidence = Confidence::Filesystem;
    event.action = "write";
    event.text = (&text).into();
    let mut all = Attributes::default();
    all.texts("image_tags", &pairs);
    all.text("storage_driver", driver);
    event.attributes = all.into_vec();
    findings.event(&event);
}

fn image(
    (artifact, file): (&Artifact, &ArtifactFile),
    (inventory, names): (&Inventory, &BTreeMap<String, Vec<String>>),
    findings: &mut dyn Findings,
) {
    let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
    let Some(document) = document((artifact, file), findings) else { return };
    let wrong = Wrong::default();
    let (fields, config) =
        (Fields::new(&document.value, &wrong), ImageConfig::read(&document.value, &wrong));
    let id = file.capture("image").unwrap_or_default();
    let names = names.get(id).map(Vec::as_slice).unwrap_or_default();
    let subject = Subject {
        image_name: names.first().cloned(),
        image_identifier: Some(id.to_owned()),
        ..Subject::UNKNOWN
    };
    let container = config.container.as_deref().filter(|id| !id.is_empty());
    let made = match container {
        Some(container) => Subject {
            image_name: subject.image_name.clone(),
            image_identifier: subject.image_identifier.clone(),
            ..inventory.container_subject(container)
        },
        None => subject.clone(),
    };
    let parent = fields.text("parent").filter(|parent| !parent.is_empty());
    ConfigEvents {
        origin: &file.origin,
        creation: &IMAGE,
        history: &HISTORY,
        config: &config,
        subject: &subject,
        made: &made,
        id: id.get(..12).unwrap_or(id),
        tags: &[],
        creation_tags: &[],
        attributes: &[],
    }
    .report(findings);
    wrong.into_flaws().iter().for_each(|flaw| flaw.report(file, findings));
    if let Some(modified) = modified {
        let size = size(artifact, file);
        arrived((file, &subject), (modified, size, parent, names), findings);
    }
}

/// The size of an image's own layer: `layersize` beside its `json`.
fn size(artifact: &Artifact, file: &ArtifactFile) -> Option<u64> {
    let beside = file.path.parent()?.join(b"layersize")?;
    let bytes = artifact.read_beside(&beside)?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

/// What is known of an arrival: when, how large, the image below, names.
type Arrival<'a> = (Instant, Option<u64>, Option<String>, &'a [String]);

fn arrived(
    (file, subject): (&ArtifactFile, &Subject),
    (modified, size, parent, names): Arrival<'_>,
    findings: &mut dyn Findings,
) {
    let at = (modified, Meaning::Added);
    let mut event = Event::new(&file.origin, &IMAGE, subject, at);
    event.position = Position::File;
    event.confidence = Confidence::Filesystem;
    event.action = "store";
    event.text = "image arrived on this host, with an engine before 1.10".into();
    event.size = size;
    event.attribute("parent_image", parent.map(|parent| Value::Text(Cow::Owned(parent))));
    let mut all = Attributes::default();
    all.texts("image_tags", names);
    event.attributes.extend(all.into_vec());
    findings.event(&event);
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn an_image_of_old_has_its_name_its_maker_and_its_arrival() {
        let (id, parent, container) = ("a".repeat(64), "b".repeat(64), "c".repeat(64));
        let image = format!(
            r#"{{"id":"{id}","parent":"{parent}","created":"2015-03-01T10:00:00.5Z","container":"{container}",
            "container_config":{{"Cmd":["/bin/sh","-c","apt-get update"]}},"docker_version":"1.5.0",
            "architecture":"amd64","os":"linux","Size":42}}"#
        );
        let found = Case::default()
            .with(&format!("d/graph/{id}/json"), image)
            .with(&format!("d/graph/{id}/layersize"), "42")
            .with("d/repositories-aufs", format!(r#"{{"Repositories":{{"web":{{"1":"{id}"}}}}}}"#))
            .read("docker.graph");
        let event = found.only("store");
        assert_eq!(
            (event["image_name"].as_str(), event["size"].as_u64()),
            (Some("web:1"), Some(42))
        );
        assert_eq!(event["parent_image"], parent);
        assert_eq!(found.only("write")["image_tags"][0], format!("web:1={id}"));
        let created = found.events.iter().find(|event| event["timestamp_desc"] == "Creation Time");
        assert_eq!(created.unwrap()["datetime_ns"], "2015-03-01T10:00:00.500000000Z");
        assert_eq!((found.issues.len(), found.records), (0, 3), "{:?}", found.issues);
    }
}
