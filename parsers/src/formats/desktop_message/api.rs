//! What a call of the engine's API asks for.
//!
//! | call | action |
//! |---|---|
//! | `POST /containers/create`, `/containers/<id>/{start,stop,kill,...}`, `DELETE /containers/<id>` | `create`, the verb, `destroy` |
//! | `POST /containers/<id>/exec`, `/exec/<id>/start` | `exec_create`, `exec_start` |
//! | `GET`, `PUT`, `HEAD /containers/<id>/archive` | `copy_out`, `copy_in`, `copy_stat`: `docker cp` |
//! | `GET /containers/<id>/export`, `/images/get`, `/images/<n>/get` | `export`, `save` |
//! | `POST /images/create`, `/images/load`, `/images/<n>/{push,tag}`, `DELETE /images/<n>` | `pull` or `import`, `load`, `push`, `tag`, `delete` |
//! | `POST /build`, `/session`, `/grpc`, `/commit` | `build`, `build_session`, `commit` |
//! | `POST /volumes/create`, `/networks/create`, `/networks/<n>/{connect,disconnect}`, `DELETE` of them | `volume_create`, `network_create`, `connect`, `disconnect`, `volume_destroy`, `network_destroy` |
//! | `POST /{containers,images,volumes,networks,build,system}/prune` | `prune` |
//! | `POST /auth` | `login` |
//! | any other call that changes something | `api_request` |
//!
//! Bodies are not logged. Calls that only ask are `api_request` when a client other than the
//! graphical interface made them, and no message at all when every client makes them all the time
//! or nobody says who did.

use super::request::{Direction, Request, decoded};
use super::{Container, Fields, Message, Topic, field};
use std::borrow::Cow;

/// The graphical interface, which asks for everything every few seconds.
const INTERFACE: &str = "DockerDesktopUI";
/// What every client asks before and while it does anything.
const ROUTINE: &[&str] = &["/_ping", "/events", "/version", "/info", "/containers/json", "/ping"];

/// What a call asks for, and of what.
#[derive(Default)]
struct Call<'a> {
    action: &'static str,
    /// As in `... requested`.
    says: &'static str,
    container: Option<&'a str>,
    image: Option<Cow<'a, str>>,
    volume: Option<&'a str>,
    network: Option<&'a str>,
    exec: Option<&'a str>,
}

const fn call<'a>(action: &'static str, says: &'static str) -> Call<'a> {
    Call { action, says, container: None, image: None, volume: None, network: None, exec: None }
}

/// Reads a call; `None` when the message is another, or the call tells nothing.
pub(super) fn read<'a>(message: &'a str, fields: &'a Fields<'a>) -> Option<Message<'a>> {
    let request = Request::read(message).or_else(|| Request::of_daemon(message))?;
    let agent = field(fields, "user_agent").or_else(|| request.user_agent());
    let call = meant(&request).or_else(|| {
        is_told(&request, agent).then(|| call("api_request", "call of the engine's API"))
    })?;
    Some(told(&request, call, agent))
}

/// Whether a call that is not listed is told at all.
fn is_told(request: &Request<'_>, agent: Option<&str>) -> bool {
    match request.method {
        "GET" | "HEAD" => {
            let is_routine = ROUTINE.contains(&request.path());
            !is_routine && agent.is_some_and(|agent| agent != INTERFACE)
        }
        _ => true,
    }
}

fn told<'a>(request: &Request<'a>, call: Call<'a>, agent: Option<&'a str>) -> Message<'a> {
    let (way, after) = match request.direction {
        Direction::Request => ("request", "requested"),
        Direction::Response => ("response", "answered"),
    };
    let mut message = Message::new(Topic::Api, call.action, format!("{} {after}", call.says));
    if let Some(container) = call.container {
        message.container = Container::of_path(decoded(container, false));
    }
    if call.action == "create" {
        message.container.name = request.query("name");
    }
    if call.action == "commit" {
        message.container = request.query("container").map(Container::of_path).unwrap_or_default();
    }
    message.image = call.image;
    message.volume = call.volume.map(|volume| decoded(volume, false));
    message.network = call.network.map(|network| decoded(network, false));
    message
        .text("api_direction", Some(way))
        .text("http_method", Some(request.method))
        .text("request_path", Some(request.target))
        .text("api_version", request.version())
        .text("user_agent", agent)
        .text("duration", request.duration)
        .text("proxy_step", request.note)
        .text("exec_identifier", call.exec)
        .text("platform", request.query("platform"))
        .text("container_path", request.query("path"))
        .text("signal", request.query("signal"))
        .text("build_context", request.query("remote"))
        .text("dockerfile", request.query("dockerfile"))
        .flag("force", request.is("force"))
        .flag("volumes_removed", request.is("v"))
}

/// What a listed call asks for.
fn meant<'a>(request: &Request<'a>) -> Option<Call<'a>> {
    let path = request.path().strip_prefix('/')?;
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match (first, rest) {
        ("containers", _) => of_container(request, rest),
        ("exec", _) => of_exec(request.method, rest),
        ("images", _) => of_image(request, rest),
        ("volumes", _) => of_volume(request.method, rest),
        ("networks", _) => of_network(request.method, rest),
        ("system" | "build", "prune") if request.method == "POST" => {
            let says = if first == "build" {
                "prune of the build cache"
            } else {
                "prune of all that is unused"
            };
            Some(call("prune", says))
        }
        ("build", "") => of_build(request),
        ("session" | "grpc", "") => Some(call("build_session", "session of a build")),
        ("commit", "") => {
            let image = reference(request.query("repo"), request.query("tag"));
            Some(Call { image, ..call("commit", "image of a container's changes") })
        }
        ("auth", "") => Some(call("login", "login at a registry")),
        _ => None,
    }
}

fn of_container<'a>(request: &Request<'a>, rest: &'a str) -> Option<Call<'a>> {
    let (name, verb) = rest.split_once('/').unwrap_or((rest, ""));
    let found = match (request.method, name, verb) {
        ("POST", "create", "") => return Some(call("create", "creation of a container")),
        ("POST", "prune", "") => return Some(call("prune", "prune of stopped containers")),
        ("POST", _, "start") => call("start", "start of a container"),
        ("POST", _, "stop") => call("stop", "stop of a container"),
        ("POST", _, "kill") => call("kill", "signal to a container"),
        ("POST", _, "restart") => call("restart", "restart of a container"),
        ("POST", _, "pause") => call("pause", "pause of a container"),
        ("POST", _, "unpause") => call("unpause", "end of a container's pause"),
        ("POST", _, "wait") => call("wait", "wait for the end of a container"),
        ("POST", _, "attach") => call("attach", "attachment to a container"),
        ("POST", _, "rename") => call("rename", "new name of a container"),
        ("POST", _, "update") => call("update", "change of a container's limits"),
        ("POST", _, "resize") => call("resize", "size of a container's terminal"),
        ("POST", _, "exec") => call("exec_create", "command in a container"),
        ("GET", _, "archive") => call("copy_out", "copy out of a container"),
        ("PUT", _, "archive") => call("copy_in", "copy into a container"),
        ("HEAD", _, "archive") => call("copy_stat", "look at a path in a container, to copy it"),
        ("GET", _, "export") => call("export", "export of a container's files"),
        ("DELETE", _, "") if request.is("v") => {
            call("destroy", "removal of a container with its volumes")
        }
        ("DELETE", _, "") => call("destroy", "removal of a container"),
        _ => return None,
    };
    Some(Call { container: Some(name), ..found })
}

fn of_exec<'a>(method: &str, rest: &'a str) -> Option<Call<'a>> {
    let (id, verb) = rest.split_once('/')?;
    let found = match (method, verb) {
        ("POST", "start") => call("exec_start", "start of a command in a container"),
        ("POST", "resize") => call("exec_resize", "size of a command's terminal"),
        _ => return None,
    };
    Some(Call { exec: Some(id), ..found })
}

fn of_image<'a>(request: &Request<'a>, rest: &'a str) -> Option<Call<'a>> {
    let (name, verb) = rest.rsplit_once('/').unwrap_or((rest, ""));
    let of =
        |name: &'a str, found: Call<'a>| Some(Call { image: Some(decoded(name, false)), ..found });
    match (request.method, name, verb) {
        ("POST", "create", "") => Some(of_creation(request)),
        ("POST", "load", "") => Some(call("load", "load of images")),
        ("POST", "prune", "") => Some(call("prune", "prune of unused images")),
        ("GET", "get", "") => {
            Some(Call { image: request.query("names"), ..call("save", "export of images") })
        }
        ("GET", _, "get") => of(name, call("save", "export of an image")),
        ("POST", _, "push") => of(name, call("push", "push of an image")),
        ("POST", _, "tag") => of(name, call("tag", "new name of an image")),
        ("DELETE", _, _) => of(rest, call("delete", "removal of an image")),
        _ => None,
    }
}

/// `POST /images/create` pulls an image, or makes one of an archive.
fn of_creation<'a>(request: &Request<'a>) -> Call<'a> {
    if request.query("fromSrc").is_some() {
        let image = reference(request.query("repo"), request.query("tag"));
        return Call { image, ..call("import", "import of an image") };
    }
    let image = reference(request.query("fromImage"), request.query("tag"));
    Call { image, ..call("pull", "pull of an image") }
}

fn of_build<'a>(request: &Request<'a>) -> Option<Call<'a>> {
    (request.method == "POST")
        .then(|| Call { image: request.query("t"), ..call("build", "build of an image") })
}

fn of_volume<'a>(method: &str, rest: &'a str) -> Option<Call<'a>> {
    match (method, rest) {
        ("POST", "create") => Some(call("volume_create", "creation of a volume")),
        ("POST", "prune") => Some(call("prune", "prune of unused volumes")),
        ("DELETE", _) => {
            Some(Call { volume: Some(rest), ..call("volume_destroy", "removal of a volume") })
        }
        _ => None,
    }
}

fn of_network<'a>(method: &str, rest: &'a str) -> Option<Call<'a>> {
    let (name, verb) = rest.split_once('/').unwrap_or((rest, ""));
    let found = match (method, name, verb) {
        ("POST", "create", "") => return Some(call("network_create", "creation of a network")),
        ("POST", "prune", "") => return Some(call("prune", "prune of unused networks")),
        ("POST", _, "connect") => call("connect", "connection of a container to a network"),
        ("POST", _, "disconnect") => {
            call("disconnect", "disconnection of a container from a network")
        }
        ("DELETE", _, "") => call("network_destroy", "removal of a network"),
        _ => return None,
    };
    Some(Call { network: Some(name), ..found })
}

/// An image with its tag or digest.
fn reference<'a>(name: Option<Cow<'a, str>>, tag: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    let (name, tag) = (name?, tag.unwrap_or_default());
    Some(match &*tag {
        "" => name,
        digest if digest.contains(':') => Cow::Owned(format!("{name}@{digest}")),
        tag => Cow::Owned(format!("{name}:{tag}")),
    })
}
