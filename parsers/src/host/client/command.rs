//! Which commands of a history concern containers: those that call a tool of containers, directly or
//! through another command, or that talk to an engine's socket.

use super::words::commands;
use crate::formats::secrets::names_of_secrets;

/// Programs that make, run or look at containers and images.
const TOOLS: &[&str] = &[
    "buildah",
    "buildctl",
    "containerd",
    "crictl",
    "crun",
    "ctr",
    "docker",
    "docker-compose",
    "docker-machine",
    "dockerd",
    "kubeadm",
    "kubectl",
    "nerdctl",
    "nsenter",
    "podman",
    "podman-compose",
    "podman-remote",
    "runc",
    "skopeo",
];
/// Sockets of engines.
const SOCKETS: &[&str] = &["docker.sock", "containerd.sock", "podman.sock", "crio.sock"];
/// Words of the shell that a command may stand behind.
const KEYWORDS: &[&str] =
    &["!", "{", "do", "elif", "else", "if", "then", "until", "while", "time", "builtin", "command"];
/// Programs that run a text as commands: `sh -c 'docker ps'`.
const SHELLS: &[&str] = &["ash", "bash", "dash", "ksh", "sh", "su", "zsh"];
/// Programs that run another: their options of one letter that take a value, and how many words
/// stand before the other program.
const WRAPPERS: &[(&str, &str, usize)] = &[
    ("chroot", "", 1),
    ("doas", "uC", 0),
    ("env", "uCS", 0),
    ("exec", "a", 0),
    ("flock", "wE", 1),
    ("ionice", "cnp", 0),
    ("nice", "n", 0),
    ("nohup", "", 0),
    ("setsid", "", 0),
    ("ssh", "bceimopDEFIJLOQRSWw", 1),
    ("stdbuf", "ioe", 0),
    ("strace", "eops", 0),
    ("sudo", "ughpCrtDRTU", 0),
    ("timeout", "ks", 1),
    ("watch", "n", 0),
    ("wsl", "du", 0),
    ("xargs", "nILPsdaE", 0),
];
/// How deep texts of commands lie in one another.
const DEPTH_LIMIT: usize = 4;

/// What a line of commands has to do with containers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// The tools that it calls and the sockets that it names, each once, in order.
    pub(super) tools: Vec<&'static str>,
    /// What promises to be a secret in it.
    pub(super) secrets: Vec<String>,
}

/// What a line of commands has to do with containers; `None` when nothing.
pub(super) fn recognise(line: &str) -> Option<Use> {
    let mut found = Use::default();
    let mut left = vec![(line.to_owned(), 0_usize)];
    while let Some((text, depth)) = left.pop() {
        for words in commands(&text) {
            match called(&words) {
                Called::Tool(tool, rest) => {
                    found.add(tool);
                    found.secrets.extend(secrets(rest));
                }
                Called::Script(script) if depth < DEPTH_LIMIT => {
                    left.push((script, depth.saturating_add(1)));
                }
                Called::Script(_) | Called::Other => {}
            }
            let named = |socket: &&&str| words.iter().any(|word| word.contains(**socket));
            SOCKETS.iter().filter(named).for_each(|socket| found.add(socket));
        }
    }
    found.secrets.sort();
    found.secrets.dedup();
    (!found.tools.is_empty()).then_some(found)
}

impl Use {
    fn add(&mut self, tool: &'static str) {
        if !self.tools.contains(&tool) {
            self.tools.push(tool);
        }
    }
}

/// What a simple command calls in the end.
enum Called<'a> {
    /// A tool, with its arguments.
    Tool(&'static str, &'a [String]),
    /// A text of commands.
    Script(String),
    Other,
}

fn called(words: &[String]) -> Called<'_> {
    let mut words = words;
    while let Some((first, rest)) = words.split_first() {
        let name = first.rsplit('/').next().unwrap_or(first);
        let of_windows = name.to_ascii_lowercase();
        let name = of_windows.strip_suffix(".exe").unwrap_or(name);
        if let Some(tool) = TOOLS.iter().find(|tool| **tool == name) {
            return Called::Tool(tool, rest);
        }
        if SHELLS.contains(&name) {
            let is_command = |word: &String| word.starts_with('-') && word.ends_with('c');
            let at = rest.iter().position(is_command);
            let script = at.and_then(|at| rest.get(at.saturating_add(1)));
            return script.map_or(Called::Other, |script| Called::Script(script.clone()));
        }
        if name == "eval" {
            return Called::Script(rest.join(" "));
        }
        let wrapper = WRAPPERS.iter().find(|(wrapper, ..)| *wrapper == name);
        words = match wrapper {
            Some((_, options, before)) => behind(rest, options, *before),
            None if is_assignment(first) || KEYWORDS.contains(&name) => rest,
            None => return Called::Other,
        };
    }
    Called::Other
}

/// What stands behind the options of a program that runs another.
fn behind<'a>(words: &'a [String], options: &str, before: usize) -> &'a [String] {
    let (mut words, mut before) = (words, before);
    while let Some((first, rest)) = words.split_first() {
        let is_option = first.starts_with('-') && first.len() > 1;
        let takes_value = |letter: &str| letter.len() == 1 && options.contains(letter);
        words = match first.strip_prefix('-') {
            Some(letter) if takes_value(letter) => rest.get(1..).unwrap_or_default(),
            _ if is_option || is_assignment(first) => rest,
            _ if before > 0 => {
                before = before.saturating_sub(1);
                rest
            }
            _ => return words,
        };
    }
    words
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && name.bytes().all(is_letter)
    })
}

/// Names of what promises to be a secret among the arguments of a tool.
fn secrets(arguments: &[String]) -> Vec<String> {
    let is_login = arguments.iter().any(|word| word == "login");
    let mut pairs = Vec::new();
    let mut found = Vec::new();
    for (index, word) in arguments.iter().enumerate() {
        let name = word.trim_start_matches('-');
        let value = arguments.get(index.saturating_add(1)).filter(|value| !value.starts_with('-'));
        if word.contains('=') {
            pairs.extend(name.split(',').map(str::to_owned));
        } else if let Some(value) = value.filter(|_| word.starts_with("--")) {
            pairs.extend(names_its_value(name).then(|| format!("{name}={value}")));
        } else if word == "-p" && is_login && value.is_some() {
            found.push("password".to_owned());
        }
        let has_credentials = |value: &&String| name == "creds" && value.contains(':');
        found.extend(value.filter(has_credentials).map(|_| "creds".to_owned()));
        found.extend(has_password(word).then(|| "password of a URL".to_owned()));
    }
    found.extend(names_of_secrets(&pairs));
    found
}

/// Whether an option takes the secret itself: `--password-stdin` takes none, and `--secret` names a
/// file.
fn names_its_value(option: &str) -> bool {
    !option.ends_with("-stdin") && !option.ends_with("-file") && option != "secret"
}

fn has_password(word: &str) -> bool {
    let credentials = word.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    credentials
        .is_some_and(|(credentials, _)| credentials.contains(':') && !credentials.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(line: &str) -> Vec<&'static str> {
        recognise(line).map(|found| found.tools).unwrap_or_default()
    }

    fn secrets_of(line: &str) -> Vec<String> {
        recognise(line).unwrap().secrets
    }

    #[test]
    fn a_tool_is_recognised_however_it_is_called() {
        for line in [
            "docker ps",
            "/usr/bin/docker ps",
            "sudo docker ps",
            "sudo -u bob -E docker ps",
            "sudo -- docker ps",
            "DOCKER_HOST=tcp://10.0.0.1:2375 docker ps",
            "env -u HOME A=b docker ps",
            "cat list | xargs -n 1 docker rm",
            "ls; docker ps",
            "if ! docker ps; then ls; fi",
            "for id in $(docker ps -q); do ls; done",
            "timeout -k 5 10 docker ps",
            "nohup nice -n 5 docker ps &",
            "bash -lc 'cd /; docker ps'",
            "sudo sh -c \"sh -c 'docker ps'\"",
            "ssh -p 22 root@host docker ps",
            "eval docker ps",
            "\\docker ps",
            "time docker ps",
            "docker>ps.txt ps",
        ] {
            assert_eq!(tools(line), ["docker"], "{line}");
        }
        assert_eq!(
            tools("docker ps; kubectl get pods | grep x; docker rm x"),
            ["docker", "kubectl"]
        );
    }

    #[test]
    fn an_engine_is_talked_to_through_its_socket_too() {
        let line = "curl --unix-socket /var/run/docker.sock http://x/containers/json";
        assert_eq!(tools(line), ["docker.sock"]);
        let line = "docker run -v /var/run/docker.sock:/var/run/docker.sock x";
        assert_eq!(tools(line), ["docker", "docker.sock"]);
    }

    #[test]
    fn a_command_that_only_names_a_tool_is_none() {
        for line in [
            "apt install docker",
            "vi /etc/docker/daemon.json",
            "echo docker ps",
            "# docker ps",
            "sudo",
            "systemctl",
            "git commit -m 'docker ps'",
            "sh -c",
            "dockerx ps",
            "",
        ] {
            assert_eq!(recognise(line), None, "{line}");
        }
    }

    #[test]
    fn what_promises_a_secret_is_named() {
        assert_eq!(secrets_of("docker run -e DB_PASSWORD=hunter2 -e MODE=prod x"), ["DB_PASSWORD"]);
        assert_eq!(secrets_of("docker login -u alice -p hunter2 host"), ["password"]);
        assert_eq!(secrets_of("podman login --password=hunter2"), ["password"]);
        assert_eq!(secrets_of("kubectl --token abc get pods"), ["token"]);
        assert_eq!(secrets_of("skopeo copy --creds u:p a b"), ["creds"]);
        assert_eq!(
            secrets_of("docker volume create --opt o=addr=1.2.3.4,password=x v"),
            ["password"]
        );
        assert_eq!(secrets_of("docker build --build-arg TOKEN=ghp_x ."), ["TOKEN"]);
        assert_eq!(secrets_of("docker build https://u:p@git.example/x"), ["password of a URL"]);
        for line in [
            "docker login -u alice --password-stdin 127.0.0.1:5000",
            "docker build --secret id=tok,src=/root/tok .",
            "docker run -p 8080:80 x",
            "docker run --name token x",
        ] {
            assert_eq!(secrets_of(line), [""; 0], "{line}");
        }
    }

    #[test]
    fn texts_of_commands_in_one_another_have_an_end() {
        assert_eq!(tools(&format!("{}docker ps", "eval ".repeat(DEPTH_LIMIT))), ["docker"]);
        let line = format!("{}docker ps", "eval ".repeat(DEPTH_LIMIT + 1));
        assert_eq!(recognise(&line), None);
    }
}
