//! Containers as Docker Desktop and the engine in its virtual machine tell of them.
//!
//! `exposer.Add(<id>, /<name>, [<ports>])` is the line of the host that has both id and name; it
//! also runs when the engine starts again, for containers that it restarts. 2.x and 3.x name each
//! port that is forwarded to a container; that they say so when it ends is unconfirmed.

use super::{Container, Fields, Message, Topic, field};
use dockline_timeline::{Attribute, Meaning, Value};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until, take_while_m_n, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, value};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};
use std::borrow::Cow;

/// Published ports of one container that are listed.
const PORTS: usize = 256;

pub(super) fn read<'a>(message: &'a str, fields: &'a Fields<'a>) -> Option<Message<'a>> {
    added(message)
        .or_else(|_| removed(message))
        .or_else(|_| forwarded(message))
        .map(|(_, message)| message)
        .ok()
        .or_else(|| of_engine(message, fields))
}

fn id(input: &str) -> IResult<&str, &str> {
    take_while_m_n(64, 64, |c: char| matches!(c, '0'..='9' | 'a'..='f')).parse(input)
}

/// `exposer.Add(<id>, /<name>, [<address> -> <address> ...])`.
fn added(input: &str) -> IResult<&str, Message<'_>> {
    let (rest, id) = preceded(tag("exposer.Add("), id).parse(input)?;
    let (rest, name) = preceded(tag(", "), take_while1(|c| c != ',' && c != ')')).parse(rest)?;
    // An address of IPv6 stands in brackets of its own.
    let (rest, ports) = opt(delimited(tag(", ["), take_until("])"), tag("])"))).parse(rest)?;
    let mut message =
        Message::new(Topic::Container, "start", "container runs and its ports are published");
    message.meaning = Meaning::Start;
    message.container = Container {
        id: Some(Cow::Borrowed(id)),
        name: Some(Cow::Borrowed(name.strip_prefix('/').unwrap_or(name))),
        reference: None,
    };
    let ports = published(ports.unwrap_or_default());
    if !ports.is_empty() {
        message.attributes.push(Attribute { name: "published_ports", value: Value::List(ports) });
    }
    Ok((rest, message))
}

/// `0.0.0.0:8080 -> 172.17.0.2:80`, one after the other, with commas or blanks between them.
fn published(ports: &str) -> Vec<Cow<'_, str>> {
    let mut words = ports.split([',', ' ']).filter(|word| !word.is_empty()).peekable();
    let mut list: Vec<Cow<'_, str>> = Vec::new();
    while let Some(word) = words.next() {
        if list.len() >= PORTS {
            break;
        }
        if words.next_if_eq(&"->").is_some() {
            let inner = words.next().unwrap_or_default();
            list.push(Cow::Owned(format!("{word} -> {inner}")));
        } else {
            list.push(Cow::Borrowed(word));
        }
    }
    list
}

/// `exposer.Remove(<id>)`.
fn removed(input: &str) -> IResult<&str, Message<'_>> {
    let (rest, id) = delimited(tag("exposer.Remove("), id, char(')')).parse(input)?;
    let mut message = Message::new(
        Topic::Container,
        "stop",
        "container ended and its ports are no longer published",
    );
    message.meaning = Meaning::End;
    message.container.id = Some(Cow::Borrowed(id));
    Ok((rest, message))
}

/// `adding docker-containers/<id> tcp forward from 0.0.0.0:80 to 127.0.0.1:80`, 2.x and 3.x.
fn forwarded(input: &str) -> IResult<&str, Message<'_>> {
    let added = value(("expose", "a port of the container is published"), tag("adding "));
    let removed = value(
        ("unexpose", "a port of the container is no longer published"),
        alt((tag("removing "), tag("deleting "))),
    );
    let (rest, (action, says)) = alt((added, removed)).parse(input)?;
    let (rest, id) = preceded(tag("docker-containers/"), id).parse(rest)?;
    let (rest, protocol) =
        delimited(char(' '), take_while1(|c| c != ' '), tag(" forward from ")).parse(rest)?;
    let (rest, outer) = take_while1(|c| c != ' ').parse(rest)?;
    let (rest, inner) = opt(preceded(tag(" to "), take_while1(|c| c != ' '))).parse(rest)?;
    let mut message = Message::new(Topic::Container, action, says);
    message.container.id = Some(Cow::Borrowed(id));
    let port = match inner {
        Some(inner) => format!("{outer} -> {inner}/{protocol}"),
        None => format!("{outer}/{protocol}"),
    };
    let value = Value::List(vec![Cow::Owned(port)]);
    message.attributes.push(Attribute { name: "published_ports", value });
    Ok((rest, message))
}

/// What dockerd and containerd say in the virtual machine, in their words and fields.
fn of_engine<'a>(message: &'a str, fields: &'a Fields<'a>) -> Option<Message<'a>> {
    let (action, meaning, says) = if message.starts_with("shim disconnected") {
        ("die", Meaning::End, "container has ended: its shim is gone")
    } else if message.starts_with("sbJoin: ") {
        ("connect", Meaning::Recorded, "a container joins a network")
    } else if message.starts_with("ignoring event") {
        match field(fields, "topic").or_else(|| inline(message, "topic"))? {
            "/tasks/delete" => ("die", Meaning::End, "container has ended: its task is gone"),
            "/tasks/start" => ("start", Meaning::Start, "container started"),
            _ => return None,
        }
    } else {
        return None;
    };
    let value = |key: &str| field(fields, key).or_else(|| inline(message, key));
    let mut told = Message::new(Topic::Container, action, says);
    told.meaning = meaning;
    let named = value("container").or_else(|| value("id"));
    if let Some(id) = named {
        told.container = Container::of_path(Cow::Borrowed(id));
    }
    told.container.name = value("ep").map(Cow::Borrowed);
    told.network = value("net").map(Cow::Borrowed);
    Some(
        told.text("containerd_namespace", value("namespace"))
            .text("endpoint_identifier", value("eid"))
            .text("network_identifier", value("nid")),
    )
}

/// The value of a field that stands in the message itself: ` id=<value>`.
fn inline<'a>(message: &'a str, key: &str) -> Option<&'a str> {
    let words = message.split(' ').filter_map(|word| word.split_once('='));
    let mut found =
        words.filter(|(name, _)| *name == key).map(|(_, value)| value.trim_matches('"'));
    found.next().filter(|value| !value.is_empty())
}
