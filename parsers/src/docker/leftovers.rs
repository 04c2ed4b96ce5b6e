//! What an engine was doing when it ended: directories that it makes for a while and removes again.
//!
//! | directory below the data root | of what |
//! |---|---|
//! | `image/<driver>/layerdb/tmp/<set>/` | a layer that was being registered: files of `layerdb`, before it had its name |
//! | `tmp/docker-builder<random>/` | a build: its context, copied from the client, or fetched from a URL |
//! | `tmp/docker-import-<random>/`, `docker-export-<random>/` | `docker load` and `docker save`: the content of images |
//! | `tmp-old/` | whatever was in `tmp` when the engine last started; it is removed in the background |
//!
//! | instant | event |
//! |---|---|
//! | last write in the directory (`filesystem`) | what was broken off, with how much of it is there |
//!
//! After moby 20.10.27 `layer/filestore.go`, `builder/remotecontext`, `image/tarexport`,
//! `daemon/daemon.go` (29.7: below `daemon/internal`). Files of these directories are not read: those
//! of a build or of an image may be anything. Downloads (`tmp/GetImageBlob*`) are told by `docker.engine`.

use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, Issue, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.leftovers",
    reads: &[
        "image/{driver}/layerdb/tmp/{set}/{item}",
        "tmp/docker-builder{build}/{file**}",
        "tmp/docker-import-{load}/{file**}",
        "tmp/docker-export-{save}/{file**}",
        "tmp-old/{file**}",
    ],
    gather: Gather::FirstOfRoot,
    about: "what the engine was doing when it ended: layers, builds, loads and saves broken off",
    yields: "last write in each directory that should have been removed",
    references: &[
        "moby 20.10.27 layer/filestore.go, image/tarexport, daemon/daemon.go",
        "moby 20.10.27 builder/remotecontext/archive.go",
    ],
    parse,
};

static LEFTOVER: Kind = Kind {
    data_type: "docker:engine:leftover",
    source_short: "DOCKER",
    source_long: "Docker engine leftover",
};

/// Nodes that are counted in one directory.
const NODE_LIMIT: usize = 100_000;
/// Directories in `tmp`, the action that they are of, and what they are.
const TEMPORARY: &[(&str, &str, &str)] = &[
    ("docker-builder", "build", "build broken off: what was in its context"),
    ("docker-import-", "load", "load of images broken off, or a layer of it not cleaned up"),
    ("docker-export-", "save", "save of images broken off"),
];

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(file) = artifact.files.first() else { return };
    let root = Root { artifact, file };
    root.layers(findings);
    for (name, path) in root.directories(artifact.root.join(b"tmp")) {
        let known = TEMPORARY.iter().find(|(start, ..)| name.starts_with(start));
        if let Some((_, action, what)) = known {
            root.report(&path, (action, what), findings);
        }
    }
    let old = artifact.root.join(b"tmp-old").filter(|path| root.is_directory(path));
    if let Some(path) = old {
        root.report(&path, ("clean", "removal of temporary files broken off"), findings);
    }
    findings.records(&file.origin, 1, 0);
}

/// A data root, and the file that stands for all of it.
struct Root<'a> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
}

impl Root<'_> {
    fn layers(&self, findings: &mut dyn Findings) {
        for (driver, path) in self.directories(self.artifact.root.join(b"image")) {
            for (_, set) in self.directories(path.below(b"layerdb/tmp")) {
                let diff = self.text(&set, b"diff");
                let known = diff.as_deref().unwrap_or("of which nothing is known yet");
                let text = format!("registration of a layer broken off: {known}");
                let facts = [
                    ("diff_id", diff.clone()),
                    ("parent_layer", self.text(&set, b"parent")),
                    ("layer_directory", self.text(&set, b"cache-id")),
                    ("storage_driver", Some(driver.clone())),
                ];
                self.tell(&set, ("pull", &text, &facts), findings);
            }
        }
    }

    fn report(&self, path: &TreePath, (action, what): (&str, &str), findings: &mut dyn Findings) {
        self.tell(path, (action, what, &[]), findings);
    }

    fn tell(
        &self,
        path: &TreePath,
        (action, text, facts): (&str, &str, &[(&'static str, Option<String>)]),
        findings: &mut dyn Findings,
    ) {
        let content = self.content(path);
        let origin = self.file.origin_of(path);
        if content.cut {
            let what = format!("more than {NODE_LIMIT} files and directories, not all counted");
            let at = origin.at(Position::File);
            findings.issue(Issue::new(IssueKind::LimitReached, at, what));
        }
        let Some(modified) = content.written else { return };
        let text = format!("{text}; files in it: {}", content.files);
        let at = (modified, Meaning::ContentModification);
        let mut event = Event::new(&origin, &LEFTOVER, &Subject::UNKNOWN, at);
        event.confidence = Confidence::Filesystem;
        event.action = action;
        event.text = (&text).into();
        for (name, fact) in facts {
            event.attribute(name, fact.as_deref().map(|text| Value::Text(text.into())));
        }
        findings.event(&event);
    }

    /// The text of a small file.
    fn text(&self, directory: &TreePath, name: &[u8]) -> Option<String> {
        let bytes = self.artifact.read_beside(&directory.join(name)?)?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty() && text.len() < 100).then_some(text)
    }

    fn is_directory(&self, path: &TreePath) -> bool {
        let metadata = self.artifact.tree.metadata(path);
        metadata.is_ok_and(|metadata| metadata.kind == FileKind::Directory)
    }

    /// Directories in a directory; whoever walks the tree tells what cannot be listed.
    fn directories(&self, path: Option<TreePath>) -> Vec<(String, TreePath)> {
        let Some(path) = path else { return Vec::new() };
        let entries = self.artifact.tree.list(&path).unwrap_or_default();
        let directories = entries.into_iter().filter(|entry| entry.kind == FileKind::Directory);
        let named = directories.filter_map(|entry| {
            let below = path.join(&entry.name)?;
            Some((String::from_utf8(entry.name).ok()?, below))
        });
        named.collect()
    }

    /// What lies below a directory, and when the last of it was written.
    fn content(&self, path: &TreePath) -> Content {
        let modified = |path: &TreePath| self.artifact.tree.metadata(path).ok()?.modified;
        let mut content = Content { written: modified(path), files: 0, cut: false };
        let (mut seen, mut open) = (0_usize, vec![path.clone()]);
        while let Some(directory) = open.pop() {
            for entry in self.artifact.tree.list(&directory).unwrap_or_default() {
                seen = seen.saturating_add(1);
                if seen > NODE_LIMIT {
                    return Content { cut: true, ..content };
                }
                let Some(below) = directory.join(&entry.name) else { continue };
                if entry.kind == FileKind::Directory {
                    open.push(below);
                } else {
                    content.files = content.files.saturating_add(1);
                    content.written = content.written.max(modified(&below));
                }
            }
        }
        content
    }
}

/// What lies below a directory.
struct Content {
    written: Option<Instant>,
    files: usize,
    /// Whether not all of it was looked at.
    cut: bool,
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn what_was_broken_off_is_told_once_for_each_directory() {
        let time = "2026-02-01T00:00:00Z";
        let set = "d/image/overlay2/layerdb/tmp/write-set-1";
        let found = Case::default()
            .at(time, &format!("{set}/"), "")
            .with(&format!("{set}/diff"), "sha256:aa")
            .with(&format!("{set}/cache-id"), "bb")
            .at(time, "d/tmp/docker-builder7/", "")
            .with("d/tmp/docker-builder7/a/Dockerfile", "FROM x")
            .with("d/tmp/docker-builder7/b", "")
            .with("d/tmp/other/c", "")
            .at(time, "d/tmp-old/", "")
            .with("d/tmp-old/x", "")
            .read("docker.leftovers");
        let (layer, build) = (found.only("pull"), found.only("build"));
        assert_eq!(
            (layer["diff_id"].as_str(), layer["layer_directory"].as_str()),
            (Some("sha256:aa"), Some("bb"))
        );
        assert!(
            build["message"].as_str().unwrap().ends_with("its context; files in it: 2"),
            "{build}"
        );
        assert_eq!(
            (found.only("clean")["datetime_ns"].as_str(), found.events.len()),
            (Some("2026-02-01T00:00:00.000000000Z"), 3)
        );
    }
}
