//! Databases made by hand: what is right is read whole, and each wrong byte costs only what it says.

#![cfg(test)]

use super::*;

const PAGE: usize = 4096;

/// What an element of a leaf holds.
#[derive(Clone)]
enum Item {
    Value(Vec<u8>),
    At(u64),
    Inline(Vec<(&'static str, Item)>),
}

fn value(text: &str) -> Item {
    Item::Value(text.as_bytes().to_vec())
}

/// A database that is being made.
#[derive(Clone)]
struct Made {
    bytes: Vec<u8>,
    page: usize,
    big: bool,
}

impl Made {
    fn new(pages: usize) -> Made {
        Made { bytes: vec![0; pages * PAGE], page: PAGE, big: false }
    }

    fn number(&self, number: u64, size: usize) -> Vec<u8> {
        if self.big {
            return number.to_be_bytes()[8 - size..].to_vec();
        }
        number.to_le_bytes()[..size].to_vec()
    }

    fn put(mut self, at: usize, bytes: &[u8]) -> Made {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn numbers(&self, numbers: &[(u64, usize)]) -> Vec<u8> {
        numbers.iter().flat_map(|(number, size)| self.number(*number, *size)).collect()
    }

    fn leaf_bytes(&self, id: u64, items: &[(&'static str, Item)], overflow: u64) -> Vec<u8> {
        let mut page = self.numbers(&[(id, 8), (2, 2), (items.len() as u64, 2), (overflow, 4)]);
        let mut data = Vec::new();
        for (place, (key, item)) in items.iter().enumerate() {
            let (flags, bytes) = match item {
                Item::Value(bytes) => (0, bytes.clone()),
                Item::At(root) => (1, self.numbers(&[(*root, 8), (0, 8)])),
                Item::Inline(items) => {
                    let inline = self.leaf_bytes(0, items, 0);
                    (1, [self.numbers(&[(0, 8), (0, 8)]), inline].concat())
                }
            };
            let at = (items.len() - place) * 16 + data.len();
            let (key_length, length) = (key.len() as u64, bytes.len() as u64);
            let element = [(flags, 4), (at as u64, 4), (key_length, 4), (length, 4)];
            page.extend(self.numbers(&element));
            data.extend(key.as_bytes());
            data.extend(bytes);
        }
        [page, data].concat()
    }

    fn leaf(self, id: usize, items: &[(&'static str, Item)]) -> Made {
        let length = self.leaf_bytes(0, items, 0).len();
        let page = self.leaf_bytes(id as u64, items, (length.div_ceil(self.page) - 1) as u64);
        let at = id * self.page;
        self.put(at, &page)
    }

    fn branch(self, id: usize, children: &[(&str, u64)]) -> Made {
        let count = children.len();
        let mut page = self.numbers(&[(id as u64, 8), (1, 2), (count as u64, 2), (0, 4)]);
        let mut keys = Vec::new();
        for (place, (key, child)) in children.iter().enumerate() {
            let at = (count - place) * 16 + keys.len();
            page.extend(self.numbers(&[(at as u64, 4), (key.len() as u64, 4), (*child, 8)]));
            keys.extend(key.as_bytes());
        }
        let at = id * self.page;
        self.put(at, &[page, keys].concat())
    }

    fn freelist(self, id: usize, free: &[u64]) -> Made {
        let mut page = self.numbers(&[(id as u64, 8), (0x10, 2), (free.len() as u64, 2), (0, 4)]);
        page.extend(free.iter().flat_map(|free| self.number(*free, 8)));
        let at = id * self.page;
        self.put(at, &page)
    }

    /// The meta of a transaction; every page of the file is in use, and there is no freelist.
    fn meta(self, transaction: u64, root: u64) -> Made {
        let high = (self.bytes.len() / self.page) as u64;
        self.meta_with(transaction, (root, u64::MAX, high))
    }

    fn meta_with(self, transaction: u64, (root, freelist, high): (u64, u64, u64)) -> Made {
        let at = (transaction % 2) as usize * self.page;
        let header = self.numbers(&[(transaction % 2, 8), (4, 2), (0, 2), (0, 4)]);
        let narrow = [(0xED0C_DAED, 4), (2, 4), (self.page as u64, 4), (0, 4)];
        let wide = [(root, 8), (0, 8), (freelist, 8), (high, 8), (transaction, 8)];
        let meta = [self.numbers(&narrow), self.numbers(&wide)].concat();
        let sum = meta.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let sum = self.number(sum, 8);
        self.put(at, &[header, meta, sum].concat())
    }
}

/// A bucket in one line: `a=1 b{c=2}`; what is repeated begins with `~`.
fn shown(bucket: Bucket<'_, '_>) -> String {
    let entries = bucket.entries().map(|entry| {
        let (key, mark) = (entry.key.escape_ascii(), if entry.repeated { "~" } else { "" });
        match entry.content {
            Content::Value(value) => format!("{mark}{key}={}", value.escape_ascii()),
            Content::Bucket(bucket) => format!("{mark}{key}{{{}}}", shown(bucket)),
        }
    });
    entries.collect::<Vec<_>>().join(" ")
}

/// The current state, the fragments, and the flaws.
fn read(made: &Made) -> (String, Vec<String>, Vec<String>) {
    let database = Database::open(&made.bytes).unwrap();
    let fragments = database.fragments().map(|fragment| {
        let earlier = if fragment.is_earlier_root { " earlier" } else { "" };
        let names: Vec<_> = fragment.names.iter().map(|name| name.escape_ascii()).collect();
        let names: String = names.into_iter().map(|name| format!(" <{name}>")).collect();
        format!("{}{earlier}{names}: {}", fragment.page, shown(fragment.bucket))
    });
    let flaws = database.flaws().iter().map(|flaw| format!("{} {}", flaw.offset, flaw.what));
    (shown(database.root()), fragments.collect(), flaws.collect())
}

fn only_flaw(made: &Made) -> (String, String) {
    let (shown, _, flaws) = read(made);
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    (shown, flaws[0].clone())
}

/// A branch, leaves, a bucket with its own page, an inline one, and a value of several pages.
fn whole() -> Made {
    filled(Made::new(9))
}

fn filled(empty: Made) -> Made {
    let long = Item::Value(vec![b'v'; empty.page + 100]);
    let inline = Item::Inline(vec![("x", value("1")), ("y", value(""))]);
    let high = (empty.bytes.len() / empty.page) as u64;
    empty
        .branch(2, &[("a", 3), ("m", 4)])
        .leaf(3, &[("a", value("one")), ("b", Item::At(5)), ("c", inline)])
        .leaf(4, &[("m", value("two")), ("n", Item::Inline(vec![]))])
        .leaf(5, &[("key", value("three")), ("long", long)])
        .freelist(7, &[8])
        .meta_with(6, (2, 7, high))
        .meta_with(7, (2, 7, high))
}

const WHOLE: &str = "a=one b{key=three long=LONG} c{x=1 y=} m=two n{}";

fn shortened(shown: &str, page: usize) -> String {
    shown.replace(&"v".repeat(page + 100), "LONG")
}

#[test]
fn branches_leaves_inline_buckets_and_long_values_are_read_in_order() {
    let made = whole();
    let (shown, fragments, flaws) = read(&made);
    assert_eq!(shortened(&shown, PAGE), WHOLE);
    assert_eq!((fragments, flaws), (vec![], vec![]));
    let database = Database::open(&made.bytes).unwrap();
    let root = database.root();
    assert_eq!(root.get("m"), Some(&b"two"[..]));
    assert_eq!(root.at(&["c"]).and_then(|bucket| bucket.get("x")), Some(&b"1"[..]));
    assert_eq!((root.get("b"), root.get("z")), (None, None));
    assert!(root.bucket("a").is_none() && root.bucket("n").unwrap().is_empty());
    let names: Vec<&[u8]> = root.buckets().map(|(entry, _)| entry.key).collect();
    assert_eq!(names, [b"b", b"c", b"n"]);
    let found = root.find(b"m").unwrap();
    assert_eq!(found.offset as usize, 4 * PAGE + 16 + 2 * 16);
}

#[test]
fn any_page_size_and_byte_order_is_read() {
    for (page, big) in [(1024, false), (65536, false), (4096, true), (16384, true)] {
        let made = filled(Made { bytes: vec![0; 9 * page], page, big });
        let (shown, _, flaws) = read(&made);
        assert_eq!((shortened(&shown, page).as_str(), flaws), (WHOLE, vec![]), "{page} {big}");
        // The second meta alone says where it lies.
        let (shown, flaw) = only_flaw(&made.put(0, &[0; 64]));
        assert_eq!(shortened(&shown, page), WHOLE);
        assert_eq!(flaw, "16 a meta page without BoltDB's magic number");
    }
}

#[test]
fn the_last_transaction_whose_checksum_is_right_counts() {
    let made = Made::new(4).leaf(2, &[("a", value("old"))]).leaf(3, &[("a", value("new"))]);
    let made = made.meta(8, 2).meta(9, 3);
    assert_eq!(read(&made).0, "a=new");
    assert_eq!(read(&made).1, ["2 earlier: a=old"]);
    let torn = made.clone().put(PAGE + 16 + 48, b"\xff");
    let flaw = format!("{PAGE} the checksum of a meta page is wrong: its last write did not end");
    assert_eq!(only_flaw(&torn), ("a=old".to_owned(), flaw));
    assert_eq!(read(&torn).1, ["3: a=new"]);
    let lost = made.put(3 * PAGE, &[9; 16]);
    let flaw = format!("{} the root page 3 of the last transaction cannot be read", 3 * PAGE);
    assert_eq!(only_flaw(&lost), ("a=old".to_owned(), flaw));
}

#[test]
fn without_any_meta_loose_leaves_are_read() {
    let made = whole().put(0, &[0; 64]).put(PAGE, &[0; 64]);
    let (shown, fragments, flaws) = read(&made);
    assert_eq!((shown.as_str(), flaws.len()), ("", 1));
    let fragments: Vec<String> = fragments.iter().map(|text| shortened(text, PAGE)).collect();
    let expected = ["3: a=one b{} c{x=1 y=}", "4: m=two n{}", "5 <b>: key=three long=LONG"];
    assert_eq!(fragments, expected);
}

#[test]
fn what_is_no_database_is_refused() {
    for bytes in [Vec::new(), vec![0; 3 * PAGE], b"SQLite format 3\0".repeat(1000)] {
        let flaw = Database::open(&bytes).unwrap_err();
        assert_eq!(flaw.what, "no BoltDB database: no meta page and no other page");
    }
    let mut old = Made::new(4).leaf(3, &[]).meta(8, 3).meta(9, 3);
    old.bytes[20] = 1;
    let database = Database::open(&old.bytes).unwrap();
    assert_eq!(database.flaws()[0].kind, IssueKind::Unsupported);
}

#[test]
fn free_leaves_are_read_and_what_is_known_is_marked() {
    let made = Made::new(8)
        .leaf(
            2,
            &[("a", value("1")), ("b", value("2")), ("in", Item::Inline(vec![("x", value("1"))]))],
        )
        .leaf(3, &[("a", value("1")), ("gone", value("3"))])
        .leaf(4, &[("gone", value("3")), ("sub", Item::At(6))])
        .leaf(5, &[("a", value("1"))])
        .leaf(6, &[("in", Item::Inline(vec![("x", value("1")), ("y", value("2"))]))])
        .leaf(7, &[("in", Item::Inline(vec![("x", value("1"))])), ("x", value("9"))])
        .meta(8, 2)
        .meta(9, 2);
    let (shown, fragments, flaws) = read(&made);
    assert_eq!((shown.as_str(), flaws), ("a=1 b=2 in{x=1}", vec![]));
    let expected =
        ["3: ~a=1 gone=3", "4: ~gone=3 sub{}", "6 <sub>: in{~x=1 y=2}", "7: ~in{~x=1} x=9"];
    assert_eq!(fragments, expected);
}

#[test]
fn the_transaction_before_is_read_with_its_tree() {
    let made = Made::new(9)
        .branch(2, &[("a", 4), ("m", 5)])
        .leaf(3, &[("a", value("1")), ("sub", Item::At(7))])
        .leaf(4, &[("a", value("1")), ("sub", Item::At(6))])
        .leaf(5, &[("m", value("2"))])
        .leaf(6, &[("k", value("old"))])
        .leaf(7, &[("k", value("new"))])
        .meta(8, 2)
        .meta(9, 3);
    assert_eq!(read(&made).0, "a=1 sub{k=new}");
    assert_eq!(read(&made).1, ["2 earlier: ~a=1 m=2 sub{k=old}"]);
    // A page that was used for other keys since is not taken for the branch's.
    let used_again = made.leaf(5, &[("b", value("3"))]);
    assert_eq!(read(&used_again).1, ["2 earlier: ~a=1 sub{k=old}", "5: b=3"]);
}

#[test]
fn a_free_leaf_ends_where_its_pages_were_used_again() {
    let long = Item::Value(vec![b'x'; PAGE]);
    let made = Made::new(6)
        .leaf(2, &[("a", value("1"))])
        .leaf(3, &[("k", value("left")), ("long", long), ("z", value("lost"))])
        .leaf(4, &[("other", value("2"))])
        .meta(8, 2)
        .meta(9, 2);
    assert_eq!(read(&made).1, ["3: k=left", "4: other=2"]);
    assert_eq!(read(&made).2, [""; 0]);
}

#[test]
fn a_circle_and_a_page_that_belongs_to_two_are_cut() {
    let circle = Made::new(5).branch(2, &[("a", 3), ("b", 2)]).leaf(3, &[("a", value("1"))]);
    let circle = circle.meta(8, 2).meta(9, 2);
    let flaw = format!("{} page 2 is pointed to twice", 2 * PAGE);
    assert_eq!(only_flaw(&circle), ("a=1".to_owned(), flaw));
    let inner = Made::new(5).leaf(2, &[("a", Item::At(2)), ("b", value("1"))]);
    let inner = inner.meta(8, 2).meta(9, 2);
    assert_eq!(only_flaw(&inner).0, "a{} b=1");
}

#[test]
fn each_damage_costs_only_what_depends_on_it() {
    let leaf = 3 * PAGE;
    let cases: [(&str, usize, &[u8], &str, String); 8] = [
        (
            "id",
            leaf,
            &[9],
            "m=two n{}",
            format!("{leaf} page 3 should be a branch or a leaf, and is not"),
        ),
        (
            "kind",
            leaf + 8,
            &[3],
            "m=two n{}",
            format!("{leaf} page 3 should be a branch or a leaf, and is not"),
        ),
        ("count", leaf + 10, &[255, 255], "m=two n{}", String::new()),
        (
            "size of a value",
            leaf + 16 + 12,
            &[255, 255],
            "b{key=three long=LONG} c{x=1 y=} m=two n{}",
            format!(
                "{} element 0 reaches from byte {} to {}, outside of its page or into another element",
                leaf + 16,
                leaf + 64,
                leaf + 65 + 65535
            ),
        ),
        (
            "position of a key",
            leaf + 32 + 4,
            &[0],
            "a=one c{x=1 y=} m=two n{}",
            format!(
                "{} element 1 reaches from byte {} to {}, outside of its page or into another element",
                leaf + 32,
                leaf + 32,
                leaf + 49
            ),
        ),
        (
            "child",
            2 * PAGE + 16 + 8,
            &[99],
            "m=two n{}",
            format!("{} page 99 is pointed to, 9 are in use", 9 * PAGE),
        ),
        (
            "freelist",
            7 * PAGE + 8,
            &[2],
            WHOLE,
            format!("{} page 7 should be the list of free pages, and is not", 7 * PAGE),
        ),
        (
            "order of keys",
            leaf + 64,
            b"z",
            "b{key=three long=LONG} c{x=1 y=} m=two n{} z=one",
            format!("{} the keys of a bucket are not in order", leaf + 68),
        ),
    ];
    for (name, at, bytes, rest, flaw) in cases {
        let (shown, _, flaws) = read(&whole().put(at, bytes));
        assert_eq!(shortened(&shown, PAGE), rest, "{name}");
        if !flaw.is_empty() {
            assert_eq!(flaws, [flaw], "{name}");
        }
        assert!(!flaws.is_empty(), "{name}");
    }
}

#[test]
fn an_overflow_that_is_too_large_takes_no_page_of_another() {
    let (shown, _, flaws) = read(&whole().put(3 * PAGE + 12, &[255, 255, 255, 255]));
    assert_eq!((shortened(&shown, PAGE).as_str(), flaws), (WHOLE, vec![]));
}

#[test]
fn a_cut_file_is_read_up_to_the_cut() {
    let made = whole();
    for cut in [5 * PAGE + 200, 5 * PAGE, 4 * PAGE + 20, 3 * PAGE + 90, 2 * PAGE + 100] {
        let database = Database::open(&made.bytes[..cut]).unwrap();
        assert!(!database.flaws().is_empty(), "{cut}");
    }
    let cut = Made { bytes: made.bytes[..5 * PAGE + 200].to_vec(), ..made };
    assert_eq!(read(&cut).0, "a=one b{key=three} c{x=1 y=} m=two n{}");
}

#[test]
fn buckets_are_not_read_deeper_than_the_limit() {
    let deep = (0..100).fold(vec![], |inner, _| vec![("b", Item::Inline(inner))]);
    let made = Made::new(4).leaf(2, &deep).meta(8, 2).meta(9, 2);
    let (shown, flaw) = only_flaw(&made);
    assert_eq!(shown.matches('{').count(), DEPTH_LIMIT + 1);
    assert!(flaw.ends_with("buckets nested deeper than 64 levels"), "{flaw}");
}

/// A tiny generator of numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn no_change_of_bytes_makes_it_panic_or_take_long() {
    let (made, mut random) = (whole(), Random(7));
    for _ in 0..3000 {
        let mut bytes = made.bytes.clone();
        for _ in 0..=random.below(6) {
            let at = random.below(9) * PAGE + random.below(140);
            bytes[at] = [0, 1, 2, 255, random.below(256) as u8][random.below(5)];
        }
        if let Ok(database) = Database::open(&bytes) {
            shown(database.root());
            database.fragments().for_each(|fragment| drop(shown(fragment.bucket)));
        }
    }
}
