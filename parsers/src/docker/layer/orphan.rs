//! Events of what is left of something that is gone.

use super::registered::plural;
use super::{DIRECTORY, DISTRIBUTION, LAYER, Store, WRITABLE};
use crate::container_id::is_id;
use crate::formats::json;
use crate::formats::layer_store::LayerFiles;
use crate::{ArtifactFile, ChainId, DiffId, Digest};
use dockline_evidence::{EvidenceError, FileKind, TreePath};
use dockline_timeline::{Confidence, Event, Findings, Instant, Kind, Meaning, Origin, Subject};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What is left, and what is concluded from it.
struct Trace<'a> {
    origin: &'a Origin,
    kind: &'static Kind,
    subject: Subject,
    layer: Option<&'a Digest>,
    /// The conclusion, in words.
    text: String,
    /// When what is left was made.
    made: Option<Instant>,
    /// The directory that last changed when the rest went, or later.
    held_in: Option<TreePath>,
}

impl Store<'_> {
    pub(super) fn orphans(&self, findings: &mut dyn Findings) {
        self.mounts_without_container(findings);
        self.containers_without_mount(findings);
        self.unfinished_removals(findings);
        if self.images_are_known() {
            self.layers_without_image(findings);
            self.transfers_without_image(findings);
        }
        self.directories_of_nobody(findings);
    }

    /// Whether the evidence has the images of the store: if not, nothing is known of any.
    pub(super) fn images_are_known(&self) -> bool {
        self.is_directory(self.base(b"imagedb/content/sha256").as_ref())
    }

    fn base(&self, below: &[u8]) -> Option<TreePath> {
        self.id.base.below(below)
    }

    fn containers(&self) -> Option<TreePath> {
        self.id.root.join(b"containers")
    }

    fn is_directory(&self, path: Option<&TreePath>) -> bool {
        let metadata = path.and_then(|path| self.artifact.tree.metadata(path).ok());
        metadata.is_some_and(|metadata| metadata.kind == FileKind::Directory)
    }

    fn is_gone(&self, path: &TreePath) -> bool {
        matches!(self.artifact.tree.metadata(path), Err(EvidenceError::NotFound))
    }

    /// When a node was last written, as far as the evidence tells.
    pub(super) fn last_change(&self, directory: Option<&TreePath>) -> Option<Instant> {
        self.artifact.tree.metadata(directory?).ok()?.modified
    }

    fn tell(&self, trace: &Trace<'_>, findings: &mut dyn Findings) {
        let latest = self.last_change(trace.held_in.as_ref());
        let name = trace.held_in.as_ref().map(ToString::to_string).unwrap_or_default();
        let (instant, when) = match (latest, trace.made) {
            (Some(latest), made) if made.is_none_or(|made| made <= latest) => {
                (latest, format!("at this time, the last change of {name}, or before"))
            }
            (_, Some(made)) => {
                (made, "some time after this, when what is left was made".to_owned())
            }
            _ => return,
        };
        let text = format!("{}; {when}", trace.text);
        let at = (instant, Meaning::Deletion);
        let mut event = Event::new(trace.origin, trace.kind, &trace.subject, at);
        event.confidence = Confidence::Inferred;
        event.action = "delete";
        event.text = (&text).into();
        event.layer_identifier = trace.layer.map(Digest::as_str);
        event.tags.push(Cow::from("orphan"));
        self.inventory.mark_removed(&mut event);
        self.add_driver(&mut event);
        findings.event(&event);
    }

    fn mounts_without_container(&self, findings: &mut dyn Findings) {
        let Some(containers) = self.containers().filter(|path| self.is_directory(Some(path)))
        else {
            return;
        };
        for (container, mount) in &self.files.mounts {
            let gone =
                containers.join(container.as_bytes()).is_some_and(|path| self.is_gone(&path));
            let Some(file) = mount.file.filter(|_| gone) else { continue };
            let trace = Trace {
                origin: &file.origin,
                kind: &WRITABLE,
                subject: self.inventory.container_subject(container),
                layer: mount.parent.as_ref().map(|chain| &chain.0),
                text: "container removed: its writable layer is left, its directory is not"
                    .to_owned(),
                made: self.modified(file, findings),
                held_in: Some(containers.clone()),
            };
            self.tell(&trace, findings);
        }
    }

    /// A removal takes the writable layer first and the container's directory last.
    fn containers_without_mount(&self, findings: &mut dyn Findings) {
        let mounts = self.base(b"layerdb/mounts");
        if !self.is_directory(mounts.as_ref()) {
            return;
        }
        let Some(containers) = self.containers() else { return };
        for entry in self.artifact.tree.list(&containers).unwrap_or_default() {
            let Ok(id) = String::from_utf8(entry.name) else { continue };
            let known = !is_id(id.as_bytes()) || self.files.mounts.contains_key(id.as_str());
            let Some(path) = containers.join(id.as_bytes()).filter(|_| !known) else { continue };
            if self.driver_of(&path).as_deref() != Some(self.id.driver.as_str()) {
                continue;
            }
            let Some(first) = self.artifact.files.first() else { continue };
            let origin = first.origin_of(&path);
            let trace = Trace {
                origin: &origin,
                kind: &WRITABLE,
                subject: self.inventory.container_subject(&id),
                layer: None,
                text:
                    "removal of the container begun and not finished: its writable layer is gone, \
                       its directory is left"
                        .to_owned(),
                made: self.last_change(path.join(b"config.v2.json").as_ref()),
                held_in: mounts.clone(),
            };
            self.tell(&trace, findings);
        }
    }

    /// The storage driver of a container: only its own store can miss its writable layer.
    fn driver_of(&self, container: &TreePath) -> Option<String> {
        let bytes = self.artifact.read_beside(&container.join(b"config.v2.json")?)?;
        let document = json::read(&bytes).ok()?;
        document.value.get("Driver")?.as_str().map(str::to_owned)
    }

    fn unfinished_removals(&self, findings: &mut dyn Findings) {
        for (name, layer) in &self.files.removing {
            let Some(file) = layer.file else { continue };
            let chain = name.get(..64).and_then(Digest::from_hex);
            let shown = name.get(..12).unwrap_or(name);
            let renamed =
                file.path.parent().and_then(|path| self.artifact.tree.metadata(&path).ok());
            let trace = Trace {
                origin: &file.origin,
                kind: &LAYER,
                subject: Subject::UNKNOWN,
                layer: chain.as_ref(),
                text: format!("removal of layer {shown} begun and not finished"),
                made: renamed
                    .and_then(|metadata| metadata.changed)
                    .or_else(|| self.modified(file, findings)),
                held_in: self.base(b"layerdb/sha256"),
            };
            self.tell(&trace, findings);
        }
    }

    fn layers_without_image(&self, findings: &mut dyn Findings) {
        for (chain, layer) in &self.files.layers {
            if !self.standing.images.contains_key(chain) {
                self.layer_without_image(chain, layer, findings);
            }
        }
    }

    fn layer_without_image(
        &self,
        chain: &ChainId,
        layer: &LayerFiles<'_>,
        findings: &mut dyn Findings,
    ) {
        let Some(file) = layer.file else { return };
        let containers = self.standing.containers.get(chain).map_or(0, |ids| ids.count);
        let containers = plural(containers, "container");
        let text = format!(
            "no readable image holds layer {}, under {containers}: its image was removed, or a \
             pull or build did not finish, or BuildKit keeps it",
            chain.0.short()
        );
        let trace = Trace {
            origin: &file.origin,
            kind: &LAYER,
            subject: Subject::UNKNOWN,
            layer: Some(&chain.0),
            text,
            made: self.modified(file, findings),
            held_in: self.base(b"imagedb/content/sha256"),
        };
        self.tell(&trace, findings);
    }

    /// `docker rmi` and `docker system prune` leave these files.
    fn transfers_without_image(&self, findings: &mut dyn Findings) {
        let mut told: BTreeSet<&DiffId> = BTreeSet::new();
        let sources = self.files.sources.iter().map(|(file, diff)| (*file, diff));
        let blobs =
            self.files.blobs.iter().filter_map(|(file, _, diff)| Some((*file, diff.as_ref()?)));
        for (file, diff) in sources.chain(blobs) {
            if !self.standing.holders.contains_key(diff) && told.insert(diff) {
                self.transfer_without_image(file, diff, findings);
            }
        }
    }

    fn transfer_without_image(
        &self,
        file: &ArtifactFile,
        diff: &DiffId,
        findings: &mut dyn Findings,
    ) {
        let sources = self.sources.get(diff).map(Vec::as_slice).unwrap_or_default();
        let of = match sources {
            [] => String::new(),
            sources => format!(" ({})", sources.join(", ")),
        };
        let trace = Trace {
            origin: &file.origin,
            kind: &DISTRIBUTION,
            subject: Subject::UNKNOWN,
            layer: None,
            text: format!(
                "no readable image holds layer {}{of} any more: its image was removed, or the pull \
                 did not finish",
                diff.0.short()
            ),
            made: self.modified(file, findings),
            held_in: self.base(b"imagedb/content/sha256"),
        };
        self.tell(&trace, findings);
    }

    fn directories_of_nobody(&self, findings: &mut dyn Findings) {
        let layers = self.base(b"layerdb/sha256");
        if !self.is_directory(layers.as_ref()) {
            return;
        }
        let candidates = [layers, self.base(b"layerdb/mounts")];
        let latest =
            candidates.into_iter().flatten().max_by_key(|path| self.last_change(Some(path)));
        for (name, directory) in &self.files.directories {
            let file = directory.link_file.or(directory.lower_file).or(directory.committed_file);
            let nobody = self.standing.owner(name) == super::standing::Owner::Nobody;
            let Some(file) = file.filter(|_| nobody) else { continue };
            let trace = Trace {
                origin: &file.origin,
                kind: &DIRECTORY,
                subject: Subject::UNKNOWN,
                layer: None,
                text: format!(
                    "directory {name} is of no layer and no container: left by a removal, or by a \
                     pull or a start that did not finish"
                ),
                made: self.modified(file, findings),
                held_in: latest.clone(),
            };
            self.tell(&trace, findings);
        }
    }
}
