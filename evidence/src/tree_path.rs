//! A path inside a tree: components of bytes below its root, without `.` and `..`.

use std::fmt;
use std::sync::Arc;

/// A path inside a tree, from its root. It need not be UTF-8, has no leading `/`, and cannot leave
/// the root: no component is empty, `.` or `..`, or holds a `/` or a NUL.
///
/// Paths order by component, as a walk visits them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TreePath(Arc<[u8]>);

impl TreePath {
    /// The root of a tree.
    #[must_use]
    pub fn root() -> TreePath {
        TreePath(Arc::from([]))
    }

    /// A path from text such as `/var/lib/docker` or `var/lib/docker`; empty components and `.`
    /// are dropped. `None` when it would leave the root.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<TreePath> {
        let mut path = TreePath::root();
        for component in text.split(|byte| *byte == b'/') {
            if !component.is_empty() && component != b"." {
                path = path.join(component)?;
            }
        }
        Some(path)
    }

    /// This path and one more component; `None` when that is no name of a file.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Option<TreePath> {
        if !TreePath::is_name(name) {
            return None;
        }
        let mut bytes =
            Vec::with_capacity(self.0.len().saturating_add(name.len()).saturating_add(1));
        bytes.extend_from_slice(&self.0);
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Some(TreePath(Arc::from(bytes)))
    }

    /// Whether a file can have this name.
    pub(crate) fn is_name(name: &[u8]) -> bool {
        !name.is_empty()
            && name != b"."
            && name != b".."
            && !name.contains(&b'/')
            && !name.contains(&0)
    }

    /// This path and several components below it, such as `b"image/overlay2"`.
    #[must_use]
    pub fn below(&self, relative: &[u8]) -> Option<TreePath> {
        relative.split(|byte| *byte == b'/').try_fold(self.clone(), |path, name| path.join(name))
    }

    /// The directory that holds it; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<TreePath> {
        self.split_last().map(|(above, _)| TreePath(Arc::from(above)))
    }

    /// The path of the directory that holds it, and the last component; `None` for the root.
    #[must_use]
    pub fn split_last(&self) -> Option<(&[u8], &[u8])> {
        if self.is_root() {
            return None;
        }
        let Some(end) = self.0.iter().rposition(|byte| *byte == b'/') else {
            return Some((&[], &self.0));
        };
        let (above, name) = self.0.split_at_checked(end)?;
        Some((above, name.get(1..)?))
    }

    /// The last component; `None` for the root.
    #[must_use]
    pub fn file_name(&self) -> Option<&[u8]> {
        self.split_last().map(|(_, name)| name)
    }

    /// The components, from the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        TreePath::components_of(&self.0)
    }

    /// The components of the bytes of a path.
    pub(crate) fn components_of(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
        path.split(|byte| *byte == b'/').filter(|component| !component.is_empty())
    }

    /// The bytes, joined by `/`, without a leading one.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `self` lies below `ancestor` or is it.
    #[must_use]
    pub fn starts_with(&self, ancestor: &TreePath) -> bool {
        let mut mine = self.components();
        ancestor.components().all(|component| mine.next() == Some(component))
    }
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.components().cmp(other.components())
    }
}

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TreePath {
    /// With a leading `/`, and [`Visible`].
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("/")?;
        fmt::Display::fmt(&Visible(&self.0), formatter)
    }
}

/// The bytes of a path or of a link's target, shown so that different ones are always written
/// differently, and in one line: control characters, the separators U+2028 and U+2029, backslashes
/// and bytes that are not UTF-8 are `\xNN`.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a>(pub &'a [u8]);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let mut rest = chunk.valid();
            // Nearly all paths have nothing special: they are written as they are.
            while let Some(at) = rest.find(is_special) {
                let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
                formatter.write_str(plain)?;
                let mut characters = special.chars();
                let mut buffer = [0; 4];
                if let Some(character) = characters.next() {
                    write_bytes(formatter, character.encode_utf8(&mut buffer).as_bytes())?;
                }
                rest = characters.as_str();
            }
            formatter.write_str(rest)?;
            write_bytes(formatter, chunk.invalid())?;
        }
        Ok(())
    }
}

fn is_special(character: char) -> bool {
    character.is_control() || matches!(character, '\\' | '\u{2028}' | '\u{2029}')
}

fn write_bytes(formatter: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(formatter, "\\x{byte:02x}"))
}

impl fmt::Debug for TreePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_root() {
        assert_eq!(TreePath::parse(b"/var/../etc"), None);
        assert_eq!(TreePath::parse(b"a/b\0c"), None);
        assert_eq!(TreePath::root().join(b".."), None);
        assert_eq!(TreePath::root().join(b"a/b"), None);
        assert_eq!(TreePath::parse(b"./var//lib/."), TreePath::parse(b"/var/lib"));
    }

    #[test]
    fn different_paths_are_written_differently() {
        let written = |bytes: &[u8]| TreePath::parse(bytes).unwrap().to_string();
        assert_eq!(written(b"tmp/caf\xc3\xa9"), "/tmp/café");
        assert_eq!(written(b"tmp/\xff\n"), "/tmp/\\xff\\x0a");
        assert_eq!(written(b"tmp/\\xff"), "/tmp/\\x5cxff");
        assert_eq!(TreePath::root().to_string(), "/");
    }

    #[test]
    fn the_target_of_a_link_is_shown_as_it_is_written_there() {
        let shown = |target: &[u8]| Visible(target).to_string();
        assert_eq!(shown(b"../etc//passwd"), "../etc//passwd");
        assert_eq!(shown(b"/caf\xe9"), "/caf\\xe9");
        assert_eq!(shown("\u{fffd}".as_bytes()), "\u{fffd}");
        assert_eq!(shown("a\u{2028}".as_bytes()), "a\\xe2\\x80\\xa8");
        assert_eq!(shown(b""), "");
    }

    #[test]
    fn paths_order_as_a_walk_visits_them() {
        let path = |text: &str| TreePath::parse(text.as_bytes()).unwrap();
        assert!(path("a/b") < path("a-b"));
        assert!(path("a") < path("a/b"));
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(TreePath::root()));
        assert!(path("a/b").starts_with(&path("a")) && !path("ab").starts_with(&path("a")));
    }
}
