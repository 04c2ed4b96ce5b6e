//! The header, in version 2 (since 2008) and 3 (since 2012, what `qemu-img` writes), and the header
//! extensions behind it. All numbers are big-endian.

use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

/// What every image begins with.
pub(super) const MAGIC: &[u8] = b"QFI\xfb";
const WHAT: &str = "QCOW2 header";
/// Bytes of the header and its extensions that are read.
const AREA: u64 = 1 << 16;
const MAX_NAME: usize = 1023;

/// Incompatible features of version 3, by the bits of their field.
const DIRTY: u64 = 1;
const CORRUPT: u64 = 1 << 1;
const DATA_FILE: u64 = 1 << 2;
const COMPRESSION: u64 = 1 << 3;
const EXTENDED_L2: u64 = 1 << 4;
const KNOWN: u64 = DIRTY | CORRUPT | DATA_FILE | COMPRESSION | EXTENDED_L2;

/// Types of header extensions.
const BACKING_FORMAT: u32 = 0xe279_2aca;
const DATA_FILE_NAME: u32 = 0x4441_5441;

/// How clusters are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// Deflated, without the wrapping of zlib.
    Deflate,
    Zstd,
}

/// What the header says.
#[derive(Debug)]
pub(super) struct Header {
    /// 2 or 3.
    pub(super) version: u32,
    /// Bytes of a cluster: a power of two from 512 to 2 MiB.
    pub(super) cluster_size: u64,
    /// Bytes of the disk.
    pub(super) size: u64,
    /// Where the first-level table lies, and how many entries it has.
    pub(super) l1_at: u64,
    pub(super) l1_entries: u64,
    pub(super) compression: Compression,
    /// Entries of the second level have 128 bits, and tell 32 subclusters apart.
    pub(super) has_subclusters: bool,
    pub(super) is_dirty: bool,
    pub(super) is_corrupt: bool,
    /// The name of the image below, if there is one, and of its format.
    pub(super) backing_name: Option<Vec<u8>>,
    pub(super) backing_format: Option<Vec<u8>>,
    /// The content of clusters lies in another file, of that name.
    pub(super) has_data_file: bool,
    pub(super) data_file_name: Option<Vec<u8>>,
}

impl Header {
    /// Reads the header of an image.
    pub(super) fn read(image: &dyn ReadAt) -> Result<Header, EvidenceError> {
        let area = usize::try_from(image.len().min(AREA)).unwrap_or(0);
        let area = read_exact(image, WHAT, 0, area)?;
        let fields = Fields::new(WHAT, 0, &area);
        if fields.bytes(0, MAGIC.len())? != MAGIC {
            return Err(fields.malformed(0, "the magic number of QCOW2", "another"));
        }
        let version = fields.be32(4)?;
        if !matches!(version, 2 | 3) {
            return Err(EvidenceError::Unsupported(format!("QCOW version {version}")));
        }
        refuse_encryption(&fields)?;
        let features = if version == 3 { fields.be64(72)? } else { 0 };
        let cluster_size = cluster_size(&fields, features)?;
        let mut header = Header {
            version,
            cluster_size,
            size: fields.be64(24)?,
            l1_at: fields.be64(40)?,
            l1_entries: u64::from(fields.be32(36)?),
            compression: compression(&fields, features)?,
            has_subclusters: features & EXTENDED_L2 != 0,
            is_dirty: features & DIRTY != 0,
            is_corrupt: features & CORRUPT != 0,
            backing_name: backing_name(image, &fields)?,
            backing_format: None,
            has_data_file: features & DATA_FILE != 0,
            data_file_name: None,
        };
        if !header.l1_at.is_multiple_of(cluster_size) {
            return Err(fields.malformed(40, "a table that begins with a cluster", header.l1_at));
        }
        header.extensions(&fields)?;
        Ok(header)
    }

    /// Extensions follow each other up to one of type 0, the name of the backing file, or the end of
    /// the first cluster.
    fn extensions(&mut self, fields: &Fields<'_>) -> Result<(), EvidenceError> {
        let name_at = Some(fields.be64(8)?).filter(|at| *at != 0);
        let end = name_at.unwrap_or(u64::MAX).min(self.cluster_size);
        let end = usize::try_from(end).unwrap_or(usize::MAX).min(fields.all().len());
        let mut at = 72;
        if self.version == 3 {
            at = usize::try_from(fields.be32(100)?).unwrap_or(usize::MAX);
            if at < 104 {
                return Err(fields.malformed(100, "a header of 104 bytes or more", at));
            }
        }
        let fields = fields.part(WHAT, 0, end)?;
        while let (Ok(kind), Ok(length)) = (fields.be32(at), fields.be32(at.saturating_add(4))) {
            if kind == 0 {
                break;
            }
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let data = fields.bytes(at.saturating_add(8), length)?;
            match kind {
                BACKING_FORMAT => self.backing_format = Some(data.to_vec()),
                DATA_FILE_NAME => self.data_file_name = Some(data.to_vec()),
                _ => {}
            }
            // Each is padded to a multiple of 8.
            let padded = length.checked_next_multiple_of(8).unwrap_or(usize::MAX);
            at = at.saturating_add(8).saturating_add(padded);
        }
        Ok(())
    }
}

fn refuse_encryption(fields: &Fields<'_>) -> Result<(), EvidenceError> {
    let name = match fields.be32(32)? {
        0 => return Ok(()),
        1 => "a QCOW2 image encrypted with AES".to_string(),
        2 => "a QCOW2 image encrypted with LUKS".to_string(),
        other => format!("a QCOW2 image encrypted with method {other}"),
    };
    Err(EvidenceError::Unsupported(name))
}

fn cluster_size(fields: &Fields<'_>, features: u64) -> Result<u64, EvidenceError> {
    if features & !KNOWN != 0 {
        let bit = (features & !KNOWN).trailing_zeros();
        return Err(EvidenceError::Unsupported(format!("QCOW2 incompatible feature {bit}")));
    }
    let bits = fields.be32(20)?;
    // A subcluster is a sector at least.
    let least = if features & EXTENDED_L2 == 0 { 9 } else { 14 };
    match 1_u64.checked_shl(bits) {
        Some(size) if (least..=21).contains(&bits) => Ok(size),
        _ => Err(fields.malformed(20, format!("clusters of 2^{least} to 2^21 bytes"), bits)),
    }
}

fn compression(fields: &Fields<'_>, features: u64) -> Result<Compression, EvidenceError> {
    if features & COMPRESSION == 0 {
        return Ok(Compression::Deflate);
    }
    match fields.u8(104)? {
        0 => Ok(Compression::Deflate),
        1 => Ok(Compression::Zstd),
        other => Err(EvidenceError::Unsupported(format!("QCOW2 compression type {other}"))),
    }
}

fn backing_name(image: &dyn ReadAt, fields: &Fields<'_>) -> Result<Option<Vec<u8>>, EvidenceError> {
    let (at, length) = (fields.be64(8)?, fields.be32(16)?);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if at == 0 || length == 0 {
        return Ok(None);
    }
    if length > MAX_NAME {
        return Err(fields.malformed(16, format!("a name of at most {MAX_NAME} bytes"), length));
    }
    read_exact(image, "QCOW2 backing file name", at, length).map(Some)
}
