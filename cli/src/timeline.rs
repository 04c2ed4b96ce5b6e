//! `dockline timeline`: opens the evidence, plans, runs, and says what came of it.

use crate::destination::Destination;
use crate::progress::Bar;
use crate::request::{Request, WrongUsage};
use crate::sources::Sources;
use crate::{Ending, console, report, summary};
use anyhow::{Context, bail};
use dockline_evidence::{Opening, Spool};
use dockline_parsers::plan::Reading;
use dockline_parsers::{Plan, plan};
use dockline_timeline::{Issue, Job, Keep, Options, Report, Sink, output};
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
    let sources = Sources::open(request, &opening);
    if sources.subtrees.is_empty() {
        bail!("none of the evidence could be read\n{}", summary::issues(&sources.issues, 0, true));
    }
    let reading = Reading { opening, nested: request.nested };
    let mut plan = plan(&sources.subtrees, &|parser| request.selects(parser), &reading);
    plan.unclaimed.extend(sources.skipped.iter().cloned());
    let (sinks, files): (Vec<Sink>, Vec<Destination>) = destinations.into_iter().unzip();
    let report = merge(request, &sources, &plan, sinks)?;
    files.into_iter().try_for_each(Destination::complete)?;
    if let Some((destination, mut file)) = report_destination {
        let json = report::report(request, &sources, &plan, &report);
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
        let output = output::by_name(argument.format)
            .ok_or_else(|| WrongUsage(format!("no format is called {}", argument.format)))?;
        Ok((Sink { output, to }, destination))
    };
    request.outputs.iter().map(open).collect()
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
