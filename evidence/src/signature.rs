//! What evidence is, told by its bytes and never by its name.

use crate::tar;
use crate::{EvidenceError, ReadAt, read_at};

/// What evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Tar,
    Zip,
    Gzip,
    Zstd,
    /// An image of a disk in a format of its own.
    Image(ImageFormat),
    /// The bytes of a disk or a volume as they are.
    Raw(Layout),
    /// Known by name, and not read.
    Other(&'static str),
    /// No bytes at all.
    Empty,
    Unknown,
}

/// The formats of disk images that are more than the disk's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageFormat {
    Ewf,
    Vhdx,
    Vhd,
    Vmdk,
    Qcow2,
}

/// What lies on a disk or in a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Ext,
    Xfs,
    Ntfs,
    /// A part of LVM2 volume groups.
    PhysicalVolume,
    /// A partition table.
    Partitions,
    /// Known by name, and not read: evidence may be lost with it.
    Unsupported(&'static str),
    /// Known by name, and without evidence of containers.
    Idle(&'static str),
}

/// Bytes from the start within which all signatures lie.
pub(crate) const HEAD: u64 = 1 << 18;

/// Where to look, what for, and what it is then. The first that fits wins, hence the signatures of
/// volumes, which a disk image of any kind could contain by chance, come after.
const SIGNATURES: &[(u64, &[u8], Form)] = &[
    (0, b"\x1f\x8b", Form::Gzip),
    (0, b"\x28\xb5\x2f\xfd", Form::Zstd),
    (1, b"\x2a\x4d\x18", Form::Zstd), // a skippable frame, of which the first byte varies
    (0, b"EVF\x09\x0d\x0a\xff\x00", Form::Image(ImageFormat::Ewf)),
    (0, b"EVF2\x0d\x0a\x81\x00", Form::Other("an Ex01 disk image (EWF2)")),
    (0, b"LVF\x09\x0d\x0a\xff\x00", Form::Other("an L01 logical image (EWF)")),
    (0, b"LEF2\x0d\x0a\x81\x00", Form::Other("an Lx01 logical image (EWF2)")),
    (0, b"ADCRYPT\0", Form::Other("an encrypted FTK disk image")),
    (0, b"vhdxfile", Form::Image(ImageFormat::Vhdx)),
    (0, b"conectix", Form::Image(ImageFormat::Vhd)),
    (0, b"QFI\xfb", Form::Image(ImageFormat::Qcow2)),
    (0, b"KDMV", Form::Image(ImageFormat::Vmdk)),
    (0, b"COWD", Form::Image(ImageFormat::Vmdk)),
    (0, b"# Disk DescriptorFile", Form::Image(ImageFormat::Vmdk)),
    (64, b"\x7f\x10\xda\xbe", Form::Other("a VDI virtual disk")),
    (0, b"AFF", Form::Other("an AFF disk image")),
    (0, b"PK\x03\x04", Form::Zip),
    (0, b"PK\x05\x06", Form::Zip), // without members
    (0, b"\xfd7zXZ\x00", Form::Other("an xz file")),
    (0, b"BZh", Form::Other("a bzip2 file")),
    (0, b"\x04\x22\x4d\x18", Form::Other("an lz4 file")),
    (0, b"7z\xbc\xaf\x27\x1c", Form::Other("a 7z archive")),
    (0, b"Rar!\x1a\x07", Form::Other("a rar archive")),
    (0, b"070701", Form::Other("a cpio archive")),
    (0, b"070702", Form::Other("a cpio archive")),
    (0, b"070707", Form::Other("a cpio archive")),
];

/// The same of disks and volumes. Partition tables come last: the boot sectors of some file systems
/// end like one.
const LAYOUTS: &[(u64, &[u8], Layout)] = &[
    (0, b"LUKS\xba\xbe", Layout::Unsupported("an encrypted LUKS volume")),
    (3, b"-FVE-FS-", Layout::Unsupported("an encrypted BitLocker volume")),
    (0, b"hsqs", Layout::Unsupported("a squashfs image")),
    (0, b"XFSB", Layout::Xfs),
    (3, b"NTFS    ", Layout::Ntfs),
    (3, b"EXFAT   ", Layout::Idle("an exFAT file system")),
    (512, b"EFI PART", Layout::Partitions),
    (4096, b"EFI PART", Layout::Partitions),
    (512, b"LABELONE", Layout::PhysicalVolume),
    (0, b"LABELONE", Layout::PhysicalVolume),
    (1024, b"LABELONE", Layout::PhysicalVolume),
    (1536, b"LABELONE", Layout::PhysicalVolume),
    (65_600, b"_BHRfS_M", Layout::Unsupported("a btrfs file system")),
    (131_072, b"\x0c\xb1\xba\x00\x00\x00\x00\x00", Layout::Unsupported("a ZFS pool")),
    (32_769, b"CD001", Layout::Unsupported("an ISO 9660 image")),
    (1024, b"\xe2\xe1\xf5\xe0", Layout::Unsupported("an EROFS image")),
    (1024, b"\x10\x20\xf5\xf2", Layout::Unsupported("an F2FS file system")),
    (32, b"NXSB", Layout::Unsupported("an APFS container")),
    (1024, b"H+\x00\x04", Layout::Unsupported("an HFS+ file system")),
    (1024, b"HX\x00\x05", Layout::Unsupported("an HFSX file system")),
    (24, b"\xce\xfa\xed\xfe", Layout::Unsupported("a ReFS volume")),
    (3, b"\x00\x00\x00\x00\x00ReFS", Layout::Unsupported("a ReFS volume")),
    (4096, b"\xfc\x4e\x2b\xa9", Layout::Unsupported("a member of a Linux software RAID")),
    (0, b"\xfc\x4e\x2b\xa9", Layout::Unsupported("a member of a Linux software RAID")),
    (4086, b"SWAPSPACE2", Layout::Idle("swap space")),
    (4086, b"SWAP-SPACE", Layout::Idle("swap space")),
    (54, b"FAT1", Layout::Idle("a FAT file system")),
    (82, b"FAT32   ", Layout::Idle("a FAT file system")),
    (1080, b"\x53\xef", Layout::Ext),
    (510, b"\x55\xaa", Layout::Partitions),
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
        if stands_at(bytes, *at, signature)? {
            return Ok(*form);
        }
    }
    if let Some(layout) = layout(bytes)? {
        return Ok(Form::Raw(layout));
    }
    let is_empty_tar = is_block && block.iter().all(|byte| *byte == 0) && bytes.len() == 10_240;
    let is_tar = is_empty_tar || has_header_further_on(bytes)?;
    Ok(if is_tar { Form::Tar } else { Form::Unknown })
}

/// What lies on a disk or in a volume, as far as its first bytes tell.
pub(crate) fn layout(bytes: &dyn ReadAt) -> Result<Option<Layout>, EvidenceError> {
    for (at, signature, layout) in LAYOUTS {
        if stands_at(bytes, *at, signature)? {
            return Ok(Some(*layout));
        }
    }
    Ok(None)
}

fn stands_at(bytes: &dyn ReadAt, at: u64, signature: &[u8]) -> Result<bool, EvidenceError> {
    let mut found = [0; 32];
    let found = found.get_mut(..signature.len()).unwrap_or_default();
    Ok(fill(bytes, at, found)? && found == signature)
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
    Ok(read_at::fill(bytes, at, buffer)? == buffer.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_recognised_at_its_place() {
        let layouts = LAYOUTS.iter().map(|(at, bytes, layout)| (at, bytes, Form::Raw(*layout)));
        let forms = SIGNATURES.iter().map(|(at, bytes, form)| (at, bytes, *form));
        for (at, signature, form) in forms.chain(layouts) {
            let mut bytes = vec![0xee; 140_000];
            let at = *at as usize;
            bytes[at..at + signature.len()].copy_from_slice(signature);
            assert_eq!(recognise(&bytes).unwrap(), form);
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
