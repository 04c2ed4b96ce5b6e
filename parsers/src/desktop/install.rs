//! What installations and updates of Docker Desktop leave beside their logs.
//!
//! | what | instant | event |
//! |---|---|---|
//! | `%LOCALAPPDATA%\Temp\DockerDesktopInstallers\<nanoseconds>\` | the directory's name, since 1970 in UTC | the installer was started |
//! | `%LOCALAPPDATA%\Temp\DockerDesktopUpdates\Docker Desktop Installer (<build>).exe`, `Docker Desktop Updater-<from> (<to>).exe` | of the file | update downloaded |
//! | `%LOCALAPPDATA%\Temp\DockerDesktop\<random>\` | of the first file in it | the installer or uninstaller copied itself |
//! | `%PROGRAMDATA%\DockerDesktop\install-settings.json` | the file was made; last written | options that Docker Desktop was installed with |
//! | `Docker Desktop.exe`, `com.docker.backend.exe` in `C:\Program Files\Docker\Docker` or `%LOCALAPPDATA%\Programs\DockerDesktop` | the file was made; last written | version installed, as the program's own version resource says |
//! | `Docker.staging\Docker Desktop.exe` | of the file | an installation that was not finished |
//! | `version-packs\<pack>\` | of the first file in it | pack of engine versions (2.x) |
//!
//! Which version a build is follows from the builds that are public; others stay numbers. Programs
//! of 4.40 have no version resource. What lies in version packs is unconfirmed: only names are used.
//! The installer's logs are read by `desktop.log`.

mod part;
mod version;

use crate::formats::user_profile;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::Findings;
use part::Part;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "desktop.install",
    reads: &[
        "(?i)Temp/DockerDesktopInstallers/{started}/{file}",
        "(?i)Temp/DockerDesktopUpdates/Docker Desktop {program} ({build}).exe",
        "(?i)Temp/DockerDesktop/{copy}/{file}",
        "(?i)DockerDesktop/install-settings.json",
        "(?i)Docker/Docker/Docker Desktop.exe",
        "(?i)Docker/Docker/resources/com.docker.backend.exe",
        "(?i)Programs/DockerDesktop/Docker Desktop.exe",
        "(?i)Programs/DockerDesktop/resources/com.docker.backend.exe",
        "(?i)Docker.staging/Docker Desktop.exe",
        "(?i)DockerDesktop/version-packs/{pack}/{file}",
    ],
    // The files of one installer's directory are one artifact.
    gather: Gather::Together,
    about: "what installations and updates of Docker Desktop leave beside their logs",
    yields: "installers started, updates downloaded, versions installed, unfinished installations",
    references: &[
        "docker/for-win issues 13799, 14703, 15005: paths and names",
        "Microsoft PE Format, VS_VERSIONINFO",
    ],
    parse,
};

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(file) = artifact.files.first() else { return };
    let user = user_profile::user_of(file);
    Part { artifact, file, user }.read(findings);
}

#[cfg(test)]
mod tests;
