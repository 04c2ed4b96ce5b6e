//! The volumes of a disk: what a partition table or a volume manager makes of its sectors.
//!
//! A GPT is what a protective MBR announces (UEFI specification 2.10, section 5); any other MBR is a
//! partition table itself. Many a file system also ends its first sector with the signature of an
//! MBR, so entries have to make sense before they are believed. Where sector 0 is lost, a GPT is
//! looked for all the same, unless a file system begins there: old backup tables stay on disks.

mod crc32;
mod gpt;
pub(crate) mod lvm2;
mod mbr;

use crate::file_system::Flaw;
use crate::read_at::{Range, read_up_to};
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use std::sync::Arc;

/// A volume: a run of sectors that can hold a file system.
#[derive(Clone)]
pub(crate) struct Volume {
    /// `p2` for the second partition, `vg0-root` for a logical volume.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Arc<dyn ReadAt>,
    /// The UUID that `/etc/fstab` can name it by (`PARTUUID=`), in lower case.
    pub(crate) part_uuid: Option<String>,
    /// The device files that it had on its host, where its own metadata tells them.
    pub(crate) device_names: Vec<String>,
    /// The name in its entry of the partition table (`PARTLABEL=`).
    pub(crate) label: Option<String>,
}

/// What the partition table of a disk says.
#[derive(Default)]
pub(crate) struct Partitions {
    /// `GPT` or `MBR`; without a table, the whole disk is the volume.
    pub(crate) table: Option<&'static str>,
    /// The partitions, in the order of their numbers.
    pub(crate) volumes: Vec<Volume>,
    /// What is wrong with the table.
    pub(crate) flaws: Vec<Flaw>,
}

/// A partition table that was read.
struct Table {
    kind: &'static str,
    partitions: Vec<Partition>,
    flaws: Vec<Flaw>,
}

/// A used entry of a partition table.
struct Partition {
    /// As the kernel counts: from 1, and logical partitions of an MBR from 5.
    number: u64,
    /// Offset on the disk, in bytes.
    start: u64,
    /// Length in bytes.
    length: u64,
    uuid: Option<String>,
    label: Option<String>,
}

impl Partition {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

/// The partitions of a disk.
///
/// # Errors
/// Those of reading the first sectors; a damaged table is a flaw.
pub(crate) fn partitions(disk: &Arc<dyn ReadAt>) -> Result<Partitions, EvidenceError> {
    let (head, _) = read_up_to(disk, HEAD)?;
    let is_file_system = begins_file_system(&head);
    let table = match mbr::read(disk, &head, is_file_system) {
        Some(mbr) if mbr.is_protective => Some(announced(disk, mbr.table)),
        Some(mbr) => Some(mbr.table),
        None if is_file_system => None,
        None => gpt::read(disk).map(without_mbr),
    };
    Ok(table.map_or_else(Partitions::default, |table| volumes(disk, table)))
}

/// The GPT that a protective MBR announces; what else the MBR names, where there is none.
fn announced(disk: &Arc<dyn ReadAt>, mut mbr: Table) -> Table {
    gpt::read(disk).unwrap_or_else(|| {
        mbr.flaws.push(malformed("neither the GPT nor its backup can be read"));
        mbr
    })
}

fn without_mbr(mut gpt: Table) -> Table {
    gpt.flaws.push(malformed("the GPT has no protective MBR"));
    gpt
}

/// Bytes from the start of a disk that hold the signatures looked for here.
const HEAD: u64 = 4096;

/// Where the file systems, and what else fills a disk without a partition table, have their
/// signatures.
const SIGNATURES: &[(usize, &[u8])] = &[
    (0, b"XFSB"),
    (0, b"LUKS\xba\xbe"),
    (3, b"NTFS    "),
    (3, b"EXFAT   "),
    (3, b"-FVE-FS-"),
    (54, b"FAT"),
    (82, b"FAT32"),
    (1080, b"\x53\xef"),
];

/// Whether a file system, or what holds one, seems to begin with the disk.
fn begins_file_system(head: &[u8]) -> bool {
    let found = |(at, signature): &(usize, &[u8])| {
        head.get(*at..).is_some_and(|rest| rest.starts_with(signature))
    };
    SIGNATURES.iter().any(found) || lvm2::has_label(head)
}

/// The volumes of a table: cut at the end of the disk, and with a word on those that overlap.
fn volumes(disk: &Arc<dyn ReadAt>, table: Table) -> Partitions {
    let Table { kind, mut partitions, mut flaws } = table;
    flaws.extend(overlaps(&mut partitions));
    partitions.sort_by_key(|partition| partition.number);
    let mut volumes = Vec::new();
    for partition in partitions {
        let name = format!("p{}", partition.number);
        if partition.end() > disk.len() {
            flaws.push(past_end(&name, &partition, disk.len()));
        }
        if partition.start >= disk.len() {
            continue;
        }
        volumes.push(Volume {
            name,
            bytes: Arc::new(Range::new(disk.clone(), partition.start, partition.length)),
            part_uuid: partition.uuid,
            device_names: Vec::new(),
            label: partition.label,
        });
    }
    Partitions { table: Some(kind), volumes, flaws }
}

fn past_end(name: &str, partition: &Partition, disk: u64) -> Flaw {
    let (start, end) = (partition.start, partition.end());
    let what = format!(
        "partition {name} lies at bytes {start} to {end}, but the disk ends at byte {disk}"
    );
    Flaw { kind: IssueKind::Unreadable, what }
}

/// One flaw for each partition that begins before an earlier one ends.
fn overlaps(partitions: &mut [Partition]) -> Vec<Flaw> {
    partitions.sort_by_key(|partition| (partition.start, partition.number));
    let mut flaws = Vec::new();
    let mut reaching: Option<&Partition> = None;
    for partition in partitions.iter() {
        if let Some(before) = reaching.filter(|before| partition.start < before.end()) {
            let (one, other) = (partition.number, before.number);
            flaws.push(malformed(format!("partition p{one} overlaps partition p{other}")));
        }
        if reaching.is_none_or(|before| before.end() < partition.end()) {
            reaching = Some(partition);
        }
    }
    flaws
}

fn malformed(what: impl Into<String>) -> Flaw {
    Flaw { kind: IssueKind::Malformed, what: what.into() }
}

#[cfg(test)]
mod tests;
