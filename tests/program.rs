//! Runs the program as a user would.

use crate::case::project;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A real host in `testdata/hosts`.
pub(crate) fn host(name: &str) -> PathBuf {
    project("testdata/hosts").join(format!("{name}.tar.zst"))
}

/// A command of the program, without the user's environment.
pub(crate) fn dockline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockline"));
    command.args(arguments).env_remove("NO_COLOR");
    command
}

/// Runs the program; its exit status must be one of `expected`.
pub(crate) fn run(arguments: &[&str], expected: &[i32]) -> Output {
    let output = dockline(arguments).output().unwrap();
    let status = output.status.code().unwrap_or(-1);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(expected.contains(&status), "dockline {arguments:?} ended with {status}:\n{words}");
    output
}

/// The events of a timeline of one evidence.
pub(crate) fn events_of(evidence: &Path) -> Vec<Value> {
    let evidence = evidence.to_str().unwrap();
    let output = run(&["timeline", evidence, "-f", "jsonl", "-q"], &[0, 3]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A text field of an event; empty when absent.
pub(crate) fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A list field of an event; empty when absent.
pub(crate) fn list<'a>(event: &'a Value, field: &str) -> Vec<&'a str> {
    let items = event.get(field).and_then(Value::as_array);
    items.map(|items| items.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}
