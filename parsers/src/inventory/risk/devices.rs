//! Devices of the host in a container.

use super::Class::{Escape, Note};
use super::Severity::{High, Low, Medium};
use super::{Class, Found, Severity};
use crate::formats::host_config::HostConfig;

/// Beginnings of names below `/dev`, the first that matches counts. Whole disks and memory are the
/// host itself; what plays sound or draws is not.
const DEVICES: &[(&str, Option<(Class, Severity)>)] = &[
    // Of every container.
    ("null", None),
    ("zero", None),
    ("full", None),
    ("random", None),
    ("urandom", None),
    ("shm", None),
    ("mqueue", None),
    ("pts", None),
    ("log", None),
    // Work without power over the host.
    ("snd", Some((Note, Low))),
    ("dri", Some((Note, Low))),
    ("kfd", Some((Note, Low))),
    ("nvidia", Some((Note, Low))),
    ("video", Some((Note, Low))),
    ("media", Some((Note, Low))),
    ("ttyUSB", Some((Note, Low))),
    ("ttyACM", Some((Note, Low))),
    ("serial", Some((Note, Low))),
    ("rtc", Some((Note, Low))),
    ("tty", Some((Escape, Low))),
    // Disks.
    ("sd", Some((Escape, High))),
    ("sg", Some((Escape, High))),
    ("hd", Some((Escape, High))),
    ("vd", Some((Escape, High))),
    ("xvd", Some((Escape, High))),
    ("nvme", Some((Escape, High))),
    ("mmcblk", Some((Escape, High))),
    ("dm-", Some((Escape, High))),
    ("md", Some((Escape, High))),
    ("nbd", Some((Escape, High))),
    ("loop", Some((Escape, High))),
    ("mapper", Some((Escape, High))),
    ("disk", Some((Escape, High))),
    ("block", Some((Escape, High))),
    // Memory.
    ("mem", Some((Escape, High))),
    ("kmem", Some((Escape, High))),
    ("port", Some((Escape, High))),
    // A step towards the host.
    ("kmsg", Some((Escape, Medium))),
    ("vfio", Some((Escape, Medium))),
    ("uinput", Some((Escape, Medium))),
    ("input", Some((Escape, Medium))),
    ("cuse", Some((Escape, Medium))),
];

pub(super) fn judge(host: &HostConfig, found: &mut Found) {
    for device in &host.devices {
        let path = super::mounts::normal(&device.on_host);
        if let Some((class, severity)) = of_path(&path) {
            found.add(class, severity, &format!("device:{path}"));
        }
    }
    for rule in &host.device_cgroup_rules {
        found.add(Escape, of_rule(rule), &format!("device-cgroup-rule:{rule}"));
    }
    for request in &host.device_requests {
        found.add(Note, Low, &format!("device-request:{request}"));
    }
}

/// What a device gives away; a device that no table knows, such as `/dev/fuse`, `/dev/kvm` or a
/// logical volume, a little.
pub(super) fn of_path(path: &str) -> Option<(Class, Severity)> {
    let Some(name) = path.strip_prefix("/dev/") else {
        return Some((Escape, if path == "/dev" { High } else { Low }));
    };
    let known = DEVICES.iter().find(|(beginning, _)| name.starts_with(beginning));
    known.map_or(Some((Escape, Low)), |(_, risk)| *risk)
}

/// `type major:minor permissions`: all devices, all disks and the memory are the host itself.
fn of_rule(rule: &str) -> Severity {
    let mut words = rule.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default();
    let (major, minor) = words.next().and_then(|number| number.split_once(':')).unwrap_or_default();
    let memory = major == "1" && matches!(minor, "*" | "1" | "2" | "4");
    let takes_all = matches!(kind, "a" | "b") || major == "*" || memory;
    if takes_all { High } else { Low }
}
