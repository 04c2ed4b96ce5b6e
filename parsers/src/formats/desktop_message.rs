//! What a message of Docker Desktop means, whichever log it stood in.
//!
//! Docker Desktop's processes on the host (backend, graphical interface, privileged helper,
//! installer) and in its virtual machine write free text. What a person did shows in a few dozen
//! wordings, each of which is read in one file below: calls of the engine's API that pass the
//! backend (`request`, `api`), messages between the processes (`ipc`), and what they say of
//! themselves. Wordings are those of public issues of docker/for-win, docker/for-mac and
//! docker/desktop-linux from 1.12 to 4.83; a wording that is not listed has no meaning here and
//! stays a plain line of its log.
//!
//! Each of the other files reads one thing: containers, bind mounts, the engine and its machine,
//! settings, disks, the kernel, the application, diagnostics, updates, integrations, the installer.
//!
//! A message comes without the stamp, component and level of its line, and out of its logrus
//! quotes. A request that is logged says that it was made, not that it was granted.
//!
//! Paths of API calls other than `containers/create`, `exec/<id>/start`, `DELETE containers/<id>` and
//! those that only ask are unconfirmed as lines of a log: they follow from the Docker Engine API
//! 1.24 to 1.54.

mod api;
mod application;
mod container;
mod diagnostics;
mod disk;
mod engine;
mod install;
mod integration;
mod ipc;
mod kernel;
mod mount;
mod request;
mod settings;
mod update;
mod usage;
mod wording;

pub use install::of_command_line;

use dockline_timeline::{Attribute, Instant, Kind, Meaning, Value};
use std::borrow::Cow;

/// The fields of a structured line beside its message, as keys and values.
pub type Fields<'a> = [(Cow<'a, str>, Cow<'a, str>)];

/// What a message is about; each has its kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A call of the engine's API.
    Api,
    /// A container, as Docker Desktop itself sees it.
    Container,
    /// The engine, its virtual machine and its disks.
    Engine,
    /// Settings.
    Settings,
    /// Installation, update and removal of Docker Desktop.
    Install,
    /// Docker Desktop as a program that somebody uses.
    Application,
}

impl Topic {
    /// The words of its events.
    #[must_use]
    pub fn kind(self) -> &'static Kind {
        match self {
            Topic::Api => &API,
            Topic::Container => &CONTAINER,
            Topic::Engine => &ENGINE,
            Topic::Settings => &SETTINGS,
            Topic::Install => &INSTALL,
            Topic::Application => &APPLICATION,
        }
    }
}

const fn kind(data_type: &'static str, source_long: &'static str) -> Kind {
    Kind { data_type, source_short: "DESKTOP", source_long }
}

static API: Kind = kind("docker:desktop:api", "Docker Desktop API call");
static CONTAINER: Kind = kind("docker:desktop:container", "Docker Desktop container");
static ENGINE: Kind = kind("docker:desktop:engine", "Docker Desktop engine");
/// Settings of Docker Desktop, logged or in their own files.
pub static SETTINGS: Kind = kind("docker:desktop:settings", "Docker Desktop settings");
/// Installation of Docker Desktop, logged or by what it left.
pub static INSTALL: Kind = kind("docker:desktop:install", "Docker Desktop installation");
static APPLICATION: Kind = kind("docker:desktop:application", "Docker Desktop application");

/// A container as a message names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container<'a> {
    /// 64 hexadecimal digits.
    pub id: Option<Cow<'a, str>>,
    /// Without a leading `/`.
    pub name: Option<Cow<'a, str>>,
    /// What the engine takes for a container in a path: the beginning of an id, or a name.
    pub reference: Option<Cow<'a, str>>,
}

impl<'a> Container<'a> {
    /// A container as the path of a request names it: an id, the beginning of one, or a name.
    fn of_path(text: Cow<'a, str>) -> Container<'a> {
        if crate::container_id::is_id(text.as_bytes()) {
            return Container { id: Some(text), ..Container::default() };
        }
        Container { reference: Some(text), ..Container::default() }
    }
}

/// What a message means.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// What it is about.
    pub topic: Topic,
    /// The engine's verb: `create`, `start`, `exec_start`.
    pub action: &'static str,
    /// What the time of the line means for it.
    pub meaning: Meaning,
    /// What it means, for a person; the message itself is not repeated in it.
    pub says: Cow<'static, str>,
    /// An instant of UTC that the message itself states, by the clock of the host: when it was
    /// registered.
    pub stated: Option<Instant>,
    /// The container.
    pub container: Container<'a>,
    /// The image, as it was typed.
    pub image: Option<Cow<'a, str>>,
    /// The volume.
    pub volume: Option<Cow<'a, str>>,
    /// The network.
    pub network: Option<Cow<'a, str>>,
    /// The command.
    pub command_line: Option<Cow<'a, str>>,
    /// What else it says.
    pub attributes: Vec<Attribute<'a>>,
}

impl<'a> Message<'a> {
    fn new(topic: Topic, action: &'static str, says: impl Into<Cow<'static, str>>) -> Message<'a> {
        Message {
            topic,
            action,
            meaning: Meaning::Recorded,
            says: says.into(),
            stated: None,
            container: Container::default(),
            image: None,
            volume: None,
            network: None,
            command_line: None,
            attributes: Vec::new(),
        }
    }

    /// Adds a text, unless it is absent or empty.
    fn text<T: Into<Cow<'a, str>>>(mut self, name: &'static str, text: Option<T>) -> Message<'a> {
        if let Some(text) = text.map(Into::into).filter(|text| !text.is_empty()) {
            self.attributes.push(Attribute { name, value: Value::Text(text) });
        }
        self
    }

    /// Adds an integer, unless it is absent.
    fn integer(mut self, name: &'static str, integer: Option<i64>) -> Message<'a> {
        if let Some(integer) = integer {
            self.attributes.push(Attribute { name, value: Value::Integer(integer) });
        }
        self
    }

    /// Adds something that is true.
    fn flag(mut self, name: &'static str, flag: bool) -> Message<'a> {
        if flag {
            self.attributes.push(Attribute { name, value: Value::Boolean(true) });
        }
        self
    }

    /// The attribute of this name, if it is a text.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|attribute| attribute.name == name)?;
        match &found.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What a message of a component means; `None` when it is a plain line of its log, as the steady
/// questions of the graphical interface are.
#[must_use]
pub fn meaning<'a>(component: &str, message: &'a str) -> Option<Message<'a>> {
    meaning_with(component, message, &[])
}

/// [`meaning`] of a structured line, whose fields say more.
#[must_use]
pub fn meaning_with<'a>(
    component: &str,
    message: &'a str,
    fields: &'a Fields<'a>,
) -> Option<Message<'a>> {
    let message = message.trim_end();
    let message = message.strip_suffix("\\n").unwrap_or(message);
    api::read(message, fields)
        .or_else(|| ipc::read(message))
        .or_else(|| usage::read(message))
        .or_else(|| container::read(message, fields))
        .or_else(|| mount::read(message))
        .or_else(|| engine::read(component, message))
        .or_else(|| settings::read(message))
        .or_else(|| disk::read(component, message))
        .or_else(|| kernel::read(message))
        .or_else(|| application::read(component, message))
        .or_else(|| diagnostics::read(component, message))
        .or_else(|| update::read(component, message))
        .or_else(|| integration::read(component, message))
        .or_else(|| install::read(component, message))
}

/// The value of a field.
fn field<'a>(fields: &'a Fields<'a>, key: &str) -> Option<&'a str> {
    fields.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
}

#[cfg(test)]
mod tests;
