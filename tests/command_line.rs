//! What the program promises to its user: outputs whole or not at all, sentences that name the
//! thing, and an exit status that can be relied on.

use crate::program::{dockline, host, run};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Stdio;

const ID: &str = "01afc5bdfb4c359054b68a1aa8195910aa85b3972a1dbd1df070cb25e29c039b";

fn words(output: &std::process::Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A data root with one log of one good line, and whatever else.
fn small_host(folder: &Path, log: &str) -> String {
    let root = folder.join("small-host");
    let container = root.join("var/lib/docker/containers").join(ID);
    fs::create_dir_all(&container).unwrap();
    fs::write(container.join(format!("{ID}-json.log")), log).unwrap();
    root.to_str().unwrap().to_owned()
}

const GOOD: &str =
    "{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"2024-05-01T12:00:00.5Z\"}\n";

#[test]
fn the_main_job_writes_a_timeline_and_says_what_it_read() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("timeline.csv");
    let evidence = host("engine-20.10");
    let arguments = ["timeline", evidence.to_str().unwrap(), "-o", out.to_str().unwrap()];
    let output = run(&arguments, &[0, 3]);
    assert!(output.stdout.is_empty());
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.starts_with("datetime,timestamp_desc,message,"));
    assert!(text.lines().count() > 1_000);
    for parser in ["docker.container_config", "docker.json_file_log", "docker.layer", "all"] {
        assert!(words(&output).contains(parser), "{}", words(&output));
    }
}

#[test]
fn several_outputs_are_written_in_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = small_host(folder.path(), GOOD);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (csv, body) = (path("t.csv"), path("t.body"));
    let output = run(&["timeline", &evidence, "-o", &csv, "-o", &body, "-o", "-"], &[0]);
    assert_eq!(fs::read_to_string(csv).unwrap().lines().count(), 2);
    assert_eq!(fs::read_to_string(body).unwrap().lines().count(), 1);
    let event: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(event["message"], "[01afc5bdfb4c] hello");
    assert_eq!(event["datetime_ns"], "2024-05-01T12:00:00.500000000Z");
    assert_eq!(event["hostname"], "small-host");
}

#[test]
fn an_existing_file_is_kept_unless_overwrite_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = small_host(folder.path(), GOOD);
    let out = folder.path().join("t.csv");
    fs::write(&out, "mine").unwrap();
    let arguments = ["timeline", &evidence, "-o", out.to_str().unwrap()];
    let output = run(&arguments, &[2]);
    assert!(words(&output).contains("exists; name another file, or give --overwrite"));
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
    run(&[&arguments[..], &["--overwrite"]].concat(), &[0]);
    assert!(fs::read_to_string(&out).unwrap().starts_with("datetime,"));
    run(&["timeline", &evidence, "-f", "csv", "-o", "/dev/null"], &[0]);
}

#[test]
fn nothing_is_written_when_nothing_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("t.csv");
    let output = run(&["timeline", "/no/such/evidence", "-o", out.to_str().unwrap()], &[1]);
    assert!(words(&output).contains("/no/such/evidence: there is no such file"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn nothing_is_written_into_the_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = small_host(folder.path(), GOOD);
    let inside = format!("{evidence}/var/t.csv");
    let output = run(&["timeline", &evidence, "-o", &inside], &[2]);
    assert!(words(&output).contains("lies inside the evidence"));
}

#[test]
fn an_evidence_that_cannot_be_read_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = small_host(folder.path(), GOOD);
    let junk = folder.path().join("junk.bin");
    fs::write(&junk, "this is no evidence").unwrap();
    let report = folder.path().join("report.json");
    let report = report.to_str().unwrap();
    let arguments =
        ["timeline", junk.to_str().unwrap(), &evidence, "-f", "jsonl", "--report", report];
    let output = run(&arguments, &[3]);
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert!(words(&output).contains("junk.bin"), "{}", words(&output));
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["issues"][0]["evidence"], "junk.bin");
    assert_eq!(report["totals"]["events"], 1);
}

#[test]
fn the_report_accounts_for_every_record_and_byte() {
    let folder = tempfile::tempdir().unwrap();
    let torn = format!("{GOOD}{{\"log\":\"torn\\n\",\"stre\0\0\0\n{GOOD}");
    let evidence = small_host(folder.path(), &torn);
    let report = folder.path().join("report.json");
    let report = report.to_str().unwrap();
    run(&["timeline", &evidence, "-f", "jsonl", "--report", report], &[3]);
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let artifact = &report["artifacts"][0];
    assert_eq!(artifact["parser"], "docker.json_file_log");
    assert_eq!(artifact["records"], 2);
    assert_eq!(artifact["events"], 2);
    assert_eq!(artifact["lost_records"], 1);
    let explained =
        artifact["record_bytes"].as_u64().unwrap() + artifact["lost_bytes"].as_u64().unwrap();
    assert_eq!(Some(explained), artifact["size"].as_u64());
    assert_eq!(artifact["size"].as_u64(), Some(torn.len() as u64));
    assert_eq!(report["issues"][0]["position"], format!("offset:{}", GOOD.len()));
}

#[test]
fn the_report_names_what_was_skipped_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = small_host(folder.path(), GOOD);
    let container = Path::new(&evidence).join("var/lib/docker/containers").join(ID);
    fs::write(container.join("of-another-program"), "x").unwrap();
    let report = folder.path().join("report.json");
    let report = report.to_str().unwrap();
    let more = ["-f", "jsonl", "--parsers", "!docker.json_file_log", "--report", report];
    run(&[&["timeline", &evidence][..], &more].concat(), &[0]);
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let mut why: Vec<&str> =
        report["skipped"].as_array().unwrap().iter().map(|s| s["why"].as_str().unwrap()).collect();
    why.sort_unstable();
    assert_eq!(why, ["docker.json_file_log was not selected", "no parser knows this file"]);
}

#[test]
fn the_time_window_is_half_open() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = small_host(folder.path(), GOOD);
    let count = |start: &str, end: &str| {
        let output = run(&["timeline", &evidence, "--start", start, "--end", end, "-q"], &[0]);
        output.stdout.iter().filter(|byte| **byte == b'\n').count()
    };
    assert_eq!(count("2024-05-01T12:00:00.5Z", "2024-05-01T12:00:00.500000001Z"), 1);
    assert_eq!(count("2024-05-01T12:00:00.500000001Z", "2024-05-02"), 0);
    assert_eq!(count("2024-05-01", "2024-05-01T12:00:00.5Z"), 0);
}

#[test]
fn one_container_can_be_asked_for() {
    let evidence = host("engine-20.10");
    let evidence = evidence.to_str().unwrap();
    let output = run(&["timeline", evidence, "--container", "victim", "-q"], &[0, 3]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() > 2);
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["container_name"], "victim", "{line}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let evidence = host("engine-20.10");
    let mut child = dockline(&["timeline", evidence.to_str().unwrap(), "-f", "jsonl", "-q"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(output.stderr.is_empty(), "{}", words(&output));
}

#[test]
fn wrong_usage_gets_one_sentence_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = small_host(folder.path(), GOOD);
    let wrong = [
        (vec!["-o", "t.xyz"], "use .csv, .jsonl or .body, or give --format"),
        (vec!["-f", "xml"], "there are csv, jsonl and bodyfile"),
        (vec!["--start", "yesterday"], "write a time as"),
        (vec!["--start", "2024-05-02", "--end", "2024-05-01"], "--start must lie before --end"),
        (vec!["--parsers", "docker.nothing"], "'dockline parsers' lists them"),
        (vec!["--memory", "lots"], "write a size as 512M or 2G"),
        (vec!["--hash", "--hash-limit", "much"], "write a size as 512K or 1G"),
        (vec!["--temp-dir", "/no/such/dir"], "no such directory"),
        (vec!["-o", "/no/such/dir/t.csv"], "there is no directory"),
        (vec!["-f", "csv", "-o", "-", "-o", "-"], "only one output can go to standard output"),
    ];
    for (more, sentence) in wrong {
        let output = run(&[&["timeline", &evidence][..], &more].concat(), &[2]);
        let said = words(&output);
        assert!(said.contains(sentence), "{more:?} says: {said}");
        assert_eq!(said.lines().count(), 1, "{more:?} says: {said}");
    }
}

#[test]
fn help_shows_examples_and_every_parser_is_listed() {
    let help = String::from_utf8(run(&["--help"], &[0]).stdout).unwrap();
    assert!(help.contains("dockline timeline web1.tar.zst -o web1.csv"));
    let list = String::from_utf8(run(&["parsers"], &[0]).stdout).unwrap();
    for parser in dockline_parsers::all() {
        assert!(list.contains(&format!("{}\n", parser.name)));
    }
}

/// A gzip rotation of 300 MB of zeros weighs 300 KB: it must cost neither memory nor the timeline.
#[cfg(target_os = "linux")]
#[test]
fn a_compression_bomb_is_read_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = small_host(folder.path(), GOOD);
    let container = Path::new(&evidence).join("var/lib/docker/containers").join(ID);
    let bomb = fs::File::create(container.join(format!("{ID}-json.log.1.gz"))).unwrap();
    let mut gzip = std::process::Command::new("sh");
    gzip.args(["-c", "head -c 300000000 /dev/zero | gzip -1"]).stdout(bomb);
    assert!(gzip.status().unwrap().success());
    let mut command = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_dockline");
    let script =
        format!("ulimit -v 800000; exec {program} timeline {evidence} --memory 64M --threads 2 -q");
    let output = command.args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "the good line is there");
}

/// Two hosts of one line each, as arguments.
fn two_hosts(folder: &Path) -> [String; 2] {
    ["web1", "web2"].map(|name| {
        let below = folder.join(name);
        let evidence = small_host(&below, &GOOD.replace("hello", name));
        format!("{name}={evidence}")
    })
}

#[test]
fn each_host_gets_a_timeline_of_its_own_in_the_same_pass() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = two_hosts(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (case, hosts, report) = (path("case.jsonl"), path("new/hosts"), path("report.json"));
    let arguments =
        ["timeline", &one, &other, "-o", &case, "--per-host", &hosts, "--report", &report];
    run(&arguments, &[0]);
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let (web1, web2) = (text("new/hosts/web1.jsonl"), text("new/hosts/web2.jsonl"));
    assert!(web1.contains("] web1\"") && web2.contains("] web2\""), "{web1}{web2}");
    assert_eq!(text("case.jsonl"), [web1, web2].concat());
    let report: Value = serde_json::from_str(&text("report.json")).unwrap();
    let told: Vec<(&str, u64)> = report["host_outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|output| (output["host"].as_str().unwrap(), output["events"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("web1", 1), ("web2", 1)]);
    assert_eq!(fs::read_dir(&hosts).unwrap().count(), 2);
}

#[test]
fn timelines_of_hosts_may_be_the_only_ones_and_are_kept_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = two_hosts(folder.path());
    let hosts = folder.path().join("hosts").to_str().unwrap().to_owned();
    let only = ["timeline", &one, &other, "--per-host", &hosts, "-f", "csv", "-f", "bodyfile"];
    let output = run(&only, &[0]);
    assert!(output.stdout.is_empty());
    for (name, lines) in [("web1.csv", 2), ("web2.csv", 2), ("web1.body", 1), ("web2.body", 1)] {
        let text = fs::read_to_string(Path::new(&hosts).join(name)).unwrap();
        assert_eq!(text.lines().count(), lines, "{name}");
    }
    let output = run(&only, &[2]);
    assert!(words(&output).contains("exists; name another file, or give --overwrite"));
    run(&[&only[..], &["--overwrite"]].concat(), &[0]);
    let (_, evidence) = one.split_once('=').unwrap();
    let inside = format!("{evidence}/hosts");
    let output = run(&["timeline", &one, "--per-host", &inside], &[2]);
    assert!(words(&output).contains("lies inside the evidence"), "{}", words(&output));
    assert!(!Path::new(&inside).exists());
}

#[test]
fn what_was_recognised_is_told_as_a_table_and_as_json() {
    let disk = crate::case::project("testdata/hosts/engine-20.10-lvm-xfs.raw.zst");
    let laptop = crate::case::project("testdata/hosts/desktop-sim.raw.zst");
    let evidence = [disk.to_str().unwrap(), laptop.to_str().unwrap()];
    let output = run(&["sources", evidence[0], evidence[1], "--json"], &[0]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |list: &str, name: &str| -> Value {
        let all = told[list].as_array().unwrap();
        let found = all.iter().find(|one| one["name"].as_str().unwrap().ends_with(name));
        found.unwrap_or_else(|| panic!("no {name} in {all:#?}")).clone()
    };
    let lvm = of("evidence", "lvm-xfs.raw.zst");
    assert_eq!((&lvm["kind"], &lvm["partition_table"]), (&"raw disk, zstd".into(), &"GPT".into()));
    assert!(!lvm["lvm_parts"].as_array().unwrap().is_empty());
    assert!(lvm["file_systems"].to_string().contains("\"kind\":\"XFS\""), "{lvm:#}");
    let nested = of("nested", "docker_data.vhdx");
    assert_eq!(nested["kind"], "VHDX image");
    assert_eq!(nested["file_systems"][0]["kind"], "ext4");
    let hosts = told["hosts"].as_array().unwrap();
    let roots = |name: &str| {
        let host = hosts.iter().find(|host| host["data_roots"].to_string().contains(name));
        host.unwrap_or_else(|| panic!("no {name} in {hosts:#?}"))["data_roots"].clone()
    };
    let docker = roots("lvm-xfs");
    let docker = docker.as_array().unwrap().iter().find(|root| root["drivers"][0] == "overlay2");
    assert!(docker.unwrap()["path"].as_str().unwrap().ends_with("/var/lib/docker"));
    assert!(docker.unwrap()["containers"].as_u64().unwrap() > 0);
    assert!(roots("docker_data.vhdx").to_string().contains("docker"));
    let versions = |name: &str| -> Vec<String> {
        let host = hosts.iter().find(|host| host["data_roots"].to_string().contains(name)).unwrap();
        let engines = host["engines"].as_array().unwrap().iter();
        engines.map(|engine| format!("{} {}", engine["engine"], engine["version"])).collect()
    };
    assert!(versions("lvm-xfs").contains(&r#""docker" "20.10.24+dfsg1""#.to_owned()));

    let output = run(&["sources", evidence[0], evidence[1]], &[0]);
    let table = String::from_utf8(output.stdout).unwrap();
    for words in ["raw disk, zstd, GPT", "VHDX image", "NTFS", "part of LVM2 volume groups"] {
        assert!(table.contains(words), "{table}");
    }
    let output = run(&["sources", "/no/such/evidence"], &[3]);
    assert!(words(&output).contains("there is no such file"), "{}", words(&output));
}
