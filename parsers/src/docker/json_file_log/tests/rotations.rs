//! Rotations: their order, their compression, and what a crash leaves of them.

use super::*;
use crate::plan::{Reading, Subtree, plan};
use flate2::{Compression, GzBuilder};
use std::io::Write;

const ID: &str = "f5ae75654c8e0a52d153a6f7671b90ee39d8b892fdd8b75235960b324fb60ce8";

/// What the plan finds in files of one container with these ends of names.
fn found(files: &[(&str, &[u8])]) -> Collected {
    found_in(&format!("d/containers/{ID}"), files)
}

fn found_in(directory: &str, files: &[(&str, &[u8])]) -> Collected {
    let tree = files.iter().fold(MemoryTree::new(), |tree, (name, content)| {
        tree.with_file(&format!("{directory}/{ID}-json.log{name}"), *content, None)
    });
    let subtree = Subtree {
        evidence: "evidence".into(),
        host: None,
        fallback_host: "host".into(),
        prefix: Arc::from(""),
        depth: 0,
        tree: Arc::new(tree),
    };
    let mut found = Collected::new();
    for job in plan(&[subtree], &|_| true, &Reading::default()).jobs() {
        job(&mut found);
    }
    found
}

fn gzip(content: &str) -> Vec<u8> {
    let extra = br#"{"lastTime":"2026-11-21T21:54:04.474000473Z"}"#.to_vec();
    let mut encoder = GzBuilder::new().extra(extra).write(Vec::new(), Compression::default());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn line(text: &str) -> String {
    record(&format!("{text}\\n"), "stdout", "04")
}

fn texts(found: &Collected) -> Vec<String> {
    shown(found).iter().map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn the_oldest_rotation_comes_first_whatever_its_name_sorts_like() {
    let files = [("", line("d")), (".2", line("b")), (".9", line("c")), (".10", line("a"))];
    let files = files.each_ref().map(|(name, content)| (*name, content.as_bytes()));
    // In the order of age: 10, 9, 2, current.
    assert_eq!(
        texts(&found(&files)),
        ["[f5ae75654c8e] a", "[f5ae75654c8e] c", "[f5ae75654c8e] b", "[f5ae75654c8e] d"]
    );
}

#[test]
fn a_piece_in_a_compressed_rotation_is_continued_in_the_next_file() {
    let old = gzip(&record("one ", "stdout", "04"));
    let found = found(&[(".1.gz", &old), ("", line("two").as_bytes())]);
    assert_eq!(texts(&found), ["[f5ae75654c8e] one two"]);
    assert!(found.lines[0].contains("-json.log.1.gz\""), "{}", found.lines[0]);
    assert!(found.lines[0].contains(ID));
}

#[test]
fn of_a_file_and_its_compressed_copy_one_is_read() {
    let content = [line("a"), line("b")].concat();
    let whole = gzip(&content);
    for compressed in [&whole[..], &whole[..whole.len() - 12], &whole[..70], &whole[..0]] {
        let found = found(&[(".1", content.as_bytes()), (".1.gz", compressed), ("", b"")]);
        assert_eq!(texts(&found), ["[f5ae75654c8e] a", "[f5ae75654c8e] b"]);
        let note = found.issues.iter().find(|issue| issue.what.starts_with("not read: ")).unwrap();
        let path = &note.place.path;
        assert!(path.ends_with(if compressed.len() == whole.len() { ".1.gz" } else { ".gz" }));
        assert_eq!((note.lost_records, note.lost_bytes), (0, 0));
        assert_eq!(found.records, 2);
    }
}

#[test]
fn two_files_of_one_number_with_other_contents_are_both_read() {
    let found = found(&[(".1", line("b").as_bytes()), (".1.gz", &gzip(&line("a")))]);
    assert_eq!(texts(&found), ["[f5ae75654c8e] a", "[f5ae75654c8e] b"]);
    assert_eq!(found.issues.len(), 0);
}

#[test]
fn a_compressed_file_that_is_cut_gives_what_stands_before_the_cut() {
    let lines: String = (0..5_000).map(|n| line(&format!("{n} {}", n * 7_919 % 1_000))).collect();
    let whole = gzip(&lines);
    let found = found(&[(".1.gz", &whole[..whole.len() / 2]), ("", line("current").as_bytes())]);
    assert!(found.lines.len() > 1_000, "{}", found.lines.len());
    assert!(found.issues.iter().any(|issue| issue.what.starts_with("gzip: ")));
    assert_eq!(texts(&found).last().unwrap(), "[f5ae75654c8e] current");
}

#[test]
fn other_names_are_reported_as_not_supported() {
    let found = found(&[("-20261121.gz", b""), (".bak", b""), ("", line("a").as_bytes())]);
    assert_eq!(found.lines.len(), 1);
    assert_eq!(found.issues.len(), 2);
    let is_unsupported =
        |issue: &dockline_timeline::Issue| issue.kind == dockline_timeline::IssueKind::Unsupported;
    assert!(found.issues.iter().all(is_unsupported));
}

#[test]
fn logs_that_somebody_put_into_one_folder_are_known_by_their_names() {
    let found = found_in("collected", &[(".1.gz", &gzip(&line("a"))), ("", line("b").as_bytes())]);
    assert_eq!(texts(&found), ["[f5ae75654c8e] a", "[f5ae75654c8e] b"]);
    assert!(found.lines.iter().all(|line| line.contains(ID)));
}

/// A file that fails from its middle on.
struct Failing(Vec<u8>);

impl ReadAt for Failing {
    fn len(&self) -> u64 {
        self.0.len() as u64 * 2
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        match ReadAt::read_at(&self.0, offset, buffer)? {
            0 => Err(std::io::Error::other("bad sector")),
            count => Ok(count),
        }
    }
}

#[test]
fn what_stands_before_a_bad_sector_and_in_the_next_file_is_read() {
    let (good, mut log) = (line("good"), log(&[b"", line("next").as_bytes()]));
    let origin = log.chain.parts[0].origin.clone();
    let next = log.chain.parts.remove(1);
    let bytes: Arc<dyn ReadAt> = Arc::new(Failing(good.clone().into_bytes()));
    log.chain = Chain::of([(origin, bytes), (next.origin, next.bytes)].into_iter());
    let mut found = Collected::new();
    read(log, SMALL, &mut found);
    assert_eq!(texts(&found), ["good", "next"]);
    let length = good.len();
    let what = format!("{length} bytes from here cannot be read: bad sector");
    assert_eq!(issues(&found), [format!("offset:{length} {what} -0 -{length}")]);
}
