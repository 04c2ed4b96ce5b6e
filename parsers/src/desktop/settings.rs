//! The settings of Docker Desktop, and what else it remembers of its user.
//!
//! | file | instant | event |
//! |---|---|---|
//! | `settings.json` (to 4.34: every key), `settings-store.json` (since 4.35: what is not the default) | of the file | settings last written, with their risks |
//! | keys in them that are times: `firstLaunchTime`, `tipLastViewedTime`, `lastLoginDate`, `LastContainerdSnapshotterEnable`, ... | in it | what the key says |
//! | `features-overrides.json`, `admin-settings.json`, `registry.json`, `access.json`, `http_proxy.json`, `gateway_forwards.json`, `registry-access-managment-state.json` (spelled so), `locked-directories` | of the file | last written |
//! | `.trackid` | the file was made | the profile was first used; its analytics id |
//! | `*.error.json` | of the file | a part of Docker Desktop ended with an error |
//! | `unleash-*.json` | of the file | feature flags were last fetched: the host was online |
//! | `analyticsmonitor.dat`, `marlin.dat`, `wc.dat`, `reports.log`, `cagent/session.db` | of the file | last written; not read |
//!
//! They lie in `%APPDATA%\Docker`, `%PROGRAMDATA%\DockerDesktop`, `~/Library/Group
//! Containers/group.com.docker`, `/Library/Application Support/com.docker.docker`,
//! `~/.docker/desktop`; `settings.json` of Rancher Desktop in its own directories. After an upgrade
//! an old `settings.json` stays beside the new file: each is as it was when it was last written, in a
//! bundle of diagnostics when that was collected. A
//! file of zeros is what is left of one that was being written when the host stopped.
//!
//! The units of times are told by their magnitude: 10 digits are seconds, 13 milliseconds, 16
//! microseconds, 19 nanoseconds. That is known of `tipLastViewedTime`, `firstLaunchTime` and
//! `LastContainerdSnapshotterEnable`; of the others it is unconfirmed, and their times are `inferred`. What is in `*.error.json`, `access.json` and the counters is unconfirmed, too: no key
//! of theirs is counted on.
//!
//! The user's `daemon.json` is read by `docker.engine`. After docs.docker.com (settings management,
//! registry access) and the settings that users of docker/for-win and docker/for-mac show in public
//! issues, 3.3 to 4.85.

mod content;
mod time;

use crate::formats::user_profile;
use crate::written_file::WrittenFile;
use crate::{Artifact, Gather, Inventory, Parser};
use content::Content;
use dockline_timeline::Findings;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "desktop.settings",
    reads: &[
        "(?i)Docker/settings.json",
        "(?i)group.com.docker/settings.json",
        "(?i).docker/desktop/settings.json",
        "(?i)rancher-desktop/settings.json",
        "(?i)settings-store.json",
        "(?i)features-overrides.json",
        "(?i)DockerDesktop/admin-settings.json",
        "(?i)com.docker.docker/admin-settings.json",
        "(?i)docker-desktop/admin-settings.json",
        "(?i)DockerDesktop/registry.json",
        "(?i)com.docker.docker/registry.json",
        "(?i)docker-desktop/registry/registry.json",
        "(?i)DockerDesktop/access.json",
        "(?i)Docker/locked-directories",
        "(?i)registry-access-managment-state.json",
        "(?i)Docker/http_proxy.json",
        "(?i)Docker/gateway_forwards.json",
        "(?i)Docker/.trackid",
        "(?i)group.com.docker/.trackid",
        "(?i).docker/desktop/.trackid",
        "(?i)Docker/{part}.error.json",
        "(?i).docker/desktop/{part}.error.json",
        "(?i)unleash-{flags}docker{desktop*}.json",
        "(?i)Docker/analyticsmonitor.dat",
        "(?i)Docker/marlin.dat",
        "(?i)Docker/wc.dat",
        "(?i)Docker/reports.log",
        "(?i)cagent/session.db",
    ],
    gather: Gather::File,
    about: "settings of Docker Desktop, and what it remembers of its user",
    yields: "settings last written with their risks, times in them, first use, last errors",
    references: &[
        "docs.docker.com desktop/settings-and-maintenance, security/for-admins/hardened-desktop",
        "docker/for-win issues 3.3 to 4.85: settings that users show",
    ],
    parse,
};

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let written = WrittenFile::of(artifact, file, findings);
        let user = user_profile::user_of(file);
        content::Reader { written: &written, user }.read(Content::of(file), findings);
    }
}

#[cfg(test)]
mod tests;
