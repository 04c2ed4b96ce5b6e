//! A case for the tests of a parser: files in memory, and all that the parser finds in them.
#![cfg(test)]

use crate::Asked;
use crate::plan::{Reading, Subtree, plan};
use dockline_evidence::{FileKind, MemoryTree};
use dockline_timeline::{Collected, Findings, Instant};
use serde_json::Value;
use std::sync::Arc;

/// When every file of a case was last modified.
pub(crate) const MODIFIED: &str = "2026-01-01T00:00:00Z";

/// Files in memory.
#[derive(Clone, Default)]
pub(crate) struct Case(MemoryTree);

/// What a parser found: events as written out, issues in words.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Value>,
    pub(crate) issues: Vec<String>,
    pub(crate) records: u64,
    pub(crate) unconcerned: u64,
    pub(crate) unclaimed: Vec<String>,
}

impl Case {
    pub(crate) fn with(self, path: &str, content: impl Into<Vec<u8>>) -> Case {
        let modified = Instant::parse_rfc3339(MODIFIED).unwrap();
        Case(self.0.with_file(path, content, modified))
    }

    /// A file, or a directory when the path ends with `/`, that was last modified then.
    pub(crate) fn at(self, time: &str, path: &str, content: &str) -> Case {
        let modified = Instant::parse_rfc3339(time).unwrap();
        Case(match path.strip_suffix('/') {
            Some(directory) => self.0.with_directory(directory, modified),
            None => self.0.with_file(path, content, modified),
        })
    }

    pub(crate) fn with_link(self, path: &str, target: impl AsRef<[u8]>) -> Case {
        Case(self.0.with_node(path, FileKind::SymbolicLink, target.as_ref()))
    }

    /// Reads the case with one parser.
    pub(crate) fn read(self, parser: &str) -> Outcome {
        self.read_asked(parser, Asked::default())
    }

    /// Reads the case with one parser, and what is asked for.
    pub(crate) fn read_asked(self, parser: &str, asked: Asked) -> Outcome {
        let subtree = Subtree {
            evidence: Arc::from("case"),
            host: Some(Arc::from("host")),
            fallback_host: Arc::from("host"),
            prefix: Arc::from(""),
            depth: 0,
            tree: Arc::new(self.0),
        };
        let reading = Reading { asked, ..Reading::default() };
        let plan = plan(&[subtree], &|known| known.name == parser, &reading);
        let mut found = Collected::new();
        for job in plan.jobs() {
            found.job(job);
        }
        Outcome {
            events: found.lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect(),
            issues: found.issues.iter().map(ToString::to_string).collect(),
            records: found.records,
            unconcerned: found.unconcerned,
            unclaimed: plan.unclaimed.iter().map(|file| file.why.clone()).collect(),
        }
    }
}

impl Outcome {
    /// The only event with this action.
    pub(crate) fn only(&self, action: &str) -> &Value {
        let events = self.all(action);
        assert_eq!(events.len(), 1, "events of {action} in {:#?}", self.events);
        events[0]
    }

    pub(crate) fn all(&self, action: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["action"] == action).collect()
    }
}
