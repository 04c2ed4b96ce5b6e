//! Volumes of the pods of Kubernetes: `<kubelet>/pods/<uid>/volumes/<plugin>/<volume>`.
//!
//! The kubelet makes such a directory for each volume of a pod: an `emptyDir` lies in it
//! (`kubernetes.io~empty-dir`), ConfigMaps and what the API tells the pod are written there; a volume of
//! a network or of another disk is mounted onto it. Secrets are only in memory. A container that wants a
//! part of a volume has that mounted from `volume-subpaths/<volume>/<container>/<number>`, where a disk has
//! nothing, and nothing says which part it was. A `hostPath` is a directory of the host like any other.
//!
//! kubernetes 1.34 `pkg/kubelet/kubelet_getters.go`, `pkg/volume/util/subpath/subpath_linux.go`.

use super::super::Claim;
use super::Name;
use dockline_evidence::{FileKind, Tree, TreePath};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names of pods, `<namespace>/<name>`, by their id.
pub(super) type Pods = BTreeMap<String, String>;

/// What of a pod a container mounts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OfPod<'p> {
    /// A volume, or what lies in it.
    Volume { uid: &'p str, volume: &'p str },
    /// A part of the volume.
    Part { volume: &'p str },
}

impl<'p> OfPod<'p> {
    /// What the path on the host says.
    pub(super) fn of(source: &'p str) -> Option<OfPod<'p>> {
        let (_, inner) = source.split_once("/kubelet/pods/")?;
        let mut parts = inner.split('/');
        let (uid, kind) = (parts.next()?, parts.next()?);
        match (kind, parts.next()?, parts.next()?) {
            ("volumes", _, volume) => Some(OfPod::Volume { uid, volume }),
            ("volume-subpaths", volume, _) => Some(OfPod::Part { volume }),
            _ => None,
        }
    }
}

/// The name of a volume of a pod: `shop/web-0/data`; with the pod's id where its name is not known.
pub(super) fn name((uid, volume): (&str, &str), pods: &Pods) -> Name {
    let pod = pods.get(uid).map_or(uid, String::as_str);
    Name { text: format!("{pod}/{volume}"), is_volume: true }
}

/// A volume that lies on the disk.
pub(super) struct PodVolume {
    pub(super) tree: Arc<dyn Tree>,
    pub(super) path: TreePath,
    pub(super) name: Name,
}

/// The volumes of all pods of the kubelets among `claims`.
pub(super) fn volumes(claims: &[Claim], pods: &Pods) -> Vec<PodVolume> {
    let (mut found, mut known) = (Vec::new(), BTreeMap::<TreePath, Vec<_>>::new());
    for (_, artifact) in claims.iter().filter(|(parser, _)| *parser == "kubernetes.kubelet") {
        let (tree, root) = (&artifact.tree, &artifact.root);
        let seen = known.entry(root.clone()).or_default();
        if seen.iter().any(|seen| Arc::ptr_eq(seen, tree)) {
            continue;
        }
        seen.push(tree.clone());
        let all = root.below(b"kubelet/pods").map(|all| below(&**tree, &all)).unwrap_or_default();
        for (uid, pod) in all {
            for (volume, path) in of_pod(&**tree, &pod) {
                let name = name((&uid, &volume), pods);
                found.push(PodVolume { tree: tree.clone(), path, name });
            }
        }
    }
    found
}

fn of_pod(tree: &dyn Tree, pod: &TreePath) -> BTreeSet<(String, TreePath)> {
    let plugins = pod.join(b"volumes").map(|volumes| below(tree, &volumes)).unwrap_or_default();
    plugins.into_iter().flat_map(|(_, plugin)| below(tree, &plugin)).collect()
}

/// The directories in a directory.
fn below(tree: &dyn Tree, directory: &TreePath) -> Vec<(String, TreePath)> {
    let entries = tree.list(directory).unwrap_or_default();
    let directories = entries.into_iter().filter(|entry| entry.kind == FileKind::Directory);
    let named = |entry: dockline_evidence::Entry| {
        let path = directory.join(&entry.name)?;
        Some((String::from_utf8_lossy(&entry.name).into_owned(), path))
    };
    directories.filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_the_pod_and_the_volume() {
        let pods = "/var/lib/kubelet/pods/1";
        let of = |rest: &str| {
            let source = format!("{pods}/{rest}");
            OfPod::of(&source).map(|found| format!("{found:?}"))
        };
        let volume = r#"Volume { uid: "1", volume: "data" }"#;
        assert_eq!(of("volumes/kubernetes.io~empty-dir/data").as_deref(), Some(volume));
        assert_eq!(of("volumes/kubernetes.io~csi/data/mount").as_deref(), Some(volume));
        let part = r#"Part { volume: "data" }"#;
        assert_eq!(of("volume-subpaths/data/web/0").as_deref(), Some(part));
        assert_eq!(of("etc-hosts"), None);
        assert_eq!(of("containers/web/1a2b3c4d"), None);
        assert_eq!(OfPod::of("/srv/app"), None);
    }

    #[test]
    fn a_volume_is_named_after_its_pod() {
        let pods = Pods::from([("1".to_owned(), "shop/web-0".to_owned())]);
        assert_eq!(name(("1", "data"), &pods).text, "shop/web-0/data");
        assert_eq!(name(("2", "data"), &pods).text, "2/data");
    }
}
