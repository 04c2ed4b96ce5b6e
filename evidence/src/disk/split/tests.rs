//! Segments in memory, under all the names that they can have.

#![cfg(test)]

use super::*;
use crate::read_at::read_up_to;
use std::collections::BTreeMap;

struct Files {
    own_name: &'static str,
    files: BTreeMap<&'static str, Vec<u8>>,
}

impl Neighbours for Files {
    fn own_name(&self) -> &[u8] {
        self.own_name.as_bytes()
    }

    fn open(&self, name: &[u8]) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let name = std::str::from_utf8(name).unwrap();
        let content = self.files.get(name).ok_or(EvidenceError::NotFound)?;
        Ok(Arc::new(content.clone()))
    }
}

fn join_of(own_name: &'static str, files: &[(&'static str, &str)]) -> Option<Split> {
    let files: BTreeMap<_, _> =
        files.iter().map(|(name, content)| (*name, content.as_bytes().to_vec())).collect();
    let first: Arc<dyn ReadAt> = Arc::new(files[own_name].clone());
    join(first, &Files { own_name, files }).unwrap()
}

fn disk_of(own_name: &'static str, files: &[(&'static str, &str)]) -> Disk {
    match join_of(own_name, files) {
        Some(Split::First(disk)) => disk,
        _ => panic!("not the first segment"),
    }
}

fn content(disk: &Disk) -> String {
    String::from_utf8(read_up_to(&disk.bytes, u64::MAX).unwrap().0).unwrap()
}

fn flaws(disk: &Disk) -> Vec<&str> {
    disk.flaws.iter().map(|flaw| flaw.what.as_str()).collect()
}

#[test]
fn segments_are_joined_whatever_way_they_are_named() {
    for names in [
        ["d.001", "d.002", "d.003"],
        ["d.000", "d.001", "d.002"],
        ["d.raw.00", "d.raw.01", "d.raw.02"],
        ["d.0001", "d.0002", "d.0003"],
        ["d.raw.aa", "d.raw.ab", "d.raw.ac"],
        ["xaa", "xab", "xac"],
        ["xaaa", "xaab", "xaac"],
    ] {
        let files: Vec<_> = names.into_iter().zip(["abcd", "efgh", "ij"]).collect();
        let disk = disk_of(names[0], &files);
        assert_eq!(content(&disk), "abcdefghij");
        assert_eq!(flaws(&disk), [""; 0]);
        assert_eq!(disk.parts, [names[1].as_bytes(), names[2].as_bytes()]);
    }
}

#[test]
fn a_later_segment_names_the_first() {
    for (first, later) in [("d.001", "d.002"), ("d.000", "d.001"), ("d.aa", "d.cx"), ("xaa", "xbb")]
    {
        match join_of(later, &[(first, "abcd"), (later, "ef")]) {
            Some(Split::Later(name)) => assert_eq!(name, first.as_bytes()),
            _ => panic!("{later} is not recognised"),
        }
    }
}

#[test]
fn a_file_alone_is_not_split() {
    for name in ["d.001", "d.002", "d.aa", "d.db", "d.raw", "xaa"] {
        assert!(join_of(name, &[(name, "abcd")]).is_none(), "{name}");
    }
}

#[test]
fn a_missing_segment_is_named_and_what_follows_stays_where_it_belongs() {
    let disk = disk_of(
        "d.001",
        &[("d.001", "abcd"), ("d.002", "efgh"), ("d.004", "mnop"), ("d.005", "q")],
    );
    assert_eq!(flaws(&disk), ["segment d.003 is missing: 4 bytes cannot be read"]);
    let mut buffer = [0; 8];
    assert_eq!(disk.bytes.read_at(4, &mut buffer).unwrap(), 4);
    assert!(disk.bytes.read_at(8, &mut buffer).is_err());
    assert_eq!(disk.bytes.read_at(12, &mut buffer).unwrap(), 5);
    assert_eq!(&buffer[..5], b"mnopq");
    assert_eq!(disk.parts.len(), 3);
}

#[test]
fn a_segment_that_was_cut_off_displaces_nothing() {
    let files = [("d.001", "abcd"), ("d.002", "ef"), ("d.003", "ijkl"), ("d.004", "mn")];
    let disk = disk_of("d.001", &files);
    let what = "segment d.002 has 2 bytes, not 4 as others: the rest cannot be read";
    assert_eq!(flaws(&disk), [what]);
    let mut buffer = [0; 8];
    assert_eq!(disk.bytes.read_at(4, &mut buffer).unwrap(), 2);
    assert!(disk.bytes.read_at(6, &mut buffer).is_err());
    assert_eq!(disk.bytes.read_at(8, &mut buffer).unwrap(), 6);
    assert_eq!(&buffer[..6], b"ijklmn");
}

#[test]
fn segments_of_different_sizes_are_joined_as_they_are() {
    let disk = disk_of("d.001", &[("d.001", "ab"), ("d.002", "cdefg"), ("d.003", "hij")]);
    assert_eq!(content(&disk), "abcdefghij");
    assert_eq!(flaws(&disk), ["the segments of the split image are of different sizes"]);
}

#[test]
fn the_sequence_ends_where_too_many_are_missing() {
    let disk = disk_of("d.001", &[("d.001", "abcd"), ("d.002", "ef"), ("d.099", "gh")]);
    assert_eq!((content(&disk).as_str(), disk.parts.len()), ("abcdef", 1));
}
