//! `dockline diff`: `docker diff` from a dead disk, and one image against another.
//!
//! Which names are listed, and with which letter, stands in `changes/docker_diff.rs` of the parsers.

mod images;
mod print;

use crate::arguments::DiffArguments;
use crate::request::{WrongUsage, is_container, nested};
use crate::sources::Sources;
use crate::{Ending, console, summary};
use anyhow::bail;
use dockline_evidence::{Opening, Spool, TreePath};
use dockline_parsers::changes::docker_diff::{of_container, of_images};
use dockline_parsers::changes::{MARKS_ARE_MISSING, Problem, Unknown};
use dockline_parsers::inventory::WritableLayer;
use dockline_parsers::plan::{Layers, Planned, Reading};
use dockline_parsers::{ArtifactFile, Parser, Plan, plan};
use dockline_timeline::{Issue, IssueKind, Position, Subject};
use images::Chosen;
use print::Shown;
use std::collections::BTreeSet;

/// The parsers that claim what layers lie in.
const LAYERS: [&str; 4] = ["files.upper", "docker.layer", "containerd.snapshots", "podman.storage"];
/// Digits of an id that are shown.
const SHORT_ID: usize = 12;

/// A container whose writable layer is in the evidence.
struct Container<'a> {
    subject: Subject,
    layer: &'a WritableLayer,
    /// The directory of the layer.
    file: &'a ArtifactFile,
}

/// Prints what a container changed, what differs between two images, or which containers there are.
pub(crate) fn run(arguments: &DiffArguments) -> anyhow::Result<Ending> {
    let (evidence, wanted) = images::evidence_and_images(arguments)?;
    let opening = Opening { spool: Spool::new(arguments.temp_dir.clone()), verify: false };
    let sources = Sources::open(&evidence, &opening);
    if sources.subtrees.is_empty() {
        bail!("none of the evidence could be read\n{}", summary::issues(&sources.issues, 0, true));
    }
    let (nested, layers) = (nested(arguments.nested), Layers::None);
    let reading = Reading { opening, nested, layers, ..Reading::default() };
    let only_layers = |parser: &Parser| LAYERS.contains(&parser.name);
    let plan = plan(&sources.subtrees, &only_layers, &reading);
    let mut said = Said {
        issues: sources.issues.iter().chain(&plan.issues).cloned().collect(),
        notes: Vec::new(),
    };
    match (&arguments.container, &wanted) {
        (Some(name), _) => print_container(arguments, (name, &containers(&plan)), &mut said)?,
        (None, Some(wanted)) => {
            let chosen = images::chosen(wanted, &images::all(&plan))?;
            print_images(arguments, &chosen, &mut said)?;
        }
        (None, None) => {
            let containers = containers(&plan);
            if arguments.json {
                let list = print::list_as_json(&containers, &said.issues);
                console::print_lines(std::iter::once(list))?;
            } else {
                console::print_lines(print::list(&containers))?;
            }
            said.notes.extend(images::advice(arguments));
        }
    }
    Ok(said.ending(arguments))
}

/// What is said beside the differences.
struct Said {
    issues: Vec<Issue>,
    /// What nobody need mend.
    notes: Vec<String>,
}

impl Said {
    /// JSON has it all already.
    fn ending(&self, arguments: &DiffArguments) -> Ending {
        if !arguments.json {
            if !self.issues.is_empty() {
                console::say(&summary::issues(&self.issues, 0, true).trim_end());
            }
            self.notes.iter().for_each(console::say);
        }
        if self.issues.is_empty() { Ending::Done } else { Ending::Partial }
    }
}

fn print_container(
    arguments: &DiffArguments,
    (name, containers): (&str, &[Container<'_>]),
    said: &mut Said,
) -> anyhow::Result<()> {
    let container = chosen(name, containers)?;
    let (differences, unknown) = of_container(container.layer);
    said.issues.extend(container.issues(&unknown));
    print(arguments, &Shown::of_container(container, (&differences, &said.issues)))
}

fn print_images(
    arguments: &DiffArguments,
    chosen: &[Chosen<'_>; 2],
    said: &mut Said,
) -> anyhow::Result<()> {
    let [first, second] = chosen.each_ref().map(|chosen| &chosen.files);
    let (differences, problems) = of_images(first, second);
    let mut told = BTreeSet::new();
    for (chosen, problems) in chosen.iter().zip(&problems) {
        let unread = problems.iter().map(|problem| issue(chosen.image.file, problem));
        // Images share layers.
        let new = chosen.issues().chain(unread).filter(|issue| told.insert(issue.to_string()));
        said.issues.extend(new);
    }
    said.notes.extend(images::notes(chosen));
    print(arguments, &Shown::of_images(chosen, (&differences, &said.issues)))
}

fn print(arguments: &DiffArguments, shown: &Shown<'_>) -> anyhow::Result<()> {
    match (arguments.json, arguments.long) {
        (true, _) => console::print_lines(shown.json()),
        (_, true) => console::print_lines(shown.table()),
        _ => console::print_lines(shown.plain()),
    }
}

/// `evidence:path` of another node of a file's tree.
fn place(file: &ArtifactFile, path: &TreePath) -> String {
    let origin = file.origin_of(path);
    format!("{}:{}", origin.evidence, origin.path)
}

fn issue(file: &ArtifactFile, (path, error): &Problem) -> Issue {
    let place = file.origin_of(path).at(Position::File);
    Issue::new(error.issue_kind(), place, error.to_string())
}

/// Those whose writable layer is in the evidence, in the order of (host, evidence, path).
fn containers(plan: &Plan) -> Vec<Container<'_>> {
    let mut containers = Vec::new();
    for Planned { artifact, inventory, .. } in &plan.planned {
        let Some(file) = artifact.files.first() else { continue };
        let Some(layer) = inventory.writable_layers.at(&artifact.tree, &file.path) else {
            continue;
        };
        let id = layer.container.as_ref();
        let subject = id.map_or(Subject::UNKNOWN, |id| inventory.container_subject(id.as_str()));
        containers.push(Container { subject, layer, file });
    }
    containers
}

/// The container that is meant.
fn chosen<'a>(wanted: &str, containers: &'a [Container<'a>]) -> anyhow::Result<&'a Container<'a>> {
    let found: Vec<&Container<'_>> =
        containers.iter().filter(|container| container.is(wanted)).collect();
    let names = |containers: &[&Container<'_>]| {
        let names: Vec<String> = containers.iter().map(|container| container.in_words()).collect();
        names.join(", ")
    };
    let sentence = match found.as_slice() {
        [container] => return Ok(container),
        _ if containers.is_empty() => {
            "no writable layer of a container is in the evidence".to_owned()
        }
        [] => {
            let all: Vec<&Container<'_>> = containers.iter().collect();
            format!("no container is called {wanted}; there are {}", names(&all))
        }
        several => format!(
            "several containers are called {wanted}, name one by its id, or give less evidence: {}",
            names(several)
        ),
    };
    Err(WrongUsage(sentence).into())
}

impl Container<'_> {
    /// Whether this one is meant; of one that has no name left, the name of its directory counts.
    fn is(&self, wanted: &str) -> bool {
        let name = self.subject.container_name.as_deref().unwrap_or_default();
        let id = self.subject.container_identifier.as_deref();
        is_container(wanted, (name, id.unwrap_or_else(|| self.directory())))
    }

    /// The name of its layer's directory, where the driver gives names.
    fn directory(&self) -> &str {
        let components = self.file.path.components().rev();
        let mut names = components.filter_map(|name| std::str::from_utf8(name).ok());
        names.find(|name| name.len() >= SHORT_ID).unwrap_or_default()
    }

    /// Its id, or the name of its layer's directory.
    fn short_id(&self) -> &str {
        let id = self.subject.container_identifier.as_deref().unwrap_or_else(|| self.directory());
        id.get(..SHORT_ID).unwrap_or(id)
    }

    fn in_words(&self) -> String {
        let name = self.subject.container_name.as_deref().unwrap_or("unnamed");
        format!("{name} ({} on {})", self.short_id(), self.file.origin.host)
    }

    /// What could not be known. Without the layers below nothing can be said of what was there.
    fn issues(&self, unknown: &Unknown) -> Vec<Issue> {
        let is_missing = self.layer.below.is_empty() && self.subject.image_identifier.is_some();
        let missing = "the layers below are not in the evidence: all shows as added";
        let words = [(is_missing, missing), (unknown.marks_are_missing, MARKS_ARE_MISSING)];
        let words = words.iter().filter(|(is_so, _)| *is_so);
        let words =
            words.map(|(_, what)| self.file.issue(IssueKind::Unreadable, Position::File, *what));
        unknown.problems.iter().map(|problem| issue(self.file, problem)).chain(words).collect()
    }
}
