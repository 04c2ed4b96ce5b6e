//! EWF, the Expert Witness Compression Format: the images `.E01` of EnCase 1 to 7, FTK Imager, linen,
//! X-Ways and ewfacquire, and `.s01` of SMART.
//!
//! Written from "Expert Witness Compression Format" of the libewf project (2023), and checked against
//! ewfacquire 20140813 in each of its formats. The disk is cut into chunks, which are spread over one
//! or more segment files; tables say where each chunk lies.
//!
//! Not read: EWF2 (`.Ex01`), logical images (`.L01`, `.Lx01`): refused by name. The case metadata of
//! the sections `header`, `header2` and `xheader`, and the tracks of an optical disc in `session`, are
//! passed over.

mod acquisition;
mod adler32;
mod assembly;
mod chunks;
mod section;
mod segment;
mod table;
mod tests;
mod volume;

use super::{Disk, Neighbours};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use assembly::Assembly;
use chunks::Chunks;
use dockline_timeline::IssueKind;
use std::sync::Arc;

/// Opens an image by its first segment.
///
/// # Errors
/// When it is another segment, an image of another kind, or does not tell the size of the disk.
pub(crate) fn open(
    bytes: Arc<dyn ReadAt>,
    neighbours: &dyn Neighbours,
) -> Result<Disk, EvidenceError> {
    let number = segment::number(&bytes)?;
    if number != 1 {
        return Err(segment::not_the_first(neighbours.own_name(), number));
    }
    let mut assembly = Assembly::of(bytes, neighbours);
    let Some(volume) = assembly.volume.take() else {
        let why = assembly.flaws.first().map_or("no volume section", |flaw| &flaw.what);
        let (what, need) = ("EWF image", "the size of the disk".to_string());
        return Err(EvidenceError::Malformed { what, at: 0, need, have: why.to_string() });
    };
    let chunks = assembly.chunks();
    let chunk_size = u64::try_from(volume.chunk_size).unwrap_or(u64::MAX);
    let needed = volume.size.div_ceil(chunk_size);
    if chunks != needed && !assembly.is_cut {
        let what = format!("the tables place {chunks} chunks, and the disk has {needed}");
        assembly.flaws.push(Flaw { kind: IssueKind::Malformed, what });
    }
    // Where the acquisition was broken off, the size may never have been filled in.
    let placed = chunks.saturating_mul(chunk_size);
    let size = if volume.size == 0 { placed } else { volume.size };
    let Assembly { segments, names, tables, hashes, flaws, .. } = assembly;
    let bytes = Arc::new(Chunks::new(segments, tables, volume.chunk_size, size));
    Ok(Disk { bytes, flaws, stored_hashes: hashes, parts: names })
}
