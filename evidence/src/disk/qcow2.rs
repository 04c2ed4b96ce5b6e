//! QCOW2, the disk images of QEMU, versions 2 and 3, with all that `qemu-img` of QEMU 10 can write
//! into them: clusters that are stored, zeros, or compressed with zlib or zstd, subclusters, an
//! external data file, and backing files.
//!
//! Written from `docs/interop/qcow2.txt` of QEMU 10, and checked against its `qemu-img`.
//!
//! What is read is the active state of the disk; internal snapshots and dirty bitmaps are passed over.
//! Refused by name: encryption, version 1, features that are not known, and backing files other than
//! raw, QCOW2, VMDK, VHDX and VHD. A backing or data file is only looked for beside the image, by the
//! last part of its name.

mod chain;
mod cluster_map;
mod header;
mod tests;

use super::{Disk, Neighbours, vhd, vhdx, vmdk};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use chain::{Chain, Layer};
use dockline_timeline::IssueKind;
use header::Header;
use std::sync::Arc;

/// Images in a chain.
const MAX_CHAIN: usize = 32;
/// How an image of some format is opened.
type Open = fn(Arc<dyn ReadAt>, &dyn Neighbours) -> Result<Disk, EvidenceError>;
/// Formats of backing files besides QCOW2 and raw: as QEMU names them, and what their images begin
/// with.
const FORMATS: &[(&str, &[u8], Open)] = &[
    ("vmdk", b"KDMV", vmdk::open),
    ("vmdk", b"# Disk DescriptorFile", vmdk::open),
    ("vhdx", b"vhdxfile", vhdx::open),
    ("vpc", b"conectix", vhd::open),
];

/// Opens an image, and the images below it.
///
/// # Errors
/// When the header is damaged, a file that the disk needs is not beside the image, or either is of a
/// kind that is not read.
pub(crate) fn open(
    bytes: Arc<dyn ReadAt>,
    neighbours: &dyn Neighbours,
) -> Result<Disk, EvidenceError> {
    let mut opened = Opened::default();
    let mut names = vec![neighbours.own_name().to_vec()];
    let mut chain = Chain { layers: Vec::new(), base: None };
    let mut next = Some(bytes);
    while let Some(image) = next.take() {
        if chain.layers.len() >= MAX_CHAIN {
            let limit = u64::try_from(MAX_CHAIN).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "QCOW2 backing files", limit });
        }
        let header = Header::read(&image)?;
        opened.note_state(&header, names.last().map_or(b"", Vec::as_slice));
        let data = opened.data_file(&header, neighbours)?;
        if let Some(backing) = &header.backing_name {
            let (name, below) = opened.file("backing file", backing, neighbours)?;
            if names.contains(&name) {
                let (what, need) = ("QCOW2 backing file", "an image further down".to_string());
                let have = String::from_utf8_lossy(&name).into_owned();
                return Err(EvidenceError::Malformed { what, at: 0, need, have });
            }
            match format_below(&header, &name, &below)? {
                Format::Qcow2 => next = Some(below),
                Format::Raw => chain.base = Some(below),
                Format::Other(open) => {
                    let below = open(below, &Beside { neighbours, name: &name })?;
                    chain.base = Some(opened.disk(below));
                }
            }
            names.push(name);
        }
        chain.layers.push(Layer::new(image, data, header));
    }
    let Opened { flaws, parts } = opened;
    Ok(Disk { bytes: Arc::new(chain), flaws, stored_hashes: Vec::new(), parts })
}

/// What is found on the way down a chain.
#[derive(Default)]
struct Opened {
    flaws: Vec<Flaw>,
    parts: Vec<Vec<u8>>,
}

impl Opened {
    /// Takes over what a disk below says besides its bytes.
    fn disk(&mut self, disk: Disk) -> Arc<dyn ReadAt> {
        self.flaws.extend(disk.flaws);
        self.parts.extend(disk.parts);
        disk.bytes
    }

    fn note_state(&mut self, header: &Header, name: &[u8]) {
        let name = String::from_utf8_lossy(name);
        let states = [
            (header.is_dirty, "was not closed properly (dirty)"),
            (header.is_corrupt, "is marked as corrupt"),
        ];
        for (_, state) in states.iter().filter(|(is_so, _)| *is_so) {
            let what = format!("the QCOW2 image {name} {state}");
            self.flaws.push(Flaw { kind: IssueKind::Malformed, what });
        }
    }

    fn data_file(
        &mut self,
        header: &Header,
        neighbours: &dyn Neighbours,
    ) -> Result<Option<Arc<dyn ReadAt>>, EvidenceError> {
        if !header.has_data_file {
            return Ok(None);
        }
        let unnamed = || EvidenceError::Unsupported("a QCOW2 data file without a name".to_string());
        let name = header.data_file_name.as_ref().ok_or_else(unnamed)?;
        self.file("data file", name, neighbours).map(|(_, data)| Some(data))
    }

    /// Opens the file that an image names, and returns its name in the directory.
    fn file(
        &mut self,
        role: &str,
        path: &[u8],
        neighbours: &dyn Neighbours,
    ) -> Result<(Vec<u8>, Arc<dyn ReadAt>), EvidenceError> {
        let shown = String::from_utf8_lossy(path);
        let path = path.strip_prefix(b"file:").unwrap_or(path);
        let name = path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
        let without =
            || EvidenceError::Unsupported(format!("a QCOW2 image without its {role} {shown}"));
        let found = neighbours.open(name).map_err(|error| match error {
            EvidenceError::NotFound => without(),
            other => other,
        })?;
        if path.strip_prefix(b"./").unwrap_or(path) != name {
            let what =
                format!("{role} {shown}: the file of that name beside the image is taken for it");
            self.flaws.push(Flaw { kind: IssueKind::Unsupported, what });
        }
        self.parts.push(name.to_vec());
        Ok((name.to_vec(), found))
    }
}

/// The neighbours of an image that is itself a neighbour.
struct Beside<'a> {
    neighbours: &'a dyn Neighbours,
    name: &'a [u8],
}

impl Neighbours for Beside<'_> {
    fn own_name(&self) -> &[u8] {
        self.name
    }

    fn open(&self, name: &[u8]) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        self.neighbours.open(name)
    }
}

/// What a backing file is.
enum Format {
    Qcow2,
    Raw,
    Other(Open),
}

/// The format of a backing file. Where it is told, its content does not count: whoever wrote to a raw
/// disk could make it look like anything.
fn format_below(header: &Header, name: &[u8], below: &dyn ReadAt) -> Result<Format, EvidenceError> {
    if let Some(told) = header.backing_format.as_deref() {
        let told = String::from_utf8_lossy(told);
        let other = FORMATS.iter().find(|(format, ..)| *format == told);
        return match (&*told, other) {
            ("qcow2", _) => Ok(Format::Qcow2),
            ("raw", _) => Ok(Format::Raw),
            (_, Some((.., open))) => Ok(Format::Other(*open)),
            (_, None) => {
                let name = String::from_utf8_lossy(name);
                let what = format!("the QCOW2 backing file {name}, in format {told},");
                Err(EvidenceError::Unsupported(what))
            }
        };
    }
    let mut head = [0; 21];
    let _ = below.read_at(0, &mut head)?;
    if head.starts_with(header::MAGIC) {
        return Ok(Format::Qcow2);
    }
    let other = FORMATS.iter().find(|(_, magic, _)| head.starts_with(magic));
    Ok(other.map_or(Format::Raw, |(.., open)| Format::Other(*open)))
}
