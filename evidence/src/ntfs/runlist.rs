//! Runlists: which clusters of the volume hold the clusters of a value.
//!
//! Each part of an attribute has "mapping pairs": a length and the distance from the run before, in
//! as many bytes as they need; a run without a distance is a hole. Parts lie in several records
//! where a file is much fragmented. A part that cannot be read is a gap: reading there is an error,
//! while the other parts can still be read.

use super::attribute::{Attribute, Form};
use crate::EvidenceError;
use crate::fields::Fields;

/// Windows allows some 1.5 million pieces of a file with records of 1 KiB.
const MAX_RUNS: usize = 1 << 21;

/// Clusters of a value that follow one another on the volume, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The first cluster of the value that it holds.
    pub(super) start: u64,
    /// Number of clusters.
    pub(super) length: u64,
    pub(super) place: Place,
}

impl Run {
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

/// Where the clusters of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// From this cluster of the volume.
    Cluster(u64),
    /// Nowhere: zeros.
    Hole,
    /// Not known, since the record that says it cannot be read.
    Lost,
}

/// All runs of a value, without a gap from its first cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Runlist {
    pub(super) runs: Vec<Run>,
    /// Why some of it is lost.
    pub(super) lost: Option<EvidenceError>,
}

impl Runlist {
    /// Joins the parts of a value, in their order; `clusters` is the number that it should have.
    pub(super) fn join(
        parts: &[Result<Attribute, EvidenceError>],
        clusters: u64,
    ) -> Result<Runlist, EvidenceError> {
        let mut joined = Runlist::default();
        for part in parts {
            match part.as_ref().map_err(Clone::clone).map(|part| joined.add(part)) {
                Ok(Ok(())) => {}
                Ok(Err(limit @ EvidenceError::LimitReached { .. })) => return Err(limit),
                Ok(Err(error)) | Err(error) => joined.lost = joined.lost.take().or(Some(error)),
            }
        }
        let have = joined.end();
        if have < clusters {
            let error = || short(parts, clusters, have);
            joined.lost = joined.lost.take().or_else(error);
            joined.runs.push(Run {
                start: have,
                length: clusters.abs_diff(have),
                place: Place::Lost,
            });
        }
        Ok(joined)
    }

    /// Clusters that are known.
    pub(super) fn known(&self) -> u64 {
        let known = self.runs.iter().filter(|run| run.place != Place::Lost);
        known.fold(0, |sum, run| sum.saturating_add(run.length))
    }

    /// The cluster of the value behind its last run.
    pub(super) fn end(&self) -> u64 {
        self.runs.last().map_or(0, Run::end)
    }

    fn add(&mut self, part: &Attribute) -> Result<(), EvidenceError> {
        let Form::NonResident(value) = part.form()? else {
            return Err(part.malformed("a part in clusters", "one in the record"));
        };
        let end = self.end();
        if value.first_cluster < end {
            return Err(part.malformed(format!("a part from cluster {end}"), value.first_cluster));
        }
        if value.first_cluster > end {
            let length = value.first_cluster.abs_diff(end);
            self.runs.push(Run { start: end, length, place: Place::Lost });
        }
        self.decode(&value.mapping_pairs)
    }

    fn decode(&mut self, pairs: &Fields<'_>) -> Result<(), EvidenceError> {
        let mut at = 0_usize;
        let mut cluster = 0_i64;
        while let Some(sizes) = pairs.all().get(at).copied().filter(|sizes| *sizes != 0) {
            let (length_size, distance_size) = (usize::from(sizes & 0x0F), usize::from(sizes >> 4));
            let length = signed(pairs, at.saturating_add(1), length_size)?;
            let behind = at.saturating_add(1).saturating_add(length_size);
            let distance = signed(pairs, behind, distance_size)?;
            let start = self.end();
            let length = u64::try_from(length).ok().filter(|length| *length > 0);
            let length = length.filter(|length| start.checked_add(*length).is_some());
            let length = length.ok_or_else(|| pairs.malformed(at, "a length of a run", sizes))?;
            let next = cluster.checked_add(distance);
            cluster = next.ok_or_else(|| pairs.malformed(at, "a cluster", distance))?;
            let place = match distance_size {
                0 => Place::Hole,
                _ => Place::Cluster(
                    u64::try_from(cluster)
                        .map_err(|_| pairs.malformed(at, "a cluster of the volume", cluster))?,
                ),
            };
            if self.runs.len() >= MAX_RUNS {
                let limit = u64::try_from(MAX_RUNS).unwrap_or(u64::MAX);
                return Err(EvidenceError::LimitReached { what: "runs of an NTFS file", limit });
            }
            self.runs.push(Run { start, length, place });
            at = behind.saturating_add(distance_size);
        }
        Ok(())
    }
}

/// A little-endian number of up to eight bytes, the last of which carries its sign.
fn signed(pairs: &Fields<'_>, at: usize, size: usize) -> Result<i64, EvidenceError> {
    if size > 8 {
        return Err(pairs.malformed(at, "a number of up to 8 bytes", size));
    }
    let bytes = pairs.bytes(at, size)?;
    let negative = bytes.last().is_some_and(|last| *last >= 0x80);
    let mut whole = [if negative { 0xFF } else { 0 }; 8];
    for (place, byte) in whole.iter_mut().zip(bytes) {
        *place = *byte;
    }
    Ok(i64::from_le_bytes(whole))
}

fn short(
    parts: &[Result<Attribute, EvidenceError>],
    need: u64,
    have: u64,
) -> Option<EvidenceError> {
    let last = parts.iter().rev().find_map(|part| part.as_ref().ok());
    last.map(|part| part.malformed(format!("runs of {need} clusters"), have))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_more_pieces_than_any_is_a_reached_limit() {
        // Each run is the cluster behind the one before.
        let mut pairs = [0x11, 1, 1].repeat(MAX_RUNS);
        let mut all = Runlist::default();
        all.decode(&Fields::new("runs", 0, &pairs)).unwrap();
        assert_eq!((all.runs.len(), all.end()), (MAX_RUNS, MAX_RUNS as u64));
        pairs.extend([0x11, 1, 1]);
        let error = Runlist::default().decode(&Fields::new("runs", 0, &pairs)).unwrap_err();
        assert_eq!(error.to_string(), "runs of an NTFS file: limit of 2097152 reached");
    }
}
