//! Where the clusters of one image lie: a table of the first level leads to tables of the second,
//! each of one cluster, and their entries to the clusters of the disk.
//!
//! The tables are read in pages as they are needed, so that neither the size of the disk nor
//! what the header claims decides how much memory they take.

use super::header::Header;
use crate::disk::pages::Pages;
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// Entries that are looked at for one read: where images lie above one another, each is looked at
/// again for every piece of the one below.
const LOOK_AHEAD: usize = 64;
/// The bits of an entry that are an offset in the image.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
/// An entry of the second level: the cluster is of this image alone.
const COPIED: u64 = 1 << 63;
const COMPRESSED: u64 = 1 << 62;
/// Without subclusters: the cluster reads as zeros.
const ZEROS: u64 = 1;
const SUBCLUSTERS: u64 = 32;

/// What stands somewhere on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// What the image below says.
    Below,
    Zeros,
    /// Bytes at that offset of the image, or of its data file.
    Stored(u64),
    /// Part of a compressed cluster, of which so many bytes are skipped.
    Compressed {
        at: u64,
        length: u64,
        skipped: u64,
    },
}

impl Content {
    /// Whether `next`, so many bytes further on, is more of the same.
    fn goes_on_with(self, next: Content, further: u64) -> bool {
        match (self, next) {
            (Content::Stored(at), Content::Stored(next)) => at.checked_add(further) == Some(next),
            (Content::Below, Content::Below) | (Content::Zeros, Content::Zeros) => true,
            _ => false,
        }
    }
}

/// Content, and how many bytes it goes on for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) content: Content,
    pub(super) length: u64,
}

/// The tables of one image.
pub(super) struct ClusterMap {
    pub(super) header: Header,
    pages: Pages,
}

impl ClusterMap {
    pub(super) fn new(image: Arc<dyn ReadAt>, header: Header) -> ClusterMap {
        ClusterMap { header, pages: Pages::new(image) }
    }

    /// What stands at `at` of the disk, and for about as much of `wanted` bytes as it goes on.
    pub(super) fn run(&self, at: u64, wanted: u64) -> Result<Run, EvidenceError> {
        let mut run = self.unit(at)?;
        for _ in 0..LOOK_AHEAD {
            if run.length >= wanted {
                break;
            }
            // A damaged entry further on is met when it is asked for.
            let Ok(next) = self.unit(at.saturating_add(run.length)) else { break };
            if !run.content.goes_on_with(next.content, run.length) {
                break;
            }
            run.length = run.length.saturating_add(next.length);
        }
        Ok(run)
    }

    /// What one entry says: of a cluster, a subcluster, or all that a missing table would map.
    fn unit(&self, at: u64) -> Result<Run, EvidenceError> {
        let cluster_size = self.header.cluster_size;
        let width = if self.header.has_subclusters { 16 } else { 8 };
        let mapped = cluster_size.checked_div(width).unwrap_or(1).saturating_mul(cluster_size);
        let (l1_index, in_table) = split(at, mapped);
        if l1_index >= self.header.l1_entries {
            let need = format!("an entry {l1_index}");
            return Err(malformed(self.header.l1_at, need, self.header.l1_entries));
        }
        let l1_entry = self.number(self.header.l1_at, l1_index.saturating_mul(8))?;
        let l2_at = l1_entry & OFFSET;
        if l2_at == 0 {
            return Ok(Run { content: Content::Below, length: mapped.saturating_sub(in_table) });
        }
        self.check_aligned(self.header.l1_at, l2_at)?;
        let (l2_index, in_cluster) = split(in_table, cluster_size);
        let inside = l2_index.saturating_mul(width);
        let entry = self.number(l2_at, inside)?;
        if entry & COMPRESSED != 0 {
            return self.compressed(l2_at, entry, in_cluster);
        }
        self.check_aligned(l2_at, entry & OFFSET)?;
        if self.header.has_subclusters {
            let bitmap = self.number(l2_at, inside.saturating_add(8))?;
            return self.subcluster(l2_at, (entry, bitmap), in_cluster);
        }
        let length = cluster_size.saturating_sub(in_cluster);
        let content = match self.host(entry) {
            _ if entry & ZEROS != 0 && self.header.version < 3 => {
                return Err(malformed(l2_at, "no zero clusters in version 2".to_string(), entry));
            }
            _ if entry & ZEROS != 0 => Content::Zeros,
            None => Content::Below,
            Some(host) => Content::Stored(host.saturating_add(in_cluster)),
        };
        Ok(Run { content, length })
    }

    /// Where the cluster of an entry lies, if it has a place.
    fn host(&self, entry: u64) -> Option<u64> {
        let offset = entry & OFFSET;
        // The first cluster of an image is its header, but that of a data file is like any other.
        let is_first_of_data = self.header.has_data_file && entry & COPIED != 0;
        (offset != 0 || is_first_of_data).then_some(offset)
    }

    fn subcluster(
        &self,
        l2_at: u64,
        (entry, bitmap): (u64, u64),
        in_cluster: u64,
    ) -> Result<Run, EvidenceError> {
        let size = self.header.cluster_size.checked_div(SUBCLUSTERS).unwrap_or(1);
        let (index, inside) = split(in_cluster, size);
        let bits = bitmap.checked_shr(u32::try_from(index).unwrap_or(0)).unwrap_or(0);
        let (is_stored, is_zeros) = (bits & 1 != 0, bits & (1 << SUBCLUSTERS) != 0);
        let content = match (is_stored, is_zeros, self.host(entry)) {
            (false, false, _) => Content::Below,
            (false, true, _) => Content::Zeros,
            (true, false, Some(host)) => Content::Stored(host.saturating_add(in_cluster)),
            _ => {
                let need = "subclusters that are either stored or zeros".to_string();
                return Err(malformed(l2_at, need, format!("{entry:016x} {bitmap:016x}")));
            }
        };
        Ok(Run { content, length: size.saturating_sub(inside) })
    }

    /// A compressed cluster begins at any byte; its length is told in sectors.
    fn compressed(&self, l2_at: u64, entry: u64, in_cluster: u64) -> Result<Run, EvidenceError> {
        if self.header.has_data_file {
            let need = "no compressed clusters beside a data file".to_string();
            return Err(malformed(l2_at, need, format!("{entry:016x}")));
        }
        // Of the 62 bits, as many tell the sectors as the cluster has sectors, in powers of two,
        // plus one; the rest, below them, is the offset.
        let sector_bits = self.header.cluster_size.trailing_zeros().saturating_sub(8);
        let offset_bits = 62_u32.saturating_sub(sector_bits);
        let unit = 1_u64.checked_shl(offset_bits).unwrap_or(u64::MAX);
        let (sectors, at) = split(entry & !(COMPRESSED | COPIED), unit);
        let length = sectors.saturating_add(1).saturating_mul(512).saturating_sub(at % 512);
        Ok(Run {
            content: Content::Compressed { at, length, skipped: in_cluster },
            length: self.header.cluster_size.saturating_sub(in_cluster),
        })
    }

    fn check_aligned(&self, table: u64, offset: u64) -> Result<(), EvidenceError> {
        if offset.is_multiple_of(self.header.cluster_size) {
            return Ok(());
        }
        Err(malformed(table, "entries that lead to clusters".to_string(), offset))
    }

    /// The number `inside` bytes after the beginning of a table.
    fn number(&self, table: u64, inside: u64) -> Result<u64, EvidenceError> {
        let number = self.pages.array("QCOW2 table", table.saturating_add(inside))?;
        Ok(u64::from_be_bytes(number))
    }
}

/// How often `unit` goes into `offset`, and the rest.
fn split(offset: u64, unit: u64) -> (u64, u64) {
    (offset.checked_div(unit).unwrap_or(0), offset.checked_rem(unit).unwrap_or(0))
}

fn malformed(at: u64, need: String, have: impl ToString) -> EvidenceError {
    EvidenceError::Malformed { what: "QCOW2 table", at, need, have: have.to_string() }
}
