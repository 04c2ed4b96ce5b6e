//! Journals that systemd wrote, whole and damaged, against its own export of them.
#![cfg(test)]

use super::*;
use std::collections::BTreeSet;

const EXPORT: &[u8] = include_bytes!("../../../../testdata/journal/entries.export.zst");
const ENCODINGS: [&[u8]; 3] = [
    include_bytes!("../../../../testdata/journal/compact-zstd-keyed.journal.zst"),
    include_bytes!("../../../../testdata/journal/regular-plain-keyed.journal.zst"),
    include_bytes!("../../../../testdata/journal/regular-zstd-unkeyed.journal.zst"),
];
const SMALL: &[u8] = include_bytes!(
    "../../../../testdata/host.journal/engine/evidence/var/log/journal/0f1e2d3c4b5a69788796a5b4c3d2e1f0/system.journal"
);

type Fields = BTreeSet<(String, Vec<u8>)>;

fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = zstd::stream::read::Decoder::new(bytes).unwrap();
    decoder.window_log_max(27).unwrap();
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut decoder, &mut content).unwrap();
    content
}

/// Time and fields of each entry, and the flaws.
fn entries_of(journal: &[u8]) -> Result<(Vec<(u64, Fields)>, Vec<Flaw>), Flaw> {
    let file = journal.to_vec();
    let mut entries = Vec::new();
    let mut each = |entry: &Entry| {
        let fields = entry.fields.iter().map(|field| (field.name.clone(), field.value.clone()));
        entries.push((entry.realtime, fields.collect()));
    };
    let flaws = Journal::open(&file, &|_| true)?.entries(&mut each);
    Ok((entries, flaws))
}

/// The entries of journald's export format, in which a value with line feeds has its length before it.
fn exported() -> Vec<(u64, Fields)> {
    let export = decompressed(EXPORT);
    let (mut rest, mut entries) = (export.as_slice(), Vec::new());
    let (mut time, mut fields) = (0, Fields::new());
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(&rest[..end]).unwrap();
        rest = &rest[end + 1..];
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, value.as_bytes().to_vec()),
            None if line.is_empty() => {
                entries.push((time, std::mem::take(&mut fields)));
                continue;
            }
            None => {
                let length = u64::from_le_bytes(*rest.first_chunk().unwrap()) as usize;
                let value = rest[8..8 + length].to_vec();
                rest = &rest[8 + length + 1..];
                (line, value)
            }
        };
        if name == "__REALTIME_TIMESTAMP" {
            time = String::from_utf8(value).unwrap().parse().unwrap();
        } else if !name.starts_with("__") {
            fields.insert((name.to_owned(), value));
        }
    }
    entries
}

#[test]
fn every_encoding_holds_what_systemd_exports() {
    let expected = exported();
    assert_eq!(expected.len(), 1_133);
    for encoding in ENCODINGS {
        let (entries, flaws) = entries_of(&decompressed(encoding)).unwrap();
        assert_eq!(flaws, []);
        assert_eq!(entries.len(), expected.len());
        for (found, expected) in entries.iter().zip(&expected) {
            assert_eq!(found.0, expected.0);
            // systemd's own tool put its boot into the entries without saying so in the export.
            assert!(expected.1.is_subset(&found.1), "{found:#?}");
        }
    }
}

#[test]
fn fields_that_are_not_wanted_are_not_read() {
    let file = SMALL.to_vec();
    let mut names = BTreeSet::new();
    let mut each = |entry: &Entry| {
        names.extend(entry.fields.iter().map(|field| field.name.clone()));
    };
    let flaws = Journal::open(&file, &|name| name == "PRIORITY").unwrap().entries(&mut each);
    assert_eq!(
        (names.into_iter().collect::<Vec<_>>(), flaws),
        (vec!["PRIORITY".to_owned()], vec![])
    );
}

/// Offsets and types of all objects.
fn objects(journal: &[u8]) -> Vec<(usize, u8)> {
    let file = journal.to_vec();
    let mut blocks = Blocks::new(&file);
    let header = Header::read(&mut blocks).unwrap();
    let (mut at, mut objects) = (header.first_object, Vec::new());
    while let Found::Object(object) = Found::at(&mut blocks, at, header.is_compact).unwrap() {
        objects.push((at as usize, object.kind));
        at = object.next();
    }
    objects
}

#[test]
fn damage_costs_only_what_it_hits() {
    let (whole, _) = entries_of(SMALL).unwrap();
    let entries: Vec<usize> =
        objects(SMALL).iter().filter(|(_, kind)| *kind == ENTRY).map(|(at, _)| *at).collect();
    let mut damaged = SMALL.to_vec();
    damaged[entries[4]..entries[4] + 16].fill(0xff);
    let (found, flaws) = entries_of(&damaged).unwrap();
    let without: Vec<_> = whole
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != 4)
        .map(|(_, entry)| entry.clone())
        .collect();
    assert!(found == without);
    let told: Vec<_> = flaws.iter().map(|flaw| (flaw.kind, flaw.at)).collect();
    assert_eq!(told, [(IssueKind::Malformed, entries[4] as u64)]);
    let (found, flaws) = entries_of(&SMALL[..entries[9] + 20]).unwrap();
    assert!(found == whole[..9]);
    assert_eq!(flaws.len(), 1);
}

#[test]
fn entries_behind_the_tail_that_the_header_knows_are_marked() {
    let entries: Vec<usize> =
        objects(SMALL).iter().filter(|(_, kind)| *kind == ENTRY).map(|(at, _)| *at).collect();
    let mut file = SMALL.to_vec();
    file[136..144].copy_from_slice(&(entries[9] as u64).to_le_bytes());
    let mut beyond = Vec::new();
    let mut each = |entry: &Entry| beyond.push(entry.beyond_tail);
    assert_eq!(Journal::open(&file, &|_| true).unwrap().entries(&mut each), []);
    assert_eq!(beyond.iter().position(|is_beyond| *is_beyond), Some(10));
}

#[test]
fn what_is_no_journal_or_one_of_the_future_is_refused_by_name() {
    let refused = |bytes: &[u8]| {
        let flaw = entries_of(bytes).unwrap_err();
        (flaw.kind, flaw.what)
    };
    assert_eq!(refused(b"").0, IssueKind::Malformed);
    assert_eq!(refused(&[b'x'; 300]).0, IssueKind::Malformed);
    let mut future = SMALL.to_vec();
    future[12] = 0x80;
    let what = "a systemd journal with the features 0x80 is not supported".to_owned();
    assert_eq!(refused(&future), (IssueKind::Unsupported, what));
    let mut absurd = SMALL.to_vec();
    absurd[88..96].fill(0xff);
    assert_eq!(refused(&absurd).0, IssueKind::Malformed);
}

#[test]
fn a_long_value_that_all_entries_share_is_not_read_without_end() {
    // One data object of 1 MiB, and entries with 1,024 fields that all point to it.
    let mut file = SMALL[..264].to_vec();
    file[12..16].copy_from_slice(&4_u32.to_le_bytes());
    let size = 64 + LONGEST_VALUE as u64;
    let data = file.len() as u64;
    let object =
        |kind: u8, size: u64| [&[kind, 0, 0, 0, 0, 0, 0, 0][..], &size.to_le_bytes()].concat();
    file.extend(object(DATA, size));
    file.extend([0; 48]);
    file.extend(b"MESSAGE=");
    file.resize(264 + size as usize, b'x');
    for _ in 0..50 {
        file.extend(object(ENTRY, 64 + FIELDS * 16));
        file.extend([1; 48]);
        for _ in 0..FIELDS {
            file.extend(data.to_le_bytes());
            file.extend([0; 8]);
        }
    }
    let mut count = 0;
    let flaws = Journal::open(&file, &|_| true).unwrap().entries(&mut |_| count += 1);
    assert_eq!(flaws.last().unwrap().kind, IssueKind::LimitReached);
    assert!(count < 3, "{count}");
}
