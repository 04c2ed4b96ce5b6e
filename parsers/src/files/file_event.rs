//! The events of one file, whoever holds it: a container, a volume or a layer of an image.

use crate::changes::DeletedAt;
use crate::formats::file_mode::mode_as_string;
use dockline_evidence::{FileKind, Metadata};
use dockline_timeline::{
    Confidence, Event, FileTimes, Findings, Instant, Issue, IssueKind, Kind, Meaning, Origin,
    Position, Subject, Telling, Value,
};
use std::borrow::Cow;

/// A file of a volume, or of a directory of the host that is mounted like one.
#[derive(Clone, Copy, Debug)]
pub struct OfVolume<'a> {
    /// Name of the volume; of a directory of the host, its path there.
    pub name: &'a str,
    /// The file as containers see it: `web:/data/table.db`.
    pub seen_at: &'a [String],
}

/// What is told of one file.
pub struct FileEvent<'a> {
    /// The node in the evidence that says so.
    pub origin: &'a Origin,
    /// Where in that node: several names may be hidden by one.
    pub position: Position<'a>,
    /// Of which kind the event is.
    pub kind: &'a Kind,
    /// Whose file it is.
    pub subject: &'a Subject,
    /// `add`, `modify`, `delete`.
    pub action: &'a str,
    /// What happened, for a person.
    pub text: &'a str,
    /// The path, as who owns it sees it.
    pub path: &'a str,
    /// What is known of it; of what is gone, as it was.
    pub metadata: &'a Metadata,
    /// Where a symbolic link points to.
    pub link_target: Option<&'a str>,
    /// The layer that holds what was before.
    pub layer: Option<&'a str>,
    /// The volume that it lies in.
    pub volume: Option<OfVolume<'a>>,
    /// SHA-256 of the content, where it was asked for.
    pub sha256: Option<&'a str>,
    /// Tags.
    pub tags: &'a [&'static str],
}

/// The times of a node.
#[must_use]
pub fn times_of(metadata: &Metadata) -> FileTimes {
    let Metadata { modified, accessed, changed, born, .. } = *metadata;
    FileTimes { modified, accessed, changed, born }
}

impl FileEvent<'_> {
    /// Tells the file at each of its times; an issue when it has none.
    pub fn tell(&self, findings: &mut dyn Findings) {
        let times = times_of(self.metadata);
        let Some(first) = times.moments().next() else {
            let what = format!("{}, at no time that the evidence knows", self.text);
            let place = self.origin.at(Position::File);
            return findings.issue(Issue::new(IssueKind::Unreadable, place, what).losing(1, 0));
        };
        let mode = self.metadata.mode.map(|mode| mode_as_string(self.metadata.kind, mode));
        let event = self.event((first.instant, first.meaning), mode.as_deref());
        findings.file(&event, &times);
    }

    /// Tells that the file was deleted; its own times, as far as they are known, stand with that.
    pub fn tell_deletion(&self, deleted: DeletedAt, findings: &mut dyn Findings) {
        let at = deleted.instant();
        let times = FileTimes { changed: Some(at), ..times_of(self.metadata) };
        let mode = self.metadata.mode.map(|mode| mode_as_string(self.metadata.kind, mode));
        let mut event = self.event((at, Meaning::Deletion), mode.as_deref());
        event.confidence = match deleted {
            DeletedAt::Exactly(_) => Confidence::Filesystem,
            DeletedAt::Between(..) | DeletedAt::AtLatest(_) => Confidence::Inferred,
        };
        event.telling = Telling::First(&times);
        findings.event(&event);
    }

    fn event<'e>(&'e self, at: (Instant, Meaning), mode: Option<&'e str>) -> Event<'e> {
        let metadata = self.metadata;
        let mut event = Event::new(self.origin, self.kind, self.subject, at);
        event.position = self.position.clone();
        event.confidence = Confidence::Filesystem;
        event.action = self.action;
        event.text = self.text.into();
        event.uid = metadata.uid;
        event.gid = metadata.gid;
        event.size = Some(metadata.size).filter(|_| metadata.kind == FileKind::Regular);
        event.inode = metadata.inode;
        event.filename = Some(self.path);
        event.mode_as_string = mode;
        event.layer_identifier = self.layer;
        event.volume_name = self.volume.map(|volume| volume.name);
        event.sha256_hash = self.sha256;
        event.tags.extend(self.tags.iter().copied().map(Cow::from));
        let text = |text: &'e str| Value::Text(Cow::from(text));
        event.attribute("link_target", self.link_target.map(text));
        let links = metadata.links.filter(|links| *links > 1 && metadata.kind == FileKind::Regular);
        let links = links.and_then(|links| i64::try_from(links).ok());
        event.attribute("hard_links", links.map(Value::Integer));
        let device = metadata.device.map(|device| format!("{}:{}", device.major, device.minor));
        let seen_at = self.volume.map(|volume| volume.seen_at).unwrap_or_default();
        let seen_at = seen_at.iter().map(|path| Cow::from(path.as_str())).collect::<Vec<_>>();
        event.attribute(
            "container_paths",
            Some(seen_at).filter(|list| !list.is_empty()).map(Value::List),
        );
        event.attribute("device_number", device.map(|device| Value::Text(device.into())));
        event
    }
}
