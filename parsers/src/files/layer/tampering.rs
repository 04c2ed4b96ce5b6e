//! What of a layer is not as it came: its directory, held against the list of its files, or against the
//! archive from which it was unpacked.
//!
//! Modes and owners are compared with an archive alone: what else keeps lists may keep other modes on
//! the host, and other owners. Owners not where the directory of the layer is not root's: an engine
//! without root, or with remapped users, has others, and so has a copy.

use super::opened::Came;
use super::{Node, TAMPERED, Told, below};
use crate::changes::overlay::{self, NamedMark};
use crate::changes::{DeletedAt, compare};
use crate::files::file_event::FileEvent;
use crate::formats::tar_split::Crc64;
use dockline_evidence::read_at::Stream;
use dockline_evidence::{EvidenceError, FileKind, Metadata, TreePath, Visible};
use dockline_timeline::Findings;
use std::io::{self, Read};

/// Bytes that are read in one go.
const STRETCH: usize = 1 << 17;
/// What a mode says of rights.
const RIGHTS: u32 = 0o7777;

impl Told<'_> {
    /// What differs between a node of the directory and how it came.
    pub(super) fn difference(&self, node: &Node<'_>) -> Option<String> {
        let came = self.came?;
        let Ok(was) = came.tree.metadata(node.path) else {
            // The directories on the way to a file need not be in an archive.
            let is_extra = node.metadata.kind != FileKind::Directory && !came.is_cut;
            return is_extra.then(|| "it did not come with the layer".to_owned());
        };
        let own = node.metadata;
        if own.kind != was.kind {
            return Some(format!("it came as a {}", was.kind.name()));
        }
        match own.kind {
            FileKind::SymbolicLink => other_target(node, came),
            FileKind::Regular => other_content(node, came, &was)
                .or_else(|| self.other_rights(own, &was))
                .or_else(|| other_time(own, &was)),
            _ => self.other_rights(own, &was),
        }
    }

    fn other_rights(&self, own: &Metadata, was: &Metadata) -> Option<String> {
        self.came.filter(|came| came.list.is_none())?;
        let (mode, old) = (own.mode? & RIGHTS, was.mode? & RIGHTS);
        if mode != old {
            return Some(format!("it came with the mode {old:o}, and has {mode:o}"));
        }
        let (uid, gid) = (own.uid?, own.gid?);
        let (old_uid, old_gid) = (was.uid?, was.gid?);
        let is_other = (uid, gid) != (old_uid, old_gid) && self.is_of_root();
        is_other.then(|| format!("it came with the owner {old_uid}:{old_gid}, and has {uid}:{gid}"))
    }

    fn is_of_root(&self) -> bool {
        let directory = self.layer.directory.as_ref();
        let metadata = directory.and_then(|path| self.layer.tree.metadata(path).ok());
        metadata.is_some_and(|metadata| metadata.uid == Some(0))
    }

    /// A file that came, and that the directory does not have any more.
    pub(super) fn missing(
        &self,
        node: &Node<'_>,
        directory: &TreePath,
        findings: &mut dyn Findings,
    ) {
        let name = node.path.file_name().unwrap_or_default();
        let (path, kind) = match overlay::named_mark(name) {
            Some(NamedMark::Whiteout(hidden)) => {
                let parent = node.path.parent().unwrap_or_else(TreePath::root);
                (parent.join(hidden), "whiteout")
            }
            Some(_) => return,
            None => (Some(node.path.clone()), node.metadata.kind.name()),
        };
        let Some(place) = path.as_ref().and_then(|path| below(directory, path)) else { return };
        let own_name = || node.path.file_name().and_then(|name| place.parent()?.join(name));
        let is_there = |place: &TreePath| {
            !matches!(self.layer.tree.metadata(place), Err(EvidenceError::NotFound))
        };
        if is_there(&place) || own_name().is_some_and(|place| is_there(&place)) {
            return;
        }
        findings.records(&self.file.origin, 1, 0);
        let shown = path.unwrap_or_else(TreePath::root).to_string();
        let text = format!(
            "{kind} of layer {} deleted on the host, at the latest now: {shown}",
            self.short()
        );
        let origin = self.file.origin_of(&place);
        let parent = place.parent().and_then(|parent| self.layer.tree.metadata(&parent).ok());
        let Some(at) = parent.and_then(|parent| parent.changed.or(parent.modified)) else {
            return self.timeless(&origin, &text, findings);
        };
        let event = self.event((&origin, &shown), (&text, "delete"), node.metadata);
        FileEvent { tags: &[TAMPERED], ..event }.tell_deletion(DeletedAt::AtLatest(at), findings);
    }
}

fn other_target(node: &Node<'_>, came: &Came) -> Option<String> {
    let target = came.tree.link_target(node.path).ok()?;
    let is_other = node.tree.link_target(node.place).is_ok_and(|own| own != target);
    is_other.then(|| format!("it came with the target {}", Visible(&target)))
}

fn other_content(node: &Node<'_>, came: &Came, was: &Metadata) -> Option<String> {
    let own = node.metadata;
    if own.size != was.size {
        return Some(format!("it came with {} bytes, and has {}", was.size, own.size));
    }
    let own = node.tree.open(node.place).ok()?;
    let is_same = match &came.list {
        Some(list) => {
            let checksum = list.checksum(node.path)?;
            checksum_of(&mut Stream::new(own)).ok()? == checksum
        }
        // Whoever can change a file can give it the checksum that it had.
        None => compare::is_same(own, came.tree.open(node.path).ok()?).ok()?,
    };
    (!is_same).then(|| "its content is not the one that it came with".to_owned())
}

fn other_time(own: &Metadata, was: &Metadata) -> Option<String> {
    let (was, is) = (was.modified?, own.modified?);
    // The beginning of 1970 stands for times that an archive cannot hold.
    let is_other = was.seconds() != is.seconds() && was.seconds() != 0;
    is_other.then(|| format!("it came with the modification time {was}"))
}

fn checksum_of(content: &mut dyn Read) -> io::Result<u64> {
    let mut crc = Crc64::default();
    let mut buffer = vec![0; STRETCH];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(crc.finish()),
            Ok(count) => crc.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_evidence::read_at::read_up_to;
    use dockline_evidence::{MemoryTree, Tree};
    use std::sync::Arc;

    #[test]
    fn a_content_that_was_given_the_checksum_of_another_is_seen_where_the_archive_is() {
        // The generator of the checksum itself, least significant bit first: to add it changes none.
        let generator = [1, 0, 0, 0, 0, 0, 0, 0xb0, 1];
        let (came_with, mut has) = (b"as it came".to_vec(), b"as it came".to_vec());
        has.iter_mut().zip(generator).for_each(|(byte, change)| *byte ^= change);
        let sum = |content: &Vec<u8>| checksum_of(&mut content.as_slice()).unwrap();
        assert_eq!((sum(&came_with), came_with == has), (sum(&has), false));
        let (path, own) =
            (TreePath::parse(b"f").unwrap(), MemoryTree::new().with_file("f", has, None));
        let metadata = own.metadata(&path).unwrap();
        let node = Node { path: &path, place: &path, tree: &own, metadata: &metadata };
        let told = |content: Vec<u8>| {
            let tree = MemoryTree::new().with_file("f", content, None);
            let was = tree.metadata(&path).unwrap();
            other_content(&node, &Came { tree: Arc::new(tree), list: None, is_cut: false }, &was)
        };
        let own_again = own.open(&path).and_then(|own| Ok(read_up_to(&*own, 10)?.0)).unwrap();
        assert_eq!(told(came_with).unwrap(), "its content is not the one that it came with");
        assert_eq!(told(own_again), None);
        assert_eq!(told(b"x".to_vec()).unwrap(), "it came with 1 bytes, and has 10");
    }
}
