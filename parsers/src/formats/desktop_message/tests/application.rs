//! Docker Desktop as a program.

use super::of;

#[test]
fn starts_ends_crashes_and_logins_are_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "GUI",
        "Starting...",
        "Application app_start | Docker Desktop was started | meaning=Start Time",
    ),
    (
        "com.docker.backend.exe",
        "shutdownSequence begin",
        "Application app_stopping | Docker Desktop is shutting down",
    ),
    (
        "com.docker.backend.exe",
        "terminating main distribution",
        "Engine vm_stopping | the engine's WSL distribution is stopped",
    ),
    (
        "com.docker.backend.exe",
        "backend crashed, dumping error to file and reporting to user: panic",
        "Application app_crash | the backend crashed | meaning=End Time",
    ),
    (
        "NPS",
        "NPS user ceated on :3/5/2018 2:31:38 AM -08:00",
        "Application first_use | when Docker Desktop was first used | first_used=3/5/2018 2:31:38 AM -08:00",
    ),
    ("DockerHub", "Login successfull", "Application login | somebody signed in at Docker Hub"),
    (
        "com.docker.backend.exe",
        "compose/bulk/:action ProjectName:shop Action:down",
        "Application compose | somebody used a compose project in the graphical interface | compose_project=shop | compose_action=down",
    ),
    (
        "com.docker.backend.exe.registryaccess",
        "policy for org acme refreshed",
        "Application registry_access | which registries may be used",
    ),
    (
        "com.docker.backend.exe.allowed-orgs",
        "user is member of acme",
        "Application registry_access | which organizations may sign in",
    ),
];
