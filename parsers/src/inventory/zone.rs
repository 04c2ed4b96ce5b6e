//! The time zone of a Windows host, from the hive of its system.

use super::Claim;
use crate::formats::windows_host::{open_hive, zone};
use crate::formats::windows_zone::WindowsZone;

/// The zone that the first of the hives names, of those that lie nearest to the root of their tree:
/// an older Windows may be kept in a folder.
pub(super) fn read(claims: &[Claim]) -> Option<WindowsZone> {
    let registry = claims.iter().filter(|(parser, _)| *parser == "desktop.registry");
    let files = registry.flat_map(|(_, artifact)| {
        artifact.files.iter().map(move |file| (&artifact.tree, &file.path))
    });
    let is_system =
        |name: Option<&[u8]>| name.is_some_and(|name| name.eq_ignore_ascii_case(b"SYSTEM"));
    let mut hives: Vec<_> = files.filter(|(_, path)| is_system(path.file_name())).collect();
    hives.sort_by_key(|(_, path)| path.components().count());
    hives.into_iter().find_map(|(tree, path)| {
        let hive = open_hive(&**tree, path).ok()?;
        zone(&hive)?.1
    })
}
