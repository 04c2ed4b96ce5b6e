//! `dockline diff`: `docker diff` from a dead disk.
//!
//! Which names are listed, and with which letter, stands in `changes/docker_diff.rs` of the parsers.

mod print;

use crate::arguments::DiffArguments;
use crate::request::{EvidenceArgument, WrongUsage, is_container, nested, one_evidence};
use crate::sources::Sources;
use crate::{Ending, console, summary};
use anyhow::bail;
use dockline_evidence::{Opening, Spool, TreePath};
use dockline_parsers::changes::docker_diff::of_container;
use dockline_parsers::changes::{MARKS_ARE_MISSING, Problem, Unknown};
use dockline_parsers::inventory::WritableLayer;
use dockline_parsers::plan::{Layers, Planned, Reading};
use dockline_parsers::{ArtifactFile, Parser, Plan, plan};
use dockline_timeline::{Issue, IssueKind, Position, Subject};
use print::Shown;

/// The parser that claims writable layers.
const LAYERS: &str = "files.upper";
/// Digits of an id that are shown.
const SHORT_ID: usize = 12;

/// A container whose writable layer is in the evidence.
struct Container<'a> {
    subject: Subject,
    layer: &'a WritableLayer,
    /// The directory of the layer.
    file: &'a ArtifactFile,
}

/// Prints what a container changed, or which containers there are.
pub(crate) fn run(arguments: &DiffArguments) -> anyhow::Result<Ending> {
    let evidence: Vec<EvidenceArgument> =
        arguments.evidence.iter().map(|text| one_evidence(text)).collect::<anyhow::Result<_>>()?;
    let opening = Opening { spool: Spool::new(arguments.temp_dir.clone()), verify: false };
    let sources = Sources::open(&evidence, &opening);
    if sources.subtrees.is_empty() {
        bail!("none of the evidence could be read\n{}", summary::issues(&sources.issues, 0, true));
    }
    let (nested, layers) = (nested(arguments.nested), Layers::None);
    let reading = Reading { opening, nested, layers, ..Reading::default() };
    let only_layers = |parser: &Parser| parser.name == LAYERS;
    let plan = plan(&sources.subtrees, &only_layers, &reading);
    let mut issues: Vec<Issue> = sources.issues.iter().chain(&plan.issues).cloned().collect();
    let containers: Vec<Container<'_>> = containers(&plan);
    match &arguments.container {
        None if arguments.json => {
            console::print_lines(std::iter::once(print::list_as_json(&containers, &issues)))?;
        }
        None => console::print_lines(print::list(&containers))?,
        Some(wanted) => {
            let container = chosen(wanted, &containers)?;
            let (differences, unknown) = of_container(container.layer);
            issues.extend(container.issues(&unknown));
            let shown = Shown { container, differences: &differences, issues: &issues };
            match (arguments.json, arguments.long) {
                (true, _) => console::print_lines(shown.json())?,
                (_, true) => console::print_lines(shown.table())?,
                _ => console::print_lines(shown.plain())?,
            }
        }
    }
    if issues.is_empty() {
        return Ok(Ending::Done);
    }
    if !arguments.json {
        console::say(&summary::issues(&issues, 0, true).trim_end());
    }
    Ok(Ending::Partial)
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

    /// `evidence:path`
    fn place(&self, path: &TreePath) -> String {
        let origin = self.file.origin_of(path);
        format!("{}:{}", origin.evidence, origin.path)
    }

    fn issue(&self, (path, error): &Problem) -> Issue {
        let place = self.file.origin_of(path).at(Position::File);
        Issue::new(error.issue_kind(), place, error.to_string())
    }

    /// What could not be known. Without the layers below nothing can be said of what was there.
    fn issues(&self, unknown: &Unknown) -> Vec<Issue> {
        let is_missing = self.layer.below.is_empty() && self.subject.image_identifier.is_some();
        let missing = "the layers below are not in the evidence: all shows as added";
        let words = [(is_missing, missing), (unknown.marks_are_missing, MARKS_ARE_MISSING)];
        let words = words.iter().filter(|(is_so, _)| *is_so);
        let words =
            words.map(|(_, what)| self.file.issue(IssueKind::Unreadable, Position::File, *what));
        unknown.problems.iter().map(|problem| self.issue(problem)).chain(words).collect()
    }
}
