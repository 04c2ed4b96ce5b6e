//! Partition tables that `sgdisk` and `sfdisk` wrote, and what attackers would make of them.

#![cfg(test)]

use super::*;
use std::path::Path;

/// An image of `testdata/evidence`.
pub(super) fn image(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/evidence");
    zstd::decode_all(std::fs::File::open(folder.join(name)).unwrap()).unwrap()
}

/// A small seeded generator.
pub(super) fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Each line: name, start and length in sectors of 512 bytes (told by the bytes), UUID, label.
fn listed(bytes: Vec<u8>) -> (Vec<String>, Vec<String>) {
    let found = partitions(&(Arc::new(Marked(bytes)) as Arc<dyn ReadAt>)).unwrap();
    let line = |volume: &Volume| {
        let mut at = [0; 8];
        assert_eq!(volume.bytes.read_at(0, &mut at).unwrap(), 8);
        let (start, length) = (u64::from_le_bytes(at) / 512, volume.bytes.len() / 512);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (uuid, label) = (text(&volume.part_uuid), text(&volume.label));
        format!("{} {start} {length} {uuid} {label}", volume.name)
    };
    let mut lines: Vec<String> = found.table.iter().map(ToString::to_string).collect();
    lines.extend(found.volumes.iter().map(line));
    (lines, found.flaws.into_iter().map(|flaw| flaw.what).collect())
}

/// A disk that reads as its own offsets where it has only zeros.
struct Marked(Vec<u8>);

impl ReadAt for Marked {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read_at(offset, buffer)?;
        if buffer.len() == 8 {
            buffer.copy_from_slice(&offset.to_le_bytes());
        }
        Ok(count)
    }
}

const GPT: [&str; 4] = [
    "GPT",
    "p1 64 128 0d1e2f30-4152-6374-8596-a7b8c9daebfc BIOS boot",
    "p2 8192 2048 00000000-0000-4000-8000-000000000002 ",
    "p3 2048 4096 aabbccdd-eeff-0011-2233-445566778899 root é",
];

/// Writes numbers of four bytes.
fn put(bytes: &mut [u8], at: usize, values: &[u32]) {
    for (value, at) in values.iter().zip((at..).step_by(4)) {
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// Makes the checksums of the GPT header at `at` right again.
fn seal(bytes: &mut [u8], at: usize, table: usize) {
    let size = 128 * 128;
    let crc = !crc32::crc32(u32::MAX, &bytes[table..table + size]);
    put(bytes, at + 88, &[crc]);
    put(bytes, at + 16, &[0]);
    let crc = !crc32::crc32(u32::MAX, &bytes[at..at + 92]);
    put(bytes, at + 16, &[crc]);
}

#[test]
fn a_gpt_is_read_as_sgdisk_wrote_it() {
    assert_eq!(listed(image("partitions/gpt.raw.zst")), (GPT.map(str::to_owned).to_vec(), vec![]));
    let (lines, flaws) = listed(image("partitions/gpt4k.raw.zst"));
    let expected = [
        "GPT",
        "p1 64 128 00000000-0000-4000-8000-000000000001 boot",
        "p2 2048 4096 00000000-0000-4000-8000-000000000002 data",
    ];
    assert_eq!((lines, flaws.len()), (expected.map(str::to_owned).to_vec(), 0));
}

#[test]
fn a_hybrid_mbr_does_not_hide_its_gpt() {
    let found = listed(image("partitions/hybrid.raw.zst"));
    assert_eq!(found, (GPT.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn the_backup_is_used_where_the_first_gpt_is_damaged() {
    for (at, why) in [
        (512, "GPT header at byte 512: need EFI PART, have DFI PART"),
        (512 + 16, "GPT header at byte 528: need checksum "),
        (512 + 24, "GPT header at byte 528: need checksum "),
        (1024 + 40, "GPT at byte 1024: need a table of checksum "),
    ] {
        let mut disk = image("partitions/gpt.raw.zst");
        disk[at] ^= 1;
        let (lines, flaws) = listed(disk);
        assert_eq!(lines, GPT);
        let words = format!("the first GPT is damaged, its backup is used: {why}");
        assert!(flaws.len() == 1 && flaws[0].starts_with(&words), "{flaws:?}");
    }
}

#[test]
fn the_backup_is_found_where_all_of_the_start_is_lost() {
    let mut disk = image("partitions/gpt.raw.zst");
    disk[..32_768].fill(0);
    let (lines, flaws) = listed(disk.clone());
    assert_eq!(lines, GPT);
    assert_eq!(flaws[1], "the GPT has no protective MBR");
    // An old backup says nothing about a disk on which a file system begins.
    disk[1080..1082].copy_from_slice(b"\x53\xef");
    assert_eq!(listed(disk), (vec![], vec![]));
}

#[test]
fn a_disk_that_grew_has_its_backup_where_the_first_header_says() {
    let mut disk = image("partitions/gpt.raw.zst");
    disk.resize(9 << 20, 0);
    disk[1024 + 40] ^= 1;
    assert_eq!(listed(disk).0, GPT);
}

#[test]
fn a_gpt_without_any_sound_copy_is_read_with_a_warning() {
    let mut disk = image("partitions/gpt.raw.zst");
    disk[512 + 16] ^= 1;
    let end = disk.len();
    disk[end - 512..].fill(0);
    let (lines, flaws) = listed(disk.clone());
    assert_eq!(lines, GPT);
    assert!(flaws[0].starts_with("the GPT and its backup are damaged"), "{flaws:?}");
    disk[512..1024].fill(0);
    let (lines, flaws) = listed(disk);
    assert_eq!((lines.len(), flaws.len()), (1, 1));
    assert_eq!(flaws[0], "neither the GPT nor its backup can be read");
}

#[test]
fn absurd_entries_of_a_gpt_are_refused_or_cut() {
    let original = image("partitions/gpt.raw.zst");
    let without_backup = |at: usize, values: &[u32]| {
        let mut disk = original.clone();
        let end = disk.len();
        disk[end - 512..].fill(0);
        put(&mut disk, at, values);
        seal(&mut disk, 512, 1024);
        listed(disk)
    };
    for (at, value) in [(84, 0), (84, 127), (84, u32::MAX), (80, u32::MAX), (72, u32::MAX)] {
        let (lines, flaws) = without_backup(512 + at, &[value]);
        assert!(lines.len() == 1 && flaws.len() == 1, "{at} {lines:?} {flaws:?}");
    }
    let (lines, flaws) = without_backup(1024 + 40, &[u32::MAX, u32::MAX]);
    assert_eq!(lines[1], "p1 64 16320 0d1e2f30-4152-6374-8596-a7b8c9daebfc BIOS boot");
    assert_eq!(
        flaws,
        [
            "partition p3 overlaps partition p1",
            "partition p2 overlaps partition p1",
            "partition p1 lies at bytes 32768 to 18446744073709551615, but the disk ends at byte 8388608",
        ]
    );
    let (lines, flaws) = without_backup(1024 + 32, &[u32::MAX, 0, u32::MAX, 0]);
    assert_eq!((lines.len(), flaws.len()), (3, 1));
    assert_eq!(without_backup(1024 + 32, &[65]).0.len(), 4);
    assert_eq!(without_backup(1024 + 40, &[63]).0.len(), 3);
}

const MBR: [&str; 7] = [
    "MBR",
    "p1 64 128 1234abcd-01 ",
    "p3 10240 1024 1234abcd-03 ",
    "p4 11264 1024 1234abcd-04 ",
    "p5 2112 100 1234abcd-05 ",
    "p6 2560 512 1234abcd-06 ",
    "p7 4096 6144 1234abcd-07 ",
];

#[test]
fn an_mbr_is_read_as_sfdisk_wrote_it() {
    assert_eq!(listed(image("partitions/mbr.raw.zst")), (MBR.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn extended_boot_records_that_lead_in_a_circle_end() {
    let original = image("partitions/mbr.raw.zst");
    // The second of the two entries of the first extended boot record is the way to the second.
    let link = 2048 * 512 + 462 + 8;
    let leading_to = |sector: u32| {
        let mut disk = original.clone();
        put(&mut disk, link, &[sector]);
        listed(disk)
    };
    let (lines, flaws) = leading_to(0);
    assert_eq!((lines.as_slice(), flaws.len()), (&MBR.map(str::to_owned)[..5], 1));
    assert_eq!(flaws[0], "the chain of extended boot records returns to 2048");
    let (lines, flaws) = leading_to(64);
    assert_eq!((lines.len(), flaws.len()), (5, 1));
    assert_eq!(flaws[0], "there is no extended boot record at sector 2112");
    assert_eq!(leading_to(u32::MAX).0.len(), 5);
}

#[test]
fn a_chain_of_extended_boot_records_has_a_limit() {
    let mut disk = image("partitions/mbr.raw.zst");
    disk.resize(4 << 20, 0);
    for at in 0..300_u32 {
        let place = (2048 + at as usize) * 512;
        disk[place..place + 512].fill(0);
        put(&mut disk, place + 450, &[0x83, 1, 1]);
        put(&mut disk, place + 466, &[0x05, at + 1, 1]);
        disk[place + 510..place + 512].copy_from_slice(b"\x55\xaa");
    }
    let (lines, flaws) = listed(disk);
    assert_eq!(lines.len(), 1 + 1 + 256);
    assert!(flaws.contains(&"extended boot records: limit of 256 reached".to_owned()));
}

#[test]
fn a_boot_sector_of_a_file_system_is_no_partition_table() {
    let mut disk = vec![0; 1 << 20];
    disk[510..512].copy_from_slice(b"\x55\xaa");
    assert_eq!(listed(disk.clone()), (vec![], vec![]));
    disk[3..11].copy_from_slice(b"NTFS    ");
    let mut seed = 1;
    for _ in 0..1000 {
        disk[446..510].fill_with(|| random(&mut seed) as u8);
        assert_eq!(listed(disk.clone()), (vec![], vec![]));
    }
    // Entries that all make sense are believed even so.
    disk[446..510].fill(0);
    put(&mut disk, 450, &[0x83, 64, 128]);
    assert_eq!(listed(disk.clone()).0, ["MBR", "p1 64 128  "]);
    put(&mut disk, 450, &[0x83, 64, 4096]);
    assert_eq!(listed(disk).0.len(), 0);
}

#[test]
fn partitions_past_the_end_are_cut_or_left_out() {
    let mut disk = image("partitions/mbr.raw.zst");
    disk.truncate(10_500 * 512);
    let (lines, flaws) = listed(disk);
    assert_eq!(lines.len(), MBR.len() - 1);
    assert_eq!(lines[2], "p3 10240 260 1234abcd-03 ");
    assert_eq!(
        flaws,
        [
            "partition p3 lies at bytes 5242880 to 5767168, but the disk ends at byte 5376000",
            "partition p4 lies at bytes 5767168 to 6291456, but the disk ends at byte 5376000",
        ]
    );
}

#[test]
fn any_damage_to_a_table_is_survived() {
    for name in ["gpt", "gpt4k", "hybrid", "mbr"] {
        let original = image(&format!("partitions/{name}.raw.zst"));
        let mut seed = 7;
        for _ in 0..60 {
            let mut disk = original.clone();
            let places = [446, 512, 1024, 4096, 2048 * 512 + 446, 2560 * 512 + 446];
            for _ in 0..=random(&mut seed) % 4 {
                let place = places[random(&mut seed) as usize % places.len()];
                disk[place + random(&mut seed) as usize % 96] = random(&mut seed) as u8;
            }
            disk.truncate(disk.len() >> (random(&mut seed) % 16).saturating_sub(8));
            let found = partitions(&(Arc::new(disk) as Arc<dyn ReadAt>)).unwrap();
            assert!(found.volumes.len() < 200);
        }
    }
}
