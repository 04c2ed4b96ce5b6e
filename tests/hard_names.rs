//! A file of a container may have any name, and a hard one comes back from each output as the bytes
//! that it was: by the rules that stand at the top of the output's file, and through `mactime`.

use crate::archive::{Archive, Header};
use crate::program::{run, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// What a name may hold to be taken for something else: the end of a field, of a line or of a text,
/// an escape, a mark of the body file, a formula of a spreadsheet, a sign that is not shown.
const HARD: &[&[u8]] = &[
    b"bar|bar",
    b"new\nline",
    b"carriage\rreturn",
    b"tab\there",
    b"escape\x1b[2J",
    b"delete\x7f",
    b"say \"hi\"",
    b"\"",
    b"it's",
    b"a,b",
    b"back\\slash",
    b"\\",
    b"\\x41",
    b"\\u0041",
    b"100%41",
    b"%7C",
    b"%",
    b"not\xffutf-8",
    b"cut\xe2\x80",
    b"caf\xc3\xa9",
    b"next\xc2\x85line",
    b"line\xe2\x80\xa8separator",
    b"paragraph\xe2\x80\xa9separator",
    b"left-to-\xe2\x80\xaetfel-ot-thgir",
    b"gone (deleted)",
    b" (deleted)",
    b"from -> to",
    b"from ->",
    b"-> to",
    b"=1+1",
    b"+1",
    b"-1",
    b"@A1",
    b"'=1",
    b"#comment",
    b" ",
    b" blanks ",
];

/// Longest path and longest target that Linux gives a process, without the byte that ends it.
const LONGEST: usize = 4_095;

/// A node of a writable layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    path: Vec<u8>,
    /// Of a symbolic link.
    target: Option<Vec<u8>>,
    is_deleted: bool,
}

/// As many components as are allowed, each as long as is allowed.
fn longest(byte: u8) -> Vec<u8> {
    let mut path = [vec![byte; 255], b"/".to_vec()].concat().repeat(16);
    path.truncate(LONGEST);
    path
}

fn nodes() -> BTreeSet<Node> {
    let node = |path: Vec<u8>, target| Node { path, target, is_deleted: false };
    let below = |directory: &[u8], name: &[u8]| [b"/", directory, b"/", name].concat();
    let mut nodes: BTreeSet<Node> = HARD
        .iter()
        .flat_map(|name| {
            let deleted = Node { is_deleted: true, ..node(below(b"deleted", name), None) };
            let link = node(below(b"links", name), Some(name.to_vec()));
            [node(below(b"files", name), None), deleted, link]
        })
        .collect();
    nodes.insert(Node { is_deleted: true, ..node(b"/files/gone".to_vec(), None) });
    for byte in [b'n', 0xff] {
        let path = [b"/", longest(byte).as_slice()].concat();
        nodes.insert(node(path[..=LONGEST].to_vec(), None));
        nodes.insert(node(below(b"links", &[byte; 255]), Some(longest(byte))));
    }
    nodes
}

/// The writable layer of the container.
const LAYER: &[u8] = b"var/lib/docker/overlay2/upper/diff";

/// A data root with a container that has changed nothing.
fn data_root() -> Archive {
    let mounts = "var/lib/docker/image/overlay2/layerdb/mounts";
    let mount = format!("{mounts}/{}/mount-id", "a".repeat(64));
    let archive = Archive::default().pax(b'x', &[("path", mount.as_bytes())]);
    archive.file(b"mount-id", b"upper")
}

/// A data root in which a container has written all nodes, as an archive.
fn archive(nodes: &BTreeSet<Node>) -> Vec<u8> {
    let end = nodes.iter().fold(data_root(), |archive, node| {
        let path = [LAYER, &node.path].concat();
        let target = node.target.as_deref().unwrap_or_default();
        let archive = archive.pax(b'x', &[("path", &path), ("linkpath", target)]);
        let header = match (&node.target, node.is_deleted) {
            (Some(_), _) => Header::new(b'2', b"link").link(b"target"),
            (None, false) => Header::new(b'0', b"file"),
            (None, true) => Header::new(b'3', b"whiteout").octal(329, 8, 0).octal(337, 8, 0),
        };
        archive.member(header, b"")
    });
    end.end()
}

/// What a command says of an archive.
fn said(command: &str, archive: &[u8], options: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hard.tar");
    std::fs::write(&file, archive).unwrap();
    let evidence = format!("host={}", file.display());
    let arguments = [&[command, &evidence], options].concat();
    String::from_utf8(run(&arguments, &[0, 3]).stdout).unwrap()
}

/// The timeline of the writable layer in one format.
fn timeline(nodes: &BTreeSet<Node>, format: &str) -> String {
    said("timeline", &archive(nodes), &["-f", format, "--parsers", "files.upper", "-q"])
}

/// What `dockline diff` says of the writable layer.
fn changes(archive: &[u8]) -> Vec<Value> {
    let json = said("diff", archive, &["--container", &"a".repeat(64), "--json"]);
    let document: Value = serde_json::from_str(&json).unwrap();
    document["changes"].as_array().unwrap().clone()
}

/// What a path or a target was before bytes of it were written as `\xNN`.
fn bytes_of(shown: &str) -> Vec<u8> {
    let mut parts = shown.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

/// What `mactime` makes of a name: `%NN` is a byte.
fn percent_decoded(field: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = field.as_bytes();
    while let [byte, after @ ..] = rest {
        let code = after.get(..2).filter(|code| code.iter().all(u8::is_ascii_hexdigit));
        let code = code.filter(|_| *byte == b'%');
        let code = code.map(|code| u8::from_str_radix(str::from_utf8(code).unwrap(), 16).unwrap());
        bytes.push(code.unwrap_or(*byte));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap()
}

/// The names of a body file as `mactime` shows them, each with the type of its file.
fn body_names(body: &str) -> Vec<(char, String)> {
    let names = body.lines().map(|line| {
        let fields: Vec<&str> = line.split('|').collect();
        assert_eq!(fields.len(), 11, "{line}");
        (fields[3].chars().next().unwrap(), percent_decoded(fields[1]))
    });
    names.collect()
}

fn of_body_name((kind, name): &(char, String)) -> Node {
    let name = name.strip_prefix("host/").unwrap();
    let name = &name[name.find('/').unwrap()..];
    let kept = name.strip_suffix(" (deleted)");
    let (path, target) = match kind {
        'l' => kept.unwrap_or(name).split_once(" -> ").unwrap(),
        _ => (kept.unwrap_or(name), ""),
    };
    let target = (*kind == 'l').then(|| bytes_of(target));
    Node { path: bytes_of(path), target, is_deleted: kept.is_some() }
}

#[test]
fn hard_names_come_back_from_the_body_file() {
    let nodes = nodes();
    let body = timeline(&nodes, "bodyfile");
    let found: Vec<Node> = body_names(&body).iter().map(of_body_name).collect();
    assert_eq!(found.len(), nodes.len(), "each has one line");
    same(found, &nodes);
}

#[test]
fn mactime_prints_hard_names_as_they_stand_in_the_body_file() {
    let body = timeline(&nodes(), "bodyfile");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hard.body");
    std::fs::write(&file, &body).unwrap();
    let mut mactime = Command::new("mactime");
    let Ok(output) = mactime.args(["-y", "-d", "-z", "UTC", "-b"]).arg(&file).output() else {
        eprintln!("SKIPPED: no mactime");
        return;
    };
    let rows = String::from_utf8(output.stdout).unwrap();
    // `Date,Size,Type,Mode,UID,GID,Meta,"File Name"`, in which quotes are doubled.
    let shown = rows.lines().skip(1).map(|row| {
        let name = row.splitn(8, ',').nth(7).unwrap();
        name.strip_prefix('"').unwrap().strip_suffix('"').unwrap().replace("\"\"", "\"")
    });
    let shown: BTreeSet<String> = shown.collect();
    let names: BTreeSet<String> = body_names(&body).into_iter().map(|(_, name)| name).collect();
    assert_eq!(shown, names);
}

#[test]
fn hard_names_come_back_from_jsonl() {
    let nodes = nodes();
    let lines = timeline(&nodes, "jsonl");
    let found = lines.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        Node {
            path: bytes_of(text(&event, "filename")),
            target: event.get("link_target").map(|target| bytes_of(target.as_str().unwrap())),
            is_deleted: text(&event, "action") == "delete",
        }
    });
    same(found, &nodes);
}

/// The cells of a row without quotes, and without the apostrophe that keeps spreadsheets from reckoning.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    // A doubled quote ends a text and begins it again; what lies between is none.
    let mut pieces = row.split('"').enumerate().peekable();
    while let Some((index, piece)) = pieces.next() {
        let is_quoted = index % 2 == 1;
        if is_quoted {
            cells.last_mut().unwrap().push_str(piece);
            continue;
        }
        if piece.is_empty() && index > 0 && pieces.peek().is_some() {
            cells.last_mut().unwrap().push('"');
        }
        for (number, part) in piece.split(',').enumerate() {
            if number > 0 {
                cells.push(String::new());
            }
            cells.last_mut().unwrap().push_str(part);
        }
    }
    let unmarked = |cell: String| cell.strip_prefix('\'').map(str::to_owned).unwrap_or(cell);
    cells.into_iter().map(unmarked).collect()
}

/// A text of which the escapes are those of a JSON string.
fn decoded(cell: &str) -> String {
    serde_json::from_str(&format!("\"{}\"", cell.replace('"', "\\\""))).unwrap()
}

#[test]
fn hard_names_come_back_from_csv() {
    let nodes = nodes();
    let csv = timeline(&nodes, "csv");
    let mut rows = csv.lines();
    let header: Vec<&str> = rows.next().unwrap().split(',').collect();
    let found = rows.map(|row| {
        let cells = cells(row);
        assert_eq!(cells.len(), header.len(), "{row}");
        let cell = |name: &str| &cells[header.iter().position(|column| *column == name).unwrap()];
        let attributes: Value = serde_json::from_str(cell("attributes")).unwrap_or_default();
        Node {
            path: bytes_of(&decoded(cell("filename"))),
            target: attributes.get("link_target").map(|it| bytes_of(it.as_str().unwrap())),
            is_deleted: cell("action") == "delete",
        }
    });
    same(found, &nodes);
}

#[test]
fn hard_names_come_back_from_diff() {
    let nodes = nodes();
    let changes = changes(&archive(&nodes));
    let of_files = changes.iter().filter(|change| change["kind"] != "directory");
    let found = of_files.map(|change| Node {
        path: bytes_of(text(change, "path")),
        target: change["link_target"].as_str().map(bytes_of),
        is_deleted: text(change, "class") == "deleted",
    });
    same(found, &nodes);
}

#[test]
fn a_directory_says_byte_for_byte_from_where_it_was_moved() {
    let path = [LAYER, b"/here"].concat();
    let redirect = ("SCHILY.xattr.trusted.overlay.redirect", b"/caf\xe9|\n".as_slice());
    let archive = data_root().pax(b'x', &[("path", &path), redirect]);
    let archive = archive.member(Header::new(b'5', b"here"), b"").end();
    let event = said("timeline", &archive, &["-f", "jsonl", "--parsers", "files.upper", "-q"]);
    let event: Value = serde_json::from_str(event.lines().next().unwrap()).unwrap();
    let message = text(&event, "message");
    assert!(message.ends_with(r"directory moved here: /here, from /caf\xe9|\x0a"), "{message}");
    assert_eq!(changes(&archive)[0]["moved_from"], r"/caf\xe9|\x0a");
}

fn same(found: impl IntoIterator<Item = Node>, expected: &BTreeSet<Node>) {
    let found: BTreeSet<Node> = found.into_iter().collect();
    let lost: Vec<&Node> = expected.difference(&found).collect();
    let invented: Vec<&Node> = found.difference(expected).collect();
    assert!(lost.is_empty() && invented.is_empty(), "lost: {lost:?}, invented: {invented:?}");
}
