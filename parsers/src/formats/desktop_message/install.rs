//! The installer and the uninstaller, of all stages from 17.x to 4.83.
//!
//! The uninstaller removes distribution and disk: its log is then what is left of an engine.
//! Lines whose paths lie below `systemprofile` are of a run as SYSTEM.

use super::wording::{Wording, find, wording};
use super::{Message, Topic};
use dockline_timeline::Meaning::{self, Added, Deletion, End, Recorded, Start};

const TABLE: &[Wording] = &[
    row(
        ("", "No installation found"),
        ("install_first", Recorded),
        "no earlier installation was found: this is a first one",
    ),
    row(
        ("", "No d4w installation found"),
        ("install_first", Recorded),
        "no earlier installation was found: this is a first one",
    ),
    row(
        ("", "Existing installation found: "),
        ("install_existing", Recorded),
        "an earlier installation was found",
    ),
    row(
        ("", "Install found: "),
        ("install_existing", Recorded),
        "an earlier installation was found",
    ),
    row(("", "Manifest found: "), ("install_version", Recorded), "the version that is installed"),
    row(
        ("", "Relaunching from temp folder"),
        ("install_relaunch", Recorded),
        "the installer starts itself again from a copy",
    ),
    row(
        ("", "Not run as admin, relaunching with UAC prompt"),
        ("install_elevate", Recorded),
        "the installer asks for administrator's rights",
    ),
    row(
        ("", "Running admin installation"),
        ("install_elevate", Recorded),
        "the installer runs with administrator's rights",
    ),
    row(
        ("", "settings from previous installation exist"),
        ("install_settings", Recorded),
        "settings of an earlier installation are kept",
    ),
    row(
        ("", "Selected backend mode: "),
        ("install_backend", Recorded),
        "the backend that was chosen",
    ),
    row(("", "Using package: "), ("install_package", Recorded), "the package that is installed"),
    row(("", "Phase "), ("install_phase", Recorded), "a phase of the installation"),
    row(("", "Unpacking artifacts"), ("install_unpack", Recorded), "files are unpacked"),
    row(("", "Deploying component "), ("install_component", Recorded), "a component is installed"),
    row(
        ("", "Prerequisite failed: "),
        ("install_failed", End),
        "a prerequisite of the installation is missing",
    ),
    row(("", "Installation succeeded"), ("install_end", Added), "Docker Desktop is installed"),
    row(("", "Installation failed"), ("install_failed", End), "the installation failed"),
    row(("", "starting, console mode: "), ("install_start", Start), "the installer was started"),
    row(
        ("", "waiting for installer to finish"),
        ("install_wait", Recorded),
        "the launcher waits for the installer",
    ),
    row(
        ("UninstallWorkflow", "Uninstalled finished"),
        ("uninstall_end", Deletion),
        "Docker Desktop is removed",
    ),
    row(("", "Uninstalling..."), ("uninstall_start", Start), "Docker Desktop is being removed"),
    row(("", "Killing existing "), ("process_kill", Recorded), "the installer kills a process"),
    row(("", "Killing processes"), ("process_kill", Recorded), "the installer kills processes"),
    row(
        ("HyperVGuids", "Removing GUIDs"),
        ("uninstall_step", Deletion),
        "registration at Hyper-V is removed",
    ),
    row(
        ("", "Deleting stored credentials"),
        ("uninstall_step", Deletion),
        "stored credentials are removed",
    ),
    row(
        ("", "Cleaning up application files and folders"),
        ("uninstall_step", Deletion),
        "files of the application are removed",
    ),
    row(("FileSystem", "Deleting "), ("uninstall_step", Deletion), "a directory is removed"),
    row(
        ("", "Action CommunityInstaller."),
        ("install_failed", Recorded),
        "a step of the installer failed",
    ),
];

const fn row(
    begins: (&'static str, &'static str),
    action: (&'static str, Meaning),
    says: &'static str,
) -> Wording {
    wording(begins, Topic::Install, action, says)
}

pub(super) fn read<'a>(component: &str, message: &'a str) -> Option<Message<'a>> {
    extracted(message).or_else(|| {
        let told = find(TABLE, component, message)?;
        Some(with_facts(told, message))
    })
}

/// `extracting "launcher" to "C:\\Users\\...\\DockerDesktopInstallers\\1766052637469153300\\..."`.
fn extracted<'a>(message: &'a str) -> Option<Message<'a>> {
    let rest = message.strip_prefix("extracting \"")?;
    let (what, path) = rest.split_once("\" to \"")?;
    let path = path.strip_suffix('"').unwrap_or(path).replace("\\\\", "\\");
    let told = Message::new(Topic::Install, "install_unpack", "the installer unpacks itself");
    Some(told.text("unpacked", Some(what)).text("host_path", Some(path)))
}

/// `version=165256, displayVersion=4.34.0, basePath=C:\..., channelUrl=https://...`: the first
/// stages call the build `version`.
fn with_facts<'a>(told: Message<'a>, message: &'a str) -> Message<'a> {
    match told.action {
        "install_existing" | "install_version" => {
            let facts = message.split_once(": ").map_or("", |(_, facts)| facts);
            let value = |key: &str| {
                let pairs = facts.split(", ").filter_map(|pair| pair.split_once('='));
                pairs.filter(|(name, _)| *name == key).map(|(_, value)| value).next()
            };
            let shown = value("displayVersion");
            let build = value("build").or_else(|| value("version").filter(|_| shown.is_some()));
            told.text("desktop_version", shown.or_else(|| value("version")))
                .text("build", build)
                .text("host_path", value("basePath"))
                .text("channel_address", value("channelUrl"))
        }
        "install_backend" | "install_package" | "install_failed" => {
            told.text("detail", message.split_once(": ").map(|(_, detail)| detail))
        }
        "install_component" => told.text("detail", message.strip_prefix("Deploying component ")),
        "install_phase" => told.text("detail", Some(message)),
        "uninstall_step" => told.text(
            "host_path",
            message.strip_prefix("Deleting ").filter(|path| path.contains('\\')),
        ),
        "process_kill" => {
            let pid = message.rsplit_once("with PID ").and_then(|(_, pid)| pid.trim().parse().ok());
            let name = message
                .strip_prefix("Killing existing ")
                .and_then(|rest| rest.split_once(" process"));
            told.text("process", name.map(|(name, _)| name)).integer("killed_process", pid)
        }
        _ => told,
    }
}

/// What the command line of an installer's header asks for; `None` of any other program.
#[must_use]
pub fn of_command_line(command_line: &str) -> Option<Message<'_>> {
    let is_installer = ["Installer.exe", "InstallerCli.exe", "Updater"]
        .iter()
        .any(|name| command_line.contains(name));
    if !is_installer {
        return None;
    }
    let words = || command_line.split([' ', '"']).filter(|word| !word.is_empty());
    let is = |wanted: &str| words().any(|word| word == wanted);
    let (action, says) = if is("uninstall") || is("-u") {
        ("uninstall_start", "the uninstaller was started")
    } else {
        ("install_start", "the installer was started")
    };
    let value = |key: &str| {
        let (_, after) = command_line.split_once(key)?;
        after.split([' ', '"']).find(|word| !word.is_empty())
    };
    let mut told = Message::new(Topic::Install, action, says);
    told.meaning = Start;
    told.command_line = Some(command_line.into());
    Some(
        told.flag("unattended", is("--quiet") || is("-q"))
            .flag("elevated_copy", is("--relaunch-from-temp"))
            .text("backend", value("--backend="))
            .text("host_path", value("--installation-dir=")),
    )
}
