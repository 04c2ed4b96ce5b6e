//! Many patterns, asked for one file after another.
//!
//! A walk comes by the files of one directory together, and of hundreds of patterns few can match
//! there: those are found once for each directory. So millions of files that nobody reads cost little.

use crate::pattern::{Match, Pattern};
use dockline_evidence::TreePath;

/// Patterns, each with what it stands for.
#[derive(Debug)]
pub(crate) struct PatternSet<T> {
    patterns: Vec<(Pattern, T)>,
    /// The directory of the last file.
    directory: Option<TreePath>,
    /// Which patterns may match files in that directory.
    candidates: Vec<usize>,
}

impl<T: Copy> PatternSet<T> {
    /// A set of these patterns; the first that matches counts.
    pub(crate) fn new(patterns: impl IntoIterator<Item = (Pattern, T)>) -> PatternSet<T> {
        let patterns = patterns.into_iter().collect();
        PatternSet { patterns, directory: None, candidates: Vec::new() }
    }

    /// The first pattern that matches the end of `path`.
    pub(crate) fn first_match(&mut self, path: &TreePath) -> Option<(T, Match)> {
        let (above, name) = path.split_last()?;
        if self.directory.as_ref().map(TreePath::as_bytes) != Some(above) {
            self.enter(path.parent()?);
        }
        let candidates = self.candidates.iter().filter_map(|index| self.patterns.get(*index));
        let named = candidates.filter(|(pattern, _)| pattern.may_match_name(name));
        named.into_iter().find_map(|(pattern, what)| Some((*what, pattern.matches(path)?)))
    }

    fn enter(&mut self, directory: TreePath) {
        let all = self.patterns.iter().enumerate();
        let some = all.filter(|(_, (pattern, _))| pattern.may_match_in(&directory));
        self.candidates = some.map(|(index, _)| index).collect();
        self.directory = Some(directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parser;

    /// Paths that some pattern matches, and such that nearly do.
    fn paths() -> Vec<TreePath> {
        let id = "0123456789abcdef".repeat(4);
        let of = |reads: &str| {
            let text = reads.trim_start_matches("(?i)").trim_matches('/');
            let mut path = text.to_owned();
            while let Some((before, rest)) = path.split_once('{') {
                let (capture, after) = rest.split_once('}').unwrap();
                let filled = match capture {
                    name if name.ends_with(":id") => id.as_str(),
                    name if name.ends_with("**") => "a/b",
                    name if name.ends_with('*') => "",
                    _ => "x",
                };
                path = format!("{before}{filled}{after}");
            }
            path
        };
        let exact: Vec<String> =
            crate::all().flat_map(|parser| parser.reads.iter()).map(|reads| of(reads)).collect();
        let near = |path: &String| {
            [path.clone(), format!("srv/{path}"), format!("{path}x"), format!("{path}/x")]
        };
        let near = exact.iter().flat_map(near);
        near.map(|path| TreePath::parse(path.as_bytes()).unwrap()).collect()
    }

    fn all() -> Vec<(Pattern, &'static Parser)> {
        let reads = |parser: &'static Parser| {
            parser.reads.iter().map(move |text| (Pattern::compile(text).unwrap(), parser))
        };
        crate::all().flat_map(reads).collect()
    }

    #[test]
    fn a_set_finds_what_its_patterns_find_one_by_one() {
        let all = all();
        let mut set = PatternSet::new(all.clone());
        let (mut found, mut none) = (0, 0);
        for path in paths() {
            let one_by_one = all
                .iter()
                .find_map(|(pattern, parser)| Some((parser.name, pattern.matches(&path)?)));
            let by_set = set.first_match(&path).map(|(parser, found)| (parser.name, found));
            assert_eq!(by_set, one_by_one, "{path}");
            if by_set.is_some() { found += 1 } else { none += 1 }
        }
        assert!(found > 400 && none > 200, "{found} {none}");
    }

    #[test]
    fn in_a_directory_of_no_engine_few_patterns_are_asked() {
        let mut set = PatternSet::new(all());
        let path = TreePath::parse(b"usr/share/doc/bash/README").unwrap();
        assert!(set.first_match(&path).is_none());
        assert!(set.candidates.len() < set.patterns.len() / 4, "{}", set.candidates.len());
    }
}
