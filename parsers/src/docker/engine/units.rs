//! Units of systemd that start the engine, their drop-ins, and the shell variables that they read.

use super::WrittenFile;
use super::settings::Told;
use crate::formats::engine_settings::EngineSettings;
use crate::formats::json;
use crate::formats::secrets::names_of_secrets;
use crate::formats::shell::words;
use crate::formats::unit_file::{self, Assignment};
use crate::inventory::risk::{judge_engine, judge_unit};
use dockline_evidence::TreePath;
use dockline_timeline::{Findings, IssueKind, Position};

/// What may stand before the program of `ExecStart`.
const PREFIXES: &[char] = &['-', '@', ':', '+', '!', '|'];

pub(super) fn unit(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(text) = written.text(findings) else { return };
    let (assignments, cut) = unit_file::read(&text);
    let start = assignments.iter().filter(|one| one.key == "ExecStart" && !one.value.is_empty());
    let commands: Vec<&str> = start.map(|one| one.value.as_str()).collect();
    let environment = environment(&assignments);
    let mut arguments = Vec::new();
    for command in &commands {
        arguments.extend(words(command.trim_start_matches(PREFIXES)).into_iter().skip(1));
    }
    arguments.extend(arguments_in(&environment));
    let mut settings = EngineSettings::from_arguments(&arguments);
    settings.cut |= cut;
    let mut risks = judge_engine(&settings, asks_for_certificates(written));
    risks.extend(judge_unit(&assignments));
    let command_line = (!commands.is_empty()).then(|| commands.join("; "));
    let secrets = secrets(&settings, &environment);
    let what = format!("systemd unit {}", name_of(&written.file.path));
    Told { what, settings, risks, environment, command_line, secrets }.report(written, findings);
}

/// `docker.service`, `docker.service.d/proxy.conf`.
fn name_of(path: &TreePath) -> String {
    let name = |path: &TreePath| {
        String::from_utf8_lossy(path.file_name().unwrap_or_default()).into_owned()
    };
    let directory = path.parent().map(|parent| name(&parent)).unwrap_or_default();
    let file = name(path);
    if directory.ends_with(".d") { format!("{directory}/{file}") } else { file }
}

fn environment(assignments: &[Assignment]) -> Vec<String> {
    let set = assignments.iter().filter(|one| one.key == "Environment");
    set.flat_map(|one| words(&one.value)).filter(|pair| pair.contains('=')).collect()
}

/// Arguments for the engine in the values of variables, such as `DOCKER_OPTS`.
fn arguments_in(environment: &[String]) -> Vec<String> {
    let values = environment.iter().filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
    values.filter(|value| value.trim_start().starts_with('-')).flat_map(words).collect()
}

fn secrets(settings: &EngineSettings, environment: &[String]) -> Vec<String> {
    let mut secrets = names_of_secrets(&settings.options());
    secrets.extend(names_of_secrets(environment));
    secrets
}

/// Whether the engine's own settings ask clients for certificates: `etc/docker/daemon.json` in the
/// nearest directory above that has one.
fn asks_for_certificates(written: &WrittenFile<'_>) -> bool {
    let mut directory = written.file.path.parent();
    while let Some(above) = directory {
        let beside = above.below(b"etc/docker/daemon.json");
        if let Some(bytes) = beside.and_then(|path| written.artifact.read_beside(&path)) {
            let document = json::read(&bytes).map(|document| document.value).unwrap_or_default();
            return EngineSettings::from_document(&document).is("tlsverify", true);
        }
        directory = above.parent();
    }
    false
}

/// `etc/default/docker` and the like.
pub(super) fn shell_variables(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(text) = written.text(findings) else { return };
    let (environment, cut) = unit_file::shell_assignments(&text);
    if cut {
        let what = format!("more than {} variables, the rest is not read", environment.len());
        findings.issue(written.file.issue(IssueKind::LimitReached, Position::File, what));
    }
    let settings = EngineSettings::from_arguments(&arguments_in(&environment));
    let risks = judge_engine(&settings, asks_for_certificates(written));
    let secrets = secrets(&settings, &environment);
    let what = format!("shell variables of the engine, {}", name_of(&written.file.path));
    let told = Told { what, settings, risks, environment, command_line: None, secrets };
    told.report(written, findings);
}
