//! A volume group that the LVM2 tools made over three physical volumes, with the newest text going
//! round the end of its area; and texts written by hand for what these tools did not make.

#![cfg(test)]

use super::super::crc32::crc32;
use super::super::tests::{image, random};
use super::*;
use crate::read_at::read_up_to;

/// Where the metadata area and its text begin in the images.
const AREA: usize = 4096;

fn originals() -> Vec<Vec<u8>> {
    (1..=3).map(|number| image(&format!("lvm2/pv{number}.raw.zst"))).collect()
}

fn assembled(images: Vec<Vec<u8>>) -> Assembled {
    let named = |(image, number)| (format!("d{number}"), Arc::new(image) as Arc<dyn ReadAt>);
    assemble(images.into_iter().zip(1..).map(named).collect())
}

fn names(found: &Assembled) -> Vec<&str> {
    found.volumes.iter().map(|volume| volume.name.as_str()).collect()
}

fn flaws(found: &Assembled) -> Vec<&str> {
    found.flaws.iter().map(|flaw| flaw.what.as_str()).collect()
}

/// What was written to a logical volume: every block begins with its name and offset.
fn written(name: &str, size: u64) -> Vec<u8> {
    let mut content = Vec::new();
    for at in (0..size).step_by(4096) {
        let mut block = format!("{name} {at}\n").into_bytes();
        block.resize(4096, 0);
        content.extend(block);
    }
    content
}

/// A physical volume of one extent of 4 KiB at byte 8192, with this text.
fn made(uuid: &str, text: &str) -> Vec<u8> {
    let mut bytes = vec![0; 12_288];
    bytes[512..520].copy_from_slice(b"LABELONE");
    bytes[520] = 1;
    bytes[532] = 32;
    bytes[536..544].copy_from_slice(b"LVM2 001");
    bytes[544..576].copy_from_slice(uuid.replace('-', "").as_bytes());
    bytes[576 + 8..576 + 16].copy_from_slice(&8192_u64.to_le_bytes());
    bytes[608 + 8..608 + 16].copy_from_slice(&4096_u64.to_le_bytes());
    bytes[616 + 8..616 + 16].copy_from_slice(&4096_u64.to_le_bytes());
    let crc = crc32(0xf597_a6cf, &bytes[532..1024]);
    bytes[528..532].copy_from_slice(&crc.to_le_bytes());
    bytes[AREA + 4..AREA + 20].copy_from_slice(b" LVM2 x[5A%r0N*>");
    bytes[AREA + 512..AREA + 512 + text.len()].copy_from_slice(text.as_bytes());
    let place = [512, text.len() as u64, u64::from(crc32(0xf597_a6cf, text.as_bytes()))];
    for (value, at) in place.iter().zip((AREA + 40..).step_by(8)) {
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    seal(&mut bytes);
    bytes
}

/// Makes the checksum of the metadata area's header right again.
fn seal(bytes: &mut [u8]) {
    let crc = crc32(0xf597_a6cf, &bytes[AREA + 4..AREA + 512]);
    bytes[AREA..AREA + 4].copy_from_slice(&crc.to_le_bytes());
}

const UUID: &str = "AAAAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAAAA";

/// A volume group `v` on one physical volume, with these logical volumes.
fn group(volumes: &str) -> Assembled {
    let text = format!(
        "v {{ id=\"G\" seqno=3 extent_size=8 physical_volumes {{ pv0 {{ id=\"{UUID}\" pe_start=16 \
         pe_count=1 }} }} logical_volumes {{ {volumes} }} }}"
    );
    assembled(vec![made(UUID, &text)])
}

/// A visible logical volume of one segment.
fn volume(name: &str, segment: &str) -> String {
    format!(
        "{name} {{ status=[\"VISIBLE\"] segment1 {{ start_extent=0 extent_count=1 {segment} }} }} "
    )
}

const LINEAR: &str = "type=\"striped\" stripe_count=1 stripes=[\"pv0\", 0]";

#[test]
fn logical_volumes_are_read_as_the_tools_laid_them_out() {
    let found = assembled(originals());
    assert_eq!(flaws(&found), [""; 0]);
    let expected = [
        ("vg--a-one", "one", 16),
        ("vg--a-two", "two", 8),
        ("vg--a-striped", "striped", 6),
        ("vg--a-my--data", "my-data", 4),
        ("vg--a-lost", "lost", 4),
        ("vg--a-nothing", "", 2),
    ];
    assert_eq!(found.volumes.len(), expected.len());
    for (mapper, name, extents) in expected {
        let volume = found.volumes.iter().find(|volume| volume.name == mapper).unwrap();
        let size = extents * 65_536;
        let content = if name.is_empty() { vec![0; size] } else { written(name, size as u64) };
        assert_eq!(volume.bytes.len(), size as u64, "{name}");
        assert!(read_up_to(&volume.bytes, u64::MAX).unwrap().0 == content, "{name}");
        let mut seed = 3;
        for _ in 0..100 {
            let at = random(&mut seed) as usize % (size + 10);
            let mut part = vec![1; random(&mut seed) as usize % 70_000];
            let count = volume.bytes.read_at(at as u64, &mut part).unwrap();
            assert_eq!(count, part.len().min(size.saturating_sub(at)));
            assert!(part[..count] == content[at.min(size)..][..count], "{name} at {at}");
        }
    }
    let data = found.volumes.iter().find(|volume| volume.name == "vg--a-my--data").unwrap();
    assert_eq!(data.device_names, ["/dev/vg-a/my-data", "/dev/mapper/vg--a-my--data"]);
}

#[test]
fn a_missing_physical_volume_costs_only_what_lies_on_it() {
    let images = originals();
    let found = assembled(vec![images[0].clone(), images[1].clone()]);
    assert_eq!(names(&found).len(), 5);
    assert_eq!(
        flaws(&found),
        ["logical volume vg-a/lost: needs the physical volume \
        46Tf4J-oxRg-M4io-Fptq-hDBV-l6hU-hL9zGi, which is missing"]
    );
    let found = assembled(vec![images[2].clone()]);
    assert_eq!((names(&found), flaws(&found).len()), (vec!["vg--a-lost", "vg--a-nothing"], 4));
}

#[test]
fn a_physical_volume_given_twice_is_used_once() {
    let images = originals();
    let found = assembled([images.clone(), images].concat());
    assert_eq!((names(&found).len(), flaws(&found).len()), (6, 3));
    assert_eq!(
        flaws(&found)[0],
        "d4: the physical volume w2Y4GO-RcAv-EyQ8-fP6L-tBmw-ellD-mPaoAf is given twice"
    );
}

#[test]
fn one_sound_copy_of_the_metadata_is_enough() {
    let mut images = originals();
    images[0][AREA + 59_000] ^= 1;
    images[1][AREA + 100] ^= 1;
    let found = assembled(images);
    assert_eq!(names(&found).len(), 6);
    let flaws = flaws(&found).concat();
    assert!(flaws.contains("d1: LVM2 metadata at byte 62976: need text of checksum "), "{flaws}");
    assert!(flaws.contains("d2: LVM2 metadata area at byte 4096: need checksum "), "{flaws}");
}

#[test]
fn the_newest_of_several_descriptions_wins() {
    let other = "BBBBBB-BBBB-BBBB-BBBB-BBBB-BBBB-BBBBBB";
    let text = |name: &str, generation: u32| {
        let volume = volume(name, LINEAR);
        format!(
            "v {{ id=\"G\" seqno={generation} extent_size=8 physical_volumes {{ \
             pv0 {{ id=\"{UUID}\" pe_start=16 pe_count=1 }} \
             pv1 {{ id=\"{other}\" pe_start=16 pe_count=1 }} }} logical_volumes {{ {volume} }} }}"
        )
    };
    let images = vec![made(UUID, &text("old", 9)), made(other, &text("new", 10))];
    assert_eq!(names(&assembled(images)), ["v-new"]);
}

#[test]
fn types_that_are_not_read_are_named() {
    for kind in ["snapshot", "thin", "thin-pool", "cache+METADATA_FORMAT", "raid1", "mirror", "vdo"]
    {
        let found = group(&(volume("a", &format!("type=\"{kind}\"")) + &volume("b", LINEAR)));
        assert_eq!(names(&found), ["v-b"]);
        let what = format!("logical volume v/a: type {kind} is not supported");
        assert_eq!(found.flaws, [Flaw { kind: IssueKind::Unsupported, what }]);
    }
    // The store of a snapshot looks like any other logical volume.
    let snapshot = "snapshot0 { status=[] segment1 { start_extent=0 extent_count=1 \
                    type=\"snapshot\" origin=\"a\" cow_store=\"b\" } }";
    let found = group(&(volume("a", LINEAR) + &volume("b", LINEAR) + snapshot));
    assert_eq!(names(&found), ["v-a"]);
    assert_eq!(flaws(&found), ["logical volume v/b: type snapshot is not supported"]);
    let found = group(&volume("a", &LINEAR.replace("pv0", "pvmove0")));
    assert_eq!(flaws(&found), ["logical volume v/a: type segment on pvmove0 is not supported"]);
}

#[test]
fn hidden_logical_volumes_are_no_volumes() {
    let found = group(&volume("a_tdata", LINEAR).replace("\"VISIBLE\"", ""));
    assert_eq!((names(&found).len(), flaws(&found).len()), (0, 0));
}

#[test]
fn two_logical_volumes_of_one_name_have_two_names() {
    let found = group(&(volume("a", LINEAR) + &volume("a", LINEAR)));
    assert_eq!((names(&found), flaws(&found).len()), (vec!["v-a", "v-a~2"], 0));
}

#[test]
fn what_is_wrong_with_a_logical_volume_is_said() {
    let striped = |count: &str, size: &str| {
        format!(
            "type=\"striped\" stripe_count={count} stripe_size={size} stripes=[\"pv0\", 0, \"pv0\", 0]"
        )
    };
    for (segment, error) in [
        (LINEAR.replace(", 0", ", 1"), "logical volume v/a: a stripe begins at extent 1 of 1"),
        (
            LINEAR.replace(", 0", ", 9223372036854775807"),
            "logical volume v/a: a stripe begins at extent 9223372036854775807 of 1",
        ),
        (
            LINEAR.replace(", 0", ", -1"),
            "volume group v: logical volume a: segment1: a stripe begins at -1",
        ),
        (
            LINEAR.replace("\"pv0\", 0", "\"pv0\""),
            "volume group v: logical volume a: segment1: its stripes are not 1, or do not fill it",
        ),
        (
            striped("2", "0"),
            "volume group v: logical volume a: segment1: its stripes are not 2, or do not fill it",
        ),
        (
            striped("2", "3"),
            "volume group v: logical volume a: segment1: its stripes are not 2, or do not fill it",
        ),
        (
            striped("129", "1"),
            "volume group v: logical volume a: segment1: stripe_count is 129, need 1 to 128",
        ),
        (
            "stripe_count=1".to_owned(),
            "volume group v: logical volume a: segment1: there is no text type",
        ),
    ] {
        let found = group(&(volume("a", &segment) + &volume("b", LINEAR)));
        assert_eq!((names(&found), flaws(&found)), (vec!["v-b"], vec![error]));
    }
    let gap = volume("a", LINEAR).replace("start_extent=0", "start_extent=1");
    assert_eq!(
        flaws(&group(&gap)),
        ["volume group v: logical volume a: a segment begins at byte 4096, need 0"]
    );
    let huge = volume("a", LINEAR).replace("extent_count=1", "extent_count=9223372036854775807");
    assert_eq!(
        flaws(&group(&huge)),
        ["volume group v: logical volume a: segment1: extent_count is 9223372036854775807"]
    );
    for name in ["../a", "/etc", "..", &"a".repeat(128)] {
        let error =
            format!("volume group v: logical volume {name}: its name is none that LVM2 allows");
        assert_eq!(flaws(&group(&volume(name, LINEAR))), [error]);
    }
}

#[test]
fn what_is_wrong_with_a_physical_volume_is_said() {
    let made = || made(UUID, "v {}");
    assert_eq!(
        flaws(&assembled(vec![made()]))[0],
        "d1: volume group v: there is no number extent_size"
    );
    let mut bytes = made();
    bytes[600] = 1;
    assert_eq!(flaws(&assembled(vec![bytes]))[0], "d1: the checksum of its label is wrong");
    let mut bytes = made();
    bytes[532] = 255;
    bytes[533] = 255;
    assert_eq!(
        flaws(&assembled(vec![bytes])),
        ["d1: LVM2 label at byte 66047: need 0 bytes, have 0"]
    );
    let mut bytes = made();
    bytes[544..1024].fill(b'a');
    assert_eq!(
        flaws(&assembled(vec![bytes])),
        ["d1: LVM2 physical volume header at byte 1024: need 8 bytes, have 0"]
    );
    let mut bytes = made();
    bytes[AREA + 48..AREA + 56].fill(255);
    seal(&mut bytes);
    assert_eq!(flaws(&assembled(vec![bytes]))[0], "d1: LVM2 metadata: limit of 16777216 reached");
    assert_eq!(
        flaws(&assembled(vec![vec![0; 4096]])),
        ["d1: LVM2 label at byte 0: need LABELONE in one of four sectors, have none"]
    );
}

#[test]
fn a_physical_volume_that_waits_for_a_volume_group_is_no_flaw() {
    let mut bytes = made(UUID, "v {}");
    bytes[AREA + 40..AREA + 64].fill(0);
    seal(&mut bytes);
    let found = assembled(vec![bytes]);
    assert_eq!((names(&found).len(), flaws(&found).len()), (0, 0));
}

#[test]
fn a_physical_volume_that_was_cut_gives_an_error_past_its_end() {
    let mut images = originals();
    images[0].truncate(65_536 + 65_536);
    let found = assembled(images);
    let one = found.volumes.iter().find(|volume| volume.name == "vg--a-one").unwrap();
    let mut buffer = vec![0; 131_072];
    assert_eq!(one.bytes.read_at(0, &mut buffer).unwrap(), 65_536);
    assert!(one.bytes.read_at(65_536, &mut buffer).is_err());
}

#[test]
fn any_damage_to_the_metadata_is_survived() {
    let originals = originals();
    let mut seed = 11;
    for _ in 0..40 {
        let mut images = originals.clone();
        for image in &mut images {
            let texts = AREA + 58_880..AREA + 61_440;
            for _ in 0..=random(&mut seed) % 3 {
                let at = texts.start + random(&mut seed) as usize % texts.len();
                image[at] = random(&mut seed) as u8;
            }
            // The checksum of the text is made right, or nothing of it would be looked at.
            let mut text = image[AREA + 58_880..AREA + 61_440].to_vec();
            text.extend(&image[AREA + 512..AREA + 512 + 3138 - text.len()]);
            let crc = crc32(0xf597_a6cf, &text);
            image[AREA + 56..AREA + 60].copy_from_slice(&crc.to_le_bytes());
            seal(image);
            if random(&mut seed) % 4 == 0 {
                image.truncate(random(&mut seed) as usize % image.len());
            }
        }
        for volume in assembled(images).volumes {
            let _ = read_up_to(&volume.bytes, 1 << 20);
        }
    }
}
