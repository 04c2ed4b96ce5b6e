//! `dockline diff` lists what `docker diff` and `podman diff` listed while the hosts lived.

use crate::program::{host, list, run, text};
use crate::truth::Truth;
use crate::truth_of_podman;
use dockline_evidence::{FileKind, Opening, TreePath, source};
use dockline_parsers::changes::Class;
use dockline_parsers::changes::docker_diff::{Difference, of_container};
use dockline_parsers::plan::{Layers, Reading, Subtree, plan};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
