//! Messages between the processes.

use super::of;

#[test]
fn what_the_processes_say_to_each_other_is_told_when_it_tells_something() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "com.docker.backend.exe.ipc",
        r#"(0a2f01e1-5) b53e1d8e-DockerApiProxyBackendClient C->S BackendAPI POST /usage/image: {"agent":"Cli","attachStderr":true,"cmd":["/bin/bash","-c","id > x"],"containerID":"7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd","image":"kalilinux/kali-rolling","restartPolicyName":"no","tty":true}"#,
        "Container run | container run from an image | id=7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd | image=kalilinux/kali-rolling | command=/bin/bash -c 'id > x' | agent=Cli | restart_policy=no | terminal=true | api_direction=request | http_method=POST | request_path=/usage/image | ipc_process=DockerApiProxyBackendClient | ipc_peer=BackendAPI",
    ),
    (
        "IPCClient",
        r#"(24a9373c) c10f6192-GoBackendClient-CSharp C<-S 26c6f576-BackendAPI GET /settings (32ms): {"swarmFederationExplicitlyLoggedOut":false,"exposeDockerAPIOnTCP2375":true,"settingsVersion":12,"filesharingDirectories":["C:\\src"]}"#,
        r#"Settings settings_read | settings as they were then | settings=exposeDockerAPIOnTCP2375=true + filesharingDirectories=C:\src + settingsVersion=12 | api_direction=response | http_method=GET | request_path=/settings | duration=32ms | ipc_process=GoBackendClient-CSharp | ipc_peer=BackendAPI"#,
    ),
    (
        "GoBackendProcess",
        r#"(ff32e367) 1b3f956c-CliAPI S<-C Go-http-client/1.1 bind: {"command":"context ls","context":"moby","status":"success","source":"cli"}"#,
        "Application command | command of the client | command=docker context ls | client_context=moby | status=success | api_direction=request | ipc_process=CliAPI | ipc_peer=Go-http-client/1.1",
    ),
    (
        "GoBackendProcess",
        r#"(ff32e367-1) da994474-BackendCMD C->S POST /usage/cli: {"command":"context ls","context":"moby","status":"success","source":"cli"}"#,
        "Application command | command of the client | command=docker context ls | client_context=moby | status=success | api_direction=request | http_method=POST | request_path=/usage/cli | ipc_process=BackendCMD",
    ),
    (
        "GoBackendProcess",
        r#"(ff32e367-1) da994474-BackendCMD C<-S No response POST /usage/cli (567.6µs): Post "http://ipc/usage/cli": open \\.\pipe\dockerWebApiServer: The system cannot find the file specified.[[STACK]]"#,
        "log",
    ),
    (
        "GoBackendProcess",
        "(ff32e367) 1b3f956c-CliAPI S<-C Go-http-client/1.1 POST /usage[[STACK]]",
        "log",
    ),
    (
        "IPCClient",
        r#"(bd936b55) 4b1ff9e4-GoBackendClient-CSharp C<-S 6198ce62-BackendAPI POST /events (85ms): {"timestamp":0,"HasServerTimestamp":true,"serverTime":1626618042689306200,"content":"LinuxWSL2Engine sent docker state stopping","docker":"stopping"}"#,
        "Engine engine_stopping | the engine is stopping | stated=2021-07-18T14:20:42.689306200Z | state=stopping | api_direction=response | http_method=POST | request_path=/events | duration=85ms | ipc_process=GoBackendClient-CSharp | ipc_peer=BackendAPI",
    ),
    (
        "com.docker.backend.exe.ipc",
        "(6106211c) e59ae092-desktop_extensions S->C Docker-Desktop/4.37.1 (Windows; x64) POST /desktop/cleanup (29.4611923s): OK",
        "Engine purge | removal of all data of the engine answered | api_direction=response | http_method=POST | request_path=/desktop/cleanup | duration=29.4611923s | status=OK | ipc_process=desktop_extensions | ipc_peer=Docker-Desktop/4.37.1 (Windows; x64)",
    ),
    (
        "IPCServer",
        "(983498d2-4) c9d99a35-ServiceAPI S->C 5c38c3b5-serviceClientCLI POST /windowscontainers/start (31123ms): Internal Server Error",
        "Engine engine_starting | start of the engine answered | engine_kind=windowscontainers | api_direction=response | http_method=POST | request_path=/windowscontainers/start | duration=31123ms | status=Internal Server Error | ipc_process=ServiceAPI | ipc_peer=serviceClientCLI",
    ),
    (
        "LoggingMessageHandler",
        "[d048962a] <Server start> POST http://localhost/desktop/cleanup",
        "Engine purge | removal of all data of the engine requested | api_direction=request | http_method=POST | request_path=/desktop/cleanup | ipc_process=Server",
    ),
    (
        "LoggingMessageHandler",
        "[03a2fbc8] <BackendAPIClient end> POST http://backend/windowscontainers/destroy -> 204 NoContent (took 49ms)",
        "Engine engine_destroy | removal of the engine answered | engine_kind=windowscontainers | api_direction=response | http_method=POST | request_path=/windowscontainers/destroy | duration=49ms | status=204 NoContent | ipc_process=BackendAPIClient",
    ),
    (
        "com.docker.backend.exe.ipc",
        r#"(fc875e1b-144) 1044169d-BackendAPI S->C 8da5180f-otelmgr GET /backend/state (0s): {"docker":"starting"}"#,
        "log",
    ),
    (
        "com.docker.backend.exe.ipc",
        "(6106211c) e59ae092-BackendAPI S<-C axios/0.21.1 POST /kubernetes/reset",
        "Engine kubernetes | change of Kubernetes requested | kubernetes_step=reset | api_direction=request | http_method=POST | request_path=/kubernetes/reset | ipc_process=BackendAPI | ipc_peer=axios/0.21.1",
    ),
    (
        "lifecycle-server",
        r#"GET /vm/disk-usage (680.5µs): {"availableBytes":33727324160,"totalBytes":62671097856,"usedBytes":25727057920}"#,
        "Engine disk_usage | how full the engine's disk is | used_bytes=25727057920 | available_bytes=33727324160 | total_bytes=62671097856 | api_direction=response | http_method=GET | request_path=/vm/disk-usage | duration=680.5µs",
    ),
    ("GoBackendProcess", "cb54899e-VMAPI : registring POST /diagnostics/gather", "log"),
    (
        "com.docker.backend.exe.ipc",
        "(dockerai-1773887466254386800) 1044169d-BackendAPI S<-C DockerAI POST /diagnostics/gather",
        "Application diagnostics | collection of diagnostics requested | api_direction=request | http_method=POST | request_path=/diagnostics/gather | ipc_process=BackendAPI | ipc_peer=DockerAI",
    ),
];
