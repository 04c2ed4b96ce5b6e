//! A directory: blocks full of entries of varying length, each naming an inode.
//!
//! Large directories have an index (htree) over these blocks, of which the nodes look like blocks
//! with one empty entry; so they are read from front to back like any other, and a damaged index
//! hides nothing. Layout: `struct ext4_dir_entry_2` of the kernel (6.18).

use super::content;
use super::inode::Inode;
use super::volume::Volume;
use crate::doubts::Doubts;
use crate::fields::{Fields, read_exact};
use crate::inodes::NamedInode;
use crate::{EvidenceError, FileKind, crc32c};

/// Entries of one directory.
const MAX_ENTRIES: usize = 1 << 24;
/// Bytes of an entry before its name.
const HEAD: usize = 8;
/// An entry without a name at the end of a block that holds its checksum.
const TAIL: usize = 12;
/// Blocks that are read at once.
const AT_ONCE: u64 = 16;

/// The entries of a directory, without `.` and `..`; the kind is that of the inode, as everywhere
/// else, and what the directory says of it where the inode cannot be read.
pub(crate) fn entries(
    volume: &Volume,
    inode: &Inode,
    doubts: &mut Doubts,
) -> Result<Vec<NamedInode>, EvidenceError> {
    let mut entries = names(volume, inode, doubts)?;
    // In the order in which the inodes lie.
    entries.sort_by_key(|entry| entry.inode);
    for entry in &mut entries {
        let kind = volume.inode(entry.inode).and_then(|inode| inode.kind());
        entry.kind = kind.unwrap_or(entry.kind);
    }
    Ok(entries)
}

/// The entries of a directory, with the kinds that it tells.
pub(crate) fn names(
    volume: &Volume,
    inode: &Inode,
    doubts: &mut Doubts,
) -> Result<Vec<NamedInode>, EvidenceError> {
    inode.require(FileKind::Directory)?;
    inode.require_readable()?;
    let mut reader = Reader { volume, inode, found: Vec::new() };
    match inode.has_inline_data() {
        true => reader.inline(doubts),
        false => reader.blocks(doubts),
    }?;
    Ok(reader.found)
}

struct Reader<'a> {
    volume: &'a Volume,
    inode: &'a Inode,
    found: Vec<NamedInode>,
}

impl Reader<'_> {
    /// The number of the parent takes the place of `.` and `..`.
    fn inline(&mut self, doubts: &mut Doubts) -> Result<(), EvidenceError> {
        for (part, skipped) in content::inline(self.inode, doubts).iter().zip([4, 0]) {
            let entries = part.get(skipped..).unwrap_or_default();
            self.block(&Fields::new("ext4 inline directory", 0, entries), doubts)?;
        }
        Ok(())
    }

    fn blocks(&mut self, doubts: &mut Doubts) -> Result<(), EvidenceError> {
        let end = self.inode.size.div_ceil(self.volume.block_size().max(1));
        // No directory is larger than the volume, however often its map names the same blocks.
        let mut left = self.volume.blocks();
        for run in content::runs(self.volume, self.inode, doubts)?.sorted() {
            let count = run.count.min(end.saturating_sub(run.logical));
            let Some(first) = run.physical else { continue };
            if count > left {
                let limit = self.volume.blocks();
                doubts.note(EvidenceError::LimitReached { what: "blocks of a directory", limit });
                break;
            }
            left = left.saturating_sub(count);
            let mut at = 0;
            while at < count {
                let length = AT_ONCE.min(count.saturating_sub(at));
                self.stretch(first.saturating_add(at), length, doubts)?;
                at = at.saturating_add(length);
            }
        }
        Ok(())
    }

    /// Takes the entries of blocks that lie beside one another.
    fn stretch(
        &mut self,
        block: u64,
        count: u64,
        doubts: &mut Doubts,
    ) -> Result<(), EvidenceError> {
        const WHAT: &str = "ext4 directory block";
        let start = self.volume.offset(block);
        let size = usize::try_from(self.volume.block_size()).unwrap_or_default();
        let length = usize::try_from(count).unwrap_or_default().saturating_mul(size);
        let bytes = match read_exact(&self.volume.device, WHAT, start, length) {
            Ok(bytes) => bytes,
            Err(error) if count == 1 => {
                doubts.note(error);
                return Ok(());
            }
            // One by one, to lose no more than cannot be read.
            Err(_) => {
                return (0..count)
                    .try_for_each(|at| self.stretch(block.saturating_add(at), 1, doubts));
            }
        };
        let mut at = start;
        for block in bytes.chunks_exact(size.max(1)) {
            let fields = Fields::new(WHAT, at, block);
            self.block(&fields, doubts)?;
            at = at.saturating_add(self.volume.block_size());
        }
        Ok(())
    }

    /// Tells a wrong checksum of a block; it stands in what looks like a last entry. The nodes of
    /// an index have none there: their entries reach over it.
    fn check(&self, fields: &Fields<'_>, at: usize, doubts: &mut Doubts) {
        let has_checksums = self.volume.superblock.features.has_metadata_checksums();
        let Some((entries, tail)) = fields.all().split_at_checked(at) else { return };
        if !has_checksums || tail.len() != TAIL || !tail.starts_with(b"\0\0\0\0\x0c\0\0\xde") {
            return;
        }
        let sum = crc32c::update(self.inode.checksum_seed, entries);
        if !tail.ends_with(&sum.to_le_bytes()) {
            doubts.note(fields.malformed(at, "the right checksum", "another"));
        }
    }

    /// Takes the entries of a block; those after a damaged one are lost.
    fn block(&mut self, fields: &Fields<'_>, doubts: &mut Doubts) -> Result<(), EvidenceError> {
        let mut at = 0_usize;
        while at.saturating_add(HEAD) <= fields.all().len() {
            self.check(fields, at, doubts);
            match self.entry(fields, at) {
                Ok(length) => at = at.saturating_add(length),
                Err(error @ EvidenceError::LimitReached { .. }) => return Err(error),
                Err(error) => {
                    doubts.note(error);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes an entry; returns its length.
    fn entry(&mut self, fields: &Fields<'_>, at: usize) -> Result<usize, EvidenceError> {
        let rest = fields.all().len().saturating_sub(at);
        let length = record_length(fields.le16(at.saturating_add(4))?, fields.all().len());
        if length < HEAD || length > rest || !length.is_multiple_of(4) {
            let need = format!("the length of an entry up to {rest}");
            return Err(fields.malformed(at.saturating_add(4), need, length));
        }
        let inode = u64::from(fields.le32(at)?);
        if inode == 0 {
            return Ok(length);
        }
        let (name_length, kind) = self.name_length_and_kind(fields, at.saturating_add(6))?;
        if name_length.saturating_add(HEAD) > length {
            let need = format!("a name in an entry of {length} bytes");
            return Err(fields.malformed(at.saturating_add(6), need, name_length));
        }
        let name = fields.bytes(at.saturating_add(HEAD), name_length)?;
        if name == b"." || name == b".." {
            return Ok(length);
        }
        if self.found.len() >= MAX_ENTRIES {
            let limit = u64::try_from(MAX_ENTRIES).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "entries of a directory", limit });
        }
        self.found.push(NamedInode { name: name.to_vec(), inode, kind });
        Ok(length)
    }

    /// Old directories have 16 bits for the length, and do not tell the kind.
    fn name_length_and_kind(
        &self,
        fields: &Fields<'_>,
        at: usize,
    ) -> Result<(usize, FileKind), EvidenceError> {
        if !self.volume.superblock.features.has_kinds_in_directories() {
            return Ok((usize::from(fields.le16(at)?), FileKind::Regular));
        }
        // The other four bits are Lustre's.
        let kind = match fields.u8(at.saturating_add(1))? & 0xf {
            2 => FileKind::Directory,
            3 => FileKind::CharacterDevice,
            4 => FileKind::BlockDevice,
            5 => FileKind::Fifo,
            6 => FileKind::Socket,
            7 => FileKind::SymbolicLink,
            _ => FileKind::Regular,
        };
        Ok((usize::from(fields.u8(at)?), kind))
    }
}

/// In blocks of 64 KiB, 16 bits must do for 65,536: the lowest two, which are free, are the highest.
fn record_length(stored: u16, block_size: usize) -> usize {
    let stored = usize::from(stored);
    if block_size < 1 << 16 {
        return stored;
    }
    match stored {
        0 | 0xffff => block_size,
        stored => (stored & 0xfffc) | (stored & 3) << 16,
    }
}
