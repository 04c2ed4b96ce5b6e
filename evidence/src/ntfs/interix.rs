//! Special files as Interix (Services for Unix) wrote them and NTFS-3G still does: files with the
//! flag "system" whose content begins with a mark. FIFOs and sockets of Interix have no mark, but
//! are empty or one byte long, as are files of Windows: they stay regular files.

use super::names::Name;
use crate::DeviceNumber;
use crate::fields::Fields;

const LINK: &[u8; 8] = b"IntxLNK\x01";
const CHARACTER_DEVICE: &[u8; 8] = b"IntxCHR\0";
const BLOCK_DEVICE: &[u8; 8] = b"IntxBLK\0";
/// No target of a link is longer.
pub(super) const MAX_LENGTH: u64 = 8 + 2 * 32767;

/// What such a file stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SpecialFile {
    Link(Vec<u8>),
    CharacterDevice(DeviceNumber),
    BlockDevice(DeviceNumber),
}

impl SpecialFile {
    /// `None` where the content is that of any other file.
    pub(super) fn parse(content: &[u8]) -> Option<SpecialFile> {
        let (mark, rest) = content.split_first_chunk()?;
        match mark {
            LINK => Some(SpecialFile::Link(Name::from_bytes(rest).to_utf8())),
            CHARACTER_DEVICE => device(rest).map(SpecialFile::CharacterDevice),
            BLOCK_DEVICE => device(rest).map(SpecialFile::BlockDevice),
            _ => None,
        }
    }
}

fn device(numbers: &[u8]) -> Option<DeviceNumber> {
    let fields = Fields::new("Interix device", 0, numbers);
    let number = |at| u32::try_from(fields.le64(at).ok()?).ok();
    Some(DeviceNumber { major: number(0)?, minor: number(8)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_tell_what_a_file_stands_for() {
        let link = SpecialFile::parse(b"IntxLNK\x01a\0b\0");
        assert_eq!(link, Some(SpecialFile::Link(b"ab".to_vec())));
        let device = [b"IntxBLK\0".as_slice(), &7_u64.to_le_bytes(), &1_u64.to_le_bytes()].concat();
        let number = DeviceNumber { major: 7, minor: 1 };
        assert_eq!(SpecialFile::parse(&device), Some(SpecialFile::BlockDevice(number)));
        assert_eq!(SpecialFile::parse(b"IntxCHR\0"), None);
        assert_eq!(SpecialFile::parse(b"."), None);
    }
}
