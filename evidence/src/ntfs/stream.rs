//! Streams: the values of attributes, read at any offset.

use super::attribute::{Attribute, Form};
use super::compressed::Compressed;
use super::mft::Mft;
use super::runlist::{Place, Run, Runlist};
use crate::doubts::Doubts;
use crate::extents::{Extent, Pieces};
use crate::{EvidenceError, ReadAt};
use std::io;
use std::sync::Arc;

const LZNT1: u16 = 1;

/// How many bytes a value has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) bytes: u64,
    /// As many of them were ever written; those behind are zeros.
    pub(super) initialized: u64,
}

/// The value whose parts these are.
pub(super) fn open(
    mft: &Mft,
    parts: &[Result<Attribute, EvidenceError>],
) -> Result<Arc<dyn ReadAt>, EvidenceError> {
    let first = first(parts)?;
    if first.is_encrypted() {
        return Err(EvidenceError::Unsupported("NTFS file encrypted with EFS".to_owned()));
    }
    let unit = match first.form()? {
        Form::Resident(value) => return Ok(Arc::new(value.all().to_vec())),
        Form::NonResident(value) => value.compression_unit,
    };
    let (runs, size) = runs(parts, mft.cluster_size)?;
    match first.compression() {
        0 => Ok(Arc::new(plain(mft, runs, size))),
        LZNT1 => Ok(Arc::new(Compressed::new(mft, runs, size, unit)?)),
        other => {
            Err(EvidenceError::Unsupported(format!("NTFS file with compression method {other}")))
        }
    }
}

/// The runs and the size of a value that does not lie in its record.
pub(super) fn runs(
    parts: &[Result<Attribute, EvidenceError>],
    cluster_size: u64,
) -> Result<(Runlist, Size), EvidenceError> {
    let first = first(parts)?;
    let Form::NonResident(value) = first.form()? else {
        return Err(first.malformed("a value in clusters", "one in the record"));
    };
    let size = Size { bytes: value.size, initialized: value.initialized.min(value.size) };
    Ok((Runlist::join(parts, value.size.div_ceil(cluster_size.max(1)))?, size))
}

/// Notes what of a value in clusters cannot be read: what no run places any more, and what lies
/// behind the end of the volume.
pub(super) fn check(mft: &Mft, parts: &[Result<Attribute, EvidenceError>], doubts: &mut Doubts) {
    let is_in_record = |part: &Attribute| matches!(part.form(), Ok(Form::Resident(_)));
    if first(parts).is_ok_and(is_in_record) {
        return;
    }
    // An error that loses all of the value is had by who opens it.
    let Ok((runs, _)) = runs(parts, mft.cluster_size) else { return };
    let clusters = mft.device.len().div_ceil(mft.cluster_size.max(1));
    let behind = |run: &Run| match run.place {
        Place::Cluster(first) if first.saturating_add(run.length) > clusters => Some((*run, first)),
        _ => None,
    };
    if let Some((run, first)) = runs.runs.iter().find_map(behind) {
        doubts.note(EvidenceError::Malformed {
            what: "NTFS run",
            at: run.start.saturating_mul(mft.cluster_size),
            need: format!("{} of the {clusters} clusters of the volume", run.length),
            have: format!("those from cluster {first}"),
        });
    }
    runs.lost.into_iter().for_each(|error| doubts.note(error));
}

/// A value that is stored as it is.
pub(super) fn plain(mft: &Mft, runs: Runlist, size: Size) -> Pieces {
    let extents = runs.runs.iter().filter_map(|run| extent(run, mft.cluster_size, size));
    let extents = extents.collect();
    Pieces::new(vec![mft.device.clone(), Arc::new(Lost::new(runs))], extents, size.bytes)
}

/// The first part, which has the size of the whole.
fn first(parts: &[Result<Attribute, EvidenceError>]) -> Result<&Attribute, EvidenceError> {
    let first = parts.first().ok_or(EvidenceError::NotFound)?;
    let first = first.as_ref().map_err(Clone::clone)?;
    if !first.is_first()? {
        return Err(first.malformed("the first part of a value", "a later one"));
    }
    Ok(first)
}

fn extent(run: &Run, cluster_size: u64, size: Size) -> Option<Extent> {
    let start = run.start.saturating_mul(cluster_size);
    let length = run.length.saturating_mul(cluster_size);
    let length = length.min(size.initialized.saturating_sub(start));
    let (source, offset) = match run.place {
        Place::Hole => return None,
        Place::Cluster(cluster) => (0, cluster.saturating_mul(cluster_size)),
        Place::Lost => (1, start),
    };
    Some(Extent { start, length, source, offset })
}

/// Stands for content that is somewhere, but where cannot be told.
struct Lost(Option<EvidenceError>);

impl Lost {
    fn new(runs: Runlist) -> Lost {
        Lost(runs.lost)
    }
}

impl ReadAt for Lost {
    fn len(&self) -> u64 {
        u64::MAX
    }

    fn read_at(&self, _offset: u64, _buffer: &mut [u8]) -> io::Result<usize> {
        match &self.0 {
            Some(error) => Err(io::Error::other(error.clone())),
            None => Ok(0),
        }
    }
}
