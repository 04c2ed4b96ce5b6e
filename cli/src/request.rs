//! What the user's words mean, checked before any work begins.

use crate::arguments::{self, TimelineArguments, When};
use dockline_parsers::asked::HASH_LIMIT;
use dockline_parsers::plan::{Layers, Nested};
use dockline_parsers::{Asked, Parser};
use dockline_timeline::{Event, Instant};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Less memory than this cannot hold the buffers of one thread.
const LEAST_MEMORY: u64 = 32 << 20;
/// Digits of a container's id that are enough to mean it.
const SHORT_ID: usize = 12;

/// Arguments that ask for something that cannot be: one sentence that names the thing and says what
/// to do.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct WrongUsage(pub(crate) String);

fn wrong<T>(sentence: impl Into<String>) -> anyhow::Result<T> {
    Err(WrongUsage(sentence.into()).into())
}

/// One evidence argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EvidenceArgument {
    /// Name of the host, when the user gave one.
    pub(crate) host: Option<String>,
    /// The file or directory.
    pub(crate) path: PathBuf,
}

/// Where an output goes and in which format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutputArgument {
    /// `None` is standard output.
    pub(crate) path: Option<PathBuf>,
    /// Name of the format.
    pub(crate) format: &'static str,
}

/// Where the timelines of hosts go, and in which formats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PerHost {
    /// The directory.
    pub(crate) directory: PathBuf,
    /// Names of formats, each once.
    pub(crate) formats: Vec<&'static str>,
}

/// Which parsers run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All.
    All,
    /// Only these.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

/// A timeline to be made.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) evidence: Vec<EvidenceArgument>,
    pub(crate) outputs: Vec<OutputArgument>,
    pub(crate) per_host: Option<PerHost>,
    pub(crate) start: Option<Instant>,
    pub(crate) end: Option<Instant>,
    pub(crate) selection: Selection,
    pub(crate) containers: Vec<String>,
    pub(crate) nested: Nested,
    pub(crate) layers: Layers,
    pub(crate) asked: Asked,
    pub(crate) verify: bool,
    pub(crate) threads: usize,
    pub(crate) memory: u64,
    pub(crate) temp_dir: Option<PathBuf>,
    pub(crate) report: Option<PathBuf>,
    pub(crate) overwrite: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) colour: bool,
    pub(crate) progress: When,
}

impl Request {
    /// Checks the arguments.
    pub(crate) fn new(arguments: TimelineArguments) -> anyhow::Result<Request> {
        let start = arguments.start.as_deref().map(instant).transpose()?;
        let end = arguments.end.as_deref().map(instant).transpose()?;
        if let (Some(start), Some(end)) = (start, end)
            && start >= end
        {
            return wrong("--start must lie before --end; the end itself is not included");
        }
        let (outputs, per_host) = destinations(&arguments)?;
        let request = Request {
            evidence: evidence(&arguments.evidence)?,
            asked: asked(&arguments)?,
            outputs,
            per_host,
            start,
            end,
            selection: selection(&arguments.parsers)?,
            containers: arguments.container,
            nested: nested(arguments.nested),
            layers: layers(arguments.layers),
            verify: arguments.verify,
            threads: arguments.threads.map_or_else(cores, usize::from),
            memory: memory(&arguments.memory)?,
            temp_dir: arguments.temp_dir,
            report: arguments.report,
            overwrite: arguments.overwrite,
            quiet: arguments.quiet,
            verbose: arguments.verbose,
            colour: !arguments.no_color && std::env::var_os("NO_COLOR").is_none(),
            progress: arguments.progress,
        };
        request.check_paths()?;
        Ok(request)
    }

    /// Whether a parser is selected.
    pub(crate) fn selects(&self, parser: &Parser) -> bool {
        match &self.selection {
            Selection::All => true,
            Selection::Only(names) => names.iter().any(|name| is_named(parser, name)),
            Selection::AllBut(names) => !names.iter().any(|name| is_named(parser, name)),
        }
    }

    fn check_paths(&self) -> anyhow::Result<()> {
        if let Some(directory) = self.temp_dir.as_ref().filter(|path| !path.is_dir()) {
            return wrong(format!("--temp-dir {}: no such directory", directory.display()));
        }
        let written = self.outputs.iter().filter_map(|output| output.path.as_ref());
        let mut seen: Vec<&PathBuf> = Vec::new();
        for path in written.chain(self.report.iter()) {
            if seen.contains(&path) && is_ordinary(path) {
                return wrong(format!("{} is named for two outputs", path.display()));
            }
            seen.push(path);
            check_output((&self.evidence, self.overwrite), path)?;
        }
        if let Some(PerHost { directory, .. }) = &self.per_host {
            check_place(&self.evidence, directory, directory)?;
        }
        let to_standard_output = self.outputs.iter().filter(|output| output.path.is_none()).count();
        if to_standard_output > 1 {
            return wrong("only one output can go to standard output; name a file for the others");
        }
        Ok(())
    }

    /// Whether an event passes `--container`.
    pub(crate) fn keeps(containers: &[String], event: &Event<'_>) -> bool {
        let subject = event.subject;
        let id = subject.container_identifier.as_deref().unwrap_or_default();
        let name = subject.container_name.as_deref().unwrap_or_default();
        containers.iter().any(|wanted| is_container(wanted, (name, id)))
    }
}

/// Whether a container of that name and id is meant.
pub(crate) fn is_container(wanted: &str, (name, id): (&str, &str)) -> bool {
    let wanted = wanted.strip_prefix('/').unwrap_or(wanted);
    (!wanted.is_empty() && name == wanted) || (wanted.len() >= SHORT_ID && id.starts_with(wanted))
}

/// Checks that a file can be written where none of the evidence is.
pub(crate) fn check_output(
    (evidence, overwrite): (&[EvidenceArgument], bool),
    path: &Path,
) -> anyhow::Result<()> {
    let shown = path.display();
    if path.is_dir() {
        return wrong(format!("{shown} is a directory; name a file in it"));
    }
    if is_ordinary(path) && path.exists() && !overwrite {
        return wrong(format!("{shown} exists; name another file, or give --overwrite"));
    }
    let directory = directory_of(path);
    if !directory.is_dir() {
        return wrong(format!("{shown}: there is no directory {}", directory.display()));
    }
    check_place(evidence, directory, path)
}

/// Checks that a directory, which need not be there yet, lies outside of the evidence.
fn check_place(evidence: &[EvidenceArgument], directory: &Path, path: &Path) -> anyhow::Result<()> {
    let there = directory.ancestors().find_map(|above| {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        above.canonicalize().ok()
    });
    let inside = |evidence: &&EvidenceArgument| {
        let root = evidence.path.canonicalize().ok().filter(|root| root.is_dir());
        root.zip(there.as_ref()).is_some_and(|(root, there)| there.starts_with(root))
    };
    match evidence.iter().find(inside) {
        Some(evidence) => wrong(format!(
            "{} lies inside the evidence {}; write it elsewhere",
            path.display(),
            evidence.path.display()
        )),
        None => Ok(()),
    }
}

/// The directory that a file is to lie in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether `path` is an ordinary file or is yet to be one; `/dev/null` is not.
pub(crate) fn is_ordinary(path: &Path) -> bool {
    path.metadata().map_or(true, |metadata| metadata.is_file())
}

fn layers(which: arguments::Layers) -> Layers {
    match which {
        arguments::Layers::None => Layers::None,
        arguments::Layers::Built => Layers::Built,
        arguments::Layers::All => Layers::All,
    }
}

pub(crate) fn nested(which: arguments::Nested) -> Nested {
    match which {
        arguments::Nested::Known => Nested::Known,
        arguments::Nested::All => Nested::All,
        arguments::Nested::Never => Nested::Never,
    }
}

fn is_named(parser: &Parser, name: &str) -> bool {
    let in_family = || parser.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    parser.name == name || in_family()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn evidence(arguments: &[String]) -> anyhow::Result<Vec<EvidenceArgument>> {
    arguments.iter().map(|text| one_evidence(text)).collect()
}

/// `PATH`, or `NAME=PATH` when there is no file of that whole name.
pub(crate) fn one_evidence(text: &str) -> anyhow::Result<EvidenceArgument> {
    let whole = PathBuf::from(text);
    let named = text.split_once('=').filter(|_| whole.symlink_metadata().is_err());
    match named {
        None => Ok(EvidenceArgument { host: None, path: whole }),
        Some((host, path)) if !host.is_empty() && !path.is_empty() => {
            Ok(EvidenceArgument { host: Some(host.to_owned()), path: PathBuf::from(path) })
        }
        Some(_) => wrong(format!("{text}: write NAME=PATH to name the host of an evidence")),
    }
}

/// Where the timeline of all goes, and those of hosts.
fn destinations(
    arguments: &TimelineArguments,
) -> anyhow::Result<(Vec<OutputArgument>, Option<PerHost>)> {
    let Some(directory) = arguments.per_host.clone() else {
        return Ok((outputs(&arguments.output, &arguments.format)?, None));
    };
    if directory.exists() && !directory.is_dir() {
        return wrong(format!("--per-host {}: not a directory", directory.display()));
    }
    let outputs = match arguments.output.is_empty() {
        true => Vec::new(),
        false => outputs(&arguments.output, &arguments.format)?,
    };
    let named = match outputs.is_empty() {
        true => arguments.format.iter().map(|name| known_format(name)).collect(),
        false => Ok(outputs.iter().map(|output| output.format).collect()),
    };
    let mut formats: Vec<&'static str> = named?;
    if formats.is_empty() {
        formats.push("jsonl");
    }
    formats.sort_unstable();
    formats.dedup();
    Ok((outputs, Some(PerHost { directory, formats })))
}

fn outputs(paths: &[PathBuf], formats: &[String]) -> anyhow::Result<Vec<OutputArgument>> {
    let standard_output = [PathBuf::from("-")];
    let paths = if paths.is_empty() { &standard_output } else { paths };
    if formats.len() > 1 && formats.len() != paths.len() {
        return wrong("give --format once for all outputs, or once for each --output, in order");
    }
    let one = |(index, path): (usize, &PathBuf)| {
        let format = formats.get(index).or(formats.first());
        let format = match format {
            Some(name) => known_format(name)?,
            None => format_of(path)?,
        };
        let path = (path.as_os_str() != "-").then(|| path.clone());
        Ok(OutputArgument { path, format })
    };
    paths.iter().enumerate().map(one).collect()
}

fn known_format(name: &str) -> anyhow::Result<&'static str> {
    match dockline_timeline::output::by_name(name) {
        Some(output) => Ok(output.name()),
        None => wrong(format!("no format is called {name}; there are csv, jsonl and bodyfile")),
    }
}

fn format_of(path: &Path) -> anyhow::Result<&'static str> {
    if path.as_os_str() == "-" {
        return Ok("jsonl");
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok("csv"),
        Some("jsonl") => Ok("jsonl"),
        Some("body" | "bodyfile") => Ok("bodyfile"),
        _ => wrong(format!(
            "{}: the extension tells no format; use .csv, .jsonl or .body, or give --format",
            path.display()
        )),
    }
}

fn selection(list: &[String]) -> anyhow::Result<Selection> {
    if list.is_empty() {
        return Ok(Selection::All);
    }
    let without: Vec<&str> = list.iter().filter_map(|name| name.strip_prefix('!')).collect();
    if !without.is_empty() && without.len() != list.len() {
        return wrong("--parsers: either name the parsers to run, or each with '!' not to run");
    }
    let exclude = !without.is_empty();
    let names: Vec<String> = if exclude {
        without.iter().map(|name| (*name).to_owned()).collect()
    } else {
        list.to_vec()
    };
    let unknown =
        names.iter().find(|name| !dockline_parsers::all().any(|parser| is_named(parser, name)));
    if let Some(name) = unknown {
        return wrong(format!("no parser is called {name}; 'dockline parsers' lists them"));
    }
    Ok(if exclude { Selection::AllBut(names) } else { Selection::Only(names) })
}

fn instant(text: &str) -> anyhow::Result<Instant> {
    let is_date = text.len() == 10;
    let full = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
    match Instant::parse_rfc3339(&full) {
        Ok(instant) => Ok(instant.unwrap_or(Instant::EARLIEST)),
        Err(error) => wrong(format!(
            "{text}: {error}; write a time as 2024-05-01T12:00:00Z or a day as 2024-05-01"
        )),
    }
}

fn asked(arguments: &TimelineArguments) -> anyhow::Result<Asked> {
    let limit = match arguments.hash_limit.as_deref().map(|text| (text, size(text))) {
        None => HASH_LIMIT,
        Some((_, Some(limit))) => limit,
        Some((text, None)) => {
            return wrong(format!("--hash-limit {text}: write a size as 512K or 1G"));
        }
    };
    Ok(Asked { bind_mounts: arguments.bind_mounts, hash: arguments.hash.then_some(limit) })
}

fn memory(text: &str) -> anyhow::Result<u64> {
    match size(text) {
        Some(bytes) if bytes >= LEAST_MEMORY => Ok(bytes),
        Some(_) => wrong(format!("--memory {text}: at least {}M are needed", LEAST_MEMORY >> 20)),
        None => wrong(format!("--memory {text}: write a size as 512M or 2G")),
    }
}

/// A number of bytes, with or without a unit.
fn size(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.trim_end_matches("ib").trim_end_matches('b');
    let (digits, shift) = match lower.char_indices().last() {
        Some((at, 'k')) => (lower.get(..at), 10),
        Some((at, 'm')) => (lower.get(..at), 20),
        Some((at, 'g')) => (lower.get(..at), 30),
        Some((at, 't')) => (lower.get(..at), 40),
        _ => (Some(lower), 0),
    };
    let number = digits.and_then(|digits| digits.parse::<u64>().ok());
    number.and_then(|number| number.checked_mul(1 << shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence<T: std::fmt::Debug>(result: anyhow::Result<T>) -> String {
        result.unwrap_err().downcast::<WrongUsage>().unwrap().0
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(memory("512M").unwrap(), 512 << 20);
        assert_eq!(memory("2GiB").unwrap(), 2 << 30);
        assert_eq!(memory("67108864").unwrap(), 64 << 20);
        assert_eq!(sentence(memory("1K")), "--memory 1K: at least 32M are needed");
        for text in ["", "M", "-1G", "1.5G", "99999999999T"] {
            assert!(sentence(memory(text)).contains("write a size as"), "{text}");
        }
    }

    #[test]
    fn formats_are_told_by_extension_or_by_name() {
        let paths: Vec<PathBuf> = vec!["a.csv".into(), "b.body".into(), "-".into()];
        let formats = |paths: &[PathBuf], names: &[&str]| -> Vec<&'static str> {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            outputs(paths, &names).unwrap().iter().map(|output| output.format).collect()
        };
        assert_eq!(formats(&paths, &[]), ["csv", "bodyfile", "jsonl"]);
        assert_eq!(formats(&paths, &["csv"]), ["csv", "csv", "csv"]);
        assert_eq!(formats(&paths, &["jsonl", "csv", "csv"]), ["jsonl", "csv", "csv"]);
        assert_eq!(formats(&[], &["csv"]), ["csv"]);
        assert!(sentence(outputs(&["a.txt".into()], &[])).contains("tells no format"));
        assert!(sentence(outputs(&paths, &["csv".to_owned(), "csv".to_owned()])).contains("once"));
        assert!(sentence(outputs(&[], &["xml".to_owned()])).contains("csv, jsonl and bodyfile"));
    }

    #[test]
    fn a_day_means_its_first_moment() {
        assert_eq!(instant("2024-05-01").unwrap(), instant("2024-05-01T00:00:00Z").unwrap());
        assert!(sentence(instant("yesterday")).contains("2024-05-01T12:00:00Z"));
    }

    #[test]
    fn a_host_is_named_before_the_path() {
        let named = one_evidence("web1=/no/such=path").unwrap();
        assert_eq!(named.host.as_deref(), Some("web1"));
        assert_eq!(named.path, PathBuf::from("/no/such=path"));
        assert!(sentence(one_evidence("=/mnt")).contains("NAME=PATH"));
    }

    #[test]
    fn parsers_are_selected_or_excluded_but_not_both() {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            selection(&list(&["docker.hostconfig"])).unwrap(),
            Selection::Only(list(&["docker.hostconfig"]))
        );
        assert_eq!(selection(&list(&["!docker"])).unwrap(), Selection::AllBut(list(&["docker"])));
        assert!(sentence(selection(&list(&["!docker", "docker"]))).contains("either"));
        assert!(sentence(selection(&list(&["dockr"]))).contains("no parser is called dockr"));
    }
}
