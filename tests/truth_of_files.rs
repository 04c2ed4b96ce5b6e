//! What was done to the files of containers, and is written down in the scenario of each host, is an
//! event of the right file, of the right kind, at the right time; and it is the same one from every
//! evidence that holds the host.

use crate::case::project;
use crate::program::{events_of, host, list, run, text};
use crate::truth::Truth;
use dockline_timeline::Instant;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// What the scenario did last to a file, and the event that shows it: the name of the step, the
/// container, the path as that sees it, the action, and the tag if there is one.
const DONE: &[(&str, &str, &str, &str, &str)] = &[
    // A later step removed `/tmp/trojan`; the other name of its node is left.
    ("file_drop", "victim", "/tmp/trojan.hl", "add", "suspicious-file:executable-in-temporary"),
    ("file_cron", "victim", "/etc/cron.d/evil", "add", "suspicious-file:cron"),
    ("file_suid", "victim", "/usr/bin/.hidden", "add", "suspicious-file:setuid"),
    ("file_delete", "victim", "/etc/os-release", "delete", ""),
    ("file_delete", "victim", "/etc/app.d/02-part.conf", "delete", ""),
    ("dir_opaque", "victim", "/etc/oldconf", "replace", ""),
    ("dir_opaque", "victim", "/etc/oldconf/x", "add", ""),
    ("dir_opaque", "victim", "/etc/oldconf/old0.cfg", "delete", ""),
    ("dir_opaque", "victim", "/etc/oldconf/old3.cfg", "delete", ""),
    ("dir_opaque", "victim", "/etc/apt/x", "add", ""),
    ("file_rename", "victim", "/etc/shadow", "delete", "suspicious-file:accounts"),
    ("file_special", "victim", "/tmp/pipe", "add", ""),
    ("file_special", "victim", "/tmp/chr", "add", "suspicious-file:device-node"),
    ("file_special", "victim", "/tmp/lnk", "add", ""),
    ("file_special", "victim", "/tmp/sp ace/ünï/a;b", "add", ""),
    ("file_history", "victim", "/root/.ash_history", "add", "suspicious-file:hidden-name"),
    ("file_chmod_only", "victim", "/etc/group", "change_metadata", "suspicious-file:accounts"),
    ("container_cp_in", "victim", "/tmp/exfil.json", "add", ""),
    ("exec_env", "web", "/tmp/by-nobody", "add", ""),
    ("crash_burst_create", "victim", "/tmp/late/deep/note.txt", "add", ""),
    ("crash_burst_create", "victim", "/usr/bin/sshd-helper", "add", "suspicious-file:setuid"),
    ("crash_burst_change", "victim", "/etc/app.d/04-part.conf", "delete", ""),
    ("crash_burst_change", "victim", "/var/spool/cron", "delete", ""),
    ("crash_burst_change", "victim", "/etc/passwd", "modify", "suspicious-file:accounts"),
    (
        "crash_burst_change",
        "victim",
        "/tmp/stomped.late",
        "add",
        "suspicious-file:time-contradiction",
    ),
];

/// Hosts on which all of this was done, each with the one whose scenario holds for it.
const HOSTS: [(&str, &str); 2] = [("engine-20.10", "engine-20.10"), ("engine-29.7", "engine-29.7")];

/// A reading of the kernel's clock for times of files may be so much older, in nanoseconds.
const CLOCK: i128 = 10_000_000;

fn instant(event: &Value) -> Instant {
    Instant::parse_rfc3339(text(event, "datetime_ns")).unwrap().unwrap()
}

/// When a step of the scenario began and ended.
fn window(steps: &[Value], step: &str) -> (Instant, Instant) {
    let step = steps.iter().rfind(|event| text(event, "what") == step).unwrap();
    let time = |field: &str| {
        let nanoseconds = step[field].as_u64().unwrap();
        let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
        Instant::new(i64::try_from(seconds).unwrap(), u32::try_from(rest).unwrap()).unwrap()
    };
    (time("time_ns"), time("end_ns"))
}

fn of_file<'e>(events: &'e [Value], container: &str, path: &str) -> Vec<&'e Value> {
    let is_own = |event: &&Value| {
        text(event, "parser") == "files.upper"
            && text(event, "container_name") == container
            && text(event, "filename") == path
            && !list(event, "tag").contains(&"init-layer")
    };
    events.iter().filter(is_own).collect()
}

#[test]
fn everything_that_was_done_to_a_file_is_an_event_of_its_kind_and_time() {
    for (name, scenario) in HOSTS {
        let events = events_of(&host(name));
        let steps = Truth::of(scenario).steps();
        for (step, container, path, action, tag) in DONE {
            let found = of_file(&events, container, path);
            assert!(!found.is_empty(), "{name}: {path}");
            let (start, end) = window(&steps, step);
            let is_within = |at: Instant| {
                at.nanoseconds_since(start) > -CLOCK && end.nanoseconds_since(at) > -CLOCK
            };
            assert!(
                found.iter().any(|event| is_within(instant(event))),
                "{name}: {path} {found:#?}"
            );
            for event in found {
                assert_eq!(text(event, "action"), *action, "{name}: {path}");
                assert!(tag.is_empty() || list(event, "tag").contains(tag), "{name}: {path}");
            }
        }
        // What was made and deleted within one run of the container left nothing.
        assert!(of_file(&events, "victim", "/tmp/ephemeral").is_empty());
    }
}

#[test]
fn the_times_of_a_copy_and_of_a_timestomped_file_are_told_apart() {
    for (name, _) in HOSTS {
        let events = events_of(&host(name));
        let times = |path: &str, macb: &str| -> Vec<String> {
            let found = of_file(&events, "victim", path);
            let found = found.into_iter().filter(|event| text(event, "macb").contains(macb));
            found.map(|event| text(event, "datetime_ns").to_owned()).collect()
        };
        assert_eq!(times("/tmp/stomped.late", "M"), ["2003-04-05T06:07:08.000000000Z"], "{name}");
        let kept = "2023-11-14T22:13:20.000000000Z";
        assert_eq!(times("/etc/group", "M"), [kept], "{name}");
        let group = of_file(&events, "victim", "/etc/group");
        let message = text(group[0], "message");
        assert!(message.contains("mode -rwxrwxrwx, before -rw-r--r--"), "{message}");
        assert!(message.contains("its modification time is that of the layer below"), "{message}");
        let deleted = of_file(&events, "victim", "/etc/os-release");
        assert!(text(deleted[0], "message").contains("regular file of 85 bytes"));
        assert!(!text(deleted[0], "layer_identifier").is_empty());
    }
}

/// What every evidence of a host knows of its files: the births are on disks alone, and an archive
/// was made by reading the directories.
fn facts(events: &[Value]) -> BTreeSet<String> {
    let files = events.iter().filter(|event| text(event, "parser") == "files.upper");
    let facts = files.filter_map(|event| {
        let macb = text(event, "macb");
        let action = text(event, "action");
        let fact = [text(event, "container_identifier"), text(event, "filename"), action].join(" ");
        match (action, macb.contains('M'), macb.contains('C')) {
            // A deletion is dated by births, too.
            ("delete", ..) => Some(fact),
            (_, true, _) | (_, _, true) => {
                let (time, mode) = (text(event, "datetime_ns"), text(event, "mode_as_string"));
                // What a copy does not tell.
                let is_kept = |tag: &&str| *tag != "suspicious-file:time-contradiction";
                let tags: Vec<&str> = list(event, "tag").into_iter().filter(is_kept).collect();
                let kept = tags.join(",");
                Some(format!("{fact} {time} {mode} {} {kept}", event["size"]))
            }
            _ => None,
        }
    });
    facts.collect()
}

#[test]
fn the_same_files_come_from_the_disk_and_from_the_archive() {
    for name in ["engine-20.10", "engine-20.10-lvm-xfs", "engine-29.7"] {
        let archive = facts(&events_of(&host(name)));
        let disk = facts(&events_of(&project(&format!("testdata/hosts/{name}.raw.zst"))));
        assert!(archive.len() > 60, "{name}: {}", archive.len());
        let only_archive: Vec<&String> = archive.difference(&disk).collect();
        let only_disk: Vec<&String> = disk.difference(&archive).collect();
        assert!(
            only_archive.is_empty() && only_disk.is_empty(),
            "{name}: only in the archive {only_archive:#?}, only on the disk {only_disk:#?}"
        );
    }
}

/// Whether the test may make devices and write attributes of overlayfs, as root may.
fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout == b"0\n")
}

#[test]
fn the_same_files_come_from_a_directory_that_root_has_unpacked() {
    if !is_root() {
        eprintln!("SKIPPED: only root can unpack devices and attributes of overlayfs");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = crate::same_bytes::unpacked("engine-29.7", folder.path());
    // Changes of metadata are as new as the copy.
    let without_changes = |facts: BTreeSet<String>, events: &[Value]| {
        let is_modified = |event: &&Value| text(event, "macb").contains('M');
        let kept =
            events.iter().filter(|event| is_modified(event) || text(event, "action") == "delete");
        let kept: Vec<Value> = kept.cloned().collect();
        facts.intersection(&self::facts(&kept)).cloned().collect::<BTreeSet<String>>()
    };
    let of = |path: &Path| {
        let events = events_of(path);
        without_changes(facts(&events), &events)
    };
    let (directory, archive) = (of(&root), of(&host("engine-29.7")));
    let difference: Vec<&String> = directory.symmetric_difference(&archive).collect();
    assert!(archive.len() > 60 && difference.is_empty(), "{difference:#?}");
}

#[test]
fn every_line_of_a_body_file_is_a_file_or_an_event_that_mactime_reads() {
    let output = run(
        &[
            "timeline",
            host("engine-29.7").to_str().unwrap(),
            "-f",
            "bodyfile",
            "--parsers",
            "files.upper",
            "-q",
        ],
        &[0, 3],
    );
    let body = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = body.lines().map(|line| line.split('|').nth(1).unwrap()).collect();
    assert!(body.lines().all(|line| line.split('|').count() == 11));
    assert!(names.contains("dock-29c/victim-e5730f611428/etc/os-release (deleted)"));
    assert!(names.contains("dock-29c/victim-e5730f611428/tmp/lnk -> /etc/passwd"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("files.body");
    std::fs::write(&file, &body).unwrap();
    let Ok(output) =
        Command::new("mactime").args(["-y", "-d", "-z", "UTC", "-b"]).arg(&file).output()
    else {
        eprintln!("SKIPPED: no mactime");
        return;
    };
    let rows = String::from_utf8(output.stdout).unwrap();
    for name in names {
        assert!(rows.contains(name), "{name}");
    }
    assert!(!rows.contains("0000-00-00") && !rows.contains("1970-01-01"), "no time that is none");
}
