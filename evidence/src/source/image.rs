//! Images of disks: in a format of their own, raw, or raw and split.

use super::{Opener, Source, StoredHash};
use crate::disk::split::Split;
use crate::disk::{self, Disk};
use crate::file_system::Flaw;
use crate::signature::ImageFormat;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use std::sync::Arc;

impl Opener<'_> {
    /// An image in a format of its own.
    pub(super) fn image(
        &self,
        format: ImageFormat,
        bytes: Arc<dyn ReadAt>,
    ) -> Result<Source, EvidenceError> {
        let disk = match format {
            ImageFormat::Ewf => disk::ewf::open(bytes, self.neighbours),
            ImageFormat::Vhdx => disk::vhdx::open(bytes, self.neighbours),
            ImageFormat::Vhd => disk::vhd::open(bytes, self.neighbours),
            ImageFormat::Vmdk => disk::vmdk::open(bytes, self.neighbours),
            ImageFormat::Qcow2 => disk::qcow2::open(bytes, self.neighbours),
        }?;
        self.open_disk(disk)
    }

    /// The bytes of a disk as they are, in one file or split into several.
    pub(super) fn raw(&self, bytes: Arc<dyn ReadAt>) -> Result<Source, EvidenceError> {
        if disk::vhd::is_vhd(&bytes) {
            return self.image(ImageFormat::Vhd, bytes);
        }
        match disk::split::join(bytes.clone(), self.neighbours)? {
            None => self.open_disk(Disk::of(bytes)),
            Some(Split::First(disk)) => self.open_disk(disk),
            Some(Split::Later(first)) => {
                let first = String::from_utf8_lossy(&first).into_owned();
                let what = format!("a later part of a split image (name {first} instead)");
                Err(EvidenceError::Unsupported(what))
            }
        }
    }

    /// Opens what lies on a disk. What its image says of itself, and the segments that it is made
    /// of, are kept also where nothing on it can be read.
    fn open_disk(&self, disk: Disk) -> Result<Source, EvidenceError> {
        let says_something =
            !(disk.flaws.is_empty() && disk.parts.is_empty() && disk.stored_hashes.is_empty());
        let mut source = match self.disk(&disk.bytes) {
            Err(error) if says_something => {
                let mut source = Source::empty(self.name);
                source.tell_volume("", &error);
                source
            }
            opened => opened?,
        };
        source.tell_flaws("", disk.flaws);
        source.parts = disk.parts;
        for stored in disk.stored_hashes {
            let is_right = match self.opening.verify {
                true => source.verify(&disk.bytes, &stored),
                false => None,
            };
            let disk::StoredHash { algorithm, digits } = stored;
            source.stored_hashes.push(StoredHash { algorithm, digits, is_right });
        }
        Ok(source)
    }
}

impl Source {
    /// Whether the content has the hash that the image stores; `None` where it cannot all be read.
    fn verify(&mut self, bytes: &Arc<dyn ReadAt>, stored: &disk::StoredHash) -> Option<bool> {
        let algorithm = stored.algorithm;
        let digits = match disk::verify::hash_of(bytes, algorithm) {
            Ok(found) => found.digits,
            Err(error) => {
                let what = format!("its {algorithm} cannot be checked: {error}");
                self.tell_flaws("", vec![Flaw { kind: error.issue_kind(), what }]);
                return None;
            }
        };
        if digits == stored.digits {
            return Some(true);
        }
        let what = format!(
            "the {algorithm} of its content is {digits}, and the image says {}: it has been changed",
            stored.digits
        );
        self.tell_flaws("", vec![Flaw { kind: IssueKind::Malformed, what }]);
        Some(false)
    }
}
