//! Logs in the text form of the Container Runtime Interface, with their rotations.
//!
//! # Who writes it, and how
//!
//! containerd's CRI plugin (`internal/cri/io/logger.go`, containerd 1.0 to 2.1), CRI-O and Podman
//! through conmon (`src/ctr_logging.c`, conmon 2.0 to 2.1; the log drivers `k8s-file` and, of the same
//! form, `json-file`), cri-dockerd and others. Who reads them is the kubelet
//! (`pkg/kubelet/kuberuntime/logs/logs.go` of Kubernetes, since 1.10 `cri-client/pkg/logs`). One line
//! a message:
//!
//! ```text
//! 2026-11-21T21:57:01.907579071+00:00 stdout F a line
//! 2026-11-21T21:57:01.907675150+00:00 stderr P the beginning of a long li
//! ```
//!
//! - The time is when the line was read from the container, RFC 3339. conmon writes nine digits and an
//!   offset, containerd cuts trailing zeros and has `Z` in UTC.
//! - The stream is `stdout` or `stderr`; a terminal's output is all `stdout`, with carriage returns.
//! - The tags are separated by colons; only the first has a meaning: `F` ends a message, `P` does not.
//!   A line beyond the writer's buffer (containerd: 16 KiB, conmon: 8 KiB) becomes `P … P F`, each
//!   piece with its own time; the other stream's may stand between them, and so may the border of a
//!   rotation. A further tag becomes `log_attributes`.
//! - The text is what the program wrote, byte by byte: it may be empty or binary.
//!
//! # Events
//!
//! One for each message, at the time of its first piece, `Content Modification Time`, `recorded`, at
//! the offset of that piece. Bytes that are not UTF-8 are shown as `\xNN`, and `escaped_bytes` says so.
//! A message that was joined has `pieces`. `incomplete` is a message whose end is not there: because
//! the container died or the log was rotated away, because its line is torn, or because a limit was
//! reached.
//!
//! # What is wrong with a log
//!
//! Every byte is accounted for. A line without time, stream and tag is lost to an issue (those that
//! follow each other to one), a run of NUL bytes likewise. A last line without a line break is a
//! message, without the NUL bytes at its end. Nothing is joined across any of these, nor across a
//! rotation that could not be read. That a record follows NUL bytes in the text of a line is told, but
//! the line stays one message: a program can write that.
//!
//! Limits: of a line the first 1 MiB is its text, the rest is lost to an issue; a message is let out
//! when it spans 4 MiB of the log, or when 1 MiB follows its last piece.
//!
//! # Large logs
//!
//! As those of `docker.json_file_log`: from 1 MiB on a log is cut into ranges of about 64 MiB where no
//! message is open, each one job, which leaves the events in blocks of known bounds (`index`).

mod cut;
mod entry;
mod index;
mod join;
mod ledger;
mod line;
mod read;
mod scan;

use crate::formats::rotated_log::Chain;
use dockline_timeline::{Attribute, Findings, Kind, Subject};
use entry::Events;
use std::sync::Arc;

/// A log in the form of the CRI, and what all its events say.
pub struct CriLog {
    /// Its files, the oldest first.
    pub chain: Chain,
    /// Of which kind the events are.
    pub kind: &'static Kind,
    /// The container that wrote it.
    pub subject: Subject,
    /// What else is known of the container, for every event: few and short, since a log may have a
    /// billion lines.
    pub attributes: Vec<Attribute<'static>>,
    /// Tags of every event.
    pub tags: Vec<&'static str>,
}

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
    Division { at_once: 1024 * 1024, range: 64 * 1024 * 1024, block: 64 * 1024 };

/// A log has at most about so many blocks, until they reach [`LARGEST_BLOCK`].
const BLOCKS: u64 = 16_384;
/// Blocks are read whole by whoever needs one event of them.
const LARGEST_BLOCK: u64 = 4 * 1024 * 1024;

/// Reads a log: its messages are events, and what is wrong with it are issues.
pub fn read(log: CriLog, findings: &mut dyn Findings) {
    divided(log, DIVISION, findings);
}

fn divided(log: CriLog, division: Division, findings: &mut dyn Findings) {
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
