//! Images of qemu-img and qemu-io.

use super::open;
use crate::disk::samples::{assert_reads_agree, content, disk, open_file, run};
use std::path::Path;

fn qemu_img(directory: &Path, command: &str) -> bool {
    run(directory, "qemu-img", &command.split_whitespace().collect::<Vec<_>>())
}

/// The whole disk as qemu itself reads it.
fn as_qemu_reads(directory: &Path, name: &str) -> Vec<u8> {
    qemu_img(directory, &format!("convert -O raw {name} {name}.out"));
    let content = std::fs::read(directory.join(format!("{name}.out"))).unwrap();
    std::fs::remove_file(directory.join(format!("{name}.out"))).unwrap();
    content
}

#[test]
fn every_kind_of_image_gives_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let raw = disk(5003);
    std::fs::write(directory.path().join("disk.raw"), &raw).unwrap();
    let kinds = [
        "-o compat=0.10",
        "-o compat=1.1",
        "-o compat=0.10,cluster_size=512",
        "-o compat=1.1,cluster_size=4096",
        "-o compat=1.1,cluster_size=2M",
        "-o compat=1.1,extended_l2=on,cluster_size=16k",
        "-o compat=1.1,extended_l2=on",
        "-o compat=1.1,preallocation=metadata",
        "-o compat=1.1,data_file=disk.data,cluster_size=4k",
        "-o compat=1.1,data_file=disk.data,data_file_raw=on",
        "-c -o compat=0.10",
        "-c -o compat=1.1,cluster_size=512",
        "-c -o compat=1.1,cluster_size=2M",
        "-c -o compat=1.1,compression_type=zstd",
        "-c -o compat=1.1,compression_type=zstd,cluster_size=4k",
        "-c -o compat=1.1,compression_type=zstd,cluster_size=2M",
        "-c -o compat=1.1,compression_type=zstd,extended_l2=on",
    ];
    for kind in kinds {
        if !qemu_img(directory.path(), &format!("convert -f raw -O qcow2 {kind} disk.raw d.qcow2"))
        {
            return;
        }
        let opened = open_file(open, &directory.path().join("d.qcow2")).unwrap();
        assert_eq!(opened.flaws, [], "{kind}");
        assert!(content(&opened) == raw, "{kind}");
        assert_reads_agree(&opened, &raw);
    }
}

#[test]
fn what_was_written_over_a_chain_of_images_is_what_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    std::fs::write(here.join("base.raw"), disk(4001)).unwrap();
    let writes = "write -P 1 0 100k|write -P 2 300k 1M|write -z 600k 70k|discard 1M 200k|write -P 3 2500000 1500";
    for options in ["cluster_size=64k", "cluster_size=512", "cluster_size=16k,extended_l2=on"] {
        let steps = [
            "create -q -f qcow2 -F raw -b base.raw middle.qcow2".to_string(),
            format!("create -q -f qcow2 -F qcow2 -b middle.qcow2 -o {options} top.qcow2 3M"),
        ];
        if !steps.iter().all(|step| qemu_img(here, step)) {
            return;
        }
        let commands = writes.split('|').flat_map(|write| ["-c", write]).collect::<Vec<_>>();
        let middle =
            ["-f", "qcow2", "-c", "write -P 9 900k 300k", "-c", "write -z 0 7k", "middle.qcow2"];
        if !run(here, "qemu-io", &middle)
            || !run(here, "qemu-io", &[&["-f", "qcow2"], &commands[..], &["top.qcow2"]].concat())
        {
            return;
        }
        let opened = open_file(open, &here.join("top.qcow2")).unwrap();
        assert_eq!(opened.flaws, [], "{options}");
        assert_eq!(opened.parts, [b"middle.qcow2".to_vec(), b"base.raw".to_vec()]);
        let expected = as_qemu_reads(here, "top.qcow2");
        assert!(content(&opened) == expected, "{options}");
        assert_reads_agree(&opened, &expected);
    }
}

#[test]
fn the_image_below_can_be_of_another_format() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    std::fs::write(here.join("disk.raw"), disk(4096)).unwrap();
    for (format, options) in
        [("vmdk", ""), ("vmdk", "-o subformat=monolithicFlat"), ("vhdx", ""), ("vpc", "")]
    {
        let convert = format!("convert -f raw -O {format} {options} disk.raw base.img");
        let create = format!("create -q -f qcow2 -F {format} -b base.img top.qcow2");
        if !qemu_img(here, &convert) || !qemu_img(here, &create) {
            return;
        }
        let opened = open_file(open, &here.join("top.qcow2")).unwrap();
        assert_eq!(opened.flaws, [], "{format} {options}");
        assert_eq!(opened.parts[0], b"base.img");
        let expected = as_qemu_reads(here, "top.qcow2");
        assert!(content(&opened) == expected, "{format} {options}");
    }
}
