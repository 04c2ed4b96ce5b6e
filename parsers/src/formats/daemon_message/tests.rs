//! What messages mean: lines of real daemons, and some that only other engines write.
#![cfg(test)]

use crate::case::{Case, Outcome};

const A: &str = "01afc5bdfb4c359054b68a1aa8195910aa85b3972a1dbd1df070cb25e29c039b";
const CONFIG: &str = r#"{"ID":"01afc5bdfb4c359054b68a1aa8195910aa85b3972a1dbd1df070cb25e29c039b","Name":"/web","Config":{"Image":"nginx:1"}}"#;

fn read(name: &str, lines: &str) -> Outcome {
    Case::default()
        .with(&format!("d/containers/{A}/config.v2.json"), CONFIG)
        .with(&format!("var/log/{name}"), lines)
        .read("host.daemon_log")
}

/// Action, container's name and text of the only event of a line of dockerd.
fn of_dockerd(line: &str) -> (String, String, String) {
    let line = format!("time=\"2026-11-21T21:54:16.052255675Z\" level=info {line}\n");
    let outcome = read("docker.log", &line);
    assert_eq!((outcome.events.len(), outcome.issues.len()), (1, 0), "{outcome:#?}");
    let event = &outcome.events[0];
    let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    (text("action"), text("container_name"), text("message"))
}

#[test]
fn the_end_of_a_container_is_known_in_every_wording() {
    for line in [
        format!(
            "msg=\"ignoring event\" container={A} module=libcontainerd namespace=moby topic=/tasks/delete type=\"*events.TaskDelete\""
        ),
        format!(
            "msg=\"received task-delete event from containerd\" container={A} module=libcontainerd namespace=moby topic=/tasks/delete type=\"*events.TaskDelete\""
        ),
        format!("msg=\"shim disconnected\" id={A} namespace=moby"),
    ] {
        let (action, name, message) = of_dockerd(&line);
        assert_eq!((action.as_str(), name.as_str()), ("die", "web"), "{message}");
    }
}

#[test]
fn kubelet_and_cri_o_say_it_in_their_own_words() {
    let kubelet = format!(
        "2026-11-21T21:54:16Z n1 kubelet[9]: I1121 21:54:16.1 9 kubelet.go:2] \"SyncLoop (PLEG): event for pod\" pod=\"default/web\" event={{\"ID\":\"u\",\"Type\":\"ContainerDied\",\"Data\":\"{A}\"}}\n"
    );
    assert_eq!(read("syslog", &kubelet).only("die")["container_name"], "web");
    let crio = format!(
        "2026-11-21T21:54:16Z n1 crio[9]: time=\"2026-11-21 21:54:16.123456789Z\" level=info msg=\"Started container\" PID=77 containerID={A} description=default/web/web\n"
    );
    let outcome = read("messages", &crio);
    let start = outcome.only("start");
    assert_eq!(
        (&start["container_name"], &start["datetime_ns"]),
        (&"web".into(), &"2026-11-21T21:54:16.123456789Z".into())
    );
}

#[test]
fn a_container_is_found_by_its_full_or_short_id_or_its_name_in_a_request() {
    for line in [
        format!("msg=\"{A} cleanup: failed to delete container from containerd\""),
        "msg=\"Removing stale sandbox\" cid=01afc5bdfb4c isRestore=false sid=3f0f2ba1c0de"
            .to_owned(),
        format!(
            "msg=\"starting signal loop\" namespace=moby path=/run/containerd/io.containerd.runtime.v2.task/moby/{A} pid=7"
        ),
        "msg=\"Handler for POST /v1.41/containers/web/start returned error: x\"".to_owned(),
        format!("msg=\"endpoint {A} of nothing that says container\""),
    ] {
        let (_, name, message) = of_dockerd(&line);
        assert_eq!(name, "web", "{message}");
    }
    let other = "msg=\"Error deleting object [endpoint 2e722c80f77229493b25e0ebc072cd2601fdd153a86dbbd6efbbb2aaab078832]\"";
    assert_eq!(of_dockerd(other).1, "");
}

#[test]
fn containerd_tells_the_exit_code_of_a_container_of_kubernetes() {
    let event = format!(
        "msg=\"received container exit event container_id:\\\"{A}\\\"  id:\\\"{A}\\\"  pid:1848  exit_status:143  exited_at:{{seconds:1788477940}}\""
    );
    let line = format!("time=\"2026-11-21T21:54:16Z\" level=info {event}\n");
    let outcome = read("containerd.log", &line);
    let die = outcome.only("die");
    assert_eq!((&die["exit_code"], &die["container_name"]), (&143.into(), &"web".into()));
}

#[test]
fn a_command_through_sudo_has_its_user() {
    let log = "2026-11-21T21:54:16Z web1 sudo:    alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/docker run --privileged x\n\
               2026-11-21T21:54:17Z web1 sudo:    alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls\n";
    let outcome = read("auth.log", log);
    let command = outcome.only("command");
    assert_eq!(
        (&command["user"], &command["command_line"]),
        (&"alice".into(), &"/usr/bin/docker run --privileged x".into())
    );
    assert_eq!(outcome.unconcerned, 1);
}

#[test]
fn a_kill_tells_of_the_request_before_it() {
    let line = format!(
        "time=\"2026-11-21T21:54:16.052255675Z\" level=info msg=\"Container failed to exit within 10s of signal 15 - using the force\" container={A}\n"
    );
    let outcome = read("docker.log", &line);
    let kills: Vec<_> = outcome
        .all("kill")
        .iter()
        .map(|event| {
            (event["datetime_ns"].as_str().unwrap(), event["time_confidence"].as_str().unwrap())
        })
        .collect();
    let expected = [
        ("2026-11-21T21:54:16.052255675Z", "recorded"),
        ("2026-11-21T21:54:06.052255675Z", "inferred"),
    ];
    assert_eq!(kills, expected);
}

#[test]
fn shims_that_containerd_finds_when_it_starts_are_no_starts_of_containers() {
    let line = |second: u32, message: &str| {
        format!("time=\"2026-11-21T21:54:{second:02}Z\" level=info msg=\"{message}\"\n")
    };
    let connect = format!("connecting to shim {A}");
    let log = [
        line(1, "starting containerd"),
        line(2, &connect),
        line(3, "containerd successfully booted in 0.1s"),
        line(4, &connect),
    ];
    let outcome = read("containerd.log", &log.concat());
    assert_eq!(outcome.only("start")["datetime"], "2026-11-21T21:54:04.000000+00:00");
}

#[test]
fn images_networks_layers_and_the_open_door_have_their_own_fields() {
    let digest = format!("sha256:{A}");
    let pulled = format!(
        "time=\"2026-11-21T21:54:16Z\" level=info msg=\"image pulled\" digest=\"{digest}\" remote=\"docker.io/lab/oci:1\"\n"
    );
    let joined = "time=\"2026-11-21T21:54:17Z\" level=info msg=\"sbJoin: gwep4 ''->'a', gwep6 ''->''\" eid=e6bc8d1cd910 ep=web net=app_net nid=7cfc964b2e18\n";
    let removed =
        format!("time=\"2026-11-21T21:54:18Z\" level=info msg=\"Layer {digest} cleaned up\"\n");
    let door = "time=\"2026-11-21T21:54:19Z\" level=info msg=\"API listen on [::]:2375\"\n";
    let outcome = read("docker.log", &[&pulled, joined, &removed, door].concat());
    assert_eq!(outcome.only("pull")["image_name"], "docker.io/lab/oci:1");
    assert_eq!(outcome.only("pull")["image_identifier"], digest.as_str());
    assert_eq!(outcome.only("connect")["network_name"], "app_net");
    assert_eq!(outcome.only("delete")["layer_identifier"], digest.as_str());
    assert_eq!(outcome.only("daemon_listen")["tag"][0], "risk:api-without-tls");
}
