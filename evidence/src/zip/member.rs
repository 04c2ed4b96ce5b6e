//! One member, as the central directory tells it (APPNOTE 4.3.12, 4.5).

use super::time;
use crate::fields::Fields;
use crate::{EvidenceError, FileKind};
use dockline_timeline::Instant;
use std::io::{ErrorKind, Read};

const WHAT: &str = "record of a zip archive";

/// Bytes of a local header, without its name and its extra fields.
pub(super) const HEADER: u64 = 30;
/// Bytes of a record of the central directory, without what follows it.
const RECORD: usize = 46;
const RECORD_LENGTH: u64 = 46;
/// The system that wrote the member is Unix or macOS: its mode stands beside.
const UNIX: &[u8] = &[3, 19];

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Where its record lies in the central directory.
    pub(super) at: u64,
    /// Its name, as it is written.
    pub(super) name: Vec<u8>,
    pub(super) kind: FileKind,
    /// Permission bits, where it was written by a system that has them.
    pub(super) mode: Option<u32>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Where its local header lies.
    pub(super) place: u64,
    /// When it was modified, by the clock of the host and as if that were UTC.
    pub(super) local: Option<Instant>,
    /// When it was modified.
    pub(super) utc: Option<Instant>,
    /// Whether it lies in another member.
    pub(super) overlaps: bool,
}

impl Member {
    /// Reads the record that is next in the central directory, at `at`, and how many bytes it takes;
    /// `before` bytes stand before the archive in its file.
    pub(super) fn read(
        directory: &mut impl Read,
        at: u64,
        before: u64,
    ) -> Result<(Member, u64), EvidenceError> {
        let record = next(directory, at, RECORD)?;
        let fields = Fields::new(WHAT, at, &record);
        if !record.starts_with(b"PK\x01\x02") {
            return Err(fields.malformed(0, "the signature PK\\1\\2", "another"));
        }
        let lengths = [fields.le16(28)?, fields.le16(30)?, fields.le16(32)?];
        let [name, extra, comment] = lengths.map(usize::from);
        let behind = at.saturating_add(RECORD_LENGTH);
        let length = name.saturating_add(extra).saturating_add(comment);
        let rest = next(directory, behind, length)?;
        let rest = Fields::new(WHAT, behind, &rest);
        let mut member = Member {
            at,
            name: rest.bytes(0, name)?.to_vec(),
            kind: FileKind::Regular,
            mode: None,
            flags: fields.le16(8)?,
            method: fields.le16(10)?,
            crc: fields.le32(16)?,
            compressed: u64::from(fields.le32(20)?),
            size: u64::from(fields.le32(24)?),
            place: u64::from(fields.le32(42)?),
            local: time::of_dos(fields.le16(14)?, fields.le16(12)?),
            utc: None,
            overlaps: false,
        };
        member.set_kind(fields.le16(4)?, fields.le32(38)?);
        member.set_extra(&rest.part(WHAT, name, extra)?);
        member.place = member.place.saturating_add(before);
        Ok((member, RECORD_LENGTH.saturating_add(u64::try_from(length).unwrap_or(u64::MAX))))
    }

    fn set_kind(&mut self, made_by: u16, attributes: u32) {
        let [_, system] = made_by.to_le_bytes();
        let mode = attributes >> 16;
        if UNIX.contains(&system) && mode != 0 {
            self.mode = Some(mode & 0o7777);
            self.kind = match mode & 0o170_000 {
                0o040_000 => FileKind::Directory,
                0o120_000 => FileKind::SymbolicLink,
                0o020_000 => FileKind::CharacterDevice,
                0o060_000 => FileKind::BlockDevice,
                0o010_000 => FileKind::Fifo,
                0o140_000 => FileKind::Socket,
                _ => FileKind::Regular,
            };
        }
        if self.name.ends_with(b"/") || self.name.ends_with(b"\\") {
            self.kind = FileKind::Directory;
        }
    }

    /// Sizes of zip64 and times in UTC; an extra field that is cut says nothing.
    fn set_extra(&mut self, extra: &Fields<'_>) {
        let mut at = 0_usize;
        while let (Ok(id), Ok(length)) = (extra.le16(at), extra.le16(at.saturating_add(2))) {
            let start = at.saturating_add(4);
            let Ok(field) = extra.part("extra field of a zip archive", start, usize::from(length))
            else {
                return;
            };
            match id {
                0x0001 => self.set_large(&field),
                0x5455 => self.utc = time::of_unix(&field).or(self.utc),
                0x000a => self.utc = time::of_ntfs(&field).or(self.utc),
                _ => {}
            }
            at = start.saturating_add(usize::from(length));
        }
    }

    /// What does not fit into 32 bits follows here, in this order.
    fn set_large(&mut self, field: &Fields<'_>) {
        let mut at = 0_usize;
        for number in [&mut self.size, &mut self.compressed, &mut self.place] {
            if *number == 0xffff_ffff
                && let Ok(large) = field.le64(at)
            {
                *number = large;
                at = at.saturating_add(8);
            }
        }
    }

    /// When it was modified; `offset`: seconds that the host's clock was east of UTC.
    pub(super) fn modified(&self, offset: i64) -> Option<Instant> {
        self.utc.or_else(|| {
            let local = self.local?;
            Instant::new(local.seconds().checked_sub(offset)?, local.nanoseconds())
        })
    }
}

/// The next bytes of the central directory.
fn next(directory: &mut impl Read, at: u64, length: usize) -> Result<Vec<u8>, EvidenceError> {
    let mut bytes = vec![0; length];
    match directory.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            let (need, have) = (format!("{length} bytes"), "fewer".to_owned());
            Err(EvidenceError::Malformed { what: WHAT, at, need, have })
        }
        Err(error) => Err(error.into()),
    }
}
