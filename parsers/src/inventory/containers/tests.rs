//! What is known of a container of which all, or only something, is left.
#![cfg(test)]

use super::super::{Image, Mount, Severity};
use super::*;
use crate::plan::{Reading, Subtree, plan};
use crate::{DiffId, Digest};
use dockline_evidence::MemoryTree;
use serde_json::{Value, json};

const ID: &str = "0339c0ad8aad98690a592477f9d9562edaee545555494100fd52bbe59821409d";
const OTHER: &str = "2e722c80f77229493b25e0ebc072cd2601fdd153a86dbbd6efbbb2aaab078832";

fn containers_of(files: &[(&str, Value)]) -> BTreeMap<ContainerId, Container> {
    let tree = files.iter().fold(MemoryTree::new(), |tree, (path, content)| {
        tree.with_file(&path.replace("ID", ID).replace("OTHER", OTHER), content.to_string(), None)
    });
    let subtree = Subtree {
        evidence: Arc::from("case"),
        host: None,
        fallback_host: Arc::from("host"),
        prefix: Arc::from(""),
        depth: 0,
        tree: Arc::new(tree),
    };
    let plan = plan(&[subtree], &|_| true, &Reading::default());
    plan.planned.first().map(|planned| planned.inventory.containers.clone()).unwrap_or_default()
}

fn names(container: &Container) -> Vec<&str> {
    container.risks.iter().map(|risk| risk.name.as_str()).collect()
}

fn only(containers: &BTreeMap<ContainerId, Container>) -> &Container {
    assert_eq!(containers.len(), 1);
    containers.values().next().unwrap()
}

#[test]
fn a_container_is_named_by_its_metadata() {
    let config = json!({"ID": ID, "Name": "/web", "Image": "sha256:aa",
        "Config": {"Image": "lab/web:classic", "Labels": {"tier": "front"}}});
    let containers = containers_of(&[("containers/ID/config.v2.json", config)]);
    let web = only(&containers);
    assert_eq!(web.name.as_deref(), Some("web"));
    assert_eq!(web.image_name.as_deref(), Some("lab/web:classic"));
    assert_eq!(web.image_id.as_deref(), Some("sha256:aa"));
    assert_eq!(web.labels, ["tier=front"]);
}

#[test]
fn the_current_metadata_count_before_those_of_an_interrupted_write() {
    let named = |name: &str| json!({"ID": ID, "Name": name});
    let containers = containers_of(&[
        ("containers/ID/.tmp-config.v2.json1", named("/old")),
        ("containers/ID/config.v2.json", named("/new")),
        ("containers/OTHER/.tmp-config.v2.json1", named("/only")),
    ]);
    let name = |id: &str| containers[&ContainerId::parse(id).unwrap()].name.clone().unwrap();
    assert_eq!((name(ID), name(OTHER)), ("new".to_owned(), "only".to_owned()));
}

#[test]
fn an_image_given_by_id_has_the_name_of_its_tag() {
    let id = format!("sha256:{ID}");
    let image = Image { tags: vec!["lab/web:1".to_owned()], ..Image::default() };
    let images = BTreeMap::from([(id.clone(), image)]);
    let named = |typed: &str, image_id: &str| {
        let config = json!({"Config": {"Image": typed}, "Image": image_id});
        image_name(&ConfigV2::from_json(&config).0, &images)
    };
    assert_eq!(named(&ID[..12], &id).as_deref(), Some("lab/web:1"));
    assert_eq!(named(&id, &id).as_deref(), Some("lab/web:1"));
    assert_eq!(named("", &id).as_deref(), Some("lab/web:1"));
    assert_eq!(named(&ID[..12], "sha256:unknown").as_deref(), Some(&ID[..12]));
    assert_eq!(named("cafe", &id).as_deref(), Some("cafe"));
}

#[test]
fn a_container_of_which_only_a_layer_is_left_has_the_only_image_with_these_layers() {
    let diff = DiffId(Digest::of(b"layer"));
    let image = Image {
        tags: vec!["lab/web:1".to_owned()],
        chain_ids: ChainId::of_layers(std::slice::from_ref(&diff)),
        ..Image::default()
    };
    let mount = Mount {
        root: TreePath::root(),
        driver: "overlay2".to_owned(),
        container_id: ID.to_owned(),
        mount_id: None,
        init_id: None,
        parent: image.chain_ids.last().cloned(),
    };
    let mut images = BTreeMap::from([("sha256:one".to_owned(), image.clone())]);
    let left = read(&[], &images, std::slice::from_ref(&mount));
    assert_eq!(only(&left).image_id.as_deref(), Some("sha256:one"));
    assert_eq!(only(&left).image_name.as_deref(), Some("lab/web:1"));
    images.insert("sha256:two".to_owned(), image);
    assert_eq!(only(&read(&[], &images, &[mount])).image_id, None);
}

#[test]
fn a_cgroup_namespace_of_the_host_is_a_way_out_only_where_others_have_their_own() {
    let mode = |mode: &str| json!({"CgroupnsMode": mode});
    let alone = containers_of(&[("containers/ID/hostconfig.json", mode("host"))]);
    assert_eq!(names(only(&alone)), ["note:cgroupns-host"]);
    let mixed = containers_of(&[
        ("containers/ID/hostconfig.json", mode("host")),
        ("containers/OTHER/hostconfig.json", mode("private")),
    ]);
    assert_eq!(names(&mixed[&ContainerId::parse(ID).unwrap()]), ["escape-risk:cgroupns-host"]);
    assert_eq!(names(&mixed[&ContainerId::parse(OTHER).unwrap()]), [""; 0]);
}

#[test]
fn user_ids_of_the_host_weigh_more_where_the_engine_remaps_them() {
    let host = json!({"UsernsMode": "host"});
    let severity = |path: &str| only(&containers_of(&[(path, host.clone())])).risks[0].severity;
    assert_eq!(severity("docker/100000.100000/containers/ID/hostconfig.json"), Severity::Medium);
    assert_eq!(severity("docker/containers/ID/hostconfig.json"), Severity::Low);
}

#[test]
fn a_volume_that_hides_a_directory_of_the_host_is_found_out() {
    let config = json!({"ID": ID, "MountPoints": {"/x": {"Name": "innocent", "Type": "volume",
        "Source": "/var/lib/docker/volumes/innocent/_data", "RW": true}}});
    let risks = |opts: Value| {
        let files = [
            ("docker/containers/ID/config.v2.json", config.clone()),
            ("docker/volumes/innocent/opts.json", opts),
        ];
        let containers = containers_of(&files);
        only(&containers).risks.clone()
    };
    let root = risks(json!({"MountType": "none", "MountOpts": "rw,bind", "MountDevice": "/./"}));
    assert_eq!(root, [Risk { name: "escape-risk:host-mount:/".into(), severity: Severity::High }]);
    let disk = risks(json!({"MountType": "ext4", "MountOpts": "", "MountDevice": "/dev/sda1"}));
    assert_eq!(disk[0].name, "escape-risk:host-mount:/dev/sda1");
    assert_eq!(risks(json!({"MountOpts": "bind", "MountDevice": "/srv/app"})), []);
    assert_eq!(risks(json!({"MountType": "tmpfs", "MountDevice": "tmpfs"})), []);
}

#[test]
fn a_name_without_end_is_cut() {
    let config = json!({"ID": ID, "Name": "x".repeat(100_000)});
    let containers = containers_of(&[("containers/ID/config.v2.json", config)]);
    assert_eq!(only(&containers).name.as_ref().map(String::len), Some(NAME_LENGTH));
}
