//! What somebody used: images that were run, commands of the client, counted actions of the
//! graphical interface.
//!
//! `POST /usage/image: {"agent":"Cli","cmd":["/bin/bash"],"containerID":"...","image":"kali",...}` is
//! the only line that names the command of a container; `received new cli usage: {Command:run
//! Context:moby ...}` the only one that names the command of the client before 4.x.

use super::wording::between;
use super::{Container, Message, Topic};
use crate::formats::config_v2::typed;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The image that was run, and how.
pub(super) fn image<'a>(body: &str) -> Option<Message<'a>> {
    let object = object(body)?;
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut message = Message::new(Topic::Container, "run", "container run from an image");
    if let Some(id) = text("containerID") {
        message.container = Container::of_path(Cow::Owned(id));
    }
    message.image = text("image").map(Cow::Owned);
    message.command_line = command_line(object.get("cmd")).map(Cow::Owned);
    let message = message
        .text("agent", text("agent"))
        .text("restart_policy", text("restartPolicyName"))
        .flag("terminal", object.get("tty") == Some(&Value::Bool(true)));
    Some(message)
}

/// Words as a shell would need them.
fn command_line(words: Option<&Value>) -> Option<String> {
    let words = words?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| typed(&words))
}

/// A command of the client, as JSON.
pub(super) fn command<'a>(body: &str) -> Option<Message<'a>> {
    let object = object(body)?;
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let command = text("command").filter(|command| !command.is_empty())?;
    Some(of_command(command, text("context"), text("status")))
}

fn of_command<'a>(command: &str, context: Option<&str>, status: Option<&str>) -> Message<'a> {
    let mut message = Message::new(Topic::Application, "command", "command of the client");
    message.command_line = Some(Cow::Owned(format!("docker {command}")));
    message
        .text("client_context", context.map(str::to_owned))
        .text("status", status.map(str::to_owned))
}

/// Lines of their own.
pub(super) fn read<'a>(message: &'a str) -> Option<Message<'a>> {
    if let Some(used) = message.strip_prefix("received new cli usage: {") {
        return of_struct(used);
    }
    if let Some(action) = message.strip_prefix("Usage statistic: ") {
        return Some(activity(action));
    }
    // `sending event: eventEngineState 5cd9...`
    let event = message.strip_prefix("sending event: ")?;
    Some(activity(event.split(' ').next().unwrap_or(event)))
}

/// A struct of Go: `Command:context ls Context:moby Status:success Source:cli}`.
fn of_struct<'a>(used: &str) -> Option<Message<'a>> {
    let used = used.strip_prefix("Command:")?;
    let used = used.strip_suffix('}').unwrap_or(used);
    let (command, rest) = used.split_once(" Context:").unwrap_or((used, ""));
    let context = rest.split(' ').next().filter(|context| !context.is_empty());
    let rest = format!("{rest} ");
    Some(of_command(command, context, between(&rest, "Status:", " ")))
}

/// What somebody did in the graphical interface, or that it was running.
fn activity<'a>(what: &'a str) -> Message<'a> {
    let what = what.trim();
    let (action, says) = match what {
        "appLaunched" => ("app_start", "Docker Desktop was started"),
        "actionRestart" => ("app_restart", "somebody restarted Docker Desktop"),
        "actionResetToDefault" => ("reset", "somebody reset Docker Desktop to factory defaults"),
        "actionCleanupData" => ("purge", "somebody removed all data of the engine"),
        _ if what.starts_with("action") => ("activity", "somebody used the graphical interface"),
        _ => ("activity", "Docker Desktop was running"),
    };
    Message::new(Topic::Application, action, says).text("activity", Some(what))
}

/// A JSON object.
pub(super) fn object(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim();
    if !text.starts_with('{') {
        return None;
    }
    serde_json::from_str(text).ok()
}
