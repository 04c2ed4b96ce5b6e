//! Every row of the tables, with all that a message says.

use super::*;

mod api;

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
    add("instant", message.instant.map(|at| at.to_string()).as_deref());
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
