//! What the registry of Windows knows of Docker Desktop, of the distributions of WSL and of the host.
//!
//! | hive | key | event |
//! |---|---|---|
//! | `NTUSER.DAT` | `Software\Microsoft\Windows\CurrentVersion\Lxss\{GUID}` | a distribution of WSL registered or changed, with where its disk lies |
//! | `SOFTWARE`, `NTUSER.DAT` | `Docker Inc.` and the keys below it | settings of the installation last written |
//! | the same | `Microsoft\Windows\CurrentVersion\Uninstall\Docker Desktop` | installed or updated, with the version |
//! | the same | `Microsoft\Windows\CurrentVersion\Run` | started at login, with the command |
//! | `SYSTEM` | `Services\com.docker.service`, `Services\docker` | a service installed or changed |
//! | `SYSTEM` | `Control\TimeZoneInformation` | the zone of the host, in which its logs are |
//!
//! The only time of a key is that of its last write, whichever of its values that was, so that is the
//! time of each event. All distributions of WSL are told: an engine can run in each. Keys of other
//! programs are not read. The zone and the host's name serve all parsers
//! ([`windows_host`](crate::formats::windows_host)). The value `VhdFileName` is unconfirmed.

mod keys;

use crate::formats::registry_hive::{Flaw, Hive, Key};
use crate::formats::user_profile;
use crate::formats::windows_host;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Event, Findings, Kind, Meaning, Position, Subject, Value};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "desktop.registry",
    reads: &[
        "(?i)Windows/System32/config/SYSTEM",
        "(?i)Windows/System32/config/SOFTWARE",
        "(?i)Users/{user}/NTUSER.DAT",
    ],
    gather: Gather::File,
    about: "keys of Docker Desktop and of WSL in the registry of Windows",
    yields: "distributions of WSL, installations, services and autostart last written; the time zone",
    references: &[
        "M. Suhanov, Windows registry file format specification",
        "J. Metz, libregf: Windows NT Registry File (REGF) format",
    ],
    parse,
};

static REGISTRY: Kind = Kind {
    data_type: "docker:desktop:registry",
    source_short: "DESKTOP",
    source_long: "Windows registry",
};

/// A hive that is being told.
struct Told<'a> {
    file: &'a ArtifactFile,
    /// Whose hive it is.
    user: Option<String>,
    /// With what its paths begin.
    top: &'static str,
}

/// What a key says.
struct Fact {
    /// From the top of its hive.
    path: String,
    action: &'static str,
    text: String,
    attributes: Vec<(&'static str, Value<'static>)>,
}

fn parse(artifact: &Arc<Artifact>, _inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        for error in artifact.tree.damage(&file.path) {
            findings.issue(crate::artifact::unreadable(file, &error));
        }
        match windows_host::open_hive(&*artifact.tree, &file.path) {
            Ok(hive) => read(file, hive, findings),
            Err(flaw) => flaw.report(file, findings),
        }
    }
}

fn read(file: &ArtifactFile, hive: Hive, findings: &mut dyn Findings) {
    let name = file.path.file_name().unwrap_or_default();
    let user = user_profile::user(&file.path);
    if name.eq_ignore_ascii_case(b"SYSTEM") {
        let told = Told { file, user, top: r"HKLM\SYSTEM" };
        keys::services(&hive, &mut |key, fact| told.tell(key, &fact, findings));
        keys::zone(&hive, &mut |key, fact| told.tell(key, &fact, findings));
    } else if name.eq_ignore_ascii_case(b"SOFTWARE") {
        let told = Told { file, user, top: r"HKLM\SOFTWARE" };
        for top in ["", r"WOW6432Node\"] {
            keys::installation(&hive, top, &mut |key, fact| told.tell(key, &fact, findings));
        }
    } else {
        let told = Told { file, user, top: "HKCU" };
        keys::distributions(&hive, &mut |key, fact| told.tell(key, &fact, findings));
        let mut tell = |key: &Key<'_>, fact: Fact| told.tell(key, &fact, findings);
        keys::installation(&hive, r"Software\", &mut tell);
    }
    hive.into_flaws().iter().for_each(|flaw: &Flaw| flaw.report(file, findings));
}

impl Told<'_> {
    fn tell(&self, key: &Key<'_>, fact: &Fact, findings: &mut dyn Findings) {
        findings.records(&self.file.origin, 1, 0);
        let path = format!(r"{}\{}", self.top, fact.path);
        let Some(written) = key.last_written else {
            let what = format!("the key {path} has no time of its last write");
            return Flaw::malformed(key.offset, what).report(self.file, findings);
        };
        let at = (written, Meaning::ContentModification);
        let mut event = Event::new(&self.file.origin, &REGISTRY, &Subject::UNKNOWN, at);
        event.position = Position::Key(&path);
        event.action = fact.action;
        event.text = (&fact.text).into();
        event.attribute("registry_key", Some(Value::Text(path.as_str().into())));
        event.attribute("user_name", self.user.as_deref().map(|user| Value::Text(user.into())));
        for (name, value) in &fact.attributes {
            event.attribute(name, Some(value.clone()));
        }
        findings.event(&event);
    }
}
