//! What changed, in layers in memory.

use super::*;
use crate::inventory::LayerBelow;
use dockline_evidence::MemoryTree;
use std::sync::Arc;

pub(super) fn at(seconds: i64) -> Option<Instant> {
    Instant::new(seconds, 0)
}

/// A writable layer `up` over `mid` over `low`.
pub(super) fn layer(tree: MemoryTree, style: Style) -> WritableLayer {
    let below = |name: &str| LayerBelow {
        directory: TreePath::parse(name.as_bytes()).unwrap(),
        id: name.to_owned(),
        is_init: false,
    };
    WritableLayer {
        tree: Arc::new(tree),
        container: None,
        driver: "overlay2".to_owned(),
        style,
        directory: TreePath::parse(b"up").unwrap(),
        below: vec![below("mid"), below("low")],
    }
}

pub(super) fn base() -> MemoryTree {
    MemoryTree::new()
        .with_directory("up", None)
        .with_directory("mid", None)
        .with_directory("low", None)
}

pub(super) fn whiteout(tree: MemoryTree, path: &str) -> MemoryTree {
    tree.with_node(path, FileKind::CharacterDevice, b"").with_metadata(path, |metadata| {
        metadata.device = Some(dockline_evidence::DeviceNumber { major: 0, minor: 0 });
        metadata.modified = at(100);
        metadata.changed = at(100);
    })
}

fn told(tree: MemoryTree, style: Style) -> Vec<(String, Class, Option<usize>)> {
    let mut found = Vec::new();
    let Unknown { problems, .. } = changes(&layer(tree, style), &mut |change| {
        let layer = change.below.as_ref().map(|below| below.layer);
        found.push((change.path.to_string(), change.class, layer));
    });
    assert!(problems.is_empty(), "{problems:?}");
    found
}

fn one(tree: MemoryTree, style: Style, path: &str) -> (Class, Option<usize>) {
    let found = told(tree, style);
    let mut of_path = found.iter().filter(|(told, ..)| told == path);
    let (_, class, layer) = of_path.next().unwrap_or_else(|| panic!("{found:?}"));
    assert!(of_path.next().is_none(), "told once: {found:?}");
    (*class, *layer)
}

#[test]
fn a_file_is_held_against_the_nearest_layer_that_has_it() {
    let tree = || base().with_file("low/f", "old", at(1)).with_file("mid/f", "new", at(2));
    let of = |content: &str, time| {
        one(tree().with_file("up/f", content, at(time)), Style::Overlay, "/f")
    };
    assert_eq!(of("new", 2), (Class::CopiedUp, Some(0)));
    assert_eq!(of("new", 3), (Class::Metadata, Some(0)));
    assert_eq!(of("old", 2), (Class::Modified, Some(0)), "same size, same time, another content");
    assert_eq!(of("longer", 3), (Class::Modified, Some(0)));
    let link = tree().with_node("up/f", FileKind::SymbolicLink, b"x");
    assert_eq!(one(link, Style::Overlay, "/f"), (Class::Replaced, Some(0)));
    let other = tree().with_file("up/g", "", at(1));
    assert_eq!(one(other, Style::Overlay, "/g"), (Class::Added, None));
}

#[test]
fn a_mode_or_an_owner_alone_is_metadata() {
    let tree = base().with_file("low/f", "x", at(1)).with_file("up/f", "x", at(1));
    let tree = tree.with_metadata("up/f", |metadata| metadata.mode = Some(0o777));
    assert_eq!(one(tree, Style::Overlay, "/f"), (Class::Metadata, Some(1)));
}

#[test]
fn a_privilege_alone_is_metadata() {
    let tree = base().with_file("low/f", "x", at(1)).with_file("up/f", "x", at(1));
    let tree = tree.with_attribute("up/f", "security.capability", b"net_raw");
    assert_eq!(one(tree, Style::Overlay, "/f"), (Class::Metadata, Some(1)));
}

#[test]
fn what_a_layer_between_deleted_is_not_below() {
    let tree =
        whiteout(base().with_file("low/f", "x", at(1)), "mid/f").with_file("up/f", "x", at(1));
    assert_eq!(one(tree, Style::Overlay, "/f"), (Class::Added, None));
    let tree = base().with_file("low/d/f", "x", at(1)).with_file("up/d/f", "x", at(1));
    let tree =
        tree.with_directory("mid/d", None).with_attribute("mid/d", "trusted.overlay.opaque", b"y");
    assert_eq!(one(tree, Style::Overlay, "/d/f"), (Class::Added, None));
}

#[test]
fn a_whiteout_deletes_all_that_was_below() {
    let tree = base().with_file("low/d/a/b", "x", at(1)).with_file("mid/d/c", "y", at(1));
    let expected = [("/d", Some(0)), ("/d/a", Some(1)), ("/d/c", Some(0)), ("/d/a/b", Some(1))];
    let expected = expected.map(|(path, layer)| (path.to_owned(), Class::Deleted, layer));
    assert_eq!(told(whiteout(tree.clone(), "up/d"), Style::Overlay), expected);
    // A file that stands for a whiteout, where the driver writes such files.
    let named = || tree.clone().with_file("up/.wh.d", "", at(5));
    assert_eq!(told(named(), Style::NamedWhiteouts), expected);
    assert_eq!(told(named(), Style::Overlay), [("/.wh.d".to_owned(), Class::Added, None)]);
}

#[test]
fn of_a_deleted_directory_that_holds_too_much_the_rest_is_told_to_be_missing() {
    let tree = base().with_file("low/d/a/b", "x", at(1)).with_file("low/d/c", "y", at(1));
    let tree = whiteout(tree, "up/d");
    let of = |names, depth| {
        let mut paths = Vec::new();
        let limits = Limits { names, depth };
        let layer = layer(tree.clone(), Style::Overlay);
        let Unknown { problems, .. } = changes_within(&layer, limits, &mut |change| {
            paths.push(change.path.to_string());
        });
        let problems = problems.iter().map(|(path, error)| format!("{path}: {error}"));
        (paths.join(" "), problems.collect::<Vec<_>>())
    };
    let all = "/d /d/a /d/c /d/a/b".to_owned();
    assert_eq!(of(3, 2), (all, vec![]), "at the limits all is told");
    let few = "/up/d: names in a deleted directory: limit of 2 reached".to_owned();
    assert_eq!(of(2, 2), ("/d /d/a /d/c".to_owned(), vec![few]));
    let flat = "/up/d: directories below one another in a deleted directory: limit of 1 reached";
    assert_eq!(of(3, 1), ("/d /d/a /d/c".to_owned(), vec![flat.to_owned()]));
}

#[test]
fn an_opaque_directory_hides_what_was_below_but_for_what_was_made_again() {
    let tree = base()
        .with_file("low/d/a", "x", at(1))
        .with_file("low/d/e/f", "x", at(1))
        .with_file("mid/d/b", "y", at(1));
    let tree = tree
        .with_file("up/d/a", "x", at(1))
        .with_metadata("up/d", |metadata| metadata.born = at(9));
    let opaque = tree.clone().with_attribute("up/d", "trusted.overlay.opaque", b"y");
    let expected = [
        ("/d", Class::Replaced, Some(0)),
        ("/d/b", Class::Deleted, Some(0)),
        ("/d/e", Class::Deleted, Some(1)),
        ("/d/e/f", Class::Deleted, Some(1)),
        ("/d/a", Class::Replaced, Some(1)),
    ];
    let expected = expected.map(|(path, class, layer)| (path.to_owned(), class, layer));
    assert_eq!(told(opaque, Style::Overlay), expected);
    let by_file = tree.with_file("up/d/.wh..wh..opq", "", at(1));
    assert_eq!(told(by_file, Style::NamedWhiteouts), expected);
}

#[test]
fn a_directory_that_was_moved_is_held_against_the_place_that_it_came_from() {
    let tree = base()
        .with_file("low/old/f", "x", at(1))
        .with_file("low/old/g", "x", at(1))
        .with_file("up/new/f", "xy", at(1));
    for from in ["/old", "old"] {
        let tree =
            tree.clone().with_attribute("up/new", "trusted.overlay.redirect", from.as_bytes());
        assert_eq!(one(tree, Style::Overlay, "/new/f"), (Class::Modified, Some(1)));
    }
    let circle = tree.with_attribute("up/new", "trusted.overlay.redirect", b"/new/../new");
    assert_eq!(one(circle, Style::Overlay, "/new/f"), (Class::Added, None));
}

#[test]
fn a_copy_without_content_is_that_of_the_layer_below() {
    let tree =
        base().with_file("low/f", "content", at(1)).with_file("up/f", "\0\0\0\0\0\0\0", at(1));
    let tree = tree
        .with_attribute("up/f", "user.overlay.metacopy", b"")
        .with_metadata("up/f", |metadata| metadata.uid = Some(7));
    assert_eq!(one(tree, Style::Overlay, "/f"), (Class::Metadata, Some(1)));
}

#[test]
fn where_copies_are_marked_a_file_without_a_mark_was_made_again() {
    let tree = base().with_file("low/f", "x", at(1)).with_file("up/f", "x", at(1));
    let tree = tree.with_attribute("up", "trusted.overlay.impure", b"y");
    assert_eq!(one(tree.clone(), Style::Overlay, "/f"), (Class::Replaced, Some(1)));
    let copy = tree.with_attribute("up/f", "trusted.overlay.origin", b"handle");
    assert_eq!(one(copy, Style::Overlay, "/f"), (Class::CopiedUp, Some(1)));
}

#[test]
fn a_copy_of_the_whole_tree_tells_only_what_differs() {
    let tree = base()
        .with_file("mid/same", "x", at(1))
        .with_file("mid/gone/f", "x", at(1))
        .with_file("mid/f", "x", at(1))
        .with_file("low/not-seen", "", at(1));
    let tree = tree.with_file("up/same", "x", at(1)).with_file("up/f", "xy", at(2)).with_file(
        "up/new",
        "",
        at(3),
    );
    let expected = [
        ("/gone", Class::Deleted, Some(0)),
        ("/gone/f", Class::Deleted, Some(0)),
        ("/f", Class::Modified, Some(0)),
        ("/new", Class::Added, None),
    ];
    let expected = expected.map(|(path, class, layer)| (path.to_owned(), class, layer));
    assert_eq!(told(tree, Style::Whole), expected);
}

#[test]
fn a_deletion_is_dated_as_well_as_its_whiteout_tells() {
    let time = |links, changed, directory| {
        let tree = whiteout(base().with_file("low/d/f", "x", at(1)), "up/d/f");
        let tree = tree.with_metadata("up/d/f", |metadata| {
            metadata.links = links;
            metadata.changed = at(changed);
        });
        let tree = tree.with_metadata("up/d", |metadata| metadata.modified = at(directory));
        let mut found = None;
        changes(&layer(tree, Style::Overlay), &mut |change| found = change.deleted_at.or(found));
        found.unwrap()
    };
    let [first, last] = [at(100).unwrap(), at(150).unwrap()];
    assert_eq!(time(Some(1), 150, 200), DeletedAt::Exactly(first));
    assert_eq!(time(Some(3), 150, 200), DeletedAt::Between(first, last));
    assert_eq!(time(Some(3), 200, 150), DeletedAt::Between(first, last));
    assert_eq!(time(None, 200, 100), DeletedAt::Exactly(first));
}

#[test]
fn layers_that_are_not_there_are_told_and_the_rest_is_read() {
    let tree = MemoryTree::new().with_file("up/f", "x", at(1)).with_file("low/f", "x", at(1));
    let mut classes = Vec::new();
    let Unknown { problems, .. } =
        changes(&layer(tree, Style::Overlay), &mut |change| classes.push(change.class));
    assert_eq!(classes, [Class::CopiedUp]);
    let told: Vec<String> =
        problems.iter().map(|(path, error)| format!("{path}: {error}")).collect();
    assert_eq!(told, ["/mid: no such file or directory"]);
}

#[test]
fn evidence_that_lost_the_attributes_of_overlayfs_is_known_by_it() {
    let lost =
        |tree: MemoryTree, style| changes(&layer(tree, style), &mut |_| {}).marks_are_missing;
    let tree = || base().with_file("low/d/f", "x", at(1)).with_file("up/d/f", "y", at(1));
    assert!(lost(tree(), Style::Overlay));
    assert!(!lost(tree(), Style::Whole));
    assert!(!lost(tree().with_attribute("up/d", "trusted.overlay.origin", b"x"), Style::Overlay));
    assert!(!lost(base().with_file("up/new/f", "y", at(1)), Style::Overlay), "nothing came up");
}
