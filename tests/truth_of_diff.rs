//! `dockline diff` lists what `docker diff` and `podman diff` listed while the hosts lived.

use crate::program::{host, list, run, text};
use crate::truth::Truth;
use crate::truth_of_podman;
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::walk::{Descend, walk};
use dockline_evidence::{Entry, FileKind, Opening, Spool, TreePath, source};
use dockline_parsers::changes::Class;
use dockline_parsers::changes::docker_diff::{Difference, of_container};
use dockline_parsers::plan::{Layers, Reading, Subtree, plan};
use dockline_parsers::{ChainId, DiffId, Digest};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Each host of Docker, with the one whose truth holds for it: one has the data roots of another.
const HOSTS: [(&str, &str); 4] = [
    ("engine-20.10", "engine-20.10"),
    ("engine-20.10-lvm-xfs", "engine-20.10-lvm-xfs"),
    ("engine-29.7", "engine-29.7"),
    ("desktop-sim", "engine-29.7"),
];
const PODMAN: &str = "podman-4.3";

/// `C /etc`
type Lines = BTreeSet<String>;

/// What every container changed, by its name, and by where its layer lies.
fn differences(name: &str) -> BTreeMap<(String, String), Vec<Difference>> {
    let source = source::open(&host(name), name, &Opening::default()).unwrap();
    let subtrees = Subtree::of(&source, None, name);
    let reading = Reading { layers: Layers::None, ..Reading::default() };
    let plan = plan(&subtrees, &|parser| parser.name == "files.upper", &reading);
    let mut all = BTreeMap::new();
    for planned in &plan.planned {
        let file = &planned.artifact.files[0];
        let layers = &planned.inventory.writable_layers;
        let Some(layer) = layers.at(&planned.artifact.tree, &file.path) else { continue };
        let id = layer.container.as_ref().unwrap();
        let subject = planned.inventory.container_subject(id.as_str());
        let (differences, unknown) = of_container(layer);
        assert!(unknown.problems.is_empty() && !unknown.marks_are_missing, "{unknown:?}");
        let key = (subject.container_name.unwrap(), file.origin.path.to_string());
        assert!(all.insert(key, differences).is_none());
    }
    all
}

fn lines(differences: &[Difference]) -> Lines {
    let line =
        |found: &Difference| Some(format!("{} {}", found.letter?.as_str(), found.change.path));
    differences.iter().filter_map(line).collect()
}

fn check(what: &str, found: &Lines, expected: &Lines) {
    let [too_many, missing] =
        [found.difference(expected), expected.difference(found)].map(Vec::from_iter);
    assert!(found == expected, "{what}: too many {too_many:?}, missing {missing:?}");
}

#[test]
fn every_container_of_docker_changed_what_docker_said() {
    let mut counts = Vec::new();
    for (name, of) in HOSTS {
        let truth = Truth::of(of);
        let inspected = truth.json("inspect_containers.json");
        let found = differences(name);
        let found: BTreeMap<&str, Lines> = found
            .iter()
            .map(|((container, _), differences)| (container.as_str(), lines(differences)))
            .collect();
        let (mut containers, mut listed) = (0, 0);
        for file in truth.names("diff_") {
            let container = file.strip_prefix("diff_").unwrap().strip_suffix(".txt").unwrap();
            let recorded = String::from_utf8(truth.bytes(&file)).unwrap();
            let expected: Lines = recorded.lines().map(str::to_owned).collect();
            let Some(found) = found.get(container) else {
                // A task of Swarm ended with the engine, which then removed it.
                assert!(is_swarm_task(&inspected, container), "{name}: {container} is not there");
                continue;
            };
            check(&format!("{name}: {container}"), found, &expected);
            containers += 1;
            listed += expected.len();
        }
        counts.push((name, containers, listed));
    }
    let expected = [
        ("engine-20.10", 28, 104),
        ("engine-20.10-lvm-xfs", 4, 14),
        ("engine-29.7", 28, 104),
        ("desktop-sim", 28, 104),
    ];
    assert_eq!(counts, expected);
}

fn is_swarm_task(inspected: &[Value], container: &str) -> bool {
    let mut named =
        inspected.iter().filter(|one| text(one, "Name").trim_start_matches('/') == container);
    named.any(|one| one["Config"]["Labels"].get("com.docker.swarm.service.name").is_some())
}

#[test]
fn the_containers_of_podman_changed_what_podman_said() {
    let found = differences(PODMAN);
    let of = |root: &str| -> &[Difference] {
        let mut named =
            found.iter().filter(|((name, place), _)| name == "victim" && place.starts_with(root));
        named.next().unwrap().1
    };
    let rootless = lines(of("/home/alice/"));
    check("rootless", &rootless, &podman_diff("rootless"));
    assert_eq!(rootless.len(), 16);
    let rootful = as_the_layer_alone_says(of("/var/lib/containers/"));
    check("rootful", &rootful, &podman_diff("rootful"));
    assert_eq!(rootful.len(), 12);
}

fn podman_diff(user: &str) -> Lines {
    let recorded: Value =
        serde_json::from_slice(&truth_of_podman::bytes(user, "diff_victim.json")).unwrap();
    let lists = [("A", "added"), ("C", "changed"), ("D", "deleted")];
    let paths = lists.iter().flat_map(|(letter, name)| {
        list(&recorded, name).into_iter().map(move |path| format!("{letter} {path}"))
    });
    paths.collect()
}

/// Podman reads the writable layer of the driver overlay alone: a directory that was deleted and
/// made again is a deleted one, and what it lost is not listed.
fn as_the_layer_alone_says(differences: &[Difference]) -> Lines {
    let made_again = |found: &&Difference| {
        let is_directory = found.change.metadata.kind == FileKind::Directory;
        is_directory && found.change.class == Class::Replaced
    };
    let made_again: BTreeSet<TreePath> =
        differences.iter().filter(made_again).map(|found| found.change.path.clone()).collect();
    let mut lines = Lines::new();
    for found in differences {
        let Some(letter) = found.letter else { continue };
        let (path, class) = (&found.change.path, found.change.class);
        let was_lost = path.parent().is_some_and(|above| made_again.contains(&above));
        match class {
            Class::Replaced if made_again.contains(path) => lines.insert(format!("D {path}")),
            Class::Deleted if was_lost => false,
            _ => lines.insert(format!("{} {path}", letter.as_str())),
        };
    }
    lines
}

#[test]
fn the_command_writes_what_docker_wrote_and_more_on_demand() {
    let evidence = host("engine-20.10");
    let evidence = evidence.to_str().unwrap();
    let output = |more: &[&str]| {
        let output = run(&[&["diff", evidence, "--container", "victim"], more].concat(), &[0]);
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    };
    let recorded = Truth::of("engine-20.10").bytes("diff_victim.txt");
    let recorded = String::from_utf8(recorded).unwrap();
    let plain = output(&[]);
    let found: Vec<&str> = plain.lines().collect();
    check(
        "victim",
        &found.iter().map(|line| (*line).to_owned()).collect(),
        &recorded.lines().map(str::to_owned).collect(),
    );
    let paths: Vec<TreePath> =
        found.iter().map(|line| TreePath::parse(line[2..].as_bytes()).unwrap()).collect();
    assert!(paths.is_sorted(), "{found:?}");

    let table = output(&["--long"]);
    assert_eq!(table.lines().count(), found.len() + 1);
    let row = table.lines().find(|line| line.ends_with(" /etc/os-release")).unwrap();
    assert!(row.starts_with("D  deleted  "), "{row}");

    let told: Value = serde_json::from_str(&output(&["--json"])).unwrap();
    assert_eq!(told["container_name"], "victim");
    let changes = told["changes"].as_array().unwrap();
    let with_letter = changes.iter().filter(|change| !change["letter"].is_null());
    assert_eq!(with_letter.count(), found.len());
    let change = |path: &str| changes.iter().find(|change| change["path"] == path).unwrap();
    let deleted = change("/etc/os-release");
    assert_eq!(deleted["class"], "deleted");
    assert!(deleted["deleted_at"]["at"].is_string() && deleted["before"]["layer"].is_string());
    assert_eq!(deleted["before"]["kind"], "regular file");
    assert_eq!(change("/etc/oldconf/old1.cfg")["deleted_at"]["certainty"], "at the latest");
    assert_eq!(change("/etc/passwd")["class"], "modified");
}

#[test]
fn containers_are_listed_and_a_wrong_name_is_told_which_there_are() {
    let evidence = host(PODMAN);
    let evidence = evidence.to_str().unwrap();
    let table = String::from_utf8(run(&["diff", evidence], &[0]).stdout).unwrap();
    assert!(table.starts_with("container     name"), "{table}");
    assert_eq!(table.lines().filter(|line| line.contains("  victim  ")).count(), 2);
    let told = run(&["diff", evidence, "--json"], &[0]).stdout;
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["containers"].as_array().unwrap().len() + 1, table.lines().count());

    let wrong = |more: &[&str]| {
        let output = run(&[&["diff", evidence], more].concat(), &[2]);
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = wrong(&["--container", "nobody"]);
    assert!(said.starts_with("dockline: no container is called nobody; there are "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let said = wrong(&["--container", "victim"]);
    assert!(said.contains("several containers are called victim"), "{said}");
    assert!(said.contains("name one by its id"), "{said}");
    assert!(wrong(&["--long", "--json"]).contains("cannot be used with"));

    let victims = told["containers"].as_array().unwrap().iter();
    let victims: Vec<&str> = victims
        .filter(|container| container["container_name"] == "victim")
        .map(|container| text(container, "container_identifier"))
        .collect();
    let [one, other] = victims[..] else { panic!("{victims:?}") };
    for id in [one, other] {
        let output = run(&["diff", evidence, "--container", &id[..12], "--json"], &[0]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["container_identifier"], id);
    }
}

#[test]
fn what_cannot_be_read_is_told_and_changes_the_exit_status() {
    let evidence = host("engine-20.10-lvm-xfs");
    let more = ["/no/such/evidence", "--container", "victim"];
    let output = run(&[&["diff", evidence.to_str().unwrap()][..], &more].concat(), &[3]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no such file"));
    assert!(String::from_utf8(output.stdout).unwrap().contains("D /etc/os-release\n"));
    run(&["diff", "/no/such/evidence"], &[1]);
}

/// Where images lie in containerd's store, Docker unpacks what it commits onto the snapshot of what it
/// had put into the container: that is no layer of the image, and is named instead.
#[test]
fn a_committed_image_differs_from_its_base_as_its_container_did() {
    let mut counts = Vec::new();
    for (name, of) in HOSTS {
        let recorded = String::from_utf8(Truth::live(of).bytes("diff_victim.txt")).unwrap();
        let expected: Lines = recorded.lines().map(str::to_owned).collect();
        let base = if name == "engine-20.10-lvm-xfs" { "lab/b:1" } else { "lab/busybox:1.35" };
        let evidence = host(name);
        let arguments = ["diff", evidence.to_str().unwrap(), base, "lab/committed:v1"];
        let output = run(&arguments, &[0]);
        let found = String::from_utf8(output.stdout).unwrap();
        check(name, &found.lines().map(str::to_owned).collect(), &expected);
        let said = String::from_utf8(output.stderr).unwrap();
        let victim = "e5730f611428fd665bf8fa9cc9b8743a6b0c0e03f04a173a0e0e4aaef7721775";
        let is_named = said.trim_end().ends_with(&format!("and is not shown: {victim}-init"));
        assert!(said.is_empty() || is_named, "{said}");
        counts.push((name, expected.len(), said.lines().count()));
    }
    let expected = [
        ("engine-20.10", 35, 0),
        ("engine-20.10-lvm-xfs", 13, 0),
        ("engine-29.7", 35, 1),
        ("desktop-sim", 35, 1),
    ];
    assert_eq!(counts, expected);
}

/// The archive of the layer, which is what a registry would get, is the oracle.
#[test]
fn a_committed_image_of_containerd_has_what_the_archive_of_its_layer_has() {
    const STORE: &str = "var/lib/docker/containerd/daemon/io.containerd.content.v1.content/blobs";
    let name = "engine-29.7";
    let evidence = host(name);
    let arguments = ["diff", evidence.to_str().unwrap(), "lab/busybox:1.35", "lab/committed:v1"];
    let output = run(&[&arguments[..], &["--json"]].concat(), &[0]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let changes = told["changes"].as_array().unwrap().iter();
    let found: BTreeSet<&str> = changes.map(|change| text(change, "path")).collect();

    let tree = source::open(&evidence, name, &Opening::default()).unwrap().trees[0].tree.clone();
    let blob = |digest: &str| {
        TreePath::parse(format!("{STORE}/{}", digest.replace(':', "/")).as_bytes()).unwrap()
    };
    let manifest = tree.open(&blob(text(&told["images"][1], "image_identifier"))).unwrap();
    let manifest = read_up_to(&*manifest, 1 << 20).unwrap().0;
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let [_, layer] = &manifest["layers"].as_array().unwrap()[..] else { panic!("{manifest}") };
    let layer = tree.open(&blob(text(layer, "digest"))).unwrap();
    let (archive, _) = source::open_archive(layer, name, &Spool::default()).unwrap();
    let mut expected = BTreeSet::new();
    let mut visit = |path: &TreePath, _: &Entry| {
        expected.insert(path.to_string().replace("/.wh.", "/"));
        Descend::Into
    };
    walk(&*archive, &mut visit, &mut |path, error| panic!("{path}: {error}"));
    assert_eq!(found, expected.iter().map(String::as_str).collect());
}

/// Podman keeps what it puts into a container in the container's own layer: `podman diff` does not
/// list it, and the image that is committed has it.
#[test]
fn a_committed_image_of_podman_differs_from_its_base_as_its_container_did() {
    let containers = differences(PODMAN);
    let own = ["/etc/hostname", "/etc/hosts", "/etc/mtab", "/run", "/run/.containerenv"];
    let own_of_root = [&own[..], &["/etc/resolv.conf"]].concat();
    let users = [
        ("/home/alice/", "cdecf49947fb", &own[..], 16),
        ("/var/lib/containers/", "173c7a9e5da5", &own_of_root[..], 16),
    ];
    for (root, committed, own, count) in users {
        let mut named = containers
            .iter()
            .filter(|((name, place), _)| name == "victim" && place.starts_with(root));
        let mut expected = lines(named.next().unwrap().1);
        assert_eq!(expected.len(), count);
        expected.extend(own.iter().map(|path| format!("A {path}")));
        let told = images_of_podman(&["lab/busybox:1.35", committed]);
        let changes = told["changes"].as_array().unwrap().iter();
        let found = changes
            .map(|change| format!("{} {}", text(change, "letter"), text(change, "path")))
            .collect();
        check(root, &found, &expected);
    }
}

fn images_of_podman(images: &[&str]) -> Value {
    let evidence = host(PODMAN);
    let arguments = [&["diff", evidence.to_str().unwrap(), "--json", "--images"], images].concat();
    let output = run(&arguments, &[0]);
    assert!(output.stderr.is_empty(), "JSON has all that is said");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_image_of_two_stores_is_taken_from_that_of_the_other_else_from_the_first() {
    let (root, alice) = ("/var/lib/containers/storage/overlay", "/storage/vfs");
    let places = |images: &[&str]| -> Vec<String> {
        let told = images_of_podman(images);
        let images = told["images"].as_array().unwrap().iter();
        images.map(|image| text(image, "place").to_owned()).collect()
    };
    let are_in = |images: &[&str], store: &str| {
        let places = places(images);
        assert!(places.iter().all(|place| place.ends_with(store)), "{images:?}: {places:?}");
    };
    are_in(&["2854a224e869", "sha256:173c7a9e5da5"], root);
    are_in(&["lab/web:1", "busybox:1.35"], root);
    are_in(&["localhost/lab/busybox:1.35", "cdecf49947fb"], alice);
    are_in(&["2854a224e869", "0ab953f8f06d"], alice);
    let [web, committed] = &places(&["lab/web:1", "cdecf49947fb"])[..] else { panic!() };
    assert!(web.ends_with(root) && committed.ends_with(alice));

    let told = images_of_podman(&["2854a224e869", "2854a224e869"]);
    assert_eq!(told["changes"].as_array().unwrap().len(), 0);
    assert_eq!(told["images"][0]["names"][0], "localhost/lab/busybox:1.35");
    assert!(told["images"][0]["also_in"][0].as_str().unwrap().ends_with(root));

    let said = |images: &[&str]| {
        let evidence = host(PODMAN);
        let output = run(&[&["diff", evidence.to_str().unwrap()], images].concat(), &[0]);
        String::from_utf8(output.stderr).unwrap()
    };
    let said_of_one = said(&["2854a224e869", "173c7a9e5da5"]);
    assert!(said_of_one.contains("overlay; it is in podman-4.3.tar.zst:/home/alice/"));
    assert_eq!(said_of_one.lines().count(), 1);
    assert!(said(&["lab/web:1", "cdecf49947fb"]).starts_with("the images lie in two stores"));
}

#[test]
fn images_are_told_with_all_that_is_known_of_each_change() {
    let evidence = host("engine-20.10");
    let evidence = evidence.to_str().unwrap();
    let of = |more: &[&str]| {
        let images = ["diff", evidence, "lab/busybox:1.35", "lab/committed:v1"];
        String::from_utf8(run(&[&images, more].concat(), &[0]).stdout).unwrap()
    };
    let told: Value = serde_json::from_str(&of(&["--json"])).unwrap();
    let image = &told["images"][1];
    assert_eq!(
        (&image["names"][0], &image["driver"]),
        (&"lab/committed:v1".into(), &"overlay2".into())
    );
    assert_eq!(image["layers"].as_array().unwrap().len(), 2);
    let changes = told["changes"].as_array().unwrap();
    let change = |path: &str| changes.iter().find(|change| change["path"] == path).unwrap();
    let deleted = change("/etc/os-release");
    assert_eq!((&deleted["class"], &deleted["letter"]), (&"deleted".into(), &"D".into()));
    assert_eq!(deleted["before"]["layer"], told["images"][0]["layers"][0]);
    assert!(deleted["deleted_at"].is_null(), "a layer was made as a whole");
    assert_eq!(change("/etc/passwd")["class"], "modified");
    assert_eq!(change("/etc/group")["class"], "metadata");
    let table = of(&["--long"]);
    assert_eq!(table.lines().count(), 36);
    let row = table.lines().find(|line| line.ends_with(" /tmp/trojan")).unwrap();
    assert!(row.starts_with("A  added      -rwxr-xr-x  0:0 "), "{row}");
}

#[test]
fn images_that_are_not_there_or_not_one_alone_are_told_with_those_that_are() {
    let [engine, podman] = ["engine-20.10", PODMAN].map(host);
    let [engine, podman] = [&engine, &podman].map(|path| path.to_str().unwrap());
    let wrong = |more: &[&str]| {
        let output = run(&[&["diff"], more].concat(), &[2]);
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = wrong(&[engine, "lab/busybox:1.35", "lab/busybox:7"]);
    let start = "dockline: lab/busybox:1.35 and lab/busybox:7 are no files, so images are meant: no \
                 image with layers is called lab/busybox:7; there are ";
    assert!(said.starts_with(start), "{said}");
    assert!(said.contains("lab/committed:v1 (52159e6a0325 on "), "{said}");
    let said = wrong(&[podman, "--images", "lab/busybox:1.35", "lab/committed:v1"]);
    let start = "dockline: several images are called lab/committed:v1, name one by its id: ";
    assert!(said.starts_with(start), "{said}");
    for (id, store) in [("173c7a9e5da5", "/var/lib/containers"), ("cdecf49947fb", "/home/alice")] {
        let candidate = format!("({id} on pod-43a) in podman-4.3.tar.zst:{store}/");
        assert!(said.contains(&candidate), "{said}");
    }
    assert!(wrong(&[engine, "--images", "a"]).contains("2 values required"));
    assert!(
        wrong(&[engine, "--images", "a", "b", "--container", "c"]).contains("cannot be used with")
    );
    let said = run(&["diff", engine, "lab/busybox:1.35"], &[3]).stderr;
    let advice = "if lab/busybox:1.35 is an image, name two: --images IMAGE1 IMAGE2";
    assert!(String::from_utf8(said).unwrap().contains(advice));
}

#[test]
fn images_stand_after_all_evidence_and_a_file_is_evidence_whatever_its_name() {
    let (evidence, other) = (host("engine-20.10-lvm-xfs"), host("engine-20.10"));
    let [evidence, other] = [&evidence, &other].map(|path| path.to_str().unwrap());
    let lines = |more: &[&str]| {
        let output = run(&[&["diff"], more].concat(), &[0]);
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!(lines(&[evidence, other, "lab/b:1", "942dc2e24651"]), 13);
    assert_eq!(lines(&["--images", "lab/b:1", "942dc2e24651", evidence, other]), 13);
    assert!(lines(&[evidence, other]) > 4, "the containers of both");
}

/// A small data root: two images, the second with a layer more.
fn data_root_of_two_images(root: &Path) -> Vec<ChainId> {
    let diffs = [b"base", b"more"].map(|layer| DiffId(Digest::of(layer)));
    let chains = ChainId::of_layers(&diffs);
    let write = |path: String, content: &str| {
        let path = root.join("docker").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    for (number, (chain, diff)) in chains.iter().zip(&diffs).enumerate() {
        let entry = format!("image/overlay2/layerdb/sha256/{}", chain.0.hex());
        write(format!("{entry}/cache-id"), &format!("cache{number}"));
        write(format!("{entry}/diff"), diff.0.as_str());
        write(format!("overlay2/cache{number}/diff/file{number}"), "x");
        let layers: Vec<&str> = diffs[..=number].iter().map(|diff| diff.0.as_str()).collect();
        let config = serde_json::json!({ "rootfs": { "diff_ids": layers } }).to_string();
        let id = Digest::of(format!("image {number}").as_bytes());
        write(format!("image/overlay2/imagedb/content/sha256/{}", id.hex()), &config);
    }
    chains
}

#[test]
fn a_layer_that_is_lost_is_told_and_changes_the_exit_status() {
    let folder = tempfile::tempdir().unwrap();
    let chains = data_root_of_two_images(folder.path());
    let ids = [b"image 0", b"image 1"].map(|text| Digest::of(text).to_string());
    let compared = |status: i32| {
        let arguments = ["diff", folder.path().to_str().unwrap(), &ids[0], &ids[1]];
        let output = run(&arguments, &[status]);
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    assert_eq!(compared(0), ["A /file1\n", ""]);
    let cache = folder.path().join("docker/overlay2/cache1");
    fs::rename(&cache, folder.path().join("elsewhere")).unwrap();
    let [found, said] = compared(3);
    assert_eq!(found, "");
    assert!(said.contains("/docker/overlay2/cache1/diff: "), "{said}");
    fs::rename(folder.path().join("elsewhere"), &cache).unwrap();
    let entry = format!("docker/image/overlay2/layerdb/sha256/{}", chains[0].0.hex());
    fs::remove_file(folder.path().join(entry).join("cache-id")).unwrap();
    let [found, said] = compared(3);
    assert_eq!(found, "A /file1\n");
    let lost = format!("layer {} of unnamed ({} on ", chains[0].0, &ids[1][7..19]);
    assert!(said.contains(&lost), "{said}");
    assert!(said.contains("is not there: its files show as missing"), "{said}");
}
