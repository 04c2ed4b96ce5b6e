//! NTFS 3.0 and 3.1, the file system of Windows disks, read without being mounted.
//!
//! Written by Windows 2000 and later, and by Linux (NTFS-3G, and `ntfs3` of the kernel). Microsoft
//! does not describe it; the facts are those of NTFS-3G 2022.10.3 (`include/ntfs-3g/layout.h`) and of
//! `fs/ntfs3` of Linux 6.6.
//!
//! A volume begins with a [`boot_sector`] that says where the [`mft`] lies, the file of all
//! [`file_record`]s. A record holds [`attribute`]s; a [`file`](mod@file) whose attributes do not fit
//! into one record has an [`attribute_list`]. The value of an attribute is a [`stream`] of clusters
//! that its [`runlist`] places, or [`compressed`]. What a file is to others, its [`node`] says.
//!
//! What an investigator should know:
//! - The files of NTFS itself (`$MFT`, `$LogFile`, `$Extend` ...) are listed in the root like any
//!   other; the root does not list itself.
//! - The inode of a file is the number of its record; an index entry that was left from an earlier
//!   user of that record is an error at that name.
//! - Windows does not tell upper from lower case in names; here they are matched exactly. A file
//!   appears once, without its short name for DOS, and short names are no hard links.
//! - Files have no mode and no owner, unless Linux under Windows wrote them.
//! - The content of a file is its unnamed stream. Other streams of up to 64 KiB (`Zone.Identifier`)
//!   are extended attributes, `user.` and their name; so are extended attributes of `$EA`, under
//!   the names that they have there. A longer stream makes reading the attributes of its file an
//!   error that says so.
//! - A time of 0 (1601) was not set, and is none.
//!
//! Not supported: replay of the `$LogFile` (a dirty volume is a flaw); encrypted files; files whose
//! content a driver keeps elsewhere (`reparse_point.rs` names them); deleted files; owners by
//! security descriptor.

mod attribute;
mod attribute_list;
mod boot_sector;
mod compressed;
mod directory;
mod extended_attributes;
mod file;
mod file_name;
mod file_record;
mod interix;
mod lznt1;
mod mft;
mod names;
mod node;
mod reparse_point;
mod runlist;
mod standard_information;
mod stream;
#[cfg(test)]
mod tests;
mod update_sequence;
mod volume_information;

use crate::doubts::Doubts;
use crate::file_system::{FileSystem, Flaw};
use crate::inodes::{InodeTree, Inodes, NamedInode};
use crate::{EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt};
use attribute::{AttributeType, Form};
use boot_sector::BootSector;
use directory::DirectoryEntry;
use dockline_timeline::IssueKind;
use file::File;
use file_name::FileName;
use file_record::FileReference;
use mft::Mft;
use names::Name;
use node::Node;
use std::sync::Arc;
use volume_information::VolumeInformation;

/// The record of the root directory.
const ROOT: u64 = 5;
/// What NTFS-3G puts before the names of streams, too.
const STREAM_PREFIX: &[u8] = b"user.";

/// Opens the NTFS volume that begins with the first byte of `device`.
///
/// # Errors
/// Where there is neither a boot sector nor its copy, or no first record of the `$MFT`.
pub(crate) fn open(device: Arc<dyn ReadAt>) -> Result<FileSystem, EvidenceError> {
    let mut flaws = Vec::new();
    let boot = BootSector::find(device.as_ref(), &mut flaws)?;
    if boot.volume_size > device.len() {
        let (need, have) = (boot.volume_size, device.len());
        let what =
            format!("the NTFS volume has {need} bytes, but the evidence only {have} of them");
        flaws.push(Flaw { kind: IssueKind::Malformed, what });
    }
    let mft = Mft::open(device, &boot, &mut flaws)?;
    let information = VolumeInformation::read(&mft);
    flaws.extend(information.flaws);
    Ok(FileSystem {
        tree: Arc::new(InodeTree::new(Volume { mft })),
        kind: "NTFS",
        uuid: Some(format!("{:016X}", boot.serial)),
        label: information.label,
        flaws,
    })
}

/// The files of a volume, by their references.
struct Volume {
    mft: Mft,
}

impl Inodes for Volume {
    fn root(&self) -> u64 {
        ROOT
    }

    fn entries(
        &self,
        directory: u64,
        doubts: &mut Doubts,
    ) -> Result<Vec<NamedInode>, EvidenceError> {
        let file = self.file(directory)?;
        let mut entries = directory::entries(&self.mft, &file, doubts)?;
        entries.retain(|entry| entry.file.record != ROOT);
        let named = |entry: &DirectoryEntry| NamedInode {
            name: entry.name.name.to_utf8(),
            inode: entry.file.to_stored(),
            kind: self.kind(entry),
        };
        Ok(entries.iter().map(named).collect())
    }

    fn metadata(&self, inode: u64) -> Result<Metadata, EvidenceError> {
        let file = self.file(inode)?;
        let node = Node::of(&self.mft, &file)?;
        Ok(Metadata {
            kind: node.kind,
            mode: node.linux.mode,
            uid: node.linux.uid,
            gid: node.linux.gid,
            size: self.size(&file, &node)?,
            inode: Some(file.base.reference.record),
            links: Some(self.links(&file)),
            device: node.device,
            modified: node.information.modified,
            accessed: node.information.accessed,
            changed: node.information.changed,
            born: node.information.born,
        })
    }

    fn content(&self, inode: u64) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let file = self.file(inode)?;
        if let Some(tag) = Node::of(&self.mft, &file)?.reparse_tag {
            return Err(reparse_point::unsupported(tag));
        }
        let content = self.mft.stream(&file, AttributeType::DATA, &Name::none())?;
        Ok(content.unwrap_or_else(|| Arc::new(Vec::new())))
    }

    fn link_target(&self, inode: u64) -> Result<Vec<u8>, EvidenceError> {
        Ok(Node::of(&self.mft, &self.file(inode)?)?.target)
    }

    fn extended_attributes(&self, inode: u64) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let file = self.file(inode)?;
        let mut found = node::extended_attributes(&self.mft, &file)?;
        for name in file.names_of(AttributeType::DATA)?.iter().filter(|name| !name.is_none()) {
            if let Some(value) = self.mft.value(&file, AttributeType::DATA, name)? {
                let name = [STREAM_PREFIX, &name.to_utf8()].concat();
                found.push(ExtendedAttribute { name, value });
            }
        }
        Ok(found)
    }

    fn damage(&self, inode: u64, doubts: &mut Doubts) {
        // A record that cannot be read is an error of every other question.
        if let Ok(file) = self.file(inode) {
            let parts = self.mft.parts(&file, AttributeType::DATA, &Name::none());
            stream::check(&self.mft, &parts, doubts);
        }
    }
}

impl Volume {
    fn file(&self, inode: u64) -> Result<File, EvidenceError> {
        self.mft.file(FileReference::from_stored(inode))
    }

    /// The kind of an entry. The index tells directories; whatever may be something else is looked
    /// at, and where it cannot be read, the index is believed.
    fn kind(&self, entry: &DirectoryEntry) -> FileKind {
        let name = &entry.name;
        let plain = if name.is_directory() { FileKind::Directory } else { FileKind::Regular };
        if !name.may_be_special() {
            return plain;
        }
        let file = self.mft.file(entry.file);
        file.and_then(|file| Node::of(&self.mft, &file)).map_or(plain, |node| node.kind)
    }

    fn size(&self, file: &File, node: &Node) -> Result<u64, EvidenceError> {
        match node.kind {
            FileKind::SymbolicLink => Ok(ReadAt::len(&node.target)),
            FileKind::Regular => {
                let data = self.mft.first(file, AttributeType::DATA)?;
                data.map_or(Ok(0), |data| data.size())
            }
            _ => Ok(0),
        }
    }

    /// Names of the file, without those for DOS; where one cannot be read, it counts.
    fn links(&self, file: &File) -> u64 {
        let names = self.mft.parts(file, AttributeType::FILE_NAME, &Name::none());
        let is_short_form = |name: &attribute::Attribute| match name.form() {
            Ok(Form::Resident(value)) => {
                FileName::parse(&value).is_ok_and(|name| name.is_short_form())
            }
            _ => false,
        };
        let short_forms = names.iter().flatten().filter(|name| is_short_form(name)).count();
        let short_forms = u64::try_from(short_forms).unwrap_or(u64::MAX);
        u64::from(file.base.links).saturating_sub(short_forms)
    }
}
