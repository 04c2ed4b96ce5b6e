//! The kernel as the oracle: a tree of ours against a mounted directory, node by node.
//!
//! Mounts need root and loop devices. Where these, or a tool, are not to be had, a test prints
//! `SKIPPED` with the reason and passes.

use crate::answers::escaped;
use dockline_evidence::{Descend, DirectoryTree, EvidenceError, FileKind, ReadAt, Tree, TreePath};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Differences that are told in full; more are only counted.
const TOLD: usize = 20;
const PART: usize = 1 << 20;

/// Whether this process is root and has all these programs; says what is missing.
pub(crate) fn can_run(programs: &[&str]) -> bool {
    if std::fs::metadata("/proc/self").map_or(1, |own| own.uid()) != 0 {
        eprintln!("SKIPPED: only root may mount");
        return false;
    }
    let missing = programs.iter().find(|program| find_program(program).is_none());
    if let Some(program) = missing {
        eprintln!("SKIPPED: no {program}");
    }
    missing.is_none()
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/sbin", "/usr/sbin"].map(PathBuf::from);
    let mut places = std::env::split_paths(&path).chain(usual).map(|place| place.join(name));
    places.find(|place| place.is_file())
}

/// Runs a program to its end; it must succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) {
    let path = find_program(program).unwrap_or_else(|| panic!("no {program}"));
    let done = Command::new(path).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {arguments:?}: {errors}");
}

/// A file system in an image, mounted until this is dropped.
pub(crate) struct Mount {
    place: tempfile::TempDir,
}

impl Mount {
    /// Mounts with options such as `ro,noload`; `None`, with a word why, where the system does not
    /// let us.
    pub(crate) fn new(image: &Path, options: &str) -> Option<Mount> {
        let place = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.arg("-o").arg(format!("loop,{options}")).arg(image).arg(place.path());
        let done = mount.output().unwrap();
        if !done.status.success() {
            let why = String::from_utf8_lossy(&done.stderr);
            eprintln!("SKIPPED: {} with {options}: {}", image.display(), why.trim());
            return None;
        }
        Some(Mount { place })
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    /// Asserts that `tree` tells of every node what the kernel tells; returns how many there are.
    pub(crate) fn assert_same(&self, tree: &dyn Tree, what: &str) -> usize {
        let truth = DirectoryTree::open(self.path()).unwrap();
        let (count, differences) = compare(tree, &truth);
        assert!(differences.is_empty(), "{what}: {count} nodes: {differences:#?}");
        count
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(self.path()).status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("cannot unmount {}", self.path().display());
        }
    }
}

/// Compares every node: what it is, all metadata, content byte by byte, link target, all extended
/// attributes. Returns the number of nodes of the truth, and the differences in words.
pub(crate) fn compare(tree: &dyn Tree, truth: &dyn Tree) -> (usize, Vec<String>) {
    let mut differences = Vec::new();
    let found = paths(tree, &mut differences);
    let expected = paths(truth, &mut differences);
    differences.extend(expected.difference(&found).map(|path| format!("{path}: is missing")));
    differences.extend(found.difference(&expected).map(|path| format!("{path}: is not there")));
    for path in expected.intersection(&found) {
        differences.extend(difference(tree, truth, path).map(|words| format!("{path}: {words}")));
    }
    let more = differences.len().saturating_sub(TOLD);
    differences.truncate(TOLD);
    if more > 0 {
        differences.push(format!("and {more} more"));
    }
    (expected.len(), differences)
}

/// The paths of all nodes, the root among them.
fn paths(tree: &dyn Tree, problems: &mut Vec<String>) -> BTreeSet<TreePath> {
    let mut paths = BTreeSet::from([TreePath::root()]);
    dockline_evidence::walk(
        tree,
        &mut |path, _| {
            paths.insert(path.clone());
            Descend::Into
        },
        &mut |path, error| problems.push(format!("{path}: {error}")),
    );
    paths
}

/// The first thing in which the two trees differ about a node.
fn difference(tree: &dyn Tree, truth: &dyn Tree, path: &TreePath) -> Option<String> {
    let metadata = (tree.metadata(path), truth.metadata(path));
    let (found, expected) = match metadata {
        (Ok(found), Ok(expected)) => (found, expected),
        (found, expected) => return Some(format!("{found:?} instead of {expected:?}")),
    };
    if found != expected {
        return Some(format!("{found:?} instead of {expected:?}"));
    }
    let attributes = (told(tree, path), told(truth, path));
    if attributes.0 != attributes.1 {
        return Some(format!("attributes {:?} instead of {:?}", attributes.0, attributes.1));
    }
    match expected.kind {
        FileKind::Regular => match (tree.open(path), truth.open(path)) {
            (Ok(found), Ok(expected)) => content_difference(&found, &expected),
            (found, expected) => Some(format!("{:?} instead of {:?}", found.err(), expected.err())),
        },
        FileKind::SymbolicLink => {
            let targets = [tree, truth].map(|tree| tree.link_target(path).map_err(in_words));
            (targets[0] != targets[1]).then(|| format!("{targets:?}"))
        }
        FileKind::Directory => {
            let kinds = [tree, truth].map(|tree| tree.list(path).map_err(in_words));
            (kinds[0] != kinds[1]).then(|| "the list of entries".to_string())
        }
        _ => None,
    }
}

fn in_words(error: EvidenceError) -> String {
    error.to_string()
}

fn told(tree: &dyn Tree, path: &TreePath) -> Result<Vec<String>, String> {
    let attributes = tree.extended_attributes(path).map_err(in_words)?;
    let line = |name: &[u8], value: &[u8]| format!("{}={}", escaped(name), escaped(value));
    Ok(attributes.iter().map(|it| line(&it.name, &it.value)).collect())
}

fn content_difference(found: &dyn ReadAt, expected: &dyn ReadAt) -> Option<String> {
    let (mut one, mut other) = (vec![0; PART], vec![0; PART]);
    let mut at = 0;
    loop {
        let filled = match (fill(found, at, &mut one), fill(expected, at, &mut other)) {
            (Ok(filled), Ok(wanted)) if filled == wanted => filled,
            (filled, wanted) => return Some(format!("at {at}: {filled:?}, not {wanted:?} bytes")),
        };
        if one[..filled] != other[..filled] {
            let differs = one.iter().zip(&other).position(|(one, other)| one != other);
            return Some(format!("content differs at {at} + {differs:?}"));
        }
        if filled < PART {
            return None;
        }
        at += PART as u64;
    }
}

fn fill(bytes: &dyn ReadAt, at: u64, buffer: &mut [u8]) -> Result<usize, String> {
    let mut filled = 0;
    while filled < buffer.len() {
        let count = bytes.read_at(at + filled as u64, &mut buffer[filled..]);
        match count.map_err(|error| error.to_string())? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

#[test]
fn a_comparison_sees_every_difference() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "content").unwrap();
    let truth = DirectoryTree::open(place.path()).unwrap();
    let same = compare(&truth, &truth);
    assert_eq!(same, (2, vec![]));
    let other = dockline_evidence::MemoryTree::new().with_file("file", "Content", None);
    let (_, differences) = compare(&other, &truth);
    assert_eq!(differences.len(), 2);
    let differs = content_difference(&other.open(&"file".path()).unwrap(), &b"content".to_vec());
    assert_eq!(differs.unwrap(), "content differs at 0 + Some(0)");
    let (_, differences) = compare(&dockline_evidence::MemoryTree::new(), &truth);
    assert!(differences.contains(&"/file: is missing".to_string()));
    let (_, differences) = compare(&truth, &dockline_evidence::MemoryTree::new());
    assert!(differences.contains(&"/file: is not there".to_string()));
}

/// A text as a path of a tree.
trait AsPath {
    fn path(&self) -> TreePath;
}

impl AsPath for str {
    fn path(&self) -> TreePath {
        TreePath::parse(self.as_bytes()).unwrap()
    }
}
