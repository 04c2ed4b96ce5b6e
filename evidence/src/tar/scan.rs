//! The pass over an archive that fills its index, and the issues it comes upon.
//!
//! Where a header should be and is not, the search goes on block by block for the next one. It can
//! then find a header inside the content of the lost member, if that was an archive itself.

use super::blocks::Blocks;
use super::header::is_header;
use super::index::{Index, NodeId, Placed};
use super::member::{self, Found, Member, Role};
use super::pax::Extended;
use crate::walk::MAX_DEPTH;
use crate::{EvidenceError, FileKind, TreePath};
use dockline_timeline::{Issue, IssueKind, Place, Position};
use std::sync::Arc;

/// Bytes read at once: an archive of small files costs few reads, and one of large files little.
const WINDOW: usize = 1 << 14;
/// Bytes read at once for a hard link that is read again.
const PENDING_WINDOW: usize = 2048;
/// Bytes without a header that are passed over in one archive in search of the next one.
pub const MAX_PASSED_OVER: u64 = 1 << 36;
/// How many bytes may be read for each byte of an archive, beyond [`SPARE_READS`]. One is enough for
/// an archive in order; headers that claim what other headers claim too cost more.
pub const MAX_READS: u64 = 4;
/// Bytes that may be read of any archive in search of its members.
pub const SPARE_READS: u64 = 1 << 26;
/// Issues of one archive that are told one by one; the others are counted.
pub const MAX_ISSUES: usize = 1_000;
/// Bytes of records that all global headers of an archive may hold together, each at least 64.
pub const MAX_GLOBAL_RECORDS: u64 = 1 << 12;
/// Bytes of the path of a member.
pub const MAX_PATH: usize = 1 << 15;

/// A hard link that came before what it links to: the offset of its member, and how many states of
/// the global records there were. The rest is read again, so that any number of them stays small.
struct Pending {
    member: u64,
    globals: usize,
}

/// The pass over an archive.
pub(super) struct Scan {
    blocks: Blocks,
    evidence: Arc<str>,
    index: Index,
    issues: Vec<Issue>,
    untold_issues: u64,
    absolute_names: u64,
    /// The content of the last member is not all there, which has been told.
    is_cut: bool,
    pending: Vec<Pending>,
    globals: Extended,
    global_bytes: u64,
    passed_over: u64,
}

/// Fills the index of the archive.
pub(super) fn scan(blocks_of: &Arc<dyn crate::ReadAt>, evidence: &str) -> (Index, Vec<Issue>) {
    let mut scan = Scan {
        blocks: Blocks::new(blocks_of.clone(), WINDOW),
        evidence: Arc::from(evidence),
        index: Index::new(),
        issues: Vec::new(),
        untold_issues: 0,
        absolute_names: 0,
        is_cut: false,
        pending: Vec::new(),
        globals: Extended::default(),
        global_bytes: 0,
        passed_over: 0,
    };
    scan.members();
    scan.pending_links();
    scan.summaries();
    (scan.index, scan.issues)
}

impl Scan {
    fn members(&mut self) {
        let mut at = 0;
        let mut is_ended = false;
        loop {
            match member::read(&mut self.blocks, at, &self.globals) {
                Ok(Found::Member(member)) => {
                    is_ended = false;
                    let next = member.next;
                    if let Err(error) = self.member(*member, at) {
                        return self.unreadable(at, &error);
                    }
                    at = next;
                }
                Ok(Found::Global { body, body_at, next }) => {
                    self.global(&body, body_at);
                    at = next;
                }
                Ok(Found::Zeros) => {
                    is_ended = true;
                    at = at.saturating_add(512);
                    self.passed_over = self.passed_over.saturating_add(512);
                }
                Ok(Found::End) => return self.end(at, is_ended),
                Err(error @ EvidenceError::Io(_)) => return self.unreadable(at, &error),
                Err(error) => match self.next_header(at, &error) {
                    Ok(next) => at = next,
                    Err(error) => return self.unreadable(at, &error),
                },
            }
            if let Some(error) = self.reached_limit() {
                return self.unreadable(at, &error);
            }
        }
    }

    fn reached_limit(&self) -> Option<EvidenceError> {
        if self.passed_over > MAX_PASSED_OVER {
            let what = "bytes without a tar header";
            return Some(EvidenceError::LimitReached { what, limit: MAX_PASSED_OVER });
        }
        let limit = self.blocks.size().saturating_mul(MAX_READS).saturating_add(SPARE_READS);
        let what = "bytes read in search of the members of an archive";
        (self.blocks.fetched() > limit).then_some(EvidenceError::LimitReached { what, limit })
    }

    /// Searches for a header after the one at `at`, which could not be read.
    fn next_header(&mut self, at: u64, error: &EvidenceError) -> Result<u64, EvidenceError> {
        let mut next = at;
        loop {
            next = next.saturating_add(512);
            self.passed_over = self.passed_over.saturating_add(512);
            match self.blocks.block(next)? {
                Some(block) if is_header(&block) => break,
                Some(_) if self.passed_over <= MAX_PASSED_OVER => {}
                _ => break,
            }
        }
        let end = next.min(self.blocks.size());
        let skipped = end.saturating_sub(at);
        let what = format!("{error}; {skipped} bytes passed over to offset {end}");
        let issue = Issue::new(error.issue_kind(), self.place(at, None), what);
        self.add_issue(issue.losing(1, skipped));
        Ok(next)
    }

    /// There is no reading on, because of the system or of a limit: what follows is lost.
    fn unreadable(&mut self, at: u64, error: &EvidenceError) {
        let rest = self.blocks.size().saturating_sub(at);
        let what = format!("{error}; the {rest} bytes from here on are not read");
        let issue = Issue::new(error.issue_kind(), self.place(at, None), what);
        self.add_issue(issue.losing(0, rest));
    }

    fn end(&mut self, at: u64, is_ended: bool) {
        let size = self.blocks.size();
        let rest = size.saturating_sub(at);
        if rest > 0 {
            let what = format!("archive ends inside a block, of which it has {rest} bytes");
            let issue =
                Issue::new(IssueKind::Malformed, self.place(at, None), what).losing(0, rest);
            self.add_issue(issue);
        } else if !is_ended && !self.is_cut {
            let what = "archive ends without a block of zeros, so its end may be missing";
            self.add_issue(Issue::new(IssueKind::Malformed, self.place(size, None), what));
        }
    }

    fn global(&mut self, body: &[u8], at: u64) {
        self.global_bytes = self.global_bytes.saturating_add(crate::ReadAt::len(body).max(64));
        if self.global_bytes > MAX_GLOBAL_RECORDS {
            let what = "bytes of global extended headers";
            let error = EvidenceError::LimitReached { what, limit: MAX_GLOBAL_RECORDS };
            return self.issue(at, None, &error);
        }
        if let Err(error) = self.globals.apply(body, at) {
            self.issue(at, None, &error);
        }
        self.index.globals.push(self.globals.clone());
    }

    /// An error ends the pass.
    fn member(&mut self, member: Member, at: u64) -> Result<(), EvidenceError> {
        let path = self.path(&member, at);
        for complaint in &member.complaints {
            self.issue(at, path.as_ref(), complaint);
        }
        self.check_content(&member, at, path.as_ref());
        let Some(path) = path else { return Ok(()) };
        let placed = match member.role {
            Role::Aside => return Ok(()),
            Role::Node(kind) => self.index.add(&path, kind, at)?,
            Role::HardLink => self.hard_link(&path, &member, at)?,
        };
        if placed == Placed::Replaced {
            let what = "replaces an earlier member of this name, or one where a directory must be";
            self.add_issue(Issue::new(IssueKind::Malformed, self.place(at, Some(&path)), what));
        }
        Ok(())
    }

    /// The path of a member in the tree; `None`, and an issue, when it cannot be in it.
    fn path(&mut self, member: &Member, at: u64) -> Option<TreePath> {
        if member.role == Role::Aside {
            return None;
        }
        if member.path.starts_with(b"/") {
            self.absolute_names = self.absolute_names.saturating_add(1);
        }
        if let Some(path) = tree_path(member) {
            return Some(path);
        }
        let what = format!(
            "member \"{}\" is not in the tree: its name is empty, holds `..` or a NUL, is longer \
             than {MAX_PATH} bytes, or has more than {MAX_DEPTH} directories",
            excerpt(&member.path),
        );
        self.add_issue(Issue::new(IssueKind::Malformed, self.place(at, None), what).losing(1, 0));
        None
    }

    fn check_content(&mut self, member: &Member, at: u64, path: Option<&TreePath>) {
        let missing = member.missing(self.blocks.size());
        if missing > 0 {
            self.is_cut = true;
            let what = format!("archive ends {missing} bytes before the content of this member");
            let issue = Issue::new(IssueKind::Malformed, self.place(at, path), what);
            self.add_issue(issue.losing(0, missing));
        }
        if member.is_sparse()
            && let Err(error) = member.open(&mut self.blocks)
        {
            self.issue(at, path, &error);
        }
    }

    /// Gives the name of the link to the node of its target. Where there is none yet, a node with
    /// what the link itself says stands in its place.
    fn hard_link(
        &mut self,
        path: &TreePath,
        member: &Member,
        at: u64,
    ) -> Result<Placed, EvidenceError> {
        if let Some(id) = self.link_target(&member.link) {
            return self.index.name(path, id);
        }
        self.pending.push(Pending { member: at, globals: self.index.globals.len() });
        self.index.add(path, FileKind::Regular, at)
    }

    /// The node that a hard link names; directories have no hard links, else a tree had loops.
    fn link_target(&self, target: &[u8]) -> Option<NodeId> {
        let id = self.index.find(&TreePath::parse(target)?)?;
        self.index.node(id).filter(|node| node.kind != FileKind::Directory).map(|_| id)
    }

    /// The links whose targets came later. From the last to the first, since a target can be such a
    /// link itself.
    fn pending_links(&mut self) {
        self.blocks = Blocks::new(self.blocks.bytes().clone(), PENDING_WINDOW);
        for pending in std::mem::take(&mut self.pending).into_iter().rev() {
            let globals = self.index.globals.get(pending.globals.saturating_sub(1));
            let found = member::read(
                &mut self.blocks,
                pending.member,
                &globals.cloned().unwrap_or_default(),
            );
            if let Ok(Found::Member(link)) = found
                && let Some(path) = tree_path(&link)
            {
                self.pending_link(&link, &path, pending.member);
            }
        }
    }

    fn pending_link(&mut self, link: &Member, path: &TreePath, at: u64) {
        let is_still_there =
            |id: &NodeId| self.index.node(*id).is_some_and(|node| node.member == Some(at));
        let Some(own) = self.index.find(path).filter(is_still_there) else { return };
        let target = self.link_target(&link.link).filter(|target| *target != own);
        let named = target.map(|target| self.index.name(path, target));
        if named.is_none_or(|named| named.is_err()) {
            let target = excerpt(&link.link);
            let what = format!("hard link to \"{target}\", which is no member of the archive");
            self.add_issue(Issue::new(IssueKind::Malformed, self.place(at, Some(path)), what));
        }
    }

    fn summaries(&mut self) {
        let whole = Place::evidence(&self.evidence);
        if self.absolute_names > 0 {
            let count = self.absolute_names;
            let what = format!("{count} members have absolute names, taken below the root");
            self.issues.push(Issue::new(IssueKind::Malformed, whole.clone(), what));
        }
        if self.untold_issues > 0 {
            let what = format!("{} more issues of this archive", self.untold_issues);
            self.issues.push(Issue::new(IssueKind::LimitReached, whole, what));
        }
    }

    /// The offset in the archive of a member's header, and the path of the member if it has one.
    fn place(&self, at: u64, path: Option<&TreePath>) -> Place {
        let evidence = self.evidence.clone();
        let path = path.map(TreePath::to_string).unwrap_or_default();
        Place { evidence, path: Arc::from(path), position: Position::Offset(at) }
    }

    fn issue(&mut self, at: u64, path: Option<&TreePath>, error: &EvidenceError) {
        let place = self.place(at, path);
        self.add_issue(Issue::new(error.issue_kind(), place, error.to_string()));
    }

    fn add_issue(&mut self, issue: Issue) {
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(issue);
        } else {
            self.untold_issues = self.untold_issues.saturating_add(1);
        }
    }
}

/// The path of a member in the tree, if it can be in it.
fn tree_path(member: &Member) -> Option<TreePath> {
    if member.path.is_empty() || member.path.len() > MAX_PATH {
        return None;
    }
    TreePath::parse(&member.path).filter(|path| path.components().count() <= MAX_DEPTH)
}

/// The beginning of what an archive says, for a person to read.
fn excerpt(bytes: &[u8]) -> impl std::fmt::Display {
    bytes.get(..bytes.len().min(256)).unwrap_or_default().escape_ascii()
}
