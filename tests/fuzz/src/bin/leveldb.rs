//! A file of LevelDB: as it is, and as the one batch of a log, or the only block of a table, with the
//! right checksum around it.
#![no_main]

use dockline_evidence::crc32c::crc32c;
use dockline_parsers::formats::leveldb::{Record, info_log, log, table};

/// What LevelDB stores for these bytes.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The input as a batch in one fragment.
fn as_log(input: &[u8]) -> Vec<u8> {
    let data = &input[..input.len().min(32_768 - 7)];
    let covered = [&[1], data].concat();
    let length = (data.len() as u16).to_le_bytes();
    [&checksum(&covered)[..], &length, &covered].concat()
}

/// The input as the index of a table, and as each block that it names.
fn as_table(input: &[u8]) -> Vec<u8> {
    let content = &input[..input.len().min(16_383)];
    let with_kind = [content, &[0]].concat();
    let block = [&with_kind[..], &checksum(&with_kind)].concat();
    let length = content.len();
    let handle = [0, length as u8 & 0x7f | 0x80, (length >> 7) as u8];
    let mut footer = [&[0, 0][..], &handle].concat();
    footer.resize(40, 0);
    [&block[..], &footer, &0xdb47_7524_8b80_fb57_u64.to_le_bytes()].concat()
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut take = |record: &Record<'_>| assert!(record.key.len() <= 32 << 20);
    log::records(input, &mut take);
    log::records(&as_log(input), &mut take);
    table::records(input, &mut take);
    table::records(&as_table(input), &mut take);
    if let Ok(line) = std::str::from_utf8(input) {
        let _line = info_log::Line::parse(line);
    }
});
