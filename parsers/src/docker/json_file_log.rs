//! What containers wrote to their standard streams: the log of the `json-file` driver, which is the
//! engine's default, with its rotations.
//!
//! # Who writes it, and how
//!
//! The engine, while the container runs: `containers/<id>/<id>-json.log`, one JSON object a line,
//! keys in this order: `log` (left out when empty), `stream`, `attrs` (only with the log options
//! `labels`, `env`, `tag` and their `-regex` forms) and `time`.
//!
//! - `time` is when the engine read the end of the line, UTC, RFC 3339 with up to nine digits and
//!   without trailing zeros. Another offset is accepted.
//! - `log` ends with a line break, unless it is a *piece*: a line that does not fit into the
//!   engine's buffer of 16,384 bytes becomes several records, and only the last ends with a line
//!   break. So does a program's very last line when it has none. See [`join`].
//! - Bytes that are not UTF-8 were replaced by the engine, one U+FFFD for each: a character that
//!   was split between two pieces is lost, and stays lost when the pieces are joined.
//! - With `max-size` and `max-file` the file becomes `.1` when it is full, `.1` becomes `.2`; with
//!   `compress` they are `.1.gz`, `.2.gz`. A higher number is older. The gzip header carries bare
//!   JSON, `{"lastTime":"…"}`, in its extra field. A crash leaves `.1` and a part of `.1.gz`: of two
//!   files of one number, one that is the beginning of the other is not read, and an issue says so.
//!
//! # Events
//!
//! One for each message, at its `time`, `Content Modification Time`, `recorded`. Its place is the
//! offset of its first record in its own file; in a compressed file, in the content. The text is
//! `log` without its final line feed; a carriage return is kept. `attrs` is the list
//! `log_attributes`. A message that was joined says of how many records: `pieces`; one whose last
//! piece is full and is continued by nothing, `incomplete`.
//!
//! # What is wrong with a log
//!
//! Every byte is accounted for: it belongs to a record that was read (with the line breaks and
//! spaces behind it), or is lost to one issue that says where. Every good record around damage is
//! an event: after a torn line, a run of NUL bytes, garbage; before, after and between others on
//! one line. A record in another form of JSON is a record. One with invalid UTF-8, a lone
//! surrogate, raw control bytes or a key that stands twice is an event *and* an issue that lost
//! nothing. A record without a time that can be read is no event: it is lost to an issue. After any
//! loss the message that was open is closed: nothing is joined across a hole.
//!
//! Limits: a line of 1 MiB ([`token`]), 1 MiB of log between two pieces and 4 MiB in which always a
//! message is open ([`join`]); the content of a compressed file goes to the spool, which has its own.
//!
//! # Large logs
//!
//! A log of 1 MiB or more is cut into ranges of about 64 MiB where no message can be open; each
//! range is a job. The job reads its range once, tells issues and counts, and leaves the events
//! where they are, in blocks whose bounds in time are known ([`index`]); they are read again when
//! their time comes, good blocks from the ends of their lines ([`uniform`]). Memory does not depend on the length of the log, and neither do the events on
//! the division.
//!
//! # Not supported
//!
//! JSON objects over several lines. Keys that are written with escapes. Names of rotations that are
//! not the engine's, such as logrotate's dates: such files are named in an issue. The drivers
//! `local`, `journald` and all others: they have other files.

mod cut;
mod entry;
mod index;
mod join;
mod ledger;
mod lenient;
mod read;
mod record;
mod scan;
mod text;
mod token;
mod uniform;

use crate::formats::rotated_log::{Chain, NUMBERED, chain, window};
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Subject};
use entry::{Events, Log};
use std::sync::Arc;

/// `<id>-json.log` and its rotations.
pub(super) static PARSER: Parser = Parser {
    name: "docker.json_file_log",
    reads: &[
        "containers/{container:id}/{container:id}-json.log{rotation*}",
        "{container:id}-json.log{rotation*}",
    ],
    gather: Gather::Together,
    about: "log of a container, written by the json-file driver, with its rotations",
    yields: "one event for each message, long lines joined from their pieces",
    references: &[
        "moby 20.10 to 29: daemon/logger/copier.go",
        "moby 20.10 to 29: daemon/logger/jsonfilelog",
        "moby 20.10 to 29: daemon/logger/loggerutils/logfile.go",
    ],
    parse,
};

/// How a log is divided; the events do not depend on it.
#[derive(Clone, Copy, Debug)]
struct Division {
    /// Logs shorter than this many bytes become events at once.
    at_once: u64,
    /// Bytes of a range, which is the work of one job.
    range: u64,
    /// Bytes of a block, at least.
    block: u64,
}

const DIVISION: Division =
    Division { at_once: 1024 * 1024, range: 64 * 1024 * 1024, block: 16 * 1024 };

/// A log has at most about so many blocks, until they reach [`LARGEST_BLOCK`].
const BLOCKS: u64 = 16_384;
/// Blocks are read whole by whoever needs one event of them.
const LARGEST_BLOCK: u64 = 4 * 1024 * 1024;

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let id = artifact.capture("container");
    let subject = id.map_or(Subject::UNKNOWN, |id| inventory.container_subject(id));
    let is_removed = id.is_some_and(|id| inventory.is_removed(id));
    let chain = Chain::open(artifact, &NUMBERED, findings);
    read(Log { chain, subject, is_removed }, DIVISION, findings);
}

fn read(log: Log, division: Division, findings: &mut dyn Findings) {
    let length = log.chain.length();
    if length < division.at_once {
        scan::scan(&log.chain, &(0..length), &mut Events::new(&log, findings));
        return;
    }
    let block = division.block.max(length.div_ceil(BLOCKS).min(LARGEST_BLOCK));
    let log = Arc::new(log);
    for range in cut::ranges(&log.chain, division.range) {
        let log = log.clone();
        findings.job(Box::new(move |findings| index::index(&log, range, block, findings)));
    }
}

#[cfg(test)]
mod tests;
