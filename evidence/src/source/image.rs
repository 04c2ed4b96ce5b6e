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

    fn open_disk(&self, disk: Disk) -> Result<Source, EvidenceError> {
        let mut source = self.disk(&disk.bytes)?;
        source.tell_flaws("", disk.flaws);
        source.parts = disk.parts;
        for stored in disk.stored_hashes {
            let is_right = match self.opening.verify {
                true => Some(self.verify(&disk.bytes, &stored, &mut source)?),
                false => None,
            };
            let disk::StoredHash { algorithm, digits } = stored;
            source.stored_hashes.push(StoredHash { algorithm, digits, is_right });
        }
        Ok(source)
    }

    fn verify(
        &self,
        bytes: &Arc<dyn ReadAt>,
        stored: &disk::StoredHash,
        source: &mut Source,
    ) -> Result<bool, EvidenceError> {
        let disk::StoredHash { digits, .. } = disk::verify::hash_of(bytes, stored.algorithm)?;
        if digits == stored.digits {
            return Ok(true);
        }
        let what = format!(
            "the {} of its content is {digits}, and the image says {}: it has been changed",
            stored.algorithm, stored.digits
        );
        source.tell_flaws("", vec![Flaw { kind: IssueKind::Malformed, what }]);
        Ok(false)
    }
}
