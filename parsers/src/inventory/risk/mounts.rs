//! Paths, sockets and volumes of the host in a container.

use super::Class::{Escape, Note, Risk};
use super::Severity::{High, Low, Medium};
use super::{Case, Found, Severity, devices};
use crate::formats::config_v2::MountPoint;
use crate::formats::host_config::{MountRequest, VolumeOptions};

/// How far below a path its risk reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The path alone: most of what lies below is harmless.
    Itself,
    /// The path and what lies one level below.
    Children,
    /// The path and all below.
    Below,
}
use Reach::{Below, Children, Itself};

/// Paths of the host, how far their risk reaches, and what they give away when the container can
/// only read them (`None`: nothing). When it can write to them they give the host away: cron jobs,
/// keys, preloaded libraries, programs, the engine's own files.
const PATHS: &[(&str, Reach, Option<Severity>)] = &[
    ("/", Itself, Some(Medium)),
    ("/etc", Itself, Some(Medium)),
    ("/etc/passwd", Itself, None),
    ("/etc/group", Itself, None),
    ("/etc/shadow", Below, Some(Medium)),
    ("/etc/gshadow", Below, Some(Medium)),
    ("/etc/sudoers", Below, Some(Medium)),
    ("/etc/sudoers.d", Below, Some(Medium)),
    ("/etc/ssh", Below, Some(Medium)),
    ("/etc/docker", Below, Some(Medium)),
    ("/etc/kubernetes", Below, Some(Medium)),
    ("/etc/containerd", Below, Some(Low)),
    ("/etc/crontab", Below, Some(Low)),
    ("/etc/cron.d", Below, Some(Low)),
    ("/etc/cron.hourly", Below, Some(Low)),
    ("/etc/cron.daily", Below, Some(Low)),
    ("/etc/cron.weekly", Below, Some(Low)),
    ("/etc/cron.monthly", Below, Some(Low)),
    ("/etc/systemd", Below, Some(Low)),
    ("/etc/init.d", Below, Some(Low)),
    ("/etc/rc.local", Below, Some(Low)),
    ("/etc/profile", Below, Some(Low)),
    ("/etc/profile.d", Below, Some(Low)),
    ("/etc/pam.d", Below, Some(Low)),
    ("/etc/ld.so.preload", Below, Some(Low)),
    ("/etc/ld.so.conf.d", Below, Some(Low)),
    ("/root", Itself, Some(Medium)),
    ("/home", Children, Some(Medium)),
    ("/boot", Below, Some(Low)),
    ("/bin", Below, None),
    ("/sbin", Below, None),
    ("/lib", Below, None),
    ("/lib64", Below, None),
    ("/lib/modules", Below, Some(Low)),
    ("/usr", Itself, Some(Low)),
    ("/usr/bin", Below, None),
    ("/usr/sbin", Below, None),
    ("/usr/lib", Below, None),
    ("/usr/lib64", Below, None),
    ("/usr/local", Itself, None),
    ("/usr/local/bin", Below, None),
    ("/usr/local/sbin", Below, None),
    ("/var", Itself, Some(Medium)),
    ("/var/lib", Itself, Some(Medium)),
    ("/var/lib/docker", Below, Some(Medium)),
    ("/var/lib/containerd", Below, Some(Medium)),
    ("/var/lib/containers", Below, Some(Medium)),
    ("/var/lib/kubelet", Below, Some(Medium)),
    ("/var/lib/etcd", Below, Some(Medium)),
    ("/var/log", Itself, Some(Low)),
    ("/var/spool", Itself, Some(Low)),
    ("/var/spool/cron", Below, Some(Low)),
    ("/proc", Below, Some(Medium)),
    ("/sys", Below, Some(Low)),
    ("/run", Itself, Some(Medium)),
    ("/run/docker", Below, Some(High)),
    ("/run/containerd", Below, Some(High)),
    ("/run/crio", Below, Some(High)),
    ("/run/podman", Below, Some(High)),
    ("/run/dbus", Below, Some(High)),
    ("/run/systemd", Below, Some(High)),
];

/// Names, anywhere in a path, of what holds a user's keys or starts with the user's shell.
const OF_USERS: &[&str] = &[
    ".ssh",
    ".docker",
    ".kube",
    ".aws",
    ".azure",
    ".gnupg",
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
];

/// Paths below a listed one, and how far below them harmless things begin: the data of one volume,
/// the addresses of name servers.
const HARMLESS: &[(&str, usize)] = &[("/var/lib/docker/volumes", 2), ("/run/systemd/resolve", 0)];

/// Names of sockets that drive an engine: usable through a read-only mount too.
const SOCKETS: &[&str] = &[
    "docker.sock",
    "docker.raw.sock",
    "containerd.sock",
    "crio.sock",
    "podman.sock",
    "dockershim.sock",
    "buildkitd.sock",
    "snapd.socket",
    "docker_engine",
];

/// Directories of a container whose programs run without a path: a file of the host mounted there
/// is a program that the image does not hold.
const PROGRAMS: &[&str] =
    &["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"];

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    for mount in &case.config.mounts {
        of_mount_point(mount, case, found);
    }
    for bind in &case.host_config.binds {
        of_bind(bind, case, found);
    }
    for mount in &case.host_config.mounts {
        of_request(mount, case, found);
    }
    for source in &case.host_config.volumes_from {
        found.add(Escape, Low, &format!("volumes-from:{source}"));
    }
    found.add_if(!case.host_config.tmpfs.is_empty(), (Note, Low), "tmpfs");
}

/// A mount as the engine resolved it, inherited ones among them.
fn of_mount_point(mount: &MountPoint, case: &Case<'_>, found: &mut Found) {
    if let Some(volume) = &mount.volume {
        of_volume(volume, mount.writable, case, found);
    } else if matches!(mount.kind.as_deref(), None | Some("bind" | "npipe")) {
        let source = mount.source.as_deref().unwrap_or_default();
        of_source(source, &mount.destination, mount.writable, found);
    }
    of_propagation(mount.propagation.as_deref(), &mount.destination, found);
}

/// `source:destination[:options]`.
fn of_bind(bind: &str, case: &Case<'_>, found: &mut Found) {
    let mut parts = bind.split(':');
    let source = parts.next().unwrap_or_default();
    let destination = parts.next().unwrap_or_default();
    let options = || parts.clone().flat_map(|part| part.split(','));
    let writable = !options().any(|option| option == "ro");
    if source.starts_with('/') {
        of_source(source, destination, writable, found);
    } else {
        of_volume(source, writable, case, found);
    }
    options().for_each(|option| of_propagation(Some(option), destination, found));
}

fn of_request(mount: &MountRequest, case: &Case<'_>, found: &mut Found) {
    let source = mount.source.as_deref().unwrap_or_default();
    match mount.kind.as_str() {
        "bind" | "npipe" => of_source(source, &mount.target, !mount.read_only, found),
        "volume" => {
            of_volume(source, !mount.read_only, case, found);
            if let Some(options) = &mount.volume_options {
                of_options(options, !mount.read_only, found);
            }
        }
        _ => {}
    }
    of_propagation(mount.propagation.as_deref(), &mount.target, found);
}

fn of_source(source: &str, destination: &str, writable: bool, found: &mut Found) {
    let path = normal(source);
    if let Some(severity) = of_path(&path, writable) {
        found.add(Escape, severity, &format!("host-mount:{path}"));
    }
    let program = normal(destination);
    let is_program = PROGRAMS.iter().any(|directory| program.starts_with(directory));
    found.add_if(is_program, (Risk, Low), &format!("program-of-host:{program}"));
}

fn of_volume(name: &str, writable: bool, case: &Case<'_>, found: &mut Found) {
    if let Some(options) = (case.volume_options)(name) {
        of_options(&options, writable, found);
    }
}

/// A volume of the driver `local` can be any mount: of a directory, or of a disk.
fn of_options(options: &VolumeOptions, writable: bool, found: &mut Found) {
    let device = normal(options.device.as_deref().unwrap_or_default());
    let words = options.options.as_deref().unwrap_or_default();
    let is_bind = words.split(',').any(|word| matches!(word.trim(), "bind" | "rbind"));
    let is_device = device.starts_with("/dev/");
    if !is_bind && !is_device {
        return;
    }
    if let Some(severity) = of_path(&device, writable) {
        found.add(Escape, severity, &format!("host-mount:{device}"));
    }
}

fn of_propagation(propagation: Option<&str>, destination: &str, found: &mut Found) {
    let spreads = matches!(propagation, Some("shared" | "rshared"));
    found.add_if(spreads, (Risk, Medium), &format!("mount-propagation:{destination}"));
}

/// What a path of the host gives away to a container that has it mounted.
fn of_path(path: &str, writable: bool) -> Option<Severity> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    if SOCKETS.contains(&name) {
        return Some(High);
    }
    let graded = |readable| if writable { Some(High) } else { readable };
    if path.split('/').any(|component| OF_USERS.contains(&component)) {
        return graded(Some(Medium));
    }
    if path == "/dev" || path.starts_with("/dev/") {
        let device = devices::of_path(path).filter(|(class, _)| *class == Escape);
        return device.map(|(_, severity)| severity);
    }
    let harmless = |(above, depth): &(&str, usize)| lies_below(path, above) >= Some(*depth);
    if HARMLESS.iter().any(harmless) {
        return None;
    }
    let reaches = |reach: Reach, depth: usize| match reach {
        Itself => depth == 0,
        Children => depth <= 1,
        Below => true,
    };
    let listed = PATHS
        .iter()
        .filter(|(above, reach, _)| lies_below(path, above).is_some_and(|d| reaches(*reach, d)));
    graded(listed.map(|(.., readable)| *readable).max()?)
}

/// How many levels `path` lies below `ancestor`, if it does; 0 is the path itself.
fn lies_below(path: &str, ancestor: &str) -> Option<usize> {
    let rest = path.strip_prefix(ancestor)?;
    let below = rest.is_empty() || rest.starts_with('/') || ancestor == "/";
    below.then(|| rest.split('/').filter(|component| !component.is_empty()).count())
}

/// The path without `.`, `..`, doubled and trailing slashes, and with `/run` for `/var/run`.
pub(super) fn normal(path: &str) -> String {
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            name => components.push(name),
        }
    }
    if components.starts_with(&["var", "run"]) {
        components.remove(0);
    }
    format!("/{}", components.join("/"))
}
