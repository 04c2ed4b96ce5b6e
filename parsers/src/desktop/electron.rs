//! The profile of Docker Desktop's window, an Electron program: a profile of Chromium in
//! `%APPDATA%\Docker Desktop`, `~/Library/Application Support/Docker Desktop` or `~/.config/Docker
//! Desktop`; those of Podman Desktop and Rancher Desktop are the same.
//!
//! | file | instant | event |
//! |---|---|---|
//! | `Cookies`, `Network/Cookies` (SQLite) | in each row | cookie set, changed, last used; its value is never shown |
//! | `Network Persistent State` | of the file | servers that were contacted |
//! | `TransportSecurity` | in each entry | a server asked for HTTPS: it was contacted; its name is a hash, and resolved where it is one of Docker's |
//! | `Reporting and NEL` (SQLite) | in each row | a server's policy for errors last used, with the address of the server |
//! | `Local Storage/leveldb/*.{log,ldb}` | in each state of an origin | the page wrote to its storage, or looked into it; names of keys, never their values |
//! | `LOG`, `LOG.old` of each `LevelDB` | of each line, local | the store was opened: the window was; compacted |
//! | `Preferences`, `Local State` | in each time of Chromium's form | that time under its key; what is later than the file is an attribute of the file's event |
//! | `persisted-state.json`, `window-management.json` | of the file | last written: the window was moved or closed |
//! | `Crashpad/*/*.dmp`, `metadata`, `settings.dat` | in them | the program crashed; the report was sent |
//!
//! Times are microseconds since 1601 ([`crate::formats::chrome_time`]). Those of `LOG` are local: the zone is the
//! one in the host's registry; without it they are taken for UTC, `inferred`, and say so
//! (`zone_source`). A state of the storage that a later one has replaced is tagged `recovered`.
//! After chromium 140 `net/extras/sqlite/sqlite_persistent_cookie_store.cc`,
//! `net/extras/sqlite/sqlite_persistent_reporting_and_nel_store.cc`,
//! `net/http/transport_security_persister.cc`, `components/services/storage/dom_storage`; crashpad
//! `client/crash_report_database_win.cc`, `client/settings.cc`. What of it Docker Desktop itself writes is
//! unconfirmed: the forms are Chromium's, and cases were written by Chromium 156.
//!
//! Not supported: the cache (told at run time), IndexedDB, Session Storage (it holds no times),
//! `Trust Tokens`.

mod cookies;
mod crash;
mod network;
mod preferences;
mod storage;

use crate::formats::json;
use crate::formats::user_profile;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::sync::Arc;

/// Patterns of files in the profile of each program.
macro_rules! in_profiles {
    ($($end:literal),+ $(,)?) => {
        &[$(
            concat!("(?i)Docker Desktop/", $end),
            concat!("(?i)Podman Desktop/", $end),
            concat!("(?i)rancher-desktop/", $end),
        )+]
    };
}

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "desktop.electron",
    reads: in_profiles![
        "Cookies",
        "Cookies-journal",
        "Cookies-wal",
        "{store**}/Cookies",
        "{store**}/Cookies-journal",
        "{store**}/Cookies-wal",
        "Network Persistent State",
        "{store**}/Network Persistent State",
        "TransportSecurity",
        "{store**}/TransportSecurity",
        "Reporting and NEL",
        "Reporting and NEL-journal",
        "{store**}/Reporting and NEL",
        "{store**}/Reporting and NEL-journal",
        "{store**}/leveldb/{number}.log",
        "{store**}/leveldb/{number}.ldb",
        "{store**}/leveldb/{number}.sst",
        "{store**}/LOG",
        "{store**}/LOG.old",
        "Preferences",
        "{store**}/Preferences",
        "Local State",
        "persisted-state.json",
        "window-management.json",
        "Crashpad/{state}/{report}.dmp",
        "Crashpad/metadata",
        "Crashpad/settings.dat",
        "{store**}/Cache_Data/index",
        "Cache/index",
    ],
    gather: Gather::Together,
    about: "the profile of the window of Docker Desktop, Podman Desktop or Rancher Desktop (Electron)",
    yields: "cookies, servers contacted, storage of pages, window opened, preferences, crashes",
    references: &[
        "chromium 140 net/extras/sqlite, net/http/transport_security_persister.cc",
        "chromium 140 components/services/storage/dom_storage/local_storage_database.proto",
        "leveldb 1.23 doc/log_format.md, doc/table_format.md",
        "crashpad client/crash_report_database_win.cc, client/settings.cc",
    ],
    parse,
};

static PROFILE: Kind = Kind {
    data_type: "electron:profile",
    source_short: "DESKTOP",
    source_long: "Electron profile",
};

/// The programs, by the directories of their profiles.
const PROGRAMS: &[&str] = &["Docker Desktop", "Podman Desktop", "rancher-desktop"];

/// Files of one profile.
struct Profile<'a> {
    artifact: &'a Artifact,
    inventory: &'a Inventory,
    program: Option<&'static str>,
    user: Option<String>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(first) = artifact.files.first() else { return };
    let is_program = |program: &&&str| {
        first.path.components().any(|name| name.eq_ignore_ascii_case(program.as_bytes()))
    };
    let profile = Profile {
        artifact,
        inventory,
        program: PROGRAMS.iter().find(is_program).copied(),
        user: user_profile::user(&first.path),
    };
    for file in &artifact.files {
        profile.file(file, findings);
    }
    profile.storage(findings);
}

impl<'a> Profile<'a> {
    fn file(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let name = file.path.file_name().unwrap_or_default().to_ascii_lowercase();
        match name.as_slice() {
            b"cookies" => self.cookies(file, findings),
            b"network persistent state" => self.servers(file, findings),
            b"transportsecurity" => self.transport_security(file, findings),
            b"reporting and nel" => self.policies(file, findings),
            b"log" | b"log.old" => self.info_log(file, findings),
            b"preferences" | b"local state" => self.preferences(file, findings),
            b"persisted-state.json" | b"window-management.json" => self.window(file, findings),
            b"metadata" => self.crash_reports(file, findings),
            b"settings.dat" => self.crash_settings(file, findings),
            b"index" => {
                let what = "the cache of Chromium is not read";
                findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
            }
            name if name.ends_with(b".dmp") => self.dump(file, findings),
            // Journals are read with their databases, and the storage as a whole.
            _ => {}
        }
    }

    /// An event of the profile.
    fn event<'e>(
        &'e self,
        file: &'e ArtifactFile,
        when: (Instant, Meaning),
        text: &'e str,
    ) -> Event<'e> {
        let mut event = Event::new(&file.origin, &PROFILE, &Subject::UNKNOWN, when);
        event.text = text.into();
        let words = |text: &'e str| Value::Text(Cow::Borrowed(text));
        event.attribute("program", self.program.map(words));
        event.attribute("user_name", self.user.as_deref().map(words));
        event
    }

    /// The event of a file's own time, if it is known.
    fn written<'e>(
        &'e self,
        file: &'e ArtifactFile,
        text: &'e str,
        findings: &mut dyn Findings,
    ) -> Option<Event<'e>> {
        let modified = self.artifact.metadata(file, findings)?.modified?;
        let mut event = self.event(file, (modified, Meaning::ContentModification), text);
        event.confidence = Confidence::Filesystem;
        event.action = "write";
        Some(event)
    }

    /// A file of JSON as one record; an issue when it is none.
    fn json(&self, file: &ArtifactFile, findings: &mut dyn Findings) -> Option<Json> {
        json::record(&self.artifact.read(file, findings)?, file, findings)
    }

    /// Where the window lay, and what was open.
    fn window(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        if self.json(file, findings).is_none() {
            return;
        }
        let name = String::from_utf8_lossy(file.path.file_name().unwrap_or_default()).into_owned();
        let text = format!("state of the window last written: {name}");
        if let Some(event) = self.written(file, &text, findings) {
            findings.event(&event);
        }
    }
}

#[cfg(test)]
mod tests;
