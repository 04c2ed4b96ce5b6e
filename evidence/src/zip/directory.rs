//! The end of an archive, and the central directory that it points to (APPNOTE 4.3.12 to 4.3.16).

use super::member::{HEADER, Member};
use crate::fields::{Fields, read_exact};
use crate::read_at::{Range, Stream};
use crate::{EvidenceError, ReadAt};
use std::io::BufReader;
use std::sync::Arc;

/// Members that one archive may hold, about 200 bytes of memory each; what follows is not read.
pub(super) const MAX_MEMBERS: u64 = 1_000_000;
/// Flaws that are told one by one.
const MAX_FLAWS: usize = 100;
/// Bytes of the directory that are read at once.
const BUFFER: usize = 1 << 16;
/// Bytes of the record at the end, without its comment.
const END: usize = 22;
/// A comment is at most as long as 16 bits can say.
const LONGEST_END: u64 = 22 + 65_535;
/// Bytes of the record that points to the end record of zip64.
const LOCATOR: u64 = 20;
const END_64: usize = 56;

/// Where the central directory lies.
struct End {
    /// Offset of its first record.
    start: u64,
    /// Offset of what follows it.
    end: u64,
    /// How many members it says that there are.
    count: u64,
    /// What stands before the archive in its file, such as a program that unpacks it.
    before: u64,
}

/// The members of an archive, as its central directory tells them, and what is wrong with it.
pub(super) fn members(
    bytes: &Arc<dyn ReadAt>,
) -> Result<(Vec<Member>, Vec<EvidenceError>), EvidenceError> {
    let end = End::find(bytes)?;
    let (mut members, mut flaws) = (Vec::new(), Vec::new());
    let mut at = end.start;
    let stored = Range::new(bytes.clone(), end.start, end.end.saturating_sub(end.start));
    let mut records = BufReader::with_capacity(BUFFER, Stream::new(stored));
    while at < end.end {
        if u64::try_from(members.len()).unwrap_or(u64::MAX) >= MAX_MEMBERS {
            let what = "members of a zip archive";
            flaws.push(EvidenceError::LimitReached { what, limit: MAX_MEMBERS });
            break;
        }
        // Without its length nothing is known of what follows a record.
        match Member::read(&mut records, at, end.before) {
            Ok((member, length)) => {
                members.push(member);
                at = at.saturating_add(length);
            }
            Err(flaw) => {
                flaws.push(flaw);
                break;
            }
        }
    }
    let found = u64::try_from(members.len()).unwrap_or(u64::MAX);
    if found != end.count && flaws.is_empty() {
        let (need, have) = (format!("{} members", end.count), found.to_string());
        let what = "central directory of a zip archive";
        flaws.push(EvidenceError::Malformed { what, at: end.start, need, have });
    }
    refuse_overlaps(&mut members, &mut flaws);
    flaws.truncate(MAX_FLAWS);
    Ok((members, flaws))
}

/// Members that lie in one another are not opened: a small archive could so hold more than any disk.
fn refuse_overlaps(members: &mut [Member], flaws: &mut Vec<EvidenceError>) {
    let mut order: Vec<&mut Member> = members.iter_mut().collect();
    order.sort_by_key(|member| member.place);
    let (mut end, mut count, mut first) = (0, 0_u64, None);
    for member in order {
        if member.place < end {
            member.overlaps = true;
            count = count.saturating_add(1);
            first = first.or(Some(member.at));
        }
        end = end.max(member.place.saturating_add(HEADER).saturating_add(member.compressed));
    }
    if let Some(at) = first {
        let (need, have) =
            ("members beside each other".to_owned(), format!("{count} that overlap others"));
        flaws.push(EvidenceError::Malformed { what: "zip archive", at, need, have });
    }
}

impl End {
    fn find(bytes: &Arc<dyn ReadAt>) -> Result<End, EvidenceError> {
        let tail_at = bytes.len().saturating_sub(LONGEST_END);
        let length = usize::try_from(bytes.len().saturating_sub(tail_at)).unwrap_or(0);
        let tail = read_exact(bytes, "end of a zip archive", tail_at, length)?;
        let (at, record) = End::record(&tail).ok_or_else(|| missing(bytes.len()))?;
        let place = tail_at.saturating_add(u64::try_from(at).unwrap_or(0));
        let fields = Fields::new("end of a zip archive", place, record);
        if fields.le16(4)? != fields.le16(6)? {
            return Err(EvidenceError::Unsupported("a zip archive in several parts".to_owned()));
        }
        let count = u64::from(fields.le16(10)?);
        let (size, start) = (u64::from(fields.le32(12)?), u64::from(fields.le32(16)?));
        let is_64 = count == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff;
        if let Some(end) = is_64.then(|| End::of_64(bytes, place)).transpose()?.flatten() {
            return Ok(end);
        }
        Ok(End::ending_at(place, size, start, count))
    }

    /// The last record that ends with the archive, as its comment's length says; else the last.
    fn record(tail: &[u8]) -> Option<(usize, &[u8])> {
        let mut last = None;
        let places = (0..tail.len()).rev();
        for at in
            places.filter(|at| tail.get(*at..).is_some_and(|rest| rest.starts_with(b"PK\x05\x06")))
        {
            let rest = tail.get(at..)?;
            let Some(record) = rest.get(..END) else { continue };
            let comment = Fields::new("", 0, record).le16(20).ok()?;
            if rest.len() == END.saturating_add(usize::from(comment)) {
                return Some((at, record));
            }
            last = last.or(Some((at, record)));
        }
        last
    }

    /// The end record of zip64 that a locator before the end points to, if there is one.
    fn of_64(bytes: &Arc<dyn ReadAt>, place: u64) -> Result<Option<End>, EvidenceError> {
        let what = "end of a zip64 archive";
        let Some(at) = place.checked_sub(LOCATOR) else { return Ok(None) };
        let locator = read_exact(bytes, what, at, 20)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return Ok(None);
        }
        let at = Fields::new(what, at, &locator).le64(8)?;
        let record = read_exact(bytes, what, at, END_64)?;
        let fields = Fields::new(what, at, &record);
        if !record.starts_with(b"PK\x06\x06") {
            return Err(fields.malformed(0, "the signature PK\\6\\6", "another"));
        }
        let (count, size, start) = (fields.le64(32)?, fields.le64(40)?, fields.le64(48)?);
        Ok(Some(End::ending_at(at, size, start, count)))
    }

    /// The directory of `size` bytes that ends at `place`.
    fn ending_at(place: u64, size: u64, start: u64, count: u64) -> End {
        let before = place.saturating_sub(size.saturating_add(start));
        let start = start.saturating_add(before).min(place);
        End { start, end: start.saturating_add(size).min(place), count, before }
    }
}

fn missing(length: u64) -> EvidenceError {
    EvidenceError::Malformed {
        what: "zip archive",
        at: length,
        need: "the end of the archive with its directory".to_owned(),
        have: "none: it is cut".to_owned(),
    }
}
