//! Archives made here, byte by byte, so that every lie can be told.
#![cfg(test)]

use super::*;
use crate::read_at::read_up_to;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;

/// A member as it is to be written.
#[derive(Clone, Default)]
struct Written {
    name: Vec<u8>,
    content: Vec<u8>,
    is_stored: bool,
    extra: Vec<u8>,
    flags: u16,
    mode: u32,
    /// Date and time of DOS.
    dos: (u16, u16),
    /// Changes the record of the central directory.
    lie: Option<fn(&mut Vec<u8>)>,
}

/// 2022-07-09 11:49:00
const DOS: (u16, u16) = ((42 << 9) | (7 << 5) | 9, (11 << 11) | (49 << 5));

fn file(name: &str, content: &str) -> Written {
    Written { name: name.into(), content: content.into(), dos: DOS, ..Written::default() }
}

fn archive(members: &[Written]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let place = bytes.len() as u32;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&member.content).unwrap();
        let deflated = encoder.finish().unwrap();
        let stored = if member.is_stored { &member.content } else { &deflated };
        let mut crc = flate2::Crc::new();
        crc.update(&member.content);
        let mut shared = Vec::new();
        shared.extend_from_slice(&20_u16.to_le_bytes());
        shared.extend_from_slice(&member.flags.to_le_bytes());
        shared.extend_from_slice(&(if member.is_stored { 0_u16 } else { 8 }).to_le_bytes());
        shared.extend_from_slice(&member.dos.1.to_le_bytes());
        shared.extend_from_slice(&member.dos.0.to_le_bytes());
        shared.extend_from_slice(&crc.sum().to_le_bytes());
        shared.extend_from_slice(&(stored.len() as u32).to_le_bytes());
        shared.extend_from_slice(&(member.content.len() as u32).to_le_bytes());
        shared.extend_from_slice(&(member.name.len() as u16).to_le_bytes());
        shared.extend_from_slice(&(member.extra.len() as u16).to_le_bytes());
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&shared);
        bytes.extend_from_slice(&member.name);
        bytes.extend_from_slice(&member.extra);
        bytes.extend_from_slice(stored);
        let mut record = b"PK\x01\x02".to_vec();
        record.extend_from_slice(
            &(if member.mode == 0 { 20_u16 } else { (3 << 8) | 20 }).to_le_bytes(),
        );
        record.extend_from_slice(&shared);
        record.extend_from_slice(&[0; 6]);
        record.extend_from_slice(&(member.mode << 16).to_le_bytes());
        record.extend_from_slice(&place.to_le_bytes());
        record.extend_from_slice(&member.name);
        record.extend_from_slice(&member.extra);
        if let Some(lie) = member.lie {
            lie(&mut record);
        }
        directory.extend_from_slice(&record);
    }
    let start = bytes.len() as u32;
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    let count = members.len() as u16;
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

fn open(bytes: Vec<u8>, name: &str) -> Result<(ZipTree, Vec<String>), EvidenceError> {
    let (tree, issues) = ZipTree::open(Arc::new(bytes), name, &Spool::default())?;
    Ok((tree, issues.iter().map(ToString::to_string).collect()))
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

fn read(tree: &ZipTree, name: &str) -> Result<String, String> {
    let bytes = tree.open(&path(name)).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(read_up_to(&bytes, 1 << 20).unwrap().0).unwrap())
}

fn names(tree: &ZipTree, directory: &str) -> Vec<String> {
    let entries = tree.list(&path(directory)).unwrap();
    entries.into_iter().map(|entry| String::from_utf8(entry.name).unwrap()).collect()
}

fn damage(tree: &ZipTree, name: &str) -> Vec<String> {
    tree.damage(&path(name)).iter().map(ToString::to_string).collect()
}

/// The error of an archive that cannot be opened.
fn refused(bytes: Vec<u8>) -> String {
    open(bytes, "x.zip").err().unwrap().to_string()
}

#[test]
fn members_are_read_stored_and_deflated_in_the_tree_that_their_names_imply() {
    let stored = Written { is_stored: true, ..file("log/host/b.log", "stored") };
    let members =
        [file("log/host/a.log", &"deflated ".repeat(100)), stored, file("diagkit.json", "{}")];
    let (tree, issues) = open(archive(&members), "20220709060409.zip").unwrap();
    assert_eq!(issues, [""; 0]);
    assert_eq!(names(&tree, ""), ["diagkit.json", "log"]);
    assert_eq!(names(&tree, "log/host"), ["a.log", "b.log"]);
    assert_eq!(read(&tree, "log/host/a.log").unwrap(), "deflated ".repeat(100));
    assert_eq!(read(&tree, "log/host/b.log").unwrap(), "stored");
    assert_eq!(tree.metadata(&path("log/host/b.log")).unwrap().size, 6);
    assert_eq!(tree.metadata(&path("log")).unwrap(), Metadata::unknown(FileKind::Directory));
    assert_eq!(read(&tree, "log"), Err("not a regular file, but a directory".to_owned()));
    assert_eq!(damage(&tree, "log/host/a.log"), [""; 0]);
}

#[test]
fn local_times_become_utc_by_the_stamp_of_the_name_or_by_members_that_have_both() {
    let modified = |tree: &ZipTree, name: &str| {
        tree.metadata(&path(name)).unwrap().modified.map(|at| at.to_string())
    };
    let at = |text: &str| Some(text.to_owned());
    let (tree, issues) = open(archive(&[file("a", "")]), "x:/Temp/AF/20220709060409.zip").unwrap();
    assert_eq!((modified(&tree, "a"), issues.len()), (at("2022-07-09T06:04:00.000000000Z"), 0));
    let local = tree.extended_attributes(&path("a")).unwrap();
    assert_eq!(local[0].name, b"zip.local_time");
    assert_eq!(local[0].value, b"2022-07-09T11:49:00");
    // 2022-07-09T15:49:01Z, four hours behind the local time.
    let mut unix = b"UT\x05\x00\x01".to_vec();
    unix.extend_from_slice(&1_657_381_741_u32.to_le_bytes());
    let both = Written { extra: unix, ..file("b", "") };
    let (tree, issues) = open(archive(&[file("a", ""), both]), "upload.zip").unwrap();
    assert_eq!(modified(&tree, "b"), at("2022-07-09T15:49:01.000000000Z"));
    assert_eq!((modified(&tree, "a"), issues.len()), (at("2022-07-09T15:49:00.000000000Z"), 0));
    let (tree, issues) = open(archive(&[file("a", "")]), "upload.zip").unwrap();
    assert_eq!(modified(&tree, "a"), at("2022-07-09T11:49:00.000000000Z"));
    let what = "upload.zip: times of members are local times of an unknown zone, taken as UTC (unsupported)";
    assert_eq!(issues, [what]);
}

#[test]
fn modes_links_and_directories_of_unix_are_told() {
    let link = Written { mode: 0o120_777, ..file("link", "target/x") };
    let directory = Written { mode: 0o040_755, ..file("empty/", "") };
    let program = Written { mode: 0o100_755, ..file("run", "#!") };
    let (tree, _) = open(archive(&[link, directory, program]), "20220709060409.zip").unwrap();
    assert_eq!(tree.link_target(&path("link")).unwrap(), b"target/x");
    assert_eq!(tree.metadata(&path("run")).unwrap().mode, Some(0o755));
    assert_eq!(tree.metadata(&path("empty")).unwrap().kind, FileKind::Directory);
    assert_eq!(names(&tree, "empty"), [""; 0]);
}

#[test]
fn names_that_lead_out_lie_in_files_or_stand_twice_cost_only_themselves() {
    let members = [
        file("../../etc/passwd", "out"),
        file("/etc/shadow", "out"),
        file("a", "first"),
        file("a", "second"),
        file("a/below", "in a file"),
        file("win\\sub\\c.txt", "windows"),
        file(&"d/".repeat(100), "deep"),
    ];
    let (tree, issues) = open(archive(&members), "20220709060409.zip").unwrap();
    assert_eq!(names(&tree, ""), ["a", "win"]);
    assert_eq!(read(&tree, "a").unwrap(), "second");
    assert_eq!(read(&tree, "win/sub/c.txt").unwrap(), "windows");
    let told: Vec<&str> =
        issues.iter().filter_map(|issue| issue.split_once(": ")).map(|(_, what)| what).collect();
    assert_eq!(
        told,
        [
            "zip archive at byte 0: need names inside of the archive, have 2 that lead out of it, which are not shown (malformed)",
            "zip archive at byte 0: need directories above members, have 1 that lie in files, which are not shown (malformed)",
            "zip archive at byte 0: need each name once, have 1 names again, of which the last is shown (malformed)",
            "components or bytes of the name of a member of a zip archive: limit of 64 reached (limit reached)",
        ]
    );
}

#[test]
fn what_is_not_read_is_named() {
    let encrypted = Written { flags: 1, ..file("secret", "x") };
    let other = Written { lie: Some(|record| record[10] = 14), ..file("lzma", "x") };
    let (tree, _) = open(archive(&[encrypted, other]), "20220709060409.zip").unwrap();
    let error = |name| read(&tree, name).unwrap_err();
    assert_eq!(error("secret"), "an encrypted member of a zip archive is not supported");
    assert_eq!(error("lzma"), "method 14 of compression of a zip archive is not supported");
    let aff4 = archive(&[file("container.description", "aff4://x")]);
    assert_eq!(refused(aff4), "an AFF4 disk image is not supported");
    let mut parts = archive(&[file("a", "x")]);
    let end = parts.len() - 22;
    parts[end + 4] = 1;
    assert_eq!(refused(parts), "a zip archive in several parts is not supported");
}

#[test]
fn lies_about_sizes_and_sums_cost_only_what_depends_on_them() {
    let shorter = Written { lie: Some(|record| record[24] = 3), ..file("shorter", "content") };
    let longer = Written { lie: Some(|record| record[25] = 9), ..file("longer", "content") };
    let sum = Written { lie: Some(|record| record[16] ^= 1), ..file("sum", "content") };
    let name = Written { lie: Some(|record| record[46] = b'N'), ..file("name", "content") };
    let (tree, _) = open(archive(&[shorter, longer, sum, name]), "20220709060409.zip").unwrap();
    assert_eq!(read(&tree, "shorter").unwrap(), "con");
    assert_eq!(read(&tree, "longer").unwrap(), "content");
    assert_eq!(read(&tree, "sum").unwrap(), "content");
    assert_eq!(read(&tree, "Name").unwrap(), "content");
    let content =
        |need: &str| format!("content of a member of a zip archive at byte 0: need {need}");
    assert_eq!(damage(&tree, "shorter"), [content("3 bytes, have more")]);
    assert!(damage(&tree, "longer")[0].ends_with("need 2311 bytes, have 7"));
    assert!(damage(&tree, "sum")[0].contains("need CRC-32 "), "{:?}", damage(&tree, "sum"));
    assert!(
        damage(&tree, "Name")[0]
            .ends_with("need the name that the central directory has, have name")
    );
}

#[test]
fn members_that_overlap_and_bombs_are_not_opened() {
    let twin = Written { lie: Some(|record| record[42..46].fill(0)), ..file("twin", "content") };
    let (tree, issues) =
        open(archive(&[file("first", "content"), twin]), "20220709060409.zip").unwrap();
    assert!(
        issues[0].contains("need members beside each other, have 1 that overlap others"),
        "{issues:?}"
    );
    assert_eq!(read(&tree, "first").unwrap(), "content");
    let what = "member of a zip archive at byte 0: need a place of its own, have one inside of another member";
    assert_eq!(read(&tree, "twin"), Err(what.to_owned()));
    let bomb = Written { lie: Some(|record| record[24..28].fill(0xfe)), ..file("bomb", "small") };
    let (tree, _) = open(archive(&[bomb]), "20220709060409.zip").unwrap();
    assert_eq!(read(&tree, "bomb").unwrap(), "small");
    assert_eq!(damage(&tree, "bomb").len(), 1);
}

#[test]
fn sizes_of_zip64_are_read_and_a_directory_that_lies_costs_the_rest() {
    let mut large = vec![1, 0, 16, 0];
    large.extend_from_slice(&7_u64.to_le_bytes());
    large.extend_from_slice(&9_u64.to_le_bytes());
    let member = Written {
        extra: large,
        lie: Some(|record| record[20..28].fill(0xff)),
        ..file("large", "content")
    };
    let (tree, issues) = open(archive(&[member]), "20220709060409.zip").unwrap();
    assert_eq!(read(&tree, "large").unwrap(), "content");
    assert_eq!((tree.metadata(&path("large")).unwrap().size, issues.len()), (7, 0));
    let broken = Written { lie: Some(|record| record[0] = 0), ..file("b", "x") };
    let (tree, issues) = open(archive(&[file("a", "x"), broken]), "20220709060409.zip").unwrap();
    assert_eq!(names(&tree, ""), ["a"]);
    assert!(
        issues[0].ends_with("need the signature PK\\1\\2, have another (malformed)"),
        "{issues:?}"
    );
    let cut = archive(&[file("a", "x")])[..40].to_vec();
    assert!(
        refused(cut)
            .ends_with("need the end of the archive with its directory, have none: it is cut")
    );
}

#[test]
fn the_end_record_of_zip64_is_found_through_its_locator() {
    let mut bytes = archive(&[file("a", "content")]);
    let end = bytes.split_off(bytes.len() - 22);
    let (place, size) = (bytes.len() as u64, u32::from_le_bytes(end[12..16].try_into().unwrap()));
    bytes.extend_from_slice(b"PK\x06\x06");
    bytes.extend_from_slice(&44_u64.to_le_bytes());
    bytes.extend_from_slice(&[0; 12]);
    for number in [1, 1, u64::from(size), place - u64::from(size), place] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    // Of the last number only the locator has a use.
    bytes.truncate(bytes.len() - 8);
    bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    bytes.extend_from_slice(&place.to_le_bytes());
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&[0xff; 12]);
    bytes.extend_from_slice(&[0, 0]);
    let (tree, issues) = open(bytes.clone(), "20220709060409.zip").unwrap();
    assert_eq!((read(&tree, "a").unwrap().as_str(), issues), ("content", Vec::new()));
    // A locator that leads elsewhere.
    let locator = bytes.len() - 22 - 12;
    bytes[locator] = 0;
    assert!(refused(bytes).ends_with("need the signature PK\\6\\6, have another"));
}

#[test]
fn an_archive_that_is_changed_anywhere_is_refused_or_read() {
    let whole =
        archive(&[file("a/b", "some content"), Written { is_stored: true, ..file("c", "x") }]);
    for at in 0..whole.len() {
        for change in [0xff, 0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            let Ok((tree, _)) = open(bytes, "20220709060409.zip") else { continue };
            crate::walk(
                &tree,
                &mut |path, _| {
                    drop(tree.metadata(path));
                    drop(tree.open(path).map(|bytes| read_up_to(&bytes, 1 << 20)));
                    crate::Descend::Into
                },
                &mut |_, _| {},
            );
        }
        drop(open(whole[..at].to_vec(), "x.zip"));
    }
}
