//! The engine and its machine.

use super::of;

#[test]
fn states_of_the_engine_and_its_machine_are_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "com.docker.backend.exe.engines",
        "setting engine linux/wsl state starting -> running",
        "Engine engine_start | the engine runs | meaning=Start Time | state=running | former_state=starting | engine_kind=linux/wsl",
    ),
    (
        "main.engines",
        "setting engine linux/virtualization-framework state running -> stopping",
        "Engine engine_stopping | the engine is stopping | state=stopping | former_state=running | engine_kind=linux/virtualization-framework",
    ),
    (
        "com.docker.backend.exe.engines",
        "engine linux/wsl failed to start: checking preconditions: no WSL",
        "Engine engine_failed | the engine failed to start | engine_kind=linux/wsl | error=checking preconditions: no WSL",
    ),
    (
        "com.docker.backend.exe",
        "all local engines stopped",
        "Engine engine_stop | every engine has stopped | meaning=End Time",
    ),
    (
        "com.docker.backend.exe.state",
        "backend state changed to running",
        "Engine engine_start | the engine runs | meaning=Start Time | state=running",
    ),
    (
        "com.docker.backend.exe.statehandler",
        "sending to Dashboard: stopping",
        "Engine engine_stopping | the engine is stopping | state=stopping",
    ),
    (
        "EngineStateNotificationRecorder",
        r#"Registered state {"State":"running","Mode":"linux","date":1621265674}"#,
        "Engine engine_start | the engine runs | meaning=Start Time | stated=2021-05-17T15:34:34.000000000Z | state=running | mode=linux",
    ),
    (
        "main.events",
        "adding server timestamp to event (engines): 1776459899950897000 docker: running",
        "Engine engine_start | the engine runs | meaning=Start Time | stated=2026-04-17T21:04:59.950897000Z | state=running | event_topic=engines | event=docker: running",
    ),
    (
        "SystrayNotifications",
        "Docker Desktop is running",
        "Engine engine_start | the engine runs | meaning=Start Time",
    ),
    (
        "SystrayNotifications",
        "Docker has stopped",
        "Engine engine_stop | the engine has stopped | meaning=End Time",
    ),
    (
        "SystrayNotifications",
        "Docker Desktop is cleaning up data...",
        "Engine purge | all data of the engine are being removed | meaning=Content Deletion Time",
    ),
    (
        "HyperV",
        "Starting VM MobyLinuxVM...",
        "Engine vm_start | the virtual machine starts | meaning=Start Time | virtual_machine=MobyLinuxVM",
    ),
    (
        "HyperV",
        "VM MobyLinuxVM is stopped",
        "Engine vm_stop | the virtual machine is stopped | meaning=End Time | virtual_machine=MobyLinuxVM",
    ),
    (
        "HyperV",
        "Kill VM MobyLinuxVM process...",
        "Engine vm_kill | the virtual machine did not stop and is killed",
    ),
    (
        "HyperV",
        "Killed VM MobyLinuxVM is off",
        "Engine vm_stop | the virtual machine is stopped | meaning=End Time | virtual_machine=MobyLinuxVM",
    ),
    (
        "HyperV",
        "Destroy",
        "Engine vm_destroy | the virtual machine is removed | meaning=Content Deletion Time",
    ),
    (
        "WindowsDaemon",
        r#"trying to start Windows dockerd with args=-G "docker-users" --config-file "C:\ProgramData\Docker\config\daemon.json" and env="#,
        r#"Engine engine_starting | the engine starts | command=dockerd -G "docker-users" --config-file "C:\ProgramData\Docker\config\daemon.json" | state=starting | engine_kind=windows"#,
    ),
    (
        "com.docker.virtualization",
        "VM has started",
        "Engine vm_start | the virtual machine has started | meaning=Start Time",
    ),
    (
        "com.docker.virtualization",
        "Requesting VM termination",
        "Engine vm_stopping | the virtual machine was told to stop",
    ),
    (
        "com.docker.virtualization",
        "VM has stopped gracefully",
        "Engine vm_stop | the virtual machine has stopped | meaning=End Time",
    ),
    (
        "com.docker.virtualization",
        "VM has stopped: internal error",
        "Engine vm_stop | the virtual machine has stopped | meaning=End Time",
    ),
];
