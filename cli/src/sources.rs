//! Opens every evidence of a request; one that cannot be read does not stop the others.

use crate::request::{EvidenceArgument, Request};
use dockline_evidence::{EvidenceError, Spool, source};
use dockline_parsers::plan::Subtree;
use dockline_timeline::{Issue, IssueKind, Place};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The evidence of a request, opened.
#[derive(Default)]
pub(crate) struct Sources {
    /// Trees to be planned.
    pub(crate) subtrees: Vec<Subtree>,
    /// Evidence, or parts of it, that could not be read.
    pub(crate) issues: Vec<Issue>,
    /// Names of the evidence that could be opened.
    pub(crate) opened: Vec<(String, PathBuf)>,
}

impl Sources {
    /// Opens all evidence, each once, in the order of their names, so that the order in which they
    /// were given changes nothing.
    pub(crate) fn open(request: &Request, spool: &Spool) -> Sources {
        let mut sources = Sources::default();
        for (name, argument) in named(&request.evidence) {
            match source::open(&argument.path, &name, spool) {
                Ok(source) => sources.add(source, &argument),
                Err(error) => sources.issues.push(cannot_open(&name, &argument.path, &error)),
            }
        }
        sources
    }

    fn add(&mut self, source: dockline_evidence::Source, argument: &EvidenceArgument) {
        self.opened.push((source.name.to_string(), argument.path.clone()));
        self.issues.extend(source.issues);
        for tree in source.trees {
            self.subtrees.push(Subtree {
                evidence: Arc::from(format!("{}{}", source.name, tree.prefix)),
                host: argument.host.as_deref().map(Arc::from),
                fallback_host: Arc::from(stem(&source.name)),
                tree: tree.tree,
            });
        }
    }
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
        let path = argument.path.canonicalize().unwrap_or_else(|_| argument.path.clone());
        by_path.entry(path).or_insert(argument);
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
    let extensions = [".zst", ".gz", ".tgz", ".tar"];
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
