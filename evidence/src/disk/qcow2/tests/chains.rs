//! Images made by qemu-img, alone and above one another, and what is wrong with them.

use super::open;
use crate::disk::samples::{
    assert_reads_agree, content, disk, open_files, pieces, stored_file, tiny_disk,
};
use dockline_timeline::IssueKind;

fn refusal(files: &[(&str, Vec<u8>)]) -> String {
    open_files(open, files).err().unwrap().to_string()
}

/// What `top` is above `base`.
fn top_disk() -> Vec<u8> {
    let mut content = disk(601);
    content.resize(320 << 10, 0);
    content[10 << 10..13 << 10].fill(1);
    content[100 << 10..140 << 10].fill(0);
    content[300 << 10..309 << 10].fill(2);
    content
}

fn top() -> Vec<u8> {
    stored_file("qcow2/top.qcow2.zst")
}

fn base() -> Vec<u8> {
    stored_file("qcow2/base.qcow2.zst")
}

#[test]
fn clusters_compressed_with_zlib_and_zstd_are_read() {
    for name in ["qcow2/zlib.qcow2.zst", "qcow2/base.qcow2.zst"] {
        let opened = open_files(open, &[("image", stored_file(name))]).unwrap();
        assert_eq!(opened.flaws, []);
        // qemu-img rounds up to its sectors only, and so is the disk as long as it was.
        assert!(content(&opened) == disk(601), "{name}");
        assert_reads_agree(&opened, &disk(601));
    }
}

#[test]
fn what_an_image_does_not_hold_is_read_from_the_one_below() {
    let opened = open_files(open, &[("top.qcow2", top()), ("base.qcow2", base())]).unwrap();
    assert_eq!(opened.flaws, []);
    assert_eq!(opened.parts, [b"base.qcow2"]);
    assert!(content(&opened) == top_disk());
    assert_reads_agree(&opened, &top_disk());
}

#[test]
fn an_image_without_the_one_below_is_refused_by_its_name() {
    let expected = "a QCOW2 image without its backing file base.qcow2 is not supported";
    assert_eq!(refusal(&[("top.qcow2", top())]), expected);
}

#[test]
fn an_image_below_itself_is_refused() {
    let error = refusal(&[("base.qcow2", top())]);
    assert_eq!(error, "QCOW2 backing file at byte 0: need an image further down, have base.qcow2");
    let error = refusal(&[("top.qcow2", top()), ("base.qcow2", top())]);
    assert!(error.ends_with("have base.qcow2"), "{error}");
}

#[test]
fn a_name_with_a_directory_is_looked_for_beside_the_image_and_that_is_told() {
    // The name is as long as before, so that nothing else moves.
    for (path, beside) in [("/x/se.qcow", "se.qcow"), ("c:\\s.qcow2", "s.qcow2")] {
        let mut image = top();
        let at = image.windows(10).position(|window| window == b"base.qcow2").unwrap();
        image[at..at + 10].copy_from_slice(path.as_bytes());
        let opened = open_files(open, &[("top.qcow2", image), (beside, base())]).unwrap();
        let what =
            format!("backing file {path}: the file of that name beside the image is taken for it");
        assert_eq!(opened.flaws.len(), 1);
        assert_eq!((opened.flaws[0].kind, &opened.flaws[0].what), (IssueKind::Unsupported, &what));
        assert!(content(&opened) == top_disk());
    }
}

#[test]
fn the_format_that_is_told_counts_and_not_what_the_image_below_looks_like() {
    let mut image = top();
    let at = image.windows(5).position(|window| window == b"qcow2").unwrap();
    assert_eq!(image[at - 8..at - 4], 0xe279_2aca_u32.to_be_bytes());
    image[at - 4..at].copy_from_slice(&3_u32.to_be_bytes());
    image[at..at + 5].copy_from_slice(b"raw\0\0");
    let opened = open_files(open, &[("top.qcow2", image.clone()), ("base.qcow2", base())]).unwrap();
    assert_eq!(content(&opened)[..4], *b"QFI\xfb");
    // A format that is not read is refused.
    image[at..at + 3].copy_from_slice(b"vdi");
    let error = refusal(&[("top.qcow2", image), ("base.qcow2", base())]);
    assert_eq!(error, "the QCOW2 backing file base.qcow2, in format vdi, is not supported");
}

#[test]
fn a_chain_that_is_too_long_is_a_limit() {
    let images: Vec<(String, Vec<u8>)> = (10..50)
        .map(|number| {
            let mut image = top();
            let at = image.windows(10).position(|window| window == b"base.qcow2").unwrap();
            let below = format!("base{:02}.qc0", number + 1);
            image[at..at + 10].copy_from_slice(below.as_bytes());
            (format!("base{number}.qc0"), image)
        })
        .collect();
    let files: Vec<(&str, Vec<u8>)> =
        images.iter().map(|(name, image)| (name.as_str(), image.clone())).collect();
    assert_eq!(refusal(&files), "QCOW2 backing files: limit of 32 reached");
}

#[test]
fn no_changed_byte_of_the_tables_does_more_than_damage() {
    // The header, the tables of both levels, and some of the clusters of a small image. There are no
    // checksums, so what is read may be wrong; but all of it must be answered.
    let image = stored_file("qcow2/tiny.qcow2.zst");
    let sound = open_files(open, &[("tiny.qcow2", image.clone())]).unwrap();
    assert!(content(&sound) == tiny_disk());
    let tables = (120..3072).step_by(3).filter(|at| image[*at] != 0);
    for at in (0..120).chain(tables).chain((3072..image.len()).step_by(101)) {
        for change in [0xff, 0x01, 0x80] {
            let mut image = image.clone();
            image[at] ^= change;
            if let Ok(opened) = open_files(open, &[("tiny.qcow2", image)]) {
                pieces(&opened, 4096);
            }
        }
    }
}

#[test]
fn no_image_that_is_cut_off_passes_for_the_disk() {
    let image = stored_file("qcow2/tiny.qcow2.zst");
    let last = image.len() - 600;
    for length in (0..last).step_by(97) {
        if let Ok(opened) = open_files(open, &[("tiny.qcow2", image[..length].to_vec())]) {
            assert!(pieces(&opened, 512).iter().any(Result::is_err), "{length} bytes");
        }
    }
}
