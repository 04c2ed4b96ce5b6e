//! The descriptor ("Virtual Disk Format 5.0", "The Descriptor File"): text that says which files the
//! disk is made of, and whose child it is. It is a file of its own, or lies inside a sparse extent.

use crate::read_at::{Range, read_up_to};
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// Bytes of a descriptor: a line of 100 bytes for each extent of the largest disk is far less.
const MAX_LENGTH: u64 = 1 << 20;
const MAX_EXTENTS: usize = 2048;
/// The content identifier of no parent.
const NO_PARENT: u32 = u32::MAX;

/// What a descriptor says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// Changes with the first write after the disk was opened.
    pub(super) content_id: Option<u32>,
    /// That of the parent when the child was made; `None` where there is no parent.
    pub(super) parent_content_id: Option<u32>,
    /// Name of the parent's file, without the directories before it.
    pub(super) parent_file_name: Vec<u8>,
    pub(super) extents: Vec<ExtentLine>,
}

/// One extent of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExtentLine {
    /// Its length.
    pub(super) sectors: u64,
    /// `FLAT`, `SPARSE`, `ZERO`, `VMFS`, ...
    pub(super) kind: String,
    /// Name of its file, without the directories before it; empty for `ZERO`.
    pub(super) file_name: Vec<u8>,
    /// Sector of the file at which it begins.
    pub(super) offset: u64,
}

/// Reads the descriptor that is `length` bytes long at most.
pub(super) fn read(
    file: &Arc<dyn ReadAt>,
    at: u64,
    length: u64,
) -> Result<Descriptor, EvidenceError> {
    let (text, more) = read_up_to(&Range::new(file.clone(), at, length), MAX_LENGTH)?;
    if more {
        let what = "bytes of a VMDK descriptor";
        return Err(EvidenceError::LimitReached { what, limit: MAX_LENGTH });
    }
    parse(&text, at)
}

fn parse(text: &[u8], at: u64) -> Result<Descriptor, EvidenceError> {
    // An embedded descriptor is filled up with zeros.
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut descriptor = Descriptor::default();
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.trim_ascii();
        if line.starts_with(b"#") {
            continue;
        }
        if let Some(extent) = extent_line(line) {
            descriptor.extents.push(extent);
        } else if let Some(equals) = line.iter().position(|byte| *byte == b'=') {
            let (key, value) = line.split_at(equals);
            set(&mut descriptor, key.trim_ascii(), value.get(1..).unwrap_or_default());
        }
        if descriptor.extents.len() > MAX_EXTENTS {
            let limit = u64::try_from(MAX_EXTENTS).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "extents of a VMDK", limit });
        }
    }
    if descriptor.extents.is_empty() {
        let (need, have) = (String::from("an extent"), String::from("none"));
        return Err(EvidenceError::Malformed { what: "VMDK descriptor", at, need, have });
    }
    Ok(descriptor)
}

fn set(descriptor: &mut Descriptor, key: &[u8], value: &[u8]) {
    let value = unquoted(value);
    match key.to_ascii_lowercase().as_slice() {
        b"cid" => descriptor.content_id = content_id(value),
        b"parentcid" => {
            descriptor.parent_content_id = content_id(value).filter(|id| *id != NO_PARENT);
        }
        b"parentfilenamehint" => descriptor.parent_file_name = plain_name(value),
        _ => {}
    }
}

fn content_id(value: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(value).ok()?, 16).ok()
}

fn unquoted(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

/// What follows the last directory of a path of Windows or of Unix.
fn plain_name(path: &[u8]) -> Vec<u8> {
    path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default().to_vec()
}

/// A line such as `RW 4192256 SPARSE "disk-s001.vmdk" 0`.
fn extent_line(line: &[u8]) -> Option<ExtentLine> {
    let mut quotes = line.iter().enumerate().filter(|(_, byte)| **byte == b'"').map(|(at, _)| at);
    let open = quotes.next().unwrap_or(line.len());
    let close = quotes.next_back().unwrap_or(line.len());
    let mut words = std::str::from_utf8(line.get(..open)?).ok()?.split_ascii_whitespace();
    if !matches!(words.next()?, "RW" | "RDONLY" | "NOACCESS") {
        return None;
    }
    let sectors = words.next()?.parse().ok()?;
    let kind = words.next()?.to_ascii_uppercase();
    let file_name = line.get(open.saturating_add(1)..close).map(plain_name).unwrap_or_default();
    let after = line.get(close.saturating_add(1)..).unwrap_or_default();
    let mut after = std::str::from_utf8(after).ok()?.split_ascii_whitespace();
    let offset = after.next().map_or(Some(0), |offset| offset.parse().ok())?;
    Some(ExtentLine { sectors, kind, file_name, offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"# Disk DescriptorFile\r\nversion=1\r\nencoding=\"windows-1252\"\r\n\
        CID=fffffffe\r\nparentCID=0123abcd\r\ncreateType=\"twoGbMaxExtentSparse\"\r\n\
        parentFileNameHint=\"C:\\vm\\base disk.vmdk\"\r\n# RW 1 FLAT \"no.vmdk\"\r\n\
        RW 4192256 SPARSE \"a disk-s001.vmdk\"\r\nRW 63 FLAT \"/vm/\xe4.vmdk\" 128\r\n\
        RDONLY 10 ZERO\r\nddb.adapterType = \"ide\"\r\n\0\0RW 1 FLAT \"no.vmdk\"";

    #[test]
    fn a_descriptor_says_what_the_disk_is_made_of() {
        let extent = |sectors, kind: &str, name: &[u8], offset| ExtentLine {
            sectors,
            kind: kind.to_owned(),
            file_name: name.to_vec(),
            offset,
        };
        let expected = Descriptor {
            content_id: Some(0xffff_fffe),
            parent_content_id: Some(0x0123_abcd),
            parent_file_name: b"base disk.vmdk".to_vec(),
            extents: vec![
                extent(4_192_256, "SPARSE", b"a disk-s001.vmdk", 0),
                extent(63, "FLAT", b"\xe4.vmdk", 128),
                extent(10, "ZERO", b"", 0),
            ],
        };
        assert_eq!(parse(TEXT, 0).unwrap(), expected);
    }

    #[test]
    fn a_descriptor_without_extents_is_an_error_and_too_many_are_a_limit() {
        assert!(matches!(parse(b"version=1\n", 0), Err(EvidenceError::Malformed { .. })));
        let many = b"RW 1 ZERO\n".repeat(MAX_EXTENTS + 1);
        assert!(matches!(parse(&many, 0), Err(EvidenceError::LimitReached { .. })));
        let long: Arc<dyn ReadAt> = Arc::new(vec![b'#'; (1 << 20) + 1]);
        assert!(matches!(read(&long, 0, 1 << 30), Err(EvidenceError::LimitReached { .. })));
    }
}
