//! The moments of a container's life that its metadata hold, each in words.

use crate::formats::config_v2::{ConfigV2, Probe, State};
use dockline_timeline::{Confidence, Instant, Meaning};

/// Probes of one file that are read; engines keep five.
pub(super) const PROBE_LIMIT: usize = 100;
/// What a daemon start writes for a container of which it does not know how it ended.
const UNKNOWN_EXIT: i64 = 255;
/// Characters of a probe's output that its event's text shows; an attribute has all.
const OUTPUT_SHOWN: usize = 120;

/// Which moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Creation,
    Start,
    End,
    Probe(usize),
}

impl Step {
    pub(super) fn key(self) -> String {
        match self {
            Step::Creation => "Created".to_owned(),
            Step::Start => "State.StartedAt".to_owned(),
            Step::End => "State.FinishedAt".to_owned(),
            Step::Probe(index) => format!("State.Health.Log[{index}]"),
        }
    }

    pub(super) fn action(self) -> &'static str {
        match self {
            Step::Creation => "create",
            Step::Start => "start",
            Step::End => "die",
            Step::Probe(_) => "health",
        }
    }
}

/// A moment of a container's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) step: Step,
    pub(super) instant: Instant,
    pub(super) meaning: Meaning,
    pub(super) confidence: Confidence,
    pub(super) exit_code: Option<i64>,
    pub(super) text: String,
}

/// Every moment that the metadata hold, in the order of a life; `image` is the name of its image.
pub(super) fn moments(config: &ConfigV2, image: Option<&str>) -> Vec<Moment> {
    let state = &config.state;
    let mut moments = Vec::new();
    moments.extend(config.created.map(|instant| creation(config, image, instant)));
    moments.extend(state.started.map(|instant| start(config, instant)));
    moments.extend(state.finished.map(|instant| end(config, instant)));
    let probes = state.probes.iter().take(PROBE_LIMIT).enumerate();
    moments.extend(probes.filter_map(|(index, probe)| health(index, probe)));
    moments
}

fn moment(step: Step, (instant, meaning): (Instant, Meaning), text: String) -> Moment {
    let confidence = Confidence::Recorded;
    Moment { step, instant, meaning, confidence, exit_code: None, text }
}

fn creation(config: &ConfigV2, image: Option<&str>, instant: Instant) -> Moment {
    let state = &config.state;
    let mut text = String::from("container created");
    if let Some(image) = image {
        text.push_str(&format!(" from {image}"));
    }
    let failed = state.started.is_none()
        && (state.error.is_some() || state.exit_code.is_some_and(|code| code != 0));
    if failed {
        let code = state.exit_code.unwrap_or_default();
        text.push_str(&format!("; could not be started (exit code {code})"));
        add_error(state, &mut text);
    } else if state.started.is_none() {
        text.push_str("; never started");
    }
    let created = moment(Step::Creation, (instant, Meaning::Creation), text);
    Moment { exit_code: state.exit_code.filter(|_| failed), ..created }
}

fn start(config: &ConfigV2, instant: Instant) -> Moment {
    let state = &config.state;
    let mut text = String::from("container started");
    if let Some(count) = config.restart_count.filter(|count| *count > 0) {
        text.push_str(&format!(" by its restart policy (restart {count})"));
    }
    text.push_str(match state {
        State { restarting: true, .. } => "; waiting for a restart when this was written",
        State { running: true, paused: true, .. } => "; paused when this was written",
        State { running: true, .. } => "; still running when this was written",
        State { finished: None, .. } => "; no end recorded",
        _ => "",
    });
    if state.finished.is_none() {
        add_error(state, &mut text);
    }
    moment(Step::Start, (instant, Meaning::Start), text)
}

fn end(config: &ConfigV2, instant: Instant) -> Moment {
    let state = &config.state;
    let before_start = state.started.is_some_and(|started| instant < started);
    if state.running && !state.restarting {
        // The start of the run that goes on has set the exit code to 0.
        let text = if before_start || state.started.is_none() {
            "previous run of the container ended; its exit code was not kept"
        } else {
            "container ended, though marked as running; its exit code was not kept"
        };
        return moment(Step::End, (instant, Meaning::End), text.to_owned());
    }
    let mut text = ended(state);
    if config.manually_stopped == Some(true) {
        text.push_str("; stopped on request: docker stop or kill, or a daemon start after a crash");
    }
    if state.restarting {
        text.push_str("; to be restarted by its policy");
    }
    add_error(state, &mut text);
    let stamped = state.exit_code == Some(UNKNOWN_EXIT) && !state.running;
    if stamped {
        text.push_str(
            "; a daemon start stamps this code and its own time on what a crash ended, \
             so the end may have been earlier",
        );
    }
    if before_start && !stamped {
        text.push_str(
            "; recorded before its start, as engines up to 26 stamp the start of a short run \
             after its end",
        );
    }
    let ended = moment(Step::End, (instant, Meaning::End), text);
    let confidence = if stamped { Confidence::Inferred } else { Confidence::Recorded };
    Moment { confidence, exit_code: state.exit_code, ..ended }
}

fn ended(state: &State) -> String {
    let mut text = match state.exit_code {
        Some(code @ 137) => format!("container exited with code {code} (killed)"),
        Some(code @ 143) => format!("container exited with code {code} (terminated)"),
        Some(code) => format!("container exited with code {code}"),
        None => String::from("container exited"),
    };
    if state.oom_killed {
        text.push_str("; out of memory");
    }
    text
}

fn add_error(state: &State, text: &mut String) {
    if let Some(error) = &state.error {
        text.push_str(&format!(": {}", error.trim_end()));
    }
}

fn health(index: usize, probe: &Probe) -> Option<Moment> {
    let (instant, meaning) = match (probe.start, probe.end) {
        (Some(start), _) => (start, Meaning::Start),
        (None, Some(end)) => (end, Meaning::End),
        (None, None) => return None,
    };
    let mut text = match probe.exit_code {
        Some(0) => String::from("health probe passed"),
        Some(-1) => String::from("health probe did not finish"),
        Some(code) => format!("health probe failed with exit code {code}"),
        None => String::from("health probe"),
    };
    let output = probe.output.as_deref().unwrap_or_default();
    let line: String =
        output.trim().chars().take_while(|c| *c != '\n').take(OUTPUT_SHOWN).collect();
    if !line.is_empty() {
        text.push_str(&format!(": {line}"));
    }
    let probed = moment(Step::Probe(index), (instant, meaning), text);
    Some(Moment { exit_code: probe.exit_code, ..probed })
}
