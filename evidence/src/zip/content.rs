//! The content of one member: found through its local header, inflated, checked.

use super::member::{HEADER, Member};
use crate::fields::{Fields, read_exact};
use crate::read_at::{Range, Stream};
use crate::{EvidenceError, ReadAt, Spool};
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::io::{BufReader, Read, Write};
use std::sync::Arc;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;
const BUFFER: usize = 1 << 16;
/// No byte of deflate yields more, but for the first few.
const MAX_RATIO: u64 = 1_032;

/// The content of a member, and what is wrong with it.
pub(super) struct Content {
    pub(super) bytes: Arc<dyn ReadAt>,
    pub(super) damage: Vec<EvidenceError>,
}

/// Opens a member; what can be read of a damaged one is read.
pub(super) fn open(
    bytes: &Arc<dyn ReadAt>,
    member: &Member,
    spool: &Spool,
) -> Result<Content, EvidenceError> {
    if member.overlaps {
        let (need, have) =
            ("a place of its own".to_owned(), "one inside of another member".to_owned());
        return Err(EvidenceError::Malformed {
            what: "member of a zip archive",
            at: member.place,
            need,
            have,
        });
    }
    if member.flags & ENCRYPTED != 0 {
        return Err(EvidenceError::Unsupported("an encrypted member of a zip archive".to_owned()));
    }
    let mut damage = Vec::new();
    let start = content_start(bytes, member, &mut damage)?;
    let stored = Range::new(bytes.clone(), start, member.compressed);
    match member.method {
        STORED => {
            if member.size != member.compressed || stored.len() < member.size {
                damage.push(wrong_size(member, stored.len()));
            }
            Ok(Content { bytes: Arc::new(stored), damage })
        }
        DEFLATED => inflated(stored, member, (spool, damage)),
        method => Err(EvidenceError::Unsupported(format!(
            "method {method} of compression of a zip archive"
        ))),
    }
}

/// Where the content begins: behind the local header, which has a name and fields of its own.
fn content_start(
    bytes: &Arc<dyn ReadAt>,
    member: &Member,
    damage: &mut Vec<EvidenceError>,
) -> Result<u64, EvidenceError> {
    let what = "header of a member of a zip archive";
    let header = read_exact(bytes, what, member.place, 30)?;
    let fields = Fields::new(what, member.place, &header);
    if !header.starts_with(b"PK\x03\x04") {
        return Err(fields.malformed(0, "the signature PK\\3\\4", "another"));
    }
    let (name, extra) = (fields.le16(26)?, fields.le16(28)?);
    let behind = member.place.saturating_add(HEADER);
    let own = read_exact(bytes, what, behind, usize::from(name))?;
    if own != member.name {
        let have = own.escape_ascii().to_string();
        damage.push(fields.malformed(30, "the name that the central directory has", have));
    }
    Ok(behind.saturating_add(u64::from(name)).saturating_add(u64::from(extra)))
}

fn inflated(
    stored: Range,
    member: &Member,
    (spool, mut damage): (&Spool, Vec<EvidenceError>),
) -> Result<Content, EvidenceError> {
    let most = stored.len().saturating_add(1).saturating_mul(MAX_RATIO);
    let limit = member.size.min(most);
    let mut writer = spool.writer_for(stored.len());
    // One byte more tells whether there is more than the member says.
    let source = DeflateDecoder::new(BufReader::new(Stream::new(stored)));
    let mut source = source.take(limit.saturating_add(1));
    let mut buffer = vec![0; BUFFER];
    let (mut crc, mut length) = (Crc::new(), 0_u64);
    let cut_by = loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => break None,
            Ok(read) => read,
            Err(error) => break Some(EvidenceError::from(error)),
        };
        let room = usize::try_from(limit.saturating_sub(length)).unwrap_or(usize::MAX);
        length = length.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        let kept = buffer.get(..read.min(room)).unwrap_or_default();
        crc.update(kept);
        writer.write_all(kept).map_err(EvidenceError::from)?;
    };
    if let Some(error) = cut_by {
        damage.push(error);
    } else if length != member.size {
        damage.push(wrong_size(member, length));
    } else if crc.sum() != member.crc {
        let (need, have) = (format!("CRC-32 {:08x}", member.crc), format!("{:08x}", crc.sum()));
        let what = "content of a member of a zip archive";
        damage.push(EvidenceError::Malformed { what, at: member.place, need, have });
    }
    Ok(Content { bytes: writer.finish()?, damage })
}

fn wrong_size(member: &Member, length: u64) -> EvidenceError {
    let have = if length > member.size { "more".to_owned() } else { length.to_string() };
    let (what, need) = ("content of a member of a zip archive", format!("{} bytes", member.size));
    EvidenceError::Malformed { what, at: member.place, need, have }
}
