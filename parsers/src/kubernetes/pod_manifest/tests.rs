//! Manifests to whole events.

use crate::case::Case;

fn read(manifest: &str) -> crate::case::Outcome {
    Case::default()
        .with("etc/kubernetes/manifests/x.yaml", manifest)
        .read("kubernetes.pod_manifest")
}

#[test]
fn every_risky_setting_of_a_pod_has_the_name_that_it_has_for_a_container() {
    let found = read(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: kube-system, labels: {app: x}}\n\
         spec:\n  hostPID: true\n  hostNetwork: yes\n  containers:\n  - name: c\n    image: alpine:3\n    \
         command: [sh, -c, 'sleep 1']\n    env: [{name: API_TOKEN, value: abc}]\n    securityContext:\n      \
         privileged: true\n      capabilities: {add: [SYS_ADMIN]}\n      seccompProfile: {type: Unconfined}\n    \
         volumeMounts: [{name: h, mountPath: /host, mountPropagation: Bidirectional}]\n  \
         volumes: [{name: h, hostPath: {path: /}}]\n",
    );
    assert_eq!((found.events.len(), found.issues.len()), (1, 0), "{:?}", found.issues);
    let event = &found.events[0];
    let expected = [
        "escape-risk:cap-add:SYS_ADMIN",
        "escape-risk:host-mount:/",
        "escape-risk:network-host",
        "escape-risk:pid-host",
        "escape-risk:privileged",
        "escape-risk:security-opt:seccomp=unconfined",
        "risk:mount-propagation:/host",
        "possible-secret",
    ];
    let tags: Vec<&str> =
        event["tag"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
    assert_eq!(tags, expected);
    assert_eq!(event["command_line"], "sh -c 'sleep 1'");
    assert_eq!(event["image_name"], "alpine:3");
    assert_eq!(event["pod_name"], "p");
    assert_eq!(event["labels"][0], "app=x");
    assert_eq!(event["source_locator"], "key:Pod kube-system/p.containers[0]");
}

#[test]
fn what_kubernetes_sets_by_itself_is_no_risk() {
    let found = read(
        "kind: Pod\nmetadata: {name: p}\nspec:\n  restartPolicy: Always\n  containers:\n  - {name: c, image: i}\n",
    );
    assert!(found.events[0].get("tag").is_none(), "{}", found.events[0]);
    assert!(found.events[0]["message"].as_str().unwrap().ends_with("from i; no risky setting"));
}

#[test]
fn templates_lists_and_other_objects_are_told() {
    let found = read(
        "kind: List\nitems:\n- kind: CronJob\n  metadata: {name: j, creationTimestamp: '2024-05-01T12:00:00Z'}\n  \
         spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: i}]}}}}}\n\
         - kind: Secret\n  metadata: {name: s}\n  data: {password: eA==}\n---\n# nothing\n---\nplain text\n",
    );
    let messages: Vec<&str> =
        found.events.iter().map(|event| event["message"].as_str().unwrap()).collect();
    let expected = [
        "[c] manifest of CronJob j: container c from i; no risky setting",
        "CronJob j created",
        "manifest of Secret s",
        "manifest of object of no kind ?",
    ];
    assert_eq!(messages, expected);
    assert_eq!(found.events[2]["possible_secrets"][0], "password");
}

#[test]
fn what_cannot_be_read_leaves_the_time_of_the_file() {
    let found = read("kind: [Pod\n");
    assert_eq!((found.events.len(), found.issues.len(), found.records), (1, 1, 0));
    assert_eq!(found.events[0]["time_confidence"], "filesystem");
}
