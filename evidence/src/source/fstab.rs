//! `/etc/fstab`: which file system a host mounts where. Written by its installer and its
//! administrators; read by mount(8) and systemd-fstab-generator(8) at every start. Format: fstab(5)
//! of util-linux 2.41.
//!
//! Not read: mount units of systemd that nobody wrote here, bind mounts, and subvolumes.

use super::Identity;
use crate::read_at::read_up_to;
use crate::{EvidenceError, Tree, TreePath};

/// Bytes of the file that are read.
const SIZE_LIMIT: u64 = 1 << 20;
/// Mounts of one host that are followed.
const MAX_MOUNTS: usize = 256;
/// File systems that lie on a disk and are read, and what stands for any of them.
const READ: &[&str] = &["ext2", "ext3", "ext4", "xfs", "ntfs", "ntfs3", "ntfs-3g", "auto"];

/// One line of the table, for a file system other than the root's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// As it is written there: `UUID=…`, `/dev/mapper/vg0-var`.
    pub(super) device: String,
    pub(super) directory: TreePath,
}

/// Whether this is the root of a host.
pub(super) fn is_root(tree: &dyn Tree) -> bool {
    path().is_some_and(|path| tree.metadata(&path).is_ok())
}

fn path() -> Option<TreePath> {
    TreePath::parse(b"etc/fstab")
}

/// What the table of this tree mounts below its root, nothing where there is none; and what is
/// wrong with the table.
pub(super) fn read(tree: &dyn Tree) -> (Vec<Mount>, Vec<EvidenceError>) {
    let Some(path) = path() else { return Default::default() };
    match tree.open(&path).and_then(|file| Ok(read_up_to(&*file, SIZE_LIMIT)?)) {
        Err(EvidenceError::NotFound | EvidenceError::WrongKind { .. }) => Default::default(),
        Err(error) => (Vec::new(), vec![error]),
        Ok((bytes, _)) => {
            let text = String::from_utf8_lossy(&bytes);
            let mounts = text.lines().filter_map(parse).take(MAX_MOUNTS).collect();
            (mounts, tree.damage(&path))
        }
    }
}

fn parse(line: &str) -> Option<Mount> {
    let mut fields = line.split_ascii_whitespace();
    let device = fields.next().filter(|device| !device.starts_with('#'))?;
    let directory = fields.next().filter(|directory| directory.starts_with('/'))?;
    let kind = fields.next().unwrap_or("auto");
    let options = fields.next().unwrap_or_default();
    let is_bind = options.split(',').any(|option| matches!(option, "bind" | "rbind"));
    let is_read = kind.split(',').any(|kind| READ.contains(&kind));
    let directory = TreePath::parse(&unescape(directory)).filter(|path| !path.is_root())?;
    (is_read && !is_bind).then(|| Mount { device: device.to_owned(), directory })
}

/// `\040` is a space.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..3).filter(|_| *first == b'\\');
        let code = escape.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

impl Mount {
    /// Whether the table means this file system.
    pub(super) fn names(&self, identity: &Identity) -> bool {
        let same = |one: &Option<String>, text: &str| {
            one.as_deref().is_some_and(|one| one.eq_ignore_ascii_case(text))
        };
        let device = self.device.as_str();
        let tag = device.split_once('=').map(|(tag, text)| (tag, text.trim_matches('"')));
        match tag.or_else(|| by_link(device)) {
            Some(("UUID", uuid)) => same(&identity.uuid, uuid),
            Some(("LABEL", label)) => identity.label.as_deref() == Some(label),
            Some(("PARTUUID", uuid)) => same(&identity.part_uuid, uuid),
            Some(("PARTLABEL", label)) => identity.part_label.as_deref() == Some(label),
            Some(("PARTITION", number)) => identity.device_names.iter().any(|name| name == number),
            _ => identity.device_names.iter().any(|name| name == device),
        }
    }

    /// Whether it names a partition by nothing but its number on some disk.
    pub(super) fn is_by_number(&self) -> bool {
        matches!(by_link(&self.device), Some(("PARTITION", _)))
    }
}

/// The tag that a name of a device stands for. Which disk `/dev/sda` was is not known any more, but
/// the number of its partition is.
fn by_link(device: &str) -> Option<(&'static str, &str)> {
    const LINKS: [(&str, &str); 4] = [
        ("/dev/disk/by-uuid/", "UUID"),
        ("/dev/disk/by-label/", "LABEL"),
        ("/dev/disk/by-partuuid/", "PARTUUID"),
        ("/dev/disk/by-partlabel/", "PARTLABEL"),
    ];
    if let Some(found) =
        LINKS.iter().find_map(|(link, tag)| Some((*tag, device.strip_prefix(link)?)))
    {
        return Some(found);
    }
    let disk = ["sd", "vd", "xvd", "hd", "nvme", "mmcblk"];
    let name = device.strip_prefix("/dev/")?;
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = name.get(stem.len()..).filter(|number| !number.is_empty())?;
    disk.iter().any(|disk| name.starts_with(disk)).then_some(("PARTITION", number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryTree;

    const TABLE: &str = "# <device> <dir> <type>
UUID=1111 / ext4 errors=remount-ro 0 1
UUID=2222  /var\txfs  defaults 0 2
LABEL=\"data\" /srv/my\\040data auto nofail 0 0
/dev/mapper/vg0-docker /var/lib/docker ext4 defaults
/dev/sdb3 /mnt ext4
/dev/disk/by-partuuid/abcd-02 /opt ext4
tmpfs /tmp tmpfs size=1g 0 0
/var/lib/docker /docker none bind 0 0
UUID=3333 none swap sw 0 0
nas:/export /home nfs defaults 0 0
UUID=4444 /../x ext4
short
";

    #[test]
    fn the_lines_that_mount_a_disk_below_the_root_are_taken() {
        let tree = MemoryTree::new().with_file("etc/fstab", TABLE, None);
        let (mounts, damage) = read(&tree);
        assert!(damage.is_empty());
        let taken: Vec<String> =
            mounts.iter().map(|mount| format!("{} {}", mount.device, mount.directory)).collect();
        assert_eq!(
            taken,
            [
                "UUID=2222 /var",
                "LABEL=\"data\" /srv/my data",
                "/dev/mapper/vg0-docker /var/lib/docker",
                "/dev/sdb3 /mnt",
                "/dev/disk/by-partuuid/abcd-02 /opt",
            ]
        );
        assert!(is_root(&tree) && !is_root(&MemoryTree::new()));
    }

    #[test]
    fn a_file_system_is_named_by_any_of_its_names() {
        let identity = Identity {
            uuid: Some("AAAA-bbbb".to_owned()),
            label: Some("data".to_owned()),
            part_uuid: Some("abcd-02".to_owned()),
            part_label: Some("Docker".to_owned()),
            device_names: vec!["/dev/vg0/docker".to_owned(), "3".to_owned()],
        };
        let names = |device: &str| {
            let directory = TreePath::parse(b"mnt").unwrap();
            Mount { device: device.to_owned(), directory }.names(&identity)
        };
        for device in [
            "UUID=aaaa-BBBB",
            "LABEL=data",
            "PARTUUID=ABCD-02",
            "PARTLABEL=\"Docker\"",
            "/dev/vg0/docker",
            "/dev/nvme0n1p3",
            "/dev/sda3",
            "/dev/disk/by-uuid/aaaa-bbbb",
        ] {
            assert!(names(device), "{device}");
        }
        for device in ["UUID=", "LABEL=Data", "/dev/sda13", "/dev/sda", "/dev/dm-3", "PARTUUID="] {
            assert!(!names(device), "{device}");
        }
        assert!(
            !Mount { device: "UUID=x".to_owned(), directory: TreePath::root() }
                .names(&Identity::default())
        );
    }
}
