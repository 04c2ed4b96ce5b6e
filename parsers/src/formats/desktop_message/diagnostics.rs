//! The collector of diagnostics: somebody asked for a bundle, and what went into it.
//!
//! `gathering rotated: <HOME>/....log.8` names logs that existed then, whether or not they still do.

use super::{Message, Topic};

pub(super) fn read<'a>(component: &str, message: &'a str) -> Option<Message<'a>> {
    if !component.contains("diagnose") && !message.starts_with("Gathering: ") {
        return None;
    }
    let gathered = message.strip_prefix("gathering rotated: ").or_else(|| {
        message.strip_prefix("Gathering: ").or_else(|| message.strip_prefix("gathering: "))
    });
    let told = Message::new(Topic::Application, "diagnostics", "diagnostics are collected");
    if let Some(path) = gathered {
        return Some(told.text("host_path", Some(path)));
    }
    let command = message.strip_prefix("Executing: [").and_then(|rest| rest.strip_suffix(']'));
    if let Some(command) = command {
        let mut told = told;
        told.command_line = Some(command.into());
        return Some(told);
    }
    let is_gathering = message.starts_with("Gathering ")
        || message.starts_with("gathering ")
        || message.starts_with("Start gathering ");
    is_gathering.then_some(told)
}
