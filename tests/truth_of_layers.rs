//! What an engine wrote down of the files of its layers, held to the files themselves: each
//! `tar-split` of a real host against the directory of its layer, and the timeline against both.

use crate::program::{host, list, run, text};
use dockline_evidence::walk::{Descend, walk};
use dockline_evidence::{FileKind, Metadata, Opening, Spool, Tree, TreePath, source};
use dockline_parsers::formats::tar_split::{Crc64, TarSplit};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A list of files, the directory of the layer, and whether that holds also all below the layer.
struct Layer {
    list: TreePath,
    directory: TreePath,
    is_whole_file_system: bool,
}

fn tree_of(name: &str) -> Arc<dyn Tree> {
    source::open(&host(name), name, &Opening::default()).unwrap().trees[0].tree.clone()
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

/// Every path below a directory, with what it is.
fn paths(tree: &dyn Tree, below: &TreePath) -> Vec<(TreePath, FileKind)> {
    let mut found = Vec::new();
    let mut visit = |path: &TreePath, entry: &dockline_evidence::Entry| {
        if path.starts_with(below) {
            found.push((path.clone(), entry.kind));
        }
        let is_on_the_way = path.starts_with(below) || below.starts_with(path);
        if is_on_the_way { Descend::Into } else { Descend::Past }
    };
    walk(tree, &mut visit, &mut |path, error| panic!("{path}: {error}"));
    found
}

fn content(tree: &dyn Tree, path: &TreePath) -> Vec<u8> {
    let bytes = tree.open(path).unwrap();
    dockline_evidence::read_at::read_up_to(&*bytes, 64 << 20).unwrap().0
}

fn layers(tree: &dyn Tree) -> Vec<Layer> {
    let lists = paths(tree, &TreePath::root()).into_iter().map(|(path, _)| path);
    let lists = lists.filter(|path| path.to_string().contains("tar-split"));
    lists.map(|list| layer(tree, list)).collect()
}

fn layer(tree: &dyn Tree, list: TreePath) -> Layer {
    let text = list.to_string();
    let directory = if let Some((root, _)) = text.split_once("/image/overlay2/layerdb/") {
        let cache_id = content(tree, &list.parent().unwrap().below(b"cache-id").unwrap());
        format!("{root}/overlay2/{}/diff", String::from_utf8(cache_id).unwrap())
    } else {
        let (root, rest) = text.rsplit_once('/').unwrap();
        let id = rest.split('.').next().unwrap();
        match root.strip_suffix("/overlay-layers") {
            Some(root) => format!("{root}/overlay/{id}/diff"),
            None => format!("{}/vfs/dir/{id}", root.strip_suffix("/vfs-layers").unwrap()),
        }
    };
    let is_whole_file_system = directory.contains("/vfs/");
    Layer { list, directory: path(&directory), is_whole_file_system }
}

/// The path of a node in the directory, for one in the list.
fn below(directory: &TreePath, path: &TreePath) -> TreePath {
    if path.is_root() { directory.clone() } else { directory.below(path.as_bytes()).unwrap() }
}

#[test]
fn every_list_of_a_layers_files_says_what_its_directory_holds() {
    let (mut lists, mut files, mut contents) = (0, 0, 0);
    for name in ["engine-20.10", "engine-20.10-lvm-xfs", "podman-4.3"] {
        let tree = tree_of(name);
        for layer in layers(&*tree) {
            let compressed = tree.open(&layer.list).unwrap();
            let split = TarSplit::read(&*compressed, "layer", &Spool::default()).unwrap();
            assert!(split.issues.is_empty() && split.cut.is_none(), "{}", layer.list);
            let (of_list, with_content) = check(&*tree, &layer, &split);
            lists += 1;
            files += of_list;
            contents += with_content;
        }
    }
    assert_eq!((lists, files, contents), (27, 1435, 144));
}

fn check(tree: &dyn Tree, layer: &Layer, split: &TarSplit) -> (usize, usize) {
    let (mut known, mut contents) = (BTreeSet::new(), 0);
    let of_list = paths(&*split.tree, &TreePath::root());
    let count = of_list.len();
    for (path, _) in of_list {
        let name = path.file_name().unwrap().to_vec();
        let directory = below(&layer.directory, &path.parent().unwrap());
        if let Some(hidden) = name.strip_prefix(b".wh.") {
            if hidden == b".wh..opq" {
                assert!(layer.is_whole_file_system || is_opaque(tree, &directory), "{path}");
                continue;
            }
            let hidden = directory.join(hidden).unwrap();
            known.insert(hidden.clone());
            match tree.metadata(&hidden) {
                Ok(metadata) => assert!(is_whiteout(&metadata), "{hidden}"),
                Err(_) => assert!(layer.is_whole_file_system, "{hidden}"),
            }
            continue;
        }
        let node = below(&layer.directory, &path);
        let listed = split.tree.metadata(&path).unwrap();
        let found = tree.metadata(&node).unwrap();
        same(&node, &listed, &found, layer.is_whole_file_system);
        if found.kind == FileKind::SymbolicLink {
            assert_eq!(split.tree.link_target(&path).unwrap(), tree.link_target(&node).unwrap());
        }
        if found.kind == FileKind::Regular && found.size > 0 {
            let mut crc = Crc64::default();
            crc.update(&content(tree, &node));
            assert_eq!(split.checksum(&path), Some(crc.finish()), "{node}");
            contents += 1;
        }
        known.insert(node);
    }
    for (node, kind) in paths(tree, &layer.directory) {
        let is_extra = kind != FileKind::Directory && !known.contains(&node);
        assert!(layer.is_whole_file_system || !is_extra, "{node} is not in the list");
    }
    (count, contents)
}

fn same(node: &TreePath, listed: &Metadata, found: &Metadata, is_shifted: bool) {
    assert_eq!((listed.kind, listed.device), (found.kind, found.device), "{node}");
    // A directory on the way to a file need not be in the archive.
    if listed.mode.is_none() {
        return;
    }
    if listed.kind != FileKind::Directory {
        assert_eq!(listed.size, found.size, "{node}");
    }
    if listed.kind != FileKind::SymbolicLink {
        assert_eq!(listed.mode, found.mode, "{node}");
    }
    // The users of a container are others on its host.
    if !is_shifted {
        assert_eq!((listed.uid, listed.gid), (found.uid, found.gid), "{node}");
    }
    let (listed, found) = (listed.modified.unwrap(), found.modified.unwrap());
    assert_eq!(listed.seconds(), found.seconds(), "{node}");
    // Docker leaves fractions of seconds out when it makes a layer.
    let is_cut = listed.nanoseconds() == 0;
    assert!(is_cut || listed == found, "{node}: {listed}, not {found}");
}

fn is_whiteout(metadata: &Metadata) -> bool {
    let zero = metadata.device.is_some_and(|device| (device.major, device.minor) == (0, 0));
    metadata.kind == FileKind::CharacterDevice && zero
}

fn is_opaque(tree: &dyn Tree, directory: &TreePath) -> bool {
    let attributes = tree.extended_attributes(directory).unwrap();
    attributes
        .iter()
        .any(|attribute| attribute.name == b"trusted.overlay.opaque" && attribute.value == b"y")
}

/// The events of the files of a host's layers.
fn events_of_layers(name: &str, layers: &str) -> Vec<Value> {
    let evidence = host(name);
    let arguments =
        ["timeline", evidence.to_str().unwrap(), "--parsers", "files.layer", "--layers", layers];
    let output = run(&[&arguments[..], &["-f", "jsonl", "-q"]].concat(), &[0, 3]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_file_of_a_list_is_told_with_its_layer_and_time_and_nothing_is_taken_for_tampered() {
    let mut count = 0;
    for name in ["engine-20.10", "engine-20.10-lvm-xfs", "podman-4.3"] {
        let events = events_of_layers(name, "all");
        let told: BTreeSet<(String, String, String)> = events
            .iter()
            .filter(|event| text(event, "macb").starts_with('M') && text(event, "action") == "file")
            .map(|event| {
                let id = text(event, "layer_identifier").trim_start_matches("sha256:");
                let second = text(event, "datetime").get(..19).unwrap();
                (id.to_owned(), text(event, "filename").to_owned(), second.to_owned())
            })
            .collect();
        let tampered = |event: &&Value| list(event, "tag").contains(&"layer-tampered");
        assert_eq!(events.iter().find(tampered), None, "{name}");
        let tree = tree_of(name);
        for layer in layers(&*tree) {
            let compressed = tree.open(&layer.list).unwrap();
            let split = TarSplit::read(&*compressed, "layer", &Spool::default()).unwrap();
            let file = layer.list.to_string();
            let digits = |part: &&str| part.len() == 64;
            let id = file.split(['/', '.']).find(digits).unwrap();
            for (path, _) in paths(&*split.tree, &TreePath::root()) {
                let metadata = split.tree.metadata(&path).unwrap();
                let is_mark = path.file_name().unwrap().starts_with(b".wh.");
                let Some(modified) = metadata.modified.filter(|_| !is_mark) else { continue };
                let second = modified.to_string().get(..19).unwrap().to_owned();
                let expected = (id.to_owned(), path.to_string(), second);
                assert!(told.contains(&expected), "{name}: {expected:?}");
                count += 1;
            }
        }
    }
    assert_eq!(count, 1372);
}

#[test]
fn every_layer_of_containerd_is_as_its_archive_came() {
    let events = events_of_layers("engine-29.7", "all");
    let tampered = |event: &&Value| list(event, "tag").contains(&"layer-tampered");
    assert_eq!(events.iter().find(tampered), None);
    let layers: BTreeSet<&str> =
        events.iter().map(|event| text(event, "layer_identifier")).collect();
    assert!(layers.len() > 3, "{layers:?}");
}

#[test]
fn layers_from_a_registry_are_left_out_unless_they_are_asked_for() {
    let layers = |which| {
        let events = events_of_layers("podman-4.3", which);
        let ids = events.iter().map(|event| text(event, "layer_identifier").to_owned());
        ids.collect::<BTreeSet<String>>()
    };
    let (none, built, all) = (layers("none"), layers("built"), layers("all"));
    let left_out: BTreeSet<&str> = all.difference(&built).map(|id| &id[..12]).collect();
    assert_eq!(left_out, BTreeSet::from(["dc8a8a69943d", "de4266640885"]));
    assert!(none.is_empty() && built.is_subset(&all) && built.len() == 4, "{built:?}");
}
