//! The same bytes come out for any number of threads, any memory, any order of arguments, and from
//! any kind of evidence that holds the same host.

use crate::case::project;
use crate::program::{host, run};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FORMATS: [&str; 3] = ["csv", "jsonl", "bodyfile"];

fn timeline(evidence: &[&str], more: &[&str]) -> Vec<u8> {
    let arguments = [&["timeline"], evidence, more, &["-q"]].concat();
    let output = run(&arguments, &[0, 3]);
    assert!(!output.stdout.is_empty());
    output.stdout
}

#[test]
fn threads_and_memory_change_nothing() {
    let path = host("engine-20.10");
    let evidence = [path.to_str().unwrap()];
    for format in FORMATS {
        let reference = timeline(&evidence, &["-f", format, "--threads", "1"]);
        for (threads, memory) in [("2", "32M"), ("7", "64M"), ("16", "2G")] {
            let more = ["-f", format, "--threads", threads, "--memory", memory];
            assert!(timeline(&evidence, &more) == reference, "{format} {threads} {memory}");
        }
    }
}

#[test]
fn the_order_of_arguments_changes_nothing() {
    let paths = [host("engine-20.10"), host("engine-20.10-lvm-xfs"), host("engine-29.7")];
    let names: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let reference = timeline(&names, &["-f", "csv"]);
    let turned: Vec<&str> = names.iter().rev().copied().collect();
    assert!(timeline(&turned, &["-f", "csv"]) == reference);
    // An evidence that is given twice is read once.
    let twice: Vec<&str> = names.iter().chain(&names).copied().collect();
    assert!(timeline(&twice, &["-f", "csv"]) == reference);
}

/// Unpacks a host's tar, as the owner of the test, with the times of its files.
pub(crate) fn unpacked(name: &str, into: &Path) -> PathBuf {
    let tar = into.join("host.tar");
    let packed = fs::File::open(host(name)).unwrap();
    let mut decoder = zstd::Decoder::new(packed).unwrap();
    decoder.window_log_max(31).unwrap();
    std::io::copy(&mut decoder, &mut fs::File::create(&tar).unwrap()).unwrap();
    let root = into.join("root");
    fs::create_dir(&root).unwrap();
    let mut command = std::process::Command::new("tar");
    command.arg("-xf").arg(&tar).arg("-C").arg(&root).arg("--no-same-owner");
    command.args(["--xattrs", "--xattrs-include=*", "--delay-directory-restore"]);
    // Devices and unreadable directories may be refused to an ordinary user: what a parser reads
    // is checked to be there.
    let _status = command.status().unwrap();
    assert!(root.join("var/lib/docker/containers").is_dir());
    root
}

/// The events of a timeline without what names the evidence.
fn events_without_evidence(text: &[u8]) -> BTreeSet<String> {
    let text = std::str::from_utf8(text).unwrap();
    let line = |line: &str| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        // Changes of metadata are as new as the copy; `truth_of_files` compares the rest.
        if event["parser"].as_str().unwrap().starts_with("files.") {
            return None;
        }
        let name = event["display_name"].as_str().unwrap();
        let path = name.split_once(':').unwrap().1.to_owned();
        event["display_name"] = path.into();
        Some(event.to_string())
    };
    text.lines().filter_map(line).collect()
}

#[test]
fn a_directory_and_a_tar_of_one_host_give_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpacked("engine-20.10", folder.path());
    let tar = folder.path().join("host.tar");
    let of = |path: &Path| timeline(&[path.to_str().unwrap()], &["-f", "jsonl"]);
    let from_directory = events_without_evidence(&of(&root));
    let from_tar = events_without_evidence(&of(&tar));
    let packed = events_without_evidence(&of(&host("engine-20.10")));
    assert_eq!(from_tar, packed, "a compressed tar and a plain one");
    let owner_may_differ = |line: &String| line.contains("\"uid\":") || line.contains("\"inode\":");
    let missing: Vec<&String> =
        from_tar.difference(&from_directory).filter(|line| !owner_may_differ(line)).collect();
    let added: Vec<&String> =
        from_directory.difference(&from_tar).filter(|line| !owner_may_differ(line)).collect();
    assert!(
        missing.is_empty() && added.is_empty(),
        "only in tar: {missing:#?}\nonly in directory: {added:#?}"
    );
}

#[test]
fn the_evidence_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpacked("engine-20.10", folder.path());
    let before = state(folder.path());
    timeline(
        &[root.to_str().unwrap(), folder.path().join("host.tar").to_str().unwrap()],
        &["-f", "csv"],
    );
    assert_eq!(state(folder.path()), before);
    let hosts = project("testdata/hosts");
    let before = state(&hosts);
    let packed = fs::read(host("engine-20.10")).unwrap();
    timeline(&[host("engine-20.10").to_str().unwrap()], &["-f", "csv"]);
    assert!(fs::read(host("engine-20.10")).unwrap() == packed);
    assert_eq!(state(&hosts), before, "nothing was made beside the evidence");
}

/// Name, size and time of every file.
fn state(folder: &Path) -> BTreeSet<(PathBuf, u64, std::time::SystemTime)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            found.insert((path, metadata.len(), metadata.modified().unwrap()));
        }
    }
    found
}
