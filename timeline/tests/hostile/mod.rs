//! Events as an attacker would leave them: by hand for each trap that a reader of timelines is
//! known to fall into, and from a seeded generator.

use dockline_timeline::{
    Attribute, Confidence, Event, Instant, Kind, Meaning, Origin, Position, Rank, Subject, Value,
};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// Texts that some reader takes for something else.
const TRAPS: [&str; 64] = [
    "",
    " ",
    "plain",
    "line\nbreak",
    "\r\n",
    "tab\there",
    "nul\0",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{7f}",
    "\u{80}",
    "next\u{85}line",
    "\u{9f}",
    "\u{a0}no-break space",
    "line\u{2028}separator",
    "paragraph\u{2029}separator",
    "\u{2027}\u{202a}",
    "é€😀",
    "\"quoted\"",
    "back\\slash",
    "trailing\\",
    "a literal \\n",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "'quoted",
    "''",
    "\t=1+1",
    "\r=1+1",
    "=cmd|' /C calc'!A0",
    "a|b",
    "%41",
    "%7C",
    "%0A",
    "%",
    "%4",
    "100%|",
    "%%41",
    "NA",
    "null",
    "nan",
    "None",
    "0644",
    "123456789012",
    "00e123456789",
    "1e5",
    "true",
    "[]",
    "{}",
    "[1]",
    "a,b",
    "-",
    "\u{feff}mark",
    "\\x0a",
    "\\|",
    "x -> y",
    "{\"log\":\"x\",\"n\":1}",
    "# comment",
    "\",\"=1+1\",\"",
    "2019-06-28T11:11:08Z",
    "\u{fffd}",
    "\u{10ffff}",
    "ÂÃâ",
    "“”…–→",
];

static KINDS: [Kind; 2] = [
    Kind {
        data_type: "docker:container:log:entry",
        source_short: "DOCKER",
        source_long: "Docker container log",
    },
    Kind { data_type: "docker:layer:file", source_short: "FILE", source_long: "Docker layer file" },
];

static ORIGINS: LazyLock<[Origin; 2]> = LazyLock::new(|| {
    let origin = |path: &str, parser| {
        let place = (Arc::from("node-17"), Arc::from("node-17.tar"), Arc::from(path));
        Origin::new(place, parser, Rank(1))
    };
    [
        origin("/var/lib/docker/containers/25b0/25b0-json.log", "docker.json_file_log"),
        origin("/var/lib/docker/overlay2/\\xff|%41/=x,\"y", "docker.layer_file"),
    ]
});

const FIRST_SECOND: i64 = 1_561_720_268;

/// What an event borrows from.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) file: usize,
    pub(crate) position: Position<'static>,
    pub(crate) instant: Instant,
    pub(crate) meaning: Meaning,
    pub(crate) confidence: Confidence,
    pub(crate) subject: Subject,
    pub(crate) action: String,
    pub(crate) text: String,
    /// `log_source`, `filename`, `layer_identifier`, `volume_name`, `network_name`, `command_line`,
    /// `user`, `sha256_hash`.
    pub(crate) texts: [Option<String>; 8],
    pub(crate) mode_as_string: Option<&'static str>,
    pub(crate) macb: Option<&'static str>,
    pub(crate) exit_code: Option<i64>,
    pub(crate) pid: Option<i64>,
    /// `uid`, `gid`, `size`, `inode`.
    pub(crate) numbers: [Option<u64>; 4],
    pub(crate) labels: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) attributes: Vec<Attribute<'static>>,
}

impl Sample {
    fn of(text: &str) -> Sample {
        Sample {
            file: 0,
            position: Position::Line(42),
            instant: Instant::new(FIRST_SECOND, 347_278_022).unwrap(),
            meaning: Meaning::ContentModification,
            confidence: Confidence::Recorded,
            subject: Subject::UNKNOWN,
            action: "log".to_owned(),
            text: text.to_owned(),
            texts: [const { None }; 8],
            mode_as_string: None,
            macb: None,
            exit_code: None,
            pid: None,
            numbers: [None; 4],
            labels: Vec::new(),
            tags: Vec::new(),
            attributes: Vec::new(),
        }
    }

    pub(crate) fn event(&self) -> Event<'_> {
        let [log_source, filename, layer, volume, network, command, user, sha256] =
            self.texts.each_ref().map(Option::as_deref);
        let [uid, gid, size, inode] = self.numbers;
        let at = (self.instant, self.meaning);
        Event {
            position: self.position.clone(),
            confidence: self.confidence,
            action: &self.action,
            text: (&self.text).into(),
            log_source,
            exit_code: self.exit_code,
            pid: self.pid,
            uid,
            gid,
            size,
            inode,
            filename,
            mode_as_string: self.mode_as_string,
            macb: self.macb,
            layer_identifier: layer,
            volume_name: volume,
            network_name: network,
            command_line: command,
            user,
            sha256_hash: sha256,
            labels: &self.labels,
            tags: self.tags.iter().map(|tag| Cow::Borrowed(tag.as_str())).collect(),
            attributes: self.attributes.clone(),
            ..Event::new(&ORIGINS[self.file], &KINDS[self.file], &self.subject, at)
        }
    }
}

fn apache() -> Subject {
    Subject {
        container_identifier: Some("25b0".repeat(16)),
        container_name: Some("apache".to_owned()),
        image_name: Some("httpd:2.4.38-alpine".to_owned()),
        image_identifier: Some(format!("sha256:{}", "ab12".repeat(16))),
    }
}

/// Each trap once, in every place where it can stand.
pub(crate) fn by_hand() -> Vec<Sample> {
    let mut samples: Vec<Sample> = TRAPS
        .iter()
        .enumerate()
        .map(|(line, trap)| {
            let mut sample = everywhere(trap);
            sample.position = Position::Line(u64::try_from(line).unwrap() + 1);
            sample
        })
        .collect();
    samples.extend(at_the_edges_of_time());
    samples.extend(long());
    samples
}

fn everywhere(trap: &str) -> Sample {
    let value = || Cow::Owned(trap.to_owned());
    let attribute = |name, value| Attribute { name, value };
    Sample {
        file: 1,
        subject: Subject { container_name: Some(trap.to_owned()), ..apache() },
        action: trap.to_owned(),
        texts: [const { None }; 8].map(|_: Option<String>| Some(trap.to_owned())),
        mode_as_string: Some("-rw-r--r--"),
        macb: Some("M.C."),
        exit_code: Some(-1),
        pid: Some(4_211),
        numbers: [Some(0), Some(4_294_967_295), Some(123_456_789_012), Some(131_077)],
        labels: vec![format!("{trap}={trap}"), trap.to_owned()],
        tags: vec![trap.to_owned()],
        attributes: vec![
            attribute("driver", Value::Text(value())),
            attribute("restart_count", Value::Integer(i64::MIN)),
            attribute("running", Value::Boolean(true)),
            attribute("environment", Value::List(vec![value(), value()])),
            attribute("ports", Value::List(Vec::new())),
        ],
        ..Sample::of(trap)
    }
}

fn at_the_edges_of_time() -> Vec<Sample> {
    [(-8_520_336_000, 0), (-1, 999_999_999), (0, 0), (0, 1), (1, 0), (10_000_000_000, 1)]
        .into_iter()
        .chain([(951_782_400, 999_999_999), (2_147_483_648, 0), (253_402_300_799, 999_999_999)])
        .map(|(seconds, nanoseconds)| Sample {
            instant: Instant::new(seconds, nanoseconds).unwrap(),
            ..Sample::of("a time")
        })
        .collect()
}

fn long() -> Vec<Sample> {
    [("x", 4_095), ("x", 4_096), ("x", 4_097), ("€", 4_096), ("😀", 4_097), ("\u{1b}", 700)]
        .into_iter()
        .enumerate()
        .map(|(line, (text, times))| Sample {
            position: Position::Offset(u64::try_from(line).unwrap()),
            ..Sample::of(&text.repeat(times))
        })
        .collect()
}

/// So many events, always the same for a seed.
pub(crate) fn seeded(seed: u64, count: usize) -> Vec<Sample> {
    let mut random = Random(seed);
    (0..count).map(|number| random.sample(u64::try_from(number).unwrap())).collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(u64::try_from(from.len()).unwrap())).unwrap()]
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Random) -> T) -> Option<T> {
        (self.below(3) == 0).then(|| value(self))
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.below(6) {
            match self.below(4) {
                0 => text.push_str(self.pick(&TRAPS)),
                1 => text.push_str("some words of a server "),
                2 => text.extend(char::from_u32(u32::try_from(self.below(0x300)).unwrap())),
                _ => text.extend(char::from_u32(u32::try_from(self.below(0x3000)).unwrap())),
            }
        }
        text
    }

    fn texts(&mut self) -> Vec<String> {
        (0..self.below(3)).map(|_| self.text()).collect()
    }

    fn subject(&mut self) -> Subject {
        let known = apache();
        Subject {
            container_identifier: known.container_identifier.filter(|_| self.below(2) == 0),
            container_name: self.maybe(Random::text),
            image_name: self.maybe(Random::text),
            image_identifier: known.image_identifier.filter(|_| self.below(2) == 0),
        }
    }

    fn position(&mut self, number: u64) -> Position<'static> {
        match self.below(4) {
            0 => Position::Line(number),
            1 => Position::Offset(number),
            2 => Position::OwnedKey(Arc::from(format!("{}{number}", self.text()))),
            _ => Position::Line(number + 1_000_000),
        }
    }

    fn sample(&mut self, number: u64) -> Sample {
        let seconds = FIRST_SECOND + i64::try_from(self.below(1_000)).unwrap();
        let nanoseconds = u32::try_from(self.below(1_000_000_000)).unwrap();
        Sample {
            file: usize::try_from(self.below(2)).unwrap(),
            position: self.position(number),
            instant: Instant::new(seconds, nanoseconds).unwrap(),
            meaning: self.pick(&Meaning::ALL),
            confidence: self.pick(&[
                Confidence::Recorded,
                Confidence::Inferred,
                Confidence::Filesystem,
            ]),
            subject: self.subject(),
            action: self.text(),
            texts: [const { None }; 8].map(|_: Option<String>| self.maybe(Random::text)),
            mode_as_string: self.maybe(|random| random.pick(&["-rw-r--r--", "drwxr-xr-x", "?"])),
            macb: self.maybe(|random| random.pick(&["M.C.", ".A.."])),
            exit_code: self.maybe(|random| i64::try_from(random.below(256)).unwrap() - 1),
            pid: self.maybe(|random| i64::try_from(random.below(40_000)).unwrap()),
            numbers: [None; 4].map(|_: Option<u64>| self.maybe(|random| random.below(1 << 40))),
            labels: self.texts(),
            tags: self.texts(),
            attributes: self.attributes(),
            ..Sample::of(&self.text())
        }
    }

    fn attributes(&mut self) -> Vec<Attribute<'static>> {
        let texts = self.texts().into_iter().map(Cow::Owned).collect();
        let values = [
            ("driver", self.maybe(|random| Value::Text(Cow::Owned(random.text())))),
            ("restart_count", self.maybe(|random| Value::Integer(random.below(9).cast_signed()))),
            ("running", self.maybe(|random| Value::Boolean(random.below(2) == 0))),
            ("environment", self.maybe(|_| Value::List(texts))),
        ];
        let present = |(name, value): (_, Option<_>)| Some(Attribute { name, value: value? });
        values.into_iter().filter_map(present).collect()
    }
}
