//! Virtual disks that lie as files in the evidence: those in which an engine on Windows or macOS
//! keeps its Linux, and on demand all others.
//!
//! | disk | of | place that it is made at |
//! |---|---|---|
//! | `MobyLinuxVM.vhdx` | Docker for Windows to 18.x | `C:\Users\Public\Documents\Hyper-V\Virtual hard disks` |
//! | `DockerDesktop.vhdx` | Docker Desktop with Hyper-V | `%PROGRAMDATA%\DockerDesktop\vm-data` |
//! | `ext4.vhdx` | Docker Desktop with WSL: `docker-desktop-data` to 4.29, `docker-desktop` | `%LOCALAPPDATA%\Docker\wsl\{data,distro,main}` |
//! | `docker_data.vhdx` | the same from 4.30 on | `%LOCALAPPDATA%\Docker\wsl\disk` |
//! | `Docker.qcow2`, `Docker.raw` | Docker Desktop for macOS and Linux | `~/Library/Containers/com.docker.docker/Data`, `~/.docker/desktop/vms/0/data` |
//! | `ext4.vhdx` | any distribution of WSL, in which an engine may run; Rancher Desktop; machines of Podman | `%LOCALAPPDATA%\Packages\…\LocalState`, `%LOCALAPPDATA%\rancher-desktop\distro-data`, `~\.local\share\containers\podman\machine\wsl\wsldist\…` |
//! | `podman-machine-default*.qcow2`, `.raw` | machines of Podman on macOS and Linux (unconfirmed) | `~/.local/share/containers/podman/machine` |
//! | `diffdisk`, `basedisk` | Lima: Rancher Desktop, Colima (unconfirmed) | `~/.lima/<vm>`, `…/rancher-desktop/lima/<vm>` |
//!
//! These names are looked for in any case and anywhere, since users move the disks, and old ones stay
//! behind; each is read, and its events name it. The two unconfirmed ones are opened when they are
//! disks by their content. Disks that the registry gives other names: [`named_disks`](super::named_disks).
//!
//! Bundles of diagnostics that a user of Docker Desktop once collected are zip archives with older
//! logs and settings of the same host, and are opened alike.

use super::Subtree;
use super::host::Hosts;
use dockline_evidence::TreePath;
use std::sync::Arc;

/// Which virtual disks inside the evidence are opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nested {
    /// Those that are known to hold a container engine, by their names.
    #[default]
    Known,
    /// Every regular file that is a disk by its content.
    All,
    /// None.
    Never,
}

/// Disks in disks in disks: more is not looked for.
pub const MAX_DEPTH: usize = 4;

/// Names of such files, in lower case: Windows does not tell the cases apart.
const NAMES: &[&str] = &[
    "docker_data.vhdx",
    "ext4.vhdx",
    "dockerdesktop.vhdx",
    "mobylinuxvm.vhdx",
    "docker.raw",
    "docker.qcow2",
];

/// Other names, in lower case, with the directory somewhere above in which they mean such a disk.
const PLACES: &[(&str, &str, &str)] = &[
    ("machine", "podman-machine", ".qcow2"),
    ("machine", "podman-machine", ".raw"),
    ("lima", "diffdisk", ""),
    ("lima", "basedisk", ""),
    (".lima", "diffdisk", ""),
    (".lima", "basedisk", ""),
];

/// Whether a file of this path lies where a known program keeps its disk.
fn is_in_place(path: &TreePath) -> bool {
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    let fits = |(directory, begin, end): &&(&str, &str, &str)| {
        name.starts_with(begin.as_bytes())
            && name.ends_with(end.as_bytes())
            && path.components().any(|above| above.eq_ignore_ascii_case(directory.as_bytes()))
    };
    PLACES.iter().any(|place| fits(&place))
}

/// What a file is to the search for virtual disks.
pub(super) enum Candidate {
    /// It is one, by its name.
    Known,
    /// Its content has to be asked; it may be a disk of this host's engine.
    InPlace,
    /// Its content has to be asked; it may be a disk of another host.
    Possible,
    /// A bundle of diagnostics, by its name; its content has to be asked.
    Bundle,
}

impl Candidate {
    /// Whose disk it is, when that is not left to what lies in it: the disk of a host's own engine
    /// belongs to that host, whatever a system in it calls itself.
    pub(super) fn host(
        &self,
        path: &TreePath,
        subtree: &Subtree,
        hosts: &mut Hosts<'_>,
    ) -> Option<Arc<str>> {
        match self {
            Candidate::Known | Candidate::InPlace | Candidate::Bundle => {
                Some(hosts.of(&path.parent().unwrap_or_else(TreePath::root)))
            }
            Candidate::Possible => subtree.host.clone(),
        }
    }
}

impl Nested {
    /// What the regular file of this path is; `is_named` says whether the host names it as a disk.
    pub(super) fn candidate(
        self,
        path: &TreePath,
        is_named: impl FnOnce() -> bool,
    ) -> Option<Candidate> {
        if self == Nested::Never {
            return None;
        }
        let name = path.file_name()?;
        if NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
            return Some(Candidate::Known);
        }
        if is_in_place(path) || is_named() {
            return Some(Candidate::InPlace);
        }
        if is_bundle(name) {
            return Some(Candidate::Bundle);
        }
        (self == Nested::All).then_some(Candidate::Possible)
    }
}

/// Whether a file of this name may be a bundle of diagnostics: a stamp of fourteen digits, as
/// Docker Desktop leaves them in directories for temporary files, or what its user called one.
fn is_bundle(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(stem) = name.strip_suffix(b".zip") else { return false };
    let is_stamp = stem.len() == 14 && stem.iter().all(u8::is_ascii_digit);
    is_stamp || stem.windows(11).any(|part| part == b"diagnostics")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Reading, Subtree, plan};
    use dockline_evidence::MemoryTree;

    /// What is planned of a tree that lies in so many disks, and holds one.
    fn planned(depth: usize) -> Plan {
        let image = include_bytes!("../../../testdata/evidence/images/ext2.zst");
        let subtree = Subtree {
            evidence: Arc::from("disk"),
            prefix: Arc::from("/p1"),
            host: None,
            fallback_host: Arc::from("disk"),
            depth,
            tree: Arc::new(MemoryTree::new().with_file("vms/Docker.raw", *image, None)),
        };
        plan(&[subtree], &|_| true, &Reading::default())
    }

    #[test]
    fn a_disk_in_too_many_others_is_told_and_not_opened() {
        let opened = planned(MAX_DEPTH - 1);
        let names: Vec<&str> = opened.nested.iter().map(|disk| &*disk.name).collect();
        assert_eq!(names, ["disk:/p1/vms/Docker.raw"]);
        assert_eq!(opened.issues, []);
        let refused = planned(MAX_DEPTH);
        assert!(refused.nested.is_empty());
        let told: Vec<String> = refused.issues.iter().map(ToString::to_string).collect();
        let what = "a disk in 4 others is not opened (limit reached)";
        assert_eq!(told, [format!("disk:/p1/vms/Docker.raw: {what}")]);
    }
}
