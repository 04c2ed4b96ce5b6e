//! What containers of real hosts wrote into volumes, and into directories of their host, is told with
//! its paths, its containers and its times: each such action of the recorded scenarios.

use crate::program::{host, list, run, text};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn files_of(name: &str, more: &[&str]) -> Vec<Value> {
    let path = host(name);
    let arguments = ["timeline", path.to_str().unwrap(), "-q", "--parsers", "files.volume"];
    let output = run(&[&arguments[..], more].concat(), &[0]);
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of one file, and that they have its volume and its paths in containers.
fn events<'e>(events: &'e [Value], volume: &str, path: &str, paths: &[&str]) -> Vec<&'e Value> {
    let is_its =
        |event: &&Value| text(event, "volume_name") == volume && text(event, "filename") == path;
    let found: Vec<&Value> = events.iter().filter(is_its).collect();
    assert!(!found.is_empty(), "{volume}:{path}");
    for event in &found {
        let mut seen = list(event, "container_paths");
        seen.sort_unstable();
        assert_eq!(seen, paths, "{volume}:{path}");
    }
    found
}

/// The instant of its content.
fn modified<'e>(events: &[&'e Value]) -> &'e str {
    let is_written = |event: &&&Value| text(event, "macb").starts_with('M');
    text(events.iter().find(is_written).unwrap(), "datetime_ns")
}

#[test]
fn files_in_volumes_of_docker_are_told_with_the_containers_that_share_them() {
    for (name, anonymous) in [
        ("engine-20.10", "cd4e59595d54675c7821bcc04f2c2c1c7e6511cbef40234d3c788f2d269d7ad7"),
        ("engine-29.7", "1f7d205ab099584e93c09015ae058cce677b0a5d36661eeadce202cd53c17b7a"),
        ("desktop-sim", "1f7d205ab099584e93c09015ae058cce677b0a5d36661eeadce202cd53c17b7a"),
    ] {
        let all = files_of(name, &[]);
        let of = |volume: &str, path: &str, paths: &[&str]| events(&all, volume, path, paths);
        for file in ["/table.db", "/late.db"] {
            let paths = [format!("lastminute:/data{file}"), format!("web:/data{file}")];
            let shared = of("pgdata", file, &[&paths[0], &paths[1]]);
            assert!(shared.iter().all(|event| text(event, "container_name").is_empty()));
        }
        let own = of(anonymous, "/anon.txt", &["web:/var/lib/appdata/anon.txt"]);
        assert!(own.iter().all(|event| text(event, "container_name") == "web"));
        of("keepvol", "/", &["neverstarted:/k"]);
        of("cifsvol", "/", &[]);
        // Bind mounts are not asked for, and the volume that was removed is gone.
        let others = ["oldvol", "/srv/app", "/"];
        assert!(!all.iter().any(|event| others.contains(&text(event, "volume_name"))));
    }
    let all = files_of("engine-20.10", &[]);
    let late =
        events(&all, "pgdata", "/late.db", &["lastminute:/data/late.db", "web:/data/late.db"]);
    // The scenario's `crash_burst_container_run` began at 21:55:25.1 and ended a second later.
    assert_eq!(modified(&late), "2026-11-21T21:55:26.206919225Z");
}

#[test]
fn volumes_of_podman_are_told_of_root_and_of_a_user() {
    let all = files_of("podman-4.3", &[]);
    let volumes: Vec<&Value> =
        all.iter().filter(|event| text(event, "volume_name") == "pgdata").collect();
    for root in ["/var/lib/containers/storage/", "/home/alice/.local/share/containers/storage/"] {
        let own: Vec<&&Value> = volumes
            .iter()
            .filter(|event| text(event, "display_name").contains(&format!(".zst:{root}")))
            .collect();
        assert!(!own.is_empty(), "{root}");
        for event in own {
            assert_eq!(list(event, "container_paths"), ["web:/data"], "{root}");
            assert_eq!(text(event, "container_name"), "web");
        }
    }
}

/// `web` had `/srv/app` of its host; `hostroot` had all of it, which is named and not walked.
#[test]
fn bind_mounts_are_told_with_both_paths_and_a_hash() {
    for name in ["engine-20.10", "engine-29.7"] {
        let all = files_of(name, &["--bind-mounts", "--hash"]);
        let is_config =
            |event: &&Value| text(event, "display_name").ends_with(":/srv/app/config.json");
        let config: Vec<&Value> = all.iter().filter(is_config).collect();
        assert!(!config.is_empty(), "{name}");
        for event in config {
            assert_eq!(list(event, "container_paths"), ["web:/etc/app/config.json"]);
            // A volume of this host has its files there, too.
            assert_eq!(text(event, "volume_name"), "bindvol");
            assert_eq!(text(event, "sha256_hash").len(), 64);
        }
        assert!(!all.iter().any(|event| text(event, "filename") == "/etc/cron.d/backdoor"));
    }
    let all = files_of("engine-20.10", &["--hash"]);
    let late =
        events(&all, "pgdata", "/late.db", &["lastminute:/data/late.db", "web:/data/late.db"]);
    let hash: String =
        Sha256::digest(b"late-row\n").iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(late.iter().all(|event| text(event, "sha256_hash") == hash));
}
