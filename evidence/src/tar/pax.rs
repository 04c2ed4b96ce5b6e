//! Extended headers of PAX (POSIX.1-2001): records of `LENGTH KEY=VALUE\n`, for one member or, from
//! a global header, for all that follow.
//!
//! Read beside the standard's own keys: extended attributes, device, inode and link count of star
//! (`SCHILY.*`, as GNU tar and Go write them too), the birth time of libarchive, and the sparse maps
//! of GNU tar. Not read: ACLs as text (`SCHILY.acl.*`), file flags, names of users and groups, and
//! attributes that libarchive writes in its own encoding beside those of star.

use crate::{EvidenceError, ExtendedAttribute};
use dockline_timeline::Instant;

/// Pieces of data that the map of one sparse member may have.
pub(super) const MAX_PIECES: usize = 1 << 20;

/// What extended headers say of a member.
#[derive(Clone, Debug, Default)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) modified: Option<Instant>,
    pub(super) accessed: Option<Instant>,
    pub(super) changed: Option<Instant>,
    pub(super) born: Option<Instant>,
    pub(super) inode: Option<u64>,
    pub(super) links: Option<u64>,
    pub(super) device_major: Option<u64>,
    pub(super) device_minor: Option<u64>,
    /// In the order of the records.
    pub(super) attributes: Vec<ExtendedAttribute>,
    pub(super) sparse: Sparse,
}

/// The records of GNU tar on a sparse member.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse {
    /// Version 1.0: the map stands before the data.
    pub(super) major: Option<u64>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) real_size: Option<u64>,
    /// Versions 0.0 and 0.1: offset and length of each piece of data, alternating.
    pub(super) map: Vec<u64>,
    /// Whether there was a map, be it empty.
    pub(super) has_map: bool,
}

impl Extended {
    /// Takes over the records of one extended header, whose body lies at offset `at` of the archive;
    /// the first malformed record ends it.
    pub(super) fn apply(&mut self, body: &[u8], at: u64) -> Result<(), EvidenceError> {
        let mut rest = body;
        while !rest.is_empty() {
            let offset = body.len().saturating_sub(rest.len());
            let at = at.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX));
            let (key, value, after) = record(rest).ok_or_else(|| malformed_record(rest, at))?;
            if !self.apply_record(key, value)? {
                return Err(EvidenceError::Malformed {
                    what: "PAX record",
                    at,
                    need: "a number or a time".to_string(),
                    have: format!("{}={}", excerpt(key), excerpt(value)),
                });
            }
            rest = after;
        }
        Ok(())
    }

    /// `false` when the value is not what the key needs. An empty value takes a record back.
    fn apply_record(&mut self, key: &[u8], value: &[u8]) -> Result<bool, EvidenceError> {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            let name = attribute_name(name);
            self.attributes.push(ExtendedAttribute { name, value: value.to_vec() });
            return Ok(true);
        }
        if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
            return self.sparse.apply_record(key, value);
        }
        let is_good = match key {
            b"path" => text(&mut self.path, value),
            b"linkpath" => text(&mut self.link, value),
            b"size" => number(&mut self.size, value),
            b"uid" => number(&mut self.uid, value),
            b"gid" => number(&mut self.gid, value),
            b"mtime" => time(&mut self.modified, value),
            b"atime" => time(&mut self.accessed, value),
            b"ctime" => time(&mut self.changed, value),
            b"LIBARCHIVE.creationtime" => time(&mut self.born, value),
            b"SCHILY.ino" => number(&mut self.inode, value),
            b"SCHILY.nlink" => number(&mut self.links, value),
            b"SCHILY.devmajor" => number(&mut self.device_major, value),
            b"SCHILY.devminor" => number(&mut self.device_minor, value),
            _ => true,
        };
        Ok(is_good)
    }

    /// The extended attributes ordered by name; of two with one name, the last.
    pub(super) fn ordered_attributes(mut self) -> Vec<ExtendedAttribute> {
        self.attributes.reverse();
        self.attributes.sort_by(|one, other| one.name.cmp(&other.name));
        self.attributes.dedup_by(|later, kept| later.name == kept.name);
        self.attributes
    }
}

impl Sparse {
    fn apply_record(&mut self, key: &[u8], value: &[u8]) -> Result<bool, EvidenceError> {
        let is_good = match key {
            b"major" => number(&mut self.major, value),
            b"name" => text(&mut self.name, value),
            b"realsize" | b"size" => number(&mut self.real_size, value),
            b"offset" | b"numbytes" => return self.extend(value),
            b"map" => {
                self.map.clear();
                return self.extend(value);
            }
            _ => true,
        };
        Ok(is_good)
    }

    /// Adds numbers with commas between them to the map.
    fn extend(&mut self, numbers: &[u8]) -> Result<bool, EvidenceError> {
        self.has_map = true;
        for number in numbers.split(|byte| *byte == b',').filter(|number| !number.is_empty()) {
            if self.map.len() / 2 >= MAX_PIECES {
                return Err(too_many_pieces());
            }
            let Some(number) = decimal(number) else { return Ok(false) };
            self.map.push(number);
        }
        Ok(true)
    }
}

pub(super) fn too_many_pieces() -> EvidenceError {
    let limit = u64::try_from(MAX_PIECES).unwrap_or(u64::MAX);
    EvidenceError::LimitReached { what: "pieces of a sparse member", limit }
}

/// Key, value, and what follows the record.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
    let (record, after) = bytes.split_at_checked(length)?;
    let record = record.get(space..)?.strip_prefix(b" ")?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = record.split_at_checked(equals)?;
    Some((key, value.strip_prefix(b"=")?, after))
}

fn malformed_record(rest: &[u8], at: u64) -> EvidenceError {
    EvidenceError::Malformed {
        what: "PAX record",
        at,
        need: "LENGTH KEY=VALUE and a line end".to_string(),
        have: format!("{} bytes that begin with {}", rest.len(), excerpt(rest)),
    }
}

/// The beginning of a key, a value or a record, for a person to read.
fn excerpt(bytes: &[u8]) -> impl std::fmt::Display {
    bytes.get(..bytes.len().min(32)).unwrap_or_default().escape_ascii()
}

/// GNU tar writes `=` and `%` in the name of an attribute as `%3D` and `%25`.
fn attribute_name(written: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(written.len());
    let mut rest = written;
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (rest.strip_prefix(b"%3D"), rest.strip_prefix(b"%25")) {
            (Some(after), _) => (b'=', after),
            (_, Some(after)) => (b'%', after),
            _ => (*first, after),
        };
        name.push(byte);
        rest = after;
    }
    name
}

fn text(field: &mut Option<Vec<u8>>, value: &[u8]) -> bool {
    *field = (!value.is_empty()).then(|| value.to_vec());
    true
}

fn number(field: &mut Option<u64>, value: &[u8]) -> bool {
    *field = decimal(value);
    field.is_some() || value.is_empty()
}

fn time(field: &mut Option<Instant>, value: &[u8]) -> bool {
    *field = decimal_time(value);
    field.is_some() || value.is_empty()
}

/// Digits only.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit.saturating_sub(b'0')))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Seconds since 1970 with a sign and any number of fraction digits. Those past the ninth are cut
/// towards the past, as a file system would.
fn decimal_time(value: &[u8]) -> Option<Instant> {
    let (is_negative, value) = match value.strip_prefix(b"-") {
        Some(value) => (true, value),
        None => (false, value),
    };
    let point = value.iter().position(|byte| *byte == b'.').unwrap_or(value.len());
    let (whole, fraction) = value.split_at_checked(point)?;
    let fraction = fraction.strip_prefix(b".").unwrap_or(fraction);
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut nine = [b'0'; 9];
    nine.iter_mut().zip(fraction).for_each(|(to, from)| *to = *from);
    let seconds = i64::try_from(decimal(whole)?).ok()?;
    let nanoseconds = u32::try_from(decimal(&nine)?).ok()?;
    if !is_negative {
        return Instant::new(seconds, nanoseconds);
    }
    let is_cut = fraction.iter().skip(9).any(|digit| *digit != b'0');
    before_1970(seconds, nanoseconds.checked_add(u32::from(is_cut))?)
}

/// The instant so long before 1970.
fn before_1970(seconds: i64, nanoseconds: u32) -> Option<Instant> {
    let seconds = seconds.checked_neg()?;
    if nanoseconds == 0 {
        return Instant::new(seconds, 0);
    }
    Instant::new(seconds.checked_sub(1)?, 1_000_000_000_u32.checked_sub(nanoseconds)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(body: &[u8]) -> (Extended, Option<String>) {
        let mut extended = Extended::default();
        let error = extended.apply(body, 512).err();
        (extended, error.map(|error| error.to_string()))
    }

    #[test]
    fn records_become_what_they_say() {
        let body = b"12 path=a=b\n23 SCHILY.xattr.a%3Db=\n32 mtime=-1.5000000000000000001\n";
        let (extended, error) = applied(body);
        assert_eq!(error, None);
        assert_eq!(extended.path.as_deref(), Some(&b"a=b"[..]));
        assert_eq!(extended.attributes[0].name, b"a=b");
        assert_eq!(extended.modified, Instant::new(-2, 499_999_999));
    }

    #[test]
    fn times_before_and_after_1970_are_rounded_to_the_past() {
        for (text, expected) in [
            ("1795298030.7669148", Some((1_795_298_030, 766_914_800))),
            ("0", Some((0, 0))),
            ("-1", Some((-1, 0))),
            ("-0.25", Some((-1, 750_000_000))),
            ("1.1234567899", Some((1, 123_456_789))),
            ("-1.9999999999", Some((-2, 0))),
            ("", None),
            (".5", None),
            ("1.-5", None),
            ("1e9", None),
            ("999999999999", None),
        ] {
            let expected = expected.and_then(|(seconds, nanos)| Instant::new(seconds, nanos));
            assert_eq!(decimal_time(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_length_that_lies_is_named_by_its_place() {
        let good = b"10 uid=77\n";
        for bad in [
            &b"99 gid=1\n"[..],
            b"3 gid=1\n",
            b"0 gid=1\n",
            b"99999999999999999999 gid=1\n",
            b"99999999999999999999999999 gid=1\n",
            b"7 gid=1\n",
            b"-9 gid=1\n",
            b"9 gid:11\n",
            b" gid=1\n",
            b"gid=1\n",
            b"\0\0\0",
        ] {
            let (extended, error) = applied(&[good, bad].concat());
            assert_eq!(extended.uid, Some(77));
            assert_eq!(extended.gid, None);
            let error = error.unwrap();
            assert!(error.starts_with("PAX record at byte 522: "), "{error}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_an_error() {
        let error = applied(b"10 uid=-5\n").1.unwrap();
        assert_eq!(error, "PAX record at byte 512: need a number or a time, have uid=-5");
        assert_eq!(applied(b"7 uid=\n").1, None);
    }

    #[test]
    fn a_map_has_a_limit() {
        let map = "1,1,".repeat(MAX_PIECES + 1);
        let record = format!("GNU.sparse.map={map}\n");
        let body = format!("{} {record}", record.len() + 8);
        assert!(applied(body.as_bytes()).1.unwrap().contains("limit of 1048576 reached"));
    }
}
