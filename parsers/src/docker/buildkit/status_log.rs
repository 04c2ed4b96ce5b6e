//! The log of a build (`application/vnd.buildkit.status.v0`): its steps and what they wrote.
//!
//! Messages `StatusResponse` one after another, each after its length in four bytes, the lowest
//! first: vertexes, their progress, lines and warnings. A vertex comes again whenever something
//! about it changes, and one that was loaded in several rounds has several starts.

use crate::formats::protobuf::{self, Problem, Value, fields};
use dockline_timeline::{Instant, IssueKind};
use std::collections::BTreeMap;

/// A step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) cached: bool,
    pub(super) started: Option<Instant>,
    pub(super) completed: Option<Instant>,
    pub(super) error: Option<String>,
}

/// A piece of output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Digest of the step.
    pub(super) step: String,
    pub(super) instant: Option<Instant>,
    /// 1 is standard output, 2 is standard error.
    pub(super) stream: i64,
    pub(super) text: String,
}

/// All steps and output of a build.
#[derive(Debug, Default)]
pub(super) struct StatusLog {
    /// By digest and start, the last that was said of each.
    pub(super) steps: BTreeMap<(String, Option<Instant>), Step>,
    pub(super) lines: Vec<Line>,
    /// Why the rest could not be read.
    pub(super) problem: Option<Problem>,
}

impl StatusLog {
    pub(super) fn read(bytes: &[u8]) -> StatusLog {
        let mut log = StatusLog::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let offset = bytes.len().saturating_sub(rest.len());
            let message = rest.split_first_chunk::<4>().and_then(|(length, after)| {
                let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
                after.split_at_checked(length)
            });
            let Some((message, after)) = message else {
                let what = "cut off: no whole message".to_owned();
                log.problem = Some(Problem { kind: IssueKind::Malformed, offset, what });
                break;
            };
            if let Err(problem) = log.add(message) {
                let offset = problem.offset.saturating_add(offset);
                log.problem = Some(Problem { offset, ..problem });
            }
            rest = after;
        }
        log
    }

    fn add(&mut self, message: &[u8]) -> Result<(), Problem> {
        for field in fields(message) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Bytes(bytes)) => {
                    let (digest, step) = step(bytes)?;
                    self.steps.insert((digest, step.started), step);
                }
                (3, Value::Bytes(bytes)) => self.lines.push(line(bytes)?),
                _ => {}
            }
        }
        Ok(())
    }

    /// What a step is called.
    pub(super) fn name_of(&self, digest: &str) -> Option<&str> {
        let first = (digest.to_owned(), None);
        let mut known = self.steps.range(first..).take_while(|((known, _), _)| known == digest);
        known.next().map(|(_, step)| step.name.as_str())
    }
}

fn step(message: &[u8]) -> Result<(String, Step), Problem> {
    let (mut digest, mut step) = (String::new(), Step::default());
    for field in fields(message) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(bytes)) => digest = super::text(bytes),
            (3, Value::Bytes(bytes)) => step.name = super::text(bytes),
            (4, Value::Varint(cached)) => step.cached = cached == 1,
            (5, Value::Bytes(bytes)) => step.started = protobuf::timestamp(bytes)?,
            (6, Value::Bytes(bytes)) => step.completed = protobuf::timestamp(bytes)?,
            (7, Value::Bytes(bytes)) => step.error = Some(super::text(bytes)),
            _ => {}
        }
    }
    step.error = step.error.filter(|error| !error.is_empty());
    Ok((digest, step))
}

fn line(message: &[u8]) -> Result<Line, Problem> {
    let mut line = Line::default();
    for field in fields(message) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(bytes)) => line.step = super::text(bytes),
            (2, Value::Bytes(bytes)) => line.instant = protobuf::timestamp(bytes)?,
            (3, value) => line.stream = value.integer().unwrap_or_default(),
            (4, Value::Bytes(bytes)) => line.text = super::text(bytes),
            _ => {}
        }
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::StatusLog;

    #[test]
    fn a_log_that_is_cut_gives_what_stands_before_the_cut() {
        // A line "x" of step "d" on standard error, at second 1, twice.
        let message = *b"\x1a\x0d\x0a\x01d\x12\x02\x08\x01\x18\x02\x22\x02x\n";
        let mut bytes = Vec::new();
        for _ in 0..2 {
            bytes.extend(u32::try_from(message.len()).unwrap().to_le_bytes());
            bytes.extend(message);
        }
        let whole = StatusLog::read(&bytes);
        assert_eq!((whole.lines.len(), whole.problem.is_none()), (2, true));
        let line = &whole.lines[0];
        assert_eq!((line.step.as_str(), line.stream, line.text.as_str()), ("d", 2, "x\n"));
        for length in 0..bytes.len() {
            let cut = StatusLog::read(&bytes[..length]);
            assert_eq!(cut.lines.len(), length / (bytes.len() / 2));
            assert_eq!(cut.problem.is_some(), length % (bytes.len() / 2) != 0, "{length}");
        }
    }
}
