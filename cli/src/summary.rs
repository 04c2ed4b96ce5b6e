//! The summary on standard error: a table of what was read, and the first issues.

use dockline_parsers::Plan;
use dockline_timeline::{Counts, Instant, Issue, Report};
use std::fmt::Write;

/// Issues that are shown without `--verbose`.
const SHOWN_ISSUES: usize = 10;

const HEADINGS: [&str; 7] = ["parser", "artifacts", "records", "events", "issues", "first", "last"];

/// One row for each parser that has something to read, and one for all.
pub(crate) fn table(plan: &Plan, report: &Report) -> String {
    let found = report.parsers();
    let artifacts = plan.files_of_each_parser();
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    for (parser, files) in &artifacts {
        let counts = found.get(&Some(*parser)).map(|(_, counts)| *counts).unwrap_or_default();
        rows.push(row(parser, *files, &counts));
    }
    rows.push(row("all", artifacts.values().sum(), &report.total()));
    aligned(&rows)
}

fn row(name: &str, files: usize, counts: &Counts) -> [String; 7] {
    let time = |instant: Option<Instant>| {
        instant.map_or_else(|| "-".to_owned(), |instant| instant.civil().to_string())
    };
    [
        name.to_owned(),
        files.to_string(),
        counts.records.to_string(),
        counts.events.to_string(),
        counts.issues.total().to_string(),
        time(counts.first),
        time(counts.last),
    ]
}

/// The rows as text: names to the left, numbers to the right.
fn aligned(rows: &[[String; 7]]) -> String {
    let mut widths = [0; 7];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let is_number = (1..5).contains(&column);
            // Writing to a string cannot fail.
            let _ok = if is_number {
                write!(line, "{cell:>width$}  ")
            } else {
                write!(line, "{cell:<width$}  ")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The first issues, or all; and how many more there are.
pub(crate) fn issues(issues: &[Issue], not_kept: u64, verbose: bool) -> String {
    let shown = if verbose { issues.len() } else { SHOWN_ISSUES };
    let mut text = String::new();
    for issue in issues.iter().take(shown) {
        let _ok = writeln!(text, "could not read {issue}");
    }
    let hidden = u64::try_from(issues.len().saturating_sub(shown)).unwrap_or(u64::MAX);
    let more = hidden.saturating_add(not_kept);
    if more > 0 {
        let all = if hidden > 0 { "; --verbose or --report shows them" } else { "" };
        let _ok = writeln!(text, "and {more} more issues{all}");
    }
    text
}
