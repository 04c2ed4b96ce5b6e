//! A zip archive as evidence: stored and deflated members, zip64, read in place and never unpacked.
//!
//! Format: PKWARE APPNOTE 6.3.10; the extra fields of Info-ZIP (`UT`, times in UTC) and of NTFS.
//! Written by collectors of diagnostics, such as Docker Desktop's, and by people. What an archive
//! holds is what its central directory says; a member is found through it, checked against its
//! local header, inflated into the spool when it is opened, and checked against its CRC-32.
//!
//! Times are local times of the host that wrote the archive, in steps of two seconds, unless an
//! extra field has them in UTC. The offset of that host's zone follows from members that have both,
//! or from the name of the archive, where that is a stamp in UTC (`20220709060409.zip`), as
//! collectors name theirs: the earliest member was written when the collection began. Where neither
//! is so, local times are taken as UTC, and an issue says so. The time as it was written is the
//! extended attribute `zip.local_time` of each member.
//!
//! Of several members with one name the last wins. Not read: archives in several parts, encrypted
//! members, methods other than store and deflate; AFF4 images, which are zip archives, are refused
//! by name. An archive without its end, where the central directory lies, cannot be read.

mod content;
mod directory;
mod index;
mod member;
#[cfg(test)]
mod tests;
mod time;

use crate::{
    Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, Spool, Tree, TreePath,
};
use dockline_timeline::{Issue, IssueKind, Place};
use index::Index;
use member::Member;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Longest target of a symbolic link.
const MAX_TARGET: u64 = 4_096;
/// Members of which it is remembered what was wrong with their content.
const MAX_DAMAGED: usize = 10_000;
/// What an AFF4 image holds at its root.
const AFF4: &[&[u8]] = &[b"container.description", b"information.turtle"];

/// The tree that a zip archive holds.
pub struct ZipTree {
    bytes: Arc<dyn ReadAt>,
    spool: Spool,
    index: Index,
    /// Seconds that the clock of the host was east of UTC.
    offset: i64,
    /// What was wrong with the content of members when they were opened, by their place.
    damage: Mutex<BTreeMap<u64, Vec<EvidenceError>>>,
}

impl ZipTree {
    /// Reads the central directory once; `evidence` is the archive's name in the places of issues.
    /// What is wrong with single members is an issue, and the tree holds the rest.
    ///
    /// # Errors
    /// When there is no central directory, or the archive is of a kind that is not read.
    pub fn open(
        bytes: Arc<dyn ReadAt>,
        evidence: &str,
        spool: &Spool,
    ) -> Result<(ZipTree, Vec<Issue>), EvidenceError> {
        let (members, flaws) = directory::members(&bytes)?;
        let mut issues: Vec<Issue> = flaws.iter().map(|flaw| issue(evidence, flaw)).collect();
        let offset = time::offset(&members, evidence).unwrap_or_else(|| {
            if members.iter().any(|member| member.utc.is_none() && member.local.is_some()) {
                let what = "times of members are local times of an unknown zone, taken as UTC";
                let kind = IssueKind::Unsupported;
                issues.push(Issue::new(kind, Place::evidence(evidence), what));
            }
            0
        });
        let (index, flaws) = Index::of(members);
        issues.extend(flaws.iter().map(|flaw| issue(evidence, flaw)));
        if AFF4
            .iter()
            .any(|name| TreePath::parse(name).is_some_and(|path| index.node(&path).is_some()))
        {
            return Err(EvidenceError::Unsupported("an AFF4 disk image".to_owned()));
        }
        let (spool, damage) = (spool.clone(), Mutex::new(BTreeMap::new()));
        Ok((ZipTree { bytes, spool, index, offset, damage }, issues))
    }

    fn kind(&self, path: &TreePath) -> Result<FileKind, EvidenceError> {
        Ok(self.index.node(path).ok_or(EvidenceError::NotFound)?.0)
    }

    /// The member of a path, which is of this kind.
    fn member(&self, path: &TreePath, wanted: FileKind) -> Result<&Member, EvidenceError> {
        let (kind, member) = self.index.node(path).ok_or(EvidenceError::NotFound)?;
        if kind != wanted {
            return Err(EvidenceError::WrongKind { wanted: wanted.name(), found: kind.name() });
        }
        member.ok_or(EvidenceError::NotFound)
    }

    fn content(&self, member: &Member) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let content = content::open(&self.bytes, member, &self.spool)?;
        // A poisoned lock holds what another thread had told: nothing is half done here.
        let mut damage = self.damage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !content.damage.is_empty() && damage.len() < MAX_DAMAGED {
            damage.insert(member.at, content.damage);
        }
        Ok(content.bytes)
    }
}

fn issue(evidence: &str, flaw: &EvidenceError) -> Issue {
    Issue::new(flaw.issue_kind(), Place::evidence(evidence), flaw.to_string())
}

impl Tree for ZipTree {
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        match self.kind(directory)? {
            FileKind::Directory => Ok(self.index.list(directory)),
            found => Err(EvidenceError::WrongKind {
                wanted: FileKind::Directory.name(),
                found: found.name(),
            }),
        }
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        let (kind, member) = self.index.node(path).ok_or(EvidenceError::NotFound)?;
        let Some(member) = member else { return Ok(Metadata::unknown(kind)) };
        Ok(Metadata {
            mode: member.mode,
            size: if kind == FileKind::Regular { member.size } else { 0 },
            modified: member.modified(self.offset),
            ..Metadata::unknown(kind)
        })
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        self.content(self.member(path, FileKind::Regular)?)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        let content = self.content(self.member(path, FileKind::SymbolicLink)?)?;
        let (target, is_longer) = crate::read_at::read_up_to(&content, MAX_TARGET)?;
        if is_longer {
            let what = "bytes of the target of a link";
            return Err(EvidenceError::LimitReached { what, limit: MAX_TARGET });
        }
        Ok(target)
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let (_, member) = self.index.node(path).ok_or(EvidenceError::NotFound)?;
        let local = member.and_then(|member| member.local).map(|local| {
            let text = local.to_string();
            let value = text.split('.').next().unwrap_or_default().as_bytes().to_vec();
            ExtendedAttribute { name: b"zip.local_time".to_vec(), value }
        });
        Ok(local.into_iter().collect())
    }

    fn damage(&self, path: &TreePath) -> Vec<EvidenceError> {
        let Some((_, Some(member))) = self.index.node(path) else { return Vec::new() };
        let damage = self.damage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        damage.get(&member.at).cloned().unwrap_or_default()
    }
}
