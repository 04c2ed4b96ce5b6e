//! Files that LevelDB itself wrote, whole and damaged.

use super::{Flaw, Record, Take, log, table};
use dockline_evidence::crc32c::crc32c;

const LOG: &[u8] = include_bytes!(
    "../../../../testdata/desktop.electron/chromium/evidence/home/ann/.config/Docker Desktop/Local Storage/leveldb/000004.log"
);
const TABLE: &[u8] = include_bytes!(
    "../../../../testdata/desktop.electron/chromium/evidence/home/ann/.config/Docker Desktop/Local Storage/leveldb/000003.ldb"
);

/// A change: its number, its key, and how long its value is.
type Change = (u64, String, Option<usize>);

fn read(
    records: fn(&[u8], &mut Take<'_>) -> Vec<Flaw>,
    bytes: &[u8],
) -> (Vec<Change>, Vec<String>) {
    let mut changes = Vec::new();
    let flaws = records(bytes, &mut |record: &Record<'_>| {
        let key = String::from_utf8_lossy(record.key).escape_default().to_string();
        changes.push((record.sequence, key, record.value.map(<[u8]>::len)));
    });
    (changes, flaws.into_iter().map(|flaw| format!("{}: {}", flaw.offset, flaw.what)).collect())
}

const META: &str = "META:http://127.0.0.1:8099";
const ACCESS: &str = "METAACCESS:http://127.0.0.1:8099";

#[test]
fn a_log_gives_its_changes_in_order() {
    let key = r"_http://127.0.0.1:8099\u{0}\u{1}key3";
    let batch = |first: u64| {
        [(first, key, None), (first + 1, ACCESS, Some(9)), (first + 2, META, Some(13))]
    };
    let expected = [batch(305), batch(308)].concat();
    let expected = expected.into_iter().map(|(at, key, value)| (at, key.to_owned(), value));
    assert_eq!(read(log::records, LOG), (expected.collect(), vec![]));
}

#[test]
fn a_table_gives_its_records_by_key() {
    // LevelDB itself lists as many, and these first.
    let (changes, flaws) = read(table::records, TABLE);
    assert_eq!((changes.len(), flaws), (304, vec![]));
    let first = [(304, META, Some(13)), (303, ACCESS, Some(9)), (1, "VERSION", Some(1))];
    let first = first.map(|(at, key, value)| (at, key.to_owned(), value));
    assert_eq!(changes[..3], first);
    let last = (301, r"_http://127.0.0.1:8099\u{0}\u{1}signedIn".to_owned(), Some(5));
    assert_eq!(changes[303], last);
}

/// A fragment with its header.
fn fragment(kind: u8, data: &[u8]) -> Vec<u8> {
    let covered = [&[kind], data].concat();
    let sum = crc32c(&covered).rotate_right(15).wrapping_add(0xa282_ead8);
    let length = u16::try_from(data.len()).unwrap();
    [&sum.to_le_bytes()[..], &length.to_le_bytes(), &covered].concat()
}

/// A batch that writes this value under `k`.
fn batch(sequence: u64, value: &[u8]) -> Vec<u8> {
    let length = [
        value.len() as u8 & 0x7f | 0x80,
        (value.len() >> 7) as u8 & 0x7f | 0x80,
        (value.len() >> 14) as u8,
    ];
    [&sequence.to_le_bytes()[..], &1_u32.to_le_bytes(), b"\x01\x01k", &length, value].concat()
}

#[test]
fn a_batch_in_fragments_is_one() {
    let whole = batch(7, &[b'v'; 70_000]);
    let (first, rest) = whole.split_at(32_768 - 7);
    let (middle, last) = rest.split_at(32_768 - 7);
    let log =
        [fragment(2, first), fragment(3, middle), fragment(4, last), fragment(1, &batch(8, b""))];
    let change = |sequence, length| (sequence, "k".to_owned(), Some(length));
    assert_eq!(read(log::records, &log.concat()), (vec![change(7, 70_000), change(8, 0)], vec![]));
    let torn = [fragment(2, first), fragment(3, middle)].concat();
    assert_eq!(
        read(log::records, &torn),
        (vec![], vec!["0: the end of this batch is missing".to_owned()])
    );
    let orphan = fragment(4, b"x");
    let what = "0: a fragment of a batch without its beginning".to_owned();
    assert_eq!(read(log::records, &orphan), (vec![], vec![what]));
}

#[test]
fn damage_of_a_log_costs_the_rest_of_its_block() {
    let block = |sequence| {
        let mut block = fragment(1, &batch(sequence, b"v"));
        block.resize(32_768, 0);
        block
    };
    let mut log = [block(1), block(2), block(3)].concat();
    log[32_768 + 9] ^= 1;
    let change = |sequence| (sequence, "k".to_owned(), Some(1));
    let what = "32768: a fragment with a wrong checksum, the rest of its block is lost".to_owned();
    assert_eq!(read(log::records, &log), (vec![change(1), change(3)], vec![what]));
    let cut = &fragment(1, &batch(1, b"v"))[..20];
    let what = "0: a fragment that is cut, the rest of its block is lost".to_owned();
    assert_eq!(read(log::records, cut), (vec![], vec![what]));
    let strange = fragment(9, b"");
    assert_eq!(read(log::records, &strange).1, ["0: a fragment of type 9"]);
    let few = fragment(1, &[&1_u64.to_le_bytes()[..], &2_u32.to_le_bytes(), b"\x00\x01k"].concat());
    let (changes, flaws) = read(log::records, &few);
    assert_eq!(changes, [(1, "k".to_owned(), None)]);
    assert_eq!(flaws, ["0: a batch of 2 changes of which 1 are there"]);
}

#[test]
fn damage_of_a_table_costs_its_block() {
    let wrong = |at: usize| {
        let mut table = TABLE.to_vec();
        table[at] ^= 1;
        read(table::records, &table)
    };
    let (changes, flaws) = wrong(100);
    assert!(changes.len() < 304 && !changes.is_empty(), "{}", changes.len());
    assert_eq!(flaws, ["0: a block with a wrong checksum, its records are lost"]);
    let (changes, flaws) = wrong(TABLE.len() - 1);
    assert_eq!(
        (changes, flaws),
        (vec![], vec!["0: not a table: no footer with the mark of one".to_owned()])
    );
}

#[test]
fn an_index_that_names_one_block_again_and_again_is_read_up_to_a_limit() {
    let block = |content: &[u8]| {
        let with_kind = [content, &[0]].concat();
        let sum = crc32c(&with_kind).rotate_right(15).wrapping_add(0xa282_ead8);
        [with_kind, sum.to_le_bytes().to_vec()].concat()
    };
    // One record of a million bytes, and an index of 400 entries that all name it.
    let record =
        [&b"\x00\x08\xc0\x84\x3d"[..], &[1, 0, 0, 0, 0, 0, 0, 0], &vec![b'v'; 1_000_000], &[0; 4]]
            .concat();
    let length = record.len() as u32;
    let handle =
        [0, length as u8 & 0x7f | 0x80, (length >> 7) as u8 & 0x7f | 0x80, (length >> 14) as u8];
    let index = [[&b"\x00\x00\x04"[..], &handle].concat().repeat(400), vec![0; 4]].concat();
    let start = record.len() + 5;
    let handle = |number: usize| {
        [number as u8 & 0x7f | 0x80, (number >> 7) as u8 & 0x7f | 0x80, (number >> 14) as u8]
    };
    let mut footer = [&[0, 0][..], &handle(start), &handle(index.len())].concat();
    footer.resize(40, 0);
    let magic = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();
    let table = [block(&record), block(&index), footer, magic.to_vec()].concat();
    let (changes, flaws) = read(table::records, &table);
    assert_eq!((changes.len(), &changes[0]), (268, &(0, String::new(), Some(1_000_000))));
    assert_eq!(flaws, ["0: more than 268435456 bytes in blocks, the rest is not read"]);
}
