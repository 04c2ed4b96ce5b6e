//! The event that a message of an engine's daemon becomes, wherever the message lay: in a file of its
//! own, in syslog, in the journal, or among the lines of Docker Desktop.
//!
//! Every message is an event. Of a recognised one (`rules`) the action is the engine's verb and the
//! text begins with what it means; of all others the action is `log`. Its container is named by an
//! id in its fields or words (`identifiers`), full or shortened, if the inventory knows one such; by
//! the path of a request (`request`). Commands of container tools that were run through sudo (`sudo`)
//! are told as `command`. The time is the message's own, which has an offset; where it has
//! none, that of the line or the entry around it.
//!
//! `Container failed to exit within 10s of signal 15` says two things: that it was killed now, and
//! that somebody told it to stop ten seconds before. The second is an event of its own, `inferred`.

mod identifiers;
mod request;
mod rules;
mod sudo;

use crate::formats::logrus::Entry;
use crate::{ContainerId, Inventory};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, Kind, Meaning, Origin, Position, Subject, Value,
};
use request::Request;
use rules::Voice;
use std::borrow::Cow;
use sudo::Sudo;

static KIND: Kind = Kind {
    data_type: "host:daemon:log",
    source_short: "HOST",
    source_long: "Log of a container engine's daemon",
};
/// Longest grace time that is believed: a day.
const LONGEST_GRACE: i64 = 86_400;

/// An instant, and how far it can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The instant.
    pub instant: Instant,
    /// How far it can be believed.
    pub confidence: Confidence,
    /// From what it was concluded, for a person; empty when it was recorded.
    pub from: &'static str,
}

impl When {
    /// What the message or its line says itself.
    #[must_use]
    pub fn recorded(instant: Instant) -> When {
        When { instant, confidence: Confidence::Recorded, from: "" }
    }
}

/// A message as it was found.
#[derive(Clone, Debug)]
pub struct Message<'m> {
    /// Who wrote it: `dockerd`, `containerd`, `kernel`.
    pub program: &'m str,
    /// Process id of its writer.
    pub pid: Option<i64>,
    /// The message, without what a log puts before it.
    pub text: &'m str,
    /// Where it was found.
    pub position: Position<'m>,
    /// When, by what stands around it; used when the message itself has no time.
    pub around: Option<When>,
    /// Whether it was found where a log that was not closed does not reach.
    pub is_recovered: bool,
}

/// Names that the programs of engines write under.
const PROGRAMS: &[&str] = &[
    "dockerd",
    "docker",
    "dockerd-current",
    "docker-current",
    "docker-containerd",
    "containerd",
    "containerd-shim",
    "podman",
    "conmon",
    "crio",
    "kubelet",
    "buildkitd",
    "rootlesskit",
    "k3s",
    "rke2",
];
/// What systemd calls the engines.
const UNITS: &[&str] =
    &["docker.service", "containerd.service", "Container Engine", "containerd container runtime"];

/// Whether a message in a log of the whole host is about containers: any of an engine, and those of
/// systemd and of the kernel that name a container or an engine.
#[must_use]
pub fn concerns(program: &str, message: &str) -> bool {
    match program {
        "systemd" => {
            identifiers::container(message).is_some()
                || message.contains("-docker-overlay2-")
                || UNITS.iter().any(|unit| message.contains(unit))
        }
        "kernel" => {
            let is_oom = rules::meaning(Voice::Kernel, message).is_some();
            is_oom && (identifiers::container(message).is_some() || message.contains("/kubepods"))
        }
        "sudo" => Sudo::read(message).is_some(),
        _ => PROGRAMS.contains(&program),
    }
}

/// What a message means.
#[derive(Clone, Copy, Debug)]
pub struct Meant {
    /// The engine's verb; `log` when the wording is not known.
    pub action: &'static str,
    /// What the time means.
    pub meaning: Meaning,
    /// What it means, for a person; may be empty.
    pub says: &'static str,
}

/// Makes events of the messages of one file, in their order.
pub struct Messages<'i> {
    inventory: &'i Inventory,
    /// Ids of known containers, ordered.
    known: Vec<&'i str>,
    /// Whether containerd is between its start and the end of its start: shims that it connects to
    /// then are of containers that have been running.
    is_booting: bool,
}

impl<'i> Messages<'i> {
    /// Makes events of messages of a host.
    #[must_use]
    pub fn new(inventory: &'i Inventory) -> Messages<'i> {
        let known = inventory.containers.keys().map(ContainerId::as_str).collect();
        Messages { inventory, known, is_booting: false }
    }

    /// The container whose id this shortens, if it is known.
    #[must_use]
    pub fn short_subject(&self, short: &str) -> Subject {
        let id = self.resolve(short);
        id.map_or(Subject::UNKNOWN, |id| self.inventory.container_subject(id))
    }

    /// The id of the only known container whose id begins so.
    fn resolve(&self, short: &str) -> Option<&'i str> {
        let at = self.known.partition_point(|id| *id < short);
        let mut matching = self.known.get(at..)?.iter().take_while(|id| id.starts_with(short));
        let only = matching.next()?;
        matching.next().is_none().then_some(*only)
    }

    /// Makes the event, or the two events, of a message; `None` when nothing says its time.
    pub fn tell(
        &mut self,
        origin: &Origin,
        message: &Message<'_>,
        findings: &mut dyn Findings,
    ) -> Option<When> {
        let entry = Entry::parse(message.text);
        let plain =
            || Entry { message: Cow::Borrowed(message.text.trim_end()), ..Entry::default() };
        let is_logrus = entry.is_some();
        let entry = entry.unwrap_or_else(plain);
        let when = own_time(&entry).or(message.around)?;
        let request = Request::read(&entry);
        let meant = self.meant(message.program, &entry, request);
        let subject = self.subject(&entry, request);
        let words = words(message.program, &entry, &meant, is_logrus);
        let text = if when.from.is_empty() { words } else { format!("{words} ({})", when.from) };
        let mut event = Event::new(origin, &KIND, &subject, (when.instant, meant.meaning));
        event.confidence = when.confidence;
        event.position = message.position.clone();
        event.action = meant.action;
        event.text = (&text).into();
        event.pid = process(&entry, meant.action).or(message.pid);
        add_details(&mut event, message.program, &entry);
        event.tags.extend(message.is_recovered.then_some(Cow::Borrowed("recovered")));
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
        if meant.action == "kill" {
            tell_request(&event, &entry, findings);
        }
        Some(when)
    }

    /// What a message of another log means, and to what it happened.
    pub fn read(&mut self, program: &str, entry: &Entry<'_>) -> (Meant, Subject) {
        let request = Request::read(entry);
        (self.meant(program, entry, request), self.subject(entry, request))
    }

    fn meant(&mut self, program: &str, entry: &Entry<'_>, request: Option<Request<'_>>) -> Meant {
        let message = &*entry.message;
        if message.starts_with("starting containerd") {
            self.is_booting = true;
        } else if message.starts_with("containerd successfully booted") {
            self.is_booting = false;
        }
        let meant = |action, meaning, says| Meant { action, meaning, says };
        if let Some(request) = request {
            return meant(request.action, Meaning::Recorded, request.says);
        }
        if program == "sudo" {
            return meant("command", Meaning::Recorded, "command run through sudo");
        }
        match entry.field("topic") {
            Some("/tasks/delete") if entry.field("container").is_some() => {
                return meant("die", Meaning::End, "container has ended");
            }
            Some("/tasks/oom") => {
                return meant("oom", Meaning::Recorded, "container ran out of memory");
            }
            _ => {}
        }
        if self.is_booting && message.starts_with("connecting to shim ") {
            return meant("log", Meaning::Recorded, "containerd finds the container running");
        }
        if let Some(rule) = rules::meaning(Voice::of(program), message) {
            let action = match entry.field("tag") {
                // Every layer of a build becomes an image without a name.
                _ if message != "image created" => rule.action,
                Some(tag) if tag.starts_with("moby-dangling@") => "create",
                _ => "tag",
            };
            return meant(action, rule.meaning, rule.says);
        }
        let module = entry.field("module").unwrap_or_default();
        if entry.field("node.id").is_some() || module == "node" || module.starts_with("node/") {
            return meant("swarm", Meaning::Recorded, "");
        }
        if entry.field("plugin").is_some() {
            return meant("plugin", Meaning::Recorded, "");
        }
        meant("log", Meaning::Recorded, "")
    }

    fn subject(&self, entry: &Entry<'_>, request: Option<Request<'_>>) -> Subject {
        if let Some(id) = self.container(entry, request) {
            return self.inventory.container_subject(&id);
        }
        let image = entry.field("imageID").or_else(|| entry.field("digest"));
        let error = entry.field("error").unwrap_or_default();
        let in_words = identifiers::image(&entry.message).or_else(|| identifiers::image(error));
        let digest = image.map(Cow::Borrowed).or(in_words.map(|id| format!("sha256:{id}").into()));
        let named = entry.field("remote").or_else(|| entry.field("tag"));
        let named = named.filter(|name| image.is_some() && !name.starts_with("moby-dangling@"));
        match digest.filter(|digest| crate::Digest::parse(digest).is_some()) {
            Some(digest) => {
                let subject = self.inventory.image_subject(&digest);
                let image_name = named.map(str::to_owned).or(subject.image_name);
                Subject { image_name, ..subject }
            }
            None => Subject::UNKNOWN,
        }
    }

    /// The id of the container that a message is about.
    fn container(&self, entry: &Entry<'_>, request: Option<Request<'_>>) -> Option<String> {
        let keys = ["container", "containerID", "container_id", "containerid", "cid", "id"];
        let of_fields = keys.iter().find_map(|key| self.full_id(entry.field(key)?));
        let of_words = || {
            let texts = entry.fields.iter().map(|(_, value)| value);
            let mut texts = std::iter::once(&entry.message).chain(texts);
            texts.find_map(|text| identifiers::container(text)).map(str::to_owned)
        };
        let of_request = || self.named(request?.container?);
        let of_inventory = || {
            let texts = entry.fields.iter().map(|(_, value)| value);
            let mut ids = std::iter::once(&entry.message)
                .chain(texts)
                .flat_map(|text| identifiers::ids(text))
                .filter(|found| !found.is_digest());
            let known = |id| self.resolve(id).map(str::to_owned);
            ids.find_map(|found| known(found.id).or_else(|| self.mounted(found.id)))
        };
        of_fields.or_else(of_words).or_else(of_request).or_else(of_inventory)
    }

    /// The full id that a text is, or that it shortens.
    fn full_id(&self, text: &str) -> Option<String> {
        if crate::container_id::is_id(text.as_bytes()) {
            return Some(text.to_owned());
        }
        identifiers::is_short(text).then(|| self.resolve(text).map(str::to_owned)).flatten()
    }

    /// The container of this name, if there is one; or that whose id the text is.
    fn named(&self, name: &str) -> Option<String> {
        let is_named = |id: &&ContainerId| {
            let container = self.inventory.containers.get(*id);
            container.is_some_and(|container| container.name.as_deref() == Some(name))
        };
        let of_name = || self.inventory.containers.keys().find(is_named);
        self.full_id(name).or_else(|| of_name().map(|id| id.as_str().to_owned()))
    }

    /// The container whose writable layer lies in the directory of this name.
    fn mounted(&self, directory: &str) -> Option<String> {
        let mounts = &self.inventory.mounts;
        let mount = mounts.iter().find(|mount| mount.mount_id.as_deref() == Some(directory))?;
        Some(mount.container_id.clone())
    }
}

/// The time that the message carries itself.
fn own_time(entry: &Entry<'_>) -> Option<When> {
    // CRI-O writes a blank in place of the `T`.
    let text = entry.time.as_deref()?.replacen(' ', "T", 1);
    if let Ok(instant) = Instant::parse_rfc3339(&text) {
        return instant.map(When::recorded);
    }
    // Without an offset it is local time of an unknown zone.
    let instant = Instant::parse_rfc3339(&format!("{text}Z")).ok()??;
    let from = "its time names no zone and was taken as UTC";
    Some(When { instant, confidence: Confidence::Inferred, from })
}

/// The words of the event: what it means, and the message with its fields.
fn words(program: &str, entry: &Entry<'_>, meant: &Meant, is_logrus: bool) -> String {
    let mut text = if meant.says.is_empty() { program } else { meant.says }.to_owned();
    text.push_str(": ");
    text.push_str(&entry.message);
    if is_logrus {
        for (key, value) in &entry.fields {
            text.push_str(&format!(" {key}={value}"));
        }
    }
    text
}

/// The process that a message tells of.
fn process(entry: &Entry<'_>, action: &str) -> Option<i64> {
    if action == "oom" {
        let (_, after) = entry.message.split_once(",pid=")?;
        return after.split(',').next()?.parse().ok();
    }
    entry.field("pid")?.parse().ok()
}

/// The exit code that a message tells of.
#[must_use]
pub fn exit_code(entry: &Entry<'_>) -> Option<i64> {
    let of_field = entry.field("exitCode").and_then(|code| code.parse().ok());
    let of_words = || {
        let after = ["exit_status:", "ExitStatus:"]
            .iter()
            .find_map(|words| entry.message.split_once(words).map(|(_, after)| after))?;
        after.get(..after.bytes().take_while(u8::is_ascii_digit).count())?.parse().ok()
    };
    of_field.or_else(of_words)
}

/// The engine that says its version in this message, as it does when it starts.
fn starting(message: &str) -> Option<&'static str> {
    match message {
        "Docker daemon" => Some("docker"),
        "starting containerd" => Some("containerd"),
        _ => None,
    }
}

fn add_details<'e>(event: &mut Event<'e>, program: &'e str, entry: &'e Entry<'_>) {
    let text = |text: &'e str| Value::Text(Cow::Borrowed(text));
    event.attribute("program", Some(text(program)));
    event.attribute("log_level", entry.level.as_deref().map(text));
    event.exit_code = exit_code(entry);
    if let Some(sudo) = Sudo::read(&entry.message).filter(|_| program == "sudo") {
        event.command_line = Some(sudo.command);
        event.user = Some(sudo.user);
    }
    if let (Some(engine), Some(version)) = (starting(&entry.message), entry.field("version")) {
        event.attribute("engine", Some(text(engine)));
        event.attribute("engine_version", Some(text(version)));
    }
    event.network_name = entry.field("net");
    if let Some(rest) = entry.message.strip_prefix("Layer ").filter(|_| event.action == "delete") {
        event.layer_identifier = rest.split(' ').next();
    }
    if event.action == "daemon_listen" && entry.message.contains(":2375") {
        event.tags.push(Cow::Borrowed("risk:api-without-tls"));
    }
}

/// The request before a kill: `failed to exit within 10s of signal 15`, before 20.10 `within 10
/// seconds of signal 15`.
fn tell_request(kill: &Event<'_>, entry: &Entry<'_>, findings: &mut dyn Findings) {
    let Some((_, after)) = entry.message.split_once("failed to exit within ") else { return };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let seconds: Option<i64> = after.get(..digits).and_then(|digits| digits.parse().ok());
    let Some(seconds) = seconds.filter(|seconds| (1..=LONGEST_GRACE).contains(seconds)) else {
        return;
    };
    let before = kill.instant.seconds().saturating_sub(seconds);
    let Some(instant) = Instant::new(before, kill.instant.nanoseconds()) else { return };
    let signal = after.split_once("signal ").and_then(|(_, rest)| rest.split(' ').next());
    let text = format!(
        "container was told to stop with signal {} (inferred: {seconds} s before it was killed)",
        signal.unwrap_or("15")
    );
    let mut event = kill.clone();
    event.instant = instant;
    event.confidence = Confidence::Inferred;
    event.text = (&text).into();
    event.action = "kill";
    findings.event(&event);
}

#[cfg(test)]
mod tests;
