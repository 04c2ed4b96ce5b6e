//! What the processes of Docker Desktop say to each other over named pipes and sockets.
//!
//! ```text
//! (0a2f01e1-5) b53e1d8e-DockerApiProxyBackendClient C->S BackendAPI POST /usage/image: {...}
//! (24a9373c) c10f6192-GoBackendClient-CSharp C<-S 26c6f576-BackendAPI GET /settings (32ms): {...}
//! (6106211c) e59ae092-desktop_extensions S->C Docker-Desktop/4.37.1 (Windows; x64) GET /events (29.4s): OK
//! (ff32e367-1) da994474-BackendCMD C<-S No response POST /usage/cli (567.6µs): Post "http://ipc/...": ...
//! (ff32e367) 1b3f956c-CliAPI S<-C Go-http-client/1.1 bind: {"command":"context ls",...}
//! [4ca88498] <Server end> POST http://unix/usage/cli -> 200 OK (took 0ms)        2.3 to 3.3
//! GET /vm/disk-usage (680.5µs): {...}                                           inside the virtual machine
//! ```
//!
//! One exchange shows up to four times, once for each end and way. What is not listed in
//! [`meant`] is a plain line. The requests other than `/usage/...`, `/settings`, `/events`,
//! `/engine/state`, `/desktop/cleanup`, `/windowscontainers/...` and `/vm/disk-usage` are known from
//! the routes that the backend registers (3.5), not from lines of their use: unconfirmed.

use super::request::{duration, method};
use super::{Message, Topic, disk, engine, settings, usage};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, recognize, verify};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

/// Methods before which a peer's name stands.
const METHODS: &[&str] = &["GET /", "POST /", "PUT /", "DELETE /", "PATCH /", "HEAD /", "bind: "];
/// Stands in the place of a method when only the body of a request is shown.
const BODY: &str = "bind";
/// Bytes of a line in which the name of the peer is looked for.
const PEER_LENGTH: usize = 300;

/// One message of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exchange<'a> {
    /// Which process says it.
    process: Option<&'a str>,
    /// Whom it speaks with.
    peer: Option<&'a str>,
    is_response: bool,
    /// Or [`BODY`].
    method: &'a str,
    path: &'a str,
    duration: Option<&'a str>,
    /// What was sent: JSON, a word, or why there was no answer.
    body: &'a str,
}

/// Reads an exchange; `None` when the message is another, or the exchange tells nothing.
pub(super) fn read<'a>(message: &'a str) -> Option<Message<'a>> {
    let exchange = Exchange::read(message)?;
    let found = meant(&exchange)?;
    let (way, after) =
        if exchange.is_response { ("response", " answered") } else { ("request", " requested") };
    let mut message = found;
    if message.says.ends_with('…') {
        let said = message.says.trim_end_matches('…').to_owned();
        message.says = (said + after).into();
    }
    Some(
        message
            .text("api_direction", Some(way))
            .text("http_method", Some(exchange.method).filter(|method| *method != BODY))
            .text("request_path", Some(exchange.path))
            .text("duration", exchange.duration)
            .text("status", exchange.status())
            .text("ipc_process", exchange.process)
            .text("ipc_peer", exchange.peer),
    )
}

/// What an exchange tells. Words that end in `…` are completed with the way it goes.
fn meant<'a>(exchange: &Exchange<'a>) -> Option<Message<'a>> {
    let Exchange { method, path, body, .. } = *exchange;
    let of = |topic, action, says| Some(Message::new(topic, action, says));
    match (method, path) {
        ("POST", "/usage/image") => usage::image(body),
        ("POST", "/usage/cli" | "/usage") | (BODY, _) => usage::command(body),
        ("POST", "/settings") => Some(settings::written(body)),
        ("GET", "/settings") if exchange.is_response => Some(settings::shown(body)),
        ("POST", "/events" | "/engine/state") => engine::of_event(body),
        ("GET", "/vm/disk-usage") => disk::usage(body),
        ("POST", "/desktop/cleanup") => {
            of(Topic::Engine, "purge", "removal of all data of the engine…")
        }
        ("POST", "/desktop/reset") => of(Topic::Engine, "reset", "reset to factory defaults…"),
        ("POST", "/diagnostics/gather") => {
            of(Topic::Application, "diagnostics", "collection of diagnostics…")
        }
        ("POST", "/diagnostics/upload") => {
            of(Topic::Application, "diagnostics_upload", "upload of diagnostics…")
        }
        ("POST", "/hub-login") => of(Topic::Application, "login", "login at Docker Hub…"),
        ("POST" | "PUT", "/forwards/expose/port") => {
            of(Topic::Container, "expose", "publication of a port…")
        }
        ("POST" | "DELETE", "/forwards/unexpose/port") => {
            of(Topic::Container, "unexpose", "end of a port's publication…")
        }
        ("POST", _) => control(path),
        _ => None,
    }
}

/// `POST /<what>/{start,stop,...}`.
fn control<'a>(path: &str) -> Option<Message<'a>> {
    let (what, verb) = path.strip_prefix('/')?.split_once('/')?;
    let (action, of) = match (what, verb) {
        (
            "windowscontainers" | "linuxcontainers" | "engine" | "hyperv" | "wsl2" | "vm",
            "start",
        ) => ("engine_starting", "start"),
        ("windowscontainers" | "linuxcontainers" | "engine" | "hyperv" | "wsl2" | "vm", "stop") => {
            ("engine_stopping", "stop")
        }
        (
            "windowscontainers" | "linuxcontainers" | "engine" | "hyperv" | "wsl2" | "vm",
            "restart",
        ) => ("engine_restart", "restart"),
        (
            "windowscontainers" | "linuxcontainers" | "engine" | "hyperv" | "wsl2" | "vm",
            "destroy",
        ) => ("engine_destroy", "removal"),
        ("kubernetes", "start" | "stop" | "reset") => {
            return Some(
                Message::new(Topic::Engine, "kubernetes", "change of Kubernetes…")
                    .text("kubernetes_step", Some(verb.to_owned())),
            );
        }
        _ => return None,
    };
    let message = Message::new(Topic::Engine, action, format!("{of} of the engine…"));
    Some(message.text("engine_kind", Some(what.to_owned())))
}

impl<'a> Exchange<'a> {
    fn read(message: &'a str) -> Option<Exchange<'a>> {
        // A stack follows the words that it belongs to.
        let message = message.split_once("[[STACK]]").map_or(message, |(words, _)| words);
        let read = alt((between_processes, between_processes_of_2, inside)).parse(message);
        read.ok().map(|(_, exchange)| exchange)
    }

    /// What a body says that is no JSON.
    fn status(&self) -> Option<&'a str> {
        Some(self.body).filter(|body| !body.is_empty() && !body.starts_with(['{', '[', '"']))
    }
}

/// `(<request>) <id>-<process> C->S [<peer> ]<METHOD> <path>[ (<duration>)][: <body>]`.
fn between_processes(input: &str) -> IResult<&str, Exchange<'_>> {
    // Most requests are numbered; a few are named after who makes them.
    let is_request = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let (rest, _) = delimited(char('('), take_while1(is_request), tag(") ")).parse(input)?;
    let (rest, process) = terminated(take_while1(|c| c != ' '), char(' ')).parse(rest)?;
    let ways = (tag("C->S"), tag("S<-C"), tag("S->C"), tag("C<-S"));
    let (rest, way) = terminated(alt(ways), char(' ')).parse(rest)?;
    let (peer, rest) = peer_and_rest(rest).ok_or_else(|| mismatch(rest))?;
    let (rest, exchange) = call(rest)?;
    let is_response = matches!(way, "S->C" | "C<-S");
    Ok((
        rest,
        Exchange {
            process: Some(without_id(process)),
            peer: peer.map(without_id),
            is_response,
            ..exchange
        },
    ))
}

/// `[<request>] <<process> start> POST http://localhost/engine/state -> 200 OK (took 14ms)`.
fn between_processes_of_2(input: &str) -> IResult<&str, Exchange<'_>> {
    let (rest, _) = delimited(char('['), take_while1(|c: char| c.is_ascii_hexdigit()), tag("] <"))
        .parse(input)?;
    let (rest, process) =
        terminated(take_while1(|c| c != ' ' && c != '>'), char(' ')).parse(rest)?;
    let (rest, step) = terminated(alt((tag("start"), tag("end"))), tag("> ")).parse(rest)?;
    let (rest, method) = terminated(method, char(' ')).parse(rest)?;
    let (rest, _) = (tag("http://"), take_while1(|c| c != '/' && c != ' ')).parse(rest)?;
    let (rest, path) = path(rest)?;
    let (rest, status) = opt(preceded(tag(" -> "), take_till(|c| c == '('))).parse(rest)?;
    let (rest, duration) = opt(delimited(tag("(took "), duration, char(')'))).parse(rest)?;
    let body = status.unwrap_or_default().trim_end();
    Ok((
        rest,
        Exchange {
            process: Some(process),
            peer: None,
            is_response: step == "end",
            method,
            path,
            duration,
            body,
        },
    ))
}

/// `GET /vm/disk-usage (680.5µs): {...}`.
fn inside(input: &str) -> IResult<&str, Exchange<'_>> {
    verify(call, |exchange: &Exchange<'_>| exchange.duration.is_some()).parse(input)
}

/// `POST /usage/cli (567.6µs): {...}`, or `bind: {...}`.
fn call(input: &str) -> IResult<&str, Exchange<'_>> {
    let nobody = Exchange {
        process: None,
        peer: None,
        is_response: false,
        method: BODY,
        path: "",
        duration: None,
        body: "",
    };
    if let Some(body) = input.strip_prefix("bind: ") {
        return Ok(("", Exchange { body, ..nobody }));
    }
    let (rest, method) = terminated(method, char(' ')).parse(input)?;
    let (rest, path) = path(rest)?;
    let (rest, duration) = opt(delimited(tag(" ("), duration, char(')'))).parse(rest)?;
    let body = rest.strip_prefix(':').unwrap_or(rest).trim();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let path = if path.ends_with(':') { path.trim_end_matches(':') } else { path };
    Ok(("", Exchange { method, path, duration, body, is_response: duration.is_some(), ..nobody }))
}

/// A path, up to a blank.
fn path(input: &str) -> IResult<&str, &str> {
    recognize((char('/'), take_till(|c| c == ' '))).parse(input)
}

/// The peer's name, which may hold blanks, and what follows it.
fn peer_and_rest(text: &str) -> Option<(Option<&str>, &str)> {
    let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= PEER_LENGTH);
    let head = end.map_or(text, |end| text.get(..end).unwrap_or(text));
    let starts =
        |at: &usize| *at == 0 || text.get(..*at).is_some_and(|before| before.ends_with(' '));
    let at = METHODS.iter().filter_map(|method| head.find(method)).filter(starts).min()?;
    let (peer, rest) = text.split_at_checked(at)?;
    Some((Some(peer.trim_end()).filter(|peer| !peer.is_empty()), rest))
}

/// A name without the eight digits that tell the instances of a process apart.
fn without_id(name: &str) -> &str {
    let parts = name.split_once('-').filter(|(id, rest)| {
        id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && !rest.is_empty()
    });
    parts.map_or(name, |(_, rest)| rest)
}

fn mismatch(input: &str) -> nom::Err<nom::error::Error<&str>> {
    nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Tag))
}
