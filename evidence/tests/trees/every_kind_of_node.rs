//! A directory with every kind of node that a container host has and an attacker could make, for
//! file systems that are made for a test.

use rustix::fs::{
    AtFlags, CWD, FallocateFlags, FileType, Mode, Timespec, Timestamps, XattrFlags, chownat,
    fallocate, lsetxattr, makedev, mknodat, utimensat,
};
use rustix::fs::{Gid, Uid};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;

/// How much of everything.
pub(crate) struct Amount {
    /// Files in the large directory.
    pub(crate) names: usize,
    /// Size of the sparse file in bytes.
    pub(crate) sparse: u64,
    /// Pieces of 4 KiB of each of two files that are written in turns.
    pub(crate) fragments: u64,
    /// Size of the largest extended attribute in bytes.
    pub(crate) attribute: usize,
}

/// Makes them all below `root`. What the file system refuses (a long link, a large attribute) is
/// not there: the mount is the truth.
pub(crate) fn make_every_kind_of_node(root: &Path, amount: &Amount) {
    names(root, amount.names);
    links_and_devices(root);
    contents(root, amount);
    attributes(root, amount.attribute);
    times(root);
}

fn names(root: &Path, count: usize) {
    let large = root.join("large directory");
    std::fs::create_dir(&large).unwrap();
    for number in 0..count {
        let name = format!("{number:05}-{}", "n".repeat(number % 40));
        std::fs::write(large.join(name), &number.to_le_bytes()[..number % 9]).unwrap();
    }
    // Holes in the directory.
    for number in (0..count).filter(|number| number % 7 == 0) {
        let name = format!("{number:05}-{}", "n".repeat(number % 40));
        std::fs::remove_file(large.join(name)).unwrap();
    }
    for name in [&b"caf\xe9"[..], b"\xff\xfe", b"new\nline", b" ", b"\\x41", "é".as_bytes()] {
        std::fs::write(root.join(OsStr::from_bytes(name)), name).unwrap();
    }
    std::fs::write(root.join("x".repeat(255)), "a long name").unwrap();
    let deep = (0..40).fold(root.to_path_buf(), |path, depth| path.join(format!("d{depth}")));
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("deep"), "deep").unwrap();
}

fn links_and_devices(root: &Path) {
    for length in [1, 59, 60, 61, 95, 96, 250, 1023, 1024, 4095] {
        let _ = symlink("t".repeat(length), root.join(format!("link-{length}")));
    }
    std::fs::write(root.join("hard"), "linked").unwrap();
    for number in 0..5 {
        std::fs::hard_link(root.join("hard"), root.join(format!("hard-{number}"))).unwrap();
    }
    let devices = [
        ("whiteout", FileType::CharacterDevice, 0, 0),
        ("null", FileType::CharacterDevice, 1, 3),
        ("sda1", FileType::BlockDevice, 8, 1),
        ("new-encoding", FileType::BlockDevice, 259, 70_000),
        ("fifo", FileType::Fifo, 0, 0),
        ("socket", FileType::Socket, 0, 0),
    ];
    for (name, kind, major, minor) in devices {
        let mode = Mode::from_raw_mode(0o640);
        mknodat(CWD, root.join(name), kind, mode, makedev(major, minor)).unwrap();
    }
}

fn contents(root: &Path, amount: &Amount) {
    for size in [0, 1, 59, 60, 61, 100, 150, 160, 1023, 1024, 1025, 4095, 4096, 4097, 300_000] {
        let content: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
        std::fs::write(root.join(format!("size-{size}")), content).unwrap();
    }
    let sparse = File::create(root.join("sparse")).unwrap();
    sparse.set_len(amount.sparse).unwrap();
    for at in [0, 47_000, amount.sparse / 3, amount.sparse - 5] {
        sparse.write_all_at(b"data!", at).unwrap();
    }
    let unwritten = File::create(root.join("unwritten")).unwrap();
    // Old file systems cannot.
    let _ = fallocate(&unwritten, FallocateFlags::empty(), 0, 1 << 20);
    unwritten.write_all_at(b"written", 300_000).unwrap();
    let _ = fallocate(&unwritten, FallocateFlags::KEEP_SIZE, 1 << 20, 1 << 20);
    fragmented(root, amount.fragments);
}

/// Two files of which the pieces lie in turns: first every other piece, then those between.
fn fragmented(root: &Path, fragments: u64) {
    let files = ["fragmented", "fragmented-too"].map(|it| File::create(root.join(it)).unwrap());
    for odd in [0, 1] {
        for number in (0..fragments).filter(|number| number % 2 == odd) {
            for file in &files {
                let piece: Vec<u8> = number.to_le_bytes().repeat(512);
                file.write_all_at(&piece, number * 4096).unwrap();
                if number % 64 == odd {
                    file.sync_data().unwrap();
                }
            }
        }
        files.iter().for_each(|file| file.sync_data().unwrap());
    }
}

/// An access control list as the kernel takes it: version 2, then entries of tag, permissions, id.
const ACL: &[u8] = b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x07\0\xe8\x03\0\0\
    \x04\0\x04\0\xff\xff\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";
/// A file capability, version 2: `cap_net_raw+ep`.
const CAPABILITY: &[u8] = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn attributes(root: &Path, largest: usize) {
    let attributed = root.join("attributed");
    std::fs::create_dir(&attributed).unwrap();
    let set = |name: &str, attribute: &str, value: &[u8]| {
        // Not every file system takes every one.
        let _ = lsetxattr(attributed.join(name), attribute, value, XattrFlags::empty());
    };
    for size in [0, 1, 40, 200, 900, 3000, 20_000, largest] {
        let name = format!("value-{size}");
        std::fs::write(attributed.join(&name), "x").unwrap();
        set(&name, "user.value", &vec![b'v'; size]);
        set(&name, "user.after", b"after");
    }
    for number in 0..50 {
        let name = format!("shared-{number}");
        std::fs::write(attributed.join(&name), "").unwrap();
        set(&name, "user.the-same-for-all", &[7; 300]);
        set(&name, "security.capability", CAPABILITY);
    }
    std::fs::create_dir(attributed.join("opaque")).unwrap();
    set("opaque", "trusted.overlay.opaque", b"y");
    set("opaque", "trusted.overlay.origin", b"\0\xfb\x1d\0\x01");
    set("opaque", "system.posix_acl_default", ACL);
    set("opaque", "system.posix_acl_access", ACL);
    symlink("target", attributed.join("link")).unwrap();
    set("link", "trusted.of-a-link", b"1");
    set("link", "security.of-a-link", &[1; 500]);
}

/// Seconds since 1970: 1901, 1969, 2038, 2039, 2106, 2107, 2378, 2446.
const SECONDS: [i64; 11] = [
    -2_147_483_648,
    -1,
    0,
    2_147_483_647,
    2_147_483_648,
    2_177_452_800,
    4_294_967_295,
    4_294_967_296,
    6_442_450_944,
    12_884_901_888,
    15_032_385_535,
];

fn times(root: &Path) {
    let owner = |id| (Some(Uid::from_raw(id)), Some(Gid::from_raw(id / 2 + 1)));
    for (number, seconds) in SECONDS.into_iter().enumerate() {
        let path = root.join(format!("time-{seconds}"));
        std::fs::write(&path, "old or new").unwrap();
        let id = [0, 1000, 65_535, 65_536, 100_000, 4_000_000_000][number % 6];
        let (uid, gid) = owner(id);
        chownat(CWD, &path, uid, gid, AtFlags::empty()).unwrap();
        let mode = [0o4755, 0o2700, 0o1644, 0o000][number % 4];
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let time = |tv_nsec| Timespec { tv_sec: seconds, tv_nsec };
        let times = Timestamps { last_access: time(1), last_modification: time(999_999_999) };
        utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}
