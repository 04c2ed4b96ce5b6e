//! Recovery: which blocks of the volume have a newer version in the journal, and where.
//!
//! Transactions are taken one after the other from the start that the superblock names, for as long
//! as each is whole and has the number that follows. A transaction without its commit block never
//! happened, which is how every journal ends. A revocation removes what its own transaction and
//! those before it wrote to a block, so that what was freed and used anew is not overwritten; what
//! later transactions write to it stands.

use super::checksum;
use super::overlay::Journaled;
use super::superblock::{JournalSuperblock, MAGIC};
use super::tags::{HEAD, Tag, TagChecksum, revoked, tags};
use crate::fields::{Fields, read_exact};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt, crc32c};
use dockline_timeline::IssueKind;
use std::collections::BTreeMap;

const WHAT: &str = "ext4 journal block";
const DESCRIPTOR: u32 = 1;
const COMMIT: u32 = 2;
const REVOCATION: u32 = 5;
/// Where a commit block has its checksum, and what kind it is.
const COMMIT_CHECKSUM: usize = 0x10;
const CRC32_OF_FOUR_BYTES: [u8; 2] = [1, 4];
/// What a fast commit begins with.
const FAST_COMMIT_HEAD: u16 = 9;

/// What recovery found.
#[derive(Default)]
pub(crate) struct Recovery {
    /// The newest version of each block, by block of the volume.
    pub(crate) blocks: BTreeMap<u64, Journaled>,
    pub(crate) flaws: Vec<Flaw>,
}

/// A transaction, up to where it was read.
#[derive(Default)]
struct Transaction {
    writes: Vec<(u64, Journaled)>,
    revoked: Vec<u64>,
    /// CRC-32 of all its blocks, where the journal has such.
    checksum: u32,
    /// Blocks that are left out because of their checksums.
    damaged: u64,
}

impl Recovery {
    pub(crate) fn of(journal: &dyn ReadAt, superblock: &JournalSuperblock) -> Recovery {
        let mut scan = Scan::new(journal, superblock);
        let mut recovery = Recovery::default();
        let mut damaged = 0_u64;
        loop {
            match scan.transaction() {
                Ok(None) => break,
                Ok(Some(transaction)) => {
                    damaged = damaged.saturating_add(transaction.damaged);
                    recovery.apply(transaction);
                    scan.sequence = scan.sequence.wrapping_add(1);
                }
                Err(error) => {
                    let sequence = scan.sequence;
                    let what = format!("the journal is replayed up to {sequence}: {error}");
                    recovery.tell(error.issue_kind(), what);
                    break;
                }
            }
        }
        if damaged > 0 {
            let what = format!("{damaged} blocks of the journal are damaged and not replayed");
            recovery.tell(IssueKind::Malformed, what);
        }
        if scan.has_fast_commit() {
            let what = "the fast commits of the ext4 journal are not supported; files may be older";
            recovery.tell(IssueKind::Unsupported, what.to_string());
        }
        recovery
    }

    fn apply(&mut self, transaction: Transaction) {
        self.blocks.extend(transaction.writes);
        for block in transaction.revoked {
            self.blocks.remove(&block);
        }
    }

    fn tell(&mut self, kind: IssueKind, what: String) {
        self.flaws.push(Flaw { kind, what });
    }
}

/// A way around the journal.
struct Scan<'a> {
    journal: &'a dyn ReadAt,
    superblock: &'a JournalSuperblock,
    /// Block that comes next.
    at: u32,
    /// Blocks so far: never more than there are.
    visited: u32,
    /// Number of the transaction that comes next.
    sequence: u32,
}

impl<'a> Scan<'a> {
    fn new(journal: &'a dyn ReadAt, superblock: &'a JournalSuperblock) -> Scan<'a> {
        let (at, sequence) = (superblock.start, superblock.sequence);
        Scan { journal, superblock, at, visited: 0, sequence }
    }

    /// The next transaction; `None` where the journal ends before its commit block.
    fn transaction(&mut self) -> Result<Option<Transaction>, EvidenceError> {
        let mut transaction = Transaction { checksum: !0, ..Transaction::default() };
        while let Some(number) = self.pass() {
            let block = self.read(number)?;
            let fields = Fields::new(WHAT, self.offset(number), &block);
            if fields.be32(0)? != MAGIC || fields.be32(8)? != self.sequence {
                return Ok(None);
            }
            match fields.be32(4)? {
                DESCRIPTOR => {
                    self.check_tail(&fields)?;
                    self.sum(&mut transaction, &block);
                    for tag in tags(&fields, self.superblock) {
                        let Some(number) = self.pass() else { return Ok(None) };
                        self.described(&tag, number, &mut transaction)?;
                    }
                }
                REVOCATION => {
                    self.check_tail(&fields)?;
                    transaction.revoked.extend(revoked(&fields, self.superblock)?);
                }
                COMMIT => {
                    self.check_commit(&fields, &transaction)?;
                    return Ok(Some(transaction));
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Takes a block that a descriptor block describes; it is read only where it has a checksum.
    fn described(
        &self,
        tag: &Tag,
        number: u32,
        transaction: &mut Transaction,
    ) -> Result<(), EvidenceError> {
        if self.superblock.has_transaction_checksums() || tag.checksum != TagChecksum::None {
            let content = self.read(number)?;
            self.sum(transaction, &content);
            if !self.is_right(tag, &content) {
                transaction.damaged = transaction.damaged.saturating_add(1);
                return Ok(());
            }
        }
        let journaled = Journaled { block: number, is_escaped: tag.is_escaped };
        transaction.writes.push((tag.block, journaled));
        Ok(())
    }

    fn sum(&self, transaction: &mut Transaction, block: &[u8]) {
        if self.superblock.has_transaction_checksums() {
            transaction.checksum = checksum::crc32_be(transaction.checksum, block);
        }
    }

    fn is_right(&self, tag: &Tag, content: &[u8]) -> bool {
        let sequence = self.sequence.to_be_bytes();
        let parts = [&sequence[..], content];
        tag.checksum.fits(parts.into_iter().fold(self.superblock.checksum_seed, crc32c::update))
    }

    fn check_tail(&self, fields: &Fields<'_>) -> Result<(), EvidenceError> {
        if !self.superblock.has_block_checksums() {
            return Ok(());
        }
        let at = fields.all().len().saturating_sub(4);
        checksum::check(self.superblock.checksum_seed, fields, at)
    }

    fn check_commit(
        &self,
        fields: &Fields<'_>,
        transaction: &Transaction,
    ) -> Result<(), EvidenceError> {
        if self.superblock.has_block_checksums() {
            return checksum::check(self.superblock.checksum_seed, fields, COMMIT_CHECKSUM);
        }
        let kind: [u8; 2] = fields.array(HEAD)?;
        let found = fields.be32(COMMIT_CHECKSUM)?;
        // A kernel that was told not to wrote nothing here.
        if !self.superblock.has_transaction_checksums() || (kind == [0, 0] && found == 0) {
            return Ok(());
        }
        if kind != CRC32_OF_FOUR_BYTES || found != transaction.checksum {
            let need = format!("the checksum {:08x}", transaction.checksum);
            return Err(fields.malformed(COMMIT_CHECKSUM, need, format!("{found:08x}")));
        }
        Ok(())
    }

    fn read(&self, block: u32) -> Result<Vec<u8>, EvidenceError> {
        let size = usize::try_from(self.superblock.block_size).unwrap_or_default();
        read_exact(self.journal, WHAT, self.offset(block), size)
    }

    /// Passes the next block of the circle; `None` when all were passed.
    fn pass(&mut self) -> Option<u32> {
        let (first, end) = (self.superblock.first, self.superblock.end);
        if self.visited >= end.saturating_sub(first) {
            return None;
        }
        self.visited = self.visited.saturating_add(1);
        let block = self.at;
        let next = block.saturating_add(1);
        self.at = if next >= end { first } else { next };
        Some(block)
    }

    fn offset(&self, block: u32) -> u64 {
        u64::from(block).saturating_mul(u64::from(self.superblock.block_size))
    }

    /// Whether a fast commit follows the last transaction: its head, with the number that would be
    /// next, at the start of the area after the circle.
    fn has_fast_commit(&self) -> bool {
        if !self.superblock.has_fast_commits() {
            return false;
        }
        let Ok(block) = self.read(self.superblock.end) else { return false };
        let head = Fields::new("ext4 fast commit", self.offset(self.superblock.end), &block);
        head.le16(0).is_ok_and(|tag| tag == FAST_COMMIT_HEAD)
            && head.le32(8).is_ok_and(|number| number == self.sequence)
    }
}
