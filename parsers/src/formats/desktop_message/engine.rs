//! The engine and its virtual machine: starting, running, stopping, failing.

use super::usage::object;
use super::wording::{Wording, between, find, wording};
use super::{Message, Topic};
use dockline_timeline::Meaning::{Creation, Deletion, End, Recorded, Start};
use dockline_timeline::{Instant, Meaning};
use serde_json::Value;

const TABLE: &[Wording] = &[
    row(("", "all local engines stopped"), ("engine_stop", End), "every engine has stopped"),
    row(
        ("SystrayNotifications", "Docker Desktop is running"),
        ("engine_start", Start),
        "the engine runs",
    ),
    row(("SystrayNotifications", "Docker is running"), ("engine_start", Start), "the engine runs"),
    row(("Notifications", "Docker is running"), ("engine_start", Start), "the engine runs"),
    row(
        ("SystrayNotifications", "Docker is starting"),
        ("engine_starting", Recorded),
        "the engine starts",
    ),
    row(
        ("SystrayNotifications", "Docker Desktop is starting"),
        ("engine_starting", Recorded),
        "the engine starts",
    ),
    row(
        ("SystrayNotifications", "Docker is stopping"),
        ("engine_stopping", Recorded),
        "the engine is stopping",
    ),
    row(
        ("SystrayNotifications", "Docker Desktop is stopping"),
        ("engine_stopping", Recorded),
        "the engine is stopping",
    ),
    row(
        ("SystrayNotifications", "Docker has stopped"),
        ("engine_stop", End),
        "the engine has stopped",
    ),
    row(
        ("SystrayNotifications", "Docker Desktop is destroying"),
        ("engine_destroy", Deletion),
        "the engine is being removed",
    ),
    row(
        ("SystrayNotifications", "Docker Desktop is cleaning up data"),
        ("purge", Deletion),
        "all data of the engine are being removed",
    ),
    row(
        ("Notifications", "Docker is resetting to default"),
        ("reset", Deletion),
        "everything is being reset to factory defaults",
    ),
    // Hyper-V, in the words of the scripts that drive it
    row(("", "Starting VM "), ("vm_start", Start), "the virtual machine starts"),
    row(("", "Stopping VM "), ("vm_stopping", Recorded), "the virtual machine is stopping"),
    row(
        ("HyperV", "Kill VM "),
        ("vm_kill", Recorded),
        "the virtual machine did not stop and is killed",
    ),
    row(("HyperV", "VM created."), ("vm_create", Creation), "the virtual machine was made"),
    row(("HyperV", "Removing VM "), ("vm_destroy", Deletion), "the virtual machine is removed"),
    row(("HyperV", "Destroy"), ("vm_destroy", Deletion), "the virtual machine is removed"),
    row(
        ("LinuxWSL2Engine", "Destroying distro"),
        ("vm_destroy", Deletion),
        "the engine's WSL distribution is removed",
    ),
    row(
        ("", "terminating main distribution"),
        ("vm_stopping", Recorded),
        "the engine's WSL distribution is stopped",
    ),
    // macOS and Linux
    row(
        ("com.docker.virtualization", "VM has started"),
        ("vm_start", Start),
        "the virtual machine has started",
    ),
    row(
        ("com.docker.virtualization", "Requesting VM termination"),
        ("vm_stopping", Recorded),
        "the virtual machine was told to stop",
    ),
    row(
        ("com.docker.virtualization", "VM has stopped"),
        ("vm_stop", End),
        "the virtual machine has stopped",
    ),
];

const fn row(
    begins: (&'static str, &'static str),
    action: (&'static str, Meaning),
    says: &'static str,
) -> Wording {
    wording(begins, Topic::Engine, action, says)
}

pub(super) fn read<'a>(component: &str, message: &'a str) -> Option<Message<'a>> {
    transition(message)
        .or_else(|| failure(message))
        .or_else(|| to_backend(message))
        .or_else(|| registered(message))
        .or_else(|| server_stamp(message))
        .or_else(|| stopped_machine(message))
        .or_else(|| of_windows(message))
        .or_else(|| {
            find(TABLE, component, message)
                .map(|told| told.text("virtual_machine", machine(message)))
        })
}

/// A state that an engine has now.
fn state<'a>(state: &str) -> Message<'a> {
    let (action, meaning, says) = match state {
        "starting" => ("engine_starting", Recorded, "the engine starts"),
        "running" => ("engine_start", Start, "the engine runs"),
        "stopping" => ("engine_stopping", Recorded, "the engine is stopping"),
        "stopped" => ("engine_stop", End, "the engine has stopped"),
        "failed" | "failed to start" => ("engine_failed", Recorded, "the engine failed"),
        _ => ("engine_state", Recorded, "state of the engine"),
    };
    let message = Message { meaning, ..Message::new(Topic::Engine, action, says) };
    message.text("state", Some(state.to_owned()))
}

/// `setting engine linux/wsl state starting -> running`.
fn transition<'a>(message: &'a str) -> Option<Message<'a>> {
    let (engine, states) = message.strip_prefix("setting engine ")?.split_once(" state ")?;
    let (from, to) = states.split_once(" -> ")?;
    Some(state(to.trim()).text("former_state", Some(from)).text("engine_kind", Some(engine)))
}

/// `engine linux/wsl failed to start: checking preconditions: ...`.
fn failure<'a>(message: &'a str) -> Option<Message<'a>> {
    let (engine, why) = message.strip_prefix("engine ")?.split_once(" failed to start")?;
    if engine.contains(' ') {
        return None;
    }
    let told = Message::new(Topic::Engine, "engine_failed", "the engine failed to start");
    Some(
        told.text("engine_kind", Some(engine))
            .text("error", Some(why.trim_start_matches([':', ' ']))),
    )
}

/// `backend state changed to running`, `sending to Dashboard: stopping`.
fn to_backend<'a>(message: &'a str) -> Option<Message<'a>> {
    let to = message
        .strip_prefix("backend state changed to ")
        .or_else(|| message.strip_prefix("sending to Dashboard: "))?;
    (!to.contains(' ')).then(|| state(to))
}

/// `Registered state {"State":"running","Mode":"linux","date":1621265674}`: seconds since 1970.
fn registered<'a>(message: &'a str) -> Option<Message<'a>> {
    let object = object(message.strip_prefix("Registered state ")?)?;
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let mut told = state(text("State")?).text("mode", text("Mode").map(str::to_owned));
    told.stated = object.get("date").and_then(Value::as_i64).and_then(|date| Instant::new(date, 0));
    Some(told)
}

/// An event that the processes tell each other: `{"docker":"stopping","serverTime":1626618042689306200}`.
pub(super) fn of_event<'a>(body: &str) -> Option<Message<'a>> {
    let object = object(body)?;
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let to = text("docker").or_else(|| text("State")).or_else(|| text("state"))?;
    let mut told = state(to).text("mode", text("mode").or_else(|| text("Mode")).map(str::to_owned));
    told.stated = object.get("serverTime").and_then(Value::as_i64).and_then(from_nanoseconds);
    Some(told)
}

/// `adding server timestamp to event (engines): 1776459899950897000 docker: running`.
fn server_stamp<'a>(message: &'a str) -> Option<Message<'a>> {
    let rest = message.strip_prefix("adding server timestamp to event (")?;
    let (topic, rest) = rest.split_once("): ")?;
    let (stamp, what) = rest.split_once(' ').unwrap_or((rest, ""));
    let stated = from_nanoseconds(stamp.parse().ok()?);
    let mut told = match what.strip_prefix("docker: ") {
        Some(to) => state(to.trim()),
        None => Message::new(Topic::Engine, "engine_event", "an event of the engine was passed on"),
    };
    told.stated = stated;
    Some(told.text("event_topic", Some(topic)).text("event", Some(what)))
}

fn from_nanoseconds(nanoseconds: i64) -> Option<Instant> {
    let (seconds, rest) =
        (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000));
    Instant::new(seconds, u32::try_from(rest).ok()?)
}

/// `VM MobyLinuxVM is stopped`, `Killed VM MobyLinuxVM is off`.
fn stopped_machine<'a>(message: &'a str) -> Option<Message<'a>> {
    let rest = message.strip_prefix("Killed ").unwrap_or(message).strip_prefix("VM ")?;
    let (name, is) = rest.split_once(" is ")?;
    if name.contains(' ') || !matches!(is.trim(), "stopped" | "off") {
        return None;
    }
    let told = Message::new(Topic::Engine, "vm_stop", "the virtual machine is stopped");
    Some(Message { meaning: End, ..told }.text("virtual_machine", Some(name)))
}

/// `trying to start Windows dockerd with args=-G "docker-users" --config-file "C:\..." and env=`.
fn of_windows<'a>(message: &'a str) -> Option<Message<'a>> {
    let arguments = message.strip_prefix("trying to start Windows dockerd with args=")?;
    let arguments = arguments.rsplit_once(" and env=").map_or(arguments, |(before, _)| before);
    let mut told = state("starting").text("engine_kind", Some("windows"));
    told.command_line = Some(format!("dockerd {arguments}").into());
    Some(told)
}

/// The virtual machine that a message names.
fn machine(message: &str) -> Option<&str> {
    let name = between(message, " VM ", "...").or_else(|| between(message, " VM ", " process"))?;
    (!name.contains(' ')).then_some(name)
}
