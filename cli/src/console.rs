//! The one door through which the program speaks: data to standard output, words to standard error.

use dockline_timeline::TimelineError;
use std::fmt::Display;
use std::io::{BufWriter, ErrorKind, Write};

/// Writes to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes lines to standard output as they come.
pub(crate) fn print_lines(lines: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

/// Says something on standard error. That nobody listens is not an error.
pub(crate) fn say(text: &impl Display) {
    let mut out = std::io::stderr().lock();
    let _nobody_listens = writeln!(out, "{text}");
}

/// Says why the program ends.
pub(crate) fn error(error: &anyhow::Error) {
    say(&format_args!("dockline: {error:#}"));
}

/// Whether the reader of standard output has gone, as `head` does when it has enough.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let timeline = cause.downcast_ref::<TimelineError>();
        io == Some(ErrorKind::BrokenPipe)
            || matches!(timeline, Some(TimelineError::ClosedPipe { .. }))
    })
}
