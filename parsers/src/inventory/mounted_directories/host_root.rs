//! Where in a tree the root of the host is: the engine's own paths say where its data root was.
//!
//! Evidence may be a whole host, a folder with one in it, or a copied data root. An engine writes
//! down paths of its own: those of logs (`LogPath`), volumes (`Source`), of the whole data root
//! (libpod), of files of sandboxes (containerd's plugin for Kubernetes). What stands above the same path in the tree is the host; where the data root was copied
//! away from its path, nothing tells.

use super::mounts::Engine;
use dockline_evidence::TreePath;

/// Where engines keep their data when nobody says otherwise.
const DEFAULTS: &[&str] = &[
    "/var/lib/docker",
    "/var/lib/containers/storage",
    "/var/lib/containerd",
    "/var/lib/docker/containerd/daemon",
    "/var/lib/rancher/k3s/agent/containerd",
];

impl Engine {
    /// The root of the host in the tree.
    pub(super) fn host_root(&self) -> Option<TreePath> {
        let said = self.own_paths.iter().map(String::as_str);
        let paths = if self.own_paths.is_empty() { DEFAULTS.to_vec() } else { said.collect() };
        paths.into_iter().find_map(|path| without(&self.artifact.root, path))
    }
}

/// The directory below which `path` lies at `end`.
fn without(path: &TreePath, end: &str) -> Option<TreePath> {
    let end = TreePath::parse(end.as_bytes()).filter(|end| !end.is_root())?;
    let mut path = path.clone();
    for component in end.components().rev() {
        if path.file_name() != Some(component) {
            return None;
        }
        path = path.parent()?;
    }
    Some(path)
}

/// The data root, from the path of a file in the directory of a container: `<data
/// root>/containers/<id>/…`, `<data root>/<driver>-containers/<id>/…`.
pub(super) fn above_container(path: &str, id: &str) -> Option<String> {
    let (above, _) = path.split_once(&format!("/{id}/"))?;
    let (root, containers) = above.rsplit_once('/')?;
    containers.ends_with("containers").then(|| root.to_owned())
}

/// The data root, from the path of a volume.
pub(super) fn above_volume(path: &str, volume: &str) -> Option<String> {
    path.strip_suffix(&format!("/volumes/{volume}/_data")).map(str::to_owned)
}

/// The root of containerd, from the path of a file of a pod's sandbox; those of `/run` lie in its state.
pub(super) fn above_sandbox(path: &str) -> Option<String> {
    let (root, _) = path.split_once("/io.containerd.grpc.v1.cri/sandboxes/")?;
    (!root.starts_with("/run/")).then(|| root.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_above_the_data_root_that_the_engine_names() {
        let host = |path: &str, end: &str| {
            without(&TreePath::parse(path.as_bytes()).unwrap(), end).map(|path| path.to_string())
        };
        assert_eq!(host("var/lib/docker", "/var/lib/docker").as_deref(), Some("/"));
        assert_eq!(host("case/web1/srv/d", "/srv/d").as_deref(), Some("/case/web1"));
        assert_eq!(host("data/docker", "/var/lib/docker"), None);
        assert_eq!(host("docker", "/"), None);
        assert_eq!(host("", "/var/lib/docker"), None);
    }

    #[test]
    fn paths_of_containers_and_volumes_name_the_data_root() {
        let log = "/srv/d/containers/51a6/51a6-json.log";
        assert_eq!(above_container(log, "51a6").as_deref(), Some("/srv/d"));
        let log = "/home/a/storage/overlay-containers/51a6/userdata/ctr.log";
        assert_eq!(above_container(log, "51a6").as_deref(), Some("/home/a/storage"));
        assert_eq!(above_container("/var/log/51a6/x.log", "51a6"), None);
        assert_eq!(above_volume("/srv/d/volumes/v/_data", "v").as_deref(), Some("/srv/d"));
        assert_eq!(above_volume("/srv/app", "v"), None);
        let own = "/io.containerd.grpc.v1.cri/sandboxes/51a6/hostname";
        let root = "/var/lib/rancher/k3s/agent/containerd";
        assert_eq!(above_sandbox(&format!("{root}{own}")).as_deref(), Some(root));
        assert_eq!(above_sandbox(&format!("/run/k3s/containerd{own}")), None);
        assert_eq!(above_sandbox("/srv/app"), None);
    }
}
