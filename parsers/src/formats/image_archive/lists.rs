//! What lists the images of an archive: `manifest.json`, `index.json`, `repositories`.

use super::{Blobs, Content, Reader, STEP_LIMIT};
use crate::Digest;
use crate::formats::containerd_db::shown_name;
use crate::formats::json::{Fields, Wrong};
use crate::formats::oci::{Descriptor, Document, Index, Manifest};
use dockline_evidence::TreePath;
use dockline_timeline::{IssueKind, Position};
use serde_json::Value;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// An image as it is listed.
#[derive(Debug)]
pub(super) struct Listed {
    /// The file of its configuration.
    pub(super) config: TreePath,
    pub(super) names: Vec<String>,
    pub(super) manifest: Option<Digest>,
    /// The base first.
    pub(super) layers: Vec<TreePath>,
}

impl Listed {
    /// A configuration that is in no list.
    pub(super) fn alone(config: TreePath) -> Listed {
        Listed { config, names: Vec::new(), manifest: None, layers: Vec::new() }
    }

    /// The directory of the uppermost layer: its id in the old layout.
    fn top(&self) -> Option<Vec<u8>> {
        Some(self.layers.last()?.parent()?.file_name()?.to_vec())
    }
}

/// Lists of one archive, joined: one entry an image, by the file of its configuration.
#[derive(Default)]
struct Joined(BTreeMap<TreePath, Listed>);

impl Joined {
    fn add(&mut self, listed: Listed) {
        match self.0.entry(listed.config.clone()) {
            Entry::Vacant(entry) => drop(entry.insert(listed)),
            Entry::Occupied(entry) => {
                let known = entry.into_mut();
                known.names.extend(listed.names);
                known.manifest = known.manifest.take().or(listed.manifest);
                if known.layers.is_empty() {
                    known.layers = listed.layers;
                }
            }
        }
    }
}

/// What the index leads to and has not been looked at: contents, and the names they have there.
#[derive(Default)]
struct Waiting {
    contents: Vec<(Digest, Rc<[String]>)>,
    seen: BTreeSet<(Digest, Rc<[String]>)>,
    steps: usize,
}

impl Waiting {
    /// Takes over the images of an index; `false` when there are too many.
    fn add(&mut self, index: &Index, names: Option<&Rc<[String]>>) -> bool {
        for entry in index.manifests.iter().rev().filter(|entry| !entry.is_attestation()) {
            self.steps = self.steps.saturating_add(1);
            if self.steps > STEP_LIMIT {
                return false;
            }
            let Some(digest) = entry.digest.clone() else { continue };
            let names = names.cloned().unwrap_or_else(|| names_of(entry).into());
            if self.seen.insert((digest.clone(), names.clone())) {
                self.contents.push((digest, names));
            }
        }
        true
    }
}

impl Reader<'_> {
    /// The images that the lists of the archive name.
    pub(super) fn lists(&mut self, blobs: &Blobs) -> Vec<Listed> {
        let mut joined = Joined::default();
        self.index(blobs, &mut joined);
        self.manifest_list(&mut joined);
        self.repositories(&mut joined);
        let mut listed: Vec<Listed> = joined.0.into_values().collect();
        for image in &mut listed {
            image.names.sort();
            image.names.dedup();
        }
        listed
    }

    /// `manifest.json`: `[{"Config":"<file>","RepoTags":["web:1"],"Layers":["<file>",…]}]`.
    fn manifest_list(&mut self, joined: &mut Joined) {
        let Some(file) = self.file(b"manifest.json") else { return };
        let Some(value) = self.json(&file) else { return };
        if !is_list_of_images(&value) && self.first.path == file.path {
            // Many a program calls a file so.
            return self.findings.unconcerned(&file.origin, 1);
        }
        let wrong = Wrong::default();
        for entry in Fields::of_list(&value, &wrong) {
            let path = |text: &str| self.artifact.root.below(text.as_bytes());
            let config = entry.text("Config").and_then(|text| path(&text));
            let layers: Option<Vec<TreePath>> =
                entry.texts("Layers").iter().map(|text| path(text)).collect();
            let (Some(config), Some(layers)) = (config, layers) else {
                let key = entry.path().to_owned();
                self.wrong(&file, Position::Key(&key), "names no files of this archive");
                continue;
            };
            let names = entry.texts("RepoTags").iter().map(|name| shown(name)).collect();
            joined.add(Listed { config, names, manifest: None, layers });
        }
        wrong.into_flaws().iter().for_each(|flaw| flaw.report(&file, self.findings));
    }

    /// `repositories`: `{"web":{"1":"<id of the uppermost layer>"}}`, as engines before 1.10 read it.
    fn repositories(&mut self, joined: &mut Joined) {
        let file = self.file(b"repositories").filter(|_| !joined.0.is_empty());
        let Some(file) = file else { return };
        let Some(value) = self.json(&file) else { return };
        let wrong = Wrong::default();
        let repositories = Fields::new(&value, &wrong);
        let mut images: BTreeMap<Vec<u8>, &mut Listed> =
            joined.0.values_mut().filter_map(|image| Some((image.top()?, image))).collect();
        for (repository, tags) in repositories.members() {
            for tag in tags.keys() {
                let Some(id) = tags.text(&tag) else { continue };
                if let Some(image) = images.get_mut(id.as_bytes()) {
                    image.names.push(format!("{repository}:{tag}"));
                }
            }
        }
        wrong.into_flaws().iter().for_each(|flaw| flaw.report(&file, self.findings));
    }

    /// `index.json`, and the manifests and indexes that it leads to.
    fn index(&mut self, blobs: &Blobs, joined: &mut Joined) {
        let Some(file) = self.file(b"index.json") else { return };
        let Some(value) = self.json(&file) else { return };
        let wrong = Wrong::default();
        let document = Document::read(&value, &wrong);
        wrong.into_flaws().iter().for_each(|flaw| flaw.report(&file, self.findings));
        let Document::Index(index) = document else {
            return self.wrong(&file, Position::File, "is no index of images");
        };
        let mut waiting = Waiting::default();
        let mut is_whole = waiting.add(&index, None);
        while let Some((digest, names)) = waiting.contents.pop() {
            match blobs.get(&digest).map(|blob| &blob.content) {
                Some(Content::Index(index)) => is_whole &= waiting.add(index, Some(&names)),
                Some(Content::Manifest(manifest)) => {
                    self.manifest((&digest, manifest), &names, joined);
                }
                found => {
                    let what = if found.is_some() { "no manifest" } else { "not in the archive" };
                    let what = format!("{digest} is listed, and is {what}");
                    self.wrong(&file, Position::File, what);
                }
            }
        }
        if !is_whole {
            let what =
                format!("more than {STEP_LIMIT} manifests and indexes, the rest is not read");
            self.findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
        }
    }

    fn manifest(
        &self,
        (digest, manifest): (&Digest, &Manifest),
        names: &[String],
        joined: &mut Joined,
    ) {
        let path = |part: &Descriptor| {
            let digest = part.digest.as_ref()?;
            self.artifact.root.below(format!("blobs/sha256/{}", digest.hex()).as_bytes())
        };
        // An artifact that is no image has a configuration of another kind, or an empty one.
        let Some(config) = path(&manifest.config) else { return };
        let layers = manifest.layers.iter().filter_map(path).collect();
        let (names, manifest) = (names.to_vec(), Some(digest.clone()));
        joined.add(Listed { config, names, manifest, layers });
    }
}

fn is_list_of_images(value: &Value) -> bool {
    let first = value.as_array().map(|entries| entries.first());
    first.is_some_and(|first| first.is_none_or(|first| first.get("Layers").is_some()))
}

/// The names of an image in an index: whole, as containerd and Docker write them, or the tag alone.
fn names_of(entry: &Descriptor) -> Vec<String> {
    let value = |name: &str| {
        let mut pairs = entry.annotations.iter();
        pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let name = value("io.containerd.image.name").or(value("org.opencontainers.image.ref.name"));
    name.map(shown).into_iter().collect()
}

/// A name as Docker shows it.
fn shown(name: &str) -> String {
    shown_name(None, name).to_owned()
}
