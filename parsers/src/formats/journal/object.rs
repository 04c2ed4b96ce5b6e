//! The header of an object: its type, flags and size.

use super::blocks::Blocks;
use std::io;

pub(super) const DATA: u8 = 1;
pub(super) const ENTRY: u8 = 3;
const HIGHEST: u8 = 7;
pub(super) const XZ: u8 = 1;
pub(super) const LZ4: u8 = 2;
pub(super) const ZSTD: u8 = 4;
/// Bytes of an object's header.
pub(super) const HEADER: u64 = 16;

/// An object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) at: u64,
    pub(super) kind: u8,
    pub(super) flags: u8,
    /// All its bytes, with its header.
    pub(super) size: u64,
}

/// What lies at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Object(Object),
    /// Sixteen zeros: room that was made for later objects.
    Nothing,
    /// Bytes that are no object.
    Garbage,
    /// The end of the file.
    End,
}

impl Found {
    /// Looks at an offset; of an object only that its own header is sound.
    pub(super) fn at(blocks: &mut Blocks<'_>, at: u64, is_compact: bool) -> io::Result<Found> {
        let mut header = Vec::with_capacity(16);
        if !blocks.read(at, HEADER, &mut header)? {
            let is_end = at >= blocks.len();
            return Ok(if is_end { Found::End } else { Found::Garbage });
        }
        let (Some([kind, flags, reserved @ ..]), Some(size)) =
            (header.first_chunk::<8>(), le64(&header, 8))
        else {
            return Ok(Found::Garbage);
        };
        if header.iter().all(|byte| *byte == 0) {
            return Ok(Found::Nothing);
        }
        let object = Object { at, kind: *kind, flags: *flags, size };
        let room = blocks.len().saturating_sub(at);
        let is_object = *reserved == [0; 6] && object.is_sound(is_compact) && size <= room;
        Ok(if is_object { Found::Object(object) } else { Found::Garbage })
    }
}

impl Object {
    /// Whether type, flags and size can stand together.
    fn is_sound(&self, is_compact: bool) -> bool {
        let least = match self.kind {
            DATA if is_compact => 72,
            DATA | ENTRY => 64,
            2 => 40,
            6 => 24,
            7 => 64,
            _ => HEADER,
        };
        let flags = if self.kind == DATA {
            [0, XZ, LZ4, ZSTD].contains(&self.flags)
        } else {
            self.flags == 0
        };
        (1..=HIGHEST).contains(&self.kind) && flags && self.size >= least
    }

    /// Where the next object begins: at the next multiple of eight.
    pub(super) fn next(&self) -> u64 {
        self.at.saturating_add(self.size).saturating_add(7) & !7
    }

    /// Offset of what a data object holds, in it.
    pub(super) fn payload(is_compact: bool) -> u64 {
        if is_compact { 72 } else { 64 }
    }
}

/// The little-endian 64-bit number at an offset.
pub(super) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// The little-endian 32-bit number at an offset.
pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}
