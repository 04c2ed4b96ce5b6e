//! The run report as JSON: every artifact, every issue, and every file that looked relevant and was
//! skipped, with why.

use crate::per_host::HostPaths;
use crate::request::Request;
use crate::sources::{Opened, Sources};
use dockline_evidence::Source;
use dockline_evidence::source::{FoundFileSystem, StoredHash};
use dockline_parsers::Plan;
use dockline_timeline::{Counts, Instant, Issue, Rank, Report};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The whole report.
pub(crate) fn report(
    (request, hosts): (&Request, &BTreeMap<&'static str, HostPaths>),
    sources: &Sources,
    plan: &Plan,
    run: &Report,
) -> Value {
    let total = run.total();
    json!({
        "dockline": env!("CARGO_PKG_VERSION"),
        "evidence": sources.opened.iter().map(evidence).collect::<Vec<_>>(),
        "nested": plan.nested.iter().map(|disk| &*disk.name).collect::<Vec<_>>(),
        "outputs": outputs(request, run),
        "host_outputs": host_outputs(hosts, run),
        "totals": counts(&total),
        "events_left_out": run.left_out,
        "parsers": parsers(plan, run),
        "artifacts": artifacts(plan, run),
        "issues": run.issues.iter().map(issue).collect::<Vec<_>>(),
        "issues_not_kept": run.issues_not_kept(),
        "skipped": plan.unclaimed.iter().map(skipped).collect::<Vec<_>>(),
    })
}

fn evidence(opened: &Opened) -> Value {
    let mut about = source(&opened.source);
    about.insert("path".to_owned(), json!(opened.path.to_string_lossy()));
    Value::Object(about)
}

/// What is known of an evidence, or of a disk in one.
pub(crate) fn source(source: &Source) -> Map<String, Value> {
    let hash = |hash: &StoredHash| json!({ "algorithm": hash.algorithm, "stored": hash.digits, "is_right": hash.is_right });
    let part = |part: &Vec<u8>| String::from_utf8_lossy(part).into_owned();
    Map::from_iter([
        ("name".to_owned(), json!(*source.name)),
        ("kind".to_owned(), json!(source.kind)),
        ("parts".to_owned(), json!(source.parts.iter().map(part).collect::<Vec<_>>())),
        ("partition_table".to_owned(), json!(source.partition_table)),
        ("lvm_parts".to_owned(), json!(source.lvm_parts)),
        ("file_systems".to_owned(), source.file_systems.iter().map(file_system).collect()),
        ("hashes".to_owned(), source.stored_hashes.iter().map(hash).collect()),
    ])
}

fn file_system(found: &FoundFileSystem) -> Value {
    json!({
        "path": found.prefix,
        "kind": found.kind,
        "uuid": found.uuid,
        "label": found.label,
        "mounted_at": found.mounted_at,
    })
}

fn outputs(request: &Request, run: &Report) -> Vec<Value> {
    let output =
        |(output, sink): (&crate::request::OutputArgument, &dockline_timeline::SinkReport)| {
            let path = output.path.as_ref().map(|path| path.to_string_lossy().into_owned());
            json!({
                "path": path.unwrap_or_else(|| "-".to_owned()),
                "format": output.format,
                "events": sink.rows,
                "events_not_carried": sink.not_carried,
            })
        };
    request.outputs.iter().zip(&run.sinks).map(output).collect()
}

/// The files of `--per-host`.
fn host_outputs(hosts: &BTreeMap<&'static str, HostPaths>, run: &Report) -> Vec<Value> {
    let mut outputs = Vec::new();
    for (format, paths) in hosts {
        // One sink of a format has the parts.
        let mut sinks = run.sinks.iter().filter(|sink| sink.name == *format);
        let rows = sinks.find(|sink| !sink.rows_of_parts.is_empty());
        let rows = rows.map(|sink| sink.rows_of_parts.as_slice()).unwrap_or_default();
        for ((host, path), events) in paths.iter().zip(rows) {
            let path = path.to_string_lossy();
            outputs.push(json!({ "host": host, "path": path, "format": format, "events": events }));
        }
    }
    outputs
}

fn parsers(plan: &Plan, run: &Report) -> Value {
    let found = run.parsers();
    let entry = |(name, files): (&'static str, usize)| {
        let of_parser = found.get(&Some(name)).map(|(_, counts)| *counts).unwrap_or_default();
        let mut entry = counts(&of_parser);
        entry.insert("artifacts".to_owned(), json!(files));
        (name.to_owned(), Value::Object(entry))
    };
    Value::Object(plan.files_of_each_parser().into_iter().map(entry).collect())
}

/// Every artifact of the plan, with what was found in it.
fn artifacts(plan: &Plan, run: &Report) -> Vec<Value> {
    let found: BTreeMap<Rank, &Counts> =
        run.files.iter().filter_map(|file| Some((file.rank?, &file.counts))).collect();
    let nothing = Counts::default();
    let mut artifacts = Vec::new();
    for planned in &plan.planned {
        for file in &planned.artifact.files {
            let size = planned.artifact.tree.metadata(&file.path).ok().map(|found| found.size);
            let mut entry = Map::from_iter([
                ("evidence".to_owned(), json!(*file.origin.evidence)),
                ("path".to_owned(), json!(*file.origin.path)),
                ("host".to_owned(), json!(*file.origin.host)),
                ("parser".to_owned(), json!(planned.parser.name)),
                ("size".to_owned(), json!(size)),
            ]);
            entry.append(&mut counts(found.get(&file.origin.rank).unwrap_or(&&nothing)));
            artifacts.push(Value::Object(entry));
        }
    }
    artifacts
}

fn counts(counts: &Counts) -> Map<String, Value> {
    let time = |instant: Option<Instant>| instant.map(|instant| instant.to_string());
    let issues = json!({
        "unreadable": counts.issues.unreadable,
        "malformed": counts.issues.malformed,
        "unsupported": counts.issues.unsupported,
        "limit_reached": counts.issues.limit_reached,
    });
    Map::from_iter([
        ("records".to_owned(), json!(counts.records)),
        ("records_not_about_containers".to_owned(), json!(counts.unconcerned)),
        ("record_bytes".to_owned(), json!(counts.record_bytes)),
        ("events".to_owned(), json!(counts.events)),
        ("issues".to_owned(), issues),
        ("lost_records".to_owned(), json!(counts.lost_records)),
        ("lost_bytes".to_owned(), json!(counts.lost_bytes)),
        ("first".to_owned(), json!(time(counts.first))),
        ("last".to_owned(), json!(time(counts.last))),
    ])
}

pub(crate) fn issue(issue: &Issue) -> Value {
    json!({
        "kind": issue.kind.name(),
        "evidence": *issue.place.evidence,
        "path": *issue.place.path,
        "position": issue.place.position.to_string(),
        "what": issue.what,
        "lost_records": issue.lost_records,
        "lost_bytes": issue.lost_bytes,
    })
}

fn skipped(unclaimed: &dockline_parsers::plan::Unclaimed) -> Value {
    json!({
        "evidence": *unclaimed.place.evidence,
        "path": *unclaimed.place.path,
        "why": unclaimed.why,
    })
}
