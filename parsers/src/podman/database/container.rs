//! Events of containers: created, started, ended.

use super::Report;
use crate::formats::attributes::Attributes;
use crate::formats::config_v2::typed;
use crate::formats::libpod::{Container, ContainerState};
use crate::formats::libpod_database::{Record, What};
use crate::formats::secrets::names_of_secrets;
use crate::inventory::runtime_risks;
use dockline_timeline::{Event, Findings, Instant, Kind, Meaning, Subject};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeSet;

static CONTAINER: Kind =
    Kind { data_type: "podman:container", source_short: "PODMAN", source_long: "Podman container" };

/// Instants that were told already: the subject, what happened, and when.
pub(super) type Seen = BTreeSet<(String, &'static str, Instant)>;

/// What happened to a container.
struct Moment {
    action: &'static str,
    instant: Instant,
    meaning: Meaning,
    text: String,
}

impl Report<'_> {
    pub(super) fn container(
        &self,
        (record, text): (&Record, &Json),
        seen: &mut Seen,
        findings: &mut dyn Findings,
    ) {
        let (mut container, flaws) = Container::read(text);
        self.tell(record, flaws, findings);
        let (Some(id), Some(created)) = (container.config.id.clone(), container.config.created)
        else {
            return self.tell_timeless(record, findings);
        };
        if !seen.insert((id.clone(), "create", created)) {
            return;
        }
        if let Some((_, state)) = self.states.get(&id).filter(|_| record.recovered_from.is_none()) {
            add_state(&mut container, state);
        }
        let subject = self.subject(&id, &container);
        let told = created_text(&container);
        let command = typed(&container.create_command);
        let mut event = self.event(record, (&CONTAINER, &subject), (created, Meaning::Creation));
        event.action = "create";
        event.text = (&told).into();
        event.command_line = (!command.is_empty()).then_some(&command);
        describe(&mut event, &container);
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    /// The moments of a state; with what its container is, when that is known.
    pub(super) fn state(
        &self,
        (record, text): (&Record, &Json),
        seen: &mut Seen,
        findings: &mut dyn Findings,
    ) {
        let (state, flaws) = ContainerState::read(text);
        self.tell(record, flaws, findings);
        let named = match &record.what {
            What::State(Some(id)) => Some(id.clone()),
            _ => state.container.clone(),
        };
        let Some(id) = named else { return };
        let mut container = self.configurations.get(&id).cloned().unwrap_or_default();
        add_state(&mut container, &state);
        for moment in moments(&state) {
            if seen.insert((id.clone(), moment.action, moment.instant)) {
                self.moment((record, &moment), (&id, &container, &state), findings);
            }
        }
    }

    fn moment(
        &self,
        (record, moment): (&Record, &Moment),
        (id, container, state): (&str, &Container, &ContainerState),
        findings: &mut dyn Findings,
    ) {
        let subject = self.subject(id, container);
        let command = container.config.command_line();
        let when = (moment.instant, moment.meaning);
        let mut event = self.event(record, (&CONTAINER, &subject), when);
        event.action = moment.action;
        event.text = (&moment.text).into();
        event.command_line = command.as_deref();
        event.user = container.config.settings.user.as_deref();
        event.labels = &container.config.settings.labels;
        add_risks(&mut event, container);
        event.attributes.extend(container.config.summary());
        event.attributes.extend(container.host_config.summary());
        let mut all = Attributes::default();
        match moment.action {
            "die" => {
                event.exit_code = state.state.exit_code;
                event.tags.extend(state.state.oom_killed.then_some(Cow::Borrowed("oom")));
                all.flag("finished_before_start", state.state.started > state.state.finished);
            }
            "start" => {
                event.pid = state.state.pid;
                all.integer("monitor_pid", state.monitor_pid);
                all.texts("exec_sessions", &state.exec_sessions);
            }
            _ => {}
        }
        event.attributes.extend(all.into_vec());
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    /// What the inventory knows of the container; the rest from its own configuration.
    pub(super) fn subject(&self, id: &str, container: &Container) -> Subject {
        let known = self.inventory.container_subject(id);
        let image = container.config.image_id.as_deref();
        let image = image.map(crate::formats::containers_storage::image_identifier);
        Subject {
            container_name: known.container_name.or_else(|| container.config.name.clone()),
            image_name: known.image_name.or_else(|| container.config.settings.image.clone()),
            image_identifier: known.image_identifier.or(image),
            ..known
        }
    }
}

fn add_state(container: &mut Container, state: &ContainerState) {
    container.config.state = state.state.clone();
    container.config.restart_count = state.restart_count;
    container.config.manually_stopped = Some(state.stopped_by_user);
    container.config.networks = state.networks.clone();
}

fn created_text(container: &Container) -> String {
    let mut text = match container.is_infra {
        true => "container of a pod's namespaces created".to_owned(),
        false => "container created".to_owned(),
    };
    if let Some(image) = &container.config.settings.image {
        text.push_str(&format!(" from {image}"));
    }
    if !container.create_command.is_empty() {
        text.push_str(&format!(" with: {}", typed(&container.create_command)));
    }
    text
}

fn describe<'e>(event: &mut Event<'e>, container: &'e Container) {
    let config = &container.config;
    event.user = config.settings.user.as_deref();
    event.labels = &config.settings.labels;
    if let [network] = config.networks.as_slice() {
        event.network_name = Some(&network.name);
    }
    add_risks(event, container);
    event.attributes.extend(config.attributes());
    event.attributes.extend(container.host_config.attributes());
    let secrets = names_of_secrets(&config.settings.environment);
    event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
    let mut all = Attributes::default();
    all.list("possible_secrets", secrets);
    all.texts("podman_secrets", &container.secrets);
    all.text("pod_identifier", container.pod.as_deref());
    event.attributes.extend(all.into_vec());
}

fn add_risks(event: &mut Event<'_>, container: &Container) {
    let risks = runtime_risks(&container.config, &container.host_config);
    event.tags.extend(risks.iter().map(|risk| Cow::Owned(risk.name.clone())));
    let mut all = Attributes::default();
    all.list("risks", risks.iter().map(ToString::to_string).collect());
    event.attributes.extend(all.into_vec());
}

fn moments(state: &ContainerState) -> Vec<Moment> {
    let moment = |action, instant: Option<Instant>, meaning, text: String| {
        Some(Moment { action, instant: instant?, meaning, text })
    };
    let (started, finished) = (state.state.started, state.state.finished);
    let frozen = "container checkpointed: frozen to disk".to_owned();
    let restored = "container restored from a checkpoint".to_owned();
    let all = [
        moment("start", started, Meaning::Start, started_text(state)),
        moment("die", finished, Meaning::End, ended_text(state)),
        moment("checkpoint", state.checkpointed, Meaning::Recorded, frozen),
        moment("restore", state.restored, Meaning::Start, restored),
    ];
    all.into_iter().flatten().collect()
}

fn started_text(state: &ContainerState) -> String {
    match state.name {
        Some("running" | "paused") => {
            let still = "the last state that was written: power was lost, or the disk is that of a live host";
            format!("container started; it is {} in {still}", state.name.unwrap_or_default())
        }
        _ => "container started".to_owned(),
    }
}

fn ended_text(state: &ContainerState) -> String {
    let mut text = match state.state.exit_code {
        Some(code) => format!("container exited with code {code}{}", signal(code)),
        None => "container ended".to_owned(),
    };
    if state.state.oom_killed {
        text.push_str("; killed for want of memory");
    }
    if state.stopped_by_user {
        text.push_str("; stopped on request: podman stop or podman kill");
    }
    if let Some(error) = &state.state.error {
        text.push_str(&format!("; {error}"));
    }
    text
}

fn signal(code: i64) -> &'static str {
    match code {
        137 => " (killed)",
        143 => " (terminated)",
        _ => "",
    }
}
