//! What a layer hides of those below it: whiteouts and opaque directories, in each of their forms.

use super::{FileEvent, Node, Told};
use crate::changes::DeletedAt;
use crate::changes::overlay::{Marks, NamedMark, is_whiteout, named_mark, whiteout_of};
use crate::formats::image_config::is_fixed_date;
use crate::inventory::Style;
use dockline_evidence::{FileKind, Metadata, Tree, TreePath};
use dockline_timeline::{Findings, Instant, Origin};

/// What a node hides.
pub(super) enum Hides {
    /// This name.
    Name(TreePath),
    /// All that the layers below have in this directory.
    Below(TreePath),
    /// Nothing: something of aufs's own, which is no file of the layer either.
    Nothing,
}

impl Hides {
    /// What a node of a directory of the layer hides, if that is what it is there for.
    pub(super) fn of_node(node: &Node<'_>, style: Style) -> Option<Hides> {
        let is_empty = node.metadata.kind == FileKind::Regular && node.metadata.size == 0;
        if is_whiteout(node.metadata) || (is_empty && Marks::of(node.tree, node.place).whiteout) {
            return Some(Hides::Name(node.path.clone()));
        }
        if style == Style::NamedWhiteouts { Hides::of_name(node.path) } else { None }
    }

    /// What a directory hides although it holds files of its own.
    pub(super) fn of_directory(node: &Node<'_>) -> Option<Hides> {
        let is_opaque =
            node.metadata.kind == FileKind::Directory && Marks::of(node.tree, node.place).opaque;
        is_opaque.then(|| Hides::Below(node.path.clone()))
    }

    /// What a name in an archive hides.
    pub(super) fn of_name(path: &TreePath) -> Option<Hides> {
        let parent = path.parent()?;
        Some(match named_mark(path.file_name()?)? {
            NamedMark::Whiteout(name) => Hides::Name(parent.join(name)?),
            NamedMark::Opaque => Hides::Below(parent),
            NamedMark::Internal => Hides::Nothing,
        })
    }
}

/// Of a mark itself nothing is worth a word.
const NOTHING: Metadata = Metadata::unknown(FileKind::CharacterDevice);

impl Told<'_> {
    /// Something that the layer hides.
    pub(super) fn hidden(
        &self,
        (node, origin): (&Node<'_>, &Origin),
        hides: &Hides,
        findings: &mut dyn Findings,
    ) {
        let (path, what) = match hides {
            Hides::Name(path) => (path.to_string(), format!("{path} of those below")),
            Hides::Below(path) => {
                (path.to_string(), format!("all that those below have in {path}"))
            }
            Hides::Nothing => return,
        };
        findings.records(&self.file.origin, 1, 0);
        let text = format!("layer {} hides {what}", self.short());
        let Some((at, deleted)) = self.hidden_at(node, hides) else {
            return self.timeless(origin, &text, findings);
        };
        let tags: &[&'static str] = if is_fixed_date(at) { &["not-wall-clock"] } else { &[] };
        let event = self.event((origin, &path), (&text, "delete"), &NOTHING);
        FileEvent { tags, ..event }.tell_deletion(deleted, findings);
    }

    /// When it was hidden: the mark of a list or an archive kept its time, one in a directory has the
    /// time at which the layer was unpacked, or at which its last mark was made. Docker gives no time
    /// to the mark of an opaque directory, which was made before it was last changed.
    fn hidden_at(&self, node: &Node<'_>, hides: &Hides) -> Option<(Instant, DeletedAt)> {
        let is_told = |at: &Instant| !is_fixed_date(*at);
        if let Some(at) = self.hidden_in_list(hides).filter(is_told) {
            return Some((at, DeletedAt::Exactly(at)));
        }
        let own = node.metadata;
        let is_mark = Hides::of_name(node.path).is_some();
        if let Some(at) = own.modified.filter(|at| is_mark && is_told(at)) {
            return Some((at, DeletedAt::Exactly(at)));
        }
        let directory = match own.kind {
            FileKind::Directory => own.born.or(own.modified),
            _ if is_mark => node.tree.metadata(&node.place.parent()?).ok()?.modified,
            _ => own.modified,
        };
        let at = directory.or(own.modified)?;
        Some((at, DeletedAt::AtLatest(at)))
    }

    fn hidden_in_list(&self, hides: &Hides) -> Option<Instant> {
        let mark = match hides {
            Hides::Name(path) => path.parent()?.join(&whiteout_of(path.file_name()?))?,
            Hides::Below(path) => path.join(b".wh..wh..opq")?,
            Hides::Nothing => return None,
        };
        // containerd gives the marks of an archive the time at which it wrote that.
        self.came?.list.as_ref()?.tree.metadata(&mark).ok()?.modified
    }
}
