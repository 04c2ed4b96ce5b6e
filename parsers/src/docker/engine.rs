//! The engine itself: who it is, how it was set, and what it left half done.
//!
//! | file | written by | instant | event |
//! |---|---|---|---|
//! | `<root>/engine-id` | the first start of an engine of 23.0 or later | time of the file | identity made |
//! | `docker/key.json` | the first start of an engine up to 22 (a key of libtrust); its `kid` is the engine's id, also what a later engine took over into `engine-id` | time of the file | identity made |
//! | `<root>/trust/*.json` | engines before 1.10: a graph of who may name images | time of the file | graph written |
//! | `docker/daemon.json`; `.docker/daemon.json`, `.docker/windows-daemon.json` of a user of Docker Desktop, `%PROGRAMDATA%\Docker\config\daemon.json` | a person | time of the file | settings last written |
//! | units of `docker` and `containerd`, their drop-ins, and the files of shell variables that they read | a package; drop-ins by a person | time of the file | settings last written |
//! | `etc/containerd/config.toml` | a person | time of the file | settings last written |
//! | `docker/certs.d/<registry>/*` | a person | time of the file | certificate or key for a registry written |
//! | `<root>/runtimes/<name>` | the engine's start, from `runtimes` with arguments | time of the file | wrapper of a runtime written |
//! | `<root>/tmp/GetImageBlob*` | a pull | time of the file | download of a layer broken off |
//!
//! All instants are times of files. Settings are `key=value` under the names of `daemon.json`,
//! whether they came from there or from the command line of a unit; which of them are risky is in
//! [`crate::inventory::risk`]. A unit's API on the network counts as authenticated when the
//! `etc/docker/daemon.json` above it asks for client certificates.
//!
//! After moby 29.7.2 `daemon/id.go`, `daemon/config/config.go`, `daemon/command/options.go`,
//! `daemon/runtime_unix.go`; 20.10.27 `api/common.go`, `daemon/trustkey.go`, `distribution/pull_v2.go`.
//!
//! Not supported: the content of certificates, and of files that units name with `EnvironmentFile`,
//! other than the usual ones. Keys that sign images are files of a client.

mod identity;
mod leftovers;
mod settings;
mod units;

use crate::written_file::WrittenFile;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Kind};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.engine",
    reads: &[
        "engine-id",
        "docker/key.json",
        "snap/docker/{revision}/config/key.json",
        "docker/trust/{graph}.json",
        "docker/daemon.json",
        "(?i).docker/daemon.json",
        "(?i).docker/windows-daemon.json",
        "(?i)docker/config/daemon.json",
        "snap/docker/{revision}/config/daemon.json",
        "etc/containerd/config.toml",
        "containerd/containerd.toml",
        "systemd/system/docker.{unit}",
        "systemd/user/docker.{unit}",
        "systemd/system/containerd.{unit}",
        "systemd/system/snap.docker.dockerd.{unit}",
        "systemd/system/docker.{unit}.d/{drop_in}.conf",
        "systemd/user/docker.{unit}.d/{drop_in}.conf",
        "systemd/system/containerd.{unit}.d/{drop_in}.conf",
        "systemd/system/snap.docker.dockerd.{unit}.d/{drop_in}.conf",
        "etc/default/docker{variables_of*}",
        "etc/sysconfig/docker{variables_of*}",
        "etc/conf.d/docker{variables_of*}",
        "docker/certs.d/{registry}/{certificate}",
        "docker/runtimes/{runtime}",
        "docker/{user}.{group}/runtimes/{runtime}",
        "tmp/GetImageBlob{download}",
    ],
    gather: Gather::File,
    about: "the engine itself: identity, settings, units, certificates, what it left half done",
    yields: "identity made, settings last written with their risks, keys, broken-off downloads",
    references: &[
        "moby 29.7.2 daemon/id.go, daemon/config/config.go, daemon/runtime_unix.go",
        "moby 20.10.27 api/common.go, daemon/config/config.go, distribution/pull_v2.go",
        "systemd 257 man systemd.syntax",
    ],
    parse,
};

/// Whether a file of this name holds settings of an engine; Windows does not tell cases apart.
fn is_settings(name: &[u8]) -> bool {
    [&b"daemon.json"[..], b"windows-daemon.json"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

static SETTINGS: Kind = Kind {
    data_type: "docker:engine:settings",
    source_short: "DOCKER",
    source_long: "Docker engine settings",
};

static IDENTITY: Kind = Kind {
    data_type: "docker:engine:identity",
    source_short: "DOCKER",
    source_long: "Docker engine identity",
};

static LEFTOVER: Kind = Kind {
    data_type: "docker:engine:leftover",
    source_short: "DOCKER",
    source_long: "Docker engine leftover",
};

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let written = WrittenFile::of(artifact, file, findings);
        let is = |name: &str| file.capture(name).is_some();
        match file.path.file_name().unwrap_or_default() {
            _ if is("download") => leftovers::download(&written, findings),
            _ if is("runtime") => leftovers::runtime(&written, findings),
            _ if is("certificate") => identity::certificate(&written, findings),
            _ if is("graph") => identity::trust_graph(&written, findings),
            _ if is("unit") => units::unit(&written, findings),
            _ if is("variables_of") => units::shell_variables(&written, findings),
            b"engine-id" => identity::engine_id(&written, findings),
            b"key.json" => identity::key(&written, findings),
            name if is_settings(name) => settings::of_engine(&written, findings),
            _ => settings::of_containerd(&written, findings),
        }
    }
}

#[cfg(test)]
mod tests;
