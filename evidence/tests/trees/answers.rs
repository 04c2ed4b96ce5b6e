//! Everything that a tree answers, as text that can be compared.

use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{Descend, FileKind, ReadAt, Tree, TreePath, walk};
use std::collections::BTreeMap;

/// More than any file of a test has.
const MAX_CONTENT: u64 = 4 << 20;

/// One line for each node, by its path: kind, mode, uid, gid, size, mtime, device, content or link
/// target, extended attributes; tabs between them, `-` for what there is not.
pub(crate) fn answers(tree: &dyn Tree) -> BTreeMap<String, String> {
    let mut paths = vec![TreePath::root()];
    walk(
        tree,
        &mut |path, _| {
            paths.push(path.clone());
            Descend::Into
        },
        &mut |path, error| panic!("{path}: {error}"),
    );
    paths.iter().map(|path| (path.to_string(), answer(tree, path))).collect()
}

fn answer(tree: &dyn Tree, path: &TreePath) -> String {
    let found = tree.metadata(path).unwrap();
    let number = |number: Option<u64>| number.map_or("-".to_string(), |number| number.to_string());
    let modified = found
        .modified
        .map_or("-".to_string(), |time| format!("{}.{:09}", time.seconds(), time.nanoseconds()));
    let device =
        found.device.map_or("-".to_string(), |device| format!("{}:{}", device.major, device.minor));
    let content = match found.kind {
        FileKind::Regular => match tree.open(path) {
            Ok(file) => content_hash(&file),
            Err(error) => error.to_string(),
        },
        FileKind::SymbolicLink => escaped(&tree.link_target(path).unwrap()),
        _ => "-".to_string(),
    };
    let attributes = tree.extended_attributes(path).unwrap();
    let attributes: Vec<String> = attributes
        .iter()
        .map(|attribute| {
            let value = attribute.value.iter().map(|byte| format!("{byte:02x}"));
            format!("{}={}", escaped(&attribute.name), value.collect::<String>())
        })
        .collect();
    [
        found.kind.name().to_string(),
        found.mode.map_or("-".to_string(), |mode| format!("{mode:04o}")),
        number(found.uid),
        number(found.gid),
        found.size.to_string(),
        modified,
        device,
        content,
        if attributes.is_empty() { "-".to_string() } else { attributes.join(",") },
    ]
    .join("\t")
}

/// FNV-1a of the whole content, 64 bits; of the first 4 MiB where there is more.
fn content_hash(file: &dyn ReadAt) -> String {
    let content = match read_up_to(file, MAX_CONTENT) {
        Ok((content, _)) => content,
        Err(error) => return error.to_string(),
    };
    let hash = content.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

pub(crate) fn escaped(bytes: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        0x21..=0x5b | 0x5d..=0x7e => char::from(*byte).to_string(),
        byte => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(escape).collect()
}
