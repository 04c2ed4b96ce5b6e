//! Images in an archive, as `docker save`, `podman save` and `skopeo copy` write them: given as
//! evidence, or lying as an unpacked directory on a host. Which layouts there are stands in
//! [`crate::formats::image_archive`].
//!
//! | instant | event |
//! |---|---|
//! | `created` of a configuration | image created: by the clock of whoever made it |
//! | `history[].created` | each step, as `docker history` lists it |
//! | annotation `org.opencontainers.image.created` of `index.json` | not read: configurations say it |
//! | time of `manifest.json` or `index.json` | image written into the archive, with its names here |
//!
//! Tools that write archives give their members fixed times, so that the same images make the same
//! archive: `docker save` the beginning of 1970, before Engine 25 for an image's files the time at which
//! the image was created. Neither tells when the archive was written, so neither is an event: that one
//! exists only where the time of the list is later than all fixed dates. The files of
//! `<id>/json` say what the configuration says.
//!
//! The id of an image is the digest of its configuration, as in a graph driver's store. A
//! configuration that no list names has its events too. Not supported: archives without `manifest.json`
//! and `index.json` (engines before 1.10), which are told.

use crate::formats::image_archive::{self, ArchivedImage, ImageArchive};
use crate::formats::image_config::{ConfigEvents, Step, is_fixed_date};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Attribute, Confidence, Event, Findings, Instant, Kind, Meaning, Subject, Value,
};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "archive.image",
    reads: &["oci-layout", "/manifest.json", "{layer:id}/layer.tar"],
    gather: Gather::DataRoot,
    about: "images in an archive or directory of `docker save`, `podman save` or OCI image layout",
    yields: "image created, each step of its history, image written into the archive",
    references: &[
        "moby 20.10.27 image/tarexport/save.go",
        "containerd 2.1 core/images/archive/exporter.go",
        "containers/image 5.24 docker/internal/tarfile",
        "OCI image-spec 1.1 image-layout.md",
    ],
    parse,
};

const fn kind(data_type: &'static str, source_long: &'static str) -> Kind {
    Kind { data_type, source_short: "ARCHIVE", source_long }
}

static IMAGE: Kind = kind("archive:image", "Image archive");
static CONFIGURATION: Kind = kind("archive:image:configuration", "Image archive configuration");
static HISTORY: Kind = kind("archive:image:history", "Image archive history");

fn parse(artifact: &Arc<Artifact>, _inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let archive = image_archive::read(artifact, findings);
    let written = written(artifact, &archive, findings);
    for image in &archive.images {
        let subject = subject(image);
        configuration(image, &subject, findings);
        if let Some((list, instant)) = written {
            saved(image, (list, instant, &subject), findings);
        }
    }
}

/// The list of the archive, and when it was written, if its time says that.
fn written<'a>(
    artifact: &Artifact,
    archive: &'a ImageArchive,
    findings: &mut dyn Findings,
) -> Option<(&'a ArtifactFile, Instant)> {
    let list = archive.list.as_ref()?;
    let modified = artifact.metadata(list, findings)?.modified?;
    (!is_fixed_date(modified)).then_some((list, modified))
}

fn subject(image: &ArchivedImage) -> Subject {
    Subject {
        image_name: image.names.first().cloned(),
        image_identifier: image.id.as_ref().map(ToString::to_string),
        ..Subject::UNKNOWN
    }
}

fn configuration(image: &ArchivedImage, subject: &Subject, findings: &mut dyn Findings) {
    let names = list(&image.names).map(|value| Attribute { name: "image_tags", value });
    ConfigEvents {
        origin: &image.file.origin,
        creation: &CONFIGURATION,
        history: &HISTORY,
        config: &image.config,
        subject,
        // The container that an image was committed from may be one of another host.
        made: subject,
        id: image.id.as_ref().map_or("without a digest", |id| id.short()),
        tags: tags(image),
        creation_tags: &[],
        attributes: names.as_slice(),
    }
    .report(findings);
}

/// When the image was written into the archive.
fn saved(
    image: &ArchivedImage,
    (file, instant, subject): (&ArtifactFile, Instant, &Subject),
    findings: &mut dyn Findings,
) {
    let id = image.id.as_ref().map_or("without a digest", |id| id.short());
    let text = match image.names.as_slice() {
        [] => format!("image {id} written into an archive, without a name"),
        names => format!("image {id} written into an archive as {}", names.join(", ")),
    };
    let timeless: Vec<String> =
        image.config.history.iter().filter(|step| step.created.is_none()).map(Step::told).collect();
    let mut event = Event::new(&file.origin, &IMAGE, subject, (instant, Meaning::Added));
    event.confidence = Confidence::Filesystem;
    event.action = "save";
    event.text = (&text).into();
    event.tags.extend(tags(image).iter().copied().map(Cow::Borrowed));
    event.attribute("image_tags", list(&image.names));
    let manifest = image.manifest.as_ref();
    event.attribute("manifest_digest", manifest.map(|digest| Value::Text(digest.as_str().into())));
    event.attribute("history_without_time", list(&timeless));
    if image.config.created.is_none() {
        image.config.describe(&mut event);
    }
    findings.event(&event);
}

fn tags(image: &ArchivedImage) -> &'static [&'static str] {
    if image.genuine { &[] } else { &["digest-mismatch"] }
}

/// A list of texts, unless it is empty.
fn list(texts: &[String]) -> Option<Value<'_>> {
    (!texts.is_empty()).then(|| Value::List(texts.iter().map(Cow::from).collect()))
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn a_manifest_of_another_program_is_no_list_of_images() {
        for text in ["{\"name\":\"app\"}", "[{\"src\":\"a.js\"}]", "7"] {
            let outcome = Case::default().with("manifest.json", text).read("archive.image");
            assert_eq!((outcome.events.len(), outcome.unconcerned), (0, 1), "{text}");
            assert!(outcome.issues.is_empty(), "{text}: {:?}", outcome.issues);
        }
    }

    #[test]
    fn an_archive_of_an_engine_before_1_10_is_named() {
        let id = "a1".repeat(32);
        let case = Case::default().with(&format!("saved/{id}/layer.tar"), "");
        let outcome = case.with("saved/repositories", "{}").read("archive.image");
        let what = "images without manifest.json or index.json, as engines before 1.10 save them";
        assert_eq!(outcome.issues, [format!("case:/saved/{id}/layer.tar: {what} (unsupported)")]);
    }

    #[test]
    fn an_image_is_written_into_a_directory_when_its_list_is() {
        let config = r#"{"os":"linux","rootfs":{},"history":[{"created_by":"RUN ls"}]}"#;
        let list = r#"[{"Config":"c.json","RepoTags":["web:1"],"Layers":[]}]"#;
        let written = |time: &str| {
            let case = Case::default().with("c.json", config).at(time, "manifest.json", list);
            case.read("archive.image")
        };
        let outcome = written("2026-03-01T10:00:00Z");
        let event = outcome.only("save");
        assert_eq!(event["datetime_ns"], "2026-03-01T10:00:00.000000000Z");
        assert_eq!(event["time_confidence"], "filesystem");
        assert_eq!(event["history_without_time"][0], "build step: RUN ls");
        assert_eq!(event["tag"], serde_json::Value::Null);
        assert!(written("1970-01-01T00:00:00Z").events.is_empty());
    }
}
