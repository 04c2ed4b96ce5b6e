//! `$FILE_NAME`: a name of a file. It is an attribute of the file, and the key of its entry in the
//! index of the directory, with a copy of what was known of the file at some time.

use super::names::Name;
use crate::EvidenceError;
use crate::fields::Fields;

/// The short name that Windows makes up for DOS, beside the name that the file was given.
const DOS: u8 = 2;
const HAS_INDEX: u32 = 0x1000_0000;
const REPARSE_POINT: u32 = 0x0400;
const SYSTEM: u32 = 0x0004;

/// A name of a file.
pub(super) struct FileName {
    pub(super) name: Name,
    flags: u32,
    name_space: u8,
}

impl FileName {
    pub(super) fn parse(fields: &Fields<'_>) -> Result<FileName, EvidenceError> {
        let length = usize::from(fields.u8(0x40)?).saturating_mul(2);
        Ok(FileName {
            name: Name::from_bytes(fields.bytes(0x42, length)?),
            flags: fields.le32(0x38)?,
            name_space: fields.u8(0x41)?,
        })
    }

    /// Whether it is but the short form of another name.
    pub(super) fn is_short_form(&self) -> bool {
        self.name_space == DOS
    }

    pub(super) fn is_directory(&self) -> bool {
        self.flags & HAS_INDEX != 0
    }

    /// Whether the file may be something else than a plain file or directory.
    pub(super) fn may_be_special(&self) -> bool {
        self.flags & (REPARSE_POINT | SYSTEM) != 0
    }
}
