//! What an overlay file system writes beside the files of a layer: whiteouts and marks.
//!
//! The kernel's overlayfs writes extended attributes `trusted.overlay.*`, or `user.overlay.*` when it
//! is mounted by an ordinary user; fuse-overlayfs `user.fuseoverlayfs.*` and the others.
//!
//! | attribute | meaning |
//! |---|---|
//! | `opaque` = `y` | nothing of this directory in the layers below is seen |
//! | `opaque` = `x` | the directory may hold whiteouts that are attributes (Linux 6.7) |
//! | `whiteout`, on an empty file in such a directory | the name is deleted |
//! | `redirect` | in the layers below the directory stands elsewhere: `/from/the/root`, or another name beside this one |
//! | `metacopy` | the content is still that of the layer below |
//! | `origin` | this is a copy of a file of the layer below |
//! | `impure` | the directory may hold such copies |
//!
//! A whiteout is a character device 0:0, or an empty file `.wh.<name>` (aufs, layers in archives, and
//! fuse-overlayfs where it may make no devices); `.wh..wh..opq` makes its directory opaque, and other
//! names that begin with `.wh..wh.` are aufs's own.
//!
//! Linux `Documentation/filesystems/overlayfs.rst` and `fs/overlayfs/` of 6.18; fuse-overlayfs 1.14
//! `main.c`; OCI image specification 1.1 `layer.md`.

use dockline_evidence::{DeviceNumber, FileKind, Metadata, Tree, TreePath};

/// Name spaces of the attributes.
const NAME_SPACES: [&[u8]; 3] = [b"trusted.overlay.", b"user.overlay.", b"user.fuseoverlayfs."];
/// What the name of a whiteout that is a file begins with.
const WHITEOUT_PREFIX: &[u8] = b".wh.";
/// The file that makes its directory opaque.
const OPAQUE_FILE: &[u8] = b".wh..wh..opq";
/// What the names of aufs's own files begin with.
const INTERNAL_PREFIX: &[u8] = b".wh..wh.";

/// What overlayfs has noted on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Nothing of this directory in the layers below is seen.
    pub opaque: bool,
    /// The directory may hold whiteouts that are attributes.
    pub holds_whiteouts: bool,
    /// The node stands for a deleted name.
    pub whiteout: bool,
    /// Where the directory stands in the layers below.
    pub redirect: Option<Vec<u8>>,
    /// The content is still that of the layer below.
    pub metacopy: bool,
    /// The node is a copy of one in the layer below.
    pub origin: bool,
    /// The directory may hold such copies.
    pub impure: bool,
    /// Whether the node has any attribute of an overlay file system.
    pub any: bool,
}

impl Marks {
    /// Reads the marks of a node; none where the evidence keeps no attributes.
    #[must_use]
    pub fn of(tree: &dyn Tree, path: &TreePath) -> Marks {
        let mut marks = Marks::default();
        for attribute in tree.extended_attributes(path).unwrap_or_default() {
            let space = NAME_SPACES.iter().find(|space| attribute.name.starts_with(space));
            let name = space.and_then(|space| attribute.name.get(space.len()..));
            marks.any |= name.is_some();
            match (name, attribute.value.as_slice()) {
                (Some(b"opaque"), b"y") => marks.opaque = true,
                (Some(b"opaque"), b"x") => marks.holds_whiteouts = true,
                (Some(b"whiteout"), _) => marks.whiteout = true,
                (Some(b"redirect"), target) => marks.redirect = Some(target.to_vec()),
                (Some(b"metacopy"), _) => marks.metacopy = true,
                (Some(b"origin"), _) => marks.origin = true,
                (Some(b"impure"), b"y") => marks.impure = true,
                _ => {}
            }
        }
        marks
    }
}

/// Whether a node is the character device that stands for a deleted name.
#[must_use]
pub fn is_whiteout(metadata: &Metadata) -> bool {
    metadata.kind == FileKind::CharacterDevice
        && metadata.device == Some(DeviceNumber { major: 0, minor: 0 })
}

/// What a name says of other names in its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedMark<'a> {
    /// This name is deleted.
    Whiteout(&'a [u8]),
    /// The directory is opaque.
    Opaque,
    /// Something of aufs's own.
    Internal,
}

/// Reads a name as a mark; `None` for an ordinary one.
#[must_use]
pub fn named_mark(name: &[u8]) -> Option<NamedMark<'_>> {
    if name == OPAQUE_FILE {
        return Some(NamedMark::Opaque);
    }
    if name.starts_with(INTERNAL_PREFIX) {
        return Some(NamedMark::Internal);
    }
    let deleted = name.strip_prefix(WHITEOUT_PREFIX)?;
    (!deleted.is_empty()).then_some(NamedMark::Whiteout(deleted))
}

/// The name of the file that says that `name` is deleted.
#[must_use]
pub fn whiteout_of(name: &[u8]) -> Vec<u8> {
    [WHITEOUT_PREFIX, name].concat()
}

/// The path of the file that makes a directory opaque.
#[must_use]
pub fn opaque_file(directory: &TreePath) -> Option<TreePath> {
    directory.join(OPAQUE_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_the_mark_that_it_is() {
        assert_eq!(named_mark(b".wh.passwd"), Some(NamedMark::Whiteout(b"passwd")));
        assert_eq!(named_mark(b".wh..hidden"), Some(NamedMark::Whiteout(b".hidden")));
        assert_eq!(named_mark(b".wh..wh..opq"), Some(NamedMark::Opaque));
        assert_eq!(named_mark(b".wh..wh.plnk"), Some(NamedMark::Internal));
        assert_eq!(named_mark(b".wh."), None);
        assert_eq!(named_mark(b"passwd"), None);
        assert_eq!(whiteout_of(b"passwd"), b".wh.passwd");
    }
}
