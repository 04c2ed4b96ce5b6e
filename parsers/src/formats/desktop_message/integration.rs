//! Kubernetes and other WSL distributions that the engine is lent to.

use super::wording::{Wording, find, wording};
use super::{Message, Topic};
use dockline_timeline::Meaning::{Deletion, Recorded, Start, Update};

const TABLE: &[Wording] = &[
    wording(
        ("", "deploying WSL distro "),
        Topic::Engine,
        ("vm_create", Start),
        "the engine's WSL distribution is set up",
    ),
    wording(
        ("WSL2Provisioning", "Checking docker-desktop"),
        Topic::Engine,
        ("vm_check", Recorded),
        "the engine's WSL distribution is looked for",
    ),
    wording(("Kubernetes", "Starting"), Topic::Engine, ("kubernetes", Start), "Kubernetes starts"),
    wording(
        ("Kubernetes", "Stopping"),
        Topic::Engine,
        ("kubernetes", Recorded),
        "Kubernetes is stopping",
    ),
    wording(
        ("Kubernetes", "Reset"),
        Topic::Engine,
        ("kubernetes", Deletion),
        "Kubernetes is reset",
    ),
    wording(
        ("", "enabling kubernetes"),
        Topic::Engine,
        ("kubernetes", Update),
        "Kubernetes is switched on",
    ),
    wording(
        ("", "disabling kubernetes"),
        Topic::Engine,
        ("kubernetes", Update),
        "Kubernetes is switched off",
    ),
];

pub(super) fn read<'a>(component: &str, message: &'a str) -> Option<Message<'a>> {
    distribution(message).or_else(|| {
        let told = find(TABLE, component, message)?;
        let deployed =
            message.strip_prefix("deploying WSL distro ").and_then(|rest| rest.split_once(" to "));
        let (name, path) = deployed.unzip();
        Some(told.text("wsl_distribution", name).text("host_path", path))
    })
}

/// `... docker-desktop-user-distro proxy --distro-name Ubuntu ...`: the engine is lent to it.
fn distribution<'a>(message: &'a str) -> Option<Message<'a>> {
    let (before, after) = message.split_once("--distro-name")?;
    if !before.contains("docker-desktop-user-distro") && !before.contains("docker-desktop-proxy") {
        return None;
    }
    let name = after.trim_start_matches([' ', '=', '"', ',', '\'']);
    let name = name.split([' ', '"', ',', ']', '\'']).next();
    let told =
        Message::new(Topic::Engine, "wsl_integration", "the engine is lent to a WSL distribution");
    Some(told.text("wsl_distribution", name))
}
