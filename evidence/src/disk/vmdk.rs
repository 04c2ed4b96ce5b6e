//! VMDK virtual disks of VMware: "Virtual Disk Format 5.0" (VMware, 2011); qemu (`block/vmdk.c`) and
//! VirtualBox write them, too.
//!
//! Read are sparse extents (`KDMV`), with compressed grains as well (stream-optimized), redo logs of
//! ESX (`COWD`), and flat extents, in any number and mixture; a descriptor in a file of its own, or in
//! the one sparse extent; and snapshots, of which the parents lie beside them. Files are looked for by
//! their plain names in the same directory, whatever directories are named. An extent that is missing
//! costs only what lies in it. Not supported, and refused by name: extents of type seSparse, raw
//! devices.

mod descriptor;
mod grains;
mod sparse_header;

use super::blocks::BlockDisk;
use super::{Disk, Neighbours};
use crate::extents::{Extent, Pieces};
use crate::fields::read_exact;
use crate::file_system::Flaw;
use crate::read_at::Range;
use crate::{EvidenceError, ReadAt};
use descriptor::{Descriptor, ExtentLine};
use dockline_timeline::IssueKind;
use grains::Grains;
use sparse_header::SparseHeader;
use std::sync::Arc;

const SECTOR: u64 = 512;
/// Generations of parents above a snapshot; VMware itself allows 32.
const MAX_PARENTS: usize = 64;

/// One file of a chain: a descriptor, or a sparse extent, which has one inside in most cases.
struct Link {
    file: Arc<dyn ReadAt>,
    header: Option<SparseHeader>,
    descriptor: Option<Descriptor>,
}

/// Opens a virtual disk, by its descriptor or its one extent.
///
/// # Errors
/// When it is none, is damaged where it matters, or lacks a parent or all of its extents.
pub(crate) fn open(
    bytes: Arc<dyn ReadAt>,
    neighbours: &dyn Neighbours,
) -> Result<Disk, EvidenceError> {
    let mut opening = Opening { neighbours, flaws: Vec::new(), parts: Vec::new() };
    let mut chain = Vec::new();
    let mut next = Some(Link::read(bytes)?);
    while let Some(link) = next {
        if chain.len() > MAX_PARENTS {
            let limit = u64::try_from(MAX_PARENTS).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "parents of a VMDK", limit });
        }
        next = opening.parent(&link)?;
        chain.push(link);
    }
    let mut below = None;
    for link in chain.into_iter().rev() {
        below = Some(opening.assemble(link, below)?);
    }
    let bytes = below.ok_or(EvidenceError::NotFound)?;
    Ok(Disk { bytes, flaws: opening.flaws, stored_hashes: Vec::new(), parts: opening.parts })
}

impl Link {
    fn read(file: Arc<dyn ReadAt>) -> Result<Link, EvidenceError> {
        let signature = read_exact(&file, "VMDK", 0, 4)?;
        if signature != b"KDMV" && signature != b"COWD" {
            let descriptor = Some(descriptor::read(&file, 0, file.len())?);
            return Ok(Link { file, header: None, descriptor });
        }
        let header = sparse_header::read(&file)?;
        let embedded = header.descriptor.map(|(at, length)| descriptor::read(&file, at, length));
        Ok(Link { file, header: Some(header), descriptor: embedded.transpose()? })
    }
}

/// A disk while it is opened.
struct Opening<'a> {
    neighbours: &'a dyn Neighbours,
    flaws: Vec<Flaw>,
    parts: Vec<Vec<u8>>,
}

impl Opening<'_> {
    /// The parent of a snapshot; it must be in the state that the snapshot was made on.
    fn parent(&mut self, link: &Link) -> Result<Option<Link>, EvidenceError> {
        let Some(descriptor) = &link.descriptor else { return Ok(None) };
        let Some(needed) = descriptor.parent_content_id else { return Ok(None) };
        let parent = Link::read(self.file(&descriptor.parent_file_name, "parent")?)?;
        let found = parent.descriptor.as_ref().and_then(|descriptor| descriptor.content_id);
        if found == Some(needed) {
            return Ok(Some(parent));
        }
        let have = found.map_or_else(|| String::from("none"), |found| format!("{found:08x}"));
        let (what, need) = ("content identifier of the parent of a VMDK", format!("{needed:08x}"));
        Err(EvidenceError::Malformed { what, at: 0, need, have })
    }

    fn file(&mut self, name: &[u8], role: &str) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let file = self.neighbours.open(name).map_err(|error| match error {
            EvidenceError::NotFound => {
                let name = String::from_utf8_lossy(name);
                EvidenceError::Unsupported(format!("a VMDK without its {role} {name}"))
            }
            other => other,
        })?;
        self.parts.push(name.to_vec());
        Ok(file)
    }

    /// The disk that a link makes over its parent.
    fn assemble(
        &mut self,
        link: Link,
        parent: Option<Arc<dyn ReadAt>>,
    ) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let mut own = link.header.map(|header| (link.file, header));
        let Some(descriptor) = link.descriptor else {
            let (file, header) = own.ok_or(EvidenceError::NotFound)?;
            let what = String::from("one extent of a VMDK, without the descriptor of the disk");
            self.flaws.push(Flaw { kind: IssueKind::Unreadable, what });
            return Ok(self.sparse(file, header, parent));
        };
        let (mut extents, mut sources, mut end) = (Vec::new(), Vec::new(), 0_u64);
        let mut failures = Vec::new();
        for line in &descriptor.extents {
            let length = line.sectors.saturating_mul(SECTOR);
            let above = parent.clone().map(|parent| range(parent, end, length));
            let opened = match own.take() {
                Some((file, header)) => Ok(Some(self.sparse(file, header, above))),
                None => self.extent(line, above),
            };
            let source = opened.unwrap_or_else(|error| {
                failures.push((line, error));
                Some(Arc::new(Vec::new()))
            });
            if let Some(source) = source {
                extents.push(Extent { start: end, length, source: sources.len(), offset: 0 });
                sources.push(source);
            }
            end = end.saturating_add(length);
        }
        self.judge(failures, sources.len())?;
        Ok(Arc::new(Pieces::new(sources, extents, end)))
    }

    /// Extents that cannot be opened are flaws, unless there are no others.
    fn judge(
        &mut self,
        failures: Vec<(&ExtentLine, EvidenceError)>,
        extents: usize,
    ) -> Result<(), EvidenceError> {
        let are_all = failures.len() == extents;
        for (line, error) in failures {
            if are_all {
                return Err(error);
            }
            let name = String::from_utf8_lossy(&line.file_name);
            let lost = line.sectors.saturating_mul(SECTOR);
            let what = format!("extent {name}: {error}: {lost} bytes cannot be read");
            self.flaws.push(Flaw { kind: error.issue_kind(), what });
        }
        Ok(())
    }

    /// The bytes of an extent; `None` where all of them are zeros.
    fn extent(
        &mut self,
        line: &ExtentLine,
        parent: Option<Arc<dyn ReadAt>>,
    ) -> Result<Option<Arc<dyn ReadAt>>, EvidenceError> {
        match line.kind.as_str() {
            "ZERO" => Ok(None),
            "FLAT" | "VMFS" => {
                let file = self.file(&line.file_name, "extent")?;
                let length = line.sectors.saturating_mul(SECTOR);
                let flat = range(file, line.offset.saturating_mul(SECTOR), length);
                self.note_cut(line, flat.len());
                Ok(Some(flat))
            }
            "SPARSE" | "VMFSSPARSE" | "SESPARSE" => {
                let file = self.file(&line.file_name, "extent")?;
                let header = sparse_header::read(&file)?;
                self.note_cut(line, header.capacity.saturating_mul(SECTOR));
                Ok(Some(self.sparse(file, header, parent)))
            }
            other => Err(EvidenceError::Unsupported(format!("a VMDK extent of type {other}"))),
        }
    }

    fn note_cut(&mut self, line: &ExtentLine, there: u64) {
        let length = line.sectors.saturating_mul(SECTOR);
        if there < length {
            let name = String::from_utf8_lossy(&line.file_name);
            let what = format!("extent {name} has only {there} of its {length} bytes");
            self.flaws.push(Flaw { kind: IssueKind::Malformed, what });
        }
    }

    fn sparse(
        &mut self,
        file: Arc<dyn ReadAt>,
        header: SparseHeader,
        parent: Option<Arc<dyn ReadAt>>,
    ) -> Arc<dyn ReadAt> {
        let blocks = Grains::new(file.clone(), header);
        let lost = blocks.lost();
        if lost > 0 {
            let what =
                format!("VMDK: {lost} of its grains do not lie in the file, and cannot be read");
            self.flaws.push(Flaw { kind: IssueKind::Malformed, what });
        }
        Arc::new(BlockDisk { blocks, image: file, parent })
    }
}

fn range(bytes: Arc<dyn ReadAt>, start: u64, length: u64) -> Arc<dyn ReadAt> {
    Arc::new(Range::new(bytes, start, length))
}

#[cfg(test)]
mod tests;
