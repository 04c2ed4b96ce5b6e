//! Makes logs of any kind from a seed: what engines write, and what is left of it after crashes,
//! cut-off writes and hostile hands.

/// A small generator of numbers (SplitMix64).
pub(super) struct Seed(pub(super) u64);

impl Seed {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn pick<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

const TEXTS: &[&str] = &[
    "",
    "short",
    "GET /index.html 200",
    "quoted {\\\"log\\\":\\\"x\\\\n\\\",\\\"stream\\\":\\\"stdout\\\",\\\"time\\\":\\\"2026-11-21T21:54:04Z\\\"}",
    "back\\\\slash \\u003chtml\\u003e \\u001b[31m",
    "caf\u{e9} \u{1f433} \\u2028",
    "\\ufffd\\ufffd",
    "lone \\ud800",
    "{ brace [ bracket",
    "a\\\\",
];

/// A log of `count` things.
pub(super) fn log(seed: &mut Seed, count: u64) -> Vec<u8> {
    let mut log = Vec::new();
    let mut second = 0;
    for _ in 0..count {
        let whole = record(seed, &mut second);
        match seed.below(40) {
            0 => log.extend_from_slice(&whole[..seed.below(whole.len() as u64) as usize]),
            1 => {
                log.extend_from_slice(&whole[..seed.below(whole.len() as u64) as usize]);
                log.push(b'\n');
            }
            2 => log.extend_from_slice(&whole[seed.below(whole.len() as u64) as usize..]),
            3 => log.extend(std::iter::repeat_n(0, seed.below(600) as usize)),
            4 => log.extend_from_slice(whole.strip_suffix(b"\n").unwrap()),
            5 => log
                .extend_from_slice(seed.pick(&["\n", "\r\n", " ", "garbage\n", "{}\n"]).as_bytes()),
            6 => {
                let at = seed.below(whole.len() as u64) as usize;
                let mut flipped = whole;
                flipped[at] ^= 1 << seed.below(8);
                log.extend(flipped);
            }
            _ => log.extend(whole),
        }
    }
    log
}

fn record(seed: &mut Seed, second: &mut u64) -> Vec<u8> {
    let stream = seed.pick(&["stdout", "stdout", "stdout", "stderr", "stderr", "stdin"]);
    let mut text = seed.pick(TEXTS).to_owned();
    if seed.below(15) == 0 {
        text.push_str(&"x".repeat(16_384 - text.len().min(16_384)));
    }
    if seed.below(8) != 0 {
        text.push_str("\\n");
    }
    // Half of the records have the time of the one before; some are earlier.
    match seed.below(6) {
        0..3 => {}
        3 => *second = seed.below(60),
        _ => *second = (*second + 1) % 60,
    }
    let time = format!("2026-11-21T21:54:{second:02}{}", seed.pick(&["Z", ".5Z", ".123456789Z"]));
    let attrs = seed.pick(&["", "", "", ",\"attrs\":{\"tag\":\"a\",\"log\":\"b\"}"]);
    let line = match seed.below(12) {
        0 => format!("{{ \"time\":\"{time}\", \"stream\":\"{stream}\", \"log\":\"{text}\" }}"),
        1 => format!("{{\"log\":\"{text}\",\"stream\":\"{stream}\",\"time\":\"\"}}"),
        2 => format!("{{\"stream\":\"{stream}\",\"time\":\"{time}\"}}"),
        3 => format!("{{\"log\":1,\"log\":\"{text}\",\"x\":[{{}}],\"time\":\"{time}\"}}"),
        _ => format!("{{\"log\":\"{text}\",\"stream\":\"{stream}\"{attrs},\"time\":\"{time}\"}}"),
    };
    let mut line = line.into_bytes();
    if seed.below(30) == 0 {
        line.insert(9, 0xff);
    }
    line.push(b'\n');
    line
}
