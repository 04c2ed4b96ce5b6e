//! `dockline sources`: what was recognised in the evidence, without a timeline of it.
//!
//! Versions of engines are those that daemons said when they started, in logs that are on the disk;
//! nothing in a data root says them.

use crate::arguments::SourcesArguments;
use crate::request::{EvidenceArgument, nested, one_evidence};
use crate::sources::Sources;
use crate::{Ending, console, report, summary};
use dockline_evidence::source::FoundFileSystem;
use dockline_evidence::{Opening, Source, Spool};
use dockline_parsers::plan::{DataRoot, Layers, Reading};
use dockline_parsers::{Plan, plan};
use dockline_timeline::{Event, Instant, Job, Keep, Options, Value as Fact};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Parsers of logs in which daemons say their versions.
const LOGS: [&str; 2] = ["host.daemon_log", "host.journal"];

/// What a daemon said of itself when it started last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    version: String,
    at: Instant,
    /// The log that says so.
    told_by: String,
}

/// Versions by host and engine.
type Versions = BTreeMap<(String, String), Version>;

/// Prints what was recognised.
pub(crate) fn run(arguments: &SourcesArguments) -> anyhow::Result<Ending> {
    let evidence: Vec<EvidenceArgument> =
        arguments.evidence.iter().map(|text| one_evidence(text)).collect::<anyhow::Result<_>>()?;
    let spool = Spool::new(arguments.temp_dir.clone());
    let opening = Opening { spool, verify: arguments.verify };
    let sources = Sources::open(&evidence, &opening);
    let (nested, layers) = (nested(arguments.nested), Layers::None);
    let reading = Reading { opening, nested, layers, ..Reading::default() };
    let plan = plan(&sources.subtrees, &|_| true, &reading);
    let versions = versions(&plan)?;
    let found = Found { sources: &sources, plan: &plan, roots: plan.data_roots(), versions };
    let text = if arguments.json { format!("{:#}\n", found.json()) } else { found.table() };
    console::print(&text)?;
    let issues: Vec<_> = sources.issues.iter().chain(&plan.issues).cloned().collect();
    if issues.is_empty() {
        return Ok(Ending::Done);
    }
    if !arguments.json {
        console::say(&summary::issues(&issues, 0, true).trim_end());
    }
    Ok(Ending::Partial)
}

/// Reads the logs in which daemons say their versions.
fn versions(plan: &Plan) -> anyhow::Result<Versions> {
    let found: Arc<Mutex<Versions>> = Arc::default();
    let into = found.clone();
    let keep: Keep = Box::new(move |event| {
        if let Some((key, version)) = said(event) {
            let mut versions = into.lock().unwrap_or_else(PoisonError::into_inner);
            let known = versions.entry(key).or_insert_with(|| version.clone());
            if (known.at, &known.told_by) < (version.at, &version.told_by) {
                *known = version;
            }
        }
        false
    });
    let logs = plan.planned.iter().filter(|planned| LOGS.contains(&planned.parser.name));
    let jobs: Vec<Job> = logs.map(dockline_parsers::plan::Planned::job).collect();
    let options = Options { keep: Some(keep), ..Options::default() };
    dockline_timeline::run(jobs, Vec::new(), &options, &())?;
    let versions = found.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(versions.clone())
}

/// The version that an event tells, with the host and the engine that it is of.
fn said(event: &Event<'_>) -> Option<((String, String), Version)> {
    let fact = |name: &str| {
        let attribute = event.attributes.iter().find(|attribute| attribute.name == name)?;
        match &attribute.value {
            Fact::Text(text) => Some(text.clone().into_owned()),
            _ => None,
        }
    };
    let (version, engine) = (fact("engine_version")?, fact("engine")?);
    let told_by = format!("{}:{}", event.origin.evidence, event.origin.path);
    let version = Version { version, at: event.instant, told_by };
    Some(((event.origin.host.to_string(), engine), version))
}

/// What was recognised.
struct Found<'a> {
    sources: &'a Sources,
    plan: &'a Plan,
    roots: Vec<DataRoot>,
    versions: Versions,
}

impl Found<'_> {
    /// The hosts of which there is anything.
    fn hosts(&self) -> BTreeSet<&str> {
        let files = self.plan.planned.iter().flat_map(|planned| &planned.artifact.files);
        files.map(|file| &*file.origin.host).collect()
    }

    fn roots_of(&self, host: &str) -> impl Iterator<Item = &DataRoot> {
        self.roots.iter().filter(move |root| &*root.host == host)
    }

    fn versions_of(&self, host: &str) -> impl Iterator<Item = (&str, &Version)> {
        let of_host = self.versions.iter().filter(move |((name, _), _)| name == host);
        of_host.map(|((_, engine), version)| (engine.as_str(), version))
    }

    fn json(&self) -> Value {
        let evidence = |opened: &crate::sources::Opened| {
            let mut about = about(&opened.source);
            about.insert("path".to_owned(), json!(opened.path.to_string_lossy()));
            Value::Object(about)
        };
        let issues = self.sources.issues.iter().chain(&self.plan.issues);
        json!({
            "evidence": self.sources.opened.iter().map(evidence).collect::<Vec<_>>(),
            "nested": self.plan.nested.iter().map(|disk| Value::Object(about(disk))).collect::<Vec<_>>(),
            "hosts": self.hosts().into_iter().map(|host| self.host_json(host)).collect::<Vec<_>>(),
            "issues": issues.map(report::issue).collect::<Vec<_>>(),
        })
    }

    fn host_json(&self, host: &str) -> Value {
        let version = |(engine, version): (&str, &Version)| {
            json!({
                "engine": engine,
                "version": version.version,
                "started": version.at.to_string(),
                "told_by": version.told_by,
            })
        };
        let root = |root: &DataRoot| {
            json!({
                "evidence": *root.evidence,
                "path": root.path,
                "engines": root.engines,
                "drivers": root.drivers,
                "containers": root.containers,
                "files": root.files,
            })
        };
        json!({
            "name": host,
            "engines": self.versions_of(host).map(version).collect::<Vec<_>>(),
            "data_roots": self.roots_of(host).map(root).collect::<Vec<_>>(),
        })
    }

    fn table(&self) -> String {
        let mut text = String::from("EVIDENCE\n");
        let opened = self.sources.opened.iter().map(|opened| &opened.source);
        for source in opened.chain(&self.plan.nested) {
            write_source(&mut text, source);
        }
        text.push_str("\nHOSTS\n");
        for host in self.hosts() {
            self.write_host(&mut text, host);
        }
        text
    }

    // Writing to a string cannot fail.
    fn write_host(&self, text: &mut String, host: &str) {
        let _ok = writeln!(text, "{host}");
        for (engine, version) in self.versions_of(host) {
            let Version { version, at, told_by } = version;
            let _ok = writeln!(text, "    {engine} {version}, started {} ({told_by})", at.civil());
        }
        for root in self.roots_of(host) {
            let words = |set: &mut dyn Iterator<Item = &str>| set.collect::<Vec<_>>().join(", ");
            let engines = words(&mut root.engines.iter().copied());
            let drivers = words(&mut root.drivers.iter().map(String::as_str));
            let drivers = if drivers.is_empty() { drivers } else { format!(" ({drivers})") };
            let (path, evidence) = (&root.path, &root.evidence);
            let (containers, files) = (root.containers, root.files);
            let _ok = writeln!(
                text,
                "    {engines}{drivers}  {evidence}:{path}  {containers} containers, {files} files"
            );
        }
    }
}

/// What is known of an evidence, with the parts that are not read.
fn about(source: &Source) -> serde_json::Map<String, Value> {
    let mut about = report::source(source);
    let skipped = source.skipped.iter();
    let skipped = skipped.map(|part| json!({ "path": part.prefix, "why": part.why })).collect();
    about.insert("skipped".to_owned(), skipped);
    about
}

fn write_source(text: &mut String, source: &Source) {
    let table = source.partition_table.map(|table| format!(", {table}")).unwrap_or_default();
    let parts = match source.parts.len() {
        0 => String::new(),
        more => format!(", {} files", more.saturating_add(1)),
    };
    let _ok = writeln!(text, "{}  {}{table}{parts}", source.name, source.kind);
    for part in &source.lvm_parts {
        let _ok = writeln!(text, "    {:<24} part of LVM2 volume groups", shown(part));
    }
    for found in &source.file_systems {
        let _ok = writeln!(text, "    {:<24} {}", shown(&found.prefix), words(found));
    }
    for part in &source.skipped {
        let _ok = writeln!(text, "    {:<24} not read: {}", shown(&part.prefix), part.why);
    }
}

fn shown(prefix: &str) -> &str {
    if prefix.is_empty() { "/" } else { prefix }
}

fn words(found: &FoundFileSystem) -> String {
    let label = found.label.as_ref().filter(|label| !label.is_empty());
    let label = label.map(|label| format!(" {label:?}")).unwrap_or_default();
    let uuid = found.uuid.as_ref().map(|uuid| format!(" {uuid}")).unwrap_or_default();
    let place = found.mounted_at.as_ref().map(|place| format!(", mounted at {place}"));
    format!("{}{label}{uuid}{}", found.kind, place.unwrap_or_default())
}
