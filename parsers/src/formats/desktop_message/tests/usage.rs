//! What somebody used.

use super::of;

#[test]
fn commands_images_and_actions_are_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "GoBackendProcess",
        "received new cli usage: {Command:context ls Context:moby Status:success Source:cli}",
        "Application command | command of the client | command=docker context ls | client_context=moby | status=success",
    ),
    (
        "GoBackendProcess",
        "received new cli usage: {Command:run Context:moby}",
        "Application command | command of the client | command=docker run | client_context=moby",
    ),
    (
        "SegmentApi",
        "Usage statistic: appLaunched",
        "Application app_start | Docker Desktop was started | activity=appLaunched",
    ),
    (
        "SegmentApi",
        "Usage statistic: heartbeat",
        "Application activity | Docker Desktop was running | activity=heartbeat",
    ),
    (
        "SegmentApi",
        "Usage statistic: actionSettingsChanged",
        "Application activity | somebody used the graphical interface | activity=actionSettingsChanged",
    ),
    (
        "SegmentApi",
        "Usage statistic: actionResetToDefault",
        "Application reset | somebody reset Docker Desktop to factory defaults | activity=actionResetToDefault",
    ),
    (
        "com.docker.backend.exe.analytics.tracker",
        "sending event: dailyHeartbeat 5cd93bfa-0d3e-4d0a-8a3c-0b6b8d1b8a11",
        "Application activity | Docker Desktop was running | activity=dailyHeartbeat",
    ),
];
