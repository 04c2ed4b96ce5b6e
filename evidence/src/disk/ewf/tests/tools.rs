//! Images of ewfacquire in all of its formats.

use super::open;
use crate::disk::samples::{assert_reads_agree, content, disk, open_file, run};
use crate::disk::verify::digits_of;
use std::path::Path;

fn acquire(directory: &Path, name: &str, more: &[&str]) -> bool {
    let fixed = ["-u", "-q", "-C", "7", "-D", "disk", "-E", "web1", "-e", "somebody"];
    run(directory, "ewfacquire", &[&fixed[..], &["-t", name], more, &["disk.raw"]].concat())
}

#[test]
fn every_format_of_ewfacquire_gives_the_disk_and_its_hash() {
    let directory = tempfile::tempdir().unwrap();
    let raw = disk(4203);
    std::fs::write(directory.path().join("disk.raw"), &raw).unwrap();
    let formats = [
        ("encase1", "E01"),
        ("encase2", "E01"),
        ("encase3", "E01"),
        ("encase4", "E01"),
        ("encase5", "E01"),
        ("encase6", "E01"),
        ("encase7", "E01"),
        ("linen5", "E01"),
        ("linen6", "E01"),
        ("linen7", "E01"),
        ("ftk", "E01"),
        ("smart", "s01"),
        ("ewf", "e01"),
        ("ewfx", "e01"),
    ];
    for (format, extension) in formats {
        for compression in ["none", "fast"] {
            let name = format!("{format}-{compression}");
            let more = ["-f", format, "-c", compression, "-S", "1048576", "-d", "sha1"];
            if !acquire(directory.path(), &name, &more) {
                return;
            }
            let first = format!("{name}.{extension}");
            let opened = open_file(open, &directory.path().join(&first)).unwrap();
            assert_eq!(opened.flaws, [], "{first}");
            assert!(content(&opened) == raw, "{first}");
            assert!(!opened.stored_hashes.is_empty(), "{first}");
            let stored = opened.stored_hashes.iter().map(|stored| stored.digits.clone());
            let digits = digits_of(&*opened.bytes, &opened.stored_hashes).unwrap();
            assert_eq!(digits, stored.collect::<Vec<_>>(), "{first}");
            if compression == "none" {
                assert!(opened.parts.len() >= 2, "{first}: {:?}", opened.parts);
                assert_reads_agree(&opened, &raw);
            }
        }
    }
}

#[test]
fn chunks_and_sectors_can_have_any_size() {
    let directory = tempfile::tempdir().unwrap();
    let raw = disk(4096);
    std::fs::write(directory.path().join("disk.raw"), &raw).unwrap();
    for (name, more) in [
        ("small", ["-b", "16", "-P", "512"]),
        ("large", ["-b", "32768", "-P", "512"]),
        ("wide", ["-b", "64", "-P", "4096"]),
    ] {
        if !acquire(directory.path(), name, &[&more[..], &["-c", "fast"]].concat()) {
            return;
        }
        let opened = open_file(open, &directory.path().join(format!("{name}.E01"))).unwrap();
        assert_eq!(opened.flaws, [], "{name}");
        assert!(content(&opened) == raw, "{name}");
    }
}
