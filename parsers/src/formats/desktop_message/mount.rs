//! Directories of the host that are given to containers.
//!
//! The hash in `/mnt/wsl/docker-desktop-bind-mounts/<distro>/<hash>` is what the configuration of a
//! container names; only this line says which directory it was.

use super::wording::between;
use super::{Message, Topic};
use std::borrow::Cow;

/// Where a distribution's directories are mounted for the engine.
const SHARED: &str = "/mnt/wsl/docker-desktop-bind-mounts/";

pub(super) fn read<'a>(message: &'a str) -> Option<Message<'a>> {
    of_distro(message).or_else(|| of_share(message))
}

/// `mounting /mnt/d/src to /mnt/wsl/docker-desktop-bind-mounts/Ubuntu/<hash>`.
fn of_distro<'a>(message: &'a str) -> Option<Message<'a>> {
    let (host, inner) = message.strip_prefix("mounting ")?.rsplit_once(" to ")?;
    let rest = inner.strip_prefix(SHARED)?;
    let distro = rest.split('/').next();
    let message =
        Message::new(Topic::Container, "mount", "directory of the host given to a container");
    Some(
        message
            .text("host_path", Some(host))
            .text("mount_point", Some(inner))
            .text("wsl_distribution", distro),
    )
}

/// `grpcfuseClient.VolumeApprove([host=C:\src,VM=/host_mnt/c/src,dst=/src,option=rw])`.
fn of_share<'a>(message: &'a str) -> Option<Message<'a>> {
    let (_, shares) = message.split_once("VolumeApprove([")?;
    let shares = shares.split_once("])").map_or(shares, |(shares, _)| shares);
    // A comma may be part of a path; the keys are always these, in this order.
    let host = between(shares, "host=", ",VM=")?;
    let after = |key: &str, next: &str| {
        between(shares, key, next).or_else(|| shares.split_once(key).map(|(_, rest)| rest))
    };
    let count = shares.matches("host=").count();
    let message =
        Message::new(Topic::Container, "mount", "directory of the host given to a container")
            .text("host_path", Some(host))
            .text("mount_point", after(",VM=", ",dst="))
            .text("container_path", after(",dst=", ",option="))
            .text("access", after(",option=", "],["));
    Some(message.text("all_mounts", (count > 1).then_some(Cow::Borrowed(shares))))
}
