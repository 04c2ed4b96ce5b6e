//! The keys that are told, and in which words.

use super::Fact;
use crate::formats::registry_hive::{Hive, Key, RegistryValue};
use crate::formats::windows_host;
use crate::formats::windows_zone::WindowsZone;
use dockline_timeline::Value;
use std::fmt::Write as _;

/// Keys below `Docker Inc.` that are told; there are few.
const KEY_LIMIT: usize = 200;
/// So deep below it.
const DEPTH_LIMIT: usize = 8;

const LXSS: &str = r"Software\Microsoft\Windows\CurrentVersion\Lxss";

/// Takes a key and what it says.
type Tell<'t> = &'t mut dyn FnMut(&Key<'_>, Fact);

fn text(value: impl Into<String>) -> Value<'static> {
    Value::Text(value.into().into())
}

/// Distributions of WSL.
pub(super) fn distributions(hive: &Hive, tell: Tell<'_>) {
    let Some(lxss) = hive.key(LXSS) else { return };
    let default = lxss.text("DefaultDistribution");
    for key in lxss.subkeys() {
        let Some(name) = key.text("DistributionName") else { continue };
        let mut attributes = vec![("distribution_name", text(&name))];
        let disk = disk(&key);
        attributes.extend(disk.iter().map(|disk| ("disk_path", text(disk))));
        for (attribute, name) in [
            ("wsl_version", "Version"),
            ("default_uid", "DefaultUid"),
            ("distribution_flags", "Flags"),
            ("distribution_state", "State"),
        ] {
            let number = key.number(name).and_then(|number| i64::try_from(number).ok());
            attributes.extend(number.map(|number| (attribute, Value::Integer(number))));
        }
        let is_default = default.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(&key.name));
        let mut words = format!("distribution {name} of WSL");
        if let Some(version) = key.number("Version") {
            let _ = write!(words, " {version}");
        }
        words.push_str(" registered or changed");
        words.push_str(if is_default { ", the default one" } else { "" });
        if let Some(disk) = disk {
            let _ = write!(words, ": its files lie in {disk}");
        }
        let path = format!(r"{LXSS}\{}", key.name);
        tell(&key, Fact { path, action: "register", text: words, attributes });
    }
}

/// Where the disk of a distribution lies, or its directory where the disk is not named.
fn disk(distribution: &Key<'_>) -> Option<String> {
    let directory = distribution.text("BasePath")?;
    let directory = directory.strip_prefix(r"\\?\").unwrap_or(&directory);
    Some(match distribution.text("VhdFileName") {
        Some(file) => format!(r"{}\{file}", directory.trim_end_matches('\\')),
        None => directory.to_owned(),
    })
}

/// What installations of Docker Desktop leave below `top`, in the hive of the host or of a user.
pub(super) fn installation(hive: &Hive, top: &str, tell: Tell<'_>) {
    docker_inc(hive, top, tell);
    for name in ["Docker Desktop", "Docker for Windows"] {
        let path = format!(r"{top}Microsoft\Windows\CurrentVersion\Uninstall\{name}");
        if let Some(key) = hive.key(&path) {
            uninstall(&key, (path, name), tell);
        }
    }
    let path = format!(r"{top}Microsoft\Windows\CurrentVersion\Run");
    let Some(key) = hive.key(&path) else { return };
    for name in ["Docker Desktop", "Docker for Windows"] {
        let Some(command) = key.text(name) else { continue };
        let words = format!(
            "{name} is started when its user logs in, by {command}; this key, which lists such \
             programs, was last written"
        );
        let attributes = vec![("autostart_command", text(command))];
        tell(&key, Fact { path: path.clone(), action: "write", text: words, attributes });
    }
}

/// The key `Docker Inc.` and those below it.
fn docker_inc(hive: &Hive, top: &str, tell: Tell<'_>) {
    let path = format!("{top}Docker Inc.");
    let mut open: Vec<(String, Key<'_>)> =
        hive.key(&path).map(|key| (path, key)).into_iter().collect();
    let mut told = 0_usize;
    while let Some((path, key)) = open.pop() {
        told = told.saturating_add(1);
        let depth = path.matches('\\').count();
        if told < KEY_LIMIT && depth < DEPTH_LIMIT {
            let below = key.subkeys().take(KEY_LIMIT);
            open.extend(below.map(|key| (format!(r"{path}\{}", key.name), key)));
        }
        let values: Vec<String> = key.values().iter().filter_map(shown).collect();
        if values.is_empty() {
            continue;
        }
        let words = format!("settings of the installation last written: {}", values.join(", "));
        let values = values.into_iter().map(Into::into).collect();
        let attributes = vec![("registry_values", Value::List(values))];
        tell(&key, Fact { path, action: "write", text: words, attributes });
    }
}

/// `Version=4.34.0`, for texts and numbers.
fn shown(value: &RegistryValue) -> Option<String> {
    let content = value.text().or_else(|| value.number().map(|number| number.to_string()))?;
    let name = if value.name.is_empty() { "(default)" } else { &value.name };
    Some(format!("{name}={content}"))
}

fn uninstall(key: &Key<'_>, (path, name): (String, &str), tell: Tell<'_>) {
    let version = key.text("DisplayVersion");
    let mut words = format!("{name} {}installed or updated", with_space(version.as_deref()));
    let mut attributes = Vec::new();
    attributes.extend(version.map(|version| ("version", text(version))));
    if let Some(location) = key.text("InstallLocation") {
        let _ = write!(words, " in {location}");
        attributes.push(("install_location", text(location)));
    }
    // A day without a time, on the clock of the host.
    if let Some(day) = key.text("InstallDate") {
        let _ = write!(words, "; the installer notes the day {day}");
        attributes.push(("install_date", text(day)));
    }
    tell(key, Fact { path, action: "install", text: words, attributes });
}

fn with_space(text: Option<&str>) -> String {
    text.map(|text| format!("{text} ")).unwrap_or_default()
}

/// Services of Docker.
pub(super) fn services(hive: &Hive, tell: Tell<'_>) {
    let Some(set) = windows_host::control_set(hive) else { return };
    let Some(services) = set.subkey("Services") else { return };
    for name in ["com.docker.service", "docker"] {
        let Some(key) = services.subkey(name) else { continue };
        let start = key.number("Start").map(|start| match start {
            0..=2 => "at the start of Windows",
            3 => "on demand",
            _ => "never: it is disabled",
        });
        let command = key.text("ImagePath");
        let mut words = format!("service {name} installed or changed");
        if let Some(start) = start {
            let _ = write!(words, ", started {start}");
        }
        if let Some(command) = &command {
            let _ = write!(words, ": {command}");
        }
        let mut attributes = vec![("service_name", text(name))];
        attributes.extend(command.map(|command| ("service_command", text(command))));
        let path = format!(r"{}\Services\{}", set.name, key.name);
        tell(&key, Fact { path, action: "write", text: words, attributes });
    }
}

/// The zone of the host.
pub(super) fn zone(hive: &Hive, tell: Tell<'_>) {
    let Some(set) = windows_host::control_set(hive) else { return };
    let Some((key, Some(zone))) = windows_host::zone(hive) else { return };
    let mut attributes = vec![("utc_offset", text(shown_offset(zone.standard)))];
    let name = zone.key_name.clone().unwrap_or_else(|| "of no name".to_owned());
    let words = format!("time zone of the host: {name}, {}", words_of(&zone));
    attributes.push(("time_zone", text(name)));
    if let Some(computer) = windows_host::computer_name(hive) {
        attributes.push(("computer_name", text(computer)));
    }
    let path = format!(r"{}\Control\{}", set.name, key.name);
    tell(&key, Fact { path, action: "write", text: words, attributes });
}

fn words_of(zone: &WindowsZone) -> String {
    let standard = shown_offset(zone.standard);
    match &zone.daylight {
        None => format!("UTC{standard}"),
        Some(daylight) => {
            format!("UTC{standard}, in daylight saving time UTC{}", shown_offset(daylight.offset))
        }
    }
}

/// `+05:45`.
fn shown_offset(seconds: i32) -> String {
    let minutes = seconds.unsigned_abs().div_euclid(60);
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.div_euclid(60), minutes.rem_euclid(60))
}
