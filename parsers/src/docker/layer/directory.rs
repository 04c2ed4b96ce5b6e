//! Events of the storage driver's directories: when each was made, and when something was last put
//! on it.
//!
//! The engine rewrites `committed` of a layer each time that it makes a directory on top of it, in
//! the same millisecond as the `link` of that one. A `committed` that no directory matches is the
//! time at which a container, an image's layer or a build step was made that is gone since.

use super::standing::Owner;
use super::{DIRECTORY, Store};
use crate::ArtifactFile;
use crate::formats::layer_store::DirectoryFiles;
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A directory that events are about.
struct Named<'a> {
    name: &'a str,
    owner: Owner<'a>,
    /// Whether those below it are the ones that should be.
    sound: bool,
    /// Whether what was put on it last is gone.
    last_is_gone: bool,
}

/// When directories were made, by the short name of the directory right below them.
type MadeOn<'a> = BTreeMap<&'a str, Vec<Instant>>;

impl Store<'_> {
    pub(super) fn directories(&self, findings: &mut dyn Findings) {
        let made_on = self.is_complete().then(|| self.made_on());
        for (name, directory) in &self.files.directories {
            let owner = self.standing.owner(name);
            let sound = self.lower_is_sound(directory, owner, findings);
            let is_layer = matches!(owner, Owner::Layer(_));
            let made_on = made_on.as_ref().filter(|_| is_layer);
            let last_is_gone = made_on.is_some_and(|made_on| self.last_is_gone(directory, made_on));
            let named = Named { name, owner, sound, last_is_gone };
            if let Some(file) = directory.link_file {
                self.of_directory(&named, (file, Meaning::Creation), findings);
            }
            if let Some(file) = directory.committed_file {
                self.of_directory(&named, (file, Meaning::Update), findings);
            }
        }
    }

    fn of_directory(
        &self,
        named: &Named<'_>,
        (file, meaning): (&ArtifactFile, Meaning),
        findings: &mut dyn Findings,
    ) {
        let Some(modified) = self.modified(file, findings) else { return };
        let subject = self.subject_of_directory(named.owner);
        let gone = named.last_is_gone && meaning == Meaning::Update;
        let told = if gone { told_of_gone(named.owner) } else { told(named.owner, meaning) };
        let mut event = Event::new(&file.origin, &DIRECTORY, &subject, (modified, meaning));
        event.confidence = if gone { Confidence::Inferred } else { Confidence::Filesystem };
        event.action = "create";
        event.text = (&told).into();
        if gone {
            event.tags.push(Cow::from("orphan"));
        }
        if let Owner::Layer(chain) = named.owner {
            event.layer_identifier = Some(chain.0.as_str());
        }
        if !named.sound {
            event.tags.push(Cow::from("lower-mismatch"));
        }
        self.add_driver(&mut event);
        event.attribute("layer_directory", Some(Value::Text(named.name.into())));
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    /// Whether every layer of the store has its directory in the evidence: if not, one that is not
    /// there may only not have been collected.
    fn is_complete(&self) -> bool {
        let layers = self.files.layers.values().map(|layer| layer.cache_id.as_deref());
        let mounts = self.files.mounts.values().map(|mount| mount.mount_id.as_deref());
        layers
            .chain(mounts)
            .all(|name| name.is_some_and(|name| self.files.directories.contains_key(name)))
    }

    fn made_on(&self) -> MadeOn<'_> {
        let mut made_on = MadeOn::new();
        for directory in self.files.directories.values() {
            let first = directory.lower.as_deref().and_then(|lower| lower.split(':').next());
            let below = first.and_then(|first| first.strip_prefix("l/"));
            let made = self.last_change(directory.link_file.map(|file| &file.path));
            if let (Some(below), Some(made)) = (below, made) {
                made_on.entry(below).or_default().push(made);
            }
        }
        made_on
    }

    fn last_is_gone(&self, directory: &DirectoryFiles<'_>, made_on: &MadeOn<'_>) -> bool {
        let last = self.last_change(directory.committed_file.map(|file| &file.path));
        let (Some(last), Some(link)) = (last, directory.link.as_deref()) else { return false };
        let made = made_on.get(link).map(Vec::as_slice).unwrap_or_default();
        // Some archives keep whole seconds only.
        !made.iter().any(|made| made.seconds().abs_diff(last.seconds()) <= 1)
    }

    fn subject_of_directory(&self, owner: Owner<'_>) -> Subject {
        match owner {
            Owner::Layer(chain) => self.subject_of(chain),
            Owner::Container(container) | Owner::Init(container) => {
                self.inventory.container_subject(container)
            }
            Owner::BuildKit | Owner::Nobody => Subject::UNKNOWN,
        }
    }

    /// Whether `lower` names the directories that `layerdb` puts below. The engine writes it once
    /// and mounts what it says: a change of it changes what a container sees.
    fn lower_is_sound(
        &self,
        directory: &DirectoryFiles<'_>,
        owner: Owner<'_>,
        findings: &mut dyn Findings,
    ) -> bool {
        let Some(expected) = self.expected_lower(owner) else { return true };
        if directory.lower.as_deref() == Some(expected.as_str()) {
            return true;
        }
        let Some(file) = directory.lower_file.or(directory.link_file) else { return true };
        let shown: String =
            directory.lower.as_deref().unwrap_or_default().chars().take(120).collect();
        let what = format!("lower is {shown:?}, and layerdb puts {expected:?} below");
        findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
        false
    }

    /// What `lower` must be: the short name of the directory below, and then that one's own `lower`;
    /// `None` when nothing tells what is below.
    fn expected_lower(&self, owner: Owner<'_>) -> Option<String> {
        let chain = |chain| Some(self.files.layers.get(chain)?.cache_id.as_deref());
        let mount = |container| self.files.mounts.get(container);
        let below = match owner {
            Owner::Layer(id) => chain(self.files.layers.get(id)?.parent.as_ref()?)?,
            Owner::Init(container) => chain(mount(container)?.parent.as_ref()?)?,
            Owner::Container(container) => mount(container)?.init_id.as_deref(),
            Owner::BuildKit | Owner::Nobody => None,
        };
        let below = self.files.directories.get(below?)?;
        let link = below.link.as_deref()?;
        Some(match &below.lower {
            Some(lower) => format!("l/{link}:{lower}"),
            None => format!("l/{link}"),
        })
    }
}

fn told_of_gone(owner: Owner<'_>) -> String {
    let Owner::Layer(chain) = owner else { return String::new() };
    format!(
        "something was put on layer {} that is gone since: a container, a layer of an image or a \
         step of a build, made now and removed later; no directory on this layer was made now",
        chain.0.short()
    )
}

fn told(owner: Owner<'_>, meaning: Meaning) -> String {
    let whose = match owner {
        Owner::Layer(chain) => format!("layer {}", chain.0.short()),
        Owner::Container(_) => "the container's writable layer".to_owned(),
        Owner::Init(_) => "the container's init layer".to_owned(),
        Owner::BuildKit => "a BuildKit snapshot".to_owned(),
        Owner::Nobody => "no known layer and no known container".to_owned(),
    };
    match (meaning, owner) {
        (Meaning::Creation, _) => format!("directory of {whose} made"),
        (_, Owner::Init(_)) => "the container's writable layer put on its init layer".to_owned(),
        _ => format!(
            "the last layer put on {whose}: of an image, or of a container, which may be gone since"
        ),
    }
}
