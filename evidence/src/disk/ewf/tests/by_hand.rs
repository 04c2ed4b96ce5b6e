//! Images made by hand: what no tool here makes, and what only an attacker makes.

use super::{adler32, open};
use crate::disk::samples::{content, open_files};
use crate::disk::{Disk, TreeNeighbours};
use crate::{EvidenceError, MemoryTree, ReadAt, TreePath};
use dockline_timeline::IssueKind;
use std::io::{self, Write};
use std::sync::Arc;

/// Bytes of a chunk: one sector.
const CHUNK: usize = 512;

/// A segment that is being made.
struct Segment(Vec<u8>);

impl Segment {
    fn new() -> Segment {
        Segment(b"EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00".to_vec())
    }

    fn section(mut self, kind: &str, data: &[u8]) -> Segment {
        let next = (self.0.len() + 76 + data.len()) as u64;
        self.descriptor(kind, next, 76 + data.len() as u64);
        self.0.extend(data);
        self
    }

    fn descriptor(&mut self, kind: &str, next: u64, size: u64) {
        let mut bytes = kind.as_bytes().to_vec();
        bytes.resize(16, 0);
        bytes.extend(next.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.resize(72, 0);
        self.0.extend(sealed(bytes));
    }

    fn done(mut self) -> Vec<u8> {
        self.descriptor("done", self.0.len() as u64, 0);
        self.0
    }

    /// Where the data of the section that is made next will begin.
    fn next_data(&self) -> u32 {
        u32::try_from(self.0.len() + 76).unwrap()
    }

    /// The chunks in a section of their own, and their table.
    fn chunks(self, chunks: &[Chunk]) -> Segment {
        let (mut data, mut entries, base) = (Vec::new(), Vec::new(), self.next_data());
        for (flag, bytes) in chunks {
            entries.push((base + u32::try_from(data.len()).unwrap()) | flag);
            data.extend(bytes);
        }
        self.section("sectors", &data).section("table", &table(0, &entries))
    }
}

/// The highest bit of the entry, and the bytes.
type Chunk = (u32, Vec<u8>);

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(adler32(&bytes).to_le_bytes());
    bytes
}

fn volume(sectors: u64, sectors_per_chunk: u32) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(u32::try_from(sectors).unwrap_or(9).to_le_bytes());
    bytes.extend(sectors_per_chunk.to_le_bytes());
    bytes.extend(512_u32.to_le_bytes());
    bytes.extend(sectors.to_le_bytes());
    bytes.resize(1048, 0);
    sealed(bytes)
}

fn table(base: u64, entries: &[u32]) -> Vec<u8> {
    let mut header = u32::try_from(entries.len()).unwrap().to_le_bytes().to_vec();
    header.extend([0; 4]);
    header.extend(base.to_le_bytes());
    header.extend([0; 4]);
    let entries = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    [sealed(header), sealed(entries)].concat()
}

fn stored(byte: u8) -> Chunk {
    (0, sealed(vec![byte; CHUNK]))
}

fn compressed(content: &[u8]) -> Chunk {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    (1 << 31, encoder.finish().unwrap())
}

fn opened(image: Vec<u8>) -> Result<Disk, EvidenceError> {
    open_files(open, &[("image.E01", image)])
}

fn refusal(image: Vec<u8>) -> String {
    opened(image).err().unwrap().to_string()
}

fn flaws(disk: &Disk) -> Vec<&str> {
    disk.flaws.iter().map(|flaw| flaw.what.as_str()).collect()
}

fn read(disk: &Disk, chunk: u64) -> Result<Vec<u8>, String> {
    let mut buffer = vec![0; CHUNK];
    let at = chunk * CHUNK as u64;
    let read = disk.bytes.read_at(at, &mut buffer).map_err(|error| error.to_string())?;
    buffer.truncate(read);
    Ok(buffer)
}

#[test]
fn a_small_image_made_by_hand_is_read() {
    let image = Segment::new().section("volume", &volume(2, 1));
    let image = image.chunks(&[stored(1), compressed(&[2; CHUNK])]).done();
    let disk = opened(image).unwrap();
    assert_eq!(flaws(&disk), Vec::<&str>::new());
    assert_eq!(content(&disk), [[1; CHUNK], [2; CHUNK]].concat());
}

#[test]
fn a_chunk_never_yields_more_than_its_size() {
    let bomb = compressed(&vec![0; 50_000_000]);
    let image = Segment::new().section("volume", &volume(2, 1));
    let disk = opened(image.chunks(&[bomb, stored(1)]).done()).unwrap();
    assert!(read(&disk, 0).unwrap_err().contains("damaged data"));
    assert_eq!(read(&disk, 1).unwrap(), [1; CHUNK]);
    // And one that yields less is damaged, too.
    let image = Segment::new().section("volume", &volume(1, 1));
    let disk = opened(image.chunks(&[compressed(&[5; 100])]).done()).unwrap();
    assert!(read(&disk, 0).unwrap_err().contains("damaged data"));
}

#[test]
fn a_chunk_larger_than_any_program_makes_is_refused() {
    for (sectors_per_chunk, have) in
        [(0, 0), (u32::MAX, 2_199_023_255_040_u64), (65_537, 33_554_944)]
    {
        let image = Segment::new().section("volume", &volume(1, sectors_per_chunk)).done();
        let error = refusal(image);
        assert!(error.contains(&format!("1 to 33554432 bytes, have {have}")), "{error}");
    }
}

#[test]
fn a_size_past_all_numbers_is_refused_and_one_past_the_tables_is_told() {
    let image = Segment::new().section("volume", &volume(u64::MAX, 1)).done();
    assert!(refusal(image).contains("need a size below 2^64 bytes"));
    let image = Segment::new().section("volume", &volume(1 << 50, 1)).chunks(&[stored(1)]).done();
    let disk = opened(image).unwrap();
    let what = "the tables place 1 chunks, and the disk has 1125899906842624";
    assert_eq!(flaws(&disk), [what]);
    assert_eq!(read(&disk, 0).unwrap(), [1; CHUNK]);
    let error = read(&disk, 77).unwrap_err();
    assert_eq!(error, "EWF chunk at byte 0: need a place of chunk 77, have none");
}

#[test]
fn where_the_size_was_never_filled_in_the_tables_tell_it() {
    let image = Segment::new().section("volume", &volume(0, 1)).chunks(&[stored(7)]).done();
    let disk = opened(image).unwrap();
    assert_eq!(flaws(&disk), ["the tables place 1 chunks, and the disk has 0"]);
    assert_eq!(content(&disk), [7; CHUNK]);
}

#[test]
fn a_table_with_more_entries_than_room_ends_the_image() {
    let mut many = table(0, &[]);
    many[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let header = sealed(many[..20].to_vec());
    many[..24].copy_from_slice(&header);
    let image = Segment::new().section("volume", &volume(2, 1)).chunks(&[stored(1)]);
    let disk = opened(image.section("table", &many).done()).unwrap();
    assert_eq!(disk.flaws.len(), 1);
    assert!(disk.flaws[0].what.contains("need at most 1 entries, have 4294967295"));
    assert_eq!(read(&disk, 0).unwrap(), [1; CHUNK]);
    assert!(read(&disk, 1).is_err());
}

#[test]
fn sections_that_lead_back_end_the_image() {
    for back in [0, 13, 1141] {
        let mut image = Segment::new().section("volume", &volume(1, 1));
        image.descriptor("sectors", back, 0);
        let disk = opened(image.0).unwrap();
        let what = format!(
            "segment 1: EWF section at byte 1141: need the place of the next section, have {back}: \
             nothing of the disk can be read from byte 0 on"
        );
        assert_eq!(flaws(&disk), [what.as_str()]);
    }
}

#[test]
fn sections_without_end_are_a_limit() {
    let mut image = Segment::new().section("volume", &volume(1, 1));
    for _ in 0..(1 << 18) + 1 {
        let next = image.0.len() as u64 + 76;
        image.descriptor("nothing", next, 76);
    }
    let disk = opened(image.0).unwrap();
    assert_eq!(disk.flaws[0].kind, IssueKind::LimitReached);
    assert!(disk.flaws[0].what.contains("sections of a segment: limit of 262144 reached"));
}

#[test]
fn sectors_that_could_not_be_read_are_named() {
    let mut header = 18_u32.to_le_bytes().to_vec();
    header.resize(516, 0);
    let ranges = (0..18_u32).flat_map(|range| [(range * 100).to_le_bytes(), 4_u32.to_le_bytes()]);
    let errors = [sealed(header), sealed(ranges.flatten().collect())].concat();
    let image = Segment::new().section("volume", &volume(1, 1)).chunks(&[stored(1)]);
    let disk = opened(image.section("error2", &errors).done()).unwrap();
    let expected = "72 sectors could not be read when the image was made: 0-3, 100-103, 200-203, \
                    300-303, 400-403, 500-503, 600-603, 700-703, 800-803, 900-903, 1000-1003, \
                    1100-1103, 1200-1203, 1300-1303, 1400-1403, 1500-1503 and more";
    assert_eq!(flaws(&disk), [expected]);
    assert_eq!(disk.flaws[0].kind, IssueKind::Unreadable);
}

#[test]
fn more_unreadable_sectors_than_the_section_has_room_for_are_not_read() {
    let mut header = 2_u32.to_le_bytes().to_vec();
    header.resize(516, 0);
    let errors = [sealed(header), vec![0; 15]].concat();
    let image = Segment::new().section("volume", &volume(1, 1)).chunks(&[stored(1)]);
    let disk = opened(image.section("error2", &errors).done()).unwrap();
    assert_eq!(flaws(&disk), ["EWF error2 section at byte 1917: need at most 1 ranges, have 2"]);
    assert_eq!(content(&disk), [1; CHUNK]);
}

#[test]
fn hashes_without_number_cost_little() {
    let mut image = Segment::new().section("volume", &volume(1, 1)).chunks(&[stored(1)]);
    for number in 1..100_000_u32 {
        let mut hash = number.to_le_bytes().to_vec();
        hash.resize(32, 0);
        let hash = if number % 2 == 0 { sealed(hash) } else { [hash, vec![0; 4]].concat() };
        image = image.section("hash", &hash);
    }
    let disk = opened(image.done()).unwrap();
    assert_eq!(disk.stored_hashes.len(), 8);
    assert_eq!(disk.flaws.len(), 101);
    assert_eq!(disk.flaws[100].what, "more than 100 flaws of the image");
}

#[test]
fn other_images_of_the_family_are_refused_by_name() {
    for (signature, name) in [
        (b"EVF2\x0d\x0a\x81\x00", "an Ex01 disk image (EWF2) is not supported"),
        (b"LVF\x09\x0d\x0a\xff\x00", "an L01 logical image (EWF) is not supported"),
        (b"LEF2\x0d\x0a\x81\x00", "an Lx01 logical image (EWF2) is not supported"),
    ] {
        assert_eq!(refusal([signature.as_slice(), &[0; 100]].concat()), name);
    }
    assert!(refusal(vec![0; 100]).contains("need the signature of an E01 image"));
    assert!(refusal(b"EVF\x09".to_vec()).contains("need 13 bytes, have 4"));
    let empty = refusal(Segment::new().done());
    assert_eq!(empty, "EWF image at byte 0: need the size of the disk, have no volume section");
}

#[test]
fn a_missing_segment_that_holds_nothing_of_the_disk_is_told_as_such() {
    let mut image = Segment::new().section("volume", &volume(1, 1)).chunks(&[stored(1)]);
    image.descriptor("next", image.0.len() as u64, 0);
    let disk = opened(image.0).unwrap();
    assert_eq!(flaws(&disk), ["segment 2 is missing: all of the disk was found before it"]);
    assert_eq!(content(&disk), [1; CHUNK]);
}

#[test]
fn a_segment_of_another_image_is_not_taken() {
    let marked = |mark: u8| {
        let mut bytes = volume(2, 1);
        bytes.truncate(1048);
        bytes[64..80].fill(mark);
        sealed(bytes)
    };
    let mut first = Segment::new().section("volume", &marked(1)).chunks(&[stored(1)]);
    first.descriptor("next", first.0.len() as u64, 0);
    let second = |mark| {
        let mut second = Segment::new();
        second.0[9] = 2;
        second.section("data", &marked(mark)).chunks(&[stored(2)]).done()
    };
    let files = |mark| [("image.E01", first.0.clone()), ("image.E02", second(mark))];
    assert_eq!(content(&open_files(open, &files(1)).unwrap()), [[1; CHUNK], [2; CHUNK]].concat());
    let disk = open_files(open, &files(9)).unwrap();
    assert!(disk.flaws[0].what.contains("need a segment of the same image"), "{:?}", disk.flaws);
    assert!(read(&disk, 1).is_err());
}

/// A segment of which only the ends are held: between them are gigabytes of zeros.
struct Large {
    head: Vec<u8>,
    tail_at: u64,
    tail: Vec<u8>,
}

impl ReadAt for Large {
    fn len(&self) -> u64 {
        self.tail_at + self.tail.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.len().saturating_sub(offset)).unwrap();
        let count = buffer.len().min(rest);
        for (at, byte) in (offset..).zip(&mut buffer[..count]) {
            let (head, tail) = (usize::try_from(at).ok(), at.checked_sub(self.tail_at));
            let held = head.and_then(|at| self.head.get(at));
            let tail = tail.and_then(|at| self.tail.get(usize::try_from(at).unwrap()));
            *byte = held.or(tail).copied().unwrap_or(0);
        }
        Ok(count)
    }
}

#[test]
fn offsets_past_2_gib_use_the_highest_bit_as_encase_6_7_writes_them() {
    let mut head = Segment::new().section("volume", &volume(5, 1));
    let base = head.0.len() as u64;
    let at = |offset: u64| base + offset;
    // The chunks: one compressed at the front, then four stored ones across the border.
    let (_, first) = compressed(&[1; CHUNK]);
    let step = CHUNK as u32 + 4;
    let before = 0x8000_0000 - step - 100;
    let entries = [76 | 1 << 31, before, before + step, before + 2 * step, before + 3 * step];
    let tail_at = at(u64::from(before));
    let mut tail: Vec<u8> = [2, 3, 4, 5].into_iter().flat_map(|byte| stored(byte).1).collect();
    let table_at = tail_at + tail.len() as u64;
    head.descriptor("sectors", table_at, 0);
    head.0.extend(first);
    let table = table(base, &entries);
    let mut end = Segment(Vec::new());
    end.descriptor("table", table_at + 76 + table.len() as u64, 76 + table.len() as u64);
    end.0.extend(&table);
    let done_at = table_at + end.0.len() as u64;
    end.descriptor("done", done_at, 0);
    tail.extend(end.0);
    let large = Large { head: head.0, tail_at, tail };
    let path = TreePath::parse(b"/image.E01").unwrap();
    let neighbours = TreeNeighbours::new(Arc::new(MemoryTree::new()), &path);
    let disk = open(Arc::new(large), &neighbours).unwrap();
    assert_eq!(flaws(&disk), Vec::<&str>::new());
    for (chunk, byte) in (0..5).zip(1..) {
        assert_eq!(read(&disk, chunk).unwrap(), [byte; CHUNK], "{chunk}");
    }
}
