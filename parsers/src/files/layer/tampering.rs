//! What of a layer is not as it came: its directory, held against the list of its files.

use super::{Node, TAMPERED, Told, below};
use crate::changes::DeletedAt;
use crate::changes::overlay::{self, NamedMark};
use crate::files::file_event::FileEvent;
use crate::formats::tar_split::{Crc64, TarSplit};
use dockline_evidence::read_at::Stream;
use dockline_evidence::{EvidenceError, FileKind, Tree, TreePath, Visible};
use dockline_timeline::Findings;
use std::io::{self, Read};

/// Bytes that are read in one go.
const STRETCH: usize = 1 << 17;

impl Told<'_> {
    /// What differs between a node of the directory and the list.
    pub(super) fn difference(&self, node: &Node<'_>) -> Option<String> {
        let list = self.list?;
        let Ok(came) = list.tree.metadata(node.path) else {
            // The directories on the way to a file need not be in an archive.
            let is_extra = node.metadata.kind != FileKind::Directory && list.cut.is_none();
            return is_extra.then(|| "it did not come with the layer".to_owned());
        };
        let own = node.metadata;
        if own.kind != came.kind {
            return Some(format!("it came as a {}", came.kind.name()));
        }
        if own.kind == FileKind::SymbolicLink {
            let target = list.tree.link_target(node.path).ok()?;
            let is_other = node.tree.link_target(node.place).is_ok_and(|own| own != target);
            return is_other.then(|| format!("it came with the target {}", Visible(&target)));
        }
        if own.kind != FileKind::Regular {
            return None;
        }
        if own.size != came.size {
            return Some(format!("it came with {} bytes, and has {}", came.size, own.size));
        }
        if self.has_other_content(node, list) {
            return Some("its content is not the one that it came with".to_owned());
        }
        let (was, is) = (came.modified?, own.modified?);
        // The beginning of 1970 stands for times that an archive cannot hold.
        let is_other = was.seconds() != is.seconds() && was.seconds() != 0;
        is_other.then(|| format!("it came with the modification time {was}"))
    }

    fn has_other_content(&self, node: &Node<'_>, list: &TarSplit) -> bool {
        let Some(came) = list.checksum(node.path) else { return false };
        let own = node.tree.open(node.place).ok().map(|bytes| checksum(&mut Stream::new(bytes)));
        own.and_then(Result::ok).is_some_and(|own| own != came)
    }

    /// A file of the list that the directory does not have any more.
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

fn checksum(content: &mut dyn Read) -> io::Result<u64> {
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
