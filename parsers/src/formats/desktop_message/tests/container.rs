//! Containers, as Docker Desktop sees them.

use super::of;

#[test]
fn a_container_that_runs_or_ends_has_its_id_and_name() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "com.docker.backend.exe.ports",
        "exposer.Add(7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd, /web, [0.0.0.0:8080 -> 172.17.0.2:80, [::]:8080 -> 172.17.0.2:80])",
        "Container start | container runs and its ports are published | meaning=Start Time | id=7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd | name=web | published_ports=0.0.0.0:8080 -> 172.17.0.2:80 + [::]:8080 -> 172.17.0.2:80",
    ),
    (
        "com.docker.backend.exe.ports",
        "exposer.Add(7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd, /web)",
        "Container start | container runs and its ports are published | meaning=Start Time | id=7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd | name=web",
    ),
    (
        "com.docker.backend.exe.ports",
        "exposer.Remove(7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd)",
        "Container stop | container ended and its ports are no longer published | meaning=End Time | id=7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd",
    ),
    ("com.docker.backend.exe.ports", "exposer.Remove(7a571c46)", "log"),
    (
        "containerd",
        "shim disconnected id=7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd namespace=moby",
        "Container die | container has ended: its shim is gone | meaning=End Time | id=7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd | containerd_namespace=moby",
    ),
    (
        "GoBackendProcess",
        "adding docker-containers/353c3a0ee12d54c82513098b73c762e9c871a646ad070e2a2686d827f70ec9dd tcp forward from 0.0.0.0:80 to 127.0.0.1:80",
        "Container expose | a port of the container is published | id=353c3a0ee12d54c82513098b73c762e9c871a646ad070e2a2686d827f70ec9dd | published_ports=0.0.0.0:80 -> 127.0.0.1:80/tcp",
    ),
    (
        "GoBackendProcess",
        "removing docker-containers/353c3a0ee12d54c82513098b73c762e9c871a646ad070e2a2686d827f70ec9dd tcp forward from 0.0.0.0:80 to 127.0.0.1:80",
        "Container unexpose | a port of the container is no longer published | id=353c3a0ee12d54c82513098b73c762e9c871a646ad070e2a2686d827f70ec9dd | published_ports=0.0.0.0:80 -> 127.0.0.1:80/tcp",
    ),
    (
        "WindowsDaemon",
        "debug: Calling POST /v1.38/containers/create?name=iis",
        "Api create | creation of a container requested | name=iis | api_direction=request | http_method=POST | request_path=/v1.38/containers/create?name=iis | api_version=1.38",
    ),
    ("WindowsDaemon", "debug: Calling GET /v1.38/containers/json?limit=0", "log"),
];
