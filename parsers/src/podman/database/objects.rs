//! Events of pods and volumes, and of exit codes that outlive their containers.

use super::Report;
use super::container::Seen;
use crate::formats::attributes::Attributes;
use crate::formats::config_v2::typed;
use crate::formats::libpod::{Pod, Volume};
use crate::formats::libpod_database::Record;
use crate::formats::secrets::names_of_secrets;
use dockline_timeline::{Findings, Instant, Kind, Meaning, Subject};
use serde_json::Value as Json;
use std::borrow::Cow;

static POD: Kind =
    Kind { data_type: "podman:pod", source_short: "PODMAN", source_long: "Podman pod" };
static VOLUME: Kind =
    Kind { data_type: "podman:volume", source_short: "PODMAN", source_long: "Podman volume" };
static EXIT: Kind = Kind {
    data_type: "podman:container:exit",
    source_short: "PODMAN",
    source_long: "Podman exit code",
};

impl Report<'_> {
    pub(super) fn pod(
        &self,
        (record, text): (&Record, &Json),
        seen: &mut Seen,
        findings: &mut dyn Findings,
    ) {
        let (pod, flaws) = Pod::read(text);
        self.tell(record, flaws, findings);
        let (Some(id), Some(created)) = (&pod.id, pod.created) else {
            return self.tell_timeless(record, findings);
        };
        if !seen.insert((id.clone(), "create", created)) {
            return;
        }
        let command = typed(&pod.create_command);
        let name = pod.name.as_deref().unwrap_or(id);
        let mut told = format!("pod {name} created");
        if !command.is_empty() {
            told.push_str(&format!(" with: {command}"));
        }
        let when = (created, Meaning::Creation);
        let mut event = self.event(record, (&POD, &Subject::UNKNOWN), when);
        event.action = "create";
        event.text = (&told).into();
        event.labels = &pod.labels;
        event.command_line = (!command.is_empty()).then_some(&command);
        let mut all = Attributes::default();
        all.text("pod_identifier", Some(id));
        all.text("pod_name", pod.name.as_deref());
        event.attributes.extend(all.into_vec());
        findings.event(&event);
    }

    pub(super) fn volume(
        &self,
        (record, text): (&Record, &Json),
        seen: &mut Seen,
        findings: &mut dyn Findings,
    ) {
        let (volume, flaws) = Volume::read(text);
        self.tell(record, flaws, findings);
        let (Some(name), Some(created)) = (&volume.name, volume.created) else {
            return self.tell_timeless(record, findings);
        };
        if !seen.insert((name.clone(), "create", created)) {
            return;
        }
        let users = self.users_of_volumes.get(name);
        let told = volume_text(&volume, name, users.map_or(0, std::collections::BTreeSet::len));
        let when = (created, Meaning::Creation);
        let mut event = self.event(record, (&VOLUME, &Subject::UNKNOWN), when);
        event.action = "create";
        event.text = (&told).into();
        event.volume_name = Some(name);
        event.labels = &volume.labels;
        let secrets = names_of_secrets(&parts(&volume.options));
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.text("volume_driver", volume.driver.as_deref());
        all.texts("volume_options", &volume.options);
        all.text("mount_point", volume.mount_point.as_deref());
        all.flag("anonymous", volume.anonymous);
        all.list("possible_secrets", secrets);
        all.list("used_by", users.into_iter().flatten().cloned().collect());
        event.attributes.extend(all.into_vec());
        findings.event(&event);
    }

    pub(super) fn exit_code(
        &self,
        record: &Record,
        (container, at, code): (&str, Instant, i64),
        findings: &mut dyn Findings,
    ) {
        let known = self.configurations.get(container).cloned().unwrap_or_default();
        let subject = self.subject(container, &known);
        let text =
            format!("container exited with code {code}, as Podman noted for those who wait for it");
        let mut event = self.event(record, (&EXIT, &subject), (at, Meaning::End));
        event.action = "die";
        event.text = (&text).into();
        event.exit_code = Some(code);
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
    }
}

/// Options of a mount are one text, `o=username=a,password=b`.
fn parts(options: &[String]) -> Vec<String> {
    let parts = options.iter().flat_map(|option| option.split(','));
    parts.map(|part| part.strip_prefix("o=").unwrap_or(part).to_owned()).collect()
}

fn volume_text(volume: &Volume, name: &str, users: usize) -> String {
    let which = if volume.anonymous { "anonymous volume" } else { "volume" };
    let used = match users {
        0 => "no container mounts it".to_owned(),
        1 => "one container mounts it".to_owned(),
        count => format!("{count} containers mount it"),
    };
    format!("{which} {name} created; {used}")
}
