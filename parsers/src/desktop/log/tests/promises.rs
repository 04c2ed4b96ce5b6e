//! What holds for any log: no line is lost, and the order of the file is kept.

use crate::case::Case;

/// A small generator of numbers, always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A line of some family that holds a word of its own; `at` counts milliseconds.
fn line(numbers: &mut Numbers, at: u64, word: &str) -> String {
    let (hour, minute, second, rest) =
        (at / 3_600_000 % 24, at / 60_000 % 60, at / 1_000 % 60, at % 1_000);
    let clock = format!("{hour:02}:{minute:02}:{second:02}.{rest:03}");
    match numbers.below(16) {
        0 => format!("[{clock}][Program        ][Info   ] {word}"),
        1 => format!("[{clock}] [Installer] {word}"),
        2 => format!("[2024-05-01T{clock}Z][backend][W] {word}"),
        3 => format!("[2024-05-01T{clock}Z] [{clock}Z][main.events] {word}"),
        4 => format!(
            "[2024-05-01T{clock}Z] {{\"level\":\"info\",\"msg\":\"{word}\",\"time\":\"2024-05-01T{clock}Z\"}}"
        ),
        5 => format!(
            "2024-05-01T{clock}Z dockerd time=\"2024-05-01T{clock}Z\" level=info msg=\"{word}\""
        ),
        6 => format!(
            "{{\"component\":\"dockerd\",\"level\":\"info\",\"msg\":\"{word}\",\"time\":\"2024-05-01T{clock}Z\"}}"
        ),
        7 => format!("[{:5}.{rest:03}000] {word}", at / 1_000),
        8 => format!("INFO[{:04}] {word}  component=x", at / 1_000),
        9 => format!("2024-05-01T{clock}Z info \t{word}"),
        10 => format!("2024-05-01T{clock}Z: {word}"),
        11 => format!("time=\"2024-05-01T{clock}Z\" level=info msg={word}"),
        12 => format!("Started on: 2024/05/01 {clock}\nCommandLine: {word}"),
        13 => format!("2024-05-01T{clock}Z,svc;{word}"),
        14 => format!("{}>8\n{word}", "-".repeat(40)),
        _ => format!("   at {word}\n"),
    }
}

#[test]
fn every_line_of_any_file_is_in_an_event() {
    for seed in 0..200 {
        let mut numbers = Numbers(seed);
        let count = numbers.below(40) + 1;
        let words: Vec<String> = (0..count).map(|index| format!("word{index}end")).collect();
        let mut at = numbers.below(86_400_000);
        let mut log = String::new();
        for word in &words {
            at += numbers.below(20_000);
            log.push_str(&line(&mut numbers, at, word));
            log.push_str(if numbers.below(2) == 0 { "\n" } else { "\r\n" });
        }
        let path = "Users/ada/AppData/Local/Docker/log/vm/console.log";
        let found = Case::default().with(path, log.as_str()).read("desktop.log");
        assert_eq!(found.issues, [""; 0], "{seed}");
        let shown: Vec<String> = found.events.iter().map(ToString::to_string).collect();
        for word in &words {
            let events = shown.iter().filter(|event| event.contains(word)).count();
            assert_eq!(events, 1, "{seed}: {word} in {log}\n{shown:#?}");
        }
    }
}

#[test]
fn a_log_whose_times_rise_gives_its_events_in_the_order_of_the_file() {
    for seed in 0..50 {
        let mut numbers = Numbers(seed);
        let mut log = String::new();
        let mut at = 1_000_u64;
        for index in 0..60 {
            at += numbers.below(400);
            let clock = format!("{:02}:{:02}.{:03}", at / 60_000, at / 1_000 % 60, at % 1_000);
            let whole = format!("2024-05-01T00:{}", &clock[..5]);
            log += &match numbers.below(3) {
                0 => format!("[2024-05-01T00:{clock}000000Z][a] word{index}end\n"),
                // The time within is a whole second, and says less than that of the line.
                1 => format!(
                    "[2024-05-01T00:{clock}000000Z][docker][I] time=\"{whole}Z\" level=info msg=word{index}end\n"
                ),
                _ => format!("[2024-05-01T00:{clock}Z] [00:{clock}Z][main] word{index}end\n"),
            };
        }
        let path = "Users/ada/AppData/Local/Docker/log/host/monitor.log";
        let found = Case::default().with(path, log).read("desktop.log");
        let times: Vec<&str> =
            found.all("log").iter().map(|event| event["datetime_ns"].as_str().unwrap()).collect();
        assert_eq!(times.len(), 60);
        assert!(times.is_sorted(), "{seed}: {times:?}");
    }
}

#[test]
fn the_same_log_gives_the_same_events_compressed() {
    use std::io::Write;
    let log = "[2024-05-01T00:00:00Z][a] x\n[2024-05-01T00:00:01Z][a] y\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(log.as_bytes()).unwrap();
    let gzip = encoder.finish().unwrap();
    let read = |name: &str, content: Vec<u8>| {
        let found = Case::default().with(&format!("log/host/{name}"), content).read("desktop.log");
        let texts = found.events.iter().map(|event| event["message"].to_string());
        (texts.collect::<Vec<_>>(), found.issues)
    };
    assert_eq!(read("a.log", log.into()), read("a.log.1.gz", gzip));
}
