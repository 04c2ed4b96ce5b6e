//! `worker/tasks.db`: what this node was told to run.

use super::task::{Status, Task, state_name};
use super::{TASK, WrittenFile};
use crate::Inventory;
use crate::formats::attributes::Attributes;
use crate::formats::bolt::{self, Bucket, Database};
use crate::formats::config_v2::typed;
use crate::formats::secrets::names_of_secrets;
use dockline_timeline::{Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What was told: task, meaning, instant.
type Told = BTreeSet<(String, Meaning, Instant)>;

pub(super) fn report(one: &WrittenFile<'_>, inventory: &Inventory, findings: &mut dyn Findings) {
    let Some(bytes) = one.artifact.read_up_to(one.file, bolt::FILE_LIMIT, findings) else { return };
    let database = match Database::open(&bytes) {
        Ok(database) => database,
        Err(flaw) => return flaw.report(one.file, findings),
    };
    database.flaws().iter().for_each(|flaw| flaw.report(one.file, findings));
    findings.records(&one.file.origin, 0, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let mut told = Told::new();
    let tasks = database.root().at(&["v1", "tasks"]);
    for (entry, bucket) in tasks.into_iter().flat_map(Bucket::buckets) {
        findings.records(&one.file.origin, 1, 0);
        let id = String::from_utf8_lossy(entry.key).into_owned();
        let mut assigned = Assigned { one, inventory, id, from: None, told: &mut told };
        assigned.report(bucket, findings);
    }
    for fragment in database.fragments() {
        let mut open = vec![(String::new(), fragment.bucket)];
        while let Some((id, bucket)) = open.pop() {
            let below = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
            open.extend(bucket.buckets().map(|(entry, bucket)| (below(entry.key), bucket)));
            if bucket.get("data").or(bucket.get("status")).is_some() {
                let from = Some(match fragment.is_earlier_root {
                    true => "the state before the last transaction".to_owned(),
                    false => format!("free page {} of the database", fragment.page),
                });
                let mut assigned = Assigned { one, inventory, id, from, told: &mut told };
                assigned.report(bucket, findings);
            }
        }
    }
}

/// A task as it stands in the database.
struct Assigned<'a> {
    one: &'a WrittenFile<'a>,
    inventory: &'a Inventory,
    /// Empty when it is not known.
    id: String,
    /// Where it was found, when that is not the current state.
    from: Option<String>,
    told: &'a mut Told,
}

impl Assigned<'_> {
    fn report(&mut self, bucket: Bucket<'_, '_>, findings: &mut dyn Findings) {
        let task = bucket.get("data").map(Task::read);
        let status = bucket.get("status").map(Status::read);
        let problems = [
            ("data", task.as_ref().map(Result::as_ref).and_then(Result::err)),
            ("status", status.as_ref().map(Result::as_ref).and_then(Result::err)),
        ];
        for (name, problem) in problems {
            let Some(problem) = problem.filter(|_| self.from.is_none()) else { continue };
            let key = format!("v1/tasks/{}/{name}", self.id);
            let what = format!("at byte {}: {}", problem.offset, problem.what);
            findings.issue(self.one.file.issue(IssueKind::Malformed, Position::Key(&key), what));
        }
        let task = task.and_then(Result::ok).unwrap_or_default();
        let status = status.and_then(Result::ok).unwrap_or_default();
        if self.id.is_empty() {
            self.id.clone_from(&task.id);
        }
        self.tell(&task, &status, findings);
    }

    fn tell(&mut self, task: &Task, status: &Status, findings: &mut dyn Findings) {
        let name = task.name();
        let state = state_name(status.state);
        let became = [Some(&state), status.error.as_ref().or(status.message.as_ref())];
        let became: Vec<&str> = became.into_iter().flatten().map(String::as_str).collect();
        let desired = task.desired_state.map(state_name).unwrap_or_default();
        let command_line = typed(&task.command);
        let secrets = names_of_secrets(&task.environment);
        let moments = [
            (task.created, Meaning::Creation, "create", format!("swarm task {name} made")),
            (task.updated, Meaning::Update, "update", {
                format!("swarm task {name} last changed; it is to be {desired}")
            }),
            (status.instant, Meaning::Recorded, state.as_str(), {
                format!("swarm task {name}: {}", became.join(": "))
            }),
        ];
        let subject = self.subject(task, status);
        for (instant, meaning, action, text) in moments {
            let Some(instant) = instant else { continue };
            if !self.told.insert((self.id.clone(), meaning, instant)) {
                continue;
            }
            let key = format!("v1/tasks/{}", self.id);
            let mut event = Event::new(&self.one.file.origin, &TASK, &subject, (instant, meaning));
            event.position = Position::Key(&key);
            event.action = action;
            event.text = (&text).into();
            event.command_line = Some(command_line.as_str()).filter(|line| !line.is_empty());
            event.user = task.user.as_deref();
            event.labels = &task.labels;
            event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
            if meaning == Meaning::Recorded {
                event.pid = status.pid;
                event.exit_code = status.exit_code;
            }
            event.attributes = self.attributes(task, status, &secrets).into_vec();
            self.inventory.mark_removed(&mut event);
            if let Some(from) = &self.from {
                event.tags.push(Cow::Borrowed("recovered"));
                event.attribute("recovered_from", Some(Value::Text(from.as_str().into())));
            }
            findings.event(&event);
        }
    }

    fn subject(&self, task: &Task, status: &Status) -> Subject {
        let known = status.container.as_deref().map(|id| self.inventory.container_subject(id));
        let mut subject = known.unwrap_or_default();
        if subject.container_name.is_none() {
            subject.container_name = Some(format!("{}.{}", task.name(), self.id));
        }
        if subject.image_name.is_none() {
            subject.image_name.clone_from(&task.image);
        }
        subject
    }

    fn attributes<'e>(
        &self,
        task: &'e Task,
        status: &'e Status,
        secrets: &'e [String],
    ) -> Attributes<'e> {
        let mut all = Attributes::default();
        all.owned_text("swarm_task", Some(self.id.clone()));
        all.text("swarm_service", task.service.as_deref());
        all.text("swarm_service_name", task.service_name.as_deref());
        all.text("swarm_node", task.node.as_deref());
        all.owned_text("desired_state", task.desired_state.map(state_name));
        all.owned_text("state", Some(state_name(status.state)));
        all.text("error", status.error.as_deref());
        all.text("status_applied_by", status.applied_by.as_deref());
        all.owned_text("status_applied", status.applied.map(|applied| applied.to_string()));
        all.texts("environment", &task.environment);
        all.texts("possible_secrets", secrets);
        all.texts("swarm_secrets", &task.secrets);
        all.texts("swarm_configs", &task.configs);
        all
    }
}
