//! What the words of a daemon's message mean: one row for each wording that is recognised.
//!
//! Wordings of dockerd 1.12 to 29 (moby `daemon/`, `libcontainerd/`), containerd 1.2 to 2.1
//! (`runtime/v2`, `internal/cri`), CRI-O 1.2x (`server/`), systemd 219 to 257 and Linux 4.19 to 6.18,
//! from their sources and from the logs of real hosts. A wording that is not listed is an event all
//! the same: its action is `log`.

use dockline_timeline::Meaning;

/// A wording and what it means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// The message begins so.
    pub(super) begins: &'static str,
    /// And this stands somewhere in it.
    pub(super) holds: &'static str,
    /// The engine's verb.
    pub(super) action: &'static str,
    /// What the time means.
    pub(super) meaning: Meaning,
    /// What it means, for a person.
    pub(super) says: &'static str,
}

const fn rule(
    (begins, holds): (&'static str, &'static str),
    (action, meaning): (&'static str, Meaning),
    says: &'static str,
) -> Rule {
    Rule { begins, holds, action, meaning, says }
}

use Meaning::{Added, Creation, Deletion, End, Recorded, Start, Update};

/// The first that fits counts.
const RULES: &[Rule] = &[
    // dockerd itself
    rule(("Starting up", ""), ("daemon_start", Start), "dockerd starts"),
    rule(
        ("Daemon has completed initialization", ""),
        ("daemon_ready", Recorded),
        "dockerd is ready",
    ),
    rule(("Processing signal '", ""), ("daemon_stop", End), "dockerd was told to stop"),
    rule(("Daemon shutdown complete", ""), ("daemon_stop", End), "dockerd has stopped"),
    rule(
        ("Got signal to reload configuration", ""),
        ("daemon_reload", Update),
        "dockerd reads its configuration again",
    ),
    rule(
        ("Reloaded configuration", ""),
        ("daemon_reload", Update),
        "dockerd has read its configuration again",
    ),
    rule(("API listen on ", ""), ("daemon_listen", Recorded), "dockerd offers its API"),
    // containers, as dockerd says it
    rule(
        ("Container ", "failed to exit within "),
        ("kill", Recorded),
        "container killed: it did not end when it was told to",
    ),
    rule(
        ("restarting container", ""),
        ("restart", Recorded),
        "container ended and is restarted by its policy",
    ),
    rule(
        ("Falling back to default propagation for bind source in daemon root", ""),
        ("mount", Recorded),
        "a directory around the data root of the engine is mounted into the container",
    ),
    rule(
        ("", " cleanup: failed to "),
        ("start_failed", Recorded),
        "container could not be started or ended, and was cleaned up",
    ),
    rule(
        ("Removing stale sandbox", ""),
        ("cleanup", Recorded),
        "network of a container removed that a daemon left behind",
    ),
    rule(
        ("failed to start container", ""),
        ("start_failed", Recorded),
        "container could not be started",
    ),
    rule(
        ("Failed to start container", ""),
        ("start_failed", Recorded),
        "container could not be started",
    ),
    // images
    rule(("image pulled", ""), ("pull", Added), "image pulled"),
    rule(("image created", ""), ("tag", Recorded), "image named"),
    rule(("Pulled image: ", ""), ("pull", Added), "image pulled"),
    rule(
        ("Attempting next endpoint for pull after error", ""),
        ("pull_failed", Recorded),
        "image could not be pulled",
    ),
    rule(
        ("Not continuing with pull after error", ""),
        ("pull_failed", Recorded),
        "image could not be pulled",
    ),
    rule(("pulling image failed", ""), ("pull_failed", Recorded), "image could not be pulled"),
    rule(
        ("Attempting next endpoint for push after error", ""),
        ("push_failed", Recorded),
        "image could not be pushed",
    ),
    rule(
        ("Not continuing with push after error", ""),
        ("push_failed", Recorded),
        "image could not be pushed",
    ),
    rule(("Layer sha256:", " cleaned up"), ("delete", Deletion), "layer removed"),
    rule(
        ("failed to validate image signature", ""),
        ("verify_failed", Recorded),
        "image has no signature that can be checked",
    ),
    rule(("/moby.buildkit.v1.Control/Solve", ""), ("build_failed", End), "build failed"),
    // networks
    rule(("sbJoin: ", ""), ("connect", Recorded), "a container joins a network"),
    rule(
        ("Error (Unable to complete atomic operation", "deleting object [endpoint "),
        ("disconnect", Recorded),
        "a container leaves a network",
    ),
    rule(("Default bridge (", ""), ("network", Recorded), "default bridge set up"),
    // Swarm
    rule(("fatal task error", ""), ("task_failed", End), "task of a Swarm service failed"),
    // containerd
    rule(("starting containerd", ""), ("daemon_start", Start), "containerd starts"),
    rule(
        ("containerd successfully booted in ", ""),
        ("daemon_ready", Recorded),
        "containerd is ready",
    ),
    rule(("starting signal loop", ""), ("start", Start), "container starts: its shim runs"),
    rule(("connecting to shim ", ""), ("start", Start), "container starts: its shim runs"),
    rule(("shim disconnected", ""), ("die", End), "container has ended: its shim is gone"),
    rule(("RunPodSandbox for ", "returns sandbox id"), ("start", Start), "pod sandbox started"),
    rule(
        ("CreateContainer within sandbox ", "returns container id"),
        ("create", Creation),
        "container created",
    ),
    rule(("StartContainer for ", "returns successfully"), ("start", Start), "container started"),
    rule(("StopContainer for ", "returns successfully"), ("stop", End), "container stopped"),
    rule(("Stop container ", "with signal "), ("kill", Recorded), "container is told to stop"),
    rule(
        ("RemoveContainer for ", "returns successfully"),
        ("destroy", Deletion),
        "container removed",
    ),
    rule(("StopPodSandbox for ", "returns successfully"), ("stop", End), "pod sandbox stopped"),
    rule(
        ("RemovePodSandbox ", "returns successfully"),
        ("destroy", Deletion),
        "pod sandbox removed",
    ),
    rule(("PullImage ", "returns image reference"), ("pull", Added), "image pulled"),
    rule(("PullImage ", " failed"), ("pull_failed", Recorded), "image could not be pulled"),
    rule(("TaskOOM event", ""), ("oom", Recorded), "container ran out of memory"),
    rule(("received exit event", ""), ("die", End), "container has ended"),
    rule(("received container exit event", ""), ("die", End), "container has ended"),
    rule(("TaskExit event", ""), ("die", End), "container has ended"),
    rule(("Exec", " for \""), ("exec", Recorded), "a command is run in the container"),
    // CRI-O
    rule(("Created container ", ""), ("create", Creation), "container created"),
    rule(("Started container", ""), ("start", Start), "container started"),
    rule(("Stopped container ", ""), ("stop", End), "container stopped"),
    rule(("Removed container ", ""), ("destroy", Deletion), "container removed"),
    rule(("Ran pod sandbox ", ""), ("start", Start), "pod sandbox started"),
    rule(("Stopped pod sandbox", ""), ("stop", End), "pod sandbox stopped"),
    rule(("Removed pod sandbox", ""), ("destroy", Deletion), "pod sandbox removed"),
    // kubelet
    rule(("", "Type\":\"ContainerStarted\""), ("start", Start), "kubelet saw the container start"),
    rule(("", "Type:ContainerStarted"), ("start", Start), "kubelet saw the container start"),
    rule(
        ("", "Type\":\"ContainerDied\""),
        ("die", End),
        "kubelet saw that the container had ended",
    ),
    rule(("", "Type:ContainerDied"), ("die", End), "kubelet saw that the container had ended"),
    rule(
        ("", "Type\":\"ContainerRemoved\""),
        ("destroy", Deletion),
        "kubelet saw that the container was removed",
    ),
];

/// Of systemd, about the units of containers and engines.
const SYSTEMD: &[Rule] = &[
    rule(("Started ", "libcontainer container "), ("start", Start), "container started"),
    rule(("Started ", "crun container"), ("start", Start), "container started"),
    rule(
        ("run-docker-runtime", "mount: "),
        ("exec", Recorded),
        "a command was run in the container: by docker exec, or by its health check",
    ),
    rule(
        ("run-containerd-runc-", "mount: "),
        ("exec", Recorded),
        "a command was run in the container, or it was started",
    ),
    rule(("", ".scope: Deactivated successfully"), ("die", End), "container has ended"),
    rule(("", ".scope: Succeeded"), ("die", End), "container has ended"),
    rule(
        ("", ".scope: A process of this unit has been killed by the OOM killer"),
        ("oom", Recorded),
        "a process of the container was killed: out of memory",
    ),
    rule(("Starting ", "Container Engine"), ("daemon_start", Start), "systemd starts the engine"),
    rule(("Stopping ", "Container Engine"), ("daemon_stop", End), "systemd stops the engine"),
    rule(("Stopped ", "Container Engine"), ("daemon_stop", End), "the engine has stopped"),
    rule(("docker.service: Main process exited", ""), ("daemon_stop", End), "the engine has ended"),
    rule(
        ("containerd.service: Main process exited", ""),
        ("daemon_stop", End),
        "containerd has ended",
    ),
];

/// Of the kernel.
const KERNEL: &[Rule] = &[
    rule(
        ("oom-kill:", ""),
        ("oom", Recorded),
        "a process of the container was killed: out of memory",
    ),
    rule(
        ("Task in /", " killed as a result of limit of "),
        ("oom", Recorded),
        "a process of the container was killed: out of memory",
    ),
];

/// Who speaks, as far as it decides which wordings there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    Engine,
    Systemd,
    Kernel,
}

impl Voice {
    pub(super) fn of(program: &str) -> Voice {
        match program {
            "systemd" => Voice::Systemd,
            "kernel" => Voice::Kernel,
            _ => Voice::Engine,
        }
    }
}

/// What a message means, if its wording is known.
pub(super) fn meaning(voice: Voice, message: &str) -> Option<&'static Rule> {
    let rules = match voice {
        Voice::Engine => RULES,
        Voice::Systemd => SYSTEMD,
        Voice::Kernel => KERNEL,
    };
    rules.iter().find(|rule| message.starts_with(rule.begins) && message.contains(rule.holds))
}
