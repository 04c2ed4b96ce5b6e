//! Small profiles, made by hand after the sources of Chromium and Crashpad.

use crate::case::{Case, MODIFIED, Outcome};
use serde_json::Value;

const PROFILE: &str = "Users/Ann/AppData/Roaming/DOCKER DESKTOP";

fn read(name: &str, content: impl Into<Vec<u8>>) -> Outcome {
    Case::default().with(&format!("{PROFILE}/{name}"), content).read("desktop.electron")
}

/// When, with which verb, and what each event says.
fn told(outcome: &Outcome) -> Vec<[&str; 3]> {
    let of = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let line = |event| ["datetime_ns", "action", "message"].map(|name| leak(of(event, name)));
    outcome.events.iter().map(line).collect()
}

/// A minidump that was made then.
fn dump(seconds: u32) -> Vec<u8> {
    let mut dump = b"MDMP\x93\xa7\0\0".to_vec();
    dump.extend([3, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0]);
    dump.extend(seconds.to_le_bytes());
    dump.extend([0; 8]);
    dump
}

#[test]
fn a_crash_is_told_by_its_report() {
    let outcome = read("Crashpad/reports/5f.dmp", dump(1_700_000_000));
    assert_eq!(
        told(&outcome),
        [["2023-11-14T22:13:20.000000000Z", "crash", "the program crashed: report 5f.dmp"]]
    );
    let event = outcome.only("crash");
    assert_eq!((&event["program"], &event["user_name"]), (&"Docker Desktop".into(), &"Ann".into()));
    for damaged in
        [&b""[..], b"MDMP", &dump(0), &dump(1)[..23], b"no dump, but as long as one is.."]
    {
        let outcome = read("Crashpad/reports/5f.dmp", damaged);
        assert_eq!(outcome.events.len(), 0);
        assert!(outcome.issues[0].contains("no minidump, or one without its time"));
    }
}

#[test]
fn the_list_of_reports_tells_crashes_whose_reports_are_gone() {
    let mut list = b"DAPC\x01\0\0\0\x02\0\0\0\0\0\0\0".to_vec();
    for (name, crashed, sent) in
        [(0_u32, 1_700_000_000_i64, 0_i64), (7, 1_700_000_100, 1_700_000_200)]
    {
        list.extend([9; 16]);
        list.extend(name.to_le_bytes());
        list.extend([0; 4]);
        list.extend(crashed.to_le_bytes());
        list.extend(sent.to_le_bytes());
        list.extend([1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
    list.extend(b"aa.dmp\0bb.dmp\0");
    assert_eq!(
        told(&read("Crashpad/metadata", list.clone())),
        [
            ["2023-11-14T22:13:20.000000000Z", "crash", "the program crashed: report aa.dmp"],
            ["2023-11-14T22:15:00.000000000Z", "crash", "the program crashed: report bb.dmp"],
            [
                "2023-11-14T22:16:40.000000000Z",
                "upload",
                "crash report last sent, or tried to be: bb.dmp"
            ],
        ]
    );
    let cut = read("Crashpad/metadata", &list[..100]);
    assert_eq!(cut.events.len(), 1);
    assert!(cut.issues[0].contains("a list of 2 crash reports, of which 1 are there"));
    assert!(read("Crashpad/metadata", "CPAD").issues[0].contains("no list of crash reports"));
}

#[test]
fn the_settings_of_the_reporter_tell_the_last_report() {
    let mut settings = b"sdPC\x01\0\0\0\x01\0\0\0\0\0\0\0".to_vec();
    settings.extend(1_700_000_000_i64.to_le_bytes());
    settings.extend([0xab; 16]);
    let outcome = read("Crashpad/settings.dat", settings.clone());
    assert_eq!(
        told(&outcome),
        [
            ["2023-11-14T22:13:20.000000000Z", "upload", "crash report last sent, or tried to be"],
            [
                "2026-01-01T00:00:00.000000000Z",
                "write",
                "settings of the crash reporter last written"
            ],
        ]
    );
    assert_eq!(outcome.only("write")["crash_client"], "ab".repeat(16));
    assert!(read("Crashpad/settings.dat", &settings[..39]).issues[0].contains("no settings"));
}

#[test]
fn a_server_that_asked_for_https_was_contacted() {
    let hub = "1p3pQif72Jh6hUMsgIhYVy3UhEY5ssees9pUR1jCcMY=";
    let list = format!(
        r#"{{"sts":[{{"expiry":1731536000.5,"host":"{hub}","mode":"force-https","sts_include_subdomains":true,"sts_observed":1700000000.25}},{{"host":"AAAA","sts_observed":1700000001}}],"version":2}}"#
    );
    let older = format!(
        r#"{{"{hub}":{{"expiry":1731536000.5,"mode":"force-https","sts_observed":1700000000.25}}}}"#
    );
    let known = [
        "2023-11-14T22:13:20.250000000Z",
        "connect",
        "hub.docker.com asked to be spoken to by HTTPS only",
    ];
    let unknown = [
        "2023-11-14T22:13:21.000000000Z",
        "connect",
        "a server asked to be spoken to by HTTPS only: AAAA",
    ];
    assert_eq!(told(&read("Network/TransportSecurity", list)), [known, unknown]);
    assert_eq!(told(&read("TransportSecurity", older)), [known]);
    let without = read("TransportSecurity", r#"{"sts":[{"host":"AAAA"}],"version":2}"#);
    assert!(without.issues[0].contains("an entry without the time at which it was made"));
}

#[test]
fn the_state_of_the_network_names_the_servers() {
    let state = r#"{"net":{"http_server_properties":{"servers":[{"server":"https://hub.docker.com","supports_spdy":true},{"server":"https://desktop.docker.com"}],"version":5}}}"#;
    let outcome = read("Network/Network Persistent State", state);
    assert_eq!(
        told(&outcome),
        [[MODIFIED_NS, "write", "state of the network last written; servers contacted: 2"]]
    );
    let servers = &outcome.only("write")["servers"];
    assert_eq!(servers.to_string(), r#"["https://hub.docker.com","https://desktop.docker.com"]"#);
}

const MODIFIED_NS: &str = "2026-01-01T00:00:00.000000000Z";

#[test]
fn times_among_the_preferences_are_told_unless_they_lie_ahead() {
    assert!(MODIFIED_NS.starts_with(&MODIFIED[..19]));
    let preferences = r#"{"profile":{"creation_time":"13300000000000000","name":"12345678901234567"},"list":[{"next":"13500000000000000"}],"number":13300000000000000}"#;
    let outcome = read("Preferences", preferences);
    assert_eq!(
        told(&outcome),
        [
            [MODIFIED_NS, "write", "Preferences last written"],
            [
                "2022-06-18T04:26:40.000000000Z",
                "record",
                "Preferences: profile.creation_time, read as a time of Chromium"
            ],
        ]
    );
    assert_eq!(outcome.only("record")["time_confidence"], "inferred");
    let planned = &outcome.only("write")["planned"];
    assert_eq!(planned.to_string(), r#"["list[0].next=2028-10-19T00:00:00.000000000Z"]"#);
}

#[test]
fn the_words_of_the_library_are_on_the_clock_of_the_host() {
    let log = "2024/10/10-19:48:01.123 1a2c Reusing MANIFEST x/MANIFEST-000001\nno line\n";
    let outcome = read("Session Storage/LOG", log);
    let words = "Session Storage opened, the window with it: Reusing MANIFEST x/MANIFEST-000001";
    assert_eq!(told(&outcome), [["2024-10-10T19:48:01.123000000Z", "open", words]]);
    assert_eq!(outcome.only("open")["zone_source"], "none, taken for UTC");
    assert_eq!(outcome.only("open")["local_time"], "2024/10/10-19:48:01.123");
    assert!(outcome.issues[0].contains("a line without a time"));
}

#[test]
fn the_cache_is_told_to_be_unread() {
    let outcome = read("Cache/Cache_Data/index", "x");
    assert!(
        outcome.issues[0].contains("the cache of Chromium is not read"),
        "{:?}",
        outcome.issues
    );
}

#[test]
fn other_programs_of_chromium_are_none_of_ours() {
    let case = Case::default().with("Users/Ann/AppData/Roaming/Slack/Preferences", "{}");
    assert_eq!(case.read("desktop.electron").records, 0);
}
