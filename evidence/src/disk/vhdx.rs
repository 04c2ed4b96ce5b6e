//! VHDX virtual disks, as Hyper-V, WSL and Docker Desktop write them: [MS-VHDX] version 20240423;
//! qemu (`block/vhdx.c`) writes them, too. Fixed, dynamic and differencing disks are read.
//!
//! A disk that was in use when it was copied has a log that is not yet replayed; this is done in
//! memory, so that what is read is what Windows would show after opening the disk. Where that cannot
//! be done, a flaw says that the view is older than the log.
//!
//! The parent of a differencing disk is looked for beside it, by its plain file name. Not supported,
//! and refused by name: regions and metadata items that the format does not know but marks as
//! required, parent locators of another type, versions other than 1.

mod block_allocation_table;
mod guid;
mod header;
mod log;
mod metadata;
mod overlay;
mod parent_locator;
mod region_table;

use super::blocks::BlockDisk;
use super::{Disk, Neighbours};
use crate::fields::read_exact;
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use block_allocation_table::BlockAllocationTable;
use dockline_timeline::IssueKind;
use guid::Guid;
use header::LogRegion;
use overlay::Replayed;
use parent_locator::ParentLocator;
use std::sync::Arc;

/// Generations of parents above a differencing disk.
const MAX_PARENTS: usize = 32;

/// One file of a chain, opened.
struct Image {
    /// The file, its log replayed.
    file: Arc<dyn ReadAt>,
    blocks: BlockAllocationTable,
    parent: Option<ParentLocator>,
    data_write_guid: Option<Guid>,
    flaws: Vec<Flaw>,
}

/// Opens a virtual disk, and its parents if it has any.
///
/// # Errors
/// When it is none, is damaged where it matters, or lacks a parent.
pub(crate) fn open(
    bytes: Arc<dyn ReadAt>,
    neighbours: &dyn Neighbours,
) -> Result<Disk, EvidenceError> {
    let mut chain = vec![open_image(bytes)?];
    let mut parts = Vec::new();
    while let Some(locator) = chain.last().and_then(|image| image.parent.clone()) {
        if chain.len() > MAX_PARENTS {
            let limit = u64::try_from(MAX_PARENTS).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "parents of a VHDX", limit });
        }
        chain.push(open_parent(&locator, neighbours)?);
        parts.push(locator.file_name.into_bytes());
    }
    let mut flaws = Vec::new();
    let mut below: Option<Arc<dyn ReadAt>> = None;
    for mut image in chain.into_iter().rev() {
        flaws.append(&mut image.flaws);
        let disk = BlockDisk { blocks: image.blocks, image: image.file, parent: below };
        below = Some(Arc::new(disk));
    }
    let bytes = below.ok_or(EvidenceError::NotFound)?;
    Ok(Disk { bytes, flaws, stored_hashes: Vec::new(), parts })
}

/// Opens the parent beside a differencing disk; it must be in the state that the child was made on.
fn open_parent(
    locator: &ParentLocator,
    neighbours: &dyn Neighbours,
) -> Result<Image, EvidenceError> {
    let name = &locator.file_name;
    let bytes = neighbours.open(name.as_bytes()).map_err(|error| match error {
        EvidenceError::NotFound => {
            EvidenceError::Unsupported(format!("a differencing VHDX without its parent {name}"))
        }
        other => other,
    })?;
    let mut parent = open_image(bytes)?;
    let found = parent.data_write_guid;
    if !found.is_some_and(|found| locator.linkages.contains(&found)) {
        let have = found.map_or_else(|| String::from("none"), |found| found.to_string());
        return Err(EvidenceError::Malformed {
            what: "data write GUID of the parent of a VHDX",
            at: 0,
            need: locator.linkages.iter().map(Guid::to_string).collect::<Vec<_>>().join(" or "),
            have,
        });
    }
    for flaw in &mut parent.flaws {
        flaw.what = format!("parent {name}: {}", flaw.what);
    }
    Ok(parent)
}

fn open_image(bytes: Arc<dyn ReadAt>) -> Result<Image, EvidenceError> {
    let signature = read_exact(&bytes, "VHDX file type identifier", 0, 8)?;
    if signature != b"vhdxfile" {
        let (need, have) = (String::from("vhdxfile"), signature.escape_ascii().to_string());
        return Err(EvidenceError::Malformed {
            what: "VHDX file type identifier",
            at: 0,
            need,
            have,
        });
    }
    let headers = header::read(&bytes)?;
    let mut flaws: Vec<Flaw> = headers.damaged.iter().map(|error| flaw(error, "")).collect();
    let file = match &headers.current {
        Some(header) => replayed(bytes, &header.log, &mut flaws),
        None => {
            let what =
                "no VHDX header is sound: a log is not looked for, and the view may be older";
            flaws.push(Flaw { kind: IssueKind::Malformed, what: String::from(what) });
            bytes
        }
    };
    let (regions, damaged) = region_table::read(&file)?;
    flaws.extend(damaged.map(|error| flaw(&error, ", its copy is used")));
    let metadata = metadata::read(&file, regions.metadata)?;
    let table = regions.block_allocation_table;
    let blocks = BlockAllocationTable::new(file.clone(), table, &metadata);
    flaws.extend(lost(blocks.blocks_lost(file.len())));
    let data_write_guid = headers.current.map(|header| header.data_write_guid);
    Ok(Image { file, blocks, parent: metadata.parent, data_write_guid, flaws })
}

/// The file with its log replayed over it, if it has one that can be.
fn replayed(file: Arc<dyn ReadAt>, log: &LogRegion, flaws: &mut Vec<Flaw>) -> Arc<dyn ReadAt> {
    if log.guid == Guid::NONE {
        return file;
    }
    match log::replay(&file, log) {
        Err(error) => {
            flaws
                .push(flaw(&error, ": the log is not replayed, and the view may be older than it"));
            file
        }
        Ok(replay) => {
            if file.len() < replay.flushed_file_offset {
                let (need, have) =
                    (format!("{} bytes", replay.flushed_file_offset), file.len().to_string());
                let cut = EvidenceError::Malformed { what: "VHDX file", at: 0, need, have };
                flaws.push(flaw(&cut, ": it is cut off since its log was written"));
            }
            Arc::new(Replayed { file, overlay: replay.overlay })
        }
    }
}

fn flaw(error: &EvidenceError, consequence: &str) -> Flaw {
    Flaw { kind: error.issue_kind(), what: format!("{error}{consequence}") }
}

fn lost(blocks: u64) -> Option<Flaw> {
    let error = EvidenceError::Malformed {
        what: "VHDX block allocation table",
        at: 0,
        need: String::from("blocks that lie in the file"),
        have: format!("{blocks} that do not"),
    };
    (blocks > 0).then(|| flaw(&error, ": they cannot be read"))
}

#[cfg(test)]
mod tests;
