//! Events of the storage driver's directories: when each was made, and when something was last put
//! on it.

use super::standing::Owner;
use super::{DIRECTORY, Store};
use crate::ArtifactFile;
use crate::formats::layer_store::DirectoryFiles;
use dockline_timeline::{
    Confidence, Event, Findings, IssueKind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

/// A directory that events are about.
struct Named<'a> {
    name: &'a str,
    owner: Owner<'a>,
    /// Whether those below it are the ones that should be.
    sound: bool,
}

impl Store<'_> {
    pub(super) fn directories(&self, findings: &mut dyn Findings) {
        for (name, directory) in &self.files.directories {
            let owner = self.standing.owner(name);
            let sound = self.lower_is_sound(directory, owner, findings);
            let named = Named { name, owner, sound };
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
        let told = told(named.owner, meaning);
        let mut event = Event::new(&file.origin, &DIRECTORY, &subject, (modified, meaning));
        event.confidence = Confidence::Filesystem;
        event.action = "create";
        event.text = &told;
        if let Owner::Layer(chain) = named.owner {
            event.layer_identifier = Some(chain.0.as_str());
        }
        if !named.sound {
            event.tags.push(Cow::from("lower-mismatch"));
        }
        self.add_driver(&mut event);
        event.attribute("layer_directory", Some(Value::Text(named.name.into())));
        findings.event(&event);
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
