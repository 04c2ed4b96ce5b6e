//! An image put together from its segments, one section after the other.
//!
//! No structure of the format says which chunk it begins with: it counts from what stands before. So
//! where a segment is missing, or its chain of sections is broken, nothing after it can be placed,
//! and reads there are errors.

use super::acquisition;
use super::section::Section;
use super::segment::{self, Found};
use super::table::Table;
use super::volume::Volume;
use crate::disk::{Neighbours, StoredHash};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use std::sync::Arc;

/// Sections of one segment: EnCase writes four per 512 MiB of the disk.
const MAX_SECTIONS: u64 = 1 << 18;
/// Hashes of one image: there are two algorithms.
const MAX_HASHES: usize = 8;
/// Flaws of one image that are told.
const MAX_FLAWS: usize = 100;

/// What was found in the segments so far.
#[derive(Default)]
pub(super) struct Assembly {
    pub(super) segments: Vec<Arc<dyn ReadAt>>,
    /// Names of all segments but the first.
    pub(super) names: Vec<Vec<u8>>,
    pub(super) volume: Option<Volume>,
    /// In the order of their chunks.
    pub(super) tables: Vec<Table>,
    pub(super) hashes: Vec<StoredHash>,
    pub(super) flaws: Vec<Flaw>,
    /// Whether chunks are missing at the end for a reason that the flaws tell.
    pub(super) is_cut: bool,
}

/// Where the sections of a segment stand while they are read.
#[derive(Default)]
struct Progress {
    /// A `table` that its `table2` may have to stand in for.
    pending: Option<Result<Table, EvidenceError>>,
    /// Whether the chunks of the tables have a section of their own.
    has_sectors: bool,
}

/// What a segment says of the one after it.
#[derive(PartialEq, Eq)]
enum Ending {
    Next,
    Done,
}

impl Assembly {
    /// Reads all segments that are there; `first` is known to be the first.
    pub(super) fn of(first: Arc<dyn ReadAt>, neighbours: &dyn Neighbours) -> Assembly {
        let mut assembly = Assembly::default();
        let mut ending = assembly.segment(first);
        let mut number = 1_u32;
        while let Some(Ending::Next) = ending {
            number = number.saturating_add(1);
            ending = match segment::find(neighbours, number) {
                Ok(Found { name, bytes }) => {
                    assembly.names.push(name);
                    assembly.segment(bytes)
                }
                Err(error) => {
                    assembly.missing(number, &error);
                    None
                }
            };
        }
        assembly
    }

    /// How many chunks have a place so far.
    pub(super) fn chunks(&self) -> u64 {
        self.tables.last().map_or(0, |table| table.first_chunk.saturating_add(table.count))
    }

    /// Reads one segment; `None` where it cannot be read to its end.
    fn segment(&mut self, bytes: Arc<dyn ReadAt>) -> Option<Ending> {
        self.segments.push(bytes.clone());
        match self.sections(&bytes) {
            Ok(ending) => Some(ending),
            Err(error) => {
                let what = format!("segment {}: {error}", self.segments.len());
                self.cut(error.issue_kind(), &what);
                None
            }
        }
    }

    fn sections(&mut self, segment: &dyn ReadAt) -> Result<Ending, EvidenceError> {
        let mut progress = Progress::default();
        let mut section = Section::read(segment, segment::HEADER)?;
        for _ in 0..MAX_SECTIONS {
            if section.kind != Some("table2") {
                self.settle(progress.pending.take(), None)?;
            }
            self.section(segment, &section, &mut progress)?;
            if section.is_last(segment) {
                let is_done = section.kind == Some("done");
                return Ok(if is_done { Ending::Done } else { Ending::Next });
            }
            let following = section.following(segment)?;
            if !section.is_intact {
                self.damaged(&section, &following, &progress)?;
            }
            section = following;
        }
        Err(EvidenceError::LimitReached { what: "sections of a segment", limit: MAX_SECTIONS })
    }

    fn section(
        &mut self,
        segment: &dyn ReadAt,
        section: &Section,
        progress: &mut Progress,
    ) -> Result<(), EvidenceError> {
        let index = self.segments.len().saturating_sub(1);
        match section.kind {
            Some("volume" | "disk" | "data") => self.volume(Volume::read(segment, section))?,
            Some("sectors") => progress.has_sectors = true,
            Some("table") => {
                let table = Table::read(segment, index, section, !progress.has_sectors);
                progress.pending = Some(table);
            }
            Some("table2") => {
                let first = progress.pending.take();
                let is_needed = !matches!(&first, Some(Ok(table)) if table.is_intact);
                let second = is_needed.then(|| Table::read(segment, index, section, false));
                self.settle(first, second)?;
            }
            Some("hash") => self.hashes(acquisition::hash(segment, section)),
            Some("digest") => self.hashes(acquisition::digest(segment, section)),
            Some("error2") => match acquisition::unreadable_sectors(segment, section) {
                Ok(what) => {
                    what.into_iter().for_each(|what| self.flaw(IssueKind::Unreadable, what))
                }
                Err(error) => self.flaw(error.issue_kind(), error.to_string()),
            },
            _ => {}
        }
        Ok(())
    }

    /// Takes the first of a table and its copy that is intact, or else any of which the number of
    /// entries is known: chunks have checksums of their own.
    fn settle(
        &mut self,
        first: Option<Result<Table, EvidenceError>>,
        second: Option<Result<Table, EvidenceError>>,
    ) -> Result<(), EvidenceError> {
        let is_intact = |table: &Result<Table, _>| matches!(table, Ok(table) if table.is_intact);
        let (chosen, other) = match (first, second) {
            (None, None) => return Ok(()),
            (Some(table), None) | (None, Some(table)) => (table, None),
            (Some(first), Some(second)) if is_intact(&second) || first.is_err() => {
                (second, Some(first))
            }
            (Some(first), Some(second)) => (first, Some(second)),
        };
        let mut table = chosen?;
        if !table.is_intact || other.is_some() {
            let instead =
                if table.is_intact { ", its copy is used" } else { ", and so is its copy" };
            let what = format!("a table of segment {} is damaged{instead}", self.segments.len());
            self.flaw(IssueKind::Malformed, what);
        }
        table.first_chunk = self.chunks();
        self.tables.push(table);
        Ok(())
    }

    /// The first intact section that tells the size counts.
    fn volume(&mut self, found: Result<Volume, EvidenceError>) -> Result<(), EvidenceError> {
        let found = match (found, &self.volume) {
            (Ok(found), _) => found,
            (Err(error), None) => return Err(error),
            (Err(error), Some(_)) => {
                self.flaw(error.issue_kind(), error.to_string());
                return Ok(());
            }
        };
        if !found.is_intact {
            let what = format!(
                "segment {}: the size of the disk has a wrong checksum",
                self.segments.len()
            );
            self.flaw(IssueKind::Malformed, what);
        }
        match &self.volume {
            Some(known) if known.is_intact && found.is_intact => {
                if !known.is_of_same_image(&found) {
                    let need = "a segment of the same image".to_string();
                    let (what, have) = ("EWF data section", "one of another".to_string());
                    return Err(EvidenceError::Malformed { what, at: 0, need, have });
                }
            }
            Some(known) if known.is_intact => {}
            _ => self.volume = Some(found),
        }
        Ok(())
    }

    /// Two sections may give the same hash.
    fn hashes(&mut self, found: Result<Vec<StoredHash>, EvidenceError>) {
        match found {
            Ok(found) => {
                for hash in found {
                    if self.hashes.len() < MAX_HASHES && !self.hashes.contains(&hash) {
                        self.hashes.push(hash);
                    }
                }
            }
            Err(error) => self.flaw(error.issue_kind(), error.to_string()),
        }
    }

    /// Goes on past a damaged descriptor where the section cannot have been the only one to tell
    /// where chunks lie.
    fn damaged(
        &mut self,
        section: &Section,
        following: &Section,
        progress: &Progress,
    ) -> Result<(), EvidenceError> {
        let is_before_tables = matches!(
            following.kind,
            Some("header" | "header2" | "volume" | "disk" | "sectors" | "table" | "table2")
        );
        let is_harmless = section.kind.is_some() || is_before_tables || progress.pending.is_some();
        if !is_harmless {
            let (what, at) = ("EWF section", section.at);
            let (need, have) = ("a known kind".to_string(), "a damaged one".to_string());
            return Err(EvidenceError::Malformed { what, at, need, have });
        }
        let what = format!(
            "segment {}: the descriptor of the section at byte {} is damaged",
            self.segments.len(),
            section.at
        );
        self.flaw(IssueKind::Malformed, what);
        Ok(())
    }

    fn missing(&mut self, number: u32, error: &EvidenceError) {
        let what = match error {
            EvidenceError::NotFound => format!("segment {number} is missing"),
            error => format!("segment {number} cannot be used: {error}"),
        };
        self.cut(IssueKind::Unreadable, &what);
    }

    /// Says from where on the disk cannot be read.
    fn cut(&mut self, kind: IssueKind, why: &str) {
        self.is_cut = true;
        let (chunk, size) =
            self.volume.as_ref().map_or((0, 0), |volume| (volume.chunk_size, volume.size));
        let from = self.chunks().saturating_mul(u64::try_from(chunk).unwrap_or(u64::MAX));
        let cost = if size > 0 && from >= size {
            "all of the disk was found before it".to_string()
        } else {
            format!("nothing of the disk can be read from byte {from} on")
        };
        self.flaw(kind, format!("{why}: {cost}"));
    }

    fn flaw(&mut self, kind: IssueKind, what: String) {
        match self.flaws.len() {
            told if told < MAX_FLAWS => self.flaws.push(Flaw { kind, what }),
            MAX_FLAWS => {
                let what = format!("more than {MAX_FLAWS} flaws of the image");
                self.flaws.push(Flaw { kind: IssueKind::LimitReached, what });
            }
            _ => {}
        }
    }
}
