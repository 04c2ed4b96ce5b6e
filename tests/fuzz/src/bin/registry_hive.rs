//! A hive: all its keys and values, also with the input's second half as its transaction log, and what
//! the parser tells of it. The checksum of the base block is made right.
#![no_main]

use dockline_fuzz::read_as_file;
use dockline_parsers::formats::registry_hive::Hive;
use dockline_parsers::formats::windows_host::{computer_name, zone};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The input with the right checksum of the base block.
fn with_checksum(input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    if bytes.len() >= 512 {
        bytes[..4].copy_from_slice(b"regf");
        let words = bytes[..508].as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
        let sum = words.fold(0, |sum, word| sum ^ word);
        bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

/// Reads every key once.
fn walk(bytes: &[u8], logs: &[Vec<u8>]) {
    let Ok(hive) = Hive::open(Arc::new(bytes.to_vec()), logs) else { return };
    let mut seen = BTreeSet::new();
    let mut left: Vec<_> = hive.root().into_iter().collect();
    while let Some(key) = left.pop() {
        if seen.insert(key.offset) {
            let _values = key.values();
            left.extend(key.subkeys());
        }
    }
    let _name = computer_name(&hive);
    let _zone = zone(&hive);
    assert!(hive.into_flaws().len() <= 50);
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let hive = with_checksum(input);
    walk(&hive, &[]);
    let (hive, log) = hive.split_at(hive.len() / 2);
    walk(hive, &[log.to_vec()]);
    let whole = with_checksum(input);
    for path in
        ["Windows/System32/config/SYSTEM", "Windows/System32/config/SOFTWARE", "Users/x/NTUSER.DAT"]
    {
        read_as_file(path, &whole);
    }
});
