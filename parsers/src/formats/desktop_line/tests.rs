//! Each line of the tables of families, with what it says; the numbers of the issues in which the
//! real ones stand are in `testdata/README.md`.
#![cfg(test)]

use super::*;

fn line(text: &str) -> Line<'_> {
    match read(text) {
        Shape::Line(line) => line,
        other => panic!("{other:?}: {text}"),
    }
}

/// Family, time, component, level and message.
fn said(text: &str) -> (&'static str, String, String, &'static str, String) {
    let line = line(text);
    let entry = Entry::of(&line);
    let time = match entry.stamp {
        Stamp::Whole(instant) => instant.to_string(),
        Stamp::Local(clock) => format!("local {}.{:09}", clock.second, clock.nanosecond),
        Stamp::SinceBoot(microseconds) => format!("boot {microseconds}"),
        Stamp::SinceStart(seconds) => format!("start {seconds}"),
        Stamp::None => String::new(),
    };
    let level = entry.level.map_or("", Level::name);
    (line.family.name(), time, entry.component.into_owned(), level, entry.message.into_owned())
}

fn check(text: &str, expected: (&'static str, &str, &str, &'static str, &str)) {
    let (family, time, component, level, message) = expected;
    let expected = (family, time.into(), component.into(), level, message.into());
    assert_eq!(said(text), expected, "{text}");
}

#[test]
fn lines_with_a_local_clock_are_read_whatever_their_padding() {
    let check = |text, time, component, level, message| {
        check(text, ("clock", time, component, level, message));
    };
    check(
        "[14:14:59.523][Program        ][Info   ] Version: 1.12.0-stable",
        "local 51299.523000000",
        "Program",
        "info",
        "Version: 1.12.0-stable",
    );
    check(
        "[21:04:34.545][SystrayNotifications][Info   ] Docker Desktop is running",
        "local 75874.545000000",
        "SystrayNotifications",
        "info",
        "Docker Desktop is running",
    );
    check(
        "[21:00:24.957][LoggingMessageHandler][Info   ] [05ee7b23] <NotificationsClient start> POST http://localhost/engine/state",
        "local 75624.957000000",
        "LoggingMessageHandler",
        "info",
        "[05ee7b23] <NotificationsClient start> POST http://localhost/engine/state",
    );
    check(
        r"[14:39:04.090][ApiProxy          ][Info   ] proxy << POST /v1.40/exec/826a/start (1m2.0542256s)\n",
        "local 52744.090000000",
        "ApiProxy",
        "info",
        r"proxy << POST /v1.40/exec/826a/start (1m2.0542256s)\n",
    );
    check(
        "[16:01:38.643][GoBackendProcess  ][Info   ] msg=\"received new cli usage: {Command:run Context:moby}\"",
        "local 57698.643000000",
        "GoBackendProcess",
        "info",
        "received new cli usage: {Command:run Context:moby}",
    );
    check(
        "[11:36:02.651][VpnKit            ][Info   ] vpnkit.exe: Connected",
        "local 41762.651000000",
        "VpnKit",
        "info",
        "vpnkit.exe: Connected",
    );
    check(
        "[12:20:31.411][Moby           ][Info   ] [   29.826844] Initializing XFRM netlink socket",
        "local 44431.411000000",
        "Moby",
        "info",
        "[   29.826844] Initializing XFRM netlink socket",
    );
    check(
        "[12:20:31.411][Moby           ][Info   ] 2019-01-24T03:29:05Z,onboot.004-format;2019/01/24 03:29:05 x",
        "local 44431.411000000",
        "Moby",
        "info",
        "2019-01-24T03:29:05Z,onboot.004-format;2019/01/24 03:29:05 x",
    );
    check(
        "[12:20:31.411][WindowsDaemon     ][Info   ] debug: Calling GET /v1.38/containers/json?limit=0",
        "local 44431.411000000",
        "WindowsDaemon",
        "info",
        "debug: Calling GET /v1.38/containers/json?limit=0",
    );
    check(
        "[16:49:13.934][SegmentApi     ][Warning] Usage statistic: appLaunched",
        "local 60553.934000000",
        "SegmentApi",
        "warning",
        "Usage statistic: appLaunched",
    );
    check(
        "[12:20:31.411][NPS            ][Info   ] NPS user ceated on :3/5/2018 2:31:38 AM -08:00",
        "local 44431.411000000",
        "NPS",
        "info",
        "NPS user ceated on :3/5/2018 2:31:38 AM -08:00",
    );
    check(
        "[12:20:31.411][DockerHub         ][Info   ] Login successfull",
        "local 44431.411000000",
        "DockerHub",
        "info",
        "Login successfull",
    );
    check(
        "[12:20:31.411][HyperV            ][Info   ] Starting VM MobyLinuxVM...",
        "local 44431.411000000",
        "HyperV",
        "info",
        "Starting VM MobyLinuxVM...",
    );
    check(
        r#"[07:04:31.115][IPCClient         ][Info   ] (24a9373c) c10f6192-GoBackendClient-CSharp C<-S 26c6f576-BackendAPI GET /settings (32ms): {"settingsVersion":12}"#,
        "local 25471.115000000",
        "IPCClient",
        "info",
        r#"(24a9373c) c10f6192-GoBackendClient-CSharp C<-S 26c6f576-BackendAPI GET /settings (32ms): {"settingsVersion":12}"#,
    );
    check(
        r#"[11:58:52.432][EngineStateNotificationRecorder][Debug  ] Registered state {"State":"running","Mode":"windows","date":1605452332}"#,
        "local 43132.432000000",
        "EngineStateNotificationRecorder",
        "debug",
        r#"Registered state {"State":"running","Mode":"windows","date":1605452332}"#,
    );
    check(
        "[21:33:14.141][GoBackendProcess  ][Fatal  ] ⇨ http",
        "local 77594.141000000",
        "GoBackendProcess",
        "fatal",
        "⇨ http",
    );
    check(
        "[21:33:14.141][Cmd               ][Info   ]",
        "local 77594.141000000",
        "Cmd",
        "info",
        "",
    );
}

#[test]
fn lines_of_the_first_installers_have_no_level() {
    let check =
        |text, time, component, message| check(text, ("installer", time, component, "", message));
    check(
        "[05:45:02.848] [InstallHandler] No d4w installation found",
        "local 20702.848000000",
        "InstallHandler",
        "No d4w installation found",
    );
    check(
        "[14:01:53.360] [CheckForUpdateHandler] Install found: version=45183, displayVersion=2.3.0.2",
        "local 50513.360000000",
        "CheckForUpdateHandler",
        "Install found: version=45183, displayVersion=2.3.0.2",
    );
    check(
        "[16:58:09.450] [UninstallWorkflow] Action CommunityInstaller.ExecAction failed",
        "local 61089.450000000",
        "UninstallWorkflow",
        "Action CommunityInstaller.ExecAction failed",
    );
}

#[test]
fn lines_with_a_time_in_brackets_may_leave_their_level_out() {
    let check = |text, time, component, level, message| {
        check(text, ("bracket", time, component, level, message));
    };
    check(
        "[2023-03-05T08:02:14.398643700Z][com.docker.backend.exe][I] x",
        "2023-03-05T08:02:14.398643700Z",
        "com.docker.backend.exe",
        "info",
        "x",
    );
    check(
        "[2026-03-19T02:31:20.500304500Z][com.docker.backend.exe.apiproxy] returning engine error:",
        "2026-03-19T02:31:20.500304500Z",
        "com.docker.backend.exe.apiproxy",
        "info",
        "returning engine error:",
    );
    check(
        "[2022-05-18T05:44:13.129747000Z][GoBackendProcess  ][Info   ] x",
        "2022-05-18T05:44:13.129747000Z",
        "GoBackendProcess",
        "info",
        "x",
    );
    check(
        "[2026-03-19T02:31:20.5Z][com.docker.backend.exe.engines][E] engine linux/wsl failed to start: checking",
        "2026-03-19T02:31:20.500000000Z",
        "com.docker.backend.exe.engines",
        "error",
        "engine linux/wsl failed to start: checking",
    );
    check(
        "[2022-11-19T23:22:59.880747293Z][docker][I] x",
        "2022-11-19T23:22:59.880747293Z",
        "docker",
        "info",
        "x",
    );
    check(
        "[2025-01-01T18:18:59.355647499Z][wsl-bootstrap][F] expected digest",
        "2025-01-01T18:18:59.355647499Z",
        "wsl-bootstrap",
        "fatal",
        "expected digest",
    );
    check(
        "[2026-09-17T19:58:18.820783436Z][wsl-bootstrap] provisioning data via data disk with id: 3d3e456b",
        "2026-09-17T19:58:18.820783436Z",
        "wsl-bootstrap",
        "info",
        "provisioning data via data disk with id: 3d3e456b",
    );
    check(
        "[2023-12-01T08:08:57.505291700Z][com.docker.diagnose.exe][I] Gathering netsh (timeout 15s) took 190.913ms",
        "2023-12-01T08:08:57.505291700Z",
        "com.docker.diagnose.exe",
        "info",
        "Gathering netsh (timeout 15s) took 190.913ms",
    );
    check(
        "[2024-07-05T01:16:20.326626000Z][com.docker.diagnose.exe] Executing: [hcsdiag list]",
        "2024-07-05T01:16:20.326626000Z",
        "com.docker.diagnose.exe",
        "info",
        "Executing: [hcsdiag list]",
    );
    check(
        "[2024-09-05T04:40:34.104018000Z][InstallWorkflow][I] Manifest found: version=165256",
        "2024-09-05T04:40:34.104018000Z",
        "InstallWorkflow",
        "info",
        "Manifest found: version=165256",
    );
    check(
        "[2025-12-18T10:10:37.465341800Z][Docker Desktop Installer.exe.installer] starting, console mode: true",
        "2025-12-18T10:10:37.465341800Z",
        "Docker Desktop Installer.exe.installer",
        "info",
        "starting, console mode: true",
    );
    check(
        r#"[2025-01-14T07:53:36.113970300Z][WindowsDaemon][I] trying to start Windows dockerd with args=-G "docker-users""#,
        "2025-01-14T07:53:36.113970300Z",
        "WindowsDaemon",
        "info",
        r#"trying to start Windows dockerd with args=-G "docker-users""#,
    );
    check(
        "[2025-01-14T07:54:06.195414100Z][IPCServer][E] (983498d2-4) c9d99a35-ServiceAPI S->C 5c38c3b5-serviceClientCLI POST /windowscontainers/start (31123ms): Internal Server Error",
        "2025-01-14T07:54:06.195414100Z",
        "IPCServer",
        "error",
        "(983498d2-4) c9d99a35-ServiceAPI S->C 5c38c3b5-serviceClientCLI POST /windowscontainers/start (31123ms): Internal Server Error",
    );
    // A message may begin with a bracket; only one without a blank before it is a level.
    check(
        "[2026-03-19T02:31:20Z][init] [W] x",
        "2026-03-19T02:31:20.000000000Z",
        "init",
        "info",
        "[W] x",
    );
    // JSON behind a bracket was not seen in public.
    check(
        r#"[2026-03-19T02:31:20Z][init] {"component":"dockerd","level":"debug","msg":"attach","time":"2026-03-19T02:31:19.5Z"}"#,
        "2026-03-19T02:31:19.500000000Z",
        "dockerd",
        "debug",
        "attach",
    );
}

#[test]
fn a_line_of_klog_takes_its_year_from_the_line_around_it() {
    check(
        "[2024-02-21T21:35:04.507142732Z][kubelet][I] W0221 21:35:04.506792     798 reflector.go:539] x",
        (
            "bracket",
            "2024-02-21T21:35:04.506792000Z",
            "kubelet",
            "warning",
            "W0221 21:35:04.506792     798 reflector.go:539] x",
        ),
    );
    let turn =
        "[2024-01-01T00:00:00.000000001Z][kubelet][I] E1231 23:59:59.999999     798 a.go:1] x";
    assert_eq!(said(turn).1, "2023-12-31T23:59:59.999999000Z");
    let line = line(turn);
    assert_eq!(Entry::of(&line).observed, Some("2024-01-01T00:00:00.000000001Z"));
}

#[test]
fn the_monitor_captures_lines_of_two_kinds() {
    let text = "[2026-04-17T21:04:59.951283000Z] [21:04:59.950900000Z][main.events           ] adding server timestamp to event (engines): 1776459899950897000 docker: running";
    check(
        text,
        (
            "monitor",
            "2026-04-17T21:04:59.950900000Z",
            "main.events",
            "info",
            "adding server timestamp to event (engines): 1776459899950897000 docker: running",
        ),
    );
    let line_of_text = line(text);
    let entry = Entry::of(&line_of_text);
    assert_eq!(entry.server_time.unwrap().to_string(), "2026-04-17T21:04:59.950897000Z");
    assert_eq!(entry.observed, Some("2026-04-17T21:04:59.951283000Z"));
    check(
        "[2026-04-17T21:05:00.1Z] [21:05:00.022799000Z][main.ipc              ][W] x",
        ("monitor", "2026-04-17T21:05:00.022799000Z", "main.ipc", "warning", "x"),
    );
    check(
        "[2026-04-18T00:00:00.1Z] [23:59:59.900000000Z][main.ipc] x",
        ("monitor", "2026-04-17T23:59:59.900000000Z", "main.ipc", "info", "x"),
    );
    let json = r#"[2026-04-17T21:05:02.6Z] {"component":"apiproxy","level":"info","msg":">> GET /version","time":"2026-04-17T14:05:02.528270000-07:00","user_agent":"DockerDesktopUI"}"#;
    check(
        json,
        ("monitor", "2026-04-17T21:05:02.528270000Z", "apiproxy", "info", ">> GET /version"),
    );
    let line_of_json = line(json);
    let entry = Entry::of(&line_of_json);
    assert_eq!(
        (entry.offset, entry.field("user_agent")),
        (Some(-7 * 3_600), Some("DockerDesktopUI"))
    );
    check(
        "[2026-04-17T21:05:02.6Z] panic: x",
        ("monitor", "2026-04-17T21:05:02.600000000Z", "", "", "panic: x"),
    );
}

#[test]
fn lines_of_the_virtual_machine_are_read() {
    check(
        r#"2021-07-28T10:21:21Z dockerd time="2021-07-28T10:21:21.497642089Z" level=debug msg="attach: stdout: begin""#,
        ("service", "2021-07-28T10:21:21.497642089Z", "dockerd", "debug", "attach: stdout: begin"),
    );
    check(
        "2019-01-24T03:29:05Z,onboot.004-format;2019/01/24 03:29:05 x",
        (
            "memlogd",
            "2019-01-24T03:29:05.000000000Z",
            "onboot.004-format",
            "",
            "2019/01/24 03:29:05 x",
        ),
    );
    check(
        r#"{"component":"dockerd","level":"debug","msg":"attach: stdout: begin","time":"2026-09-13T23:16:11.5Z"}"#,
        ("json", "2026-09-13T23:16:11.500000000Z", "dockerd", "debug", "attach: stdout: begin"),
    );
    let create = r#"{"component":"apiproxy","level":"info","msg":">> POST /v1.54/containers/create?name=x&platform=linux%2Famd64","time":"2026-09-13T23:16:11.550923833Z","user_agent":"Docker-Client/29.5.1 (darwin)"}"#;
    check(
        create,
        (
            "json",
            "2026-09-13T23:16:11.550923833Z",
            "apiproxy",
            "info",
            ">> POST /v1.54/containers/create?name=x&platform=linux%2Famd64",
        ),
    );
    check(
        r#"{"component":"volume","level":"warning","msg":"hostPathOfVolume failed","time":"2026-09-13T23:16:11Z"}"#,
        ("json", "2026-09-13T23:16:11.000000000Z", "volume", "warning", "hostPathOfVolume failed"),
    );
    let join = r#"{"component":"command","eid":"eb76f4671233","ep":"web","level":"info","msg":"sbJoin: gwep4 ''->'', x","net":"none","nid":"d83cf9d60f78","time":"2026-09-13T23:16:11Z"}"#;
    let line_of_join = line(join);
    let fields = Entry::of(&line_of_join).fields;
    let expected =
        [("eid", "eb76f4671233"), ("ep", "web"), ("net", "none"), ("nid", "d83cf9d60f78")];
    assert_eq!(fields, expected.map(|(key, value)| (key.into(), value.into())));
}

#[test]
fn the_console_counts_from_two_beginnings() {
    check("[    1.192537]  vda: vda1", ("kernel", "boot 1192537", "kernel", "", " vda: vda1"));
    check("[1234567.000001] x", ("kernel", "boot 1234567000001", "kernel", "", "x"));
    check(
        r#"INFO[12356] time="2026-04-16T07:14:14.894732219Z" level=error msg="x y"  component=containerd"#,
        ("terminal", "2026-04-16T07:14:14.894732219Z", "containerd", "error", "x y"),
    );
    let api = "INFO[12364] >> GET /networks/x  component=apiproxy user_agent=DockerDesktopUI";
    check(api, ("terminal", "start 12364", "apiproxy", "info", ">> GET /networks/x"));
    let line_of_api = line(api);
    assert_eq!(Entry::of(&line_of_api).field("user_agent"), Some("DockerDesktopUI"));
    check(
        r#"INFO[0019] shim containerd-shim started                  address="/x y.sock" debug=false pid=1786"#,
        ("terminal", "start 19", "", "info", "shim containerd-shim started"),
    );
    check(
        "WARN[0000] a  b is not a field",
        ("terminal", "start 0", "", "warning", "a  b is not a field"),
    );
}

#[test]
fn lines_of_the_window_and_of_other_programs_are_read() {
    check(
        "2024-10-10T14:19:26.376Z info \t[IPC] dockerListImages: undefined",
        (
            "electron",
            "2024-10-10T14:19:26.376000000Z",
            "",
            "info",
            "[IPC] dockerListImages: undefined",
        ),
    );
    check(
        "2026-04-21T16:50:46.136Z error \tError invoking remote method",
        ("electron", "2026-04-21T16:50:46.136000000Z", "", "error", "Error invoking remote method"),
    );
    check(
        "2026-07-24T13:03:50.615Z error [BUGSNAG] Uncaught exception…",
        (
            "electron",
            "2026-07-24T13:03:50.615000000Z",
            "",
            "error",
            "[BUGSNAG] Uncaught exception…",
        ),
    );
    check(
        "2026-07-31T07:14:15.053Z: Running: wsl.exe --list --quiet",
        ("rancher", "2026-07-31T07:14:15.053000000Z", "", "", "Running: wsl.exe --list --quiet"),
    );
    let local = r#"time="2026-07-31T09:03:00.410016919+02:00" level=info msg="Starting up""#;
    check(local, ("logrus", "2026-07-31T07:03:00.410016919Z", "", "info", "Starting up"));
    let line_of_local = line(local);
    let entry = Entry::of(&line_of_local);
    assert_eq!((entry.offset, entry.observed), (Some(7_200), None));
    check(
        r#"time="2020-07-07T14:16:03-04:00" level=info msg="Gathering: C:\\x" type=file"#,
        ("logrus", "2020-07-07T18:16:03.000000000Z", "", "info", r"Gathering: C:\x"),
    );
}

#[test]
fn an_embedded_time_counts_and_the_line_s_own_is_kept() {
    let text = r#"[01:33:21.713][Cmd               ][Info   ] time="2020-12-31T01:33:21.675726700-03:00" level=fatal msg="x""#;
    check(text, ("clock", "2020-12-31T04:33:21.675726700Z", "Cmd", "fatal", "x"));
    let line_of_text = line(text);
    let entry = Entry::of(&line_of_text);
    assert_eq!((entry.observed, entry.offset), (Some("01:33:21.713"), Some(-3 * 3_600)));
    let proxy = r#"[11:27:31.528][ApiProxy       ][Info   ] time="2018-08-21T11:27:31+01:00" msg="proxy >> POST /v1.38/containers/create [rewriteBinds]\n""#;
    check(
        proxy,
        (
            "clock",
            "2018-08-21T10:27:31.000000000Z",
            "ApiProxy",
            "info",
            "proxy >> POST /v1.38/containers/create [rewriteBinds]\n",
        ),
    );
}

#[test]
fn what_begins_no_record_is_told_from_what_does() {
    assert_eq!(read(&format!("{}>8", "-".repeat(80))), Shape::Separator);
    assert_eq!(read(&format!("{}>8  ", "-".repeat(20))), Shape::Separator);
    for text in [
        "------->8",
        "",
        "   at System.Threading",
        "goroutine 1 [running]:",
        "{",
        "{\"a\":1}",
        "[25:00:00.000][X][Info] x",
        "[12:00:00.000]",
        "[12:00:00][X][Info] x",
        "[2026-13-01T00:00:00Z][x] y",
        "[2026-03-19T02:31:20Z][x][I]y",
        "2024-10-10T14:19:26.376Z",
        "2024-10-10T14:19:26.376Z Info",
        "INFO[1] x",
        "time=\"never\" level=info",
        "[   12.5] x",
        "Status: ok",
    ] {
        assert_eq!(read(text), Shape::Continuation, "{text}");
    }
}

#[test]
fn rows_of_a_header_are_known_by_their_keys_and_their_time_by_its_digits() {
    let row = |text| match read(text) {
        Shape::Header(row) => row,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        row("Version: 3.3.1 (63152)"),
        header::Row { key: header::Key::Version, value: "3.3.1 (63152)" }
    );
    assert_eq!(row("Windows Version : Windows 10 Pro").key, header::Key::Os);
    assert_eq!(
        row("You can send feedback, including this log file, at x").key,
        header::Key::Feedback
    );
    let started = |value| header::started(value).map(|at| at.to_string());
    for (value, expected) in [
        ("2021/04/30 08:29:17.388", "2021-04-30T08:29:17.388000000Z"),
        ("2022.06.03 10:49:00.261", "2022-06-03T10:49:00.261000000Z"),
        ("2023-04-04 13:52:22.664", "2023-04-04T13:52:22.664000000Z"),
        ("2021. 4. 3 08.29.17.388", ""),
        ("2021/4/3 08.29.17.388", "2021-04-03T08:29:17.388000000Z"),
        ("2563/02/29 08:29:17.388", "2020-02-29T08:29:17.388000000Z"),
        ("1442/02/29 08:29:17.388", ""),
        ("2021/02/30 08:29:17.388", ""),
        ("", ""),
    ] {
        assert_eq!(started(value).unwrap_or_default(), expected, "{value}");
    }
}

#[test]
fn messages_say_when_they_were_written() {
    let instant = |text: &str| Instant::parse_rfc3339(text).unwrap().unwrap();
    let utc = |text: &str| Some(Anchor::Utc(instant(text)));
    assert_eq!(
        anchor(r#"time="2019-02-01T15:08:09-02:00" msg="x""#),
        Some(Anchor::Zoned(instant("2019-02-01T17:08:09Z"), -7_200))
    );
    assert_eq!(
        anchor(r#"time="2021-05-17T15:34:12.621554700Z" level=info"#),
        utc("2021-05-17T15:34:12.6215547Z")
    );
    assert_eq!(
        anchor(r#"Registered state {"State":"running","Mode":"linux","date":1621265674}"#),
        utc("2021-05-17T15:34:34Z")
    );
    assert_eq!(
        anchor(r#"{"serverTime":1626618042689306200}"#),
        utc("2021-07-18T14:20:42.6893062Z")
    );
    assert_eq!(anchor("2019-01-24T03:29:05Z,onboot.004-format;x"), utc("2019-01-24T03:29:05Z"));
    let local = |a: &str, b: &str| Some(Anchor::Local(instant(a), instant(b)));
    assert_eq!(
        anchor("Starting on: 8/7/2016 2:14:59 PM"),
        local("2016-08-07T14:14:59Z", "2016-07-08T14:14:59Z")
    );
    assert_eq!(
        anchor("Starting on: 25/12/2016 12:14:59 AM"),
        local("2016-12-25T00:14:59Z", "2016-12-25T00:14:59Z")
    );
    assert_eq!(
        anchor("Starting on: 07.08.2016 14:14:59"),
        local("2016-08-07T14:14:59Z", "2016-08-07T14:14:59Z")
    );
    assert_eq!(
        anchor("Starting on: 2016-08-07 14:14:59"),
        local("2016-08-07T14:14:59Z", "2016-08-07T14:14:59Z")
    );
    for text in [
        "",
        "x",
        "Starting on: x",
        "2019-01-24T03:29:05Z text",
        "\"serverTime\":0",
        "\"serverTime\":99999999999999999999",
    ] {
        assert_eq!(anchor(text), None, "{text}");
    }
}

#[test]
fn bytes_become_text_without_what_is_not_of_it() {
    assert_eq!(text::clean(b"\xef\xbb\xbfVersion: 1"), "Version: 1");
    assert_eq!(text::clean(b"\x1b[36mINFO\x1b[0m[0001] x\x1b[2J"), "INFO[0001] x\x1b[2J");
    let wide: Vec<u8> = "The name. \r".bytes().flat_map(|byte| [byte, 0]).collect();
    let line = [&b"[ts][x] failed: "[..], &wide, b"!"].concat();
    assert_eq!(text::clean(&line), "[ts][x] failed: The name. !");
    assert_eq!(text::clean(&[&b"\0"[..], &wide].concat()), "The name. ");
    assert_eq!(text::clean(b"\xff\xfeV\0e\0"), "Ve");
    assert_eq!(text::clean(b"a\0b"), "a\0b");
    assert_eq!(text::clean(b"\0\0\0"), "\0\0\0");
    assert_eq!(text::clean(b"Zugriff verweigert: \xfc"), r"Zugriff verweigert: \xfc");
}

#[test]
fn hostile_lines_end() {
    for text in [
        "  a=b".repeat(20_000),
        "[".repeat(100_000),
        "[2026-03-19T02:31:20Z][".repeat(5_000),
        format!("INFO[0001] {}", "  a=b x".repeat(20_000)),
        format!("{{\"msg\":{}}}", "[".repeat(100_000)),
        "2".repeat(100_000),
        "-".repeat(100_000),
        "\x1b[".repeat(50_000),
        format!("INFO[{}] x", "9".repeat(18)),
        format!("[{}.000000] x", "9".repeat(40)),
        "Started on: 9999/99/99".to_owned(),
    ] {
        let text = text::clean(text.as_bytes()).into_owned();
        if let Shape::Line(line) = read(&text) {
            let _ = Entry::of(&line);
            let _ = anchor(line.message);
        }
    }
}
