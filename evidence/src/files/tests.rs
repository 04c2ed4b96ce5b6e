//! Both ways to read a directory tell the same.

use super::{linux, portable};
use crate::{Entry, ExtendedAttribute, FileKind, Metadata, TreePath};
use std::os::unix::fs::symlink;

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

fn made_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    std::fs::write(root.join("a/file"), "content").unwrap();
    symlink("/etc", root.join("a/link")).unwrap();
    let old = std::time::UNIX_EPOCH - std::time::Duration::new(1000, 250_000_000);
    std::fs::File::options()
        .write(true)
        .open(root.join("a/file"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    directory
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    entries
}

#[test]
fn the_portable_way_tells_what_the_one_of_linux_tells() {
    let directory = made_directory();
    let one = linux::Root::open(directory.path()).unwrap();
    let other = portable::Root::open(directory.path()).unwrap();
    for name in ["", "a", "a/b", "a/file", "a/link"] {
        let told: [Metadata; 2] =
            [one.metadata(&path(name)).unwrap(), other.metadata(&path(name)).unwrap()];
        assert_eq!(told[0], told[1], "{name}");
        let attributes: Vec<ExtendedAttribute> = other.extended_attributes(&path(name)).unwrap();
        assert_eq!(attributes, vec![], "{name}");
        if told[0].kind == FileKind::Directory {
            let lists = [one.list(&path(name)).unwrap(), other.list(&path(name)).unwrap()];
            let [first, second] = lists.map(sorted);
            assert_eq!(first, second, "{name}");
        }
    }
    assert_eq!(other.metadata(&path("a/file")).unwrap().modified.unwrap().seconds(), -1001);
    assert_eq!(other.link_target(&path("a/link")).unwrap(), b"/etc");
    assert_eq!(other.open_file(&path("a/file")).unwrap().len(), 7);
}

#[test]
fn neither_way_follows_a_link() {
    let directory = made_directory();
    let one = linux::Root::open(directory.path()).unwrap();
    let other = portable::Root::open(directory.path()).unwrap();
    let name = path("a/link/passwd");
    for refused in [one.metadata(&name).err(), other.metadata(&name).err()] {
        assert_eq!(refused.unwrap().to_string(), "no such file or directory");
    }
    for refused in [one.open_file(&name).err(), other.open_file(&name).err()] {
        assert_eq!(refused.unwrap().to_string(), "no such file or directory");
    }
}
