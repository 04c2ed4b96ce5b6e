//! POSIX access control lists: XFS keeps them as attributes in a form of its own (`struct xfs_acl`),
//! and `getfattr` shows them under `system.` in the form of `<linux/posix_acl_xattr.h>`.

use crate::EvidenceError;
use crate::fields::Fields;

/// The version of the form that is shown.
const SHOWN_VERSION: u32 = 2;
/// Tags of entries for one user and for one group: the only ones with an identifier.
const USER: u32 = 2;
const GROUP: u32 = 8;
/// Bytes of an entry in XFS.
const ENTRY: usize = 12;

/// The name under which a list is shown, if the attribute `name` of the root name space is one.
pub(super) fn shown_name(name: &[u8]) -> Option<&'static [u8]> {
    match name {
        b"SGI_ACL_FILE" => Some(b"system.posix_acl_access"),
        b"SGI_ACL_DEFAULT" => Some(b"system.posix_acl_default"),
        _ => None,
    }
}

/// The list as it is shown.
pub(super) fn shown_value(value: &[u8]) -> Result<Vec<u8>, EvidenceError> {
    let fields = Fields::new("XFS access control list", 0, value);
    let count = usize::try_from(fields.be32(0)?).unwrap_or(usize::MAX);
    let (entries, _) = fields.bytes(4, count.saturating_mul(ENTRY))?.as_chunks::<ENTRY>();
    let mut shown = SHOWN_VERSION.to_le_bytes().to_vec();
    for entry in entries {
        let entry = Fields::new("XFS access control entry", 0, entry);
        let tag = entry.be32(0)?;
        let has_identifier = tag == USER || tag == GROUP;
        let identifier = if has_identifier { entry.be32(4)? } else { u32::MAX };
        let [low, high, ..] = tag.to_le_bytes();
        shown.extend([low, high]);
        shown.extend(entry.be16(8)?.to_le_bytes());
        shown.extend(identifier.to_le_bytes());
    }
    Ok(shown)
}
