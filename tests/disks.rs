//! A host read from its disk is the host that its archive holds, in whatever image the disk comes.

use crate::case::project;
use crate::program::{events_of, host, run, text};
use dockline_evidence::read_at::Stream;
use dockline_evidence::{
    Descend, Entry, FileKind, Metadata, Opening, Tree, TreePath, assemble, open, walk,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// The disks, and in which of their places the files of the archive lie.
const DISKS: [(&str, &str); 4] = [
    ("engine-20.10", "/p2"),
    ("engine-29.7", "/p2"),
    ("engine-20.10-lvm-xfs", "/rhel_dock--20l-root"),
    ("desktop-sim", "/p1/Users/alice/AppData/Local/Docker/wsl/disk/docker_data.vhdx:"),
];

fn disk(name: &str) -> PathBuf {
    project("testdata/hosts").join(format!("{name}.raw.zst"))
}

/// The events, and the path that each was read from, without what only tells the evidence.
fn events(evidence: &Path, place: &str) -> Vec<Value> {
    below(events_of(evidence), evidence, place)
}

/// Those of the events that were read below this place of the evidence.
fn below(mut events: Vec<Value>, evidence: &Path, place: &str) -> Vec<Value> {
    let before = format!("{}:{place}", evidence.file_name().unwrap().to_str().unwrap());
    // What lies on the disk around a virtual disk is in no archive of that.
    let is_nested = place.ends_with(':');
    events.retain(|event| !is_nested || text(event, "display_name").starts_with(&before));
    // An archive has no births and no inodes; `truth_of_files` compares what both have.
    events.retain(|event| !text(event, "parser").starts_with("files."));
    for event in &mut events {
        let path = text(event, "display_name").strip_prefix(&before).unwrap().to_owned();
        let fields = event.as_object_mut().unwrap();
        fields.insert("display_name".to_owned(), path.into());
        fields.remove("event_identifier");
        // An evidence that does not name its host is called after its file.
        fields.remove("hostname");
    }
    events
}

#[test]
fn the_timeline_of_a_disk_is_that_of_its_archive() {
    for (name, place) in DISKS {
        let from_archive = events(&host(name), "");
        let from_disk = events(&disk(name), place);
        assert!(from_archive.len() > 70, "{name}");
        let [from_disk, from_archive] = [from_disk, from_archive].map(without_births);
        assert_eq!(from_disk.1, from_archive.1, "{name}");
        assert!(from_disk.0 == from_archive.0, "{name}");
    }
}

/// Writes the virtual disk of the laptop.
fn docker_data(path: &Path) {
    let mut source = open(&disk("desktop-sim"), "disk", &Opening::default()).unwrap();
    assemble(std::slice::from_mut(&mut source));
    let inside = DISKS[3].1.strip_prefix("/p1/").unwrap().strip_suffix(':').unwrap();
    let tree = &source.trees.iter().find(|tree| tree.prefix == "/p1").unwrap().tree;
    let bytes = tree.open(&TreePath::parse(inside.as_bytes()).unwrap()).unwrap();
    std::io::copy(&mut Stream::new(bytes), &mut File::create(path).unwrap()).unwrap();
}

#[test]
fn disks_of_all_generations_are_read_wherever_they_lie_and_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let laptop = folder.path().join("laptop");
    let docker = laptop.join("USERS/Alice/appdata/local/DOCKER/WSL");
    let (current, earlier) = (docker.join("disk"), docker.join("data"));
    let moved = laptop.join("D/moved/DockerDesktopWSL/data");
    let system = laptop.join("WINDOWS/system32/CONFIG");
    for directory in [&current, &earlier, &moved, &system] {
        fs::create_dir_all(directory).unwrap();
    }
    let hive = "testdata/desktop.registry/laptop/evidence/Windows/System32/config/SYSTEM";
    fs::copy(project(hive), system.join("System")).unwrap();
    docker_data(&current.join("Docker_Data.VHDX"));
    // The disk before the last update: the same data root at the same path.
    fs::hard_link(current.join("Docker_Data.VHDX"), earlier.join("EXT4.vhdx")).unwrap();
    // And another engine's, which was never this one's: what lies in a disk decides.
    fs::rename(unpacked("engine-20.10-lvm-xfs", folder.path()), moved.join("ext4.vhdx")).unwrap();
    let all = events_of(&laptop);
    let hosts: BTreeSet<&str> = all.iter().map(|event| text(event, "hostname")).collect();
    assert_eq!(hosts, BTreeSet::from(["ADA-LAPTOP"]));
    let desktop = events(&disk("desktop-sim"), DISKS[3].1);
    let other = events(&disk("engine-20.10-lvm-xfs"), DISKS[2].1);
    let places = [
        ("/USERS/Alice/appdata/local/DOCKER/WSL/disk/Docker_Data.VHDX:", &desktop),
        ("/USERS/Alice/appdata/local/DOCKER/WSL/data/EXT4.vhdx:", &desktop),
        ("/D/moved/DockerDesktopWSL/data/ext4.vhdx:/rhel_dock--20l-root", &other),
    ];
    for (place, expected) in places {
        let mut found = all.clone();
        let before = format!("laptop:{place}");
        found.retain(|event| text(event, "display_name").starts_with(&before));
        assert!(below(found, &laptop, place) == *expected, "{place}");
    }
}

/// The events but for those at births of directories, which tar cannot carry: a volume was made
/// when its directory was. And the names of these volumes.
fn without_births(events: Vec<Value>) -> (Vec<Value>, BTreeSet<String>) {
    let is_birth = |event: &Value| {
        text(event, "parser") == "docker.volumes" && text(event, "action") == "create"
    };
    let (births, others): (Vec<_>, Vec<_>) = events.into_iter().partition(is_birth);
    (others, births.iter().map(|event| text(event, "volume_name").to_owned()).collect())
}

/// Decompresses a disk; what is zero stays a hole.
fn unpacked(name: &str, into: &Path) -> PathBuf {
    let path = into.join(format!("{name}.raw"));
    let mut decoder = zstd::Decoder::new(File::open(disk(name)).unwrap()).unwrap();
    decoder.window_log_max(31).unwrap();
    let mut file = File::create(&path).unwrap();
    let mut block = vec![0; 1 << 16];
    let mut size = 0_u64;
    loop {
        let count = decoder.read(&mut block).unwrap();
        if count == 0 {
            break;
        }
        size += count as u64;
        if block[..count].iter().any(|byte| *byte != 0) {
            file.write_all(&block[..count]).unwrap();
        } else {
            file.seek(SeekFrom::Current(count as i64)).unwrap();
        }
    }
    file.set_len(size).unwrap();
    path
}

/// Whether a tool is there; a test without it says so.
fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: no {tool}");
    }
    found
}

fn make(tool: &str, arguments: &[&str], folder: &Path) {
    let output = Command::new(tool).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{tool} {arguments:?}: {output:?}");
}

#[test]
fn a_disk_says_the_same_in_every_image_that_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let raw = unpacked("engine-20.10-lvm-xfs", folder.path());
    let raw_name = raw.file_name().unwrap().to_str().unwrap();
    let expected = events(&disk("engine-20.10-lvm-xfs"), DISKS[2].1);
    let mut images = vec![raw_name.to_owned()];
    if is_there("qemu-img") {
        for (format, options, name) in [
            ("vhdx", "subformat=dynamic", "d.vhdx"),
            ("vmdk", "subformat=monolithicSparse", "d.vmdk"),
            ("vmdk", "subformat=streamOptimized", "s.vmdk"),
            ("vmdk", "subformat=twoGbMaxExtentFlat", "f.vmdk"),
            ("qcow2", "compression_type=zstd", "d.qcow2"),
            ("vpc", "subformat=dynamic", "d.vhd"),
        ] {
            let compress: &[&str] = if format == "qcow2" { &["-c"] } else { &[] };
            let convert = ["convert", "-O", format, "-o", options];
            make("qemu-img", &[&convert, compress, &[raw_name, name]].concat(), folder.path());
            images.push(name.to_owned());
        }
    }
    if is_there("ewfacquire") {
        let target = ["-t", "e", "-u", "-q", "-f", "encase6", "-c", "fast", "-S", "1048576"];
        make("ewfacquire", &[&target[..], &[raw_name]].concat(), folder.path());
        assert!(folder.path().join("e.E02").exists());
        images.push("e.E01".to_owned());
    }
    if is_there("split") {
        make(
            "split",
            &["-b", "200M", "-d", "-a", "3", "--numeric-suffixes=1", raw_name, "p."],
            folder.path(),
        );
        images.push("p.001".to_owned());
    }
    for image in images {
        assert!(events(&folder.path().join(&image), DISKS[2].1) == expected, "{image}");
    }
}

#[test]
fn the_hash_that_an_e01_stores_is_in_the_report_and_is_checked_on_demand() {
    if !is_there("ewfacquire") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    unpacked("engine-20.10-lvm-xfs", folder.path());
    let raw = "engine-20.10-lvm-xfs.raw";
    make("ewfacquire", &["-t", "e", "-u", "-q", "-f", "encase6", raw], folder.path());
    let image = folder.path().join("e.E01");
    let hash = |more: &[&str], status: i32| {
        let report = folder.path().join("report.json");
        let ways = [image.to_str().unwrap(), "--report", report.to_str().unwrap(), "--overwrite"];
        run(&[&["timeline", "-q"], &ways[..], more].concat(), &[status]);
        let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        report["evidence"][0]["hashes"][0].clone()
    };
    let stored = hash(&[], 0);
    assert_eq!(stored["algorithm"], "MD5");
    assert_eq!(stored["stored"].as_str().unwrap().len(), 32);
    assert_eq!(stored["is_right"], Value::Null);
    assert_eq!(hash(&["--verify"], 0)["is_right"], true);
    // The hash stands in the section of that name, behind its header of 76 bytes.
    let mut bytes = fs::read(&image).unwrap();
    let section = bytes.windows(5).rposition(|name| name == b"hash\0").unwrap();
    bytes[section + 76] ^= 1;
    fs::write(&image, bytes).unwrap();
    assert_ne!(hash(&["--verify"], 3)["is_right"], true);
}

#[test]
fn any_disk_in_the_evidence_is_opened_when_all_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let machines = folder.path().join("machines");
    fs::create_dir(&machines).unwrap();
    fs::rename(unpacked("engine-20.10-lvm-xfs", folder.path()), machines.join("vm1.img")).unwrap();
    let of = |which: &str| {
        let evidence = machines.to_str().unwrap();
        let output = run(&["timeline", evidence, "-f", "jsonl", "-q", "--nested", which], &[0]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(of("known"), "");
    let nested = of("all");
    assert_eq!(nested.lines().count(), events_of(&disk("engine-20.10-lvm-xfs")).len());
    let shown = "\"display_name\":\"machines:/vm1.img:/rhel_dock--20l-root/";
    assert!(nested.lines().all(|line| line.contains(shown)));
}

#[test]
fn segments_that_are_all_named_are_one_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let raw = unpacked("engine-20.10-lvm-xfs", folder.path());
    let bytes = fs::read(raw).unwrap();
    let names: Vec<String> = (1..=3).map(|number| format!("d.{number:03}")).collect();
    for (name, part) in names.iter().zip(bytes.chunks(bytes.len().div_ceil(3))) {
        fs::write(folder.path().join(name), part).unwrap();
    }
    let paths: Vec<String> =
        names.iter().map(|name| folder.path().join(name).to_str().unwrap().to_owned()).collect();
    let of = |paths: &[String]| {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        run(&[&["timeline", "-f", "jsonl", "-q"], &paths[..]].concat(), &[0]).stdout
    };
    let first = of(&paths[..1]);
    assert!(!first.is_empty() && of(&paths) == first);
    let later = run(&["timeline", &paths[1]], &[1]);
    let said = String::from_utf8(later.stderr).unwrap();
    assert!(said.contains("d.001"), "{said}");
}

/// All nodes of a disk's only tree as the kernel's own listing writes them.
fn listing(path: &Path) -> Vec<String> {
    let mut source = open(path, "disk", &Opening::default()).unwrap();
    assemble(std::slice::from_mut(&mut source));
    assert!(source.issues.is_empty(), "{:?}", source.issues);
    assert_eq!(source.trees.len(), 1);
    let tree = source.trees.remove(0).tree;
    let mut rows = Vec::new();
    let mut visit = |path: &TreePath, _: &Entry| {
        rows.push(row(&tree, path));
        Descend::Into
    };
    walk(&*tree, &mut visit, &mut |path, error| panic!("{path}: {error}"));
    rows.sort();
    rows
}

fn row(tree: &Arc<dyn Tree>, path: &TreePath) -> String {
    let found = tree.metadata(path).unwrap();
    let attributes = tree.extended_attributes(path).unwrap();
    let mut attributes: Vec<String> = attributes
        .iter()
        .map(|attribute| format!("{}={}", escaped(&attribute.name), hex(&attribute.value)))
        .collect();
    attributes.sort();
    let attributes = if attributes.is_empty() { "-".to_owned() } else { attributes.join(",") };
    let hash = match found.kind {
        FileKind::Regular => hash(Stream::new(tree.open(path).unwrap())),
        FileKind::SymbolicLink => hash(&*tree.link_target(path).unwrap()),
        _ => "-".to_owned(),
    };
    let device = found.device.map_or((0, 0), |device| (device.major, device.minor));
    let nanoseconds = |time: Option<dockline_timeline::Instant>| {
        let time = time.unwrap();
        i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanoseconds())
    };
    let size = if found.kind == FileKind::Directory { 0 } else { found.size };
    format!(
        "/{} {:o} {} {} {size} {} {} {} {} {}:{} {hash} {attributes}",
        escaped(path.as_bytes()),
        mode(&found),
        found.uid.unwrap(),
        found.gid.unwrap(),
        nanoseconds(found.modified),
        nanoseconds(found.changed),
        found.inode.unwrap(),
        found.links.unwrap(),
        device.0,
        device.1,
    )
}

/// With the bits that say the kind, as `st_mode` has them.
fn mode(found: &Metadata) -> u32 {
    let kind = match found.kind {
        FileKind::Fifo => 0o010_000,
        FileKind::CharacterDevice => 0o020_000,
        FileKind::Directory => 0o040_000,
        FileKind::BlockDevice => 0o060_000,
        FileKind::Regular => 0o100_000,
        FileKind::SymbolicLink => 0o120_000,
        FileKind::Socket => 0o140_000,
    };
    kind | found.mode.unwrap()
}

fn hash(mut content: impl Read) -> String {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match content.read(&mut buffer).unwrap() {
            0 => return hex(&digest.finalize()),
            count => digest.update(&buffer[..count]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            0x21..=0x5b | 0x5d..=0x7e => text.push(char::from(*byte)),
            _ => write!(text, "\\x{byte:02x}").unwrap(),
        }
        text
    })
}

#[test]
fn a_disk_of_a_crashed_host_is_read_as_the_kernel_recovers_it() {
    for name in ["engine-20.10-crash", "engine-29.7-crash"] {
        let recovered = project("testdata/hosts").join(format!("{name}.recovered.zst"));
        let recovered = zstd::decode_all(File::open(recovered).unwrap()).unwrap();
        let recovered = String::from_utf8(recovered).unwrap();
        let found = listing(&disk(name));
        assert!(found.len() > 1_000, "{name}");
        for (found, recovered) in found.iter().zip(recovered.lines()) {
            assert_eq!(found, recovered, "{name}");
        }
        assert_eq!(found.len(), recovered.lines().count(), "{name}");
    }
}

/// A disk of one host with a container's log of 200 lines.
fn container_log() -> Vec<u8> {
    let image = File::open(project("testdata/evidence/ext4/container-log.img.zst")).unwrap();
    zstd::decode_all(image).unwrap()
}

/// Where the inode of that log lies.
const LOG_INODE: usize = 39 * 1024 + 512;

/// Exit status, events, and issues with their places, of the disk with one byte of that inode changed.
fn with_damaged_inode(at: usize, folder: &Path) -> (Option<i32>, usize, Vec<String>) {
    let mut image = container_log();
    image[LOG_INODE + at] ^= 1;
    let (disk, report) = (folder.join("web1.raw"), folder.join("report.json"));
    fs::write(&disk, image).unwrap();
    let arguments = ["timeline", "-f", "jsonl", "-q", "--overwrite", "--report"];
    let paths = [report.to_str().unwrap(), disk.to_str().unwrap()];
    let output = run(&[&arguments[..], &paths].concat(), &[0, 3]);
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let told = report["issues"].as_array().unwrap().iter().map(|issue| {
        format!("{}:{}: {}", text(issue, "evidence"), text(issue, "path"), text(issue, "what"))
    });
    (output.status.code(), output.stdout.split(|byte| *byte == b'\n').count() - 1, told.collect())
}

#[test]
fn what_is_damaged_of_a_log_on_a_disk_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let id = "ab".repeat(32);
    let log = format!("web1.raw:/var/lib/docker/containers/{id}/{id}-json.log");
    // The time at which the file was deleted means nothing, but it is under the checksum.
    let (status, events, told) = with_damaged_inode(0x14, folder.path());
    let what = "ext4 inode at byte 0: need the right checksum in inode 19, have another";
    assert_eq!((status, events, told), (Some(3), 200, vec![format!("{log}: {what}")]));
    // Without the magic number of its extents, nothing of the content is found.
    let (status, events, told) = with_damaged_inode(0x28, folder.path());
    assert_eq!((status, events), (Some(3), 0));
    assert!(told.iter().any(|issue| issue.starts_with(&log)), "{told:?}");
}

/// Files that a process may have open at first, fewer than the segments that it needs.
#[cfg(target_os = "linux")]
const FEW_FILES: &str = "ulimit -S -n 256 && exec \"$0\" \"$@\"";

#[cfg(target_os = "linux")]
#[test]
fn an_image_of_more_segments_than_files_may_be_open_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let image = File::open(project("testdata/evidence/images/ext4.zst")).unwrap();
    let image = zstd::decode_all(image).unwrap();
    let segment = image.len().div_ceil(1_200);
    for (number, part) in (1..).zip(image.chunks(segment)) {
        fs::write(folder.path().join(format!("disk.{number:04}")), part).unwrap();
    }
    let first = folder.path().join("disk.0001");
    let arguments = ["timeline", first.to_str().unwrap(), "-f", "jsonl"];
    let output = Command::new("sh")
        .args(["-c", FEW_FILES, env!("CARGO_BIN_EXE_dockline")])
        .args(arguments)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words}");
}

#[cfg(target_os = "linux")]
#[test]
fn hundreds_of_disks_are_read_in_one_run_and_a_broken_one_costs_itself() {
    const DISKS: usize = 300;
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..DISKS).map(|number| format!("web{number:03}.raw")).collect();
    fs::write(folder.path().join(&names[0]), container_log()).unwrap();
    for name in &names[1..] {
        fs::hard_link(folder.path().join(&names[0]), folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("broken.raw"), &container_log()[..1536]).unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v 800000 && {FEW_FILES}"), env!("CARGO_BIN_EXE_dockline")])
        .args(["timeline", "broken.raw", "-f", "jsonl", "-q", "--memory", "64M"])
        .args(["--threads", "2", "--report", "report.json"])
        .args(&names)
        .current_dir(&folder)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 200 * DISKS);
    let report = fs::read(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["evidence"].as_array().unwrap().len(), DISKS);
    let issues = report["issues"].as_array().unwrap();
    assert!(issues.iter().all(|issue| text(issue, "evidence") == "broken.raw"), "{issues:?}");
    assert!(!issues.is_empty());
}
