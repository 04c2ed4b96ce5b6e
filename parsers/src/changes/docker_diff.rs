//! The words of `docker diff`: which names it would list, and with which letter.
//!
//! Docker mounts what the container sees and what it saw before it started, and compares them node
//! by node: a new name is `A`, one that is gone `D`; a node whose kind, mode, owner, device number or
//! privileges differ is `C`, and so is a file whose size or modification time does. A directory in which something is
//! listed is `C`; all in a new directory is listed, and nothing in a deleted one. With drivers and
//! kernels where it may, it reads the writable layer alone; the result is the same but for
//! directories that were deleted and made again.
//!
//! Listed here and not by Docker: a file whose content differs, but whose size and modification time
//! are what they were.
//!
//! Where the engine keeps no layer with what it puts into a container (Podman, CRI-O), its mount
//! points lie in the writable layer, and `podman diff` does not list those below; nor is it done here.
//!
//! moby 29.7.2 `daemon/graphdriver/fsdiff.go`, `github.com/moby/go-archive` `changes.go`; Podman 4.3
//! `libpod/diff.go`.

use super::lower::Lower;
use super::views::{Comparison, Different};
use super::{Change, Problem, Unknown, changes};
use crate::inventory::{ImageFiles, LayerBelow, WritableLayer};
use dockline_evidence::TreePath;
use std::collections::{BTreeMap, BTreeSet};

/// What Podman makes in every container.
const ENGINES_OWN: [&[u8]; 11] = [
    b"dev",
    b"etc/hostname",
    b"etc/hosts",
    b"etc/mtab",
    b"etc/resolv.conf",
    b"proc",
    b"run",
    b"run/.containerenv",
    b"run/notify",
    b"run/secrets",
    b"sys",
];

/// What `docker diff` writes before a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letter {
    /// `A`
    Added,
    /// `C`
    Changed,
    /// `D`
    Deleted,
}

impl Letter {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Letter::Added => "A",
            Letter::Changed => "C",
            Letter::Deleted => "D",
        }
    }
}

/// One name that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `None` where `docker diff` does not list the name.
    pub letter: Option<Letter>,
    /// What became of it.
    pub change: Change,
}

/// What a container changed, ordered by path, and what could not be known.
#[must_use]
pub fn of_container(layer: &WritableLayer) -> (Vec<Difference>, Unknown) {
    let mut known: BTreeMap<TreePath, Change> = BTreeMap::new();
    let mut unknown = changes(layer, &mut |change| {
        known.insert(change.path.clone(), change);
    });
    let own = LayerBelow { directory: layer.directory.clone(), id: String::new(), is_init: false };
    let layers: Vec<LayerBelow> = std::iter::once(own).chain(layer.below.iter().cloned()).collect();
    let (tree, style) = (&*layer.tree, layer.style);
    let view = |layers| Lower { tree, style, layers, problems: Vec::new() };
    let comparison = Comparison::of(view(&layer.below), view(&layers));
    let mut differences = differences(&comparison, &mut known);
    if !layer.below.iter().any(|below| below.is_init) {
        for difference in &mut differences {
            let is_engines = ENGINES_OWN.contains(&difference.change.path.as_bytes());
            difference.letter = difference.letter.filter(|_| !is_engines);
        }
    }
    differences.extend(known.into_values().map(|change| Difference { letter: None, change }));
    differences.sort_by(|one, other| one.change.path.cmp(&other.change.path));
    unknown.problems.extend(comparison.problems());
    unknown.problems = each_once(unknown.problems);
    (differences, unknown)
}

/// What differs from the first image to the second, ordered by path, and what could not be read of
/// each.
#[must_use]
pub fn of_images(first: &ImageFiles, second: &ImageFiles) -> (Vec<Difference>, [Vec<Problem>; 2]) {
    let comparison = Comparison::of(view_of(first), view_of(second));
    let differences = differences(&comparison, &mut BTreeMap::new());
    let Comparison { before, after, .. } = comparison;
    (differences, [each_once(before.problems), each_once(after.problems)])
}

fn view_of(image: &ImageFiles) -> Lower<'_> {
    let ImageFiles { tree, style, layers, .. } = image;
    Lower { tree: &**tree, style: *style, layers, problems: Vec::new() }
}

/// The names that are listed, with what is `known` of them, which is taken.
fn differences(
    comparison: &Comparison<'_>,
    known: &mut BTreeMap<TreePath, Change>,
) -> Vec<Difference> {
    let found = &comparison.found;
    let difference = |(path, letter): (&TreePath, Letter)| {
        let change = known.remove(path).or_else(|| change(path, found.get(path)?, comparison))?;
        Some(Difference { letter: Some(letter), change })
    };
    listed(found).into_iter().filter_map(difference).collect()
}

/// The names that are listed: those that differ, and the directories above them.
fn listed(found: &BTreeMap<TreePath, Different>) -> BTreeMap<&TreePath, Letter> {
    let mut listed = BTreeMap::new();
    for (path, different) in found.iter().filter(|(_, different)| different.itself) {
        let letter = match (&different.before, &different.after) {
            (None, _) => Letter::Added,
            (_, None) => Letter::Deleted,
            _ => Letter::Changed,
        };
        listed.insert(path, letter);
        let above = std::iter::successors(path.parent(), TreePath::parent);
        for above in above.filter(|above| !above.is_root()) {
            let Some((directory, different)) = found.get_key_value(&above) else { break };
            // The directories above one that is listed are, or will be.
            if different.itself || listed.insert(directory, Letter::Changed).is_some() {
                break;
            }
        }
    }
    listed
}

fn change(path: &TreePath, different: &Different, comparison: &Comparison<'_>) -> Option<Change> {
    let node = different.after.as_ref().or(different.before.as_ref())?;
    Some(Change {
        path: path.clone(),
        place: node.place.clone(),
        class: comparison.class(different),
        metadata: node.metadata.clone(),
        below: different.before.clone(),
        moved_from: None,
        is_copy: false,
        directory_modified: None,
        deleted_at: None,
        with_directory: false,
    })
}

/// Both views read the layers that they share.
fn each_once(mut problems: Vec<Problem>) -> Vec<Problem> {
    let mut told = BTreeSet::new();
    problems.retain(|(path, error)| told.insert((path.clone(), error.to_string())));
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, base, layer, whiteout};
    use super::*;
    use crate::inventory::Style;
    use dockline_evidence::{FileKind, MemoryTree, Tree};
    use dockline_timeline::Instant;
    use std::sync::Arc;

    fn lines(layer: &WritableLayer) -> Vec<String> {
        let (differences, Unknown { problems, .. }) = of_container(layer);
        assert!(problems.is_empty(), "{problems:?}");
        let line =
            |found: &Difference| Some(format!("{} {}", found.letter?.as_str(), found.change.path));
        differences.iter().filter_map(line).collect()
    }

    fn listed(tree: MemoryTree) -> Vec<String> {
        lines(&layer(tree, Style::Overlay))
    }

    #[test]
    fn a_directory_is_listed_when_something_below_it_is() {
        let tree = base()
            .with_file("low/d/e/f", "x", at(1))
            .with_file("up/d/e/f", "yy", at(2))
            .with_file("low/idle/f", "x", at(1))
            .with_file("up/idle/f", "x", at(1));
        assert_eq!(listed(tree.clone()), ["C /d", "C /d/e", "C /d/e/f"]);
        let times = tree.clone().with_metadata("up/idle", |found| found.modified = at(9));
        assert_eq!(listed(times), ["C /d", "C /d/e", "C /d/e/f"], "times of directories");
        let mode = tree.with_metadata("up/idle", |found| found.mode = Some(0o700));
        assert_eq!(listed(mode), ["C /d", "C /d/e", "C /d/e/f", "C /idle"]);
    }

    #[test]
    fn all_in_a_new_directory_is_listed_and_nothing_in_a_deleted_one() {
        let tree = whiteout(base().with_file("low/old/a/b", "x", at(1)), "up/old");
        let tree = tree.with_file("up/new/a/b", "x", at(1));
        assert_eq!(listed(tree), ["A /new", "A /new/a", "A /new/a/b", "D /old"]);
    }

    #[test]
    fn a_directory_that_was_made_again_lists_what_it_lost() {
        let tree = base()
            .with_file("low/d/gone", "x", at(1))
            .with_file("low/d/same", "x", at(1))
            .with_file("up/d/same", "x", at(1))
            .with_file("up/d/new", "x", at(1))
            .with_attribute("up/d", "trusted.overlay.opaque", b"y");
        assert_eq!(listed(tree), ["C /d", "D /d/gone", "A /d/new"]);
    }

    #[test]
    fn a_whiteout_of_nothing_is_not_listed() {
        assert_eq!(listed(whiteout(base(), "up/f")), [""; 0]);
    }

    #[test]
    fn another_content_is_listed_though_size_and_time_are_the_same() {
        let tree = base().with_file("low/f", "x", at(1)).with_file("up/f", "y", at(1));
        assert_eq!(listed(tree), ["C /f"]);
    }

    #[test]
    fn a_time_without_a_fraction_is_any_of_its_second() {
        let tree = base().with_file("low/f", "x", at(1)).with_file("up/f", "x", at(1));
        let fraction = |nanoseconds| Instant::new(1, nanoseconds);
        let tree = tree.with_metadata("up/f", |found| found.modified = fraction(5));
        assert_eq!(listed(tree.clone()), [""; 0]);
        let tree = tree.with_metadata("low/f", |found| found.modified = fraction(6));
        assert_eq!(listed(tree), ["C /f"]);
    }

    #[test]
    fn a_directory_that_became_a_file_is_changed() {
        let tree = base().with_file("low/d/f", "x", at(1)).with_file("up/d", "", at(1));
        assert_eq!(listed(tree), ["C /d"]);
        let tree = base().with_node("low/d", FileKind::Fifo, b"").with_file("up/d/f", "", at(1));
        assert_eq!(listed(tree), ["C /d", "A /d/f"]);
    }

    #[test]
    fn all_in_a_directory_that_was_moved_is_added() {
        let tree = base()
            .with_file("low/old/f", "x", at(1))
            .with_file("low/old/e/g", "x", at(1))
            .with_directory("up/new", None)
            .with_attribute("up/new", "trusted.overlay.redirect", b"old");
        let tree = whiteout(tree, "up/old");
        assert_eq!(listed(tree), ["A /new", "A /new/e", "A /new/e/g", "A /new/f", "D /old"]);
    }

    #[test]
    fn what_is_not_listed_is_there_without_a_letter() {
        let tree = whiteout(base().with_file("low/d/f", "x", at(1)), "up/d");
        let (differences, _) = of_container(&layer(tree, Style::Overlay));
        let [directory, file] = differences.as_slice() else { panic!("{differences:?}") };
        assert_eq!(directory.letter, Some(Letter::Deleted));
        assert!(directory.change.deleted_at.is_some(), "it keeps what is known of its end");
        assert_eq!((file.letter, file.change.path.to_string()), (None, "/d/f".to_owned()));
    }

    #[test]
    fn mount_points_of_the_engine_are_not_listed_where_they_lie_with_the_rest() {
        let tree = base().with_file("up/etc/hosts", "", at(1)).with_file("up/etc/x", "", at(1));
        let mut layer = layer(tree, Style::Overlay);
        assert_eq!(lines(&layer), ["A /etc", "A /etc/x"]);
        layer.below[0].is_init = true;
        assert_eq!(lines(&layer), ["A /etc", "A /etc/hosts", "A /etc/x"]);
    }

    #[test]
    fn a_copy_of_the_whole_tree_lists_the_directories_above_a_change() {
        let tree = base()
            .with_file("mid/d/e/f", "x", at(1))
            .with_file("mid/same/f", "x", at(1))
            .with_file("up/d/e/g", "x", at(1))
            .with_file("up/same/f", "x", at(1));
        let found = lines(&layer(tree, Style::Whole));
        assert_eq!(found, ["C /d", "C /d/e", "D /d/e/f", "A /d/e/g"]);
    }

    #[test]
    fn two_images_are_compared_as_their_containers_would_see_them() {
        let tree = base()
            .with_file("low/shared/f", "x", at(1))
            .with_file("low/f", "old", at(1))
            .with_file("mid/f", "new!", at(2))
            .with_file("up/added/f", "x", at(1));
        let tree: Arc<dyn Tree> = Arc::new(whiteout(tree, "up/f"));
        let image = |names: &[&str]| {
            let below = |name: &&str| LayerBelow {
                directory: TreePath::parse(name.as_bytes()).unwrap(),
                id: (*name).to_owned(),
                is_init: false,
            };
            let layers = names.iter().map(below).collect();
            let (tree, style) = (tree.clone(), Style::Overlay);
            ImageFiles { tree, style, layers, missing: Vec::new(), not_of_image: Vec::new() }
        };
        let of = |first: &[&str], second: &[&str]| -> Vec<String> {
            let (found, problems) = of_images(&image(first), &image(second));
            assert!(problems.iter().all(Vec::is_empty), "{problems:?}");
            let letter = |found: &Difference| found.letter.unwrap().as_str();
            found
                .iter()
                .map(|found| {
                    format!("{} {} {:?}", letter(found), found.change.path, found.change.class)
                })
                .collect()
        };
        assert_eq!(of(&["low"], &["mid", "low"]), ["C /f Modified"]);
        let expected = ["A /added Added", "A /added/f Added", "D /f Deleted"];
        assert_eq!(of(&["mid", "low"], &["up", "mid", "low"]), expected);
        assert_eq!(of(&["up", "mid", "low"], &["low"])[1], "A /f Added");
    }
}
