//! Extended attributes: in the inode, or in blocks of the attribute fork. `xfs_da_format.h`.

use super::acl;
use super::attribute_leaf;
use super::dinode::{Dinode, Fork, ForkFormat};
use super::volume::Volume;
use crate::doubts::Doubts;
use crate::{EvidenceError, ExtendedAttribute};

/// Bits of the flags of an attribute: which name space it is in, and whether it is one at all.
const ROOT: u8 = 1 << 1;
const SECURE: u8 = 1 << 2;
const PARENT: u8 = 1 << 3;
const INCOMPLETE: u8 = 1 << 7;

/// All extended attributes of a file, named as `getfattr` names them. One that is damaged is noted
/// and left out.
pub(super) fn attributes(
    volume: &Volume,
    file: &Dinode,
    doubts: &mut Doubts,
) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
    let mut found = Vec::new();
    match file.attribute_fork()? {
        Some(fork) if fork.format == ForkFormat::Local => {
            short_form(&fork, &mut found).unwrap_or_else(|error| doubts.note(error));
        }
        Some(fork) => attribute_leaf::attributes(volume, &fork, doubts, &mut found)?,
        None => {}
    }
    Ok(found)
}

/// The attributes in the inode itself.
fn short_form(fork: &Fork<'_>, found: &mut Vec<ExtendedAttribute>) -> Result<(), EvidenceError> {
    let fields = &fork.fields;
    let mut at: usize = 4;
    for _ in 0..fields.u8(2)? {
        let name_length = usize::from(fields.u8(at)?);
        let value_length = usize::from(fields.u8(at.saturating_add(1))?);
        let flags = fields.u8(at.saturating_add(2))?;
        let name_at = at.saturating_add(3);
        let value_at = name_at.saturating_add(name_length);
        let name = fields.bytes(name_at, name_length)?;
        add(flags, name, || Ok(fields.bytes(value_at, value_length)?.to_vec()), found)?;
        at = value_at.saturating_add(value_length);
    }
    Ok(())
}

/// Adds an attribute under its full name. Pointers to parents, and attributes that were being
/// written or removed, are no attributes of the user; their values are not asked for.
pub(super) fn add(
    flags: u8,
    name: &[u8],
    value: impl FnOnce() -> Result<Vec<u8>, EvidenceError>,
    found: &mut Vec<ExtendedAttribute>,
) -> Result<(), EvidenceError> {
    if flags & (PARENT | INCOMPLETE) != 0 {
        return Ok(());
    }
    let value = value()?;
    let space: &[u8] = match flags {
        flags if flags & ROOT != 0 => b"trusted.",
        flags if flags & SECURE != 0 => b"security.",
        _ => b"user.",
    };
    // The kernel shows an access control list under both names.
    if let Some(shown) = acl::shown_name(name).filter(|_| flags & ROOT != 0) {
        let name = shown.to_vec();
        found.push(ExtendedAttribute { name, value: acl::shown_value(&value)? });
    }
    found.push(ExtendedAttribute { name: [space, name].concat(), value });
    Ok(())
}
