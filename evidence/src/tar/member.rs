//! One member of an archive: its header with the extended headers before it, and where its content
//! lies.

use super::blocks::Blocks;
use super::header::{BLOCK, Header, until_nul};
use super::pax::Extended;
use super::sparse::{self, Layout, Map};
use crate::read_at::Range;
use crate::{DeviceNumber, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt};
use dockline_timeline::Instant;
use std::sync::Arc;

/// Bytes of one extended header (PAX records, a long name); a longer one is passed over.
pub(super) const MAX_EXTENDED_HEADER: u64 = 8 << 20;
/// Headers that belong to one member.
const MAX_HEADERS: usize = 64;

/// What stands at an offset of an archive.
pub(super) enum Found {
    Member(Box<Member>),
    /// A global header: records for all members that follow.
    Global {
        body: Vec<u8>,
        body_at: u64,
        next: u64,
    },
    /// A block of zeros; two of them end an archive.
    Zeros,
    /// Less than a block is left.
    End,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A node of the tree.
    Node(FileKind),
    /// One more name of a node.
    HardLink,
    /// Nothing that belongs into the tree, such as a volume label.
    Aside,
}

/// Where the content of a member lies.
#[derive(Clone, Debug)]
enum Content {
    Plain { at: u64, length: u64 },
    Sparse(Layout),
}

/// A member.
pub(super) struct Member {
    pub(super) role: Role,
    /// Its name as written.
    pub(super) path: Vec<u8>,
    /// Target of a symbolic or hard link, as written.
    pub(super) link: Vec<u8>,
    pub(super) metadata: Metadata,
    /// Ordered by name.
    pub(super) attributes: Vec<ExtendedAttribute>,
    content: Content,
    /// Offset of what follows; past the end when the archive is truncated.
    pub(super) next: u64,
    /// What was wrong with it, although it could be read.
    pub(super) complaints: Vec<EvidenceError>,
}

/// What the headers before the member's own one said.
#[derive(Default)]
struct Group {
    extended: Extended,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    complaints: Vec<EvidenceError>,
}

/// Reads what stands at offset `at`, under the given global records.
///
/// # Errors
/// When it is not a member that can be read; what follows must then be searched for.
pub(super) fn read(
    blocks: &mut Blocks,
    at: u64,
    globals: &Extended,
) -> Result<Found, EvidenceError> {
    let mut group = Group { extended: globals.clone(), ..Group::default() };
    let mut here = at;
    for _ in 0..MAX_HEADERS {
        let is_first = here == at;
        let block = match blocks.block(here)? {
            None if is_first => return Ok(Found::End),
            None => return Err(no_header(here, "the end of the archive")),
            Some(block) if block == [0; BLOCK] && is_first => return Ok(Found::Zeros),
            Some(block) => block,
        };
        let header =
            Header::parse(&block).ok_or_else(|| no_header(here, "a block with another one"))?;
        let size = header.size.ok_or_else(|| no_size(here))?;
        let body_at = here.saturating_add(512);
        let next = body_at.saturating_add(padded(size));
        match header.type_flag {
            b'g' if is_first && size <= MAX_EXTENDED_HEADER => {
                return Ok(Found::Global { body: blocks.body(body_at, size)?, body_at, next });
            }
            b'g' | b'x' | b'X' | b'L' | b'K' => {
                group.take(header.type_flag, blocks, (body_at, size))?;
                here = next;
            }
            _ => {
                let member = member(header, &block, (blocks, here), group)?;
                return Ok(Found::Member(Box::new(member)));
            }
        }
    }
    let limit = u64::try_from(MAX_HEADERS).unwrap_or(u64::MAX);
    Err(EvidenceError::LimitReached { what: "headers of one member", limit })
}

/// The size with the filling up to a whole block.
fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(512).unwrap_or(u64::MAX)
}

fn no_header(at: u64, have: &str) -> EvidenceError {
    let need = "a header with a right checksum".to_string();
    EvidenceError::Malformed { what: "tar member", at, need, have: have.to_string() }
}

fn no_size(at: u64) -> EvidenceError {
    let (need, have) = ("a number below 2^63".to_string(), "another".to_string());
    EvidenceError::Malformed { what: "size of a tar member", at, need, have }
}

impl Group {
    /// Takes over an extended header, of which the body is given by offset and size.
    fn take(
        &mut self,
        type_flag: u8,
        blocks: &mut Blocks,
        (at, size): (u64, u64),
    ) -> Result<(), EvidenceError> {
        if size > MAX_EXTENDED_HEADER {
            let what = "bytes of an extended header";
            self.complaints.push(EvidenceError::LimitReached { what, limit: MAX_EXTENDED_HEADER });
            return Ok(());
        }
        let body = blocks.body(at, size)?;
        match type_flag {
            b'L' => self.long_name = Some(until_nul(&body).to_vec()),
            b'K' => self.long_link = Some(until_nul(&body).to_vec()),
            _ => self.complaints.extend(self.extended.apply(&body, at).err()),
        }
        Ok(())
    }
}

/// The member itself, whose header lies at the given offset.
fn member(
    header: Header,
    block: &[u8; BLOCK],
    (blocks, at): (&mut Blocks, u64),
    group: Group,
) -> Result<Member, EvidenceError> {
    let Group { mut extended, long_name, long_link, mut complaints } = group;
    complaints.extend(header.bad_fields.iter().map(|field| bad_field(field, at)));
    let written = extended.sparse.name.take().or(extended.path.take()).or(long_name);
    let path = written.unwrap_or(header.name.clone());
    let link = extended.link.take().or(long_link).unwrap_or(header.link.clone());
    let role = role(header.type_flag, &path);
    complaints.extend(unknown_kind(header.type_flag));

    let stored = if has_content(header.type_flag, role) {
        extended.size.or(header.size).unwrap_or(0)
    } else {
        0
    };
    let body_at = at.saturating_add(512);
    let is_old_sparse = header.type_flag == b'S';
    let (content, end) = if is_old_sparse {
        let (map, at) = sparse::old_gnu_map(block, blocks, body_at)?;
        let size = sparse::old_gnu_size(block).unwrap_or(stored);
        let layout = Layout { map: Map::Known(map), size, at, stored };
        (Content::Sparse(layout), at.saturating_add(padded(stored)))
    } else {
        (content(&mut extended, body_at, stored), body_at.saturating_add(padded(stored)))
    };
    let size = match (role, &content) {
        (Role::Node(FileKind::Regular), content) => content.size(),
        (Role::Node(FileKind::SymbolicLink), _) => ReadAt::len(&link),
        _ => 0,
    };
    let metadata = metadata(&header, &extended, (role, size));
    let attributes = extended.ordered_attributes();
    Ok(Member { role, path, link, metadata, attributes, content, next: end, complaints })
}

fn content(extended: &mut Extended, at: u64, stored: u64) -> Content {
    let sparse = std::mem::take(&mut extended.sparse);
    let map = match sparse.major {
        Some(1..) => Map::BeforeData,
        _ if sparse.has_map || sparse.real_size.is_some() => Map::Known(sparse.map),
        _ => return Content::Plain { at, length: stored },
    };
    let size = sparse.real_size.unwrap_or(stored);
    Content::Sparse(Layout { map, size, at, stored })
}

fn bad_field(field: &'static str, at: u64) -> EvidenceError {
    let (need, have) = ("a number".to_string(), "something else".to_string());
    EvidenceError::Malformed { what: field, at, need, have }
}

fn role(type_flag: u8, path: &[u8]) -> Role {
    match type_flag {
        b'1' => Role::HardLink,
        b'2' => Role::Node(FileKind::SymbolicLink),
        b'3' => Role::Node(FileKind::CharacterDevice),
        b'4' => Role::Node(FileKind::BlockDevice),
        b'5' | b'D' => Role::Node(FileKind::Directory),
        b'6' => Role::Node(FileKind::Fifo),
        b'V' | b'M' | b'N' => Role::Aside,
        // Before there was a type for directories, they were files with a slash.
        0 | b'0' if path.ends_with(b"/") => Role::Node(FileKind::Directory),
        // POSIX: what is not known is read as a regular file.
        _ => Role::Node(FileKind::Regular),
    }
}

fn unknown_kind(type_flag: u8) -> Option<EvidenceError> {
    let what = match type_flag {
        0 | b'0'..=b'7' | b'S' | b'D' | b'V' => return None,
        b'M' => "the continuation of a file from another volume (tar type M)".to_string(),
        b'N' => "a list of long names of an early GNU tar (type N)".to_string(),
        _ => format!("tar type {}, read as a regular file,", type_flag.escape_ascii()),
    };
    Some(EvidenceError::Unsupported(what))
}

/// Whether blocks with content follow the header. A hard link, a directory and a device have a size
/// now and then, and no content all the same; the directory of an incremental archive has a list.
fn has_content(type_flag: u8, role: Role) -> bool {
    type_flag == b'D' || matches!(role, Role::Node(FileKind::Regular) | Role::Aside)
}

/// Headers tell seconds, extended headers nanoseconds.
fn metadata(header: &Header, extended: &Extended, (role, size): (Role, u64)) -> Metadata {
    let kind = match role {
        Role::Node(kind) => kind,
        Role::HardLink | Role::Aside => FileKind::Regular,
    };
    let seconds = |seconds: Option<i64>| seconds.and_then(|seconds| Instant::new(seconds, 0));
    let number = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
    let major = number(extended.device_major.or(header.device_major));
    let minor = number(extended.device_minor.or(header.device_minor));
    let is_device = matches!(kind, FileKind::CharacterDevice | FileKind::BlockDevice);
    let device = major.zip(minor).filter(|_| is_device);
    Metadata {
        kind,
        mode: header.mode.and_then(|mode| u32::try_from(mode & 0o7777).ok()),
        uid: extended.uid.or(header.uid),
        gid: extended.gid.or(header.gid),
        size,
        inode: extended.inode,
        links: extended.links,
        device: device.map(|(major, minor)| DeviceNumber { major, minor }),
        modified: extended.modified.or(seconds(header.modified)),
        accessed: extended.accessed.or(seconds(header.accessed)),
        changed: extended.changed.or(seconds(header.changed)),
        born: extended.born,
    }
}

impl Content {
    fn size(&self) -> u64 {
        match self {
            Content::Plain { length, .. } => *length,
            Content::Sparse(layout) => layout.size,
        }
    }
}

impl Member {
    /// The content, read in place. Of a truncated archive: as much as there is.
    pub(super) fn open(&self, blocks: &mut Blocks) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        match &self.content {
            Content::Plain { at, length } => {
                Ok(Arc::new(Range::new(blocks.bytes().clone(), *at, *length)))
            }
            Content::Sparse(layout) => layout.open(blocks),
        }
    }

    /// Offset in the archive at which its stored content begins.
    pub(super) fn content_at(&self) -> u64 {
        match &self.content {
            Content::Plain { at, .. } => *at,
            Content::Sparse(layout) => layout.at,
        }
    }

    /// Whether its content has holes, hence a map that can be wrong.
    pub(super) fn is_sparse(&self) -> bool {
        matches!(self.content, Content::Sparse(_))
    }

    /// How many of its bytes an archive of `size` bytes no longer has.
    pub(super) fn missing(&self, size: u64) -> u64 {
        let (at, stored) = match &self.content {
            Content::Plain { at, length } => (*at, *length),
            Content::Sparse(layout) => (layout.at, layout.stored),
        };
        stored.min(at.saturating_add(stored).saturating_sub(size))
    }
}
