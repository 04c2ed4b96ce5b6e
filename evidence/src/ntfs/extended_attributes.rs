//! `$EA`: extended attributes as OS/2 had them, a chain of names and values.
//!
//! The Windows Subsystem for Linux keeps owner, mode and device number of a file there (`$LXUID`,
//! `$LXGID`, `$LXMOD`, `$LXDEV`), and Linux's own driver keeps all extended attributes there under
//! their full names.

use crate::fields::Fields;
use crate::{DeviceNumber, EvidenceError, ExtendedAttribute};

const WHAT: &str = "NTFS extended attribute";
const HEADER: usize = 8;
const PERMISSIONS: u32 = 0o7777;

/// All extended attributes in the value of `$EA`.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
    let chain = Fields::new(WHAT, 0, bytes);
    let mut found = Vec::new();
    let mut at = 0_usize;
    while at < bytes.len() {
        let rest = chain.part(WHAT, at, bytes.len().saturating_sub(at))?;
        let name_length = usize::from(rest.u8(5)?);
        // A NUL ends the name.
        let value = HEADER.saturating_add(name_length).saturating_add(1);
        found.push(ExtendedAttribute {
            name: rest.bytes(HEADER, name_length)?.to_vec(),
            value: rest.bytes(value, usize::from(rest.le16(6)?))?.to_vec(),
        });
        let next = usize::try_from(rest.le32(0)?).unwrap_or(usize::MAX);
        if next == 0 {
            break;
        }
        if next < HEADER {
            return Err(rest.malformed(0, format!("a step of {HEADER} bytes or more"), next));
        }
        at = at.saturating_add(next);
    }
    Ok(found)
}

/// What Linux under Windows wrote of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LinuxMetadata {
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    /// The low 12 bits.
    pub(super) mode: Option<u32>,
    pub(super) device: Option<DeviceNumber>,
}

impl LinuxMetadata {
    pub(super) fn of(attributes: &[ExtendedAttribute]) -> LinuxMetadata {
        let number = |name: &str, at: usize| {
            let attribute = attributes.iter().find(|one| one.name == name.as_bytes())?;
            Fields::new(WHAT, 0, &attribute.value).le32(at).ok()
        };
        let device = number("$LXDEV", 0).zip(number("$LXDEV", 4));
        LinuxMetadata {
            uid: number("$LXUID", 0).map(u64::from),
            gid: number("$LXGID", 0).map(u64::from),
            mode: number("$LXMOD", 0).map(|mode| mode & PERMISSIONS),
            device: device.map(|(major, minor)| DeviceNumber { major, minor }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(next: u32, name: &str, value: &[u8]) -> Vec<u8> {
        let mut bytes = next.to_le_bytes().to_vec();
        bytes.push(0);
        bytes.push(u8::try_from(name.len()).unwrap());
        bytes.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(value);
        bytes
    }

    #[test]
    fn what_linux_under_windows_wrote_is_found() {
        let mut bytes = entry(20, "$LXMOD", &0o20_644_u32.to_le_bytes());
        bytes.resize(20, 0);
        bytes.extend(entry(0, "$LXDEV", &[1, 0, 0, 0, 3, 0, 0, 0]));
        bytes.extend([9; 40]);
        let linux = LinuxMetadata::of(&parse(&bytes).unwrap());
        let device = Some(DeviceNumber { major: 1, minor: 3 });
        let expected = LinuxMetadata { mode: Some(0o644), device, ..LinuxMetadata::default() };
        assert_eq!(linux, expected);
    }

    #[test]
    fn a_chain_that_does_not_advance_is_named() {
        let error = parse(&entry(4, "a", b"b")).unwrap_err().to_string();
        assert_eq!(
            error,
            "NTFS extended attribute at byte 0: need a step of 8 bytes or more, have 4"
        );
        let error = parse(&entry(0, "a", b"b")[..10]).unwrap_err().to_string();
        assert_eq!(error, "NTFS extended attribute at byte 10: need 1 bytes, have 0");
    }
}
