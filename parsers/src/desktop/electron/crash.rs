//! Crashpad's reports: that the program crashed, when, and whether the report was sent.

use super::Profile;
use crate::ArtifactFile;
use dockline_timeline::{Findings, Instant, IssueKind, Meaning, Position, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// What a minidump begins with, and bytes of its header.
const MINIDUMP: &[u8] = b"MDMP";
const MINIDUMP_HEADER: u64 = 32;
/// `CPAD` and `CPds` as they lie in a file.
const METADATA: [u8; 4] = *b"DAPC";
const SETTINGS: [u8; 4] = *b"sdPC";
/// Bytes of the header and of a record of `metadata`.
const HEADER: usize = 16;
const RECORD: usize = 56;

/// A little-endian number at an offset.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn i64_at(bytes: &[u8], at: usize) -> Option<i64> {
    Some(i64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A `time_t` that is set.
fn time(seconds: i64) -> Option<Instant> {
    Instant::new(seconds, 0).filter(|_| seconds != 0)
}

impl Profile<'_> {
    /// A minidump: its header says when it was made.
    pub(super) fn dump(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(bytes) = self.artifact.open(file, findings) else { return };
        let header = dockline_evidence::read_at::read_up_to(&*bytes, MINIDUMP_HEADER);
        findings.records(&file.origin, 1, bytes.len());
        let made = header.ok().filter(|(header, _)| header.starts_with(MINIDUMP));
        let made = made.and_then(|(header, _)| time(u32_at(&header, 20)?.into()));
        let name = String::from_utf8_lossy(file.path.file_name().unwrap_or_default()).into_owned();
        let Some(made) = made else {
            let what = "no minidump, or one without its time";
            findings.issue(file.issue(IssueKind::Malformed, Position::Offset(0), what));
            return;
        };
        let text = format!("the program crashed: report {name}");
        let mut event = self.event(file, (made, Meaning::Recorded), &text);
        event.action = "crash";
        event.position = Position::Offset(20);
        event.size = Some(bytes.len());
        findings.event(&event);
    }

    /// `metadata`: the list of reports on Windows.
    pub(super) fn crash_reports(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(bytes) = self.artifact.read(file, findings) else { return };
        let count = u32_at(&bytes, 8).filter(|_| bytes.starts_with(&METADATA));
        let Some(count) = count.and_then(|count| usize::try_from(count).ok()) else {
            let what = "no list of crash reports";
            findings.issue(file.issue(IssueKind::Malformed, Position::Offset(0), what));
            return;
        };
        let records = bytes.get(HEADER..).unwrap_or_default().as_chunks::<RECORD>().0;
        if records.len() < count {
            let what =
                format!("a list of {count} crash reports, of which {} are there", records.len());
            findings.issue(file.issue(IssueKind::Malformed, Position::Offset(8), what));
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        findings.records(
            &file.origin,
            u64::try_from(count.min(records.len())).unwrap_or(u64::MAX),
            length,
        );
        let names =
            bytes.get(HEADER.saturating_add(count.saturating_mul(RECORD))..).unwrap_or_default();
        for (index, record) in records.iter().take(count).enumerate() {
            self.crash_report(file, (index, record, names), findings);
        }
    }

    fn crash_report(
        &self,
        file: &ArtifactFile,
        (index, record, names): (usize, &[u8; RECORD], &[u8]),
        findings: &mut dyn Findings,
    ) {
        let name = u32_at(record, 16).and_then(|at| names.get(usize::try_from(at).ok()?..));
        let name = name.and_then(|rest| rest.split(|byte| *byte == 0).next()).unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        for (at, action, text) in [
            (24, "crash", format!("the program crashed: report {name}")),
            (32, "upload", format!("crash report last sent, or tried to be: {name}")),
        ] {
            let Some(instant) = i64_at(record, at).and_then(time) else { continue };
            let mut event = self.event(file, (instant, Meaning::Recorded), &text);
            event.action = action;
            event.position = Position::OwnedKey(Arc::from(format!("report[{index}].{action}")));
            let attempts = u32_at(record, 40).map(|attempts| Value::Integer(attempts.into()));
            event.attribute("upload_attempts", attempts);
            findings.event(&event);
        }
    }

    /// `settings.dat`: who the program is to those that get its reports.
    pub(super) fn crash_settings(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(bytes) = self.artifact.read(file, findings) else { return };
        findings.records(&file.origin, 1, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let client = bytes.get(24..40).filter(|_| bytes.starts_with(&SETTINGS));
        let Some(client) = client else {
            let what = "no settings of Crashpad";
            findings.issue(file.issue(IssueKind::Malformed, Position::Offset(0), what));
            return;
        };
        let client: String = client.iter().map(|byte| format!("{byte:02x}")).collect();
        let uploaded = i64_at(&bytes, 16).and_then(time);
        let sent = "crash report last sent, or tried to be".to_owned();
        if let Some(instant) = uploaded {
            let mut event = self.event(file, (instant, Meaning::Recorded), &sent);
            event.action = "upload";
            event.position = Position::Offset(16);
            findings.event(&event);
        }
        if let Some(mut event) =
            self.written(file, "settings of the crash reporter last written", findings)
        {
            event.attribute("crash_client", Some(Value::Text(Cow::Borrowed(&client))));
            findings.event(&event);
        }
    }
}
