//! The installer.

use super::of;

#[test]
fn every_stage_of_the_installer_is_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "Installer",
        "No installation found",
        "Install install_first | no earlier installation was found: this is a first one",
    ),
    (
        "InstallHandler",
        "No d4w installation found",
        "Install install_first | no earlier installation was found: this is a first one",
    ),
    (
        "CheckForUpdateHandler",
        r#"Install found: version=45183, displayVersion=2.3.0.2, basePath=C:\Program Files\Docker\Docker, channel=stable, channelUrl=https://download.docker.com/win/stable/appcast.xml"#,
        r#"Install install_existing | an earlier installation was found | desktop_version=2.3.0.2 | build=45183 | host_path=C:\Program Files\Docker\Docker | channel_address=https://download.docker.com/win/stable/appcast.xml"#,
    ),
    (
        "Installer",
        r#"Existing installation found: build=128006, version=4.25.1, basePath=C:\Program Files\Docker\Docker, channelUrl=https://desktop-stage.docker.com/win/main/amd64/appcast.xml"#,
        r#"Install install_existing | an earlier installation was found | desktop_version=4.25.1 | build=128006 | host_path=C:\Program Files\Docker\Docker | channel_address=https://desktop-stage.docker.com/win/main/amd64/appcast.xml"#,
    ),
    (
        "InstallWorkflow",
        "Manifest found: version=165256, displayVersion=4.34.0, channelUrl=https://desktop.docker.com/win/main/amd64/appcast.xml",
        "Install install_version | the version that is installed | desktop_version=4.34.0 | build=165256 | channel_address=https://desktop.docker.com/win/main/amd64/appcast.xml",
    ),
    (
        "ManifestAndExistingInstallationLoader",
        "Relaunching from temp folder",
        "Install install_relaunch | the installer starts itself again from a copy",
    ),
    (
        "AdminInstallHandler",
        "Running admin installation",
        "Install install_elevate | the installer runs with administrator's rights",
    ),
    (
        "Installer",
        "Not run as admin, relaunching with UAC prompt",
        "Install install_elevate | the installer asks for administrator's rights",
    ),
    (
        "Installer",
        "Selected backend mode: wsl-2",
        "Install install_backend | the backend that was chosen | detail=wsl-2",
    ),
    (
        "InstallWorkflow",
        "Using package: res:DockerDesktop",
        "Install install_package | the package that is installed | detail=res:DockerDesktop",
    ),
    (
        "InstallWorkflow",
        "Phase 1: Staging",
        "Install install_phase | a phase of the installation | detail=Phase 1: Staging",
    ),
    (
        "InstallWorkflow",
        "Deploying component Docker.Installer.CreateGroupAction",
        "Install install_component | a component is installed | detail=Docker.Installer.CreateGroupAction",
    ),
    (
        "InstallWorkflow",
        "Prerequisite failed: Windows 10 version is too old",
        "Install install_failed | a prerequisite of the installation is missing | meaning=End Time | detail=Windows 10 version is too old",
    ),
    (
        "InstallWorkflow",
        "Installation succeeded",
        "Install install_end | Docker Desktop is installed | meaning=Added Time",
    ),
    (
        "UninstallWorkflow",
        "Action CommunityInstaller.ExecAction failed",
        "Install install_failed | a step of the installer failed",
    ),
    (
        "Installer",
        "Killing existing Docker Desktop process with PID 19936",
        "Install process_kill | the installer kills a process | process=Docker Desktop | killed_process=19936",
    ),
    (
        "LinuxWSL2Engine",
        "Destroying distro",
        "Engine vm_destroy | the engine's WSL distribution is removed | meaning=Content Deletion Time",
    ),
    (
        "HyperVGuids",
        "Removing GUIDs...",
        "Install uninstall_step | registration at Hyper-V is removed | meaning=Content Deletion Time",
    ),
    (
        "Installer",
        "Deleting stored credentials",
        "Install uninstall_step | stored credentials are removed | meaning=Content Deletion Time",
    ),
    (
        "FileSystem",
        r#"Deleting C:\Program Files\Docker\Docker"#,
        r#"Install uninstall_step | a directory is removed | meaning=Content Deletion Time | host_path=C:\Program Files\Docker\Docker"#,
    ),
    (
        "UninstallWorkflow",
        "Uninstalled finished",
        "Install uninstall_end | Docker Desktop is removed | meaning=Content Deletion Time",
    ),
    (
        "Docker Desktop Installer.exe.installer",
        "starting, console mode: true",
        "Install install_start | the installer was started | meaning=Start Time",
    ),
    (
        "Docker Desktop Installer.exe.installer",
        r#"extracting "launcher" to "C:\\Users\\u\\AppData\\Local\\Temp\\DockerDesktopInstallers\\1766052637469153300\\Docker Desktop Installer.exe""#,
        r#"Install install_unpack | the installer unpacks itself | unpacked=launcher | host_path=C:\Users\u\AppData\Local\Temp\DockerDesktopInstallers\1766052637469153300\Docker Desktop Installer.exe"#,
    ),
];
