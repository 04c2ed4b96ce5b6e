//! Blobs that a record points to: BuildKit's own content, or that of containerd.

use crate::{Artifact, ArtifactFile, Digest};
use dockline_evidence::TreePath;
use dockline_timeline::{Findings, IssueKind, Position};

/// Where blobs lie below a directory above the database: of BuildKit itself, of a containerd that the
/// engine runs, of Docker Desktop's, of the host's own.
const PLACES: &[&[u8]] = &[
    b"content/blobs/sha256",
    b"containerd/daemon/io.containerd.content.v1.content/blobs/sha256",
    b"desktop-containerd/daemon/io.containerd.content.v1.content/blobs/sha256",
    b"containerd/io.containerd.content.v1.content/blobs/sha256",
];

/// The content of a blob; `None` when it is not in the evidence.
pub(super) fn read(
    (artifact, file): (&Artifact, &ArtifactFile),
    digest: &str,
    findings: &mut dyn Findings,
) -> Option<Vec<u8>> {
    let digest = Digest::parse(digest)?;
    let mut directory = file.path.parent();
    while let Some(above) = directory {
        for place in PLACES {
            let path = above.below(place).and_then(|path| path.join(digest.hex().as_bytes()));
            let Some(bytes) = path.as_ref().and_then(|path| artifact.read_beside(path)) else {
                continue;
            };
            if Digest::of(&bytes) != digest {
                tell_changed(file, path.as_ref(), findings);
            }
            return Some(bytes);
        }
        directory = above.parent();
    }
    None
}

fn tell_changed(file: &ArtifactFile, path: Option<&TreePath>, findings: &mut dyn Findings) {
    let path = path.map(ToString::to_string).unwrap_or_default();
    let what = format!("{path} has another digest than its name: changed or damaged");
    findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
}
