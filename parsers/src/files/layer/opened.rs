//! From what a layer is read, and against what its directory is held: the list of its files, or its
//! archive.

use crate::formats::tar_split::TarSplit;
use crate::inventory::ImageLayer;
use crate::{Artifact, ArtifactFile};
use dockline_evidence::{Tree, TreePath, open_archive};
use dockline_timeline::{Findings, Issue, Origin, Position};
use std::sync::Arc;

/// How a layer came.
pub(super) struct Came {
    pub(super) tree: Arc<dyn Tree>,
    /// Its list, which has no contents; without one it is the archive itself.
    pub(super) list: Option<TarSplit>,
    /// Whether something of it is lost.
    pub(super) is_cut: bool,
}

impl Came {
    /// The list of a layer, else the archive that is beside its directory; what is wrong is told.
    pub(super) fn open(
        (artifact, file): (&Artifact, &ArtifactFile),
        layer: &ImageLayer,
        findings: &mut dyn Findings,
    ) -> Option<Came> {
        if let Some(path) = &layer.list {
            let list = list((artifact, file), path, findings)?;
            let (tree, is_cut) = (list.tree.clone(), list.cut.is_some());
            return Some(Came { tree, list: Some(list), is_cut });
        }
        let path = layer.archive.as_ref().filter(|_| layer.directory.is_some())?;
        let bytes = artifact.tree.open(path);
        match bytes.and_then(|bytes| open_archive(bytes, "archive", &artifact.spool)) {
            Ok((tree, issues)) => {
                let origin = file.origin_of(path);
                issues.iter().for_each(|issue| tell_inner(issue, &origin, findings));
                Some(Came { tree, list: None, is_cut: !issues.is_empty() })
            }
            Err(error) => {
                let place = file.origin_of(path).at(Position::File);
                findings.issue(Issue::new(error.issue_kind(), place, error.to_string()));
                None
            }
        }
    }
}

/// The list of a layer's files; what is wrong with it is told.
fn list(
    (artifact, file): (&Artifact, &ArtifactFile),
    path: &TreePath,
    findings: &mut dyn Findings,
) -> Option<TarSplit> {
    let place = |at| file.origin_of(path).at(at);
    let bytes = artifact.tree.open(path);
    let read = bytes.and_then(|bytes| TarSplit::read(&*bytes, "list", &artifact.spool));
    let split = match read {
        Ok(split) => split,
        Err(error) => {
            let issue = Issue::new(error.issue_kind(), place(Position::File), error.to_string());
            findings.issue(issue);
            return None;
        }
    };
    if let Some(cut) = &split.cut {
        let at = place(Position::Offset(cut.at));
        findings.issue(Issue::new(cut.kind, at, cut.what.as_str()).losing(1, 0));
    }
    for issue in &split.issues {
        tell_inner(issue, &file.origin_of(path), findings);
    }
    Some(split)
}

/// The tree of a layer's archive, plain or compressed.
pub(super) fn archive(
    (artifact, file): (&Artifact, &ArtifactFile),
    findings: &mut dyn Findings,
) -> Option<Arc<dyn Tree>> {
    let bytes = artifact.open(file, findings)?;
    match open_archive(bytes, "archive", &artifact.spool) {
        Ok((tree, issues)) => {
            issues.iter().for_each(|issue| tell_inner(issue, &file.origin, findings));
            Some(tree)
        }
        Err(error) => {
            let place = file.origin.at(Position::File);
            findings.issue(Issue::new(error.issue_kind(), place, error.to_string()).losing(1, 0));
            None
        }
    }
}

/// An issue of an archive that lies in a file.
fn tell_inner(issue: &Issue, origin: &Origin, findings: &mut dyn Findings) {
    let path = if issue.place.path.is_empty() { "" } else { &issue.place.path };
    let what = if path.is_empty() { issue.what.clone() } else { format!("{path}: {}", issue.what) };
    let place = origin.at(issue.place.position.clone());
    // Its bytes are not those of the file.
    findings.issue(Issue { place, what, lost_bytes: 0, ..issue.clone() });
}
