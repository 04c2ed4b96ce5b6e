//! What evidence is, told by its bytes and never by its name.

use crate::tar;
use crate::{EvidenceError, ReadAt};

/// What evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Tar,
    Gzip,
    Zstd,
    /// Known by name, and not read.
    Other(&'static str),
    /// No bytes at all.
    Empty,
    Unknown,
}

/// Bytes from the start within which all signatures lie.
pub(crate) const HEAD: u64 = 1 << 17;

/// Where to look, what for, and what it is then. The first that fits wins, hence the signatures of
/// file systems, which a disk image of any kind could contain by chance, come last.
const SIGNATURES: &[(u64, &[u8], Form)] = &[
    (0, b"\x1f\x8b", Form::Gzip),
    (0, b"\x28\xb5\x2f\xfd", Form::Zstd),
    (1, b"\x2a\x4d\x18", Form::Zstd), // a skippable frame, of which the first byte varies
    (0, b"EVF\x09\x0d\x0a\xff\x00", Form::Other("an E01 disk image (EWF)")),
    (0, b"EVF2\x0d\x0a\x81\x00", Form::Other("an Ex01 disk image (EWF2)")),
    (0, b"LVF\x09\x0d\x0a\xff\x00", Form::Other("an L01 logical image (EWF)")),
    (0, b"vhdxfile", Form::Other("a VHDX virtual disk")),
    (0, b"conectix", Form::Other("a VHD virtual disk")),
    (0, b"QFI\xfb", Form::Other("a QCOW2 virtual disk")),
    (0, b"KDMV", Form::Other("a VMDK virtual disk")),
    (0, b"COWD", Form::Other("a VMDK virtual disk")),
    (0, b"# Disk DescriptorFile", Form::Other("a VMDK disk descriptor")),
    (64, b"\x7f\x10\xda\xbe", Form::Other("a VDI virtual disk")),
    (0, b"AFF", Form::Other("an AFF disk image")),
    (0, b"PK\x03\x04", Form::Other("a zip archive")),
    (0, b"PK\x05\x06", Form::Other("a zip archive")),
    (0, b"\xfd7zXZ\x00", Form::Other("an xz file")),
    (0, b"BZh", Form::Other("a bzip2 file")),
    (0, b"\x04\x22\x4d\x18", Form::Other("an lz4 file")),
    (0, b"7z\xbc\xaf\x27\x1c", Form::Other("a 7z archive")),
    (0, b"Rar!\x1a\x07", Form::Other("a rar archive")),
    (0, b"070701", Form::Other("a cpio archive")),
    (0, b"070702", Form::Other("a cpio archive")),
    (0, b"070707", Form::Other("a cpio archive")),
    (0, b"LUKS\xba\xbe", Form::Other("an encrypted LUKS volume")),
    (3, b"-FVE-FS-", Form::Other("an encrypted BitLocker volume")),
    (0, b"hsqs", Form::Other("a squashfs image")),
    (0, b"XFSB", Form::Other("an XFS file system")),
    (3, b"NTFS    ", Form::Other("an NTFS file system")),
    (512, b"EFI PART", Form::Other("a disk image with a GPT")),
    (4096, b"EFI PART", Form::Other("a disk image with a GPT")),
    (512, b"LABELONE", Form::Other("an LVM2 physical volume")),
    (65_600, b"_BHRfS_M", Form::Other("a btrfs file system")),
    (32_769, b"CD001", Form::Other("an ISO 9660 image")),
    (1080, b"\x53\xef", Form::Other("an ext file system")),
    (510, b"\x55\xaa", Form::Other("a disk image with an MBR")),
];

/// What `bytes` are.
pub(crate) fn recognise(bytes: &dyn ReadAt) -> Result<Form, EvidenceError> {
    if bytes.is_empty() {
        return Ok(Form::Empty);
    }
    // A tar begins with the name of its first member, which can look like anything: so it is asked
    // for first, by its checksum.
    let mut block = [0; tar::BLOCK];
    let is_block = fill(bytes, 0, &mut block)?;
    if is_block && tar::is_header(&block) {
        return Ok(Form::Tar);
    }
    for (at, signature, form) in SIGNATURES {
        let mut found = [0; 32];
        let found = found.get_mut(..signature.len()).unwrap_or_default();
        if fill(bytes, *at, found)? && found == *signature {
            return Ok(*form);
        }
    }
    let is_empty_tar = is_block && block.iter().all(|byte| *byte == 0) && bytes.len() == 10_240;
    let is_tar = is_empty_tar || has_header_further_on(bytes)?;
    Ok(if is_tar { Form::Tar } else { Form::Unknown })
}

/// A tar archive with a damaged beginning still has headers after it.
fn has_header_further_on(bytes: &dyn ReadAt) -> Result<bool, EvidenceError> {
    let mut block = [0; tar::BLOCK];
    let mut at = 0;
    while at < HEAD && fill(bytes, at, &mut block)? {
        let is_ustar = block.get(257..262) == Some(b"ustar");
        if is_ustar && tar::is_header(&block) {
            return Ok(true);
        }
        at = at.saturating_add(512);
    }
    Ok(false)
}

/// Whether there were enough bytes.
fn fill(bytes: &dyn ReadAt, at: u64, buffer: &mut [u8]) -> Result<bool, EvidenceError> {
    let mut filled: usize = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let from = at.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match bytes.read_at(from, rest)? {
            0 => return Ok(false),
            count => filled = filled.saturating_add(count),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_recognised_at_its_place() {
        for (at, signature, form) in SIGNATURES {
            let mut bytes = vec![0xee; 70_000];
            let at = *at as usize;
            bytes[at..at + signature.len()].copy_from_slice(signature);
            assert_eq!(recognise(&bytes).unwrap(), *form);
        }
    }

    #[test]
    fn what_is_not_known_is_unknown() {
        for size in [1, 2, 511, 512, 10_240] {
            assert_eq!(recognise(&vec![0xee; size]).unwrap(), Form::Unknown, "{size}");
        }
        assert_eq!(recognise(&vec![0; 512]).unwrap(), Form::Unknown);
        assert_eq!(recognise(&Vec::new()).unwrap(), Form::Empty);
    }
}
