//! The same volume with one thing wrong, and what that costs.

use super::{content, path, paths, tree, volume};
use crate::file_system::{FileSystem, Flaw};
use crate::ntfs::attribute::AttributeType;
use crate::{ReadAt, Tree};
use dockline_timeline::IssueKind;
use std::sync::Arc;

const RECORD: usize = 1024;
const CLUSTER: usize = 1024;
const MFT: usize = 0x10 * CLUSTER;

/// A volume that is changed.
struct Image(Vec<u8>);

impl Image {
    fn new() -> Image {
        Image(volume())
    }

    fn number(&self, at: usize, size: usize) -> usize {
        let bytes = &self.0[at..at + size];
        bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Image {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Where the record of that number lies, which says its number itself.
    fn record(&self, number: usize) -> usize {
        let records = (MFT..self.0.len() - RECORD).step_by(RECORD);
        let is_it =
            |at: &usize| &self.0[*at..at + 4] == b"FILE" && self.number(at + 0x2C, 4) == number;
        records.filter(is_it).next().unwrap()
    }

    /// Where the base record of a file lies.
    fn record_of(&self, file: &str) -> usize {
        let inode = tree().metadata(&path(file)).unwrap().inode.unwrap();
        self.record(usize::try_from(inode).unwrap())
    }

    /// Where the records lie that extend the one that lies at `base`.
    fn extensions(&self, base: usize) -> Vec<usize> {
        let number = self.number(base + 0x2C, 4);
        let records = (MFT..self.0.len() - RECORD).step_by(RECORD);
        let extends = |at: &usize| {
            &self.0[*at..at + 4] == b"FILE" && number > 0 && self.number(at + 0x20, 6) == number
        };
        records.filter(extends).collect()
    }

    /// Where the first attribute of that type lies in the record that lies at `record`.
    fn attribute(&self, record: usize, kind: AttributeType) -> usize {
        let mut at = record + self.number(record + 0x14, 2);
        while self.number(at, 4) != usize::try_from(kind.0).unwrap() {
            assert_ne!(self.number(at, 4), 0xFFFF_FFFF, "no such attribute");
            at += self.number(at + 4, 4);
        }
        at
    }

    /// Where the value lies of an attribute that is in its record.
    fn value(&self, attribute: usize) -> usize {
        attribute + self.number(attribute + 0x14, 2)
    }

    /// Where the runs of an attribute are.
    fn pairs(&self, attribute: usize) -> usize {
        attribute + self.number(attribute + 0x20, 2)
    }

    /// Where the first run of an attribute lies.
    fn first_cluster(&self, attribute: usize) -> usize {
        let pairs = self.pairs(attribute);
        let sizes = self.number(pairs, 1);
        self.number(pairs + 1 + (sizes & 15), sizes >> 4) * CLUSTER
    }

    fn open(&self) -> FileSystem {
        super::super::open(Arc::new(self.0.clone())).unwrap()
    }

    fn tree(&self) -> Arc<dyn Tree> {
        self.open().tree
    }

    fn error(&self, file: &str) -> String {
        content(self.tree().as_ref(), file).unwrap_err().to_string()
    }

    /// Asserts that the volume lists all its files, and returns its flaws.
    fn whole(&self) -> Vec<Flaw> {
        let found = self.open();
        let mut issues = Vec::new();
        let count = paths(found.tree.as_ref(), &mut issues).len();
        assert_eq!(issues, [""; 0]);
        assert_eq!(count, paths(tree().as_ref(), &mut issues).len());
        found.flaws
    }
}

fn flaw(kind: IssueKind, what: &str) -> Vec<Flaw> {
    vec![Flaw { kind, what: what.to_owned() }]
}

#[test]
fn a_damaged_boot_sector_is_replaced_by_its_copy() {
    let mut image = Image::new();
    image.put(0, &[0; 512]);
    let what = "NTFS boot sector at byte 3: need \"NTFS    \", have something else; \
                its copy at the end of the volume was used";
    assert_eq!(image.whole(), flaw(IssueKind::Malformed, what));
}

#[test]
fn a_damaged_first_record_is_replaced_by_its_copy() {
    let mut image = Image::new();
    image.put(MFT, b"BAAD");
    let what = "NTFS file record in $MFT at byte 0: need \"FILE\", have BAAD; \
                the copy in $MFTMirr was used";
    assert_eq!(image.whole(), flaw(IssueKind::Malformed, what));
}

#[test]
fn neither_boot_sector_nor_first_record_is_the_end() {
    let mut image = Image::new();
    let end = image.0.len() - 512;
    image.put(0, &[0; 512]).put(end, &[0; 512]);
    let error = super::super::open(Arc::new(image.0)).err().unwrap().to_string();
    assert_eq!(error, "NTFS boot sector at byte 3: need \"NTFS    \", have something else");
    let mut image = Image::new();
    let copy = image.number(0x38, 8) * CLUSTER;
    image.put(MFT, &[0; 4]).put(copy, &[0; 4]);
    let error = super::super::open(Arc::new(image.0)).err().unwrap().to_string();
    let expected = r#"NTFS file record in $MFT at byte 0: need "FILE", have \x00\x00\x00\x00"#;
    assert_eq!(error, expected);
}

#[test]
fn a_dirty_volume_is_a_flaw() {
    let mut image = Image::new();
    let information = image.attribute(image.record(3), AttributeType::VOLUME_INFORMATION);
    image.put(image.value(information) + 10, &[1]);
    let flaws = image.whole();
    assert_eq!((flaws.len(), flaws[0].kind), (1, IssueKind::Unsupported));
}

#[test]
fn a_lost_volume_file_is_a_flaw() {
    let mut image = Image::new();
    image.put(image.record(3), b"BAAD");
    let what = "$Volume cannot be read: NTFS file record in $MFT at byte 3072: \
                need \"FILE\", have BAAD";
    assert_eq!(image.whole(), flaw(IssueKind::Malformed, what));
}

#[test]
fn a_truncated_volume_is_a_flaw_and_its_front_is_read() {
    let mut image = Image::new();
    image.0.truncate(3 << 20);
    let what = "the NTFS volume has 4193792 bytes, but the evidence only 3145728 of them";
    assert_eq!(image.open().flaws, flaw(IssueKind::Malformed, what));
    assert_eq!(content(image.tree().as_ref(), "hard").unwrap(), b"linked");
}

#[test]
fn a_torn_record_costs_its_file_alone() {
    let mut image = Image::new();
    let record = image.record_of("packed/numbers");
    image.put(record + 510, &[0xAA, 0xAA]);
    image.whole();
    let error = image.error("packed/numbers");
    assert!(error.ends_with("have [aa, aa]"), "{error}");
    assert!(image.tree().metadata(&path("packed/numbers")).is_err());
    assert!(content(image.tree().as_ref(), "packed/mixed").is_ok());
}

#[test]
fn a_record_that_was_used_anew_is_not_the_file() {
    let mut image = Image::new();
    let record = image.record_of("empty");
    image.put(record + 0x10, &[77, 0]);
    let error = image.error("empty");
    assert!(error.contains("need sequence number") && error.ends_with("have 77"), "{error}");
    image.put(record + 0x16, &[0]);
    let error = image.error("empty");
    assert!(error.ends_with("need a record in use, have a free one"), "{error}");
}

#[test]
fn a_lost_extension_record_costs_its_part_of_the_content() {
    let whole = content(tree().as_ref(), "fragmented").unwrap();
    let mut image = Image::new();
    let base = image.record_of("fragmented");
    let is_data = |at: &&usize| image.number(**at + image.number(**at + 0x14, 2), 4) == 0x80;
    let extension = *image.extensions(base).iter().find(is_data).unwrap();
    let data = image.attribute(extension, AttributeType::DATA);
    let lost_from = image.number(data + 0x10, 8) * CLUSTER;
    image.put(extension, b"BAAD");
    assert_eq!(image.tree().metadata(&path("fragmented")).unwrap().size, 240_000);
    let file = image.tree().open(&path("fragmented")).unwrap();
    let mut front = vec![0; lost_from];
    crate::fields::fill(file.as_ref(), "front", 0, &mut front).unwrap();
    assert!(front == whole[..lost_from] && lost_from > 100 * CLUSTER);
    let error = image.error("fragmented");
    assert!(error.ends_with("need \"FILE\", have BAAD"), "{error}");
}

#[test]
fn an_extension_record_serves_its_own_base_alone() {
    let mut image = Image::new();
    for extension in image.extensions(image.record_of("fragmented")) {
        image.put(extension + 0x20, &[5]);
    }
    let error = image.error("fragmented");
    assert!(error.ends_with("have one of record 5"), "{error}");
}

#[test]
fn an_attribute_list_that_lists_itself_or_nothing_ends() {
    let links = |change: &dyn Fn(&mut Image, usize)| {
        let mut image = Image::new();
        let record = image.record_of("hard");
        let list = image.attribute(record, AttributeType::ATTRIBUTE_LIST);
        let at = match image.number(list + 8, 1) {
            0 => image.value(list),
            _ => image.first_cluster(list),
        };
        change(&mut image, at);
        image.tree().metadata(&path("hard")).map(|found| found.links)
    };
    // The first entry (standard information) as one of the list, and as one of another record.
    let error = links(&|image, at| {
        image.put(at, &[0x20]);
    });
    assert_eq!(error.unwrap(), Some(31));
    let error = links(&|image, at| {
        image.put(at + 0x10, &[5, 0, 0, 0, 0, 0, 5, 0]);
    });
    assert!(error.unwrap_err().to_string().ends_with("of record 5, have one of record 0"));
    let error = links(&|image, at| {
        image.put(at + 4, &[0, 0]);
    });
    let expected = "NTFS attribute list at byte 0: need an entry of 26 bytes or more, have 0";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn absurd_runs_cost_the_content_that_they_place() {
    let with_runs = |runs: &[u8]| {
        let mut image = Image::new();
        let data = image.attribute(image.record_of("packed/noise"), AttributeType::DATA);
        image.put(image.pairs(data), runs);
        (image.tree().metadata(&path("packed/noise")).unwrap().size, image.error("packed/noise"))
    };
    let (size, error) = with_runs(&[0x11, 20, 0x80, 0]);
    assert_eq!(size, 20_000);
    assert!(error.ends_with("need a cluster of the volume, have -128"), "{error}");
    let (_, error) = with_runs(&[0x41, 20, 0, 0, 0, 0x40, 0]);
    assert!(error.contains("the evidence ends before byte"), "{error}");
    let (_, error) = with_runs(&[0x11, 0xFF, 0x10, 0]);
    assert!(error.ends_with("need a length of a run, have 17"), "{error}");
    let (_, error) = with_runs(&[0x19, 1]);
    assert!(error.contains("need a number of up to 8 bytes"), "{error}");
    let (_, error) = with_runs(&[0]);
    assert!(error.ends_with("need runs of 20 clusters, have 0"), "{error}");
}

#[test]
fn what_was_never_written_reads_as_zeros() {
    let mut image = Image::new();
    for (file, size) in [("packed/noise", 20_000_usize), ("packed/numbers", 200_001)] {
        let before = content(image.tree().as_ref(), file).unwrap();
        let data = image.attribute(image.record_of(file), AttributeType::DATA);
        image.put(data + 0x38, &3000_u64.to_le_bytes());
        let found = content(image.tree().as_ref(), file).unwrap();
        assert_eq!(found.len(), size);
        assert!(found[..3000] == before[..3000], "{file}");
        assert!(found[3000..].iter().all(|byte| *byte == 0), "{file}");
    }
}

#[test]
fn encrypted_and_unknown_content_is_refused_by_name() {
    let with_flags = |low: u8, high: u8| {
        let mut image = Image::new();
        let data = image.attribute(image.record_of("packed/noise"), AttributeType::DATA);
        image.put(data + 0x0C, &[low, high]);
        assert_eq!(image.tree().metadata(&path("packed/noise")).unwrap().size, 20_000);
        image.error("packed/noise")
    };
    assert_eq!(with_flags(0, 0x40), "NTFS file encrypted with EFS is not supported");
    assert_eq!(with_flags(2, 0), "NTFS file with compression method 2 is not supported");
    let mut image = Image::new();
    let data = image.attribute(image.record_of("packed/numbers"), AttributeType::DATA);
    image.put(data + 0x22, &[40]);
    let error = image.error("packed/numbers");
    assert_eq!(error, "bytes of an NTFS compression unit: limit of 1048576 reached");
}

#[test]
fn damaged_compressed_data_is_named_and_the_rest_is_read() {
    let mut image = Image::new();
    let data = image.attribute(image.record_of("packed/numbers"), AttributeType::DATA);
    let at = image.first_cluster(data);
    image.put(at, &[0xFF, 0xBF, 0xFF, 0xFF, 0xFF]);
    let file = image.tree().open(&path("packed/numbers")).unwrap();
    let error = file.read_at(0, &mut [0; 10]).unwrap_err().to_string();
    assert!(error.starts_with("NTFS compressed chunk at byte 3"), "{error}");
    let mut part = [0; 7];
    assert_eq!(file.read_at(70_000, &mut part).unwrap(), 7);
    assert_eq!(&part, b"010000 ");
}

#[test]
fn a_damaged_block_of_an_index_costs_its_names_alone() {
    let whole = tree().list(&path("many")).unwrap().len();
    let with_block = |change: &dyn Fn(&mut Image, usize)| {
        let mut image = Image::new();
        let record = image.record_of("many");
        let block = image.first_cluster(image.attribute(record, AttributeType::INDEX_ALLOCATION));
        change(&mut image, block);
        let mut issues = Vec::new();
        paths(image.tree().as_ref(), &mut issues);
        assert_eq!(issues.len(), 1, "{issues:?}");
        let listed = image.tree().list(&path("many")).unwrap().len();
        assert!(listed < whole && listed > whole / 2, "{listed} of {whole}");
        issues.join("; ")
    };
    let torn = with_block(&|image, block| {
        image.put(block + 1022, &[0xAA, 0xAA]);
    });
    assert!(torn.starts_with("/many: NTFS index block at byte 1022: need the mark"), "{torn}");
    let lost = with_block(&|image, block| {
        image.put(block, b"BAAD");
    });
    assert_eq!(lost, "/many: NTFS index block at byte 0: need \"INDX\", have BAAD");
    let endless = with_block(&|image, block| {
        let first = block + 0x18 + image.number(block + 0x18, 4);
        image.put(first + 8, &[0, 0]);
    });
    assert!(endless.ends_with("need an entry of 16 bytes or more, have 0"), "{endless}");
    let outside = with_block(&|image, block| {
        image.put(block + 0x1C, &[0xFF, 0xFF]);
    });
    assert_eq!(outside, "/many: NTFS index block at byte 24: need 65535 bytes, have 4072");
}

#[test]
fn an_index_without_its_bitmap_is_read_whole() {
    let mut image = Image::new();
    let bitmap = image.attribute(image.record_of("many"), AttributeType::BITMAP);
    image.put(bitmap, &[0xE0]);
    let (found, whole) = (image.tree(), tree());
    assert_eq!(found.list(&path("many")).unwrap(), whole.list(&path("many")).unwrap());
    let issues = found.damage(&path("many"));
    assert_eq!(issues.len(), 1);
    let issue = issues[0].to_string();
    assert!(issue.contains("need the bitmap of an index"), "{issue}");
}

#[test]
fn a_damaged_index_root_costs_the_names_in_it() {
    let mut image = Image::new();
    let root = image.attribute(image.record_of("many"), AttributeType::INDEX_ROOT);
    let value = image.value(root);
    let first = value + 0x10 + image.number(value + 0x10, 4);
    image.put(first + 8, &[1, 0]);
    let whole = tree().list(&path("many")).unwrap().len();
    let listed = image.tree().list(&path("many")).unwrap().len();
    assert!(listed < whole && listed > whole / 2, "{listed} of {whole}");
    let issues = image.tree().damage(&path("many"));
    assert_eq!(issues.len(), 1);
    let issue = issues[0].to_string();
    assert!(issue.ends_with("need an entry of 16 bytes or more, have 1"), "{issue}");
}

#[test]
fn damage_to_the_runs_of_a_file_is_told_when_it_is_asked_for() {
    let with_runs = |runs: &[u8]| {
        let mut image = Image::new();
        let data = image.attribute(image.record_of("packed/noise"), AttributeType::DATA);
        image.put(image.pairs(data), runs);
        image.whole();
        let damage = image.tree().damage(&path("packed/noise"));
        let [error] = &damage[..] else { panic!("{damage:?}") };
        error.to_string()
    };
    assert!(with_runs(&[0x11, 20, 0x80, 0]).ends_with("need a cluster of the volume, have -128"));
    assert!(with_runs(&[0]).ends_with("need runs of 20 clusters, have 0"));
    let behind = with_runs(&[0x41, 20, 0, 0, 0, 0x40, 0]);
    let expected = "NTFS run at byte 0: need 20 of the 4096 clusters of the volume, have those \
                    from cluster 1073741824";
    assert_eq!(behind, expected);
    // Of two runs the first is known.
    let whole = content(tree().as_ref(), "packed/noise").unwrap();
    let mut image = Image::new();
    let data = image.attribute(image.record_of("packed/noise"), AttributeType::DATA);
    let pairs = image.pairs(data);
    let sizes = image.number(pairs, 1);
    image.put(pairs + 1, &[5]).put(pairs + 1 + (sizes & 15) + (sizes >> 4), &[0x19]);
    let file = image.tree().open(&path("packed/noise")).unwrap();
    let mut front = vec![0; 5 * CLUSTER];
    crate::fields::fill(file.as_ref(), "front", 0, &mut front).unwrap();
    assert!(front == whole[..5 * CLUSTER]);
    assert!(file.read_at(5 * 1024, &mut [0; 10]).is_err(), "no zeros");
    assert_eq!(image.tree().damage(&path("packed/noise")).len(), 1);
}

#[test]
fn a_directory_in_itself_does_not_hang_the_walk() {
    let mut image = Image::new();
    let record = image.record_of("many");
    let number = image.number(record + 0x2C, 4);
    let block = image.first_cluster(image.attribute(record, AttributeType::INDEX_ALLOCATION));
    let first = block + 0x18 + image.number(block + 0x18, 4);
    image.put(first, &number.to_le_bytes()[..6]).put(first + 6, &[0, 0]);
    image.put(first + 0x10 + 0x38, &0x1000_0000_u32.to_le_bytes());
    let mut issues = Vec::new();
    let count = paths(image.tree().as_ref(), &mut issues).len();
    assert!(count < 1000, "{count} nodes");
}

#[test]
fn whatever_is_changed_every_read_ends() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let original = Image::new();
    // Records of the files but the many small ones, of NTFS itself, and the boot sector.
    let mut places = vec![0];
    places.extend((0..12).map(|number| original.record(number)));
    for file in ["fragmented", "hard", "many", "packed", "packed/numbers", "sparse", "junction"] {
        places.push(original.record_of(file));
        places.extend(original.extensions(original.record_of(file)));
    }
    let block = original.attribute(places[1 + 5], AttributeType::INDEX_ALLOCATION);
    places.push(original.first_cluster(block));
    for _ in 0..300 {
        let mut image = Image(original.0.clone());
        for _ in 0..=random(3) {
            let at = places[random(places.len())] + random(RECORD);
            let value = [0, 1, 0x7F, 0x80, 0xFF, u8::try_from(random(256)).unwrap()][random(6)];
            image.put(at, &[value]);
        }
        let Ok(found) = super::super::open(Arc::new(image.0)) else { continue };
        let mut issues = Vec::new();
        for path in paths(found.tree.as_ref(), &mut issues) {
            let _ = (found.tree.metadata(&path), found.tree.extended_attributes(&path));
            let _ = (found.tree.link_target(&path), found.tree.damage(&path));
            if path.as_bytes().starts_with(b"many/") {
                continue;
            }
            let Ok(file) = found.tree.open(&path) else { continue };
            for at in [0, 70_000, file.len().saturating_sub(10)] {
                let _ = file.read_at(at, &mut [0; 20_000]);
            }
        }
    }
}
