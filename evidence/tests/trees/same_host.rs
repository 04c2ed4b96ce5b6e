//! One host gives the same answers from a directory and from archives in every dialect.

use crate::answers::answers;
use crate::archive::{Archive, Header};
use dockline_evidence::{
    Descend, DirectoryTree, FileKind, Metadata, Opening, Tree, TreePath, open, walk,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/evidence/gnu-tar")
}

/// What `stat`, `readlink` and `getfattr` said of the tree that GNU tar packed.
fn expected() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(fixtures().join("expected.tsv")).unwrap();
    let line = |line: &str| {
        let (path, answer) = line.split_once('\t').unwrap();
        (path.replace("\\x20", " "), answer.to_string())
    };
    text.lines().map(line).collect()
}

fn archive_answers(name: &str) -> BTreeMap<String, String> {
    let source = open(&fixtures().join(name), name, &Opening::default()).unwrap();
    assert_eq!(source.issues, vec![], "{name}");
    answers(source.trees[0].tree.as_ref())
}

/// Fields of an answer that an archive cannot tell are made `-` in the truth as well.
fn without(answer: &str, fields: &[usize]) -> String {
    let mut values: Vec<&str> = answer.split('\t').collect();
    fields.iter().for_each(|field| values[*field] = "-");
    values.join("\t")
}

const MODIFIED: usize = 5;
const ATTRIBUTES: usize = 8;

#[test]
fn a_posix_archive_of_gnu_tar_tells_all_that_the_system_told() {
    assert_eq!(archive_answers("posix.tar.zst"), expected());
}

#[test]
fn every_version_of_a_sparse_map_gives_the_same_content() {
    for name in ["posix-0.0.tar.gz", "posix-0.1.tar.gz"] {
        let (found, expected) = (archive_answers(name), expected());
        for (path, answer) in found.iter().filter(|(path, _)| path.starts_with("/var/log/")) {
            assert_eq!(Some(answer), expected.get(path), "{name}: {path}");
        }
        assert_eq!(found.len(), 14, "{name}");
    }
}

#[test]
fn a_gnu_archive_tells_all_but_nanoseconds_and_attributes() {
    let expected = expected().into_iter().map(|(path, answer)| {
        let modified = answer.split('\t').nth(MODIFIED).unwrap().to_string();
        let seconds = modified.split('.').next().unwrap().to_string();
        let answer = answer.replace(&modified, &format!("{seconds}.000000000"));
        (path, without(&answer, &[ATTRIBUTES]))
    });
    assert_eq!(archive_answers("gnu.tar.gz"), expected.collect());
}

#[test]
fn old_and_incremental_archives_are_read() {
    let expected = expected();
    for (name, paths) in [
        (
            "ustar.tar.gz",
            &["/dev/null", "/dev/sda1", "/dev/fifo", "/etc/mtab", "/var/log/z-hard"][..],
        ),
        ("v7.tar.gz", &["/etc/mtab", "/var/log/a.log", "/var/log/z-hard"]),
        ("gnu-incremental.tar.gz", &["/empty", "/etc/hostname", "/etc/longlink"]),
    ] {
        let found = archive_answers(name);
        for path in paths {
            let truth = without(&expected[*path], &[MODIFIED, ATTRIBUTES]);
            assert_eq!(without(&found[*path], &[MODIFIED, ATTRIBUTES]), truth, "{name}: {path}");
        }
    }
}

#[test]
fn an_incremental_archive_tells_when_a_file_was_read_and_changed() {
    let path = fixtures().join("gnu-incremental.tar.gz");
    let source = open(&path, "e", &Opening::default()).unwrap();
    let hostname = TreePath::parse(b"etc/hostname").unwrap();
    let found = source.trees[0].tree.metadata(&hostname).unwrap();
    let seconds = [found.accessed, found.changed].map(|time| time.unwrap().seconds());
    assert_eq!(seconds, [1_795_302_928; 2]);
}

#[test]
fn two_names_of_one_file_are_one_node() {
    let source = open(&fixtures().join("posix.tar.zst"), "e", &Opening::default()).unwrap();
    let tree = &source.trees[0].tree;
    let found = ["var/log/a.log", "var/log/z-hard"]
        .map(|path| tree.metadata(&TreePath::parse(path.as_bytes()).unwrap()).unwrap());
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0].links, Some(2));
}

/// A directory as a tester may make it without being root.
fn made_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::create_dir_all(root.join("var/lib/docker/empty")).unwrap();
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/hostname"), "web1\n").unwrap();
    std::fs::write(root.join("etc/empty"), "").unwrap();
    std::fs::write(root.join("var/lib/docker/blocks"), vec![7; 5 * 512]).unwrap();
    std::fs::write(root.join("var/lib").join("long-".repeat(40)), "long").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::{PermissionsExt, symlink};
        symlink("../../out/of/../the/tree", root.join("etc/link")).unwrap();
        std::fs::hard_link(root.join("etc/hostname"), root.join("etc/hostname.hard")).unwrap();
        let mode = std::fs::Permissions::from_mode(0o4750);
        std::fs::set_permissions(root.join("etc/empty"), mode).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"etc/caf\xe9");
        // Not every system takes such a name.
        let _ = std::fs::write(root.join(name), "not utf-8");
    }
    let old = std::time::UNIX_EPOCH - std::time::Duration::new(1000, 250_000_000);
    let file = std::fs::File::options().write(true).open(root.join("etc/hostname")).unwrap();
    file.set_modified(old).unwrap();
    directory
}

/// Packs a tree, each node as PAX.
fn packed(tree: &dyn Tree) -> Vec<u8> {
    let mut nodes = vec![(TreePath::root(), FileKind::Directory)];
    walk(
        tree,
        &mut |path, entry| {
            nodes.push((path.clone(), entry.kind));
            Descend::Into
        },
        &mut |path, error| panic!("{path}: {error}"),
    );
    let pack = |archive: Archive, (path, _): &(TreePath, FileKind)| pack(archive, tree, path);
    nodes.iter().fold(Archive::default(), pack).end()
}

fn pack(archive: Archive, tree: &dyn Tree, path: &TreePath) -> Archive {
    let Metadata { kind, mode, uid, gid, modified, .. } = tree.metadata(path).unwrap();
    let modified = modified.unwrap();
    let nanoseconds =
        i128::from(modified.seconds()) * 1_000_000_000 + i128::from(modified.nanoseconds());
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (seconds, rest) = (nanoseconds.abs() / 1_000_000_000, nanoseconds.abs() % 1_000_000_000);
    let time = format!("{sign}{seconds}.{rest:09}");
    let (uid, gid) = (uid.unwrap().to_string(), gid.unwrap().to_string());
    let name = [b"./", path.as_bytes()].concat();
    let attributes = tree.extended_attributes(path).unwrap();
    let keys: Vec<String> = attributes
        .iter()
        .map(|attribute| format!("SCHILY.xattr.{}", String::from_utf8_lossy(&attribute.name)))
        .collect();
    let mut records: Vec<(&str, &[u8])> = vec![
        ("path", &name),
        ("mtime", time.as_bytes()),
        ("uid", uid.as_bytes()),
        ("gid", gid.as_bytes()),
    ];
    records.extend(keys.iter().zip(&attributes).map(|(key, it)| (key.as_str(), &it.value[..])));
    let archive = archive.pax(b'x', &records);
    let header = |kind| Header::new(kind, b"short").octal(100, 8, u64::from(mode.unwrap()));
    match kind {
        FileKind::Directory => archive.raw(header(b'5'), b""),
        FileKind::SymbolicLink => {
            archive.raw(header(b'2').link(&tree.link_target(path).unwrap()), b"")
        }
        FileKind::Regular => {
            let file = tree.open(path).unwrap();
            let (content, _) = dockline_evidence::read_at::read_up_to(&file, 1 << 20).unwrap();
            archive.member(header(b'0'), &content)
        }
        other => panic!("a test without root makes no {}", other.name()),
    }
}

#[test]
fn a_directory_and_its_archives_give_the_same_answers() {
    let directory = made_directory();
    let tree = DirectoryTree::open(directory.path()).unwrap();
    let expected = answers(&tree);
    let archive = packed(&tree);
    let compress = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
    let (front, back) = archive.split_at(2000);
    for (form, bytes) in [
        ("plain", archive.clone()),
        ("zstd", compress(&archive)),
        ("two zstd frames", [compress(front), compress(back)].concat()),
        (
            "a skippable frame first",
            [b"\x50\x2a\x4d\x18\x04\0\0\0skip", &compress(&archive)[..]].concat(),
        ),
        ("gzip", gzip(&archive)),
        ("two gzip members", [gzip(front), gzip(back)].concat()),
    ] {
        let place = tempfile::tempdir().unwrap();
        // A name that lies: only the content counts.
        let path = place.path().join("evidence.E01");
        std::fs::write(&path, &bytes).unwrap();
        let source = open(&path, "e", &Opening::default()).unwrap();
        assert_eq!(source.issues, vec![], "{form}");
        assert_eq!(answers(source.trees[0].tree.as_ref()), expected, "{form}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "the evidence was changed");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1, "a file beside it");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_content_that_is_cut_gives_what_came_before() {
    let archive = Archive::default().file(b"a", &[1; 40_000]).file(b"b", &noise(300_000)).end();
    for (compressed, format) in
        [(gzip(&archive), "gzip"), (zstd::encode_all(&archive[..], 1).unwrap(), "zstd")]
    {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("cut");
        std::fs::write(&path, &compressed[..compressed.len() - 20_000]).unwrap();
        let source = open(&path, "e", &Opening::default()).unwrap();
        let names: Vec<String> = source.issues.iter().map(|issue| issue.what.clone()).collect();
        assert!(names[0].starts_with("compressed content cannot be read past "), "{names:?}");
        assert!(names[1].contains("before the content of this member"), "{format}: {names:?}");
        assert_eq!(names.len(), 2, "{format}");
        assert_eq!(answers(source.trees[0].tree.as_ref()).len(), 3, "{format}");
    }
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..count).map(next).collect()
}

#[test]
fn an_archive_with_a_damaged_beginning_is_still_one() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("evidence");
    let mut archive = Archive::default().file(b"a", &[1; 2000]).file(b"b", b"2").end();
    archive[..600].fill(7);
    std::fs::write(&path, gzip(&archive)).unwrap();
    let source = open(&path, "e", &Opening::default()).unwrap();
    assert_eq!(answers(source.trees[0].tree.as_ref()).len(), 2);
    assert_eq!((source.issues.len(), source.issues[0].lost_bytes), (1, 2560));
}

#[test]
fn evidence_that_is_not_read_is_named() {
    const UNKNOWN: &str = "a file or volume that is neither an archive nor a known disk or file \
                           system is not supported";
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("evidence.tar");
    for (content, what) in [
        (&b"\x7f\x10\xda\xbe"[..], UNKNOWN),
        (&[&[0; 64][..], b"\x7f\x10\xda\xbe"].concat(), "a VDI virtual disk is not supported"),
        (b"LUKS\xba\xbe\0\x02", "an encrypted LUKS volume is not supported"),
        (
            &gzip(b"PK\x03\x04zip"),
            "zip archive at byte 7: need the end of the archive with its directory, have none: it is cut",
        ),
        (&gzip(&gzip(b"x")), "another compressed file in a gzip file is not supported"),
        (b"", "an empty file is not supported"),
        (b"hello", UNKNOWN),
    ] {
        std::fs::write(&path, content).unwrap();
        let error = open(&path, "e", &Opening::default()).err().unwrap();
        assert_eq!(error.to_string(), what);
    }
    let error = open(&place.path().join("absent"), "e", &Opening::default()).err().unwrap();
    assert_eq!(error.to_string(), "no such file or directory");
}
