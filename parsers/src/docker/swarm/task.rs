//! `Task` and `TaskStatus` of swarmkit, as protobuf messages.

use crate::formats::protobuf::{self, Problem, Value, fields};
use dockline_timeline::Instant;

/// States of a task, by number.
const STATES: &[(i64, &str)] = &[
    (0, "new"),
    (64, "pending"),
    (192, "assigned"),
    (256, "accepted"),
    (320, "preparing"),
    (384, "ready"),
    (448, "starting"),
    (512, "running"),
    (576, "complete"),
    (640, "shutdown"),
    (704, "failed"),
    (768, "rejected"),
    (800, "remove"),
    (832, "orphaned"),
];

/// The name of a state.
pub(super) fn state_name(number: i64) -> String {
    let known = STATES.iter().find(|(state, _)| *state == number);
    known.map_or_else(|| format!("state {number}"), |(_, name)| (*name).to_owned())
}

/// A task.
#[derive(Debug, Default)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) created: Option<Instant>,
    pub(super) updated: Option<Instant>,
    pub(super) image: Option<String>,
    pub(super) command: Vec<String>,
    pub(super) environment: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) secrets: Vec<String>,
    pub(super) configs: Vec<String>,
    pub(super) service: Option<String>,
    pub(super) service_name: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) slot: Option<i64>,
    pub(super) node: Option<String>,
    pub(super) desired_state: Option<i64>,
}

/// What became of a task.
#[derive(Debug, Default)]
pub(super) struct Status {
    pub(super) instant: Option<Instant>,
    pub(super) state: i64,
    pub(super) message: Option<String>,
    pub(super) error: Option<String>,
    pub(super) container: Option<String>,
    pub(super) pid: Option<i64>,
    pub(super) exit_code: Option<i64>,
    pub(super) applied_by: Option<String>,
    pub(super) applied: Option<Instant>,
}

impl Task {
    /// `svc1.1`, as the engine begins the name of its container.
    pub(super) fn name(&self) -> String {
        let service = self.service_name.as_deref().or(self.service.as_deref()).unwrap_or(&self.id);
        // A task of a service that runs on each node has no slot, but the node's id.
        match (self.slot, &self.node) {
            (Some(slot), _) if slot > 0 => format!("{service}.{slot}"),
            (_, Some(node)) => format!("{service}.{node}"),
            _ => service.to_owned(),
        }
    }

    pub(super) fn read(message: &[u8]) -> Result<Task, Problem> {
        let mut task = Task::default();
        for field in fields(message) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Bytes(bytes)) => task.id = text(bytes),
                (2, Value::Bytes(bytes)) => task.read_meta(bytes)?,
                (3, Value::Bytes(bytes)) => {
                    for field in fields(bytes) {
                        let field = field?;
                        if let (1, Value::Bytes(bytes)) = (field.number, field.value) {
                            task.read_container(bytes)?;
                        }
                    }
                }
                (4, Value::Bytes(bytes)) => task.service = some(bytes),
                (5, value) => task.slot = value.integer(),
                (6, Value::Bytes(bytes)) => task.node = some(bytes),
                (8, Value::Bytes(bytes)) => task.read_service(bytes)?,
                (10, value) => task.desired_state = value.integer(),
                _ => {}
            }
        }
        Ok(task)
    }

    fn read_meta(&mut self, message: &[u8]) -> Result<(), Problem> {
        for field in fields(message) {
            let field = field?;
            match (field.number, field.value) {
                (2, Value::Bytes(bytes)) => self.created = protobuf::timestamp(bytes)?,
                (3, Value::Bytes(bytes)) => self.updated = protobuf::timestamp(bytes)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_container(&mut self, message: &[u8]) -> Result<(), Problem> {
        let mut arguments = Vec::new();
        for field in fields(message) {
            let field = field?;
            let Value::Bytes(bytes) = field.value else { continue };
            match field.number {
                1 => self.image = some(bytes),
                3 => self.command.push(text(bytes)),
                4 => arguments.push(text(bytes)),
                5 => self.environment.push(text(bytes)),
                7 => self.user = some(bytes),
                12 => self.secrets.push(reference(bytes)?),
                21 => self.configs.push(reference(bytes)?),
                _ => {}
            }
        }
        self.command.append(&mut arguments);
        Ok(())
    }

    /// Annotations: a name and labels.
    fn read_service(&mut self, message: &[u8]) -> Result<(), Problem> {
        for field in fields(message) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Bytes(bytes)) => self.service_name = some(bytes),
                (2, Value::Bytes(bytes)) => {
                    let (mut key, mut value) = (String::new(), String::new());
                    for field in fields(bytes) {
                        let field = field?;
                        match (field.number, field.value) {
                            (1, Value::Bytes(bytes)) => key = text(bytes),
                            (2, Value::Bytes(bytes)) => value = text(bytes),
                            _ => {}
                        }
                    }
                    self.labels.push(format!("{key}={value}"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Status {
    pub(super) fn read(message: &[u8]) -> Result<Status, Problem> {
        let mut status = Status::default();
        for field in fields(message) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Bytes(bytes)) => status.instant = protobuf::timestamp(bytes)?,
                (2, value) => status.state = value.integer().unwrap_or_default(),
                (3, Value::Bytes(bytes)) => status.message = some(bytes),
                (4, Value::Bytes(bytes)) => status.error = some(bytes),
                (5, Value::Bytes(bytes)) => {
                    for field in fields(bytes) {
                        let field = field?;
                        match (field.number, field.value) {
                            (1, Value::Bytes(bytes)) => status.container = some(bytes),
                            (2, value) => status.pid = value.integer(),
                            (3, value) => status.exit_code = value.integer(),
                            _ => {}
                        }
                    }
                }
                (7, Value::Bytes(bytes)) => status.applied_by = some(bytes),
                (8, Value::Bytes(bytes)) => status.applied = protobuf::timestamp(bytes)?,
                _ => {}
            }
        }
        Ok(status)
    }
}

/// A reference to a secret or a config: its name and id.
fn reference(message: &[u8]) -> Result<String, Problem> {
    let (mut id, mut name) = (String::new(), String::new());
    for field in fields(message) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(bytes)) => id = text(bytes),
            (2, Value::Bytes(bytes)) => name = text(bytes),
            _ => {}
        }
    }
    Ok(format!("{name} {id}").trim().to_owned())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn some(bytes: &[u8]) -> Option<String> {
    Some(text(bytes)).filter(|text| !text.is_empty())
}
