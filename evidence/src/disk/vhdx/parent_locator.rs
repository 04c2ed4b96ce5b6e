//! The parent locator ([MS-VHDX] 2.6.2.6): keys and values in UTF-16 that say which file the parent
//! of a differencing disk is, and what state of it the child was made on.

use super::guid::Guid;
use crate::EvidenceError;
use crate::fields::Fields;

const TYPE: Guid = Guid::from_digits(0xb04a_efb7_d19e_4a81_b789_25b8_e944_5913);
const TABLE_HEADER: usize = 20;
const ENTRY: usize = 12;
/// The keys under which the path of the parent can stand, the best first.
const PATHS: [&str; 3] = ["relative_path", "volume_path", "absolute_win32_path"];

/// Who the parent of a differencing disk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParentLocator {
    /// Name of the parent's file, without the directories before it.
    pub(super) file_name: String,
    /// What the data write GUID of the parent may be.
    pub(super) linkages: Vec<Guid>,
}

/// Takes a parent locator apart.
pub(super) fn parse(fields: &Fields<'_>) -> Result<ParentLocator, EvidenceError> {
    let kind = Guid::from_bytes(fields.array(0)?);
    if kind != TYPE {
        return Err(EvidenceError::Unsupported(format!("VHDX parent locator of type {kind}")));
    }
    let mut pairs = Vec::new();
    for index in 0..usize::from(fields.le16(18)?) {
        let at = index.saturating_mul(ENTRY).saturating_add(TABLE_HEADER);
        let entry = fields.part("VHDX parent locator entry", at, ENTRY)?;
        let key = text(fields, entry.le32(0)?, entry.le16(8)?)?;
        // Other keys can have any value; of the same few bytes, hostile entries could make many.
        if PATHS.contains(&key.as_str()) || key.starts_with("parent_linkage") {
            pairs.push((key, text(fields, entry.le32(4)?, entry.le16(10)?)?));
        }
        if pairs.len() > 8 {
            return Err(fields.malformed(18, "each key once", "more"));
        }
    }
    let value = |wanted: &str| pairs.iter().find(|(key, _)| key == wanted).map(|(_, text)| text);
    let path = PATHS.iter().find_map(|key| value(key));
    let path = path.ok_or_else(|| fields.malformed(18, "a path of the parent", "none"))?;
    let file_name = path.rsplit(['\\', '/']).next().unwrap_or_default().to_string();
    let linkages = ["parent_linkage", "parent_linkage2"].iter().filter_map(|key| value(key));
    let linkages = linkages.filter_map(|text| Guid::parse(text)).collect();
    Ok(ParentLocator { file_name, linkages })
}

/// UTF-16 text of `length` bytes.
fn text(fields: &Fields<'_>, at: u32, length: u16) -> Result<String, EvidenceError> {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let (units, _) = fields.bytes(at, usize::from(length))?.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    Ok(String::from_utf16_lossy(&units))
}
