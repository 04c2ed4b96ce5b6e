//! Path patterns: which files a parser claims.
//!
//! A pattern is the *end* of a path, as components joined by `/`: `containers/{container:id}/config.v2.json`
//! matches below any directory, so a data root is found wherever it lies. In a component stand
//! literal text and captures:
//!
//! | capture | matches |
//! |---|---|
//! | `{name:id}` | 64 lower-case hexadecimal digits |
//! | `{name}` | one or more bytes |
//! | `{name*}` | any number of bytes |
//! | `{name**}`, as a component of its own | one component or more, up to the nearest that the pattern goes on with |
//!
//! A `/` in front binds the pattern to the root of the tree: for names that many a program uses.
//! `(?i)` in front of all lets literal text match in any case of its ASCII letters: for the files of
//! Windows, whose file systems do not tell the cases apart.
//! A pattern that ends in `/` is that of a directory: it only says where such directories lie, and
//! matches no file.
//!
//! A capture takes as many bytes as it can. A name that stands twice must match the same text.

use crate::container_id::is_id;
use dockline_evidence::TreePath;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till1, take_while1};
use nom::combinator::{map, value};
use nom::multi::many1;
use nom::sequence::{delimited, terminated};
use nom::{IResult, Parser as _};

/// One piece of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(&'static str),
    /// The same in any case of its ASCII letters.
    AnyCase(&'static str),
    Id(&'static str),
    Some(&'static str),
    Any(&'static str),
}

/// One component, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Component {
    One(Vec<Piece>),
    Several(&'static str),
}

impl Component {
    /// Whether the texts with which it begins and ends are those of the name.
    fn may_be(&self, name: &[u8]) -> bool {
        let Component::One(pieces) = self else { return true };
        let is_in_any_case = |part: Option<&[u8]>, text: &str| {
            part.is_some_and(|part| part.eq_ignore_ascii_case(text.as_bytes()))
        };
        let begins = |piece: &Piece| match piece {
            Piece::Literal(text) => name.starts_with(text.as_bytes()),
            Piece::AnyCase(text) => is_in_any_case(name.get(..text.len()), text),
            _ => true,
        };
        let ends = |piece: &Piece| match piece {
            Piece::Literal(text) => name.ends_with(text.as_bytes()),
            Piece::AnyCase(text) => {
                let from = name.len().checked_sub(text.len());
                is_in_any_case(from.and_then(|from| name.get(from..)), text)
            }
            _ => true,
        };
        match pieces.as_slice() {
            [] => name.is_empty(),
            [Piece::Literal(text)] => name == text.as_bytes(),
            [Piece::AnyCase(text)] => name.eq_ignore_ascii_case(text.as_bytes()),
            [Piece::Id(_)] => is_id(name),
            [first, .., last] => begins(first) && ends(last),
            [_] => true,
        }
    }
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The last component first.
    components: Vec<Component>,
    /// Whether it matches at the root of a tree only.
    is_bound: bool,
}

/// What a pattern matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The directory below which the pattern matched.
    pub root: TreePath,
    /// Captured texts by name, in the order of the pattern.
    pub captures: Vec<(&'static str, String)>,
}

fn name(input: &'static str) -> IResult<&'static str, &'static str> {
    take_while1(|c: char| c.is_ascii_lowercase() || c == '_').parse(input)
}

fn piece(input: &'static str) -> IResult<&'static str, Piece> {
    let id = map(terminated(name, tag(":id")), Piece::Id);
    let any = map(terminated(name, tag("*")), Piece::Any);
    let some = map(name, Piece::Some);
    let capture = delimited(tag("{"), alt((id, any, some)), tag("}"));
    let literal = map(take_till1(|c| c == '{' || c == '}' || c == '/'), Piece::Literal);
    alt((capture, literal)).parse(input)
}

/// The literal texts of a component in any case.
fn in_any_case(component: &mut Component) {
    let Component::One(pieces) = component else { return };
    for piece in pieces {
        if let Piece::Literal(text) = piece {
            *piece = Piece::AnyCase(text);
        }
    }
}

fn component(input: &'static str) -> IResult<&'static str, Component> {
    let several = map(delimited(tag("{"), name, tag("**}")), Component::Several);
    alt((several, map(many1(piece), Component::One))).parse(input)
}

impl Pattern {
    /// Compiles a pattern; `None` when it is not one (a test holds this for every parser).
    #[must_use]
    pub fn compile(text: &'static str) -> Option<Pattern> {
        let mut components = Vec::new();
        if let Some(text) = text.strip_prefix("(?i)") {
            let mut pattern = Pattern::compile(text)?;
            pattern.components.iter_mut().for_each(in_any_case);
            return Some(pattern);
        }
        if let Some(directory) = text.strip_suffix('/') {
            return Pattern::compile(directory).map(Pattern::of_directory);
        }
        let (is_bound, text) = text.strip_prefix('/').map_or((false, text), |text| (true, text));
        for part in text.split('/') {
            let (rest, compiled) = component(part).ok()?;
            value((), nom::combinator::eof::<_, nom::error::Error<_>>).parse(rest).ok()?;
            components.push(compiled);
        }
        components.reverse();
        Some(Pattern { components, is_bound })
    }

    /// A pattern that matches no file.
    fn of_directory(mut self) -> Pattern {
        self.components.insert(0, Component::One(Vec::new()));
        self
    }

    /// Whether any file in a directory can match: a quick look that is wrong only to say so.
    pub(crate) fn may_match_in(&self, directory: &TreePath) -> bool {
        let mut names = directory.components().rev();
        let mut components = self.components.iter();
        if let Some(Component::Several(_)) = components.next() {
            let next = components.next();
            return next.is_none_or(|next| names.any(|name| next.may_be(name)));
        }
        for component in components {
            match (component, names.next()) {
                (Component::Several(_), Some(_)) => return true,
                (component, Some(name)) if component.may_be(name) => {}
                _ => return false,
            }
        }
        !self.is_bound || names.next().is_none()
    }

    /// Whether a file of this name can match: a quick look that is wrong only to say so.
    pub(crate) fn may_match_name(&self, name: &[u8]) -> bool {
        self.components.first().is_some_and(|component| component.may_be(name))
    }

    /// Matches the end of `path`.
    #[must_use]
    pub fn matches(&self, path: &TreePath) -> Option<Match> {
        let mut captures = Vec::new();
        let mut names = path.components().rev().peekable();
        let mut components = self.components.iter().peekable();
        let mut matched = 0_usize;
        while let Some(component) = components.next() {
            let name = names.next()?;
            let mut here = Vec::new();
            matched = matched.saturating_add(1);
            match component {
                Component::One(pieces) if is_match(pieces, name, &mut here) => {}
                Component::One(_) => return None,
                Component::Several(capture) => {
                    let mut several = vec![std::str::from_utf8(name).ok()?];
                    while let Some(name) = names.next_if(|name| !stops(components.peek(), name)) {
                        several.push(std::str::from_utf8(name).ok()?);
                        matched = matched.saturating_add(1);
                    }
                    several.reverse();
                    here.push((*capture, several.join("/")));
                }
            }
            // Components are visited from the end: captures are put in front to keep their order.
            here.append(&mut captures);
            captures = here;
        }
        if !consistent(&captures) {
            return None;
        }
        let mut root = path.clone();
        for _ in 0..matched {
            root = root.parent()?;
        }
        if self.is_bound && !root.is_root() {
            return None;
        }
        captures.dedup();
        Some(Match { root, captures })
    }
}

/// Whether a component that the pattern goes on with matches this name.
fn stops(next: Option<&&Component>, name: &[u8]) -> bool {
    matches!(next, Some(Component::One(pieces)) if is_match(pieces, name, &mut Vec::new()))
}

fn is_match(pieces: &[Piece], name: &[u8], captures: &mut Vec<(&'static str, String)>) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| match_component(pieces, name, captures))
}

/// Whether equal names captured equal texts.
fn consistent(captures: &[(&'static str, String)]) -> bool {
    captures
        .iter()
        .all(|(name, text)| captures.iter().all(|(other, also)| name != other || text == also))
}

/// Matches the pieces against a name from the left; a capture is as long as it can be.
fn match_component(
    pieces: &[Piece],
    name: &str,
    captures: &mut Vec<(&'static str, String)>,
) -> bool {
    let Some((piece, rest)) = pieces.split_first() else { return name.is_empty() };
    let (capture, shortest, longest) = match piece {
        Piece::Literal(text) => {
            return name
                .strip_prefix(text)
                .is_some_and(|name| match_component(rest, name, captures));
        }
        Piece::AnyCase(text) => {
            return name.split_at_checked(text.len()).is_some_and(|(taken, left)| {
                taken.eq_ignore_ascii_case(text) && match_component(rest, left, captures)
            });
        }
        Piece::Id(capture) => (capture, 64, 64),
        Piece::Some(capture) => (capture, 1, name.len()),
        Piece::Any(capture) => (capture, 0, name.len()),
    };
    for length in (shortest..=longest).rev() {
        let Some((taken, left)) = name.split_at_checked(length) else { continue };
        if matches!(piece, Piece::Id(_)) && !is_id(taken.as_bytes()) {
            continue;
        }
        let mark = captures.len();
        captures.push((capture, taken.to_owned()));
        if match_component(rest, left, captures) {
            return true;
        }
        captures.truncate(mark);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01afc5bdfb4c359054b68a1aa8195910aa85b3972a1dbd1df070cb25e29c039b";

    fn matched(pattern: &'static str, path: &str) -> Option<(String, Vec<(&'static str, String)>)> {
        let path = TreePath::parse(path.as_bytes()).unwrap();
        let found = Pattern::compile(pattern).unwrap().matches(&path)?;
        Some((found.root.to_string(), found.captures))
    }

    #[test]
    fn a_pattern_is_found_below_any_directory() {
        let pattern = "containers/{container:id}/config.v2.json";
        let captures = vec![("container", ID.to_owned())];
        let root = |path: &str| matched(pattern, path).map(|found| found.0);
        assert_eq!(
            matched(pattern, &format!("var/lib/docker/containers/{ID}/config.v2.json")),
            Some(("/var/lib/docker".to_owned(), captures))
        );
        assert_eq!(root(&format!("containers/{ID}/config.v2.json")), Some("/".to_owned()));
        assert_eq!(root(&format!("containers/{ID}/x/config.v2.json")), None);
        assert_eq!(root("containers/abc/config.v2.json"), None);
        assert_eq!(root(&format!("containers/{}/config.v2.json", ID.to_uppercase())), None);
        assert_eq!(root("config.v2.json"), None);
    }

    #[test]
    fn a_name_that_stands_twice_must_match_the_same_text() {
        let pattern = "{container:id}/{container:id}-json.log{rotation*}";
        let other = ID.replace('0', "1");
        let path = format!("containers/{ID}/{ID}-json.log.2.gz");
        let captures = matched(pattern, &path).unwrap().1;
        assert_eq!(captures, [("container", ID.to_owned()), ("rotation", ".2.gz".to_owned())]);
        assert_eq!(matched(pattern, &format!("containers/{ID}/{other}-json.log")), None);
    }

    #[test]
    fn a_capture_gives_back_what_the_rest_needs() {
        let captures = matched("{mount}-init/link", "l/abc-init-init/link").unwrap().1;
        assert_eq!(captures, [("mount", "abc-init".to_owned())]);
        assert_eq!(matched("{mount}-init/link", "l/-init/link"), None);
    }

    #[test]
    fn several_components_reach_up_to_the_nearest_that_the_pattern_goes_on_with() {
        let pattern = "repositories/{repository**}/_uploads/{upload}/data";
        let path = "srv/repositories/r/v2/repositories/lab/tools/web/_uploads/u/data";
        let captures = [("repository", "lab/tools/web".to_owned()), ("upload", "u".to_owned())];
        let found = matched(pattern, path).unwrap();
        assert_eq!(
            (found.0.as_str(), found.1.as_slice()),
            ("/srv/repositories/r/v2", &captures[..])
        );
        assert_eq!(matched(pattern, "v2/repositories/_uploads/u/data"), None);
        assert_eq!(matched(pattern, "lab/_uploads/u/data"), None);
    }

    #[test]
    fn a_pattern_with_a_slash_in_front_is_bound_to_the_root() {
        assert!(matched("/manifest.json", "manifest.json").is_some());
        assert_eq!(matched("/manifest.json", "app/manifest.json"), None);
        assert_eq!(matched("/a/{b}", "x/a/b"), None);
    }

    #[test]
    fn a_pattern_in_any_case_leaves_captures_as_they_are() {
        let pattern = "(?i)Users/{user}/AppData/Local/Docker/log{rotation*}.txt";
        let (root, captures) =
            matched(pattern, "c/USERS/Ana/appdata/local/DOCKER/Log.2.TXT").unwrap();
        assert_eq!(root, "/c");
        assert_eq!(captures, [("user", "Ana".to_owned()), ("rotation", ".2".to_owned())]);
        assert_eq!(matched(pattern, "Users/Ana/AppData/Local/Docker/lo.txt"), None);
        assert_eq!(matched("(?i){container:id}/x", &format!("{}/X", ID.to_uppercase())), None);
        assert_eq!(matched("Log.txt", "log.txt"), None);
        for path in ["users/a/AppData/local/docker/LOG.txt", "users/a/AppData/local/docker/txt"] {
            let path = TreePath::parse(path.as_bytes()).unwrap();
            let compiled = Pattern::compile(pattern).unwrap();
            assert!(compiled.may_match_in(&path.parent().unwrap()));
            let is_match = compiled.matches(&path).is_some();
            assert_eq!(compiled.may_match_name(path.file_name().unwrap()), is_match);
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in
            ["", "/", "//a", "a//b", "{", "{}", "{Name}", "{a:hex}", "a}", "x{a**}", "{a**}x"]
        {
            assert_eq!(Pattern::compile(text), None, "{text}");
        }
    }
}
