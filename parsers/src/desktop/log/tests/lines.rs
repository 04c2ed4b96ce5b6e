//! Which events the lines of a log become.

use crate::case::{Case, Outcome};
use serde_json::{Value, json};

const HOST: &str = "C/Users/ada/AppData/Local/Docker/log/host";
const VM: &str = "C/Users/ada/AppData/Local/Docker/log/vm";

fn read(path: &str, log: &str) -> Outcome {
    Case::default().with(path, log).read("desktop.log")
}

/// Time and message of all events but the window, in the order of the timeline.
fn told(found: &Outcome) -> Vec<(String, String)> {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    let lines = found.events.iter().filter(|event| event["action"] != "log_window");
    let mut told: Vec<_> =
        lines.map(|event| (text(event, "datetime_ns"), text(event, "message"))).collect();
    told.sort();
    told
}

#[test]
fn lines_of_a_backend_are_events_with_what_they_say() {
    let log = "[2026-03-19T02:31:20.500304500Z][com.docker.backend.exe.apiproxy] returning engine error: x\r\n\
               [2026-03-19T02:31:21Z][com.docker.backend.exe.engines][E] two\r\n\tmore\r\n\r\nlines\r\n";
    let found = read(&format!("{HOST}/com.docker.backend.exe.log"), log);
    let logs = found.all("log");
    assert_eq!(logs.len(), 2, "{:#?}", found.events);
    assert_eq!(logs[0]["datetime_ns"], "2026-03-19T02:31:20.500304500Z");
    assert_eq!(logs[0]["time_confidence"], "recorded");
    assert_eq!(logs[0]["user_name"], "ada");
    assert_eq!(logs[0]["component"], "com.docker.backend.exe.apiproxy");
    assert_eq!(logs[1]["log_level"], "error");
    assert_eq!(logs[1]["message_body"], "com.docker.backend.exe.engines: two\n\tmore\nlines");
    assert_eq!((found.records, found.issues.len()), (2, 0));
    let window = found.only("log_window");
    assert_eq!(window["first_time"], "2026-03-19T02:31:20.500304500Z");
    assert_eq!(window["last_time"], "2026-03-19T02:31:21.000000000Z");
    assert_eq!(window["files"], 1);
}

#[test]
fn the_rotations_of_a_log_are_one_and_their_names_tell_the_zone() {
    let line = |time: &str| format!("[{time}][init][I] x\n");
    let found = Case::default()
        .with(&format!("{VM}/init.log"), line("2026-05-16T14:50:00Z"))
        .with(&format!("{VM}/init.log.20260516-201416.652"), line("2026-05-16T14:44:16Z"))
        .with(&format!("{VM}/init.log.3"), line("2026-05-16T14:00:00Z"))
        .with(&format!("{VM}/init.log.4"), line("2026-05-16T14:10:00Z"))
        .read("desktop.log");
    let window = found.only("log_window");
    assert_eq!(window["files"], 4);
    assert_eq!(window["first_time"], "2026-05-16T14:00:00.000000000Z");
    let offset = found.only("host_utc_offset");
    assert_eq!(
        (&offset["utc_offset"], &offset["time_confidence"]),
        (&"+05:30".into(), &"inferred".into())
    );
    assert_eq!(offset["datetime_ns"], "2026-05-16T14:44:16.000000000Z");
    let message = offset["message"].as_str().unwrap();
    assert!(message.contains("2026-05-16T20:14:16.652, 5:30 ahead of UTC"), "{message}");
}

#[test]
fn a_header_before_lines_with_a_zone_is_in_utc() {
    let log = "Version: 4.71.0 (225177)\nStarted on: 2026-05-02 03:09:07.137\nResources: x\n\
               OS: Windows 11 Pro\nCommandLine: \"Docker Desktop Installer.exe\" install --quiet\n\
               You can send feedback, including this log file, at x\n\
               [2026-05-02T03:09:07.326974200Z][Installer][I] No installation found\n";
    let found = read("ProgramData/DockerDesktop/install-log-admin.txt", log);
    let start = found.only("install_start");
    assert_eq!(start["datetime_ns"], "2026-05-02T03:09:07.137000000Z");
    assert_eq!(start["time_confidence"], "recorded");
    assert_eq!(
        (&start["unattended"], &start["data_type"]),
        (&json!(true), &json!("docker:desktop:install"))
    );
    assert_eq!(start["desktop_version"], "4.71.0 (225177)");
    assert_eq!(start["command_line"], "\"Docker Desktop Installer.exe\" install --quiet");
    assert_eq!(found.issues, [""; 0]);
}

#[test]
fn a_separator_is_the_start_of_the_process_of_the_line_after_it() {
    let dashes = "-".repeat(78);
    let log = format!("{dashes}>8\n[2026-05-02T03:09:07Z][main] x\n{dashes}>8\n");
    let found = read(&format!("{HOST}/httpproxy.log"), &log);
    let starts = found.all("process_start");
    assert_eq!(starts.len(), 2);
    assert!(starts.iter().all(|start| start["datetime_ns"] == "2026-05-02T03:09:07.000000000Z"));
    assert!(starts.iter().all(|start| start["time_confidence"] == "inferred"));
}

#[test]
fn a_file_may_change_its_family_in_the_middle() {
    let log = "Started on: 2022/05/18 07:44:00.000\n\
               [07:44:10.000][GoBackendProcess  ][Info   ] old\n\
               [2022-05-18T05:44:13.129747000Z][GoBackendProcess  ][Info   ] new\n\
               {\"component\":\"dockerd\",\"level\":\"info\",\"msg\":\"json\",\"time\":\"2022-05-18T05:44:14Z\"}\n\
               2022-05-18T05:44:15.000Z info \twindow\n";
    let found = read("Users/ada/AppData/Local/Docker/log.txt", log);
    let times: Vec<String> = told(&found).into_iter().map(|(time, _)| time).collect();
    let expected = [
        "2022-05-18T05:44:13.129747000Z",
        "2022-05-18T05:44:14.000000000Z",
        "2022-05-18T05:44:15.000000000Z",
        "2022-05-18T07:44:00.000000000Z",
        "2022-05-18T07:44:10.000000000Z",
    ];
    assert_eq!(times, expected);
}

#[test]
fn the_zone_of_the_host_is_told_by_the_monitor_once() {
    let line = |time: &str| {
        format!(
            "[2026-04-17T21:05:02.6Z] {{\"component\":\"apiproxy\",\"level\":\"info\",\"msg\":\">> GET /version\",\"time\":\"{time}\",\"user_agent\":\"DockerDesktopUI\"}}\n"
        )
    };
    let log =
        line("2026-04-17T14:05:02.528270000-07:00") + &line("2026-04-17T14:05:02.528271-07:00");
    let found = read(&format!("{HOST}/monitor.log"), &log);
    let offset = found.only("host_utc_offset");
    assert_eq!(
        (&offset["utc_offset"], &offset["time_confidence"]),
        (&"-07:00".into(), &"recorded".into())
    );
    let quiet = found.all("log")[0];
    assert_eq!(quiet["datetime_ns"], "2026-04-17T21:05:02.528270000Z");
    assert_eq!(quiet["observed"], "2026-04-17T21:05:02.6Z");
    assert_eq!(quiet["user_agent"], "DockerDesktopUI");
}

#[test]
fn a_console_counts_from_the_start_of_the_machine() {
    let log = "[    0.000000] Linux version 6.10\n[    1.500000]  vda: vda1\n\
               INFO[0001] time=\"2026-04-16T07:00:10Z\" level=info msg=\"a\"  component=containerd\n\
               INFO[0010] b  component=x\n[    9.000000] late\nINFO[0011] c\n\
               [    0.100000] Linux version 6.10\nINFO[0002] d\n";
    let found = Case::default()
        .at("2026-04-16T08:00:00Z", "home/ada/.docker/desktop/log/vm/console.log", log)
        .read("desktop.log");
    let told = told(&found);
    let time = |what: &str| {
        let found = told.iter().find(|(_, text)| text.contains(what));
        found.unwrap_or_else(|| panic!("{told:#?}")).0[11..21].to_owned()
    };
    // The process started at 07:00:09, and after 1.5 seconds of the machine.
    assert_eq!(
        [time("x: b"), time("vda1"), time("late")],
        ["07:00:19.0", "07:00:10.0", "07:00:17.5"]
    );
    // Of the second start nothing but the end is known.
    assert_eq!(time("d (counted back"), "08:00:00.0");
    assert!(told.iter().any(|(time, text)| time.contains("07:00:08.5") && text.contains("6.10")));
}

#[test]
fn what_has_no_time_takes_it_from_what_is_near() {
    let found = read(&format!("{HOST}/x.stderr.log"), "panic: a\n\ngoroutine 1\n");
    let only = found.only("log");
    assert_eq!(
        (&only["datetime_ns"], &only["time_confidence"]),
        (&"2026-01-01T00:00:00.000000000Z".into(), &"inferred".into())
    );
    assert!(only["message"].as_str().unwrap().contains("this is that of the file"), "{only}");
    let found = read(
        &format!("{HOST}/x.log"),
        "rest\n[2026-05-02T03:09:07Z][main] x\n{\"msg\":\"y\",\"level\":\"info\"}\n",
    );
    let told = told(&found);
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|(time, _)| time == "2026-05-02T03:09:07.000000000Z"), "{told:?}");
}

#[test]
fn every_line_is_covered_by_an_event_or_an_issue() {
    let long = format!("[2026-05-02T03:09:07Z][main] {}\n", "x".repeat(1_100_000));
    let more = format!(
        "[2026-05-02T03:09:08Z][main] y\n{}",
        format!("{}\n", "z".repeat(1000)).repeat(1_500)
    );
    let log = [long.as_bytes(), more.as_bytes(), &[0; 500], b"\n[2026-05-02T03:09:09Z][main] end"]
        .concat();
    let found = Case::default().with(&format!("{HOST}/a.log"), log).read("desktop.log");
    assert_eq!(found.all("log").len(), 4);
    let bodies = found.events.iter().filter_map(|event| event["message_body"].as_str());
    let letters: usize = bodies.map(|body| body.matches('z').count()).sum();
    assert_eq!(letters, 1_500_000);
    let expected =
        ["a line longer than 1048576 bytes", "a record longer than 1 MiB", "bytes of zeros"];
    assert_eq!(found.issues.len(), expected.len(), "{:?}", found.issues);
    assert!(
        expected.iter().all(|what| found.issues.iter().any(|issue| issue.contains(what))),
        "{:?}",
        found.issues
    );
}

#[test]
fn containers_are_named_by_what_the_log_said_before() {
    let id = "4f".repeat(32);
    let log = format!(
        "[2026-03-19T02:31:20Z][com.docker.backend.exe.ports] exposer.Add({id}, /web, [0.0.0.0:80 -> 127.0.0.1:80])\n\
         [2026-03-19T02:31:21Z][com.docker.backend.exe.apiproxy] >> DELETE /v1.48/containers/{}?force=true&v=true\n",
        &id[..12]
    );
    let found = read(&format!("{HOST}/com.docker.backend.exe.log"), &log);
    let named: Vec<_> =
        found.events.iter().filter(|event| event["container_name"] == "web").collect();
    assert_eq!(named.len(), 2, "{:#?}", found.events);
    assert!(named.iter().all(|event| event["container_identifier"] == id.as_str()));
    assert_eq!(named[1]["data_type"], "docker:desktop:api");
}
