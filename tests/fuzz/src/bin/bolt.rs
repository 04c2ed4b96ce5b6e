//! A BoltDB database: what it holds, and what is left in its free pages.
#![no_main]

use dockline_parsers::formats::bolt::{Content, Database};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(database) = Database::open(input) else { return };
    let mut waiting = vec![database.root()];
    waiting.extend(database.fragments().map(|fragment| fragment.bucket));
    let mut records = 0;
    while let Some(bucket) = waiting.pop() {
        for entry in bucket.entries() {
            records += 1;
            assert!(bucket.find(entry.key).is_some());
            if let Content::Bucket(inner) = entry.content {
                waiting.push(inner);
            }
        }
    }
    // No byte belongs to two records, and each has 16 of its own.
    assert!(records <= input.len() / 16);
});
