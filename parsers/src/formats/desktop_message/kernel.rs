//! What the kernel of the virtual machine says of the engine's file system (Linux 4.9 to 6.12,
//! `fs/ext4`): mounted, recovered after an unclean stop, made read-only after errors.

use super::{Message, Topic};
use dockline_timeline::Meaning::{End, Recorded, Start};

pub(super) fn read<'a>(message: &'a str) -> Option<Message<'a>> {
    // `EXT4-fs (sdd): ...`, `EXT4-fs error (device sdd): ...`
    let rest = message.strip_prefix("EXT4-fs")?;
    let (device, what) = rest.split_once('(')?.1.split_once("): ")?;
    let (action, meaning, says) = if what.starts_with("mounted filesystem") {
        ("fs_mount", Start, "the engine's file system is mounted")
    } else if what.starts_with("unmounting filesystem") {
        ("fs_unmount", End, "the engine's file system is unmounted")
    } else if what.starts_with("recovery complete") {
        (
            "fs_recovery",
            Recorded,
            "the engine's file system was recovered: it had not been stopped cleanly",
        )
    } else if what.contains("orphan inode") {
        ("fs_orphans", Recorded, "files that were open when the engine was stopped are removed")
    } else if what.contains("emounting filesystem read-only") {
        ("fs_read_only", Recorded, "the engine's file system is read-only from now on")
    } else if rest.starts_with(" error") {
        ("fs_error", Recorded, "the engine's file system has an error")
    } else {
        return None;
    };
    let told = Message { meaning, ..Message::new(Topic::Engine, action, says) };
    let device = device.strip_prefix("device ").unwrap_or(device);
    let id = what.split(' ').find(|word| is_uuid(word));
    Some(told.text("device", Some(device)).text("file_system_identifier", id))
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
