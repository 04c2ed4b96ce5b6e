//! Quadlets to whole events.

use crate::case::Case;

#[test]
fn a_container_that_comes_back_at_each_boot_is_told_with_its_risks() {
    let unit = "[Unit]\nDescription=web\n[Container]\nImage=docker.io/library/nginx\nExec=sh -c 'id'\n\
                Volume=/:/host\nEnvironment=A=b TOKEN=x\n[Service]\nRestart=always\n\
                ExecStartPre=/tmp/x\n[Install]\nWantedBy=default.target\n";
    let found = Case::default()
        .with("home/u/.config/containers/systemd/web.container", unit)
        .read("podman.quadlet");
    let event = found.only("write");
    assert_eq!(event["container_name"], "systemd-web");
    assert_eq!(event["image_name"], "docker.io/library/nginx");
    assert_eq!(event["command_line"], "sh -c id");
    let risks = event["risks"].to_string();
    for risk in ["host-mount:/", "restart-policy:always", "unit-command:ExecStartPre=/tmp/x"] {
        assert!(risks.contains(risk), "{risk} in {risks}");
    }
    assert_eq!(event["possible_secrets"][0], "TOKEN");
    assert_eq!((found.issues.len(), found.records), (0, 1));
}

#[test]
fn additions_and_files_beside_are_told_as_such() {
    let place = "etc/containers/systemd/users/1000";
    let found = Case::default()
        .with(
            &format!("{place}/web.container.d/10-x.conf"),
            "[Container]\nPodmanArgs=--privileged\n",
        )
        .with(&format!("{place}/pod.yaml"), "kind: Pod\n")
        .with(&format!("{place}/data.volume"), "[Volume]\nVolumeName=data\n")
        .read("podman.quadlet");
    let text = |index: usize| found.events[index]["message"].as_str().unwrap().to_owned();
    assert!(text(0).starts_with("quadlet data.volume last written"), "{}", text(0));
    assert!(text(1).contains("pod.yaml beside quadlets last written"), "{}", text(1));
    assert!(text(2).contains("addition 10-x.conf to the quadlet web.container"), "{}", text(2));
    assert_eq!(found.events[2]["tag"][0], "escape-risk:privileged");
}
