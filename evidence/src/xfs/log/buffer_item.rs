//! Changes of buffers: of the structures that fill blocks of their own. `struct
//! xfs_buf_log_format`.

use super::super::superblock::Superblock;
use super::overlay::Overlay;
use super::transaction::Item;
use crate::EvidenceError;
use crate::fields::{Fields, fill};

/// The buffer is given up: what the log holds of it before must not be replayed.
const CANCEL: u16 = 1 << 1;
/// Inodes, of which only the list of deleted ones is logged in this way; and quotas.
const INODES_OR_QUOTAS: u16 = 0b1_1101;
/// Kinds of buffers on which no file depends: quotas, headers of allocation groups, the superblock,
/// bitmaps of the realtime device.
const OTHER_KINDS: [u16; 9] = [1, 2, 3, 5, 6, 7, 18, 19, 20];
/// Bytes of a buffer that are logged together.
const PIECE: u64 = 128;
/// Sectors of the largest buffer.
const MAX_SECTORS: u64 = 128;
/// Bytes from the start of a buffer in which the sequence number and UUID lie.
const HEAD: usize = 64;

/// The description of a buffer that was changed.
pub(super) struct BufferItem<'a> {
    description: Fields<'a>,
    pieces: &'a [Vec<u8>],
    flags: u16,
    sector: u64,
    sectors: u64,
}

impl<'a> BufferItem<'a> {
    pub(super) fn parse(item: &'a Item) -> Result<BufferItem<'a>, EvidenceError> {
        let description = item.description();
        let sectors = description.le16(6)?.into();
        if sectors > MAX_SECTORS {
            let need = format!("a buffer of at most {MAX_SECTORS} sectors");
            return Err(description.malformed(6, need, sectors));
        }
        Ok(BufferItem {
            flags: description.le16(4)?,
            sector: description.le64(8)?,
            sectors,
            pieces: item.regions.get(1..).unwrap_or_default(),
            description,
        })
    }

    /// What cancelled buffers are known by.
    pub(super) fn key(&self) -> (u64, u64) {
        (self.sector, self.sectors)
    }

    pub(super) fn is_cancel(&self) -> bool {
        self.flags & CANCEL != 0
    }

    /// Whether it holds anything of files.
    pub(super) fn concerns_files(&self) -> bool {
        self.flags & INODES_OR_QUOTAS == 0 && !OTHER_KINDS.contains(&(self.flags >> 11))
    }

    /// Makes the changes, unless the buffer on the disk is newer than they are.
    pub(super) fn apply(
        &self,
        superblock: &Superblock,
        lsn: u64,
        overlay: &mut Overlay,
    ) -> Result<(), EvidenceError> {
        let start = self.sector.saturating_mul(512);
        let mut head = [0; HEAD];
        fill(overlay, "buffer that the XFS log changes", start, &mut head)?;
        if superblock.is_v5 && sequence_number(&head, superblock).is_some_and(|it| it > lsn) {
            return Ok(());
        }
        let mut bit = 0;
        for piece in self.pieces {
            bit = self.next_logged(bit)?;
            let at = bit.saturating_mul(PIECE);
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if at.saturating_add(length) > self.sectors.saturating_mul(512) {
                let need = format!("{length} bytes in {} sectors from {at}", self.sectors);
                return Err(self.description.malformed(6, need, "less"));
            }
            overlay.write(start.saturating_add(at), piece)?;
            bit = bit.saturating_add(length.div_ceil(PIECE));
        }
        Ok(())
    }

    /// The first bit from `bit` on that is set in the map of logged pieces.
    fn next_logged(&self, bit: u64) -> Result<u64, EvidenceError> {
        let words = u64::from(self.description.le32(16)?);
        for next in bit..words.saturating_mul(32).min(MAX_SECTORS.saturating_mul(4)) {
            let word = usize::try_from(next / 32).unwrap_or_default();
            let at = word.saturating_mul(4).saturating_add(20);
            if (self.description.le32(at)? >> (next % 32)) & 1 == 1 {
                return Ok(next);
            }
        }
        Err(self.description.malformed(20, format!("{} pieces", self.pieces.len()), "fewer"))
    }
}

/// When a structure of version 5 was last written to the disk; `None` when it does not say, or is
/// left over from another file system.
fn sequence_number(head: &[u8; HEAD], superblock: &Superblock) -> Option<u64> {
    let fields = Fields::new("XFS buffer", 0, head);
    let (at, uuid_at) = match (&fields.array::<4>(0).ok()?, fields.be16(8).ok()?) {
        (b"BMA3", _) => (32, 40),
        (b"AB3B" | b"AB3C" | b"IAB3" | b"FIB3" | b"RMB3" | b"R3FC", _) => (24, 32),
        (b"XDB3" | b"XDD3" | b"XDF3", _) => (16, 24),
        (b"XSLM", _) => (48, 16),
        (_, 0x3df1 | 0x3dff | 0x3ebe | 0x3bee) => (24, 32),
        _ => return None,
    };
    let is_ours = fields.array(uuid_at).ok()? == superblock.metadata_uuid;
    let number = fields.be64(at).ok()?;
    (is_ours && number != u64::MAX).then_some(number)
}
