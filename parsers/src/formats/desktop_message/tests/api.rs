//! Calls of the engine's API.

use super::{of, told};
use crate::formats::desktop_message::meaning_with;
use std::borrow::Cow;

/// What a call means, without what every one of them says again of its line.
fn call(line: &str) -> String {
    let text = of("com.docker.backend.exe.apiproxy", line);
    let is_repeated = |part: &&str| {
        ["api_direction=", "http_method=", "request_path=", "api_version="]
            .iter()
            .any(|key| part.starts_with(key))
    };
    text.split(" | ").filter(|part| !is_repeated(part)).collect::<Vec<_>>().join(" | ")
}

const ID: &str = "7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd";

#[test]
fn a_creation_says_all_that_its_line_does() {
    let line = ">> POST /v1.54/containers/create?name=x&platform=linux%2Famd64";
    let fields = [(Cow::from("user_agent"), Cow::from("Docker-Client/29.5.1 (darwin)"))];
    let message = meaning_with("apiproxy", line, &fields).unwrap();
    assert_eq!(
        told(&message),
        "Api create | creation of a container requested | name=x | api_direction=request \
         | http_method=POST | request_path=/v1.54/containers/create?name=x&platform=linux%2Famd64 \
         | api_version=1.54 | user_agent=Docker-Client/29.5.1 (darwin) | platform=linux/amd64"
    );
    assert_eq!(
        of("ApiProxy", "proxy << POST /v1.40/exec/826acfd8/start (1m2.0542256s)\\n"),
        "Api exec_start | start of a command in a container answered | api_direction=response \
         | http_method=POST | request_path=/v1.40/exec/826acfd8/start | api_version=1.40 \
         | duration=1m2.0542256s | exec_identifier=826acfd8"
    );
    assert_eq!(
        of("ApiProxy", "proxy >> POST /v1.38/containers/create [rewriteBinds]\\n"),
        "Api create | creation of a container requested | api_direction=request | http_method=POST \
         | request_path=/v1.38/containers/create | api_version=1.38 | proxy_step=rewriteBinds"
    );
}

#[test]
fn calls_about_containers_have_the_engines_verbs() {
    for (line, expected) in [
        (format!("POST /v1.48/containers/{ID}/start"), format!("Api start | start of a container requested | id={ID}")),
        ("POST /v1.48/containers/web/stop?t=10".to_owned(), "Api stop | stop of a container requested | reference=web".to_owned()),
        ("POST /containers/web/kill?signal=SIGKILL".to_owned(), "Api kill | signal to a container requested | reference=web | signal=SIGKILL".to_owned()),
        ("POST /containers/web/restart".to_owned(), "Api restart | restart of a container requested | reference=web".to_owned()),
        ("POST /containers/web/pause".to_owned(), "Api pause | pause of a container requested | reference=web".to_owned()),
        ("POST /containers/web/unpause".to_owned(), "Api unpause | end of a container's pause requested | reference=web".to_owned()),
        ("POST /containers/web/wait?condition=next-exit".to_owned(), "Api wait | wait for the end of a container requested | reference=web".to_owned()),
        ("POST /containers/web/attach?stdin=1".to_owned(), "Api attach | attachment to a container requested | reference=web".to_owned()),
        ("POST /containers/web/rename?name=new".to_owned(), "Api rename | new name of a container requested | reference=web".to_owned()),
        ("POST /containers/web/update".to_owned(), "Api update | change of a container's limits requested | reference=web".to_owned()),
        ("DELETE /containers/web?force=true&v=true".to_owned(), "Api destroy | removal of a container with its volumes requested | reference=web | force=true | volumes_removed=true".to_owned()),
        ("DELETE /containers/web".to_owned(), "Api destroy | removal of a container requested | reference=web".to_owned()),
        ("POST /v1.48/containers/web/exec".to_owned(), "Api exec_create | command in a container requested | reference=web".to_owned()),
        ("POST /exec/5e6f/resize?h=1&w=2".to_owned(), "Api exec_resize | size of a command's terminal requested | exec_identifier=5e6f".to_owned()),
        ("GET /v1.48/containers/web/archive?path=%2Fetc%2Fshadow".to_owned(), "Api copy_out | copy out of a container requested | reference=web | container_path=/etc/shadow".to_owned()),
        ("PUT /containers/web/archive?path=%2Ftmp".to_owned(), "Api copy_in | copy into a container requested | reference=web | container_path=/tmp".to_owned()),
        ("HEAD /containers/web/archive?path=%2Ftmp".to_owned(), "Api copy_stat | look at a path in a container, to copy it requested | reference=web | container_path=/tmp".to_owned()),
        ("GET /containers/web/export".to_owned(), "Api export | export of a container's files requested | reference=web".to_owned()),
        ("POST /containers/prune".to_owned(), "Api prune | prune of stopped containers requested".to_owned()),
    ] {
        assert_eq!(call(&format!(">> {line}")), expected, "{line}");
    }
}

#[test]
fn calls_about_images_name_the_image() {
    for (line, expected) in [
        (
            "POST /images/create?fromImage=docker.io%2Flibrary%2Fnginx&tag=1.25",
            "pull | pull of an image requested | image=docker.io/library/nginx:1.25",
        ),
        (
            "POST /images/create?fromImage=nginx&tag=sha256%3Aab",
            "pull | pull of an image requested | image=nginx@sha256:ab",
        ),
        ("POST /images/create?fromImage=nginx", "pull | pull of an image requested | image=nginx"),
        (
            "POST /images/create?fromSrc=-&repo=own&tag=1",
            "import | import of an image requested | image=own:1",
        ),
        ("POST /images/load?quiet=1", "load | load of images requested"),
        (
            "POST /images/registry.example.com/team/app/push?tag=1",
            "push | push of an image requested | image=registry.example.com/team/app",
        ),
        (
            "POST /images/app/tag?repo=other&tag=2",
            "tag | new name of an image requested | image=app",
        ),
        (
            "DELETE /images/team/app:1?force=1",
            "delete | removal of an image requested | image=team/app:1 | force=true",
        ),
        ("GET /images/get?names=nginx", "save | export of images requested | image=nginx"),
        ("GET /images/team%2Fapp/get", "save | export of an image requested | image=team/app"),
        ("POST /images/prune", "prune | prune of unused images requested"),
        (
            "POST /build?t=app&dockerfile=Dockerfile&remote=https%3A%2F%2Fe.org%2Fx.git",
            "build | build of an image requested | image=app | build_context=https://e.org/x.git | dockerfile=Dockerfile",
        ),
        ("POST /build/prune", "prune | prune of the build cache requested"),
        ("POST /session", "build_session | session of a build requested"),
        ("POST /grpc", "build_session | session of a build requested"),
        (
            "POST /commit?container=web&repo=stolen&tag=1",
            "commit | image of a container's changes requested | reference=web | image=stolen:1",
        ),
    ] {
        assert_eq!(call(&format!(">> {line}")), format!("Api {expected}"), "{line}");
    }
}

#[test]
fn calls_about_volumes_networks_and_registries_are_told() {
    for (line, expected) in [
        ("POST /volumes/create", "volume_create | creation of a volume requested"),
        (
            "DELETE /volumes/db?force=1",
            "volume_destroy | removal of a volume requested | volume=db | force=true",
        ),
        ("POST /volumes/prune", "prune | prune of unused volumes requested"),
        ("POST /networks/create", "network_create | creation of a network requested"),
        (
            "POST /networks/front/connect",
            "connect | connection of a container to a network requested | network=front",
        ),
        (
            "POST /networks/front/disconnect",
            "disconnect | disconnection of a container from a network requested | network=front",
        ),
        (
            "DELETE /networks/front",
            "network_destroy | removal of a network requested | network=front",
        ),
        ("POST /networks/prune", "prune | prune of unused networks requested"),
        ("POST /system/prune", "prune | prune of all that is unused requested"),
        ("POST /auth", "login | login at a registry requested"),
        ("POST /swarm/init", "api_request | call of the engine's API requested"),
    ] {
        assert_eq!(call(&format!(">> {line}")), format!("Api {expected}"), "{line}");
    }
}

#[test]
fn what_is_asked_all_the_time_stays_a_plain_line() {
    let by = |agent: &'static str, line: &str| {
        let fields = [(Cow::from("user_agent"), Cow::from(agent))];
        let message = meaning_with("apiproxy", line, &fields)?;
        Some(message.action)
    };
    let client = "Docker-Client/29.7.2 (linux)";
    assert_eq!(by("DockerDesktopUI", ">> GET /containers/web/json"), None);
    assert_eq!(by(client, ">> GET /v1.50/containers/web/json"), Some("api_request"));
    assert_eq!(by("DockerDesktopUI", ">> GET /containers/web/export"), Some("export"));
    for path in ["_ping", "events?since=1", "version", "info", "v1.50/containers/json?all=1"] {
        assert_eq!(by(client, &format!(">> GET /{path}")), None, "{path}");
    }
    assert_eq!(call("<< HEAD /_ping (4.0033ms)"), "log");
    assert_eq!(call(">> GET /images/json"), "log");
}
