//! Images made here field by field, and one that qemu was killed over.

#![cfg(test)]

use super::log::replay;
use super::*;
use crate::disk::NoNeighbours;
use crate::read_at::read_up_to;
use std::io::Read;

const MEBIBYTE: usize = 1 << 20;
const SECTOR: usize = 4096;
const LOG: usize = MEBIBYTE;
const LOG_SECTORS: usize = MEBIBYTE / SECTOR;
const TABLE: usize = 2 * MEBIBYTE;
const METADATA: usize = 3 * MEBIBYTE;
const BLOCKS: usize = 4 * MEBIBYTE;
const ITEMS: usize = METADATA + 65_536;
const LOG_GUID: [u8; 16] = [0x11; 16];
const DATA_WRITE_GUID: [u8; 16] = [0x22; 16];

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

fn guid_bytes(digits: u128) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = digits.to_be_bytes();
    let mut bytes = [d, c, b, a, f, e, h, g, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes[8..].copy_from_slice(&rest);
    bytes
}

fn sum(image: &mut [u8], at: usize, length: usize) {
    let checksum = header::checksum(&image[at..at + length]);
    put(image, at + 4, &checksum.to_le_bytes());
}

fn sum_all(image: &mut [u8]) {
    for (at, length) in [(1 << 16, 4096), (2 << 16, 4096), (3 << 16, 1 << 16), (4 << 16, 1 << 16)] {
        sum(image, at, length);
    }
}

/// A disk of 4 MiB in blocks of 1 MiB, of which the first is full of 1, the third of 3.
fn image() -> Vec<u8> {
    let mut image = vec![0; BLOCKS + 2 * MEBIBYTE];
    put(&mut image, 0, b"vhdxfile");
    for (at, number) in [(1 << 16, 7_u64), (2 << 16, 6)] {
        put(&mut image, at, b"head");
        put(&mut image, at + 8, &number.to_le_bytes());
        put(&mut image, at + 32, &DATA_WRITE_GUID);
        put(&mut image, at + 66, &1_u16.to_le_bytes());
        put(&mut image, at + 68, &u32::try_from(MEBIBYTE).unwrap().to_le_bytes());
        put(&mut image, at + 72, &u64::try_from(LOG).unwrap().to_le_bytes());
    }
    for at in [3 << 16, 4 << 16] {
        put(&mut image, at, b"regi");
        put(&mut image, at + 8, &2_u32.to_le_bytes());
        let table = (0x2dc2_7766_f623_4200_9d64_115e_9bfd_4a08, TABLE);
        let metadata = (0x8b7c_a206_4790_4b9a_b8fe_575f_050f_886e, METADATA);
        for (index, (guid, offset)) in [table, metadata].into_iter().enumerate() {
            let at = at + 16 + 32 * index;
            put(&mut image, at, &guid_bytes(guid));
            put(&mut image, at + 16, &u64::try_from(offset).unwrap().to_le_bytes());
            put(&mut image, at + 24, &u32::try_from(MEBIBYTE).unwrap().to_le_bytes());
            put(&mut image, at + 28, &1_u32.to_le_bytes());
        }
    }
    put(&mut image, METADATA, b"metadata");
    let parameters = [0, 0, 16, 0, 0, 0, 0, 0];
    add_item(&mut image, 0xcaa1_6737_fa36_4d43_b3b6_33f0_aa44_e76b, &parameters);
    add_item(&mut image, 0x2fa5_4224_cd1b_4876_b211_5dbe_d83b_f4b8, &(4_u64 << 20).to_le_bytes());
    add_item(&mut image, 0x8141_bf1d_a96f_4709_ba47_f233_a8fa_ab5f, &512_u32.to_le_bytes());
    add_item(&mut image, 0xcda3_48c7_445d_4471_9cc9_e988_5251_c556, &512_u32.to_le_bytes());
    add_item(&mut image, 0xbeca_12ab_b2e6_4523_93ef_c309_e000_c746, &[0x44; 16]);
    set_block(&mut image, 0, BLOCKS, 6);
    set_block(&mut image, 2, BLOCKS + MEBIBYTE, 6);
    image[BLOCKS..BLOCKS + MEBIBYTE].fill(1);
    image[BLOCKS + MEBIBYTE..].fill(3);
    sum_all(&mut image);
    image
}

fn add_item(image: &mut [u8], guid: u128, item: &[u8]) {
    let index = image[METADATA + 10];
    let place = 65_536 + 1024 * u32::from(index);
    let at = METADATA + 32 + 32 * usize::from(index);
    put(image, at, &guid_bytes(guid));
    put(image, at + 16, &place.to_le_bytes());
    put(image, at + 20, &u32::try_from(item.len()).unwrap().to_le_bytes());
    put(image, at + 24, &4_u32.to_le_bytes());
    put(image, METADATA + usize::try_from(place).unwrap(), item);
    image[METADATA + 10] += 1;
}

fn entry(offset: usize, state: u64) -> [u8; 8] {
    (u64::try_from(offset / MEBIBYTE).unwrap() << 20 | state).to_le_bytes()
}

fn set_block(image: &mut [u8], index: usize, offset: usize, state: u64) {
    put(image, TABLE + 8 * index, &entry(offset, state));
}

fn open_bytes(image: Vec<u8>) -> Result<Disk, EvidenceError> {
    open(Arc::new(image), &NoNeighbours)
}

fn content(disk: &Disk) -> Vec<u8> {
    read_up_to(&disk.bytes, u64::MAX).unwrap().0
}

/// The first byte of each block, or why it cannot be read.
fn blocks(disk: &Disk) -> Vec<Result<u8, String>> {
    let blocks = (0..disk.bytes.len()).step_by(MEBIBYTE);
    let first = |at| {
        let mut byte = [0xee];
        disk.bytes.read_at(at, &mut byte).map(|_| byte[0]).map_err(|error| error.to_string())
    };
    blocks.map(first).collect()
}

fn flaws(disk: &Disk) -> Vec<&str> {
    disk.flaws.iter().map(|flaw| flaw.what.as_str()).collect()
}

enum Change {
    Sector(usize, Vec<u8>),
    Zeros(usize, u64),
}

/// An entry of a log, as a writer lays it out.
fn log_entry(number: u64, tail: usize, changes: &[Change]) -> Vec<u8> {
    let sectors = changes.iter().filter(|change| matches!(change, Change::Sector(..))).count();
    let descriptors = (changes.len() + 2).div_ceil(128);
    let mut entry = vec![0; (descriptors + sectors) * SECTOR];
    put(&mut entry, 0, b"loge");
    let length = u32::try_from(entry.len()).unwrap();
    put(&mut entry, 8, &length.to_le_bytes());
    put(&mut entry, 12, &u32::try_from(tail * SECTOR).unwrap().to_le_bytes());
    put(&mut entry, 16, &number.to_le_bytes());
    put(&mut entry, 24, &u32::try_from(changes.len()).unwrap().to_le_bytes());
    put(&mut entry, 32, &LOG_GUID);
    let mut data = descriptors * SECTOR;
    for (index, change) in changes.iter().enumerate() {
        let at = 64 + 32 * index;
        put(&mut entry, at + 24, &number.to_le_bytes());
        let offset = match change {
            Change::Zeros(offset, length) => {
                put(&mut entry, at, b"zero");
                put(&mut entry, at + 8, &length.to_le_bytes());
                offset
            }
            Change::Sector(offset, sector) => {
                put(&mut entry, at, b"desc");
                put(&mut entry, at + 4, &sector[SECTOR - 4..]);
                put(&mut entry, at + 8, &sector[..8]);
                let [low, high] =
                    [number.to_le_bytes()[..4].to_vec(), number.to_le_bytes()[4..].to_vec()];
                put(&mut entry, data, sector);
                put(&mut entry, data, b"data");
                put(&mut entry, data + 4, &high);
                put(&mut entry, data + SECTOR - 4, &low);
                data += SECTOR;
                offset
            }
        };
        put(&mut entry, at + 16, &u64::try_from(*offset).unwrap().to_le_bytes());
    }
    let size = entry.len();
    sum(&mut entry, 0, size);
    entry
}

/// Writes an entry into the ring, and gives the sector after it.
fn write_log(image: &mut [u8], at: usize, entry: &[u8]) -> usize {
    let sectors = entry.chunks(SECTOR).zip((0..LOG_SECTORS).cycle().skip(at % LOG_SECTORS));
    sectors.for_each(|(sector, number)| put(image, LOG + number * SECTOR, sector));
    (at + entry.len() / SECTOR) % LOG_SECTORS
}

fn make_dirty(image: &mut [u8]) {
    for at in [1 << 16, 2 << 16] {
        put(image, at + 48, &LOG_GUID);
    }
    sum_all(image);
}

/// The first sector of the table, with these blocks.
fn table(blocks: &[(usize, usize, u64)]) -> Vec<u8> {
    let mut sector = vec![0; SECTOR];
    blocks.iter().for_each(|(at, offset, state)| put(&mut sector, 8 * at, &entry(*offset, *state)));
    sector
}

#[test]
fn a_clean_disk_is_read_block_by_block() {
    let disk = open_bytes(image()).unwrap();
    assert_eq!(flaws(&disk), [""; 0]);
    assert_eq!(blocks(&disk), [Ok(1), Ok(0), Ok(3), Ok(0)]);
}

#[test]
fn a_disk_that_qemu_was_killed_over_reads_as_qemu_recovers_it() {
    let packed = include_bytes!("../../../../testdata/evidence/vhdx/dirty.vhdx.zst");
    let mut image = Vec::new();
    zstd::Decoder::new(packed.as_slice()).unwrap().read_to_end(&mut image).unwrap();
    let mut expected = vec![0; 16 << 20];
    for (start, length, byte) in [(0, 1024, 1), (5000, 300, 2), (9 << 10, 70, 3), (12_345, 3, 4)] {
        expected[start << 10..(start + length) << 10].fill(byte);
    }
    let disk = open_bytes(image.clone()).unwrap();
    assert_eq!(flaws(&disk), [""; 0]);
    assert!(content(&disk) == expected);
    // Without its log, the last write is missing: that it is there is the work of the log.
    image[LOG..2 * LOG].fill(0);
    let disk = open_bytes(image).unwrap();
    expected[12_345 << 10..12_348 << 10].fill(0);
    assert!(content(&disk) == expected);
    let what = "VHDX log at byte 1048576: need an active sequence of entries, have none: \
                the log is not replayed, and the view may be older than it";
    assert_eq!(flaws(&disk), [what]);
}

/// A disk with a log of which the active sequence begins at that sector.
fn dirty_image(tail: usize) -> Vec<u8> {
    let mut image = image();
    // An older sequence, which must not count, and an entry of a log that is no more.
    write_log(&mut image, 100, &log_entry(3, 100, &[Change::Sector(TABLE, table(&[]))]));
    let second_block = (1, BLOCKS + MEBIBYTE, 6);
    // Before the tail: written to the file long ago, and then changed again.
    let old = log_entry(8, tail - 2, &[Change::Sector(TABLE, table(&[(0, BLOCKS + MEBIBYTE, 6)]))]);
    write_log(&mut image, tail - 2, &old);
    let first = [
        Change::Sector(TABLE, table(&[(0, BLOCKS, 6)])),
        Change::Sector(BLOCKS, vec![9; SECTOR]),
        Change::Zeros(BLOCKS + SECTOR, 3 * 4096),
    ];
    let next = write_log(&mut image, tail, &log_entry(9, tail, &first));
    let second = [
        Change::Sector(BLOCKS + 2 * SECTOR, vec![7; SECTOR]),
        Change::Sector(TABLE, table(&[(0, BLOCKS, 6), second_block])),
    ];
    write_log(&mut image, next, &log_entry(10, tail, &second));
    make_dirty(&mut image);
    image
}

#[test]
fn the_entries_of_the_active_sequence_are_replayed_in_their_order_around_the_ring() {
    for tail in [50, LOG_SECTORS - 5, LOG_SECTORS - 3, LOG_SECTORS - 1] {
        let disk = open_bytes(dirty_image(tail)).unwrap();
        assert_eq!(flaws(&disk), [""; 0]);
        assert_eq!(blocks(&disk), [Ok(9), Ok(3), Ok(0), Ok(0)]);
        let found = content(&disk);
        let sectors: Vec<u8> = found.chunks(SECTOR).take(6).map(|sector| sector[5]).collect();
        assert_eq!(sectors, [9, 0, 7, 0, 1, 1]);
    }
}

/// qemu takes what follows the turn of the ring for a sequence of its own, so the log has none here.
#[test]
fn qemu_recovers_what_is_replayed_here() {
    let Some((folder, _)) = crate::disk::qemu::folder() else { return };
    std::fs::write(folder.path().join("dirty.vhdx"), dirty_image(50)).unwrap();
    crate::disk::qemu::run(folder.path(), "qemu-img check -q -f vhdx -r all dirty.vhdx");
    crate::disk::qemu::run(folder.path(), "qemu-img convert -f vhdx -O raw dirty.vhdx recovered");
    let recovered = std::fs::read(folder.path().join("recovered")).unwrap();
    assert!(content(&open_bytes(dirty_image(50)).unwrap()) == recovered);
}

#[test]
fn an_entry_with_any_damage_ends_the_sequence_before_it() {
    let mut image = image();
    let change = |block| [Change::Sector(TABLE, table(&[(block, BLOCKS, 6)]))];
    let second = write_log(&mut image, 0, &log_entry(5, 0, &change(1)));
    write_log(&mut image, second, &log_entry(6, 0, &change(3)));
    make_dirty(&mut image);
    let whole = open_bytes(image.clone()).unwrap();
    assert_eq!(blocks(&whole), [Ok(0), Ok(0), Ok(0), Ok(1)]);
    let at = LOG + second * SECTOR;
    for damaged in [0, 4, 8, 12, 16, 24, 32, 48, 64, 68, 72, 80, 88, 4096, 4100, 4104, 8188] {
        let mut image = image.clone();
        image[at + damaged] ^= 1;
        let disk = open_bytes(image).unwrap();
        assert_eq!(blocks(&disk), [Ok(0), Ok(1), Ok(0), Ok(0)], "byte {damaged}");
    }
}

#[test]
fn a_log_that_says_that_the_file_was_longer_is_a_flaw() {
    let mut image = image();
    let mut entry = log_entry(5, 0, &[]);
    put(&mut entry, 48, &(100_u64 << 20).to_le_bytes());
    sum(&mut entry, 0, SECTOR);
    write_log(&mut image, 0, &entry);
    make_dirty(&mut image);
    let disk = open_bytes(image).unwrap();
    let what = "VHDX file at byte 0: need 104857600 bytes, have 6291456: it is cut off since its log was written";
    assert_eq!(flaws(&disk), [what]);
}

#[test]
fn a_ring_full_of_entries_is_replayed_once() {
    let mut image = image();
    for sector in 0..LOG_SECTORS {
        let number = u64::try_from(sector + 1).unwrap();
        // Each writes zeros over all there can be: they do not add up.
        let entry = log_entry(
            number,
            0,
            &[Change::Zeros(BLOCKS, u64::MAX - 4095), Change::Zeros(BLOCKS, 0)],
        );
        write_log(&mut image, sector, &entry);
    }
    make_dirty(&mut image);
    let disk = open_bytes(image.clone()).unwrap();
    assert_eq!(blocks(&disk), [Ok(0), Ok(0), Ok(0), Ok(0)]);
    // A tail outside of every sequence: none is active.
    for sector in 0..LOG_SECTORS {
        let number = u64::try_from(sector + 1).unwrap();
        write_log(&mut image, sector, &log_entry(number, LOG_SECTORS + 1, &[]));
    }
    assert_eq!(open_bytes(image).unwrap().flaws.len(), 1);
}

#[test]
fn a_log_of_absurd_size_or_place_is_a_flaw_and_not_memory() {
    let file = image();
    for (length, offset, version, what) in [
        (u32::MAX, 1 << 20, 0, "bytes of a VHDX log: limit of 67108864 reached"),
        (1 << 20, u64::MAX, 0, "need 1048576 bytes, have 0"),
        (0, 1 << 20, 0, "need an active sequence of entries, have none"),
        (1 << 20, 1 << 20, 1, "VHDX log version 1 is not supported"),
    ] {
        let region = LogRegion { guid: Guid::from_bytes(LOG_GUID), version, length, offset };
        let error = replay(&file, &region).err().unwrap().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn one_damaged_header_or_region_table_is_a_flaw_and_two_tables_are_an_error() {
    let mut image = image();
    image[(2 << 16) + 100] ^= 1;
    let disk = open_bytes(image.clone()).unwrap();
    assert!(flaws(&disk)[0].starts_with("VHDX header at byte 131076: need checksum"));
    image[1 << 16] = b'H';
    let disk = open_bytes(image.clone()).unwrap();
    assert_eq!(disk.flaws.len(), 3);
    assert!(flaws(&disk)[2].contains("the view may be older"));
    assert_eq!(blocks(&disk), [Ok(1), Ok(0), Ok(3), Ok(0)]);
    image[(3 << 16) + 9] ^= 1;
    let disk = open_bytes(image.clone()).unwrap();
    assert!(flaws(&disk)[3].ends_with("its copy is used"));
    image[(4 << 16) + 9] ^= 1;
    let error = open_bytes(image).err().unwrap().to_string();
    assert!(error.starts_with("VHDX region table at byte 196612: need checksum"), "{error}");
}

#[test]
fn each_wrong_field_has_its_own_error() {
    let cases: [(usize, &[u8], &str); 12] = [
        (0, b"V", "VHDX file type identifier at byte 0: need vhdxfile"),
        ((1 << 16) + 66, &[2], "VHDX version 2 is not supported"),
        ((3 << 16) + 8, &[0, 8], "need at most 2047 regions, have 2048"),
        (
            (3 << 16) + 16,
            &[9],
            "required VHDX region 2dc27709-f623-4200-9d64-115e9bfd4a08 is not supported",
        ),
        (METADATA, b"M", "VHDX metadata table at byte 3145728: need metadata"),
        (METADATA + 10, &[0, 8], "need at most 2047 items, have 2048"),
        (METADATA + 10, &[1], "need an entry of the virtual disk size, have none"),
        (METADATA + 32, &[1], "required VHDX metadata item caa16701"),
        (
            ITEMS,
            &[1],
            "need a block size that is a power of two from 1 MiB to 256 MiB, have 1048577",
        ),
        (ITEMS + 4, &[2], "need an entry of the parent locator, have none"),
        (ITEMS + 1024 + 6, &[1], "need at most 64 TiB"),
        (ITEMS + 2048, &[1], "need 512 or 4096, have 513"),
    ];
    for (at, bytes, what) in cases {
        let mut image = image();
        put(&mut image, at, bytes);
        if at >= 3 << 16 && at < 4 << 16 {
            put(&mut image, at + (1 << 16), bytes);
        }
        sum_all(&mut image);
        let error = open_bytes(image).err().unwrap().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn a_block_that_cannot_be_read_costs_only_itself() {
    let mut image = image();
    set_block(&mut image, 0, 1 << 40, 6);
    set_block(&mut image, 1, BLOCKS, 4);
    set_block(&mut image, 3, BLOCKS, 7);
    let mut on_the_header = image.clone();
    set_block(&mut on_the_header, 2, 0, 6);
    let found = blocks(&open_bytes(on_the_header).unwrap());
    assert!(found[2].as_ref().unwrap_err().contains("need a block behind the header"));
    let disk = open_bytes(image).unwrap();
    assert_eq!(flaws(&disk).len(), 1);
    assert!(flaws(&disk)[0].contains("have 2 that do not"), "{:?}", flaws(&disk));
    let found = blocks(&disk);
    assert!(found[0].as_ref().unwrap_err().contains("the image ends before byte 1099511627776"));
    assert!(found[1].as_ref().unwrap_err().contains("need a known block state, have 4"));
    assert_eq!(found[2], Ok(3));
    assert!(found[3].as_ref().unwrap_err().contains("need a sector bitmap that is present"));
}

#[test]
fn a_disk_of_64_tebibytes_with_a_table_of_one_page_opens_at_once() {
    let mut image = image();
    put(&mut image, ITEMS + 1024, &(64_u64 << 40).to_le_bytes());
    let disk = open_bytes(image).unwrap();
    assert_eq!(disk.bytes.len(), 64 << 40);
    let mut byte = [0];
    assert!(disk.bytes.read_at(63 << 40, &mut byte).is_err());
    assert_eq!(disk.bytes.read_at(2 << 20, &mut byte).unwrap(), 1);
}

/// The parent locator of a child of `image()`, under that linkage.
fn add_parent(image: &mut [u8], linkage: &str) {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut locator = guid_bytes(0xb04a_efb7_d19e_4a81_b789_25b8_e944_5913).to_vec();
    let pairs = [("parent_linkage", linkage), ("relative_path", "..\\disks\\base.vhdx")];
    locator.extend([0, 0, 2, 0]);
    let mut text = Vec::new();
    for (key, value) in pairs.map(|(key, value)| (utf16(key), utf16(value))) {
        let place = |text: &[u8]| u32::try_from(20 + 12 * 2 + text.len()).unwrap().to_le_bytes();
        let length = |text: &[u8]| u16::try_from(text.len()).unwrap().to_le_bytes();
        locator.extend(place(&text));
        locator.extend(place(&[text.clone(), key.clone()].concat()));
        locator.extend(length(&key));
        locator.extend(length(&value));
        text.extend([key, value].concat());
    }
    locator.extend(text);
    image[ITEMS + 4] = 2;
    add_item(image, 0xa8d3_5f2d_b30b_454d_abf7_d3d8_4834_ab0c, &locator);
}

/// `base.vhdx` lies beside the image.
struct Base(Vec<u8>);

impl Neighbours for Base {
    fn own_name(&self) -> &[u8] {
        b"child.vhdx"
    }

    fn open(&self, name: &[u8]) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let found = (name == b"base.vhdx").then(|| Arc::new(self.0.clone()));
        Ok(found.ok_or(EvidenceError::NotFound)?)
    }
}

#[test]
fn a_differencing_disk_reads_over_its_parent_sector_by_sector() {
    let mut child = image();
    add_parent(&mut child, "{22222222-2222-2222-2222-222222222222}");
    // Of the first block, sectors 1 and 16 to 31 are its own; the second is its own; the third is
    // zeros, the fourth is what the parent has.
    child.resize(BLOCKS + 3 * MEBIBYTE, 0);
    set_block(&mut child, 0, BLOCKS, 7);
    set_block(&mut child, 1, BLOCKS + MEBIBYTE, 6);
    set_block(&mut child, 2, 0, 2);
    set_block(&mut child, 4096, BLOCKS + 2 * MEBIBYTE, 6);
    put(&mut child, BLOCKS + 2 * MEBIBYTE, &[2, 0, 0xff, 0xff]);
    child[BLOCKS..BLOCKS + MEBIBYTE].fill(5);
    let mut base = image();
    set_block(&mut base, 3, BLOCKS + MEBIBYTE, 6);
    let disk = open(Arc::new(child.clone()), &Base(base.clone())).unwrap();
    assert_eq!(flaws(&disk), [""; 0]);
    assert_eq!(disk.parts, [b"base.vhdx"]);
    assert_eq!(blocks(&disk), [Ok(1), Ok(3), Ok(0), Ok(3)]);
    let found = content(&disk);
    for sector in 0..2048 {
        let expected = if sector == 1 || (16..32).contains(&sector) { 5 } else { 1 };
        assert!(found[sector * 512..][..512].iter().all(|byte| *byte == expected), "{sector}");
    }
    let mut odd = [0; 1000];
    assert_eq!(disk.bytes.read_at(700, &mut odd).unwrap(), 1000);
    assert!(odd == found[700..1700]);

    let missing = open_bytes(child.clone()).err().unwrap().to_string();
    assert_eq!(missing, "a differencing VHDX without its parent base.vhdx is not supported");
    put(&mut base, (1 << 16) + 32, &[0x33; 16]);
    sum_all(&mut base);
    let changed = open(Arc::new(child.clone()), &Base(base)).err().unwrap().to_string();
    let need =
        "need 22222222-2222-2222-2222-222222222222, have 33333333-3333-3333-3333-333333333333";
    assert!(changed.ends_with(need), "{changed}");
    // A disk that is its own parent.
    let endless = open(Arc::new(child.clone()), &Base(child)).err().unwrap().to_string();
    assert_eq!(endless, "parents of a VHDX: limit of 32 reached");
}

/// Any byte of any structure set to something else: what comes out does not matter, but that it
/// does.
#[test]
fn no_mutation_of_any_structure_stops_the_reader() {
    let mut image = image();
    write_log(&mut image, 0, &log_entry(5, 0, &[Change::Sector(TABLE, table(&[(1, BLOCKS, 6)]))]));
    make_dirty(&mut image);
    let structures =
        [(1 << 16, 80), (3 << 16, 80), (METADATA, 128), (ITEMS, 8), (TABLE, 32), (LOG, 96)];
    for at in structures.into_iter().flat_map(|(start, length)| start..start + length) {
        for value in [0xff, image[at] ^ 1] {
            let before = std::mem::replace(&mut image[at], value);
            sum_all(&mut image);
            if let Ok(disk) = open_bytes(image.clone()) {
                let mut buffer = vec![0; 3 << 20];
                for from in [0, 1 << 20, disk.bytes.len().saturating_sub(5)] {
                    let _ = disk.bytes.read_at(from, &mut buffer);
                }
            }
            image[at] = before;
        }
    }
}
