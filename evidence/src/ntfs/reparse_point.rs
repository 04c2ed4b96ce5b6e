//! `$REPARSE_POINT`: what is to be done instead of opening the file, by a tag.
//!
//! Symbolic links and junctions (mount points) of Windows have two targets: the substitute name,
//! which Windows follows, and the print name, which is for show. The first is the target here, as
//! it is written: `\??\C:\Users`. The Windows Subsystem for Linux has tags for links, FIFOs, sockets
//! and devices. Files with any other tag have their content elsewhere, or in another form.

use super::names::Name;
use crate::fields::Fields;
use crate::{EvidenceError, FileKind};

const WHAT: &str = "NTFS reparse point";
const HEADER: usize = 8;
const MOUNT_POINT: u32 = 0xA000_0003;
const SYMBOLIC_LINK: u32 = 0xA000_000C;
const LX_SYMBOLIC_LINK: u32 = 0xA000_001D;
const AF_UNIX: u32 = 0x8000_0023;
const LX_FIFO: u32 = 0x8000_0024;
const LX_CHARACTER_DEVICE: u32 = 0x8000_0025;
const LX_BLOCK_DEVICE: u32 = 0x8000_0026;
/// The version of a link's data comes before its target.
const LX_TARGET: usize = HEADER + 4;
/// The cloud files of one provider and the next differ in these bits.
const CLOUD_MASK: u32 = 0xFFFF_0FFF;

/// What stands instead of the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReparsePoint {
    /// A link to this target.
    Link(Vec<u8>),
    /// A file without content.
    Special(FileKind),
    /// Something that only the driver with this tag understands.
    Other(u32),
}

impl ReparsePoint {
    pub(super) fn parse(bytes: &[u8]) -> Result<ReparsePoint, EvidenceError> {
        let fields = Fields::new(WHAT, 0, bytes);
        Ok(match fields.le32(0)? {
            SYMBOLIC_LINK => ReparsePoint::Link(windows_target(&fields, 0x14)?),
            MOUNT_POINT => ReparsePoint::Link(windows_target(&fields, 0x10)?),
            LX_SYMBOLIC_LINK => {
                let length = usize::from(fields.le16(4)?).saturating_sub(LX_TARGET - HEADER);
                ReparsePoint::Link(fields.bytes(LX_TARGET, length)?.to_vec())
            }
            AF_UNIX => ReparsePoint::Special(FileKind::Socket),
            LX_FIFO => ReparsePoint::Special(FileKind::Fifo),
            LX_CHARACTER_DEVICE => ReparsePoint::Special(FileKind::CharacterDevice),
            LX_BLOCK_DEVICE => ReparsePoint::Special(FileKind::BlockDevice),
            other => ReparsePoint::Other(other),
        })
    }
}

/// The substitute name, or the print name where that is empty; both lie behind `names`.
fn windows_target(fields: &Fields<'_>, names: usize) -> Result<Vec<u8>, EvidenceError> {
    let name = |at: usize| -> Result<Name, EvidenceError> {
        let start = names.saturating_add(usize::from(fields.le16(at)?));
        let length = usize::from(fields.le16(at.saturating_add(2))?);
        Ok(Name::from_bytes(fields.bytes(start, length)?))
    };
    let substitute = name(0x08)?;
    Ok(if substitute.is_none() { name(0x0C)? } else { substitute }.to_utf8())
}

/// Why the content of a file with that tag cannot be had.
pub(super) fn unsupported(tag: u32) -> EvidenceError {
    let what = match tag {
        0x8000_0017 => "compressed by the Windows overlay filter (WOF)",
        0x8000_0013 => "deduplicated",
        0x8000_001B => "an alias of an app",
        0x8000_0014 => "of the NFS server",
        0x8000_0007 => "in single instance storage",
        0x8000_0008 => "in a mounted WIM image",
        0x8000_0018 | 0x9000_1018 => "of a Windows container's layer",
        0xC000_0004 | 0x8000_0006 => "moved to other storage",
        0x9000_001C => "of a projected file system",
        _ if tag & CLOUD_MASK == 0x9000_001A => "of a cloud provider such as OneDrive",
        _ => "with a reparse point",
    };
    EvidenceError::Unsupported(format!("NTFS file {what} (tag {tag:#010x})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(tag: u32, flags: &[u8], names: [&str; 2]) -> Vec<u8> {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let [substitute, print] = names.map(utf16);
        let mut bytes = tag.to_le_bytes().to_vec();
        bytes.extend([0; 4]);
        for number in [0, substitute.len(), substitute.len(), print.len()] {
            bytes.extend(u16::try_from(number).unwrap().to_le_bytes());
        }
        [bytes, flags.to_vec(), substitute, print].concat()
    }

    fn link(bytes: &[u8]) -> String {
        match ReparsePoint::parse(bytes).unwrap() {
            ReparsePoint::Link(target) => String::from_utf8(target).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_target_of_a_link_is_the_one_that_windows_follows() {
        let names = [r"\??\C:\real", r"C:\shown"];
        assert_eq!(link(&windows(SYMBOLIC_LINK, &[0; 4], names)), r"\??\C:\real");
        assert_eq!(link(&windows(MOUNT_POINT, &[], names)), r"\??\C:\real");
        assert_eq!(link(&windows(MOUNT_POINT, &[], ["", r"C:\shown"])), r"C:\shown");
        let mut linux = LX_SYMBOLIC_LINK.to_le_bytes().to_vec();
        linux.extend(b"\x0a\0\0\0\x02\0\0\0../etc");
        assert_eq!(link(&linux), "../etc");
    }

    #[test]
    fn other_tags_are_named() {
        let parse = |tag: u32| ReparsePoint::parse(&tag.to_le_bytes()).unwrap();
        assert_eq!(parse(LX_FIFO), ReparsePoint::Special(FileKind::Fifo));
        assert_eq!(parse(0x8000_0017), ReparsePoint::Other(0x8000_0017));
        let cloud =
            "NTFS file of a cloud provider such as OneDrive (tag 0x9000601a) is not supported";
        assert_eq!(unsupported(0x9000_601A).to_string(), cloud);
        let unknown = "NTFS file with a reparse point (tag 0x00000123) is not supported";
        assert_eq!(unsupported(0x123).to_string(), unknown);
    }

    #[test]
    fn a_target_outside_is_named() {
        let mut bytes = windows(SYMBOLIC_LINK, &[0; 4], ["abc", "d"]);
        bytes[0x0A] = 100;
        let error = ReparsePoint::parse(&bytes).unwrap_err().to_string();
        assert_eq!(error, "NTFS reparse point at byte 20: need 100 bytes, have 8");
    }
}
