//! A case of a parser: a folder with evidence and with what is expected of it.
//!
//! `testdata/<parser>/<case>/evidence/…` holds files as they lie on a host; `expected.jsonl` the
//! events, `expected-issues.txt` the issues (absent when there are none). Every file was last
//! modified at [`MODIFIED`], unless `times.txt` says `<path><TAB><RFC 3339>`. What a folder cannot hold
//! stands in `nodes.txt`: `<path><TAB><key>=<value>…`, with the keys `kind` (`d`, `l`, `c`, `p`), `mode`
//! (octal), `owner` (`uid:gid`), `device` (`major:minor`), `links`, `inode`, `modified`, `accessed`,
//! `changed`, `born` (RFC 3339), `target` (of a link) and `attribute` (`name:value`, several times).
//! `options.txt` holds options of `dockline timeline` that the case is read with.

use dockline_evidence::{DeviceNumber, FileKind, MemoryTree, Metadata};
use dockline_parsers::Asked;
use dockline_parsers::asked::HASH_LIMIT;
use dockline_parsers::plan::{Plan, Reading, Subtree, plan};
use dockline_timeline::{Collected, Findings, Instant, Key};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// When every file of a case was last modified, unless the case says otherwise.
pub(crate) const MODIFIED: &str = "2026-01-01T00:00:00Z";

/// The folder of a file that belongs to the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// One case.
pub(crate) struct Case {
    pub(crate) parser: String,
    pub(crate) folder: PathBuf,
    /// Content and time of each file, by path.
    pub(crate) files: BTreeMap<String, (Vec<u8>, Option<Instant>)>,
    /// `nodes.txt`.
    nodes: String,
    asked: Asked,
}

/// What came of a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<String>,
    pub(crate) issues: Vec<String>,
}

impl Case {
    /// All cases of all parsers.
    pub(crate) fn all() -> Vec<Case> {
        dockline_parsers::all().flat_map(|parser| Case::of(parser.name)).collect()
    }

    /// The cases of one parser, by name.
    pub(crate) fn of(parser: &str) -> Vec<Case> {
        let folder = project("testdata").join(parser);
        let mut folders: Vec<PathBuf> = fs::read_dir(&folder)
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        folders.sort();
        folders
            .into_iter()
            .filter(|path| path.is_dir())
            .map(|path| Case::load(parser, path))
            .collect()
    }

    fn load(parser: &str, folder: PathBuf) -> Case {
        let times = fs::read_to_string(folder.join("times.txt")).unwrap_or_default();
        let times: BTreeMap<&str, &str> =
            times.lines().map(|line| line.split_once('\t').unwrap()).collect();
        let root = folder.join("evidence");
        let mut paths = Vec::new();
        gather(&root, &mut paths);
        assert!(!paths.is_empty(), "{}: a case without evidence", folder.display());
        let file = |path: PathBuf| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            let time = times.get(name.as_str()).copied().unwrap_or(MODIFIED);
            let modified = Instant::parse_rfc3339(time).unwrap();
            (name, (fs::read(path).unwrap(), modified))
        };
        let files = paths.into_iter().map(file).collect();
        let nodes = fs::read_to_string(folder.join("nodes.txt")).unwrap_or_default();
        let options = fs::read_to_string(folder.join("options.txt")).unwrap_or_default();
        let has = |option: &str| options.lines().any(|line| line == option);
        let hash = has("--hash").then_some(HASH_LIMIT);
        let asked = Asked { bind_mounts: has("--bind-mounts"), hash };
        Case { parser: parser.to_owned(), folder, files, nodes, asked }
    }

    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.parser, self.folder.file_name().unwrap().to_str().unwrap())
    }

    pub(crate) fn tree(&self) -> MemoryTree {
        let tree =
            self.files.iter().fold(MemoryTree::new(), |tree, (path, (content, modified))| {
                tree.with_file(path, content.clone(), *modified)
            });
        self.nodes.lines().fold(tree, with_node)
    }

    pub(crate) fn run(&self) -> Outcome {
        run_with(self.tree(), &|parser| parser == self.parser, &self.asked)
    }
}

/// The tree with what one line of `nodes.txt` says.
fn with_node(mut tree: MemoryTree, line: &str) -> MemoryTree {
    let mut facts = line.split('\t');
    let path = facts.next().unwrap();
    let facts: Vec<(&str, &str)> = facts.map(|fact| fact.split_once('=').unwrap()).collect();
    let fact = |name: &str| facts.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    tree = match fact("kind") {
        None => tree,
        Some("d") => tree.with_directory(path, None),
        Some("l") => {
            let target = fact("target").unwrap_or_default();
            tree.with_node(path, FileKind::SymbolicLink, target.as_bytes())
        }
        Some("c") => tree.with_node(path, FileKind::CharacterDevice, b""),
        Some("p") => tree.with_node(path, FileKind::Fifo, b""),
        Some(other) => panic!("{path}: no kind {other}"),
    };
    tree = tree.with_metadata(path, |metadata| facts.iter().for_each(|fact| set(metadata, *fact)));
    for (_, attribute) in facts.iter().filter(|(key, _)| *key == "attribute") {
        let (name, value) = attribute.split_once(':').unwrap();
        tree = tree.with_attribute(path, name, value.as_bytes());
    }
    tree
}

fn set(metadata: &mut Metadata, (key, value): (&str, &str)) {
    let pair = || value.split_once(':').unwrap();
    let instant = || Instant::parse_rfc3339(value).unwrap();
    match key {
        "kind" | "target" | "attribute" => {}
        "mode" => metadata.mode = Some(u32::from_str_radix(value, 8).unwrap()),
        "owner" => {
            metadata.uid = Some(pair().0.parse().unwrap());
            metadata.gid = Some(pair().1.parse().unwrap());
        }
        "device" => {
            let (major, minor) = (pair().0.parse().unwrap(), pair().1.parse().unwrap());
            metadata.device = Some(DeviceNumber { major, minor });
        }
        "links" => metadata.links = Some(value.parse().unwrap()),
        "inode" => metadata.inode = Some(value.parse().unwrap()),
        "modified" => metadata.modified = instant(),
        "accessed" => metadata.accessed = instant(),
        "changed" => metadata.changed = instant(),
        "born" => metadata.born = instant(),
        other => panic!("no key {other}"),
    }
}

fn gather(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { gather(&path, paths) } else { paths.push(path) }
    }
}

/// Plans and reads a tree with the selected parsers.
pub(crate) fn run(tree: MemoryTree, selected: &dyn Fn(&str) -> bool) -> Outcome {
    run_with(tree, selected, &Asked::default())
}

fn run_with(tree: MemoryTree, selected: &dyn Fn(&str) -> bool, asked: &Asked) -> Outcome {
    let plan = planned(tree, selected, asked);
    let mut found = Collected::new();
    for job in plan.jobs() {
        found.job(job);
    }
    let mut events: Vec<(Key, String)> = found.keys.into_iter().zip(found.lines).collect();
    events.sort_by(|one, other| one.0.cmp(&other.0));
    let issue = |issue: &dockline_timeline::Issue| match (issue.lost_records, issue.lost_bytes) {
        (0, 0) => issue.to_string(),
        (records, bytes) => format!("{issue} [lost {records} records, {bytes} bytes]"),
    };
    let mut issues: Vec<String> = plan.issues.iter().chain(&found.issues).map(issue).collect();
    issues.sort();
    Outcome { events: events.into_iter().map(|(_, line)| line).collect(), issues }
}

fn planned(tree: MemoryTree, selected: &dyn Fn(&str) -> bool, asked: &Asked) -> Plan {
    let subtree = Subtree {
        evidence: Arc::from("case"),
        host: Some(Arc::from("host")),
        fallback_host: Arc::from("host"),
        prefix: Arc::from(""),
        depth: 0,
        tree: Arc::new(tree),
    };
    let reading = Reading { asked: asked.clone(), ..Reading::default() };
    plan(&[subtree], &|parser| selected(parser.name), &reading)
}
