//! Settings in a log: dumps as JSON, single keys, and that they changed.
//!
//! A dump stands in the log whenever a process asks for the settings; of those only what tells
//! something is given, so that a log of dumps does not multiply.

use super::usage::object;
use super::wording::between;
use super::{Message, Topic};
use crate::formats::engine_settings::EngineSettings;
use dockline_timeline::{Attribute, Meaning, Value};
use std::borrow::Cow;

/// Settings that tell something in every dump, in lower case.
const TELLING: &[&str] = &[
    "activeorganizationname",
    "customwsldistrodir",
    "datafolder",
    "exposedockerapiontcp2375",
    "filesharingdirectories",
    "integratedwsldistros",
    "kubernetesenabled",
    "overrideproxyhttp",
    "overrideproxyhttps",
    "settingsversion",
    "synchronizeddirectories",
    "usewindowscontainers",
    "wslengineenabled",
];

/// Settings that a process was given to write.
pub(super) fn written<'a>(body: &str) -> Message<'a> {
    let mut told = Message::new(Topic::Settings, "settings_write", "settings written");
    told.meaning = Meaning::Update;
    with_settings(told, pairs(body))
}

/// Settings that a process was shown.
pub(super) fn shown<'a>(body: &str) -> Message<'a> {
    let is_telling = |pair: &String| {
        let key = pair.split_once('=').map_or("", |(key, _)| key).to_ascii_lowercase();
        TELLING.contains(&key.rsplit('.').next().unwrap_or_default())
    };
    let pairs = pairs(body).into_iter().filter(is_telling).collect();
    with_settings(
        Message::new(Topic::Settings, "settings_read", "settings as they were then"),
        pairs,
    )
}

/// The settings of a dump; none of one that is no JSON.
fn pairs(body: &str) -> Vec<String> {
    let document = object(body).map(serde_json::Value::Object);
    document.map(|document| EngineSettings::from_document(&document).pairs).unwrap_or_default()
}

fn with_settings<'a>(mut message: Message<'a>, pairs: Vec<String>) -> Message<'a> {
    if !pairs.is_empty() {
        let value = Value::List(pairs.into_iter().map(Cow::Owned).collect());
        message.attributes.push(Attribute { name: "settings", value });
    }
    message
}

pub(super) fn read<'a>(message: &'a str) -> Option<Message<'a>> {
    if let Some(body) = message.strip_prefix("settings write: ") {
        return Some(written(body));
    }
    if let Some(body) = message.strip_prefix("settings get: ") {
        return Some(shown(body));
    }
    if let Some(value) = message.strip_prefix("setting auto start ") {
        let told = Message::new(Topic::Settings, "settings_change", "settings were changed");
        let told = Message { meaning: Meaning::Update, ..told };
        return Some(with_settings(told, vec![format!("autoStart={}", value.trim())]));
    }
    if message.starts_with("&{PlatformSpecificContent:") {
        return Some(Message::new(Topic::Settings, "settings_read", "settings as they were then"));
    }
    changed(message).or_else(|| one_key(message))
}

/// `settings checked: changes: true, restart needed: true`,
/// `changed settings(IntegratedWslDistros) require restart`.
fn changed<'a>(message: &'a str) -> Option<Message<'a>> {
    let told = Message::new(Topic::Settings, "settings_change", "settings were changed");
    let told = Message { meaning: Meaning::Update, ..told };
    if let Some(what) = message.strip_prefix("settings checked: changes: true") {
        return Some(told.flag("restart_needed", what.contains("restart needed: true")));
    }
    let keys = between(message, "changed settings(", ")")
        .filter(|_| message.starts_with("changed settings("))?;
    let mut told = told.flag("restart_needed", message.contains("require restart"));
    if keys.to_ascii_lowercase().contains("wsldistro") {
        told.says = "integration with WSL distributions was changed".into();
        told.action = "wsl_integration";
    }
    Some(told.text("changed_settings", Some(keys)))
}

/// `key: cpus, type: float64, value: 6`.
fn one_key<'a>(message: &'a str) -> Option<Message<'a>> {
    let (key, rest) = message.strip_prefix("key: ")?.split_once(", type: ")?;
    let (_, value) = rest.split_once(", value: ")?;
    let told = Message::new(Topic::Settings, "settings_read", "a setting as it was then");
    Some(with_settings(told, vec![format!("{key}={value}")]))
}
