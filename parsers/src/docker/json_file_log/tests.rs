//! The log as a whole: real bytes to whole events, and promises for any log.

use super::chain::Chain;
use super::entry::Log;
use super::{DIVISION, Division, read};
use dockline_evidence::{MemoryTree, ReadAt};
use dockline_timeline::{Collected, Origin, Rank, Subject};
use std::sync::Arc;

mod generator;
mod hostile;
mod pieces;
mod promises;
mod real;
mod rotations;
mod uniform;

/// Divides even the smallest log.
const SMALL: Division = Division { at_once: 0, range: 3_000, block: 400 };

/// The log that consists of these files, the oldest first.
fn log(files: &[&[u8]]) -> Log {
    let file = |(rank, bytes): (u64, &&[u8])| {
        let place = ("host".into(), "evidence".into(), format!("/log.{rank}").into());
        let origin = Arc::new(Origin::new(place, "docker.json_file_log", Rank(rank)));
        let bytes: Arc<dyn ReadAt> = Arc::new(bytes.to_vec());
        (origin, bytes)
    };
    Log {
        chain: Chain::of((0..).zip(files).map(file)),
        subject: Subject::UNKNOWN,
        is_removed: false,
    }
}

/// What is found in these files when they are read at once.
fn found(files: &[&[u8]]) -> Collected {
    let mut found = Collected::new();
    read(log(files), DIVISION, &mut found);
    found
}

/// Each event as `offset stream text`, and what else is said of it.
fn shown(found: &Collected) -> Vec<String> {
    found.lines.iter().map(|line| show(line)).collect()
}

fn show(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
    let body = event["message_body"].as_str().or(event["message"].as_str()).unwrap();
    let mut shown = format!("{} {} {body:?}", text("source_locator"), text("log_source"));
    for name in ["pieces", "incomplete", "log_attributes"] {
        if let Some(value) = event.get(name) {
            shown.push_str(&format!(" {name}={value}"));
        }
    }
    shown
}

/// Each issue as `offset what records bytes`.
fn issues(found: &Collected) -> Vec<String> {
    let show = |issue: &dockline_timeline::Issue| {
        format!(
            "{} {} -{} -{}",
            issue.place.position, issue.what, issue.lost_records, issue.lost_bytes
        )
    };
    found.issues.iter().map(show).collect()
}

/// A record as the engine writes it; `log` stands as it is between the quotes.
fn record(log: &str, stream: &str, time: &str) -> String {
    format!("{{\"log\":\"{log}\",\"stream\":\"{stream}\",\"time\":\"2026-11-21T21:54:{time}Z\"}}\n")
}
