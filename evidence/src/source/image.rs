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
        let (kind, open): (_, fn(_, _) -> _) = match format {
            ImageFormat::Ewf => ("E01 image", disk::ewf::open),
            ImageFormat::Vhdx => ("VHDX image", disk::vhdx::open),
            ImageFormat::Vhd => ("VHD image", disk::vhd::open),
            ImageFormat::Vmdk => ("VMDK image", disk::vmdk::open),
            ImageFormat::Qcow2 => ("QCOW2 image", disk::qcow2::open),
        };
        self.open_disk(kind, open(bytes, self.neighbours)?)
    }

    /// The bytes of a disk as they are, in one file or split into several.
    pub(super) fn raw(&self, bytes: Arc<dyn ReadAt>) -> Result<Source, EvidenceError> {
        if disk::vhd::is_vhd(&bytes) {
            return self.image(ImageFormat::Vhd, bytes);
        }
        match disk::split::join(bytes.clone(), self.neighbours)? {
            None => self.open_disk("raw disk", Disk::of(bytes)),
            Some(Split::First(disk)) => self.open_disk("split raw disk", disk),
            Some(Split::Later(first)) => {
                let first = String::from_utf8_lossy(&first).into_owned();
                let what = format!("a later part of a split image (name {first} instead)");
                Err(EvidenceError::Unsupported(what))
            }
        }
    }

    /// Opens what lies on a disk. What its image says of itself, and the segments that it is made
    /// of, are kept also where nothing on it can be read.
    fn open_disk(&self, kind: &str, disk: Disk) -> Result<Source, EvidenceError> {
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
        source.kind = kind.to_owned();
        source.tell_flaws("", disk.flaws);
        source.parts = disk.parts;
        let found = match self.opening.verify {
            true => source.digits(&disk.bytes, &disk.stored_hashes),
            false => Vec::new(),
        };
        let mut found = found.into_iter();
        for stored in disk.stored_hashes {
            let is_right = found.next().map(|digits| source.verify(&stored, &digits));
            let disk::StoredHash { algorithm, digits } = stored;
            source.stored_hashes.push(StoredHash { algorithm, digits, is_right });
        }
        Ok(source)
    }
}

impl Source {
    /// What the hashes should be that the image stores; nothing where it cannot all be read.
    fn digits(&mut self, bytes: &dyn ReadAt, stored: &[disk::StoredHash]) -> Vec<String> {
        if stored.is_empty() {
            return Vec::new();
        }
        disk::verify::digits_of(bytes, stored).unwrap_or_else(|error| {
            let what = format!("the hashes that it stores cannot be checked: {error}");
            self.tell_flaws("", vec![Flaw { kind: error.issue_kind(), what }]);
            Vec::new()
        })
    }

    /// Whether the content has the hash that the image stores.
    fn verify(&mut self, stored: &disk::StoredHash, digits: &str) -> bool {
        let is_right = digits == stored.digits;
        if !is_right {
            let what = format!(
                "the {} of its content is {digits}, and the image says {}: it has been changed",
                stored.algorithm, stored.digits
            );
            self.tell_flaws("", vec![Flaw { kind: IssueKind::Malformed, what }]);
        }
        is_right
    }
}
