//! One line of a log of Docker Desktop or Rancher Desktop: which of the families of lines it is, and
//! what it says.
//!
//! Desktop is many programs, in C#, Go and JavaScript, that have been rewritten since 2016, so that one
//! file holds lines of several families. Each line is recognised by itself, in this order:
//!
//! | family | form | who, when |
//! |---|---|---|
//! | separator | `-----…-->8` | at each start of a process, 4.9 and later |
//! | monitor | `[<time>Z] [<clock>Z][component][level] …`, `[<time>Z] {json}` | `monitor.log`, 4.55 and later |
//! | bracket | `[<time>Z][component][level] …`, no level is info | all programs, 4.1 and later |
//! | JSON | `{"component":…,"level":…,"msg":…,"time":…}` | `init.log`, since autumn 2025 |
//! | Electron | `<time>Z info …` | the window, 4.27 and later |
//! | Rancher | `<time>Z: …` | Rancher Desktop |
//! | service | `<time>Z service …` | the virtual machine, 2019 to 2021 |
//! | memlogd | `<time>Z,service;…` | the virtual machine, 2018 and 2019 |
//! | logrus | `time="…" level=… msg="…"` | Go programs |
//! | kernel | `[    1.192537] …` | `console.log` |
//! | terminal | `INFO[12356] …` | `console.log`; logrus on a terminal |
//! | clock | `[14:14:59.523][component][level] …` | `log.txt`, service and installer until 4.4: local time |
//! | installer | `[14:14:59.523] [component] …` | installer until 2.x: local time |
//!
//! What is none of these belongs to the record before it. Messages hold further layers (`entry`): a
//! captured line, JSON, logrus, klog; the innermost time counts, unless it is a whole second and that
//! of the line around it tells more.
//!
//! After lines in public issues of docker/for-win, docker/for-mac and docker/desktop-linux, whose
//! numbers stand in `testdata/README.md`; Docker publishes neither source nor description. Not seen in
//! public, and met by content: JSON behind a bracket.

pub mod anchor;
mod bracket;
mod console;
mod entry;
pub mod header;
mod plain;
pub mod text;
mod time;

pub use anchor::{Anchor, anchor};
pub use entry::{Entry, is_finer};
pub use time::Clock;

use dockline_timeline::Instant;

/// A family of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `[hh:mm:ss.mmm][component][level] …`.
    Clock,
    /// `[hh:mm:ss.mmm] [component] …`.
    Installer,
    /// `[<time>Z][component][level] …`.
    Bracket,
    /// `[<time>Z] …`, around a line of another process.
    Monitor,
    /// `<time>Z service …`.
    Service,
    /// `<time>Z,service;…`.
    Memlogd,
    /// A JSON object.
    Json,
    /// `[<seconds>] …`.
    Kernel,
    /// `INFO[<seconds>] …`.
    Terminal,
    /// `<time>Z info …`.
    Electron,
    /// `<time>Z: …`.
    Rancher,
    /// `time="…" level=…`.
    Logrus,
}

impl Family {
    /// A word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::Clock => "clock",
            Family::Installer => "installer",
            Family::Bracket => "bracket",
            Family::Monitor => "monitor",
            Family::Service => "service",
            Family::Memlogd => "memlogd",
            Family::Json => "json",
            Family::Kernel => "kernel",
            Family::Terminal => "terminal",
            Family::Electron => "electron",
            Family::Rancher => "rancher",
            Family::Logrus => "logrus",
        }
    }
}

/// How grave a message is, whatever its writer calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Below debug; `silly` of Electron.
    Trace,
    /// `D`, `Debug`, `DEBU`; `verbose` of Electron.
    Debug,
    /// `I`, `Info`, `INFO`; what stands where a line of a newer version names none.
    Info,
    /// `W`, `Warning`, `WARN`.
    Warning,
    /// `E`, `Error`, `ERRO`.
    Error,
    /// `F`, `Fatal`, `FATA`.
    Fatal,
    /// `panic` of logrus.
    Panic,
}

impl Level {
    /// The level that a word means.
    #[must_use]
    pub fn of(word: &str) -> Option<Level> {
        Some(match word {
            "trace" | "Trace" | "TRAC" | "silly" => Level::Trace,
            "D" | "debug" | "Debug" | "DEBU" | "verbose" => Level::Debug,
            "I" | "info" | "Info" | "INFO" => Level::Info,
            "W" | "warn" | "warning" | "Warning" | "WARN" => Level::Warning,
            "E" | "error" | "Error" | "ERRO" => Level::Error,
            "F" | "fatal" | "Fatal" | "FATA" => Level::Fatal,
            "panic" | "Panic" | "PANI" => Level::Panic,
            _ => return None,
        })
    }

    /// The word of logrus for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Fatal => "fatal",
            Level::Panic => "panic",
        }
    }
}

/// What a line says of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// All of it.
    Whole(Instant),
    /// The time of day in the zone of the host; nothing says the date.
    Local(Clock),
    /// Microseconds since the virtual machine started.
    SinceBoot(u64),
    /// Seconds since the process started.
    SinceStart(u64),
    /// Nothing.
    None,
}

/// A line, its outermost layer read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Which family.
    pub family: Family,
    /// When.
    pub stamp: Stamp,
    /// The time as it stands there; empty when there is none.
    pub time: &'a str,
    /// Who wrote it; empty when the line does not say.
    pub component: &'a str,
    /// How grave; `None` when the line does not say.
    pub level: Option<Level>,
    /// The rest.
    pub message: &'a str,
}

/// What a line of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// The beginning of a record.
    Line(Line<'a>),
    /// What a process writes when it starts.
    Separator,
    /// Perhaps a row of the block that an older process writes when it starts: it is one if a row
    /// near it says when that was.
    Header(header::Row<'a>),
    /// Part of the record before it.
    Continuation,
}

/// What a line is. It has no line end, and [`text::clean`] has read it.
#[must_use]
pub fn read(line: &str) -> Shape<'_> {
    let line = line.trim_end();
    if plain::is_separator(line) {
        return Shape::Separator;
    }
    let found = match line.as_bytes().first() {
        Some(b'[') => {
            bracket::whole(line).or_else(|| console::kernel(line)).or_else(|| bracket::local(line))
        }
        Some(b'{') => plain::json(line),
        Some(b'0'..=b'9') => plain::timed(line),
        Some(b't') => plain::logrus(line),
        Some(b'A'..=b'Z') => console::terminal(line),
        _ => None,
    };
    if let Some(line) = found {
        return Shape::Line(line);
    }
    header::Row::read(line).map_or(Shape::Continuation, Shape::Header)
}

#[cfg(test)]
mod tests;
