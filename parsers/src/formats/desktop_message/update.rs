//! Updates of Docker Desktop: looked for, found, downloaded, accepted.

use super::wording::{Wording, find, is_component, wording};
use super::{Message, Topic};
use dockline_timeline::Meaning::{Added, Recorded};

const TABLE: &[Wording] = &[
    wording(
        ("Updater", "Checking for updates"),
        Topic::Install,
        ("update_check", Recorded),
        "an update is looked for",
    ),
    wording(
        ("Updater", "We got a new version "),
        Topic::Install,
        ("update_found", Recorded),
        "an update was found",
    ),
    wording(
        ("InstallUpdateWindow", "Download "),
        Topic::Install,
        ("update_download", Added),
        "an update is downloaded",
    ),
    wording(
        ("updater", "checking for update"),
        Topic::Install,
        ("update_check", Recorded),
        "an update is looked for",
    ),
    wording(
        ("updater", "downloading"),
        Topic::Install,
        ("update_download", Added),
        "an update is downloaded",
    ),
    wording(
        ("", "Cancel pending background download"),
        Topic::Install,
        ("update_cancel", Recorded),
        "the download of an update is given up",
    ),
];

pub(super) fn read<'a>(component: &str, message: &'a str) -> Option<Message<'a>> {
    let told = find(TABLE, component, message).or_else(|| {
        // The wordings of the newer updater are not public: whatever it says is about updates.
        is_component(component, "updater")
            .then(|| Message::new(Topic::Install, "update", "the updater says"))
    })?;
    let (from, to) = match message.strip_prefix("We got a new version ") {
        Some(rest) => {
            let (to, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let from =
                rest.strip_prefix("which is newer than ").and_then(|rest| rest.split(',').next());
            (from, Some(to))
        }
        None => (None, None),
    };
    let path = message.strip_prefix("Download msi to ");
    Some(told.text("former_build", from).text("build", to).text("host_path", path))
}
