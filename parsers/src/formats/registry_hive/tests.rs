//! Hives that libhivex wrote, and such that are made here cell by cell.
#![cfg(test)]

use super::*;

const NTUSER: &[u8] =
    include_bytes!("../../../../testdata/desktop.registry/laptop/evidence/Users/ada/NTUSER.DAT");
const LXSS: &str = r"software\microsoft\WINDOWS\CurrentVersion\Lxss";
const DOCKER: &str = "{b1a0e4b6-63f7-4c0e-a4f2-7a5a1a5ce2d2}";

fn open(bytes: &[u8], logs: &[Vec<u8>]) -> Hive {
    Hive::open(Arc::new(bytes.to_vec()), logs).unwrap()
}

fn flaws(hive: Hive) -> Vec<String> {
    hive.into_flaws().into_iter().map(|flaw| format!("{}: {}", flaw.offset, flaw.what)).collect()
}

/// A hive whose cells are made one by one; the first is the topmost key.
struct Made(Vec<u8>);

impl Made {
    fn new() -> Made {
        let mut bytes = vec![0; 4096];
        bytes[..4].copy_from_slice(b"regf");
        bytes[36..40].copy_from_slice(&32_u32.to_le_bytes());
        bytes.extend_from_slice(b"hbin");
        bytes.resize(4096 + 32, 0);
        Made(bytes)
    }

    fn cell(&mut self, content: &[u8]) -> u32 {
        let at = u32::try_from(self.0.len() - 4096).unwrap();
        let length = (content.len() + 4).next_multiple_of(8);
        self.0.extend_from_slice(&(-i32::try_from(length).unwrap()).to_le_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(4096 + at as usize + length, 0);
        at
    }

    /// A key with lists that are put in later.
    fn key(&mut self, name: &str) -> u32 {
        let mut key = vec![0; 76];
        key[..4].copy_from_slice(b"nk\x20\0");
        key[4..12].copy_from_slice(&133_000_000_000_000_000_u64.to_le_bytes());
        key[72..74].copy_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        key.extend_from_slice(name.as_bytes());
        self.cell(&key)
    }

    fn put(&mut self, cell: u32, at: usize, number: u32) {
        let at = 4096 + cell as usize + 4 + at;
        self.0[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    fn list(&mut self, kind: &[u8], elements: &[u32], size: usize) -> u32 {
        let mut list = kind.to_vec();
        list.extend_from_slice(&u16::try_from(elements.len()).unwrap().to_le_bytes());
        for element in elements {
            list.extend_from_slice(&element.to_le_bytes());
            list.resize(list.len() + size - 4, 0);
        }
        self.cell(&list)
    }

    fn finished(mut self) -> Vec<u8> {
        let sum = checksum(&self.0).unwrap();
        self.0[CHECKED..CHECKED + 4].copy_from_slice(&sum.to_le_bytes());
        self.0
    }
}

#[test]
fn keys_are_found_in_any_case_and_values_have_their_types() {
    let hive = open(NTUSER, &[]);
    let key = hive.key(LXSS).unwrap().subkey(&DOCKER.to_uppercase()).unwrap();
    assert_eq!(key.name, DOCKER);
    assert_eq!(key.last_written, Instant::parse_rfc3339("2026-02-03T09:00:00.123456Z").unwrap());
    assert_eq!(key.text("distributionname").as_deref(), Some("docker-desktop"));
    let path = r"\\?\C:\Users\ada\AppData\Local\Docker\wsl\main";
    assert_eq!(key.text("BasePath").as_deref(), Some(path));
    assert_eq!((key.number("Flags"), key.number("DistributionName")), (Some(15), None));
    assert!(key.value("nothing").is_none() && hive.key(r"Software\nothing").is_none());
    assert_eq!(flaws(hive), [""; 0]);
}

#[test]
fn lists_of_every_kind_name_the_keys_below_one() {
    for kind in ["lf", "lh", "li", "ri"] {
        let mut made = Made::new();
        let root = made.key("root");
        let names = ["a", "b", "c"].map(|name| made.key(name));
        let list = match kind {
            "li" => made.list(b"li", &names, 4),
            "ri" => {
                let first = made.list(b"lh", &names[..2], 8);
                let second = made.list(b"li", &names[2..], 4);
                // A damaged list may name another twice.
                made.list(b"ri", &[first, second, first], 4)
            }
            kind => made.list(kind.as_bytes(), &names, 8),
        };
        made.put(root, 20, 3);
        made.put(root, 28, list);
        let hive = open(&made.finished(), &[]);
        let names: Vec<String> = hive.root().unwrap().subkeys().map(|key| key.name).collect();
        assert_eq!(names, ["a", "b", "c"], "{kind}");
        assert_eq!(flaws(hive), [""; 0]);
    }
}

#[test]
fn data_in_segments_are_joined_and_such_that_are_not_there_are_a_flaw() {
    let content: Vec<u8> = (0..40_000_u32).map(|number| (number % 251) as u8).collect();
    let mut made = Made::new();
    let root = made.key("root");
    let segments: Vec<u32> = content.chunks(16_344).map(|part| made.cell(part)).collect();
    let list: Vec<u8> = segments.iter().flat_map(|cell| cell.to_le_bytes()).collect();
    let list = made.cell(&list);
    let mut head = b"db\x03\0".to_vec();
    head.extend_from_slice(&list.to_le_bytes());
    let head = made.cell(&head);
    let value = |data: u32, size: u32, kind: u32| {
        let mut value = b"vk\x01\0".to_vec();
        for number in [size, data, kind, 1] {
            value.extend_from_slice(&number.to_le_bytes());
        }
        value.push(b'v');
        value
    };
    let big = made.cell(&value(head, 40_000, 3));
    let inline = made.cell(&value(7, 0x8000_0004, 4));
    let lost = made.cell(&value(0x00FF_FFF8, 9, 3));
    let large = made.cell(&value(head, 2_000_000, 3));
    let values = [big, inline, lost, large].map(u32::to_le_bytes).concat();
    let values = made.cell(&values);
    made.put(root, 36, 4);
    made.put(root, 40, values);
    let hive = open(&made.finished(), &[]);
    let values = hive.root().unwrap().values();
    assert_eq!(values.len(), 2);
    assert_eq!((&values[0].data, values[0].name.as_str()), (&content, "v"));
    assert_eq!(values[1].number(), Some(7));
    let told = flaws(hive);
    assert_eq!(told[0], format!("{}: no cell can be here", 0x00FF_FFF8 + 4096));
    assert!(told[1].ends_with("more than 1048576 are not read"), "{told:?}");
}

/// A transaction log with one entry, which replaces 512 bytes of the bins.
fn log(sequence: u32, at: usize, page: &[u8]) -> Vec<u8> {
    let mut entry = b"HvLE".to_vec();
    for number in [1024, 0, sequence, 8192, 1] {
        entry.extend_from_slice(&u32::to_le_bytes(number));
    }
    entry.resize(40, 0);
    entry.extend_from_slice(&u32::try_from(at).unwrap().to_le_bytes());
    entry.extend_from_slice(&512_u32.to_le_bytes());
    entry.extend_from_slice(page);
    entry.resize(1024, 0);
    let content = transaction_log::marvin32(&entry[40..]);
    entry[24..32].copy_from_slice(&content.to_le_bytes());
    let head = transaction_log::marvin32(&entry[..32]);
    entry[32..40].copy_from_slice(&head.to_le_bytes());
    [vec![0; 512], entry].concat()
}

/// The hive of a user, not written to the end.
fn dirty() -> Vec<u8> {
    let mut bytes = NTUSER.to_vec();
    bytes[4] = 9;
    let sum = checksum(&bytes).unwrap();
    bytes[CHECKED..CHECKED + 4].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn what_a_transaction_log_holds_is_laid_over_the_hive() {
    let bytes = dirty();
    let name: Vec<u8> = "docker-desktop".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let at = bytes.windows(name.len()).position(|found| found == name).unwrap();
    let page_at = (at - 4096) / 512 * 512;
    let mut page = bytes[4096 + page_at..4096 + page_at + 512].to_vec();
    page[at - 4096 - page_at] = b'D';
    let name_with = |logs: &[Vec<u8>]| {
        let hive = open(&bytes, logs);
        let name = hive.key(LXSS).unwrap().subkey(DOCKER).unwrap().text("DistributionName");
        (name.unwrap(), flaws(hive).len())
    };
    let (old, new) = ("docker-desktop".to_owned(), "Docker-desktop".to_owned());
    assert_eq!(name_with(&[log(7, page_at, &page)]), (new, 0));
    assert_eq!(name_with(&[]), (old.clone(), 1));
    // One that the hive has already, one of which a bit is wrong, one of Windows 8.
    assert_eq!(name_with(&[log(6, page_at, &page)]), (old.clone(), 1));
    let mut wrong = log(7, page_at, &page);
    wrong[600] ^= 1;
    assert_eq!(name_with(&[wrong]), (old.clone(), 1));
    assert_eq!(name_with(&[[vec![0; 512], b"DIRT".to_vec()].concat()]), (old, 2));
}

#[test]
fn what_is_no_hive_or_damaged_says_so() {
    for bytes in [&b""[..], &[0; 4096], &NTUSER[..500]] {
        assert!(Hive::open(Arc::new(bytes.to_vec()), &[]).is_err());
    }
    let mut bytes = NTUSER.to_vec();
    bytes[40] ^= 1;
    let told = flaws(open(&bytes, &[]));
    assert_eq!(told[0], "0: the checksum of the base block is wrong");
    let mut bytes = NTUSER.to_vec();
    bytes.truncate(4096);
    let hive = open(&bytes, &[]);
    assert!(hive.root().is_none());
    assert_eq!(flaws(hive), ["4128: no cell can be here"]);
}

#[test]
fn keys_that_share_one_long_list_do_not_take_time_without_end() {
    let mut made = Made::new();
    let root = made.key("root");
    let value = [&b"vk\0\0"[..], &[0; 16]].concat();
    let value = made.cell(&value);
    let values = made.cell(&value.to_le_bytes().repeat(10_000));
    let keys: Vec<u32> = (0..2_000).map(|_| made.key("key")).collect();
    for key in &keys {
        made.put(*key, 36, 10_000);
        made.put(*key, 40, values);
    }
    let list = made.list(b"lf", &keys, 8);
    made.put(root, 20, 2_000);
    made.put(root, 28, list);
    let hive = open(&made.finished(), &[]);
    let found = hive.root().unwrap().subkeys().filter(|key| key.value("none").is_some());
    assert_eq!(found.count(), 0);
    assert_eq!(flaws(hive), ["0: more than 268435456 bytes were read; the rest is not"]);
}
