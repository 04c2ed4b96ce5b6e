//! Files of the kubelet to whole events.

use crate::case::Case;

const POD: &str = "var/lib/kubelet/pods/2f0e2b5a-7c1d-4c6e-9a55-0c9f1f6f2a11";

fn messages(case: Case) -> Vec<String> {
    let found = case.read("kubernetes.kubelet");
    let message = |event: &serde_json::Value| event["message"].as_str().unwrap().to_owned();
    found.events.iter().map(message).chain(found.issues).collect()
}

#[test]
fn a_container_started_when_its_file_is_empty_and_left_a_message_else() {
    let case = Case::default()
        .with(&format!("{POD}/containers/web/0a1b2c3d"), "")
        .with(&format!("{POD}/containers/web/ffffffff"), "out of luck")
        .with(&format!("{POD}/containers/web/notes.txt"), "x");
    let uid = "2f0e2b5a-7c1d-4c6e-9a55-0c9f1f6f2a11";
    let expected = [
        format!("[web] container of pod {uid} started"),
        format!("[web] container of pod {uid} left as its last message: out of luck"),
    ];
    let found = messages(case);
    assert_eq!(found[..2], expected);
    assert!(found[2].contains("not named by 8 hexadecimal digits"), "{found:?}");
}

#[test]
fn volumes_are_told_and_secrets_only_by_name() {
    let hosts = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n10.0.0.7\tweb-0\n";
    let case = Case::default()
        .with(&format!("{POD}/etc-hosts"), hosts)
        .with(
            &format!("{POD}/volumes/kubernetes.io~configmap/conf/..2024_05_01_12_00_00.42/a"),
            "b",
        )
        .with(&format!("{POD}/volumes/kubernetes.io~secret/key/token"), "hush");
    let found = case.read("kubernetes.kubelet");
    let event = found.only("start");
    assert_eq!(event["volumes"][1], "kubernetes.io~secret/key");
    assert_eq!(event["possible_secrets"][0], "key");
    assert!(event["message"].as_str().unwrap().ends_with("last started as 10.0.0.7 web-0"));
    let written = found.only("write");
    assert_eq!(written["datetime_ns"], "2024-05-01T12:00:00.000000000Z");
    assert_eq!((written["volume_name"].as_str(), found.issues.len()), (Some("conf"), 0));
    assert!(!format!("{:?}", found.events).contains("hush"));
}

#[test]
fn checkpoints_say_what_was_set_aside() {
    let cpu =
        r#"{"policyName":"static","defaultCpuSet":"0","entries":{"u1":{"db":"1-2"}},"checksum":1}"#;
    let none = r#"{"policyName":"None","machineState":{},"checksum":1}"#;
    let devices = r#"{"Data":{"PodDeviceEntries":[{"PodUID":"u2","ContainerName":"gpu",
        "ResourceName":"nvidia.com/gpu","DeviceIDs":{"0":["GPU-1"]},"AllocResp":""}]},"Checksum":1}"#;
    let case = Case::default()
        .with("var/lib/kubelet/cpu_manager_state", cpu)
        .with("var/lib/kubelet/device-plugins/kubelet_internal_checkpoint", devices)
        .with("var/lib/kubelet/memory_manager_state", none);
    let start = "checkpoint of the kubelet last written;";
    let expected = [
        format!("[db] {start} pod u1 has processors 1-2"),
        format!("[gpu] {start} pod u2 has device nvidia.com/gpu {{\"0\":[\"GPU-1\"]}}"),
        format!("{start} policy None, no container"),
    ];
    assert_eq!(messages(case), expected);
}
