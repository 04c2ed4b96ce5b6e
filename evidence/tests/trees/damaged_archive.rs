//! Archives that are cut, damaged, or lie. Each damage is one issue that names it, and costs no more
//! than it must.

use crate::answers::answers;
use crate::archive::{Archive, Header};
use dockline_evidence::tar::TarTree;
use dockline_evidence::{Descend, FileKind, ReadAt, Tree, TreePath, walk};
use dockline_timeline::Issue;
use std::sync::Arc;

fn opened(bytes: Vec<u8>) -> (TarTree, Vec<Issue>) {
    TarTree::open(Arc::new(bytes), "e.tar")
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

fn content(tree: &TarTree, name: &str) -> Result<Vec<u8>, String> {
    let file = tree.open(&path(name)).map_err(|error| error.to_string())?;
    let read = dockline_evidence::read_at::read_up_to(&file, 1 << 20);
    read.map(|(content, _)| content).map_err(|error| error.to_string())
}

/// The issues as a report shows them.
fn issues(bytes: Vec<u8>) -> Vec<String> {
    opened(bytes).1.iter().map(Issue::to_string).collect()
}

/// The single issue of an archive with the members before and after the damage, both of which are
/// still there.
fn issue_between(damage: impl FnOnce(Archive) -> Archive) -> String {
    let archive = damage(Archive::default().file(b"before", b"one")).file(b"after", b"two");
    let (tree, issues) = opened(archive.end());
    assert_eq!(content(&tree, "before"), Ok(b"one".to_vec()));
    assert_eq!(content(&tree, "after"), Ok(b"two".to_vec()));
    assert_eq!(issues.len(), 1, "{issues:?}");
    issues[0].to_string()
}

#[test]
fn a_wrong_checksum_costs_one_member() {
    let found = issue_between(|archive| {
        let mut archive = archive.file(b"damaged", &[b'x'; 1000]);
        archive.0[1024 + 105] ^= 1;
        archive
    });
    assert_eq!(
        found,
        "e.tar offset:1024: tar member at byte 1024: need a header with a right checksum, have a \
         block with another one; 1536 bytes passed over to offset 2560 (malformed)"
    );
}

#[test]
fn a_size_that_no_file_has_costs_one_member() {
    let size = *b"\x80\0\0\0\x80\0\0\0\0\0\0\0";
    let found =
        issue_between(|archive| archive.raw(Header::new(b'0', b"huge").put(124, &size), &[1; 600]));
    assert_eq!(
        found,
        "e.tar offset:1024: size of a tar member at byte 1024: need a number below 2^63, have \
         another; 1536 bytes passed over to offset 2560 (malformed)"
    );
}

#[test]
fn names_that_would_leave_the_tree_are_refused() {
    for name in [&b"../../etc/passwd"[..], b"a/../../b", b"..", b""] {
        let found = issue_between(|archive| archive.file(name, b"evil"));
        let name = name.escape_ascii();
        assert_eq!(
            found,
            format!(
                "e.tar offset:1024: member \"{name}\" is not in the tree: its name is empty, holds \
                 `..` or a NUL, is longer than 32768 bytes, or has more than 512 directories \
                 (malformed)"
            )
        );
    }
    let found = issue_between(|archive| archive.pax(b'x', &[("path", b"a\0b")]).file(b"x", b""));
    assert!(found.contains("member \"a\\x00b\" is not in the tree"), "{found}");
    let deep = b"d/".repeat(513);
    let found = issue_between(|archive| archive.pax(b'x', &[("path", &deep)]).file(b"x", b""));
    assert!(found.contains("more than 512 directories"), "{found}");
}

#[test]
fn global_records_have_a_limit() {
    let found = issue_between(|archive| {
        (0..65).fold(archive, |archive, _| archive.pax(b'g', &[("comment", b"x")]))
    });
    assert!(found.contains("bytes of global extended headers: limit of 4096 reached"), "{found}");
}

#[test]
fn headers_that_claim_the_same_blocks_do_not_cost_their_square() {
    // Each is a sparse member whose map goes on in the header of the next, up to the end.
    let header = Header::new(b'S', b"1").put(257, b"ustar  \0").put(482, &[1]).put(504, &[1]);
    let block = Archive::default().raw(header, b"").0;
    let (_, issues) = opened(block.repeat(200_000));
    assert!(issues.iter().any(|issue| issue.what.contains("limit of")), "{:?}", issues.first());
}

#[test]
fn absolute_names_lie_below_the_root_and_are_counted() {
    let archive = Archive::default().file(b"/etc/one", b"1").file(b"/etc/two", b"2").end();
    let (tree, issues) = opened(archive);
    assert_eq!(content(&tree, "etc/two"), Ok(b"2".to_vec()));
    let what: Vec<String> = issues.iter().map(Issue::to_string).collect();
    assert_eq!(what, ["e.tar: 2 members have absolute names, taken below the root (malformed)"]);
}

#[test]
fn of_two_members_with_one_name_the_last_wins() {
    let archive = Archive::default().file(b"a/f", b"old").file(b"./a//f", b"new").end();
    let (tree, issues) = opened(archive);
    assert_eq!(content(&tree, "a/f"), Ok(b"new".to_vec()));
    assert_eq!(
        issues[0].to_string(),
        "e.tar:/a/f offset:1024: replaces an earlier member of this name, or one where a directory \
         must be (malformed)"
    );
}

#[test]
fn a_directory_that_comes_again_keeps_what_it_holds() {
    let directory = |mode| Header::new(b'5', b"a/").octal(100, 8, mode);
    let archive = Archive::default()
        .raw(directory(0o700), b"")
        .file(b"a/f", b"1")
        .raw(directory(0o755), b"")
        .end();
    let (tree, issues) = opened(archive);
    assert_eq!(content(&tree, "a/f"), Ok(b"1".to_vec()));
    assert_eq!(tree.metadata(&path("a")).unwrap().mode, Some(0o755));
    assert_eq!(issues.len(), 1);
}

#[test]
fn a_file_below_a_file_turns_it_into_a_directory() {
    let (tree, issues) = opened(Archive::default().file(b"a", b"1").file(b"a/b", b"2").end());
    assert_eq!(content(&tree, "a/b"), Ok(b"2".to_vec()));
    assert_eq!(tree.metadata(&path("a")).unwrap().kind, FileKind::Directory);
    assert_eq!(issues.len(), 1);
}

#[test]
fn a_directory_that_only_paths_imply_is_there_without_times() {
    let (tree, issues) = opened(Archive::default().file(b"a/b/c", b"1").end());
    assert_eq!(issues, vec![]);
    let found = tree.metadata(&path("a/b")).unwrap();
    assert_eq!((found.kind, found.mode, found.modified), (FileKind::Directory, None, None));
    assert!(tree.extended_attributes(&path("a")).unwrap().is_empty());
}

#[test]
fn members_that_are_not_known_are_named() {
    let found = issue_between(|archive| archive.member(Header::new(b'Z', b"odd"), b"odd"));
    assert_eq!(
        found,
        "e.tar:/odd offset:1024: tar type Z, read as a regular file, is not supported (unsupported)"
    );
    let found = issue_between(|archive| archive.member(Header::new(b'M', b"part"), b"odd"));
    assert!(found.contains("the continuation of a file from another volume"), "{found}");
    assert!(issues(Archive::default().member(Header::new(b'V', b"label"), b"").end()).is_empty());
}

#[test]
fn a_field_that_is_no_number_is_named_and_absent() {
    let bad = Header::new(b'0', b"bad").put(108, b"12x4567\0");
    let (tree, issues) = opened(Archive::default().file(b"good", b"").member(bad, b"1").end());
    assert_eq!(
        issues[0].to_string(),
        "e.tar:/bad offset:512: uid at byte 512: need a number, have something else (malformed)"
    );
    assert_eq!(tree.metadata(&path("bad")).unwrap().uid, None);
    assert_eq!(content(&tree, "bad"), Ok(b"1".to_vec()));
}

#[test]
fn records_that_lie_cost_only_themselves() {
    for (body, what) in [
        (&b"99 path=evil\n"[..], "have 13 bytes that begin with 99 path=evil\\n"),
        (b"10 uid=77\n3 x=y\n", "have 6 bytes that begin with 3 x=y\\n"),
        (b"18446744073709551616 a=b\n", "bytes that begin with 18446744073709551616 a=b"),
        (b"11 mtime=x\n", "need a number or a time, have mtime=x"),
    ] {
        let found = issue_between(|archive| {
            archive.member(Header::new(b'x', b"pax"), body).file(b"short", b"")
        });
        assert!(found.contains(what), "{found}");
        assert!(found.starts_with("e.tar:/short offset:1024: PAX record at byte 15"), "{found}");
    }
}

#[test]
fn an_extended_header_without_end_is_passed_over() {
    let body = vec![b'x'; (8 << 20) + 1];
    let found = issue_between(|archive| {
        archive.member(Header::new(b'L', b"long"), &body).file(b"short", b"")
    });
    assert_eq!(
        found,
        "e.tar:/short offset:1024: bytes of an extended header: limit of 8388608 reached (limit \
         reached)"
    );
    let found = issue_between(|archive| {
        (0..64).fold(archive, |archive, _| archive.pax(b'x', &[("uid", b"1")])).file(b"x", b"")
    });
    assert!(found.contains("headers of one member: limit of 64 reached"), "{found}");
}

#[test]
fn a_hard_link_finds_its_target_before_and_after_it() {
    let link = |name: &[u8], target: &[u8]| Header::new(b'1', name).link(target);
    let archive = Archive::default()
        .raw(link(b"early", b"link-to-late"), b"")
        .raw(link(b"link-to-late", b"./dir/file"), b"")
        .file(b"dir/file", b"content")
        .raw(link(b"late", b"/dir/file"), b"")
        .end();
    let (tree, issues) = opened(archive);
    assert_eq!(issues, vec![]);
    for name in ["early", "link-to-late", "dir/file", "late"] {
        assert_eq!(content(&tree, name), Ok(b"content".to_vec()), "{name}");
        assert_eq!(tree.metadata(&path(name)).unwrap().links, Some(4), "{name}");
    }
}

#[test]
fn a_hard_link_without_a_target_is_an_issue_and_no_loop() {
    for target in [&b"absent"[..], b"self", b"dir", b".", b"../etc/shadow"] {
        let found = issue_between(|archive| {
            let link = Header::new(b'1', b"dir/self").link(target);
            archive.raw(link.clone(), b"")
        });
        let target = target.escape_ascii();
        assert_eq!(
            found,
            format!(
                "e.tar:/dir/self offset:1024: hard link to \"{target}\", which is no member of the \
                 archive (malformed)"
            )
        );
    }
    let archive = Archive::default().raw(Header::new(b'1', b"a").link(b"a"), b"").end();
    let (tree, issues) = opened(archive);
    assert_eq!(issues.len(), 1);
    assert_eq!(
        content(&tree, "a").unwrap_err(),
        "hard link at byte 0: need a target in the archive, have a"
    );
}

#[test]
fn global_records_hold_for_what_follows_until_others_come() {
    let archive = Archive::default()
        .file(b"a", b"")
        .pax(b'g', &[("uid", b"7"), ("comment", b"made by git")])
        .file(b"b", b"")
        .pax(b'x', &[("uid", b"8")])
        .file(b"c", b"")
        .pax(b'g', &[("uid", b"")])
        .file(b"d", b"")
        .end();
    let (tree, issues) = opened(archive);
    assert_eq!(issues, vec![]);
    let uids = ["a", "b", "c", "d"].map(|name| tree.metadata(&path(name)).unwrap().uid);
    assert_eq!(uids, [Some(0), Some(7), Some(8), Some(0)]);
}

/// A disk that cannot be read from an offset on.
struct BadDisk(Vec<u8>, u64);

impl ReadAt for BadDisk {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        if offset >= self.1 {
            return Err(std::io::Error::other("bad sector"));
        }
        let before = usize::try_from(self.1 - offset).unwrap().min(buffer.len());
        self.0.read_at(offset, &mut buffer[..before])
    }
}

#[test]
fn what_stands_before_a_bad_place_of_a_disk_is_read() {
    let archive = Archive::default().file(b"a", b"1").file(b"b", b"2").file(b"c", b"3").end();
    let (tree, issues) = TarTree::open(Arc::new(BadDisk(archive, 2048)), "e.tar");
    assert_eq!(tree.list(&TreePath::root()).unwrap().len(), 2);
    let issues: Vec<String> = issues.iter().map(Issue::to_string).collect();
    let expected = "e.tar offset:2048: bad sector; the 8192 bytes from here on are not read \
                    (unreadable)";
    assert_eq!(issues, [expected]);
}

#[test]
fn archives_one_after_the_other_are_one_tree() {
    let one = Archive::default().file(b"one", b"1").end();
    let two = Archive::default().file(b"two", b"2").end();
    let (tree, issues) = opened([one, two].concat());
    assert_eq!(issues, vec![]);
    assert_eq!(tree.list(&TreePath::root()).unwrap().len(), 2);
}

#[test]
fn what_follows_an_archive_and_is_none_is_an_issue() {
    let mut bytes = Archive::default().file(b"one", b"1").end();
    bytes.extend_from_slice(&[7; 1000]);
    assert_eq!(
        issues(bytes),
        [
            "e.tar offset:10240: tar member at byte 10240: need a header with a right checksum, \
             have a block with another one; 512 bytes passed over to offset 10752 (malformed)",
            "e.tar offset:10752: archive ends inside a block, of which it has 488 bytes (malformed)",
        ]
    );
}

fn gnu_sparse(real_size: u64, map: &[(u64, u64)], data: &[u8]) -> Vec<u8> {
    let mut header = Header::new(b'S', b"sparse").put(257, b"ustar  \0").octal(483, 12, real_size);
    for (index, (offset, length)) in map.iter().enumerate() {
        header = header.octal(386 + 24 * index, 12, *offset).octal(398 + 24 * index, 12, *length);
    }
    Archive::default().member(header, data).end()
}

#[test]
fn a_sparse_map_that_is_impossible_gives_no_content() {
    for (real_size, map) in [
        (100, &[(0, 60), (50, 10)][..]),
        (100, &[(50, 10), (0, 10)]),
        (100, &[(95, 10)]),
        (10_000, &[(0, 600)]),
        (100, &[(0, 0o77777777777), (10, 1)]),
    ] {
        let (tree, issues) = opened(gnu_sparse(real_size, map, &[1; 70]));
        let error = content(&tree, "sparse").unwrap_err();
        assert!(error.starts_with("map of a sparse member at byte 512: need "), "{error}");
        assert_eq!(issues.len(), 1, "{map:?}");
        assert_eq!(issues[0].what, error);
    }
}

#[test]
fn a_sparse_member_of_any_size_is_read_where_it_is_asked() {
    let size = 0o77777777777;
    let (tree, issues) = opened(gnu_sparse(size, &[(1000, 3), (size - 4, 4)], b"abcdefg"));
    assert_eq!(issues, vec![]);
    let file = tree.open(&path("sparse")).unwrap();
    assert_eq!(file.len(), size);
    for (at, expected) in [
        (0, &[0; 16][..]),
        (999, b"\0"),
        (1000, b"abc"),
        (1002, b"c"),
        (1003, &[0; 16]),
        (size - 5, b"\0"),
        (size - 4, b"defg"),
        (size - 1, b"g"),
        (size, b""),
        (u64::MAX, b""),
    ] {
        let mut buffer = [9; 16];
        let count = file.read_at(at, &mut buffer).unwrap();
        assert_eq!(&buffer[..count], expected, "{at}");
    }
}

#[test]
fn a_map_before_the_data_that_lies_gives_no_content() {
    for map in [
        &b"2\n0\n10\n5\n10\n"[..],
        b"99999999999\n",
        b"1048577\n",
        b"3\n0\n10\n",
        b"1\nx\n10\n",
        b"1\n99999999999999999999999999999999\n10\n",
        b"",
        b"1\n0\n600\n",
    ] {
        let archive = Archive::default()
            .pax(
                b'x',
                &[
                    ("GNU.sparse.major", b"1"),
                    ("GNU.sparse.minor", b"0"),
                    ("GNU.sparse.name", b"sparse"),
                    ("GNU.sparse.realsize", b"1000"),
                ],
            )
            .member(Header::new(b'0', b"GNUSparseFile.0/sparse"), &[map, &[0; 512]].concat()[..512])
            .end();
        let (tree, issues) = opened(archive);
        assert!(content(&tree, "sparse").unwrap_err().contains("sparse"), "{}", map.escape_ascii());
        assert_eq!(issues.len(), 1, "{}", map.escape_ascii());
        assert_eq!(tree.metadata(&path("sparse")).unwrap().size, 1000);
    }
}

#[test]
fn a_truncated_archive_tells_how_much_is_missing() {
    let whole = Archive::default().file(b"a", b"1").file(b"b", &[5; 2000]).0;
    assert_eq!(
        issues(whole.clone()),
        ["e.tar offset:3584: archive ends without a block of zeros, so its end may be missing \
          (malformed)"]
    );
    let (tree, issues) = opened(whole[..2000].to_vec());
    assert_eq!(
        issues[0].to_string(),
        "e.tar:/b offset:1024: archive ends 1536 bytes before the content of this member (malformed)"
    );
    assert_eq!((issues.len(), issues[0].lost_bytes), (1, 1536));
    assert_eq!(content(&tree, "b"), Ok(vec![5; 464]));
    assert_eq!(tree.metadata(&path("b")).unwrap().size, 2000);
}

/// One of everything.
fn zoo() -> Vec<u8> {
    let sparse = gnu_sparse(5000, &[(0, 5), (4000, 600)], &[3; 605]);
    let mut extended = Header::new(b'S', b"extended").put(257, b"ustar  \0").octal(483, 12, 90_000);
    extended = extended.put(482, &[1]).size(25);
    let entries: Vec<u8> = (0..21_u64)
        .flat_map(|at| {
            [format!("{:011o}\0", (at + 1) * 4000), format!("{:011o}\0", 1)].concat().into_bytes()
        })
        .chain([0; 8])
        .collect();
    for at in 0..4_u64 {
        extended =
            extended.octal(386 + 24 * at as usize, 12, at).octal(398 + 24 * at as usize, 12, 1);
    }
    Archive(sparse[..2048].to_vec())
        .pax(b'g', &[("gid", b"5")])
        .raw(Header::new(b'5', b"dir/"), b"")
        .file(b"dir/file", &[1; 700])
        .pax(
            b'x',
            &[
                ("path", &[b'p'; 300]),
                ("mtime", b"-1.5"),
                ("size", b"600"),
                ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
                ("GNU.sparse.map", b"0,10,20,590"),
                ("GNU.sparse.size", b"2000"),
            ],
        )
        .member(Header::new(b'0', b"x"), &[2; 600])
        .member(Header::new(b'L', b"././@LongLink"), &[b'n'; 200])
        .member(Header::new(b'K', b"././@LongLink"), b"dir/file")
        .raw(Header::new(b'1', b"hard").link(b"x"), b"")
        .raw(Header::new(b'2', b"soft").link(b"../../up"), b"")
        .raw(Header::new(b'3', b"null").octal(329, 8, 1).octal(337, 8, 3), b"")
        .raw(Header::new(b'6', b"fifo"), b"")
        .raw(extended, &[])
        .blocks(&entries)
        .blocks(&[8; 25])
        .pax(b'x', &[("GNU.sparse.major", b"1"), ("GNU.sparse.realsize", b"900")])
        .member(Header::new(b'0', b"new"), &[&b"1\n100\n3\n"[..], &[0; 504], b"xyz"].concat())
        .end()
}

#[test]
fn one_of_everything_is_read() {
    let (tree, issues) = opened(zoo());
    assert_eq!(issues, vec![]);
    assert_eq!(answers(&tree).len(), 11);
    let mut extended = vec![0; 90_000];
    (0..4).chain((1..=21).map(|at| at * 4000)).for_each(|at| extended[at] = 8);
    assert_eq!(content(&tree, "extended"), Ok(extended));
    assert_eq!(content(&tree, &"n".repeat(200)), Ok([&[1; 700][..]].concat()));
}

/// Asks everything of every node, and returns how many there are; what matters is that it ends, and
/// soon.
fn read_all(bytes: Vec<u8>) -> usize {
    let (tree, _) = opened(bytes);
    let mut nodes = 1;
    walk(
        &tree,
        &mut |path, _| {
            nodes += 1;
            tree.metadata(path).unwrap();
            tree.extended_attributes(path).unwrap();
            let _ = tree.link_target(path);
            if let Ok(file) = tree.open(path) {
                let mut buffer = [0; 4096];
                for at in [0, file.len() / 2, file.len().saturating_sub(100), u64::MAX] {
                    let _ = file.read_at(at, &mut buffer);
                }
            }
            Descend::Into
        },
        &mut |path, error| panic!("{path}: {error}"),
    );
    nodes
}

#[test]
fn an_archive_cut_at_any_length_keeps_what_came_before() {
    let zoo = zoo();
    let mut before = 1;
    for length in 0..zoo.len() {
        let found = read_all(zoo[..length].to_vec());
        assert!(found >= before, "{length}");
        before = found;
    }
    assert_eq!(before, 11);
}

#[test]
fn a_flipped_bit_anywhere_is_survived() {
    let zoo = zoo();
    for at in 0..zoo.len() {
        let mut bytes = zoo.clone();
        bytes[at] ^= if at % 2 == 0 { 0x01 } else { 0x80 };
        assert!(read_all(bytes) >= 7, "{at}");
    }
}

#[test]
fn a_flipped_bit_under_a_right_checksum_is_survived() {
    let zoo = zoo();
    let headers = (0..zoo.len()).step_by(512).filter(|at| zoo[at + 257..].starts_with(b"ustar"));
    for start in headers {
        for at in (0..512).filter(|at| !(148..156).contains(at)) {
            let mut block: [u8; 512] = zoo[start..start + 512].try_into().unwrap();
            block[at] ^= 0x81;
            let sealed = Archive::default().raw(Header(block), b"").0;
            let mut bytes = zoo.clone();
            bytes[start..start + 512].copy_from_slice(&sealed);
            read_all(bytes);
        }
    }
}
