//! What a file is: NTFS itself knows but files and directories; reparse points, marks in the
//! content and extended attributes make the other kinds.

use super::attribute::AttributeType;
use super::extended_attributes::{self, LinuxMetadata};
use super::file::File;
use super::interix::{self, SpecialFile};
use super::mft::Mft;
use super::names::Name;
use super::reparse_point::ReparsePoint;
use super::standard_information::StandardInformation;
use crate::read_at::read_up_to;
use crate::{DeviceNumber, EvidenceError, ExtendedAttribute, FileKind};

/// What a file is, and what Linux would know of it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: FileKind,
    /// Of a symbolic link.
    pub(super) target: Vec<u8>,
    /// What has to be understood before its content can be read.
    pub(super) reparse_tag: Option<u32>,
    pub(super) device: Option<DeviceNumber>,
    pub(super) linux: LinuxMetadata,
    pub(super) information: StandardInformation,
}

impl Node {
    pub(super) fn of(mft: &Mft, file: &File) -> Result<Node, EvidenceError> {
        let value = |kind| mft.value(file, kind, &Name::none());
        let information = value(AttributeType::STANDARD_INFORMATION)?;
        let information = information.as_deref().map(StandardInformation::parse).transpose()?;
        let is_directory = file.base.is_directory;
        let mut node = Node {
            kind: if is_directory { FileKind::Directory } else { FileKind::Regular },
            target: Vec::new(),
            reparse_tag: None,
            device: None,
            linux: LinuxMetadata::of(&extended_attributes(mft, file)?),
            information: information.unwrap_or_default(),
        };
        if let Some(point) = value(AttributeType::REPARSE_POINT)? {
            node.apply_reparse_point(ReparsePoint::parse(&point)?);
        } else if node.information.is_system && !is_directory {
            node.apply_special_file(special_file(mft, file)?);
        }
        Ok(node)
    }

    fn apply_reparse_point(&mut self, point: ReparsePoint) {
        match point {
            ReparsePoint::Link(target) => {
                (self.kind, self.target) = (FileKind::SymbolicLink, target);
            }
            ReparsePoint::Special(kind) => {
                let is_device = matches!(kind, FileKind::CharacterDevice | FileKind::BlockDevice);
                self.device = self.linux.device.filter(|_| is_device);
                self.kind = kind;
            }
            ReparsePoint::Other(tag) => self.reparse_tag = Some(tag),
        }
    }

    fn apply_special_file(&mut self, file: Option<SpecialFile>) {
        match file {
            None => {}
            Some(SpecialFile::Link(target)) => {
                (self.kind, self.target) = (FileKind::SymbolicLink, target);
            }
            Some(SpecialFile::CharacterDevice(number)) => {
                (self.kind, self.device) = (FileKind::CharacterDevice, Some(number));
            }
            Some(SpecialFile::BlockDevice(number)) => {
                (self.kind, self.device) = (FileKind::BlockDevice, Some(number));
            }
        }
    }
}

/// What `$EA` holds.
pub(super) fn extended_attributes(
    mft: &Mft,
    file: &File,
) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
    let value = mft.value(file, AttributeType::EXTENDED_ATTRIBUTES, &Name::none())?;
    value.as_deref().map_or(Ok(Vec::new()), extended_attributes::parse)
}

fn special_file(mft: &Mft, file: &File) -> Result<Option<SpecialFile>, EvidenceError> {
    let data = mft.first(file, AttributeType::DATA)?;
    let size = data.filter(|data| !data.is_encrypted()).map_or(Ok(0), |data| data.size())?;
    if size > interix::MAX_LENGTH {
        return Ok(None);
    }
    let Some(content) = mft.stream(file, AttributeType::DATA, &Name::none())? else {
        return Ok(None);
    };
    let (content, _) = read_up_to(content.as_ref(), interix::MAX_LENGTH)?;
    Ok(SpecialFile::parse(&content))
}
