//! The engine's disk: moved, attached, let go, and how full it is.

use super::usage::object;
use super::wording::{Wording, between, find, wording};
use super::{Message, Topic};
use dockline_timeline::Meaning::{Deletion, Recorded, Update};
use serde_json::Value;
use std::borrow::Cow;

const TABLE: &[Wording] = &[
    wording(
        ("", "unmounting data disk"),
        Topic::Engine,
        ("disk_detach", Recorded),
        "the engine's disk is let go",
    ),
    wording(
        ("", "Could not unmount "),
        Topic::Engine,
        ("disk_detach_failed", Recorded),
        "the engine's disk could not be let go",
    ),
    wording(
        ("OptimizeDisk", "Optimize"),
        Topic::Engine,
        ("disk_compact", Update),
        "the engine's disk is made smaller, where something was deleted",
    ),
    wording(
        ("LinuxWSL2Engine", "Deleting disk"),
        Topic::Engine,
        ("disk_destroy", Deletion),
        "the engine's disk is removed",
    ),
];

pub(super) fn read<'a>(component: &str, message: &'a str) -> Option<Message<'a>> {
    moved(message)
        .or_else(|| copied(message))
        .or_else(|| provisioned(message))
        .or_else(|| attached(message))
        .or_else(|| find(TABLE, component, message))
}

/// `moving WSL data disk from "" to "D:\\ddd\\DockerDesktopWSL"`.
fn moved<'a>(message: &'a str) -> Option<Message<'a>> {
    let rest = message.strip_prefix("moving WSL data disk from ")?;
    let (from, to) = rest.split_once(" to ")?;
    let told = Message::new(Topic::Engine, "disk_move", "the engine's disk is moved");
    Some(told.text("former_path", unquoted(from)).text("path", unquoted(to)))
}

/// `failed to rename, use copy: rename <from> <to>: <why>`.
fn copied<'a>(message: &'a str) -> Option<Message<'a>> {
    let rest = message.strip_prefix("failed to rename, use copy: rename ")?;
    let (paths, why) = rest.rsplit_once(": ")?;
    let told = Message::new(
        Topic::Engine,
        "disk_copy",
        "the engine's disk is copied, since it cannot be moved",
    );
    // Paths may hold blanks: the second begins where a file's name has ended.
    let split = paths.split_once(".vhdx ").map(|(from, to)| (format!("{from}.vhdx"), to));
    let (from, to) = split.unzip();
    Some(told.text("former_path", from).text("path", to).text("error", Some(why)))
}

/// `provisioning data via data disk with id: 3d3e456b-...`.
fn provisioned<'a>(message: &'a str) -> Option<Message<'a>> {
    let id = message.strip_prefix("provisioning data via data disk with id: ")?;
    let told = Message::new(Topic::Engine, "disk_attach", "the engine's disk is attached");
    Some(told.text("disk_identifier", Some(id.trim())))
}

/// `Attach VHD C:\...\MobyLinuxVM.vhdx`; `Disk 0 (/.../Docker.raw) caching is enabled`.
fn attached<'a>(message: &'a str) -> Option<Message<'a>> {
    let path = message.strip_prefix("Attach VHD ").or_else(|| {
        let is_disk = message.starts_with("Disk ") && message.contains(") caching is ");
        between(message, "(", ") caching is ").filter(|_| is_disk)
    })?;
    let told = Message::new(Topic::Engine, "disk_attach", "the engine's disk is attached");
    Some(told.text("path", Some(path)))
}

/// `{"availableBytes":33727324160,"totalBytes":62671097856,"usedBytes":25727057920}`.
pub(super) fn usage<'a>(body: &str) -> Option<Message<'a>> {
    let object = object(body)?;
    let bytes = |key: &str| object.get(key).and_then(Value::as_i64);
    let used = bytes("usedBytes")?;
    let told = Message::new(Topic::Engine, "disk_usage", "how full the engine's disk is");
    Some(
        told.integer("used_bytes", Some(used))
            .integer("available_bytes", bytes("availableBytes"))
            .integer("total_bytes", bytes("totalBytes")),
    )
}

/// A text without the quotes and escapes of Go's `%q`.
fn unquoted(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some(if inner.contains('\\') {
        Cow::Owned(inner.replace("\\\\", "\\"))
    } else {
        Cow::Borrowed(inner)
    })
}
