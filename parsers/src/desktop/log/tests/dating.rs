//! How lines with a local time of day are dated.

use super::super::clock::{DateSource, LocalClock, Start, Zone, ZoneSource};
use crate::case::{Case, Outcome};
use crate::formats::desktop_line::{Anchor, Clock};
use crate::formats::windows_zone::{WindowsZone, ZoneValues};
use dockline_timeline::Instant;

const LOG: &str = "Users/ada/AppData/Local/Docker/log.txt";

fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap().unwrap()
}

/// Central Europe: an hour east of UTC, two from the last Sunday of March to that of October.
fn berlin() -> WindowsZone {
    let rule = |month: u8, hour: u8| {
        let mut rule = [0; 16];
        (rule[2], rule[4], rule[6]) = (month, 5, hour);
        rule
    };
    let (standard, daylight) = (rule(10, 3), rule(3, 2));
    let values = ZoneValues {
        bias: -60,
        daylight_bias: -60,
        standard_start: &standard,
        daylight_start: &daylight,
        ..ZoneValues::default()
    };
    WindowsZone::parse(&values).unwrap()
}

fn clock(text: &str) -> Clock {
    let part = |at: usize| text[at..at + 2].parse().unwrap();
    Clock::of(part(0), part(3), part(6)).unwrap()
}

fn day(date: &str) -> i64 {
    instant(&format!("{date}T00:00:00Z")).seconds() / 86_400
}

/// When lines with these clocks were written, of which the first is of this day.
fn dated(zone: Option<&WindowsZone>, date: &str, clocks: &[&str]) -> Vec<String> {
    let start = Start { day: day(date), date: DateSource::Header };
    let mut local = LocalClock::new(Zone { host: zone, other_log: None }, start, None);
    let mut of = |text: &&str| local.line(clock(text)).unwrap().instant.civil().to_string();
    clocks.iter().map(|text| of(text)).collect()
}

fn events(found: &Outcome) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let logs = found.events.iter().filter(|event| event["action"] != "log_window");
    logs.map(|event| (text(&event["datetime_ns"]), text(&event["message"]))).collect()
}

#[test]
fn a_clock_that_falls_back_far_has_passed_midnight_and_one_that_falls_back_less_has_not() {
    let told = dated(
        None,
        "2021-04-30",
        &[
            "08:29:17", "23:59:58", "00:00:01", "23:59:59", "00:00:02", "12:00:00", "11:30:00",
            "05:59:00",
        ],
    );
    let expected = [
        "2021-04-30T08:29:17",
        "2021-04-30T23:59:58",
        "2021-05-01T00:00:01",
        // Of another stream, written late.
        "2021-04-30T23:59:59",
        "2021-05-01T00:00:02",
        "2021-05-01T12:00:00",
        "2021-05-01T11:30:00",
        "2021-05-02T05:59:00",
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_zone_of_the_host_changes_in_the_middle_of_a_log() {
    let zone = berlin();
    let spring = dated(Some(&zone), "2021-03-28", &["01:59:59", "02:30:00", "03:00:01"]);
    // The clock of that zone never shows 02:30 on that day.
    assert_eq!(spring, ["2021-03-28T00:59:59", "2021-03-28T01:30:00", "2021-03-28T01:00:01"]);
    let autumn = dated(
        Some(&zone),
        "2021-10-31",
        &["01:00:00", "02:10:00", "02:59:59", "02:00:01", "02:40:00", "03:00:00"],
    );
    let expected = [
        "2021-10-30T23:00:00",
        "2021-10-31T00:10:00",
        "2021-10-31T00:59:59",
        "2021-10-31T01:00:01",
        "2021-10-31T01:40:00",
        "2021-10-31T02:00:00",
    ];
    assert_eq!(autumn, expected);
    assert_eq!(
        dated(None, "2021-10-31", &["02:59:59", "02:00:01"]),
        ["2021-10-31T02:59:59", "2021-10-31T02:00:01"]
    );
}

#[test]
fn a_message_names_the_offset_and_outvotes_a_zone_that_does_not_have_it() {
    let zone = berlin();
    let start = Start { day: day("2021-07-18"), date: DateSource::Header };
    let mut local = LocalClock::new(Zone { host: Some(&zone), other_log: None }, start, None);
    let line = local.line(clock("21:00:00")).unwrap();
    assert_eq!((line.instant, line.zone), (instant("2021-07-18T19:00:00Z"), ZoneSource::Host));
    // An instant in UTC alone confirms the zone.
    local.learn(clock("21:00:00"), Anchor::Utc(instant("2021-07-18T19:00:00Z")), None);
    assert_eq!(local.again(clock("21:00:00")).unwrap().zone, ZoneSource::Host);
    local.learn(clock("21:00:01"), Anchor::Zoned(instant("2021-07-18T14:00:01Z"), 7 * 3_600), None);
    let line = local.line(clock("21:00:02")).unwrap();
    assert_eq!((line.instant, line.zone), (instant("2021-07-18T14:00:02Z"), ZoneSource::Message));
    // What a container said an hour ago is no time of this line.
    local.learn(clock("21:00:03"), Anchor::Zoned(instant("2021-07-18T10:00:01Z"), 0), None);
    assert_eq!(local.line(clock("21:00:04")).unwrap().instant, instant("2021-07-18T14:00:04Z"));
}

#[test]
fn a_header_in_local_time_and_an_embedded_time_date_the_lines() {
    let log = "Version: 3.0.0 (50684)\nStarted on: 2020/12/31 01:33:20.938\n\
               [01:33:21.000][Cmd               ][Info   ] before\n\
               [01:33:21.713][Cmd               ][Info   ] time=\"2020-12-31T01:33:21.675726700-03:00\" level=fatal msg=\"x\"\n\
               [01:33:22.000][Cmd               ][Info   ] after\n";
    let found = Case::default().with(LOG, log).read("desktop.log");
    let start = found.only("process_start");
    assert_eq!(start["datetime_ns"], "2020-12-31T04:33:20.938000000Z");
    let logs = found.all("log");
    assert_eq!(logs[0]["datetime_ns"], "2020-12-31T04:33:21.000000000Z");
    assert_eq!(logs[0]["local_time"], "2020-12-31T01:33:21.000000000");
    assert_eq!(
        (&logs[0]["date_source"], &logs[0]["zone_source"]),
        (&"start of the process".into(), &"a message of the log".into())
    );
    assert_eq!(logs[0]["time_confidence"], "inferred");
    assert_eq!(
        (&logs[1]["datetime_ns"], &logs[1]["time_confidence"]),
        (&"2020-12-31T04:33:21.675726700Z".into(), &"recorded".into())
    );
    assert_eq!(
        (&logs[1]["observed"], &logs[1]["local_time"]),
        (&"01:33:21.713".into(), &"2020-12-31T01:33:21.713000000".into())
    );
    assert_eq!(found.only("host_utc_offset")["utc_offset"], "-03:00");
}

#[test]
fn a_local_time_of_an_unknown_zone_says_so() {
    let log = "Started on: 2020/08/25 16:58:05.276\n\
               [16:58:09.450] [UninstallWorkflow] Action CommunityInstaller.ExecAction failed\n";
    let found =
        Case::default().with("ProgramData/DockerDesktop/install-log.txt", log).read("desktop.log");
    let line = found.events.iter().find(|event| event["component"] == "UninstallWorkflow").unwrap();
    assert_eq!(line["datetime_ns"], "2020-08-25T16:58:09.450000000Z");
    assert_eq!(line["zone_source"], "unknown, taken as UTC");
    let message = line["message"].as_str().unwrap();
    assert!(
        message.ends_with("(date from the start of the process, zone unknown, taken as UTC)"),
        "{message}"
    );
}

#[test]
fn the_first_versions_say_their_date_as_their_culture_writes_it() {
    let log = "[14:14:59.523][Program        ][Info   ] Version: 1.12.0-stable\n\
               [14:14:59.523][Program        ][Info   ] Starting on: 8/7/2016 2:14:59 PM\n\
               [14:15:00.000][Program        ][Info   ] x\n";
    let at = |modified| {
        let found = Case::default().at(modified, LOG, log).read("desktop.log");
        events(&found).into_iter().map(|(time, _)| time[..19].to_owned()).collect::<Vec<_>>()
    };
    let august = ["2016-08-07T14:14:59", "2016-08-07T14:14:59", "2016-08-07T14:15:00"];
    assert_eq!(at("2016-08-07T21:00:00Z"), august);
    let july = ["2016-07-08T14:14:59", "2016-07-08T14:14:59", "2016-07-08T14:15:00"];
    assert_eq!(at("2016-07-09T21:00:00Z"), july);
}

#[test]
fn messages_with_a_date_tell_it_and_the_zone() {
    for (anchor, local, expected) in [
        (
            r#"Registered state {"State":"running","Mode":"windows","date":1605452332}"#,
            "11:58:52.432",
            "2020-11-15T14:58:52.432000000Z",
        ),
        (
            r#"x {"serverTime":1626618042689306200}"#,
            "21:20:42.700",
            "2021-07-18T14:20:42.700000000Z",
        ),
        (
            "2019-01-24T03:29:05Z,onboot.004-format;x",
            "04:29:05.100",
            "2019-01-24T03:29:05.100000000Z",
        ),
    ] {
        let log = format!("[{local}][A][Info   ] before\n[{local}][B][Info   ] {anchor}\n");
        let found = Case::default().with(LOG, log).read("desktop.log");
        let times: Vec<String> = events(&found).into_iter().map(|(time, _)| time).collect();
        assert_eq!(times, [expected, expected], "{anchor}");
    }
}

#[test]
fn a_log_older_than_its_rotation_is_dated_by_what_follows_it() {
    let rotated = "[22:00:00.000][A                 ][Info   ] evening\n[00:10:00.000][A                 ][Info   ] night\n";
    let current =
        "Started on: 2021/05/17 00:20:00.000\n[00:20:00.500][A                 ][Info   ] next\n";
    let found = Case::default()
        .at("2021-05-17T00:10:30Z", "Users/ada/AppData/Local/Docker/log.22.txt", rotated)
        .at("2021-05-17T09:00:00Z", LOG, current)
        .read("desktop.log");
    let logs = found.all("log");
    let of = |word: &str| {
        logs.iter().find(|event| event["message"].as_str().unwrap().contains(word)).unwrap()
    };
    assert_eq!(of("evening")["datetime_ns"], "2021-05-16T22:00:00.000000000Z");
    assert_eq!(of("night")["datetime_ns"], "2021-05-17T00:10:00.000000000Z");
    assert_eq!(of("night")["date_source"], "what follows, walked back");
    assert_eq!(of("night")["time_doubt"], "the date is the latest that it can be");
    assert_eq!(found.only("log_window")["files"], 2);
}

#[test]
fn a_log_without_any_date_ends_at_the_time_of_its_file() {
    let log = "[23:50:00.000][A                 ][Info   ] a\n[07:10:00.000][A                 ][Info   ] b\n";
    let found = Case::default().at("2021-05-17T07:10:02Z", LOG, log).read("desktop.log");
    let told = events(&found);
    assert_eq!(told[0].0, "2021-05-16T23:50:00.000000000Z");
    assert_eq!(told[1].0, "2021-05-17T07:10:00.000000000Z");
    assert!(told[1].1.contains("date from the time of the file"), "{told:?}");
}

#[test]
fn days_without_lines_are_doubted_where_a_date_shows_them() {
    let log = "Started on: 2021/05/17 07:00:00.000\n[08:00:00.000][A                 ][Info   ] a\n\
               [09:00:00.000][A                 ][Info   ] time=\"2021-05-19T09:00:00+00:00\" msg=x\n\
               [10:00:00.000][A                 ][Info   ] b\n";
    let found = Case::default().at("2021-05-19T10:00:00Z", LOG, log).read("desktop.log");
    let doubt: Vec<bool> =
        found.all("log").iter().map(|event| event["time_doubt"].is_string()).collect();
    assert_eq!(doubt, [true, false, false], "{:#?}", found.events);
}
