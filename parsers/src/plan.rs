//! The plan: one walk over each tree, and a job for each artifact that a parser claims.
//!
//! Data roots are found by content: a pattern matches the end of a path wherever it lies, and what
//! is above the match is the data root, be it `/var/lib/docker`, a `data-root` of `daemon.json`, a
//! snap, a rootless home, `<root>/<uid>.<gid>` of a remapped engine, or a copied folder.

mod data_root;
mod directories;
mod host;
mod inventories;
mod named_disks;
mod unclaimed;
mod virtual_disks;

pub use data_root::DataRoot;
pub use directories::Layers;
pub use unclaimed::Unclaimed;
pub use virtual_disks::{MAX_DEPTH, Nested};

use crate::pattern::Pattern;
use crate::pattern_set::PatternSet;
use crate::{Artifact, ArtifactFile, Asked, Gather, Inventory, Parser};
use dockline_evidence::walk::{Descend, walk};
use dockline_evidence::{FileKind, Opening, ReadAt, Source, Tree, TreePath, assemble, source};
use dockline_timeline::{Issue, IssueKind, Job, Origin, Place, Rank};
use inventories::{Claims, Inventories};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use virtual_disks::Candidate;

/// A tree to be planned, and what it is called.
#[derive(Clone)]
pub struct Subtree {
    /// Name of the evidence; of a disk in another evidence, with the way to it.
    pub evidence: Arc<str>,
    /// What stands before its paths, such as `/p4` for a partition.
    pub prefix: Arc<str>,
    /// Name of the host, when the user gave one.
    pub host: Option<Arc<str>>,
    /// Name of the host when neither the user nor the evidence gives one.
    pub fallback_host: Arc<str>,
    /// In how many disks inside other evidence it lies.
    pub depth: usize,
    /// The tree.
    pub tree: Arc<dyn Tree>,
}

impl Subtree {
    /// The trees of an opened evidence, on the named host or on one that the evidence names.
    #[must_use]
    pub fn of(source: &Source, host: Option<&str>, fallback_host: &str) -> Vec<Subtree> {
        let subtree = |tree: &source::SourceTree| Subtree {
            evidence: source.name.clone(),
            prefix: Arc::from(tree.prefix.as_str()),
            host: host.map(Arc::from),
            fallback_host: Arc::from(fallback_host),
            depth: 0,
            tree: tree.tree.clone(),
        };
        source.trees.iter().map(subtree).collect()
    }

    /// A path of its tree as it is shown.
    fn shown(&self, path: &TreePath) -> String {
        format!("{}{path}", self.prefix)
    }
}

/// How evidence is read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// How disks inside the evidence are opened, and where decompressed content goes.
    pub opening: Opening,
    /// Which of them.
    pub nested: Nested,
    /// Which layers of images are told file by file.
    pub layers: Layers,
    /// What is read beyond that.
    pub asked: Asked,
}

/// An artifact, the parser that claims it, and the inventory of its host.
pub struct Planned {
    /// The parser.
    pub parser: &'static Parser,
    /// The artifact.
    pub artifact: Arc<Artifact>,
    /// What ids mean on the host.
    pub inventory: Arc<Inventory>,
}

impl Planned {
    /// The work.
    #[must_use]
    pub fn job(&self) -> Job {
        let (parse, artifact) = (self.parser.parse, self.artifact.clone());
        let inventory = self.inventory.clone();
        Box::new(move |findings| parse(&artifact, &inventory, findings))
    }
}

/// What is to be done.
#[derive(Default)]
pub struct Plan {
    /// Artifacts in the order of (host, evidence, path).
    pub planned: Vec<Planned>,
    /// Files that look like an engine's and that no selected parser reads.
    pub unclaimed: Vec<Unclaimed>,
    /// What could not be walked or opened.
    pub issues: Vec<Issue>,
    /// The virtual disks that were found in the evidence and opened.
    pub nested: Vec<Source>,
}

impl Plan {
    /// The work, one job an artifact.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.planned.iter().map(Planned::job).collect()
    }
}

/// A file that a pattern claims, before it has its place in the order.
#[derive(Clone)]
struct ClaimedFile {
    parser: &'static Parser,
    path: TreePath,
    root: TreePath,
    captures: Vec<(&'static str, String)>,
    host: Arc<str>,
    subtree: usize,
}

/// Plans the reading of `subtrees`, and of the virtual disks in them, with those of [`crate::all`]
/// parsers that are `selected`.
///
/// The inventory is built from all parsers' claims, so that a selection does not cost names.
#[must_use]
pub fn plan(subtrees: &[Subtree], selected: &dyn Fn(&Parser) -> bool, reading: &Reading) -> Plan {
    let mut patterns = compiled();
    let mut known = unclaimed::Known::compile();
    let mut plan = Plan::default();
    let mut files = Vec::new();
    let mut subtrees = subtrees.to_vec();
    host::name_volumes(&mut subtrees);
    let mut named = named_disks::find(&subtrees);
    if reading.nested != Nested::Never {
        plan.unclaimed.append(&mut named.missing);
    }
    let mut index = 0_usize;
    while let Some(subtree) = subtrees.get(index).cloned() {
        let mut hosts = host::Hosts::new(&subtree);
        let mut disks = Vec::new();
        let mut stood_for = BTreeSet::new();
        let mut visit = |path: &TreePath, kind: FileKind| {
            if kind != FileKind::Regular {
                return;
            }
            if let Some(candidate) =
                reading.nested.candidate(path, || named.found.contains(&(index, path.clone())))
            {
                disks.push((path.clone(), candidate));
            }
            match patterns.first_match(path) {
                Some((parser, found))
                    if parser.gather == Gather::FirstOfRoot
                        && !stood_for.insert((parser.name, found.root.clone())) => {}
                Some((parser, found)) => files.push(ClaimedFile {
                    parser,
                    path: path.clone(),
                    host: hosts.of(&found.root),
                    root: found.root,
                    captures: found.captures,
                    subtree: index,
                }),
                None => plan.unclaimed.extend(known.explain(path, &subtree)),
            }
        };
        walk_subtree(&subtree, &mut visit, &mut plan.issues);
        for (path, candidate) in disks {
            let host = candidate.host(&path, &subtree, &mut hosts);
            subtrees.extend(plan.open_disk(&subtree, (&path, &candidate, host), reading));
        }
        plan.issues.append(&mut hosts.issues);
        index = index.saturating_add(1);
    }
    let gathered = gather(&subtrees, files.clone(), reading);
    let inventories = Inventories::build(&gathered, &subtrees, &reading.asked);
    drop(gathered);
    files.extend(directories::claim(&subtrees, &inventories));
    let (layers, left_out) = directories::claim_layers(&subtrees, &inventories, reading.layers);
    files.extend(layers);
    if selected(&crate::files::layer::PARSER) {
        plan.unclaimed.extend(left_out);
    }
    for (_, inventory) in inventories.all() {
        plan.issues.extend(directories::unsupported(inventory, selected));
        if selected(&crate::files::volume::PARSER) {
            plan.unclaimed.extend(Unclaimed::mounts_of(inventory));
        }
    }
    for (host, claims) in gather(&subtrees, files, reading) {
        plan.add_host((&host, claims), &inventories, selected);
    }
    plan
}

impl Plan {
    /// The trees of a virtual disk that lies in another, on the host if it is known.
    fn open_disk(
        &mut self,
        subtree: &Subtree,
        (path, candidate, host): (&TreePath, &Candidate, Option<Arc<str>>),
        reading: &Reading,
    ) -> Vec<Subtree> {
        let is = |form: fn(&dyn ReadAt) -> bool| {
            subtree.tree.open(path).is_ok_and(|bytes| form(&*bytes))
        };
        let is_one = match candidate {
            Candidate::Known => true,
            Candidate::InPlace | Candidate::Possible => is(source::is_disk),
            Candidate::Bundle => is(source::is_zip),
        };
        if !is_one {
            return Vec::new();
        }
        let shown = subtree.shown(path);
        let place = Place::file(&subtree.evidence, &shown);
        let depth = subtree.depth.saturating_add(1);
        if depth > MAX_DEPTH {
            let what = format!("a disk in {MAX_DEPTH} others is not opened");
            self.issues.push(Issue::new(IssueKind::LimitReached, place, what));
            return Vec::new();
        }
        let name = format!("{}:{shown}", subtree.evidence);
        let mut source = match source::open_nested(&subtree.tree, path, &name, &reading.opening) {
            Ok(source) => source,
            Err(error) => {
                self.issues.push(Issue::new(error.issue_kind(), place, error.to_string()));
                return Vec::new();
            }
        };
        for error in subtree.tree.damage(path) {
            self.issues.push(Issue::new(error.issue_kind(), place.clone(), error.to_string()));
        }
        assemble(std::slice::from_mut(&mut source));
        self.issues.append(&mut source.issues);
        self.unclaimed.extend(Unclaimed::parts_of(&source));
        let mut trees = Subtree::of(&source, host.as_deref(), &subtree.fallback_host);
        trees.iter_mut().for_each(|tree| tree.depth = depth);
        self.nested.push(source);
        trees
    }
}

impl Plan {
    /// How many files each parser reads, by name.
    #[must_use]
    pub fn files_of_each_parser(&self) -> BTreeMap<&'static str, usize> {
        let mut files: BTreeMap<&'static str, usize> = BTreeMap::new();
        for planned in &self.planned {
            let count = files.entry(planned.parser.name).or_default();
            *count = count.saturating_add(planned.artifact.files.len());
        }
        files
    }

    fn add_host(
        &mut self,
        (host, claims): (&Arc<str>, Vec<(&'static Parser, Arc<Artifact>)>),
        inventories: &Inventories,
        selected: &dyn Fn(&Parser) -> bool,
    ) {
        for (parser, artifact) in claims {
            if selected(parser) {
                let evidence = artifact.files.first().map(|file| &file.origin.evidence);
                let inventory = inventories.of(host, evidence);
                self.planned.push(Planned { parser, artifact, inventory });
            } else {
                let deselected =
                    artifact.files.iter().map(|file| Unclaimed::deselected(file, parser));
                self.unclaimed.extend(deselected);
            }
        }
    }
}

fn compiled() -> PatternSet<&'static Parser> {
    let patterns = |parser: &'static Parser| {
        parser.reads.iter().filter_map(move |text| Some((Pattern::compile(text)?, parser)))
    };
    PatternSet::new(crate::all().flat_map(patterns))
}

fn walk_subtree(
    subtree: &Subtree,
    visit: &mut dyn FnMut(&TreePath, FileKind),
    issues: &mut Vec<Issue>,
) {
    let mut on_entry = |path: &TreePath, entry: &dockline_evidence::Entry| {
        visit(path, entry.kind);
        Descend::Into
    };
    let mut on_error = |path: TreePath, error: dockline_evidence::EvidenceError| {
        let place = Place::file(&subtree.evidence, &subtree.shown(&path));
        issues.push(Issue::new(error.issue_kind(), place, error.to_string()));
    };
    walk(&*subtree.tree, &mut on_entry, &mut on_error);
}

/// Which files make one artifact: host, evidence, data root, parser, directory and first capture.
type GatherKey = (Arc<str>, usize, TreePath, &'static str, TreePath, String);

/// Gives every file its place in the one order, and gathers files into artifacts, by host.
fn gather(subtrees: &[Subtree], mut files: Vec<ClaimedFile>, reading: &Reading) -> Claims {
    let place = |file: &ClaimedFile| {
        let subtree = subtrees.get(file.subtree);
        subtree.map(|subtree| (subtree.evidence.clone(), subtree.prefix.clone()))
    };
    files.sort_by_cached_key(|file| (file.host.clone(), place(file), file.path.clone()));
    let mut groups: BTreeMap<GatherKey, (&'static Parser, Vec<ArtifactFile>)> = BTreeMap::new();
    for (rank, file) in (0_u64..).zip(files) {
        let Some(subtree) = subtrees.get(file.subtree) else { continue };
        let key = gather_key(&file);
        let shown = Arc::from(subtree.shown(&file.path));
        let place = (file.host, subtree.evidence.clone(), shown);
        let origin = Arc::new(Origin::new(place, file.parser.name, Rank(rank)));
        let claimed = ArtifactFile { path: file.path, origin, captures: file.captures };
        groups.entry(key).or_insert_with(|| (file.parser, Vec::new())).1.push(claimed);
    }
    let mut hosts = Claims::new();
    for ((host, subtree, root, ..), (parser, files)) in groups {
        let Some(subtree) = subtrees.get(subtree) else { continue };
        let (spool, asked) = (reading.opening.spool.clone(), reading.asked.clone());
        let artifact = Artifact { tree: subtree.tree.clone(), root, files, spool, asked };
        hosts.entry(host).or_default().push((parser, Arc::new(artifact)));
    }
    hosts
}

fn gather_key(file: &ClaimedFile) -> GatherKey {
    let (directory, capture) = match file.parser.gather {
        Gather::File | Gather::Directory => (file.path.clone(), String::new()),
        Gather::DataRoot | Gather::FirstOfRoot => (file.root.clone(), String::new()),
        Gather::Together => {
            let directory = file.path.parent().unwrap_or_else(TreePath::root);
            let capture = file.captures.first().map(|(_, text)| text.clone());
            (directory, capture.unwrap_or_default())
        }
    };
    (file.host.clone(), file.subtree, file.root.clone(), file.parser.name, directory, capture)
}
