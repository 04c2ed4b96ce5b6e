//! Every row of the tables, with all that a message says.

use super::*;

mod api;
mod application;
mod container;
mod diagnostics;
mod disk;
mod engine;
mod install;
mod integration;
mod ipc;
mod kernel;
mod mount;
mod settings;
mod update;
mod usage;

/// A message as one text: topic, action, what it says, and then whatever is known, as `key=value`.
fn told(message: &Message<'_>) -> String {
    let mut text = format!("{:?} {} | {}", message.topic, message.action, message.says);
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            text.push_str(&format!(" | {name}={value}"));
        }
    };
    if message.meaning != Meaning::Recorded {
        add("meaning", Some(message.meaning.description()));
    }
    add("stated", message.stated.map(|at| at.to_string()).as_deref());
    add("id", message.container.id.as_deref());
    add("name", message.container.name.as_deref());
    add("reference", message.container.reference.as_deref());
    add("image", message.image.as_deref());
    add("volume", message.volume.as_deref());
    add("network", message.network.as_deref());
    add("command", message.command_line.as_deref());
    for Attribute { name, value } in &message.attributes {
        let value = match value {
            Value::Text(text) => text.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            Value::List(items) => items.join(" + "),
        };
        add(name, Some(&value));
    }
    text
}

/// What a message of a component means, as one text; `log` when it means nothing.
fn of(component: &str, message: &str) -> String {
    meaning(component, message).map_or_else(|| "log".to_owned(), |message| told(&message))
}

#[test]
fn garbage_of_any_kind_means_nothing_and_costs_little() {
    let long = |text: &str| text.repeat(1 << 16);
    let query = format!(">> POST /containers/create?{}", long("a=%%&"));
    assert!(meaning("apiproxy", &query).is_some());
    for text in
        ["", "\\n", "\0\0", ">>", "<< ", "proxy", "()", "\u{fffd}", &long("("), &long(">> ")]
    {
        assert_eq!(of("com.docker.backend.exe", text), "log");
    }
}

#[test]
fn a_line_that_is_cut_anywhere_is_read_as_far_as_it_goes() {
    let lines = [
        r#"(0a2f01e1-5) b53e1d8e-Proxy C->S Docker-Desktop/4.37.1 (Windows; x64) POST /usage/image: {"cmd":["a"],"image":"é"}"#,
        "[03a2fbc8] <BackendAPIClient end> POST http://backend/x/destroy -> 204 NoContent (took 49ms)",
        "GET /vm/disk-usage (1h2m3.5s): {\"usedBytes\":1}",
        "exposer.Add(7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd, /wéb, [a -> b, c])",
        "grpcfuseClient.VolumeApprove([host=C:\\a,VM=/b,dst=/c,option=rw])",
        "failed to rename, use copy: rename C:\\a b.vhdx D:\\é.vhdx: why",
        "adding server timestamp to event (engines): -9223372036854775808 docker: running",
        "Registered state {\"State\":\"running\",\"date\":9223372036854775807}",
        "moving WSL data disk from \"\" to \"D:\\\\ddd\"",
        "compose/bulk/:action ProjectName:shop Action:down",
        "received new cli usage: {Command:run Context:moby Status:success Source:cli}",
        "sbJoin: gwep4 ''->'', ep=é",
        "EXT4-fs error (device sdd): x",
    ];
    for line in lines {
        for (at, _) in line.char_indices() {
            for component in ["GUI", "com.docker.backend.exe.updater", ""] {
                drop(meaning(component, &line[..at]));
                drop(meaning(component, &line[at..]));
            }
        }
    }
}

#[test]
fn the_fields_of_a_structured_line_are_read() {
    let field = |key: &'static str, value: &'static str| (Cow::from(key), Cow::from(value));
    let join = [
        field("eid", "eb76f4671233"),
        field("ep", "web"),
        field("net", "none"),
        field("nid", "d83cf9d60f78"),
    ];
    let message = meaning_with("command", "sbJoin: gwep4 ''->'', gwep6 ''->''", &join).unwrap();
    assert_eq!(
        told(&message),
        "Container connect | a container joins a network | name=web | network=none \
         | endpoint_identifier=eb76f4671233 | network_identifier=d83cf9d60f78"
    );
    let id = "7a571c46ede6533cb740fe6139a78232b734b8154d50c1818cb338846df1b5bd";
    let ended =
        [field("container", id), field("namespace", "moby"), field("topic", "/tasks/delete")];
    let message = meaning_with("dockerd", "ignoring event", &ended).unwrap();
    let expected = format!(
        "Container die | container has ended: its task is gone | meaning=End Time | id={id} \
         | containerd_namespace=moby"
    );
    assert_eq!(told(&message), expected);
    let other = [field("container", id), field("topic", "/tasks/oom")];
    assert_eq!(meaning_with("dockerd", "ignoring event", &other), None);
}

#[test]
fn the_command_line_of_an_installer_says_what_was_asked_for() {
    let of = |line: &str| of_command_line(line).map(|message| told(&message));
    let install = r#""C:\Docker Desktop Installer.exe" install --quiet --accept-license --backend=wsl-2 --installation-dir=D:\dd"#;
    let expected = format!(
        "Install install_start | the installer was started | meaning=Start Time | command={install} \
         | unattended=true | backend=wsl-2 | host_path=D:\\dd"
    );
    assert_eq!(of(install), Some(expected));
    let remove =
        r#""C:\Docker Desktop Installer.exe" "uninstall" --remove-self --relaunch-from-temp"#;
    let expected = format!(
        "Install uninstall_start | the uninstaller was started | meaning=Start Time \
         | command={remove} | elevated_copy=true"
    );
    assert_eq!(of(remove), Some(expected));
    let old = r#""C:\Program Files\Docker\Docker\InstallerCli.exe" -k -u"#;
    assert!(of(old).unwrap().starts_with("Install uninstall_start"));
    assert_eq!(of(r#""C:\Program Files\Docker\Docker\Docker Desktop.exe""#), None);
}
