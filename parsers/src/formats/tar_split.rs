//! The list of the files of a layer as it was when the layer came: `tar-split.json.gz`.
//!
//! A registry holds a layer as a tar archive, an engine as a directory. So that it can write the same
//! archive again, bit by bit, it keeps all of it but the contents of the files: gzip of JSON
//! records, a line each. A *segment* (`"type":2`) holds bytes of the archive: headers with their
//! extended headers, and what fills blocks. A *file* (`"type":1`) stands for a content: its length
//! and its CRC-64. In order they are the archive, with holes where contents were.
//!
//! Written when a layer is pulled, loaded, built or committed, and never again: Docker's graph
//! drivers at `image/<driver>/layerdb/sha256/<chain id>/tar-split.json.gz`, containers/storage at
//! `<driver>-layers/<layer>.tar-split.gz`. After tar-split 0.11 and 0.12
//! (`tar/storage/entry.go`, `tar/asm/disassemble.go`).
//!
//! What comes out is the tree of that archive: names, modes, owners, times, links, devices, extended
//! attributes, and whiteouts as tar has them (`.wh.name`, `.wh..wh..opq`). A content is an error
//! when it is read, never zeros; its [`checksum`](TarSplit::checksum) tells whether another one is
//! the same. Memory: about 130 bytes a file; the segments lie in the spool.
//!
//! Not supported: contents with holes, whose checksum is that of what the archive stores.

use super::base64;
use super::gzip::Problem;
use super::lines::{self, Line};
use dockline_evidence::tar::{MAX_NAMES, TarTree};
use dockline_evidence::{EvidenceError, ReadAt, Spool, SpoolWriter, Tree, TreePath};
use dockline_timeline::{Issue, IssueKind};
use serde_json::Value;
use std::io::{self, Write};
use std::sync::Arc;

/// Bytes of one record: a segment is as long as the extended headers of a file are.
const RECORD_LIMIT: usize = 16 << 20;

/// The files of a layer as they came.
pub struct TarSplit {
    /// The archive without contents. Reading one is an error.
    pub tree: Arc<TarTree>,
    /// What is wrong with the archive; places name it by the name that was given.
    pub issues: Vec<Issue>,
    /// Why the list ends before its end.
    pub cut: Option<Problem>,
    /// Records that were read.
    pub records: u64,
    archive: Arc<Archive>,
}

impl TarSplit {
    /// Reads the list; `evidence` is the archive's name in the places of issues.
    ///
    /// # Errors
    /// Those of the spool.
    pub fn read(
        compressed: &dyn ReadAt,
        evidence: &str,
        spool: &Spool,
    ) -> Result<TarSplit, EvidenceError> {
        let mut builder = Builder::new(spool);
        let end =
            lines::read_long(compressed, RECORD_LIMIT, &mut |line| builder.take_until_wrong(&line));
        let ended = end.err().map(|end| Problem { kind: end.kind, at: end.at, what: end.what });
        let cut = builder.wrong.take().or(ended);
        let records = builder.records;
        let archive = Arc::new(builder.finish()?);
        let (tree, issues) = TarTree::open(archive.clone(), evidence);
        Ok(TarSplit { tree: Arc::new(tree), issues, cut, records, archive })
    }

    /// CRC-64 of the content of a regular file; `None` when there is no such file, it is empty, or
    /// its content is not in the list.
    #[must_use]
    pub fn checksum(&self, path: &TreePath) -> Option<u64> {
        let at = self.tree.content_at(path).ok()?;
        let size = self.tree.metadata(path).ok()?.size;
        let contents = &self.archive.contents;
        let found = contents.binary_search_by_key(&at, |content| content.at).ok()?;
        contents.get(found).filter(|content| content.length == size)?.checksum
    }
}

/// A content that the archive had.
#[derive(Clone, Copy, Debug)]
struct Content {
    /// Offset in the archive.
    at: u64,
    /// Its length in bytes; at least one.
    length: u64,
    /// Bytes of all contents before it.
    before: u64,
    checksum: Option<u64>,
}

/// The archive with its segments alone.
struct Archive {
    /// One after the other.
    segments: Arc<dyn ReadAt>,
    /// By offset.
    contents: Vec<Content>,
    length: u64,
}

impl ReadAt for Archive {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let after = self.contents.partition_point(|content| content.at <= offset);
        let end = self.contents.get(after).map_or(self.length, |next| next.at);
        let last = after.checked_sub(1).and_then(|last| self.contents.get(last));
        let skipped = last.map_or(0, |last| last.before.saturating_add(last.length));
        if last.is_some_and(|last| offset < last.at.saturating_add(last.length)) {
            let what = "the content of a file, which is not in the list of a layer's files";
            return Err(io::Error::other(EvidenceError::Unsupported(what.to_owned())));
        }
        let room = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let room = room.min(buffer.len());
        let buffer = buffer.get_mut(..room).unwrap_or_default();
        self.segments.read_at(offset.saturating_sub(skipped), buffer)
    }
}

/// Puts an archive together, record by record.
struct Builder {
    segments: SpoolWriter,
    contents: Vec<Content>,
    length: u64,
    records: u64,
    /// The first thing that was wrong: what follows has lost its place, and is not read.
    wrong: Option<Problem>,
}

impl Builder {
    fn new(spool: &Spool) -> Builder {
        let (segments, contents) = (spool.writer(), Vec::new());
        Builder { segments, contents, length: 0, records: 0, wrong: None }
    }

    fn finish(self) -> Result<Archive, EvidenceError> {
        let Builder { segments, contents, length, .. } = self;
        Ok(Archive { segments: segments.finish()?, contents, length })
    }

    fn take_until_wrong(&mut self, line: &Line<'_>) {
        if self.wrong.is_some() || line.bytes.is_empty() {
            return;
        }
        match self.take(line) {
            Ok(()) => self.records = self.records.saturating_add(1),
            Err((kind, what)) => {
                let at = line.offset;
                self.wrong = Some(Problem { kind, at, what: format!("{what}; the rest is lost") });
            }
        }
    }

    fn take(&mut self, line: &Line<'_>) -> Result<(), (IssueKind, String)> {
        if line.is_cut() {
            let what =
                format!("a record of {} bytes, over the limit of {RECORD_LIMIT}", line.length);
            return Err((IssueKind::LimitReached, what));
        }
        let malformed = |what: &str| (IssueKind::Malformed, what.to_owned());
        let record: Value = serde_json::from_slice(line.bytes)
            .map_err(|error| malformed(&format!("a record that is no JSON: {error}")))?;
        let position = record.get("position").and_then(Value::as_u64);
        if position != Some(self.records) {
            return Err(malformed(&format!("no record of position {}", self.records)));
        }
        let payload = record.get("payload").and_then(Value::as_str).unwrap_or_default();
        let payload =
            base64::decode(payload).ok_or_else(|| malformed("a payload not in base64"))?;
        match record.get("type").and_then(Value::as_u64) {
            Some(1) => self.content(record.get("size"), &payload),
            Some(2) => self.segment(&payload),
            _ => Err(malformed("a record of an unknown type")),
        }
    }

    fn segment(&mut self, payload: &[u8]) -> Result<(), (IssueKind, String)> {
        let written = self.segments.write_all(payload).map_err(EvidenceError::from);
        written.map_err(|error| (error.issue_kind(), error.to_string()))?;
        self.grow(ReadAt::len(payload))
    }

    fn content(&mut self, size: Option<&Value>, payload: &[u8]) -> Result<(), (IssueKind, String)> {
        let length = match size {
            None | Some(Value::Null) => 0,
            Some(size) => size
                .as_u64()
                .ok_or_else(|| (IssueKind::Malformed, format!("{size} is no size of a file")))?,
        };
        if length == 0 {
            return Ok(());
        }
        let count = u64::try_from(self.contents.len()).unwrap_or(u64::MAX);
        if count >= MAX_NAMES {
            let what = format!("files of a layer: limit of {MAX_NAMES} reached");
            return Err((IssueKind::LimitReached, what));
        }
        let last = self.contents.last();
        let before = last.map_or(0, |last| last.before.saturating_add(last.length));
        let checksum = payload.try_into().ok().map(u64::from_be_bytes);
        self.contents.push(Content { at: self.length, length, before, checksum });
        self.grow(length)
    }

    fn grow(&mut self, bytes: u64) -> Result<(), (IssueKind, String)> {
        let length = self.length.checked_add(bytes).filter(|length| i64::try_from(*length).is_ok());
        self.length = length.ok_or_else(|| {
            (IssueKind::Malformed, "more bytes than an archive can have".to_owned())
        })?;
        Ok(())
    }
}

/// CRC-64 as the list has it: the polynomial of ISO 3309, reflected.
#[derive(Clone, Copy, Debug)]
pub struct Crc64(u64);

/// What each byte does to the checksum.
static TABLE: [u64; 256] = table();

const fn table() -> [u64; 256] {
    let mut table = [0_u64; 256];
    let mut rest: &mut [u64] = &mut table;
    let mut byte = 0_u64;
    while let Some((entry, after)) = rest.split_first_mut() {
        let mut value = byte;
        let mut bit = 0_u8;
        while bit < 8 {
            let low = value & 1;
            value >>= 1;
            if low == 1 {
                value ^= 0xD800_0000_0000_0000;
            }
            bit = bit.wrapping_add(1);
        }
        *entry = value;
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
}

impl Default for Crc64 {
    fn default() -> Crc64 {
        Crc64(u64::MAX)
    }
}

impl Crc64 {
    /// Takes more of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let [low, ..] = self.0.to_le_bytes();
            let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
            self.0 = (self.0 >> 8) ^ entry;
        }
    }

    /// The checksum of what was taken.
    #[must_use]
    pub fn finish(self) -> u64 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_evidence::FileKind;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    /// A list of one directory and two files, the second empty.
    fn records() -> Vec<String> {
        let archive = small_archive();
        let segment = |position: usize, bytes: &[u8]| {
            format!(r#"{{"type":2,"payload":"{}","position":{position}}}"#, encode(bytes))
        };
        vec![
            segment(0, &archive[..512]),
            r#"{"type":1,"name":"etc/","payload":null,"position":1}"#.to_owned(),
            segment(2, &archive[512..1024]),
            r#"{"type":1,"name":"etc/motd","size":6,"payload":"YUw+7uLYEAA=","position":3}"#
                .to_owned(),
            segment(4, &archive[1030..2048]),
            r#"{"type":1,"name":"etc/.wh.old","payload":null,"position":5}"#.to_owned(),
            segment(6, &archive[2048..]),
        ]
    }

    fn header(name: &str, kind: u8, size: u64) -> Vec<u8> {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..107].copy_from_slice(b"0000644");
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        block[136..147].copy_from_slice(b"14524660160");
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }

    fn small_archive() -> Vec<u8> {
        let mut content = b"hello\n".to_vec();
        content.resize(512, 0);
        [
            header("etc/", b'5', 0),
            header("etc/motd", b'0', 6),
            content,
            header("etc/.wh.old", b'0', 0),
            vec![0; 1024],
        ]
        .concat()
    }

    fn encode(bytes: &[u8]) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let bits = group.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte))
                << (8 * (3 - group.len()));
            for at in 0..=group.len() {
                let index = (bits >> (18 - 6 * at)) & 63;
                text.push(char::from(alphabet[index as usize]));
            }
            (group.len()..3).for_each(|_| text.push('='));
        }
        text
    }

    fn read(records: &[String]) -> TarSplit {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(records.join("\n").as_bytes()).unwrap();
        TarSplit::read(&encoder.finish().unwrap(), "layer", &Spool::default()).unwrap()
    }

    fn path(text: &str) -> TreePath {
        TreePath::parse(text.as_bytes()).unwrap()
    }

    fn cut(records: &[String]) -> (IssueKind, String) {
        let problem = read(records).cut.unwrap();
        (problem.kind, problem.what)
    }

    #[test]
    fn the_tree_has_all_but_the_contents_and_their_checksums() {
        let split = read(&records());
        assert!(split.issues.is_empty() && split.cut.is_none(), "{:?}", split.issues);
        let names: Vec<Vec<u8>> =
            split.tree.list(&path("etc")).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, [b".wh.old".to_vec(), b"motd".to_vec()]);
        let motd = split.tree.metadata(&path("etc/motd")).unwrap();
        assert_eq!((motd.kind, motd.size, motd.mode), (FileKind::Regular, 6, Some(0o644)));
        let mut crc = Crc64::default();
        crc.update(b"hello\n");
        assert_eq!(split.checksum(&path("etc/motd")), Some(crc.finish()));
        assert_eq!(split.checksum(&path("etc/.wh.old")), None);
        let content = split.tree.open(&path("etc/motd")).unwrap();
        let error = content.read_at(0, &mut [0; 6]).unwrap_err().to_string();
        assert!(error.contains("not in the list of a layer's files"), "{error}");
    }

    #[test]
    fn the_checksum_is_that_of_go() {
        let of = |bytes: &[u8]| {
            let mut crc = Crc64::default();
            crc.update(bytes);
            crc.finish()
        };
        assert_eq!(of(b""), 0);
        assert_eq!(of(b"123456789"), 0xb909_56c7_75a4_1001);
    }

    #[test]
    fn what_stands_before_a_wrong_record_is_read() {
        let all = records();
        let with = |at: usize, text: &str| {
            let mut records = all.clone();
            records[at] = text.to_owned();
            records
        };
        let lost = |what: &str| (IssueKind::Malformed, format!("{what}; the rest is lost"));
        assert_eq!(cut(&with(3, r#"{"type":2,"position":4}"#)), lost("no record of position 3"));
        assert_eq!(
            cut(&with(3, r#"{"type":9,"position":3}"#)),
            lost("a record of an unknown type")
        );
        assert_eq!(
            cut(&with(3, r#"{"type":1,"size":-1,"position":3}"#)),
            lost("-1 is no size of a file")
        );
        assert_eq!(
            cut(&with(3, r#"{"type":2,"payload":"*","position":3}"#)),
            lost("a payload not in base64")
        );
        let huge = format!(r#"{{"type":1,"size":{},"position":3}}"#, u64::MAX);
        assert_eq!(cut(&with(3, &huge)), lost("more bytes than an archive can have"));
        assert!(cut(&with(3, "{")).1.starts_with("a record that is no JSON: "));
        let split = read(&with(4, "{"));
        assert!(split.tree.metadata(&path("etc/motd")).is_ok());
        assert!(split.tree.metadata(&path("etc/.wh.old")).is_err());
    }

    #[test]
    fn a_content_longer_than_its_header_says_costs_no_time_and_is_told() {
        let mut records = records();
        records[3] = format!(r#"{{"type":1,"size":{},"position":3}}"#, 1_u64 << 40);
        let split = read(&records);
        assert_eq!(split.checksum(&path("etc/motd")), None);
        let told: Vec<String> = split.issues.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("not in the list of a layer's files"), "{told:?}");
    }

    #[test]
    fn a_list_with_any_byte_changed_or_cut_anywhere_is_read_to_its_end() {
        let whole = records().join("\n").into_bytes();
        let visit = |list: Vec<u8>| {
            let split = TarSplit::read(&list, "layer", &Spool::default()).unwrap();
            for name in ["etc", "etc/motd", "etc/.wh.old"].map(path) {
                let _checksum = split.checksum(&name);
                let _entries = split.tree.list(&name);
                let content = split.tree.open(&name);
                let _read = content.map(|content| content.read_at(0, &mut [0; 600]));
            }
        };
        for at in 0..whole.len() {
            visit(whole[..at].to_vec());
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            visit(changed);
        }
    }
}
