//! Virtual disks that lie as files in the evidence: those in which an engine on Windows or macOS
//! keeps its Linux, and on demand all others.
//!
//! Docker Desktop 2.x to 4.36 keeps its data in the files named here, below `%LOCALAPPDATA%\Docker\wsl`,
//! `%PROGRAMDATA%\DockerDesktop\vm-data`, `~/Library/Containers/com.docker.docker/Data/vms/0` or
//! `~/.docker/desktop/vms/0`, or wherever its user moved them. `ext4.vhdx` is also the disk of any
//! other distribution of WSL 2, in which an engine may run, too.

use dockline_evidence::TreePath;

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

/// What a file is to the search for virtual disks.
pub(super) enum Candidate {
    /// It is one, by its name.
    Known,
    /// Its content has to be asked.
    Possible,
}

impl Nested {
    /// What the regular file of this path is.
    pub(super) fn candidate(self, path: &TreePath) -> Option<Candidate> {
        if self == Nested::Never {
            return None;
        }
        let name = path.file_name()?;
        if NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
            return Some(Candidate::Known);
        }
        (self == Nested::All).then_some(Candidate::Possible)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Reading, Subtree, plan};
    use dockline_evidence::MemoryTree;
    use std::sync::Arc;

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
