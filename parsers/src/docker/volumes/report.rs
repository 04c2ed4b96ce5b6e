//! Events of a volume.

use super::VOLUME;
use super::volume::Volume;
use crate::formats::attributes::Attributes;
use crate::formats::compose;
use crate::{Artifact, ArtifactFile};
use dockline_evidence::Metadata;
use dockline_timeline::{Confidence, Event, Findings, Instant, Meaning, Position, Subject};
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(super) struct Report<'a> {
    pub(super) artifact: &'a Artifact,
    /// The database, else one of the files that were read.
    pub(super) file: &'a ArtifactFile,
    /// When the database was last written.
    pub(super) modified: Option<Instant>,
    /// Which containers mount which volume; `None` when that cannot be known.
    pub(super) uses: Option<&'a BTreeMap<String, Vec<String>>>,
}

impl Report<'_> {
    pub(super) fn volume(&self, name: &str, volume: &Volume, findings: &mut dyn Findings) {
        let directory = self.metadata(&["volumes", name]);
        let made = directory.as_ref().and_then(when_made);
        let words = volume.in_words();
        let (when, text) = match (made, self.modified) {
            (Some((made, from)), _) => {
                ((made, Meaning::Creation), format!("volume {name} created{words}; {from}"))
            }
            (None, Some(modified)) => {
                let why = undated(volume, directory.is_some());
                ((modified, Meaning::ContentModification), format!("volume {name}{words}; {why}"))
            }
            (None, None) => return,
        };
        let mut event = self.event((name, volume), when);
        event.action = if made.is_some() { "create" } else { "volume" };
        event.text = (&text).into();
        event.labels = &volume.labels;
        event.attributes.extend(volume.describe());
        event.attributes.extend(compose::attributes(&volume.labels));
        let mut all = Attributes::default();
        let users = self.uses.and_then(|uses| uses.get(name));
        all.list("mounted_by", users.cloned().unwrap_or_default());
        all.flag("anonymous", volume.is_anonymous(name));
        event.attributes.extend(all.into_vec());
        findings.event(&event);
        self.content(name, volume, findings);
    }

    /// The top directory of the volume's content.
    fn content(&self, name: &str, volume: &Volume, findings: &mut dyn Findings) {
        let metadata = self.metadata(&["volumes", name, "_data"]);
        let Some(modified) = metadata.and_then(|metadata| metadata.modified) else { return };
        let mut event = self.event((name, volume), (modified, Meaning::ContentModification));
        event.action = "write";
        let text =
            format!("an entry of the top directory of volume {name} was last made or removed");
        event.text = (&text).into();
        findings.event(&event);
    }

    /// What every event of a volume has.
    fn event<'e>(
        &'e self,
        (name, volume): (&'e str, &Volume),
        when: (Instant, Meaning),
    ) -> Event<'e> {
        let mut event = Event::new(&self.file.origin, &VOLUME, &Subject::UNKNOWN, when);
        event.position = volume.offset.map_or(Position::File, Position::Offset);
        event.confidence = Confidence::Filesystem;
        event.volume_name = Some(name);
        let mut tag = |name: &'static str, holds: bool| {
            event.tags.extend(holds.then_some(Cow::Borrowed(name)));
        };
        tag("possible-secret", !volume.secrets().is_empty());
        tag("recovered", volume.recovered_from.is_some());
        let unused = self.uses.is_some_and(|uses| !uses.contains_key(name));
        tag("volume-without-container", unused && volume.recovered_from.is_none());
        event
    }

    fn metadata(&self, path: &[&str]) -> Option<Metadata> {
        let mut at = self.artifact.root.clone();
        for name in path {
            at = at.join(name.as_bytes())?;
        }
        self.artifact.tree.metadata(&at).ok()
    }
}

/// When a volume's directory was made, and how that is known. A copy of the evidence is born later
/// than its time of writing, which it was given.
fn when_made(metadata: &Metadata) -> Option<(Instant, &'static str)> {
    let modified = metadata.modified.map(|at| {
        (at, "its directory was last written now, which the engine does when it makes it")
    });
    let born = metadata.born.map(|at| (at, "its directory was made now"));
    match (born, modified) {
        (Some(born), Some(modified)) => Some(if born.0 <= modified.0 { born } else { modified }),
        (born, modified) => born.or(modified),
    }
}

/// Why the time of the database is all that dates a volume.
fn undated(volume: &Volume, has_directory: bool) -> &'static str {
    if volume.recovered_from.is_some() {
        return "found in an unused page of the volume store, which was last written now";
    }
    match has_directory {
        true => "its directory has no times here; the volume store was last written now",
        false => "it has no directory here; the volume store was last written now",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use dockline_evidence::{FileKind, MemoryTree, Tree, TreePath};

    #[test]
    fn a_volume_and_its_content_have_the_times_of_their_directories() {
        let opts = r#"{"MountType":"nfs","MountOpts":"addr=10.0.0.1","MountDevice":":/x"}"#;
        let found = Case::default()
            .at("2026-01-02T00:00:00Z", "d/volumes/v/", "")
            .at("2026-01-05T00:00:00Z", "d/volumes/v/_data/", "")
            .with("d/volumes/v/opts.json", opts)
            .read("docker.volumes");
        let (made, written) = (found.only("create"), found.only("write"));
        assert_eq!(made["datetime_ns"], "2026-01-02T00:00:00.000000000Z");
        assert_eq!(made["timestamp_desc"], "Creation Time");
        assert_eq!(
            made["message"],
            "volume v created, with type=nfs, device=:/x; its directory was last written now, \
             which the engine does when it makes it"
        );
        assert_eq!(written["datetime_ns"], "2026-01-05T00:00:00.000000000Z");
    }

    #[test]
    fn the_birth_of_a_directory_counts_unless_it_is_a_copy() {
        let tree = MemoryTree::new().with_node("v", FileKind::Directory, b"");
        let metadata = tree.metadata(&TreePath::parse(b"v").unwrap()).unwrap();
        let at = |seconds: i64| Instant::new(seconds, 0);
        let made = |born: Option<Instant>, modified: Option<Instant>| {
            when_made(&Metadata { born, modified, ..metadata.clone() }).map(|(at, _)| at.seconds())
        };
        assert_eq!(made(at(1), at(2)), Some(1));
        assert_eq!(made(at(3), at(2)), Some(2));
        assert_eq!(made(None, at(2)), Some(2));
        assert_eq!(made(at(3), None), Some(3));
        assert_eq!(made(None, None), None);
    }
}
