//! Settings of a daemon as `key=value`, from whichever place they were written in.
//!
//! `dockerd` takes the same settings from `daemon.json` and from its command line (moby
//! `daemon/command/config.go`, `daemon/config/config.go`), under names that differ a little: a list
//! is `hosts` in the file and `--host` on the command line. Here they have the names of the file,
//! the way to a nested one with dots, and a list is one pair for each item. containerd's
//! `config.toml` is read into the same pairs.

use serde_json::Value;
use std::rc::Rc;

/// Settings that are read; real files have a few dozen.
const LIMIT: usize = 1_000;
/// Bytes of the way to a setting that are kept.
const KEY_LENGTH: usize = 500;

/// Arguments of `dockerd` whose name is another than that of the same setting in `daemon.json`.
const ARGUMENTS: &[(&str, &str)] = &[
    ("D", "debug"),
    ("G", "group"),
    ("H", "hosts"),
    ("b", "bridge"),
    ("g", "graph"),
    ("l", "log-level"),
    ("p", "pidfile"),
    ("s", "storage-driver"),
    ("authorization-plugin", "authorization-plugins"),
    ("exec-opt", "exec-opts"),
    ("feature", "features"),
    ("host", "hosts"),
    ("http-proxy", "proxies.http-proxy"),
    ("https-proxy", "proxies.https-proxy"),
    ("insecure-registry", "insecure-registries"),
    ("label", "labels"),
    ("log-opt", "log-opts"),
    ("no-proxy", "proxies.no-proxy"),
    ("registry-mirror", "registry-mirrors"),
    ("storage-opt", "storage-opts"),
];
/// Arguments whose values are themselves `name=value`.
const MAPS: &[&str] = &["features", "log-opts"];
/// Settings among whose values there may be secrets of any name.
const OPTIONS: &[&str] = &["cluster-store-opts", "exec-opts", "labels", "log-opts", "storage-opts"];

/// Settings as `key=value`, in the order of their source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineSettings {
    /// The pairs.
    pub pairs: Vec<String>,
    /// Whether there were more than are read.
    pub cut: bool,
}

impl EngineSettings {
    /// The settings of a document.
    #[must_use]
    pub fn from_document(value: &Value) -> EngineSettings {
        let mut settings = EngineSettings::default();
        let mut open: Vec<(Rc<str>, &Value)> = vec![(Rc::from(""), value)];
        while let Some((key, value)) = open.pop() {
            match value {
                Value::Null => {}
                Value::Object(members) => {
                    let members = members.iter().rev();
                    open.extend(members.map(|(name, value)| (below(&key, name), value)));
                }
                Value::Array(items) => {
                    open.extend(items.iter().rev().map(|item| (key.clone(), item)));
                }
                Value::String(text) => settings.push(&key, text),
                other => settings.push(&key, &other.to_string()),
            }
            if settings.cut {
                break;
            }
        }
        settings
    }

    /// The settings among the arguments of `dockerd`.
    #[must_use]
    pub fn from_arguments(words: &[String]) -> EngineSettings {
        let mut settings = EngineSettings::default();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let Some((name, value)) = argument(word) else { continue };
            // An argument that is a switch has no value: what follows is the next argument.
            let next = words.next_if(|next| value.is_none() && !next.starts_with('-'));
            let value = value.or(next.map(String::as_str)).unwrap_or("true");
            settings.add_argument(name, value);
        }
        settings
    }

    fn add_argument(&mut self, name: &str, value: &str) {
        let known = ARGUMENTS.iter().find(|(argument, _)| *argument == name);
        let name = known.map_or(name, |(_, setting)| setting);
        match value.split_once('=') {
            Some((runtime, path)) if name == "add-runtime" => {
                self.push(&format!("runtimes.{runtime}.path"), path);
            }
            Some((option, value)) if MAPS.contains(&name) => {
                self.push(&format!("{name}.{option}"), value);
            }
            _ => self.push(name, value),
        }
    }

    fn push(&mut self, key: &str, value: &str) {
        if self.pairs.len() < LIMIT {
            self.pairs.push(format!("{key}={value}"));
        } else {
            self.cut = true;
        }
    }

    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().filter_map(|pair| pair.split_once('='))
    }

    /// The values of a setting.
    pub fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The value of a setting that is one text, if it is set and not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        let set = self.iter().filter(|(name, _)| *name == key);
        set.last().map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// Whether a switch is set so.
    #[must_use]
    pub fn is(&self, key: &str, value: bool) -> bool {
        self.text(key).and_then(|text| text.parse().ok()) == Some(value)
    }

    /// The pairs among whose names one may promise a secret: options of log drivers and the like.
    #[must_use]
    pub fn options(&self) -> Vec<String> {
        let is_option = |pair: &&String| {
            let key = pair.split_once('=').map_or("", |(key, _)| key);
            OPTIONS.contains(&key.split('.').next().unwrap_or_default())
        };
        let inner = |pair: &String| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if OPTIONS.contains(&key) { value.to_owned() } else { pair.clone() }
        };
        self.pairs.iter().filter(is_option).map(inner).collect()
    }
}

/// The way to a member, cut to [`KEY_LENGTH`], so that long keys cannot multiply.
fn below(key: &str, name: &str) -> Rc<str> {
    let whole = if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    let end = whole.char_indices().map(|(at, _)| at).take_while(|at| *at <= KEY_LENGTH).last();
    let cut = end.filter(|_| whole.len() > KEY_LENGTH);
    Rc::from(cut.and_then(|end| whole.get(..end)).unwrap_or(&whole))
}

/// Name and value of `--name`, `--name=value`, `-N`, `-Nvalue`, `-N=value`.
fn argument(word: &str) -> Option<(&str, Option<&str>)> {
    if let Some(long) = word.strip_prefix("--") {
        return Some(match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        });
    }
    let short = word.strip_prefix('-').filter(|rest| !rest.is_empty())?;
    let (name, value) = short.split_at_checked(1)?;
    let value = value.strip_prefix('=').unwrap_or(value);
    Some((name, Some(value).filter(|value| !value.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of_arguments(line: &str) -> Vec<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        EngineSettings::from_arguments(&words).pairs
    }

    #[test]
    fn file_and_command_line_give_the_same_pairs() {
        let file = json!({
            "add": null,
            "debug": true,
            "hosts": ["fd://", "tcp://0.0.0.0:2375"],
            "log-opts": {"max-size": "1m"},
            "runtimes": {"kata": {"path": "/opt/kata"}},
        });
        let arguments = "dockerd -D -H fd:// --host=tcp://0.0.0.0:2375 --log-opt max-size=1m \
                         --add-runtime kata=/opt/kata";
        assert_eq!(EngineSettings::from_document(&file).pairs, of_arguments(arguments));
    }

    #[test]
    fn arguments_are_read_in_every_spelling() {
        assert_eq!(
            of_arguments("-Htcp://a -H=tcp://b --tls --icc=false --containerd /run/c -"),
            ["hosts=tcp://a", "hosts=tcp://b", "tls=true", "icc=false", "containerd=/run/c"]
        );
    }

    #[test]
    fn a_switch_is_what_was_said_last() {
        let settings = EngineSettings::from_document(&json!([{"tls": true}, {"tls": "false"}]));
        assert!(settings.is("tls", false) && !settings.is("tls", true) && !settings.is("x", false));
    }

    #[test]
    fn long_keys_and_many_settings_are_cut() {
        let long = "é".repeat(KEY_LENGTH);
        let settings = EngineSettings::from_document(&json!({long: {"a": 1}}));
        assert_eq!(settings.pairs[0], format!("{}=1", "é".repeat(KEY_LENGTH / 2)));
        let many = EngineSettings::from_document(&json!({"a": vec![1; LIMIT + 1]}));
        assert_eq!((many.pairs.len(), many.cut), (LIMIT, true));
    }

    #[test]
    fn options_are_the_pairs_that_may_hold_a_secret() {
        let settings = EngineSettings::from_document(&json!({
            "authorization-plugins": ["x"], "log-opts": {"splunk-token": "t"}, "labels": ["a=b"],
        }));
        assert_eq!(settings.options(), ["a=b", "log-opts.splunk-token=t"]);
    }
}
