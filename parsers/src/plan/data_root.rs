//! What engines there are on the hosts of a plan, and where their data roots lie.

use super::{Plan, Planned};
use crate::ArtifactFile;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// First directories of paths that patterns give from the root of a host: what lies there belongs
/// to the host, not to a data root.
const OF_HOST: &[&[u8]] =
    &[b"etc", b"home", b"lib", b"opt", b"root", b"run", b"srv", b"tmp", b"usr", b"var"];

/// First directories of patterns for settings of an engine, which lie wherever a host or a user
/// keeps settings.
const OF_SETTINGS: &[&[u8]] =
    &[b"docker", b".docker", b"snap", b"systemd", b"containerd", b"containers"];
/// Parsers of such settings.
const SETTINGS_PARSERS: &[&str] = &["docker.engine", "podman.containers_conf", "podman.quadlet"];

/// A directory in which an engine keeps what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataRoot {
    /// Name of the host.
    pub host: Arc<str>,
    /// Name of the evidence.
    pub evidence: Arc<str>,
    /// Its path there, as places show it.
    pub path: String,
    /// Families of the parsers that read it, such as `docker`.
    pub engines: BTreeSet<&'static str>,
    /// Storage drivers or snapshotters of which something is there.
    pub drivers: BTreeSet<String>,
    /// Containers of which something is there.
    pub containers: usize,
    /// Files that parsers read.
    pub files: usize,
}

/// By what a data root is told from others: host, evidence, path.
type Key = (Arc<str>, Arc<str>, String);

impl Plan {
    /// The data roots, by host, evidence and path.
    #[must_use]
    pub fn data_roots(&self) -> Vec<DataRoot> {
        let mut roots: BTreeMap<Key, (DataRoot, BTreeSet<&str>)> = BTreeMap::new();
        for planned in &self.planned {
            for file in planned.artifact.files.iter().filter(|file| is_below(planned, file)) {
                let key = key(planned, file);
                let (root, containers) = roots
                    .entry(key.clone())
                    .or_insert_with(|| (DataRoot::new(key), BTreeSet::new()));
                root.engines.insert(family(planned));
                root.files = root.files.saturating_add(1);
                let driver = file.capture("driver").or(file.capture("snapshotter"));
                root.drivers.extend(driver.map(str::to_owned));
                containers.extend(file.capture("container"));
            }
        }
        let finished = roots.into_values().map(|(mut root, containers)| {
            root.containers = containers.len();
            root
        });
        finished.collect()
    }
}

impl DataRoot {
    fn new((host, evidence, path): Key) -> DataRoot {
        DataRoot {
            host,
            evidence,
            path,
            engines: BTreeSet::new(),
            drivers: BTreeSet::new(),
            containers: 0,
            files: 0,
        }
    }
}

/// The part of a parser's name that says whose artifacts it reads.
fn family(planned: &Planned) -> &'static str {
    let name = planned.parser.name;
    name.split_once('.').map_or(name, |(family, _)| family)
}

/// Whether the file lies in a data root, and not where all hosts keep such files.
fn is_below(planned: &Planned, file: &ArtifactFile) -> bool {
    if ["host", "desktop", "files"].contains(&family(planned)) {
        return false;
    }
    let depth = planned.artifact.root.components().count();
    let first = file.path.components().nth(depth);
    let of_settings = SETTINGS_PARSERS.contains(&planned.parser.name);
    let is_setting = |first| of_settings && OF_SETTINGS.contains(&first);
    first.is_some_and(|first| !OF_HOST.contains(&first) && !is_setting(first))
}

fn key(planned: &Planned, file: &ArtifactFile) -> Key {
    let origin = &file.origin;
    let path = format!("{}{}", file.prefix(), planned.artifact.root);
    (origin.host.clone(), origin.evidence.clone(), path)
}

#[cfg(test)]
mod tests {
    use crate::plan::{Reading, Subtree, plan};
    use dockline_evidence::MemoryTree;
    use std::sync::Arc;

    #[test]
    fn a_data_root_is_told_with_its_drivers_and_containers() {
        let (one, other) = ("a1".repeat(32), "b2".repeat(32));
        let mut tree = MemoryTree::new().with_file("etc/docker/daemon.json", "{}", None);
        for path in [
            format!("var/lib/docker/containers/{one}/config.v2.json"),
            format!("var/lib/docker/containers/{one}/hostconfig.json"),
            format!("var/lib/docker/containers/{other}/config.v2.json"),
            "var/lib/docker/image/overlay2/repositories.json".to_owned(),
            "var/lib/docker/image/vfs/repositories.json".to_owned(),
            "srv/copy/image/aufs/repositories.json".to_owned(),
            "Users/ada/AppData/Roaming/Docker/settings.json".to_owned(),
        ] {
            tree = tree.with_file(&path, "{}", None);
        }
        let subtree = Subtree {
            evidence: Arc::from("web1.raw"),
            prefix: Arc::from("/p2"),
            host: None,
            fallback_host: Arc::from("web1"),
            depth: 0,
            tree: Arc::new(tree),
        };
        let roots = plan(&[subtree], &|_| true, &Reading::default()).data_roots();
        let told: Vec<(&str, Vec<&str>, usize, usize)> = roots
            .iter()
            .map(|root| {
                let drivers = root.drivers.iter().map(String::as_str).collect();
                (root.path.as_str(), drivers, root.containers, root.files)
            })
            .collect();
        let expected = [
            ("/p2/srv/copy", vec!["aufs"], 0, 1),
            ("/p2/var/lib/docker", vec!["overlay2", "vfs"], 2, 5),
        ];
        assert_eq!(told, expected);
        assert!(roots.iter().all(|root| root.engines.iter().eq(["docker"].iter())));
        assert!(roots.iter().all(|root| (&*root.host, &*root.evidence) == ("web1", "web1.raw")));
    }
}
