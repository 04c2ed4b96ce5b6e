//! The files of volumes, and of directories of the host that containers mount.
//!
//! What a container writes into a volume lies in `volumes/<name>/_data` of the data root, of Docker,
//! Podman and whoever uses containers/storage. It outlives the container, and several containers may
//! share it. A volume of a pod of Kubernetes lies in the kubelet's directory, and one of nerdctl in that
//! of nerdctl. With `--bind-mounts` the same is told of directories and single files of the host that
//! containers mount. Which there are, and who mounts them where, the inventory has found
//! (`inventory/mounted_directories.rs`).
//!
//! | instant | event |
//! |---|---|
//! | each time of each file | the file, with its path in the volume and its paths in the containers |
//!
//! `volume_name` is the volume, of a pod `<namespace>/<pod>/<volume>`, of a bind mount the path on the host; `filename` is the path in it;
//! `container_paths` lists `name:/path` of each container that sees the file. Where one container
//! mounts the directory, it is the container of the events; which of several wrote a file, nothing
//! tells. Suspicious files are tagged by all of their paths (`files/suspicious.rs`), as files that were
//! made there: what the image held at that place was copied into a new volume.
//!
//! What was deleted in a volume left nothing. Volumes on other file systems (`tmpfs`, network shares,
//! plugins) are named in the report; what is in their directories was written while they were not
//! mounted.

use super::file_event::{FileEvent, OfVolume};
use super::file_hash::FileHashes;
use super::suspicious::{self, Suspect};
use crate::changes::Class;
use crate::inventory::MountedDirectory;
use crate::{Artifact, ArtifactFile, ContainerId, Gather, Inventory, Parser};
use dockline_evidence::walk::{Descend, walk_below};
use dockline_evidence::{EvidenceError, FileKind, Metadata, Tree, TreePath, Visible};
use dockline_timeline::{Findings, Issue, IssueKind, Kind, Position, Subject};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The parser.
pub(crate) static PARSER: Parser = Parser {
    name: "files.volume",
    reads: &["volumes/{volume}/_data/"],
    gather: Gather::Directory,
    about: "files of volumes and, if asked for, of bind mounts, and which containers see them",
    yields: "each time of each file",
    references: &[
        "moby 29.7.2 daemon/volume/local/local.go, daemon/volume/mounts/mounts.go",
        "podman 5.8 libpod/volume.go, libpod/container_config.go",
        "kubernetes 1.34 pkg/kubelet/kubelet_getters.go",
    ],
    parse,
};

static FILE: Kind = Kind {
    data_type: "container:volume:file",
    source_short: "FILE",
    source_long: "File of a volume",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(file) = artifact.files.first() else { return };
    let known = inventory.mounted_directories.at(&artifact.tree, &file.path);
    let Some(directory) = known else { return };
    // The directory is the artifact, and first in the report, whatever is found in it.
    findings.records(&file.origin, 0, 0);
    let volume = Volume::new((&*artifact.tree, file), &directory, inventory);
    if directory.more > 0 {
        let what = format!("{} more containers see these files and are not named", directory.more);
        findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
    }
    let mut hashes = FileHashes::new(artifact, file);
    volume.node(&file.path, &mut hashes, findings);
    let mut problems = Vec::new();
    let mut visit = |path: &TreePath| {
        if directory.is_read_apart(path) {
            return Descend::Past;
        }
        volume.node(path, &mut hashes, findings);
        if directory.is_engine(path) { Descend::Past } else { Descend::Into }
    };
    let is_directory = artifact
        .tree
        .metadata(&file.path)
        .is_ok_and(|metadata| metadata.kind == FileKind::Directory);
    if is_directory {
        walk_below(&*artifact.tree, &file.path, &mut |path, _| visit(path), &mut |path, error| {
            problems.push((path, error));
        });
    }
    for (path, error) in problems {
        volume.problem(&path, &error, findings);
    }
    hashes.tell_larger(findings);
}

/// How a container sees the directory.
struct Seen {
    /// The container's name, else its id.
    name: String,
    path: Vec<u8>,
}

/// A mounted directory that is told.
struct Volume<'a> {
    tree: &'a dyn Tree,
    file: &'a ArtifactFile,
    directory: &'a MountedDirectory<'a>,
    subject: Subject,
    seen: Vec<Seen>,
}

impl<'a> Volume<'a> {
    fn new(
        (tree, file): (&'a dyn Tree, &'a ArtifactFile),
        directory: &'a MountedDirectory<'a>,
        inventory: &Inventory,
    ) -> Volume<'a> {
        let nearest = directory.seen_by.iter().filter(|seen| seen.is_nearest);
        let nearest: BTreeSet<&ContainerId> = nearest.map(|seen| &seen.container).collect();
        let only = nearest.first().filter(|_| nearest.len() == 1);
        let subject = only.map_or(Subject::UNKNOWN, |id| inventory.container_subject(id.as_str()));
        let seen = directory.seen_by.iter().map(|seen| {
            let id = seen.container.as_str();
            let name = inventory.container_subject(id).container_name;
            let name = Visible(name.as_deref().unwrap_or(id).as_bytes()).to_string();
            Seen { name, path: seen.path.clone() }
        });
        Volume { tree, file, directory, subject, seen: seen.collect() }
    }

    fn problem(&self, path: &TreePath, error: &EvidenceError, findings: &mut dyn Findings) {
        let place = self.file.origin_of(path).at(Position::File);
        findings.issue(Issue::new(error.issue_kind(), place, error.to_string()));
    }

    /// Tells the node at a place, which is the directory itself or lies in it.
    fn node(&self, place: &TreePath, hashes: &mut FileHashes<'_>, findings: &mut dyn Findings) {
        let metadata = match self.tree.metadata(place) {
            Ok(metadata) => metadata,
            Err(error) => return self.problem(place, &error, findings),
        };
        findings.records(&self.file.origin, 1, 0);
        let hash = hashes.of(place, &metadata, findings);
        let below = below(place, &self.file.path);
        let Some(path) = joined(&self.directory.inside, below) else { return };
        let seen: Vec<(&str, Vec<u8>)> = self.seen.iter().map(|seen| seen.at(below)).collect();
        let (path, link_target) = (path.to_string(), self.link_target(place, &metadata));
        let seen_at: Vec<String> =
            seen.iter().map(|(name, path)| format!("{name}:{}", shown(path))).collect();
        let text = self.text((&path, link_target.as_deref()), &metadata, &seen_at);
        let tags = self.tags((place, &path), &metadata, &seen);
        let event = FileEvent {
            origin: &self.file.origin_of(place),
            position: Position::File,
            kind: &FILE,
            subject: &self.subject,
            action: "file",
            text: &text,
            path: &path,
            metadata: &metadata,
            link_target: link_target.as_deref(),
            layer: None,
            volume: Some(OfVolume { name: &self.directory.name.text, seen_at: &seen_at }),
            sha256: hash.as_deref(),
            tags: &tags,
        };
        event.tell(findings);
    }

    fn link_target(&self, place: &TreePath, metadata: &Metadata) -> Option<String> {
        if metadata.kind != FileKind::SymbolicLink {
            return None;
        }
        let target = self.tree.link_target(place).ok()?;
        Some(Visible(&target).to_string())
    }

    /// `regular file in volume pgdata: /table.db, seen as web:/data/table.db`
    fn text(
        &self,
        (path, link_target): (&str, Option<&str>),
        metadata: &Metadata,
        seen_at: &[String],
    ) -> String {
        let (kind, name) = (metadata.kind.name(), &self.directory.name);
        let holder = if name.is_volume { "volume" } else { "bind mount" };
        let target = link_target.map(|target| format!(" -> {target}")).unwrap_or_default();
        let seen = match seen_at {
            [] => ", of no container that exists".to_owned(),
            paths => format!(", seen as {}", paths.join(", ")),
        };
        format!("{kind} in {holder} {}: {path}{target}{seen}", name.text)
    }

    /// The tags of the file under any of its paths.
    fn tags(
        &self,
        (place, path): (&TreePath, &str),
        metadata: &Metadata,
        seen: &[(&str, Vec<u8>)],
    ) -> Vec<&'static str> {
        let above = place.parent().and_then(|above| self.tree.metadata(&above).ok());
        let directory_modified = above.and_then(|above| above.modified);
        let on_host = (!self.directory.name.is_volume)
            .then(|| [self.directory.name.text.as_bytes(), path.as_bytes()].concat());
        let own = Some(path.as_bytes().to_vec()).filter(|_| seen.is_empty());
        let paths = seen.iter().map(|(_, path)| path).chain(&on_host).chain(&own);
        let suspects: Vec<Suspect<'_>> = paths
            .map(|path| {
                let (class, below, is_copy) = (Class::Added, None, false);
                Suspect { path, class, metadata, below, is_copy, directory_modified }
            })
            .collect();
        suspicious::tags_of_any(&suspects).collect()
    }
}

impl Seen {
    /// The path of what lies below.
    fn at(&self, below: &[u8]) -> (&str, Vec<u8>) {
        let above = self.path.strip_suffix(b"/").unwrap_or(&self.path);
        let path = match below {
            b"" => self.path.clone(),
            below => [above, b"/", below].concat(),
        };
        (&self.name, path)
    }
}

/// What of a path lies below a directory, without a leading `/`.
fn below<'p>(place: &'p TreePath, directory: &TreePath) -> &'p [u8] {
    let rest = place.as_bytes().get(directory.as_bytes().len()..).unwrap_or_default();
    rest.strip_prefix(b"/").unwrap_or(rest)
}

fn joined(inside: &TreePath, below: &[u8]) -> Option<TreePath> {
    match below {
        b"" => Some(inside.clone()),
        below => inside.below(below),
    }
}

/// A path of a container as [`TreePath`] shows one.
fn shown(path: &[u8]) -> String {
    match TreePath::parse(path) {
        Some(path) => path.to_string(),
        None => Visible(path).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::Asked;
    use crate::case::{Case, Outcome};
    use serde_json::{Value, json};

    const WEB: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const DB: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const BINDS: Asked = Asked { bind_mounts: true, hash: None };

    fn container(case: Case, (id, name): (&str, &str), mounts: &Value) -> Case {
        let root = "var/lib/docker";
        let log = format!("/{root}/containers/{id}/{id}-json.log");
        let config = json!({"ID": id, "Name": name, "LogPath": log, "MountPoints": mounts});
        case.with(&format!("{root}/containers/{id}/config.v2.json"), config.to_string())
    }

    fn volume(name: &str) -> Value {
        json!({"Type": "volume", "Name": name, "Driver": "local", "RW": true})
    }

    fn bind(source: &str) -> Value {
        json!({"Type": "bind", "Source": source, "RW": true})
    }

    /// Of each event the path in its volume, its container, and who sees it where.
    fn told(outcome: &Outcome) -> Vec<String> {
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or("-").to_owned();
        let mut told: Vec<String> = outcome
            .events
            .iter()
            .map(|event| {
                let paths = event.get("container_paths").and_then(Value::as_array);
                let paths = paths.into_iter().flatten().filter_map(Value::as_str);
                let paths = paths.collect::<Vec<_>>().join(" ");
                let [volume, file, container] =
                    ["volume_name", "filename", "container_name"].map(|key| text(event, key));
                format!("{volume} {file} {container} {paths}")
            })
            .collect();
        told.sort();
        told
    }

    #[test]
    fn a_file_has_the_container_that_alone_mounts_it_and_the_paths_of_all_that_do() {
        let case = Case::default()
            .with("var/lib/docker/volumes/own/_data/a", "a")
            .with("var/lib/docker/volumes/shared/_data/d/b", "b")
            .with("var/lib/docker/volumes/nobody/_data/etc/cron.d/job", "c");
        let mounts = json!({"/own": volume("own"), "/s/": volume("shared")});
        let case = container(case, (WEB, "/web"), &mounts);
        let case = container(case, (DB, "/db"), &json!({"/data": volume("shared")}));
        let outcome = case.read("files.volume");
        assert_eq!(
            told(&outcome),
            [
                "nobody /etc/cron.d/job - ",
                "own /a web web:/own/a",
                "shared /d/b - web:/s/d/b db:/data/d/b",
            ]
        );
        let job = &outcome.events.iter().find(|event| event["volume_name"] == "nobody").unwrap();
        assert_eq!(job["tag"], json!(["suspicious-file:cron"]));
        assert_eq!(
            job["message"],
            "regular file in volume nobody: /etc/cron.d/job, of no container that exists"
        );
    }

    #[test]
    fn the_target_of_a_link_loses_no_byte() {
        let outcome = Case::default()
            .with_link("var/lib/docker/volumes/v/_data/link", b"/caf\xe9\n\\")
            .with("var/lib/docker/volumes/metadata.db", "")
            .read("files.volume");
        let told = r"symbolic link in volume v: /link -> /caf\xe9\x0a\x5c, of no container";
        assert!(outcome.issues.iter().any(|it| it.contains(told)), "{:?}", outcome.issues);
    }

    #[test]
    fn a_bind_mount_is_read_when_it_is_asked_for_and_each_file_once() {
        let case = || {
            let case = Case::default()
                .with("srv/app/conf", "a")
                .with("srv/app/inner/x", "b")
                .with("var/lib/docker/volumes/v/_data/f", "c");
            let mounts = json!({"/all": bind("/srv"), "/app": bind("/srv/app/"),
                "/in": bind("/srv/app/inner"), "/root": bind("/"), "/p": bind("/proc/1"),
                "/docker": bind("/var/lib/docker"), "/gone": bind("/opt/gone"),
                "/v": bind("/var/lib/docker/volumes/v/_data")});
            container(case, (WEB, "/web"), &mounts)
        };
        let outcome = case().read_asked("files.volume", BINDS);
        assert_eq!(
            told(&outcome),
            [
                "/srv/app /conf web web:/app/conf web:/all/app/conf",
                "/srv/app/inner /x web web:/in/x web:/app/inner/x web:/all/app/inner/x",
                "v /f web web:/v/f",
            ]
        );
        let why = |part: &str| outcome.unclaimed.iter().filter(|why| why.contains(part)).count();
        assert_eq!((why("the whole host"), why("not of a disk"), why("of the engine")), (1, 1, 1));
        assert_eq!(why("/opt/gone of the host is mounted at /gone: not in the evidence"), 1);
        let outcome = case().read("files.volume");
        assert_eq!(told(&outcome), ["v /f web web:/v/f"]);
        let hints = outcome.unclaimed.iter().filter(|why| why.contains("--bind-mounts reads it"));
        assert_eq!(hints.count(), 3);
    }

    #[test]
    fn a_volume_that_is_a_bind_mount_itself_is_read_where_it_lies() {
        let options = r#"{"MountType":"none","MountOpts":"bind","MountDevice":"/srv/app"}"#;
        let share =
            r#"{"MountType":"cifs","MountOpts":"addr=10.0.0.9","MountDevice":"//10.0.0.9/s"}"#;
        let case = Case::default()
            .with("srv/app/x", "a")
            .with("var/lib/docker/volumes/b/opts.json", options)
            .at("2026-01-02T00:00:00Z", "var/lib/docker/volumes/b/_data/", "")
            .with("var/lib/docker/volumes/c/opts.json", share)
            .at("2026-01-02T00:00:00Z", "var/lib/docker/volumes/c/_data/", "");
        let case = container(case, (WEB, "/web"), &json!({"/b": volume("b")}));
        let outcome = case.read_asked("files.volume", BINDS);
        assert_eq!(told(&outcome), ["b / web web:/b", "b /x web web:/b/x", "c / - "]);
        let share =
            "the files of volume c lie on //10.0.0.9/s (cifs), which is mounted when it is used";
        assert!(outcome.unclaimed.iter().any(|why| why == share), "{:?}", outcome.unclaimed);
    }

    #[test]
    fn volumes_of_an_engine_in_a_volume_are_told_once_and_seen_through_both() {
        let outer = "var/lib/docker/volumes/dind/_data";
        let inner = json!({"ID": DB, "Name": "/db", "MountPoints": {"/data": volume("pg")}});
        let case = Case::default()
            .with(&format!("{outer}/containers/{DB}/config.v2.json"), inner.to_string())
            .with(&format!("{outer}/volumes/pg/_data/t"), "a");
        let case = container(case, (WEB, "/web"), &json!({"/var/lib/docker": volume("dind")}));
        let outcome = case.read("files.volume");
        let config = format!("/containers/{DB}/config.v2.json");
        assert_eq!(
            told(&outcome),
            [
                format!("dind {config} web web:/var/lib/docker{config}"),
                "pg /t db db:/data/t web:/var/lib/docker/volumes/pg/_data/t".to_owned(),
            ]
        );
    }

    #[test]
    fn a_part_of_a_volume_is_seen_by_who_mounts_that_part() {
        let mut part = volume("v");
        part["Spec"] = json!({"VolumeOptions": {"Subpath": "sub"}});
        let mut out = volume("v");
        out["Spec"] = json!({"VolumeOptions": {"Subpath": "../../x"}});
        let case = Case::default()
            .with("var/lib/docker/volumes/v/_data/a", "a")
            .with("var/lib/docker/volumes/v/_data/sub/b", "b");
        let case = container(case, (WEB, "/web"), &json!({"/part": part, "/out": out}));
        let case = container(case, (DB, "/db"), &json!({"/all": volume("v")}));
        assert_eq!(
            told(&case.read("files.volume")),
            ["v /a db db:/all/a", "v /sub/b web web:/part/b db:/all/sub/b"]
        );
    }

    #[test]
    fn contents_are_hashed_when_that_is_asked_for_and_large_ones_are_counted() {
        let case = Case::default()
            .with("var/lib/docker/volumes/v/_data/empty", "")
            .with("var/lib/docker/volumes/v/_data/large", "12345")
            .with_link("var/lib/docker/volumes/v/_data/link", "empty")
            .with("var/lib/docker/volumes/metadata.db", "");
        let asked = Asked { bind_mounts: false, hash: Some(4) };
        let outcome = case.read_asked("files.volume", asked);
        let hashes: Vec<&str> =
            outcome.events.iter().filter_map(|event| event["sha256_hash"].as_str()).collect();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hashes, [empty]);
        let larger = "1 files of more than 4 bytes were not hashed (limit reached)";
        assert!(outcome.issues.iter().any(|issue| issue.ends_with(larger)), "{:?}", outcome.issues);
    }
}
