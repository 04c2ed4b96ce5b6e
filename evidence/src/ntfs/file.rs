//! A file: its base record and the extension records that hold the rest of its attributes.
//!
//! An extension record names the base record that it belongs to, and is believed only where both
//! agree: a list cannot borrow the attributes of another file, and nothing can go round in circles.

use super::attribute::{Attribute, AttributeType, Form};
use super::attribute_list::{self, Listed};
use super::file_record::FileRecord;
use super::mft::Mft;
use super::names::Name;
use super::stream;
use crate::read_at::read_up_to;
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// Values that are read whole, such as extended attributes, are no longer on any volume of Windows.
pub(super) const MAX_VALUE: u64 = 64 << 10;

/// Parts of a file in records that cannot be read; after them, no further record is looked for, so
/// that lists which many files share cost each of them little.
const MAX_LOST_PARTS: usize = 256;
/// Streams of a file that are told; NTFS itself has no limit but that of the attribute list.
const MAX_STREAMS: usize = 1024;

/// A file of the volume.
pub(super) struct File {
    pub(super) base: FileRecord,
    /// Where its attributes are; without it they are all in the base record.
    list: Option<Vec<Listed>>,
}

impl File {
    pub(super) fn new(mft: &Mft, base: FileRecord) -> Result<File, EvidenceError> {
        let listed = |one: &&Attribute| one.kind == AttributeType::ATTRIBUTE_LIST;
        let Some(attribute) = base.attributes.iter().find(listed).cloned() else {
            return Ok(File { base, list: None });
        };
        let bytes = whole(mft, vec![Ok(attribute)], attribute_list::MAX_LENGTH)?;
        Ok(File { base, list: Some(attribute_list::parse(&bytes)?) })
    }

    /// All streams of the file: the attributes of that type, by the names that they have.
    pub(super) fn names_of(&self, kind: AttributeType) -> Result<Vec<Name>, EvidenceError> {
        let mut names: Vec<Name> = match &self.list {
            None => {
                let these = self.base.attributes.iter().filter(|one| one.kind == kind);
                these.map(|one| one.name.clone()).collect()
            }
            Some(list) => {
                let these = list.iter().filter(|one| one.kind == kind);
                these.map(|one| one.name.clone()).collect()
            }
        };
        names.dedup();
        if names.len() > MAX_STREAMS {
            let limit = u64::try_from(MAX_STREAMS).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "streams of an NTFS file", limit });
        }
        Ok(names)
    }
}

impl Mft {
    /// All parts of an attribute, or all attributes of that type and name where there can be
    /// several, in their order.
    pub(super) fn parts(
        &self,
        file: &File,
        kind: AttributeType,
        name: &Name,
    ) -> Vec<Result<Attribute, EvidenceError>> {
        let Some(list) = &file.list else {
            let these = file.base.attributes.iter();
            return these
                .filter(|one| one.kind == kind && one.name == *name)
                .map(|one| Ok(one.clone()))
                .collect();
        };
        let these = list.iter().filter(|one| one.kind == kind && one.name == *name);
        self.listed(file, these)
    }

    /// The attribute, or its first part; `None` where the file has none.
    pub(super) fn first(
        &self,
        file: &File,
        kind: AttributeType,
    ) -> Result<Option<Attribute>, EvidenceError> {
        let name = Name::none();
        let Some(list) = &file.list else {
            return self.parts(file, kind, &name).into_iter().next().transpose();
        };
        let is_first = |one: &&Listed| one.kind == kind && one.name == name;
        let first = list.iter().find(is_first);
        self.listed(file, first.into_iter()).into_iter().next().transpose()
    }

    /// The value of an attribute, at any offset; `None` where the file has none.
    pub(super) fn stream(
        &self,
        file: &File,
        kind: AttributeType,
        name: &Name,
    ) -> Result<Option<Arc<dyn ReadAt>>, EvidenceError> {
        let parts = self.parts(file, kind, name);
        if parts.is_empty() {
            return Ok(None);
        }
        stream::open(self, &parts).map(Some)
    }

    /// The whole value of an attribute, which has to be a short one.
    pub(super) fn value(
        &self,
        file: &File,
        kind: AttributeType,
        name: &Name,
    ) -> Result<Option<Vec<u8>>, EvidenceError> {
        let parts = self.parts(file, kind, name);
        if parts.is_empty() {
            return Ok(None);
        }
        whole(self, parts, MAX_VALUE).map(Some)
    }

    fn listed<'a>(
        &self,
        file: &File,
        listed: impl Iterator<Item = &'a Listed>,
    ) -> Vec<Result<Attribute, EvidenceError>> {
        let mut recent: Option<Result<FileRecord, EvidenceError>> = None;
        let mut recent_number = file.base.reference.record;
        let mut lost = 0_usize;
        let find = |one: &Listed| {
            if one.record.record == file.base.reference.record {
                return listed_in(&file.base, one);
            }
            if lost >= MAX_LOST_PARTS {
                let limit = u64::try_from(MAX_LOST_PARTS).unwrap_or(u64::MAX);
                let what = "lost parts of an NTFS file";
                return Err(EvidenceError::LimitReached { what, limit });
            }
            if recent_number != one.record.record {
                (recent, recent_number) = (None, one.record.record);
            }
            match recent.get_or_insert_with(|| self.extension(file, one)) {
                Ok(record) => listed_in(record, one),
                Err(error) => {
                    lost = lost.saturating_add(1);
                    Err(error.clone())
                }
            }
        };
        listed.map(find).collect()
    }

    fn extension(&self, file: &File, listed: &Listed) -> Result<FileRecord, EvidenceError> {
        let record = self.record(listed.record)?;
        if !record.base.agrees(file.base.reference) {
            let need = format!("an extension of record {}", file.base.reference.record);
            let have = format!("one of record {}", record.base.record);
            return Err(record.malformed(need, have));
        }
        Ok(record)
    }
}

fn listed_in(record: &FileRecord, listed: &Listed) -> Result<Attribute, EvidenceError> {
    let is_it = |one: &&Attribute| one.kind == listed.kind && one.instance == listed.instance;
    let found = record.attributes.iter().find(is_it);
    let found = found.filter(|one| one.name == listed.name);
    let need = format!("attribute {:#x} number {}", listed.kind.0, listed.instance);
    let found = found.ok_or_else(|| record.malformed(need, "none"))?;
    if let Form::NonResident(value) = found.form()?
        && value.first_cluster != listed.first_cluster
    {
        let need = format!("a part from cluster {}", listed.first_cluster);
        return Err(found.malformed(need, value.first_cluster));
    }
    Ok(found.clone())
}

fn whole(
    mft: &Mft,
    parts: Vec<Result<Attribute, EvidenceError>>,
    limit: u64,
) -> Result<Vec<u8>, EvidenceError> {
    let (bytes, more) = read_up_to(stream::open(mft, &parts)?.as_ref(), limit)?;
    if more {
        return Err(EvidenceError::LimitReached { what: "bytes of an NTFS attribute", limit });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ntfs::boot_sector::BootSector;
    use crate::ntfs::file_record::FileReference;
    use crate::ntfs::tests::volume;

    #[test]
    fn a_file_with_more_streams_than_are_told_is_a_reached_limit() {
        let device: Arc<dyn ReadAt> = Arc::new(volume());
        let boot = BootSector::find(&device, &mut Vec::new()).unwrap();
        let mft = Mft::open(device, &boot, &mut Vec::new()).unwrap();
        let named = |number: usize| Listed {
            kind: AttributeType::DATA,
            name: Name::from_bytes(&u16::try_from(number).unwrap().to_le_bytes()),
            first_cluster: 0,
            record: FileReference::any(5),
            instance: 0,
        };
        let names = |count: usize| {
            let base = mft.record(FileReference::any(5)).unwrap();
            File { base, list: Some((1..=count).map(named).collect()) }
                .names_of(AttributeType::DATA)
        };
        assert_eq!(names(MAX_STREAMS).unwrap().len(), MAX_STREAMS);
        let error = names(MAX_STREAMS + 1).unwrap_err();
        assert_eq!(error.to_string(), "streams of an NTFS file: limit of 1024 reached");
    }
}
