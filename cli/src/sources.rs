//! Opens every evidence of a request; one that cannot be read does not stop the others.

use crate::request::EvidenceArgument;
use dockline_evidence::{EvidenceError, Opening, Source, assemble, source};
use dockline_parsers::plan::{Subtree, Unclaimed};
use dockline_timeline::{Issue, IssueKind, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The evidence of a request, opened.
#[derive(Default)]
pub(crate) struct Sources {
    /// Trees to be planned.
    pub(crate) subtrees: Vec<Subtree>,
    /// Evidence, or parts of it, that could not be read.
    pub(crate) issues: Vec<Issue>,
    /// Parts of evidence without anything of containers.
    pub(crate) skipped: Vec<Unclaimed>,
    /// The evidence that could be opened.
    pub(crate) opened: Vec<Opened>,
}

/// One evidence that could be opened.
pub(crate) struct Opened {
    /// As the user named it.
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
}

impl Sources {
    /// Opens all evidence, each once, in the order of their names, so that the order in which they
    /// were given changes nothing.
    pub(crate) fn open(evidence: &[EvidenceArgument], opening: &Opening) -> Sources {
        let mut sources = Sources::default();
        let mut found: Vec<(EvidenceArgument, String, Result<Source, EvidenceError>)> = Vec::new();
        let mut parts: BTreeSet<PathBuf> = BTreeSet::new();
        for (name, argument) in named(evidence) {
            let opened = source::open(&argument.path, &name, opening);
            if let Ok(source) = &opened {
                parts.extend(source.parts.iter().map(|part| beside(&argument.path, part)));
            }
            found.push((argument, name, opened));
        }
        // Segments that the user named, too, have been read with the image that they belong to.
        found.retain(|(argument, ..)| !parts.contains(&canonical(&argument.path)));
        let (mut opened, mut arguments) = (Vec::new(), Vec::new());
        for (argument, name, result) in found {
            match result {
                Ok(source) => {
                    opened.push(source);
                    arguments.push(argument);
                }
                Err(error) => sources.issues.push(cannot_open(&name, &argument.path, &error)),
            }
        }
        assemble(&mut opened);
        for (source, argument) in opened.into_iter().zip(arguments) {
            sources.add(source, argument);
        }
        sources
    }

    fn add(&mut self, source: Source, argument: EvidenceArgument) {
        self.subtrees.extend(Subtree::of(&source, argument.host.as_deref(), stem(&source.name)));
        self.skipped.extend(Unclaimed::parts_of(&source));
        self.issues.extend(source.issues.iter().cloned());
        self.opened.push(Opened { path: argument.path, source });
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The file of that name in the same directory.
fn beside(path: &Path, name: &[u8]) -> PathBuf {
    canonical(&canonical(path).with_file_name(String::from_utf8_lossy(name).as_ref()))
}

fn cannot_open(name: &str, path: &Path, error: &EvidenceError) -> Issue {
    let kind = match error {
        EvidenceError::Unsupported(_) => IssueKind::Unsupported,
        EvidenceError::Malformed { .. } => IssueKind::Malformed,
        EvidenceError::LimitReached { .. } => IssueKind::LimitReached,
        _ => IssueKind::Unreadable,
    };
    let what = match error {
        EvidenceError::NotFound => format!("{}: there is no such file", path.display()),
        error => error.to_string(),
    };
    Issue::new(kind, Place::evidence(name), what)
}

/// Every evidence once, with a name: its file name, or the whole argument where two share one.
fn named(arguments: &[EvidenceArgument]) -> BTreeMap<String, EvidenceArgument> {
    let mut by_path: BTreeMap<PathBuf, &EvidenceArgument> = BTreeMap::new();
    for argument in arguments {
        by_path.entry(canonical(&argument.path)).or_insert(argument);
    }
    let short = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut uses: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for path in by_path.keys() {
        let count = uses.entry(short(path)).or_default();
        *count = count.saturating_add(1);
    }
    let name = |(path, argument): (PathBuf, &EvidenceArgument)| {
        let name = short(&path).filter(|name| uses.get(&Some(name.clone())) == Some(&1));
        (name.unwrap_or_else(|| path.to_string_lossy().into_owned()), argument.clone())
    };
    by_path.into_iter().map(name).collect()
}

/// The evidence's name without its extensions: what a host is called that nothing names.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(name);
    let extensions = [
        ".zst", ".gz", ".tgz", ".tar", ".zip", ".raw", ".dd", ".img", ".001", ".000", ".aa",
        ".E01", ".e01", ".vhdx", ".vhd", ".vmdk", ".qcow2",
    ];
    extensions.iter().fold(file, |stem, extension| match stem.strip_suffix(extension) {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => stem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str]) -> Vec<String> {
        let argument = |path: &&str| EvidenceArgument { host: None, path: PathBuf::from(path) };
        named(&paths.iter().map(argument).collect::<Vec<_>>()).into_keys().collect()
    }

    #[test]
    fn an_evidence_is_called_by_its_file_name_where_that_is_unique() {
        assert_eq!(names(&["/a/web1.tar", "/b/web2.tar"]), ["web1.tar", "web2.tar"]);
        assert_eq!(names(&["/b/d.tar", "/a/d.tar"]), ["/a/d.tar", "/b/d.tar"]);
        assert_eq!(names(&["/a/d.tar", "/a/d.tar"]), ["d.tar"]);
    }

    #[test]
    fn a_host_that_nothing_names_is_called_after_its_evidence() {
        assert_eq!(stem("web1.tar.zst"), "web1");
        assert_eq!(stem("/cases/web1.tgz"), "web1");
        assert_eq!(stem("web1.example.com"), "web1.example.com");
        assert_eq!(stem(".tar"), ".tar");
    }
}
