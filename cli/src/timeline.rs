//! `dockline timeline`: opens the evidence, plans, runs, and says what came of it.

use crate::destination::Destination;
use crate::per_host::{self, HostFiles, HostPaths};
use crate::progress::Bar;
use crate::request::{Request, WrongUsage};
use crate::sources::Sources;
use crate::{Ending, console, report, summary};
use anyhow::{Context, bail};
use dockline_evidence::{Opening, Spool};
use dockline_parsers::plan::Reading;
use dockline_parsers::{Plan, plan};
use dockline_timeline::{Issue, Job, Keep, Options, Output, Report, Sink, output};
use std::collections::BTreeMap;
use std::io::Write;

/// Makes the timeline.
pub(crate) fn run(request: &Request) -> anyhow::Result<Ending> {
    let destinations = open_destinations(request)?;
    let report_destination = request
        .report
        .as_deref()
        .map(|path| Destination::open(Some(path), request.overwrite))
        .transpose()?;
    let spool = Spool::new(request.temp_dir.clone());
    let opening = Opening { spool, verify: request.verify };
    let sources = Sources::open(&request.evidence, &opening);
    if sources.subtrees.is_empty() {
        bail!("none of the evidence could be read\n{}", summary::issues(&sources.issues, 0, true));
    }
    let (nested, layers, asked) = (request.nested, request.layers, request.asked.clone());
    let reading = Reading { opening, nested, layers, asked };
    let mut plan = plan(&sources.subtrees, &|parser| request.selects(parser), &reading);
    plan.unclaimed.extend(sources.skipped.iter().cloned());
    let (mut sinks, mut files): (Vec<Sink>, Vec<Destination>) = destinations.into_iter().unzip();
    let hosts = add_hosts(request, &plan, (&mut sinks, &mut files))?;
    let report = merge(request, &sources, &plan, sinks)?;
    files.into_iter().try_for_each(Destination::complete)?;
    if let Some((destination, mut file)) = report_destination {
        let json = report::report((request, &hosts), &sources, &plan, &report);
        writeln!(file, "{json:#}").context("cannot write the report")?;
        destination.complete()?;
    }
    say_what_came(request, &plan, &report);
    let unread = report.total().issues.total();
    Ok(if unread == 0 { Ending::Done } else { Ending::Partial })
}

fn open_destinations(request: &Request) -> anyhow::Result<Vec<(Sink, Destination)>> {
    let open = |argument: &crate::request::OutputArgument| {
        let (destination, to) = Destination::open(argument.path.as_deref(), request.overwrite)?;
        Ok((Sink::new(named(argument.format)?, to), destination))
    };
    request.outputs.iter().map(open).collect()
}

fn named(format: &str) -> anyhow::Result<Box<dyn Output>> {
    let unknown = || WrongUsage(format!("no format is called {format}"));
    Ok(output::by_name(format).ok_or_else(unknown)?)
}

/// Adds the files of `--per-host`; returns those of each host, by format, as the sinks have them.
fn add_hosts(
    request: &Request,
    plan: &Plan,
    (sinks, files): (&mut Vec<Sink>, &mut Vec<Destination>),
) -> anyhow::Result<BTreeMap<&'static str, HostPaths>> {
    let mut hosts = BTreeMap::new();
    let Some(per_host) = &request.per_host else { return Ok(hosts) };
    for format in &per_host.formats {
        let HostFiles { parts, destinations, paths } =
            per_host::open((request, per_host), format, plan)?;
        match sinks.iter_mut().find(|sink| sink.output.name() == *format) {
            // An event that goes to two places in one format is rendered once.
            Some(sink) => sink.parts = parts,
            None => sinks.push(Sink { output: named(format)?, to: None, parts }),
        }
        files.extend(destinations);
        hosts.insert(*format, paths);
    }
    Ok(hosts)
}

fn merge(
    request: &Request,
    sources: &Sources,
    plan: &Plan,
    sinks: Vec<Sink>,
) -> anyhow::Result<Report> {
    let options = Options {
        threads: request.threads,
        memory: request.memory,
        temp_dir: request.temp_dir.clone(),
        start: request.start,
        end: request.end,
        keep: keep(request),
    };
    let mut jobs = plan.jobs();
    let known: Vec<Issue> = sources.issues.iter().chain(&plan.issues).cloned().collect();
    let tell: Job = Box::new(move |findings| {
        known.into_iter().for_each(|issue| findings.issue(issue));
    });
    jobs.push(tell);
    let bar = Bar::new(request);
    let report = dockline_timeline::run(jobs, sinks, &options, &bar);
    bar.clear();
    Ok(report?)
}

fn keep(request: &Request) -> Option<Keep> {
    if request.containers.is_empty() {
        return None;
    }
    let containers = request.containers.clone();
    Some(Box::new(move |event| Request::keeps(&containers, event)))
}

fn say_what_came(request: &Request, plan: &Plan, report: &Report) {
    if request.quiet {
        return;
    }
    let issues = summary::issues(&report.issues, report.issues_not_kept(), request.verbose);
    let mut text = format!("{issues}{}", summary::table(plan, report));
    for (output, sink) in request.outputs.iter().zip(&report.sinks) {
        if sink.not_carried > 0 {
            let (format, count) = (output.format, sink.not_carried);
            text.push_str(&format!("{count} events are at times that {format} cannot carry\n"));
        }
    }
    if plan.planned.is_empty() {
        text.push_str("no artifact of a container engine was found in the evidence\n");
    }
    let skipped = plan.unclaimed.len();
    if skipped > 0 {
        text.push_str(&format!(
            "{skipped} files or volumes look relevant and were not read; see --report\n"
        ));
    }
    console::say(&text.trim_end());
}
