//! The headers of sparse extents: `KDMV` ("Virtual Disk Format 5.0", "Hosted Sparse Extent Header"),
//! and `COWD`, which ESX Server has for its redo logs ("ESX Server Sparse Extent Header").

use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

const LENGTH: usize = 512;
const SECTOR: u64 = 512;
/// The writer of a stream-optimized extent did not know yet where the directory would lie: the
/// footer, which is a second header, says so.
const AT_END: u64 = u64::MAX;
/// Bytes of the footer and of the marker that ends the stream.
const FOOTER: u64 = 1024;
const REDUNDANT_DIRECTORY: u32 = 1 << 1;
const COMPRESSED: u32 = 1 << 16;
const MARKERS: u32 = 1 << 17;
const DEFLATE: u16 = 1;
const MAX_SECTORS: u64 = (64 << 40) / SECTOR;
const MAX_GRAIN: u64 = (1 << 30) / SECTOR;
/// A compressed grain has to be unpacked as a whole, into memory.
const MAX_COMPRESSED_GRAIN: u64 = (4 << 20) / SECTOR;
const ENTRIES_OF_COWD: u32 = 4096;

/// How a sparse extent is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SparseHeader {
    /// Sectors of the extent.
    pub(super) capacity: u64,
    /// Sectors of a grain.
    pub(super) grain: u64,
    /// Entries of a grain table.
    pub(super) table_entries: u64,
    /// Where the grain directory lies, and its redundant copy if there is one: bytes.
    pub(super) directories: Vec<u64>,
    pub(super) is_compressed: bool,
    /// Where the embedded descriptor lies, and how long it is: bytes.
    pub(super) descriptor: Option<(u64, u64)>,
}

/// Reads the header at the front of a sparse extent.
pub(super) fn read(file: &dyn ReadAt) -> Result<SparseHeader, EvidenceError> {
    let bytes = read_exact(file, "VMDK sparse extent header", 0, LENGTH)?;
    let fields = Fields::new("VMDK sparse extent header", 0, &bytes);
    let header = match fields.bytes(0, 4)? {
        b"KDMV" => hosted(file, &fields)?,
        b"COWD" => cowd(&fields)?,
        b"\xbe\xba\xfe\xca" => {
            return Err(EvidenceError::Unsupported(String::from("a VMDK extent of type seSparse")));
        }
        other => return Err(fields.malformed(0, "KDMV or COWD", other.escape_ascii())),
    };
    check(&header, &fields)?;
    Ok(header)
}

fn hosted(file: &dyn ReadAt, fields: &Fields<'_>) -> Result<SparseHeader, EvidenceError> {
    let header = hosted_fields(fields)?;
    if fields.le64(56)? != AT_END {
        return Ok(header);
    }
    let at = file.len().saturating_sub(FOOTER);
    let bytes = read_exact(file, "VMDK footer", at, LENGTH)?;
    let footer = Fields::new("VMDK footer", at, &bytes);
    if footer.bytes(0, 4)? != b"KDMV" {
        return Err(footer.malformed(0, "KDMV", footer.bytes(0, 4)?.escape_ascii()));
    }
    let directories = hosted_fields(&footer)?.directories;
    Ok(SparseHeader { directories, ..header })
}

fn hosted_fields(fields: &Fields<'_>) -> Result<SparseHeader, EvidenceError> {
    let flags = fields.le32(8)?;
    let is_compressed = flags & COMPRESSED != 0;
    let algorithm = fields.le16(77)?;
    if is_compressed && algorithm != DEFLATE {
        let what = format!("VMDK compression algorithm {algorithm}");
        return Err(EvidenceError::Unsupported(what));
    }
    if is_compressed && flags & MARKERS == 0 {
        return Err(EvidenceError::Unsupported(String::from("a compressed VMDK without markers")));
    }
    let bytes = |at| Ok::<u64, EvidenceError>(fields.le64(at)?.saturating_mul(SECTOR));
    let redundant = Some(bytes(48)?).filter(|at| flags & REDUNDANT_DIRECTORY != 0 && *at > 0);
    let descriptor = (bytes(28)?, bytes(36)?);
    Ok(SparseHeader {
        capacity: fields.le64(12)?,
        grain: fields.le64(20)?,
        table_entries: u64::from(fields.le32(44)?),
        directories: std::iter::once(bytes(56)?).chain(redundant).collect(),
        is_compressed,
        descriptor: Some(descriptor).filter(|(at, length)| *at > 0 && *length > 0),
    })
}

fn cowd(fields: &Fields<'_>) -> Result<SparseHeader, EvidenceError> {
    Ok(SparseHeader {
        capacity: u64::from(fields.le32(12)?),
        grain: u64::from(fields.le32(16)?),
        table_entries: u64::from(ENTRIES_OF_COWD),
        directories: vec![u64::from(fields.le32(20)?).saturating_mul(SECTOR)],
        is_compressed: false,
        descriptor: None,
    })
}

fn check(header: &SparseHeader, fields: &Fields<'_>) -> Result<(), EvidenceError> {
    let max_grain = if header.is_compressed { MAX_COMPRESSED_GRAIN } else { MAX_GRAIN };
    if !(1..=max_grain).contains(&header.grain) {
        let need = format!("a grain of 1 to {max_grain} sectors");
        return Err(fields.malformed(20, need, header.grain));
    }
    if !(1..=u64::from(ENTRIES_OF_COWD)).contains(&header.table_entries) {
        let need = format!("1 to {ENTRIES_OF_COWD} entries of a grain table");
        return Err(fields.malformed(44, need, header.table_entries));
    }
    if header.capacity > MAX_SECTORS {
        return Err(fields.malformed(12, "at most 64 TiB", format!("{} sectors", header.capacity)));
    }
    Ok(())
}
