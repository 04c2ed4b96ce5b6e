//! One image in several files, made by ewfacquire.

use super::open;
use crate::disk::samples::{assert_reads_agree, content, disk, open_files, stored_file};
use crate::disk::{Disk, StoredHash};
use dockline_timeline::IssueKind;

/// The disk with 5003 sectors in three segments.
fn web() -> [Vec<u8>; 3] {
    ["ewf/web.E01.zst", "ewf/web.E02.zst", "ewf/web.E03.zst"].map(stored_file)
}

fn flaws(disk: &Disk) -> Vec<(IssueKind, &str)> {
    disk.flaws.iter().map(|flaw| (flaw.kind, flaw.what.as_str())).collect()
}

#[test]
fn segments_are_found_by_their_names_and_joined() {
    let [one, two, three] = web();
    for names in [["web.E01", "web.E02", "web.E03"], ["a.b.e01", "a.b.E02", "a.b.e03"]] {
        let files = [(names[0], one.clone()), (names[1], two.clone()), (names[2], three.clone())];
        let opened = open_files(open, &files).unwrap();
        assert_eq!(flaws(&opened), []);
        let raw = disk(5003);
        assert!(content(&opened) == raw);
        assert_reads_agree(&opened, &raw);
        assert_eq!(opened.parts, [names[1].as_bytes(), names[2].as_bytes()]);
        let hash = |algorithm, digits: &str| StoredHash { algorithm, digits: digits.to_string() };
        let expected = [
            hash("MD5", "09f27867350dd1f527d88774c2358b2e"),
            hash("SHA1", "1799f5e17c8764b49d87e257bdcacf7cc0f3292b"),
        ];
        assert_eq!(opened.stored_hashes, expected);
    }
}

#[test]
fn what_lies_before_a_missing_segment_is_read() {
    let [one, _, three] = web();
    let opened = open_files(open, &[("web.E01", one), ("web.E03", three)]).unwrap();
    let what = "segment 2 is missing: nothing of the disk can be read from byte 1015808 on";
    assert_eq!(flaws(&opened), [(IssueKind::Unreadable, what)]);
    assert_eq!(opened.bytes.len(), 5003 * 512);
    let mut buffer = vec![0; 2_000_000];
    assert_eq!(opened.bytes.read_at(0, &mut buffer).unwrap(), 1_015_808);
    assert!(buffer[..1_015_808] == disk(5003)[..1_015_808]);
    let error = opened.bytes.read_at(1_015_808, &mut buffer).unwrap_err().to_string();
    assert_eq!(error, "EWF chunk at byte 0: need a place of chunk 31, have none");
}

#[test]
fn a_file_that_is_not_the_segment_it_is_named_is_not_used() {
    let [one, _, three] = web();
    let opened = open_files(open, &[("web.E01", one.clone()), ("web.E02", three)]).unwrap();
    let what = "segment 2 cannot be used: EWF segment header at byte 9: need segment 2, have \
                segment 3: nothing of the disk can be read from byte 1015808 on";
    assert_eq!(flaws(&opened), [(IssueKind::Unreadable, what)]);
    let opened = open_files(open, &[("web.E01", one), ("web.E02", vec![1; 5])]).unwrap();
    assert_eq!(opened.flaws.len(), 1);
    assert_eq!(opened.parts.len(), 0);
}

#[test]
fn a_later_segment_tells_which_one_to_name() {
    let [_, two, _] = web();
    let error = open_files(open, &[("web.E02", two.clone())]).err().unwrap();
    let expected = "EWF segment header at byte 9: need the first segment (web.E01), which is the \
                    one to name, have segment 2";
    assert_eq!(error.to_string(), expected);
    let error = open_files(open, &[("noname", two)]).err().unwrap();
    assert!(error.to_string().contains("need the first segment, which"), "{error}");
}

#[test]
fn a_segment_that_was_cut_off_costs_what_its_tables_would_place() {
    let [one, mut two, three] = web();
    two.truncate(500_000);
    let files = [("web.E01", one), ("web.E02", two), ("web.E03", three)];
    let opened = open_files(open, &files).unwrap();
    let what = "segment 2: EWF section at byte 1017149: need 76 bytes, have 0: nothing of the \
                disk can be read from byte 1015808 on";
    assert_eq!(flaws(&opened), [(IssueKind::Malformed, what)]);
    assert_eq!(opened.parts, [b"web.E02"]);
}

#[test]
fn many_threads_read_at_once() {
    let [one, two, three] = web();
    let files = [("web.E01", one), ("web.E02", two), ("web.E03", three)];
    let (opened, raw) = (open_files(open, &files).unwrap(), disk(5003));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_reads_agree(&opened, &raw));
        }
    });
}
