//! What the program that made the image says of its work: the hashes of the disk in the sections
//! `hash` and `digest`, the sectors that it could not read in `error2`.

use super::adler32::adler32;
use super::section::Section;
use crate::disk::StoredHash;
use crate::disk::verify::hexadecimal;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};
use std::fmt::Write;

/// Ranges of unreadable sectors that are read, and how many of them are named.
const MAX_RANGES: u64 = 1 << 16;
const NAMED_RANGES: usize = 16;
/// Size of the header of a section `error2`, and of a range in it.
const ERROR_HEADER: u64 = 520;
const RANGE: u64 = 8;

/// The MD5 out of a section `hash`.
pub(super) fn hash(
    segment: &dyn ReadAt,
    section: &Section,
) -> Result<Vec<StoredHash>, EvidenceError> {
    let bytes = read_exact(segment, "EWF hash section", section.data_at(), 36)?;
    let fields = Fields::new("EWF hash section", section.data_at(), &bytes);
    check(&fields, 32)?;
    Ok(stored("MD5", fields.bytes(0, 16)?).into_iter().collect())
}

/// The MD5 and the SHA-1 out of a section `digest`, which EnCase 6.12 and later write.
pub(super) fn digest(
    segment: &dyn ReadAt,
    section: &Section,
) -> Result<Vec<StoredHash>, EvidenceError> {
    let bytes = read_exact(segment, "EWF digest section", section.data_at(), 80)?;
    let fields = Fields::new("EWF digest section", section.data_at(), &bytes);
    check(&fields, 76)?;
    let hashes = [stored("MD5", fields.bytes(0, 16)?), stored("SHA1", fields.bytes(16, 20)?)];
    Ok(hashes.into_iter().flatten().collect())
}

/// The sectors that could not be read when the image was made, in words; `None` where all could.
pub(super) fn unreadable_sectors(
    segment: &dyn ReadAt,
    section: &Section,
) -> Result<Option<String>, EvidenceError> {
    const WHAT: &str = "EWF error2 section";
    let header = read_exact(segment, WHAT, section.data_at(), 520)?;
    let header = Fields::new(WHAT, section.data_at(), &header);
    check(&header, 516)?;
    let count = u64::from(header.le32(0)?);
    let room = section.data_length().saturating_sub(ERROR_HEADER).checked_div(RANGE).unwrap_or(0);
    if count > room {
        return Err(header.malformed(0, format!("at most {room} ranges"), count));
    }
    if count > MAX_RANGES {
        return Err(EvidenceError::LimitReached { what: "unreadable ranges", limit: MAX_RANGES });
    }
    let at = section.data_at().saturating_add(ERROR_HEADER);
    let length = usize::try_from(count.saturating_mul(RANGE)).unwrap_or(usize::MAX);
    let entries = read_exact(segment, WHAT, at, length)?;
    let (mut text, mut sectors) = (String::new(), 0_u64);
    for (index, entry) in entries.as_chunks::<8>().0.iter().enumerate() {
        let entry = Fields::new(WHAT, at, entry);
        let (first, number) = (u64::from(entry.le32(0)?), u64::from(entry.le32(4)?));
        sectors = sectors.saturating_add(number);
        if index < NAMED_RANGES {
            let last = first.saturating_add(number.saturating_sub(1));
            // Writing to a string does not fail.
            let _ = write!(text, "{}{first}-{last}", if index == 0 { "" } else { ", " });
        }
    }
    let more = if entries.len() > NAMED_RANGES.saturating_mul(8) { " and more" } else { "" };
    Ok((sectors > 0).then(|| {
        format!("{sectors} sectors could not be read when the image was made: {text}{more}")
    }))
}

/// Some programs leave a hash that was not asked for as zeros.
fn stored(algorithm: &'static str, hash: &[u8]) -> Option<StoredHash> {
    let is_given = hash.iter().any(|byte| *byte != 0);
    is_given.then(|| StoredHash { algorithm, digits: hexadecimal(hash) })
}

/// Whether the checksum at `at` is that of all before it.
fn check(fields: &Fields<'_>, at: usize) -> Result<(), EvidenceError> {
    let (checksum, stored) = (adler32(fields.bytes(0, at)?), fields.le32(at)?);
    if checksum == stored {
        return Ok(());
    }
    Err(fields.malformed(at, format!("the checksum {checksum:08x}"), format!("{stored:08x}")))
}
