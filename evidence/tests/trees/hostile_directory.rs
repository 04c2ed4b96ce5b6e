//! A directory that an attacker wrote.

use crate::answers::answers;
use dockline_evidence::{
    Descend, DirectoryTree, EvidenceError, FileKind, Opening, Tree, TreePath, open, walk,
};
use rustix::fs::{AtFlags, CWD, Mode, Timespec, Timestamps, XattrFlags};
use rustix::fs::{lsetxattr, mknodat, utimensat};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

fn make_fifo(at: &Path) {
    mknodat(CWD, at, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn refused(result: Result<impl Sized, EvidenceError>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn nothing_but_a_regular_file_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    make_fifo(&directory.path().join("fifo"));
    symlink("/etc/passwd", directory.path().join("link")).unwrap();
    std::fs::create_dir(directory.path().join("dir")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
    let tree = DirectoryTree::open(directory.path()).unwrap();
    for (name, found) in [
        ("fifo", "a FIFO"),
        ("link", "a symbolic link"),
        ("dir", "a directory"),
        ("socket", "a socket"),
    ] {
        assert_eq!(refused(tree.open(&path(name))), format!("not a regular file, but {found}"));
    }
    assert_eq!(refused(tree.list(&path("fifo"))), "not a directory, but a FIFO");
    assert_eq!(refused(tree.link_target(&path("dir"))), "not a symbolic link, but a directory");
    assert_eq!(tree.link_target(&path("link")).unwrap(), b"/etc/passwd");
}

#[test]
fn an_extended_attribute_without_a_value_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    if lsetxattr(&file, "user.empty", b"", XattrFlags::empty()).is_err() {
        eprintln!("SKIPPED: the temporary directory takes no attributes");
        return;
    }
    let found = DirectoryTree::open(directory.path()).unwrap().extended_attributes(&path("file"));
    let found: Vec<_> = found.unwrap().into_iter().map(|it| (it.name, it.value)).collect();
    assert_eq!(found, [(b"user.empty".to_vec(), vec![])]);
}

#[test]
fn no_link_is_followed_wherever_it_stands_in_a_path() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    let directory = tempfile::tempdir().unwrap();
    symlink(outside.path(), directory.path().join("out")).unwrap();
    symlink("..", directory.path().join("up")).unwrap();
    symlink("loop", directory.path().join("loop")).unwrap();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let tree = DirectoryTree::open(directory.path()).unwrap();
    for name in ["out/secret", "up/secret", "loop/loop", "file/below", "absent/below"] {
        for error in [
            refused(tree.open(&path(name))),
            refused(tree.metadata(&path(name))),
            refused(tree.list(&path(name))),
            refused(tree.link_target(&path(name))),
            refused(tree.extended_attributes(&path(name))),
        ] {
            assert_eq!(error, "no such file or directory", "{name}");
        }
    }
    assert_eq!(refused(tree.list(&path("out"))), "not a directory, but a symbolic link");
    assert_eq!(answers(&tree).len(), 5);
}

#[test]
fn a_path_longer_than_the_system_takes_is_read_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let name = "n".repeat(200);
    let mut handle =
        rustix::fs::open(directory.path(), rustix::fs::OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..40 {
        rustix::fs::mkdirat(&handle, &name, Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY;
        handle = rustix::fs::openat(&handle, &name, flags, Mode::empty()).unwrap();
    }
    let tree = DirectoryTree::open(directory.path()).unwrap();
    let (mut deepest, mut problems) = (0, 0);
    walk(
        &tree,
        &mut |path, _| {
            deepest = deepest.max(path.as_bytes().len());
            tree.metadata(path).unwrap();
            tree.extended_attributes(path).unwrap();
            Descend::Into
        },
        &mut |_, _| problems += 1,
    );
    assert_eq!((deepest, problems), (40 * 201 - 1, 0));
}

#[test]
fn names_that_are_not_utf8_come_in_the_order_of_their_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let names = [&b" "[..], b"B", b"a", b"a\n", b"a-b", b"\xc3\xa9", b"\xff\xfe"];
    for name in names.iter().rev() {
        std::fs::write(directory.path().join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
    }
    let tree = DirectoryTree::open(directory.path()).unwrap();
    let entries = tree.list(&TreePath::root()).unwrap();
    let found: Vec<&[u8]> = entries.iter().map(|entry| &entry.name[..]).collect();
    assert_eq!(found, names);
    for entry in &entries {
        let file = tree.open(&TreePath::root().join(&entry.name).unwrap()).unwrap();
        assert_eq!(file.len(), entry.name.len() as u64);
    }
}

#[test]
fn reading_leaves_the_access_times_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "content").unwrap();
    let long_ago = Timespec { tv_sec: -1, tv_nsec: 250_000_000 };
    for at in [file.as_path(), directory.path()] {
        let times = Timestamps { last_access: long_ago, last_modification: long_ago };
        utimensat(CWD, at, &times, AtFlags::empty()).unwrap();
    }
    let tree = DirectoryTree::open(directory.path()).unwrap();
    answers(&tree);
    for at in [file.as_path(), directory.path()] {
        let found = std::fs::symlink_metadata(at).unwrap();
        assert_eq!((found.atime(), found.atime_nsec()), (-1, 250_000_000), "{}", at.display());
    }
    let found = tree.metadata(&path("file")).unwrap();
    assert_eq!(found.accessed.unwrap().to_string(), "1969-12-31T23:59:59.250000000Z");
    assert_eq!(found.accessed, found.modified);
}

#[test]
fn devices_are_told_by_their_numbers_and_never_opened() {
    let directory = tempfile::tempdir().unwrap();
    let device = rustix::fs::makedev(259, 300);
    let at = directory.path().join("disk");
    let kind = rustix::fs::FileType::BlockDevice;
    // Only root makes devices; archives in this suite hold some for everybody.
    if mknodat(CWD, &at, kind, Mode::RUSR, device).is_err() {
        return;
    }
    let tree = DirectoryTree::open(directory.path()).unwrap();
    let found = tree.metadata(&path("disk")).unwrap();
    let number = found.device.unwrap();
    assert_eq!((found.kind, number.major, number.minor), (FileKind::BlockDevice, 259, 300));
    assert_eq!(refused(tree.open(&path("disk"))), "not a regular file, but a block device");
}

#[test]
fn what_the_user_names_may_be_a_link_but_no_fifo() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    make_fifo(&fifo);
    symlink(&fifo, directory.path().join("link-to-fifo")).unwrap();
    symlink(directory.path(), directory.path().join("link")).unwrap();
    for name in ["fifo", "link-to-fifo"] {
        let error = refused(open(&directory.path().join(name), "e", &Opening::default()));
        assert_eq!(error, "a FIFO as evidence is not supported");
    }
    let source = open(&directory.path().join("link"), "e", &Opening::default()).unwrap();
    assert_eq!(source.trees[0].tree.list(&TreePath::root()).unwrap().len(), 3);
}
