//! Values (`vk`) and their data.
//!
//! Data of up to four bytes stands in the value itself, more in a cell, and above 16,344 bytes in
//! several (`db`), from version 1.4 on.

use super::{Flaw, Hive, name, utf16};
use dockline_timeline::IssueKind;

/// Bytes of a value before its name, and of a name that is read at once with them.
const FIXED: usize = 20;
const SHORT_NAME: usize = 64;
/// Most data that is read of one value.
const DATA_LIMIT: usize = 1024 * 1024;
/// Most data that lies in one cell where there are segments.
const SEGMENT: usize = 16_344;
/// Set in the length of data that stands in the value itself.
const INLINE: u32 = 0x8000_0000;

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryValue {
    /// Empty for the default value.
    pub name: String,
    /// `REG_SZ` is 1, `REG_DWORD` 4, and so on.
    pub kind: u32,
    /// The data as it is.
    pub data: Vec<u8>,
    /// Where the value lies in the file.
    pub offset: u64,
}

impl RegistryValue {
    pub(super) fn read(hive: &Hive, at: u32) -> Result<RegistryValue, Flaw> {
        let name = RegistryValue::name_of(hive, at)?;
        let cell = hive.cell(at, FIXED)?;
        let (size, data, kind) = (cell.u32(4)?, cell.u32(8)?, cell.u32(12)?);
        let data = if size & INLINE == 0 {
            read_data(hive, data, size)?
        } else {
            let length = usize::try_from(size & !INLINE).unwrap_or(usize::MAX);
            data.to_le_bytes().get(..length).ok_or_else(|| cell.short())?.to_vec()
        };
        Ok(RegistryValue { name, kind, data, offset: cell.offset })
    }

    /// The name alone: of most values nothing else is asked for.
    pub(super) fn name_of(hive: &Hive, at: u32) -> Result<String, Flaw> {
        let cell = hive.cell(at, FIXED.saturating_add(SHORT_NAME))?;
        if !cell.bytes.starts_with(b"vk") {
            return Err(Flaw::malformed(cell.offset, "no value where one should be"));
        }
        let (length, in_one_byte) = (usize::from(cell.u16(2)?), cell.u16(16)? & 1 != 0);
        if length <= SHORT_NAME {
            return Ok(name(cell.slice(FIXED, length)?, in_one_byte));
        }
        let cell = hive.cell(at, FIXED.saturating_add(length))?;
        Ok(name(cell.slice(FIXED, length)?, in_one_byte))
    }

    /// Its text (`REG_SZ`, `REG_EXPAND_SZ`), up to the first NUL.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        matches!(self.kind, 1 | 2).then(|| utf16(&self.data))
    }

    /// Its number (`REG_DWORD` in both byte orders, `REG_QWORD`).
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self.kind {
            4 => Some(u64::from(u32::from_le_bytes(*self.data.first_chunk()?))),
            5 => Some(u64::from(u32::from_be_bytes(*self.data.first_chunk()?))),
            11 => Some(u64::from_le_bytes(*self.data.first_chunk()?)),
            _ => None,
        }
    }
}

fn read_data(hive: &Hive, data: u32, size: u32) -> Result<Vec<u8>, Flaw> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size == 0 {
        return Ok(Vec::new());
    }
    if size > DATA_LIMIT {
        let offset = super::BASE_BLOCK.saturating_add(u64::from(data));
        let what = format!("a value of {size} bytes: more than {DATA_LIMIT} are not read");
        return Err(Flaw { kind: IssueKind::LimitReached, offset, what });
    }
    let cell = hive.cell(data, size.min(SEGMENT))?;
    if size > SEGMENT && cell.bytes.starts_with(b"db") {
        return segments(hive, &cell, size);
    }
    let cell = hive.cell(data, size)?;
    Ok(cell.slice(0, size)?.to_vec())
}

fn segments(hive: &Hive, head: &super::Cell, size: usize) -> Result<Vec<u8>, Flaw> {
    let (count, list) = (usize::from(head.u16(2)?), head.u32(4)?);
    if count != size.div_ceil(SEGMENT) {
        return Err(Flaw::malformed(head.offset, format!("{count} segments of {size} bytes")));
    }
    let list = hive.cell(list, count.saturating_mul(4))?;
    let mut data = Vec::new();
    for number in 0..count {
        let segment = list.u32(number.saturating_mul(4))?;
        let length = size.saturating_sub(data.len()).min(SEGMENT);
        data.extend_from_slice(hive.cell(segment, length)?.slice(0, length)?);
    }
    Ok(data)
}
