//! The two headers ([MS-VHDX] 2.2.2), of which the one with the higher sequence number counts. A
//! writer changes one at a time, so that a crash leaves the other.

use super::guid::Guid;
use crate::crc32c::crc32c;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

/// Where the two headers lie.
const PLACES: [u64; 2] = [1 << 16, 2 << 16];
/// Bytes that the checksum covers.
const LENGTH: usize = 4096;
/// The one version there is.
const VERSION: u16 = 1;

/// A header.
#[derive(Clone, Debug)]
pub(super) struct Header {
    sequence_number: u64,
    /// Changes whenever the content of the virtual disk does: how a child knows its parent.
    pub(super) data_write_guid: Guid,
    pub(super) log: LogRegion,
}

/// Where the log lies.
#[derive(Clone, Debug)]
pub(super) struct LogRegion {
    /// What the entries carry that are still to be replayed; none where the log is empty.
    pub(super) guid: Guid,
    pub(super) version: u16,
    /// In bytes.
    pub(super) length: u32,
    /// In the file.
    pub(super) offset: u64,
}

/// The header that counts, and why others do not.
pub(super) struct Headers {
    /// `None` where both are damaged.
    pub(super) current: Option<Header>,
    pub(super) damaged: Vec<EvidenceError>,
}

/// Reads both headers.
///
/// # Errors
/// When a sound header is of a version that is not known.
pub(super) fn read(file: &dyn ReadAt) -> Result<Headers, EvidenceError> {
    let mut headers = Headers { current: None, damaged: Vec::new() };
    for at in PLACES {
        match read_one(file, at) {
            Ok(header) => {
                let newest = headers.current.as_ref().map(|current| current.sequence_number);
                if newest < Some(header.sequence_number) {
                    headers.current = Some(header);
                }
            }
            Err(error @ EvidenceError::Unsupported(_)) => return Err(error),
            Err(error) => headers.damaged.push(error),
        }
    }
    Ok(headers)
}

fn read_one(file: &dyn ReadAt, at: u64) -> Result<Header, EvidenceError> {
    let bytes = read_exact(file, "VHDX header", at, LENGTH)?;
    let fields = Fields::new("VHDX header", at, &bytes);
    check_signature(&fields, b"head")?;
    let version = fields.le16(66)?;
    if version != VERSION {
        return Err(EvidenceError::Unsupported(format!("VHDX version {version}")));
    }
    let log = LogRegion {
        guid: Guid::from_bytes(fields.array(48)?),
        version: fields.le16(64)?,
        length: fields.le32(68)?,
        offset: fields.le64(72)?,
    };
    let data_write_guid = Guid::from_bytes(fields.array(32)?);
    Ok(Header { sequence_number: fields.le64(8)?, data_write_guid, log })
}

/// Checks the four letters at the front of a structure, and the checksum behind them, which covers
/// the whole structure with zeros in its own place.
pub(super) fn check_signature(
    fields: &Fields<'_>,
    signature: &[u8; 4],
) -> Result<(), EvidenceError> {
    let found: [u8; 4] = fields.array(0)?;
    if found != *signature {
        let need = signature.escape_ascii().to_string();
        return Err(fields.malformed(0, need, found.escape_ascii()));
    }
    let stored = fields.le32(4)?;
    let computed = checksum(fields.all());
    if stored != computed {
        let need = format!("checksum {computed:08x}");
        return Err(fields.malformed(4, need, format!("{stored:08x}")));
    }
    Ok(())
}

/// CRC-32C with zeros in the place of the checksum.
pub(super) fn checksum(structure: &[u8]) -> u32 {
    let mut zeroed = structure.to_vec();
    if let Some(place) = zeroed.get_mut(4..8) {
        place.fill(0);
    }
    crc32c(&zeroed)
}
