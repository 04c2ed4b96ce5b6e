//! The tree of an archive: its members by path, with the directories that their paths imply.

use super::member::Member;
use crate::{Entry, EvidenceError, FileKind, TreePath};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Components of one path; what lies deeper is not shown.
const MAX_DEPTH: usize = 64;
/// Bytes of one name with its path.
const MAX_NAME: usize = 4_096;
/// Bytes of all paths together, also of the directories that are implied.
const MAX_NAME_BYTES: u64 = 1 << 28;

/// The members of an archive by path.
pub(super) struct Index {
    nodes: BTreeMap<TreePath, (FileKind, Option<usize>)>,
    members: Vec<Member>,
    name_bytes: u64,
}

/// Members that have no place in the tree, by why.
#[derive(Default)]
struct Refused {
    outside: u64,
    deep: u64,
    twice: u64,
    in_files: u64,
}

impl Index {
    /// The tree of these members; the last of several with one name wins.
    pub(super) fn of(members: Vec<Member>) -> (Index, Vec<EvidenceError>) {
        let root = (TreePath::root(), (FileKind::Directory, None));
        let mut index = Index { nodes: BTreeMap::from([root]), members: Vec::new(), name_bytes: 0 };
        let (mut refused, mut flaws) = (Refused::default(), Vec::new());
        for (position, member) in members.iter().enumerate() {
            if index.name_bytes > MAX_NAME_BYTES {
                let what = "bytes of names in a zip archive";
                flaws.push(EvidenceError::LimitReached { what, limit: MAX_NAME_BYTES });
                break;
            }
            index.add(member, position, &mut refused);
        }
        index.members = members;
        flaws.extend(refused.into_flaws());
        (index, flaws)
    }

    fn add(&mut self, member: &Member, position: usize, refused: &mut Refused) {
        // Programs of Windows write `\` where the format wants `/`.
        let name: Vec<u8> = if member.name.contains(&b'/') {
            member.name.clone()
        } else {
            member.name.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
        };
        let is_too_long = name.len() > MAX_NAME;
        let path = if is_too_long { None } else { TreePath::parse(&name) };
        let depth = path.as_ref().map_or(0, |path| path.components().count());
        match path {
            _ if is_too_long => refused.deep = refused.deep.saturating_add(1),
            Some(_) if depth > MAX_DEPTH => refused.deep = refused.deep.saturating_add(1),
            Some(path) if !path.is_root() && !name.starts_with(b"/") => {
                self.put(path, (member.kind, position), refused);
            }
            // The root itself may be a member.
            Some(path) if path.is_root() && member.kind == FileKind::Directory => {}
            _ => refused.outside = refused.outside.saturating_add(1),
        }
    }

    fn put(&mut self, path: TreePath, (kind, position): (FileKind, usize), refused: &mut Refused) {
        let mut above = path.parent();
        while let Some(directory) = above {
            match self.nodes.get(&directory) {
                Some((FileKind::Directory, _)) => break,
                Some(_) => return refused.in_files = refused.in_files.saturating_add(1),
                None => {}
            }
            self.count(&directory);
            above = directory.parent();
            self.nodes.insert(directory, (FileKind::Directory, None));
        }
        self.count(&path);
        let is_implied = matches!(self.nodes.get(&path), Some((FileKind::Directory, None)));
        if is_implied && kind != FileKind::Directory {
            return refused.in_files = refused.in_files.saturating_add(1);
        }
        if self
            .nodes
            .insert(path, (kind, Some(position)))
            .is_some_and(|(_, before)| before.is_some())
        {
            refused.twice = refused.twice.saturating_add(1);
        }
    }

    fn count(&mut self, path: &TreePath) {
        let length = u64::try_from(path.as_bytes().len()).unwrap_or(u64::MAX);
        self.name_bytes = self.name_bytes.saturating_add(length).saturating_add(1);
    }

    /// What lies at a path: its kind, and the member that it is, unless it is only implied.
    pub(super) fn node(&self, path: &TreePath) -> Option<(FileKind, Option<&Member>)> {
        let (kind, position) = self.nodes.get(path)?;
        Some((*kind, position.and_then(|position| self.members.get(position))))
    }

    /// The entries of a directory, by name.
    pub(super) fn list(&self, directory: &TreePath) -> Vec<Entry> {
        // Paths order as a walk visits them: all that lies below the directory follows it.
        let after = (Bound::Excluded(directory), Bound::Unbounded);
        let below = self.nodes.range::<TreePath, _>(after);
        let below = below.take_while(|(path, _)| path.starts_with(directory));
        let own = below.filter(|(path, _)| {
            path.split_last().is_some_and(|(above, _)| above == directory.as_bytes())
        });
        own.filter_map(|(path, (kind, _))| {
            Some(Entry { name: path.file_name()?.to_vec(), kind: *kind })
        })
        .collect()
    }
}

impl Refused {
    fn into_flaws(self) -> Vec<EvidenceError> {
        let flaw = |count: u64, need: &str, have: &str| {
            let (need, have) = (need.to_owned(), format!("{count} {have}"));
            (count > 0).then_some(EvidenceError::Malformed {
                what: "zip archive",
                at: 0,
                need,
                have,
            })
        };
        let too_deep = (self.deep > 0).then_some(EvidenceError::LimitReached {
            what: "components or bytes of the name of a member of a zip archive",
            limit: u64::try_from(MAX_DEPTH).unwrap_or(u64::MAX),
        });
        let flaws = [
            flaw(
                self.outside,
                "names inside of the archive",
                "that lead out of it, which are not shown",
            ),
            flaw(
                self.in_files,
                "directories above members",
                "that lie in files, which are not shown",
            ),
            flaw(self.twice, "each name once", "names again, of which the last is shown"),
            too_deep,
        ];
        flaws.into_iter().flatten().collect()
    }
}
