//! What people leave who work with containers on a host: the files of the client in each home, and
//! the commands in the histories of their shells.
//!
//! | file | instant | event |
//! |---|---|---|
//! | `.docker/config.json` (and what an interrupted write left), `.dockercfg` before 1.7, `auth.json` of Podman, Buildah and Skopeo | of the file | configuration last written; one for each registry with a login |
//! | `.docker/contexts/meta/<id>/meta.json`, `contexts/tls/<id>/…` | of the file | context: another engine that was worked with; its keys |
//! | `.docker/buildx/activity/<builder>` | in it | builder last used |
//! | `.docker/buildx/refs/<builder>/<node>/<build>` | of the file | build begun, with its directory and Dockerfile; outlives the engine's build history |
//! | `.docker/buildx/instances/<builder>`, `current` | of the file | builder made or changed; last chosen |
//! | `.docker/.token_seed`, `trust/private/*.key`, `.kube/config` | of the file | that it is there; what is in it is not read |
//! | `.docker/scan/config.json`, `.wslconfig` | of the file | settings of image scans; of the machine in which WSL runs |
//! | `.config/containers/podman/machine/<provider>/<machine>.json` | in it | machine of Podman made, last started |
//! | `Windows\System32\drivers\etc\hosts` | of the file | names that Docker Desktop has put in it |
//! | histories of bash, zsh, tcsh, fish with times | of each command | command of a container tool |
//! | histories without times, as those of PowerShell | of the file | all such commands in it, entered before |
//!
//! Homes are those of Linux and macOS and the profiles of Windows, whose paths are in any case.
//! Passwords and tokens of registries are never shown, only whose they are; what a command line
//! holds is shown as it was typed, tagged when it promises a secret, as the environment of a
//! container is. A history's undated commands get no time of their own: what is known is that they
//! were entered before the file was last written. Directories that `DOCKER_CONFIG` or `HISTFILE`
//! name are not looked for. After docker/cli 29.7 `cli/config/configfile`, `cli/context/store`;
//! buildx 0.30 `store`, `localstate`; bash 5.2 `lib/readline/histfile.c`; zsh 5.9 `Src/hist.c`;
//! fish 3.7 `history_file.cpp`.
//!
//! Not supported: the history of ksh, credentials kept by helpers, the content of kubeconfigs.

mod builder;
mod command;
mod configuration;
mod context;
mod history;
mod hosts_file;
mod machine;
mod trace;
mod words;

use crate::formats::user_profile;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "host.client",
    reads: &[
        "(?i).docker/config.json{leftover*}",
        "(?i).dockercfg",
        "(?i).config/containers/auth.json",
        "(?i)run/containers/{uid}/auth.json",
        "(?i)run/user/{uid}/containers/auth.json",
        "(?i).docker/contexts/meta/{context:id}/meta.json",
        "(?i).docker/contexts/tls/{context:id}/{tls**}",
        "(?i).docker/buildx/instances/{builder}",
        "(?i).docker/buildx/activity/{builder}",
        "(?i).docker/buildx/refs/{builder}/{node}/{build}",
        "(?i).docker/buildx/current",
        "(?i).docker/.token_seed",
        "(?i).docker/trust/private/{key}.key",
        "(?i).kube/config",
        "(?i).bash_history",
        "(?i).zsh_history",
        "(?i).zhistory",
        "(?i).ash_history",
        "(?i).sh_history",
        "(?i).history",
        "(?i).local/share/fish/fish_history",
        "(?i).docker/scan/config.json",
        "(?i).wslconfig",
        "(?i)AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/{shell}_history.txt",
        "(?i).local/share/powershell/PSReadLine/{shell}_history.txt",
        "(?i).config/containers/podman/machine/{provider}/{machine}.json",
        "(?i)Windows/System32/drivers/etc/hosts",
    ],
    gather: Gather::File,
    about: "client files in homes, and container commands in shell histories",
    yields: "logins at registries, contexts, builders and builds, commands that were typed",
    references: &[
        "docker/cli 29.7.2 cli/config/configfile/file.go, cli/context/store",
        "buildx 0.30 store/store.go, localstate/localstate.go",
        "bash 5.2 lib/readline/histfile.c",
        "zsh 5.9 Src/hist.c",
        "fish 3.7 src/history_file.cpp",
        "PSReadLine 2.3 History.cs",
        "podman 5 pkg/machine/vmconfigs/config.go",
    ],
    parse,
};

static CLIENT: Kind = Kind {
    data_type: "docker:client:configuration",
    source_short: "HOST",
    source_long: "Container client",
};

/// A file of somebody's home.
struct HomeFile<'a> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
    inventory: &'a Inventory,
    /// Whose home it is, as its directory is called.
    user: Option<String>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let user = file.capture("uid").map(str::to_owned).or_else(|| home(artifact));
        let home = HomeFile { artifact, file, inventory, user };
        match file.path.file_name().unwrap_or_default().to_ascii_lowercase().as_slice() {
            b"auth.json" | b".dockercfg" => home.configuration(findings),
            _ if file.capture("leftover").is_some() => home.configuration(findings),
            b"meta.json" => home.context(findings),
            b"current" => home.current_builder(findings),
            b"hosts" => home.hosts_file(findings),
            _ if file.capture("machine").is_some() => home.machine(findings),
            _ if file.capture("build").is_some() => home.build(findings),
            _ if file.capture("builder").is_some() => home.builder(findings),
            name if history::is_history(name) => home.history(findings),
            _ => home.trace(findings),
        }
    }
}

/// The name of a home.
fn home(artifact: &Artifact) -> Option<String> {
    let name = artifact.root.file_name()?;
    Some(String::from_utf8_lossy(name).into_owned())
}

impl HomeFile<'_> {
    /// The file as text.
    fn text(&self, findings: &mut dyn Findings) -> Option<String> {
        Some(self.as_text(&self.artifact.read(self.file, findings)?, findings))
    }

    /// The bytes as text; what is not UTF-8 is replaced, and told.
    fn as_text(&self, bytes: &[u8], findings: &mut dyn Findings) -> String {
        if let Err(error) = std::str::from_utf8(bytes) {
            let at = Position::Offset(u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX));
            let what = "bytes that are not UTF-8, read as replacement characters";
            findings.issue(self.file.issue(IssueKind::Malformed, at, what));
        }
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn modified(&self, findings: &mut dyn Findings) -> Option<Instant> {
        self.artifact.metadata(self.file, findings)?.modified
    }

    /// An event at the time of the file.
    fn event<'a>(
        &'a self,
        kind: &'a Kind,
        subject: &'a Subject,
        (at, meaning): (Instant, Meaning),
    ) -> Event<'a> {
        let mut event = Event::new(&self.file.origin, kind, subject, (at, meaning));
        event.confidence = Confidence::Filesystem;
        event.user = self.user.as_deref();
        event.attribute(
            "user_name",
            user_profile::user(&self.file.path).map(|user| Value::Text(user.into())),
        );
        event
    }
}
