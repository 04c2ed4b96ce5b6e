//! Directories of tasks below containerd's root: `io.containerd.runtime.v2.task/<namespace>/<container>`.
//!
//! containerd makes one, empty, beside the bundle of each task (`containerd.task`) and removes it with
//! that. One that is there is of a container that ran when the host went down.

use super::{CONTAINER, Store};
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::{Confidence, Event, Findings, Meaning, Value};

/// So many tasks are told of one root.
const TASK_LIMIT: usize = 10_000;
const PLACES: [&[u8]; 2] = [b"io.containerd.runtime.v2.task", b"io.containerd.runtime.v1.linux"];

impl Store<'_> {
    /// Tells of each task that containerd had not cleaned up after.
    pub(super) fn tasks(&self, findings: &mut dyn Findings) {
        let places = PLACES.iter().filter_map(|place| self.artifact.root.join(place));
        let namespaces = places.flat_map(|place| self.directories(&place));
        let tasks = namespaces.flat_map(|(namespace, directory)| {
            let tasks = self.directories(&directory).into_iter();
            tasks.map(move |(id, path)| (namespace.clone(), id, path))
        });
        for (namespace, id, path) in tasks.take(TASK_LIMIT) {
            let metadata = self.artifact.tree.metadata(&path).ok();
            let started = metadata.and_then(|metadata| metadata.born.or(metadata.modified));
            let Some(started) = started else { continue };
            let origin = self.file.origin_of(&path);
            let subject = self.inventory.container_subject(&id);
            let mut event = Event::new(&origin, &CONTAINER, &subject, (started, Meaning::Start));
            event.confidence = Confidence::Filesystem;
            event.action = "start";
            event.text = "directory of the container's task made: it was started, and ran when \
                          the host went down"
                .into();
            event.attribute("containerd_namespace", Some(Value::Text((&namespace).into())));
            self.inventory.mark_removed(&mut event);
            findings.event(&event);
        }
    }

    /// Names of the directories in a directory; whoever walks the tree tells what cannot be listed.
    fn directories(&self, path: &TreePath) -> Vec<(String, TreePath)> {
        let entries = self.artifact.tree.list(path).unwrap_or_default();
        let directories = entries.into_iter().filter(|entry| entry.kind == FileKind::Directory);
        directories
            .filter_map(|entry| {
                let below = path.join(&entry.name)?;
                Some((String::from_utf8(entry.name).ok()?, below))
            })
            .collect()
    }
}
