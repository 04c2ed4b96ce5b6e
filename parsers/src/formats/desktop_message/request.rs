//! One call of an HTTP API as the backend's proxy logs it, and the grammar of its parts.
//!
//! ```text
//! >> POST /v1.48/containers/create?name=web&platform=linux%2Famd64
//! << POST /v1.48/containers/create?name=web (20.5ms)
//! proxy >> POST /v1.38/containers/create [rewriteBinds]
//! proxy << POST /v1.40/exec/<id>/start (1m2.0542256s)
//! >> GET /networks/x  component=apiproxy user_agent=DockerDesktopUI
//! ```
//!
//! `proxy ` stands before it up to 3.x; the fields behind it in what is written for a terminal.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{opt, recognize, value, verify};
use nom::multi::many1_count;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};
use std::borrow::Cow;

/// Which way a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// `>>`: it was made.
    Request,
    /// `<<`: it was answered.
    Response,
}

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) direction: Direction,
    /// `GET`, `POST`, ...
    pub(super) method: &'a str,
    /// Path and query, as they were asked for.
    pub(super) target: &'a str,
    /// What the proxy itself does with it: `rewriteBinds`.
    pub(super) note: Option<&'a str>,
    /// How long the answer took, as Go writes durations.
    pub(super) duration: Option<&'a str>,
    /// What is behind all that.
    pub(super) rest: &'a str,
}

impl<'a> Request<'a> {
    /// Reads a message; `None` when it is another.
    pub(super) fn read(message: &'a str) -> Option<Request<'a>> {
        request(message).ok().map(|(_, request)| request)
    }

    /// The same as a daemon of Windows containers logs it: `debug: Calling POST /v1.38/...`.
    pub(super) fn of_daemon(message: &'a str) -> Option<Request<'a>> {
        let call = message.strip_prefix("debug: Calling ")?;
        let (rest, (method, target)) = (terminated(method, char(' ')), target).parse(call).ok()?;
        let direction = Direction::Request;
        Some(Request { direction, method, target, note: None, duration: None, rest })
    }

    /// The version of the API, such as `1.48`.
    pub(super) fn version(&self) -> Option<&'a str> {
        version(self.target).ok().map(|(_, version)| version)
    }

    /// The path without the version and the query.
    pub(super) fn path(&self) -> &'a str {
        let target = version(self.target).map_or(self.target, |(rest, _)| rest);
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// A value of the query, decoded.
    pub(super) fn query(&self, key: &str) -> Option<Cow<'a, str>> {
        let (_, query) = self.target.split_once('?')?;
        let pair = query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name == key).then_some(value)
        });
        pair.filter(|value| !value.is_empty()).map(|value| decoded(value, true))
    }

    /// Whether a switch of the query is on.
    pub(super) fn is(&self, key: &str) -> bool {
        self.query(key).is_some_and(|value| matches!(&*value, "1" | "true" | "True" | "TRUE" | "t"))
    }

    /// Who made it, where the rest of the line says so.
    pub(super) fn user_agent(&self) -> Option<&'a str> {
        let (_, after) = self.rest.split_once("user_agent=")?;
        match after.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => after.split(' ').next(),
        }
        .filter(|agent| !agent.is_empty())
    }
}

fn request(input: &str) -> IResult<&str, Request<'_>> {
    let (rest, _) = opt(tag("proxy ")).parse(input)?;
    let request = value(Direction::Request, tag(">> "));
    let response = value(Direction::Response, tag("<< "));
    let (rest, direction) = alt((request, response)).parse(rest)?;
    let (rest, (method, target)) = (terminated(method, char(' ')), target).parse(rest)?;
    let (rest, note) = opt(delimited(tag(" ["), take_while1(is_word), char(']'))).parse(rest)?;
    let (rest, duration) = opt(preceded(char(' '), in_brackets)).parse(rest)?;
    Ok(("", Request { direction, method, target, note, duration, rest }))
}

/// `GET`, `POST`, ...
pub(super) fn method(input: &str) -> IResult<&str, &str> {
    take_while_m_n(3, 7, |c: char| c.is_ascii_uppercase()).parse(input)
}

/// A path with its query.
pub(super) fn target(input: &str) -> IResult<&str, &str> {
    verify(take_while1(|c: char| c != ' '), |target: &str| target.starts_with('/')).parse(input)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// `/v1.48`, before a path.
fn version(input: &str) -> IResult<&str, &str> {
    preceded(tag("/v"), recognize((digit1, char('.'), digit1))).parse(input)
}

/// `(1m2.05s)`.
pub(super) fn in_brackets(input: &str) -> IResult<&str, &str> {
    delimited(char('('), duration, char(')')).parse(input)
}

/// A duration of Go: `1m2.0542256s`, `515.3µs`, `31123ms`, `0s`.
pub(super) fn duration(input: &str) -> IResult<&str, &str> {
    let number = (digit1, opt((char('.'), digit1)));
    let unit =
        alt((tag("ns"), tag("µs"), tag("μs"), tag("us"), tag("ms"), tag("s"), tag("m"), tag("h")));
    recognize(many1_count((number, unit))).parse(input)
}

/// A text without percent signs; in a query a plus is a blank.
pub(super) fn decoded(text: &str, is_query: bool) -> Cow<'_, str> {
    let is_encoded = text.contains('%') || (is_query && text.contains('+'));
    if !is_encoded {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, taken) = match first {
            b'%' => hex(after).map_or((b'%', 0), |byte| (byte, 2)),
            b'+' if is_query => (b' ', 0),
            other => (*other, 0),
        };
        bytes.push(byte);
        rest = after.get(taken..).unwrap_or_default();
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// The byte that two digits stand for.
fn hex(digits: &[u8]) -> Option<u8> {
    let digits = digits.get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_call_is_read() {
        let call = |direction, method, target| Request {
            direction,
            method,
            target,
            note: None,
            duration: None,
            rest: "",
        };
        let target = "/v1.48/containers/create?name=web&platform=linux%2Famd64";
        let create =
            Request::read(">> POST /v1.48/containers/create?name=web&platform=linux%2Famd64");
        assert_eq!(create, Some(call(Direction::Request, "POST", target)));
        let exec = Request::read("proxy << POST /v1.40/exec/826a/start (1m2.0542256s)").unwrap();
        let answered = call(Direction::Response, "POST", "/v1.40/exec/826a/start");
        assert_eq!(exec, Request { duration: Some("1m2.0542256s"), ..answered });
        let binds = Request::read("proxy >> POST /v1.38/containers/create [rewriteBinds]").unwrap();
        let asked = call(Direction::Request, "POST", "/v1.38/containers/create");
        assert_eq!(binds, Request { note: Some("rewriteBinds"), ..asked });
        let ping = Request::read("<< HEAD /_ping (515.3µs)").unwrap();
        let answered = call(Direction::Response, "HEAD", "/_ping");
        assert_eq!(ping, Request { duration: Some("515.3µs"), ..answered });
        let fields = ">> GET /networks/x  component=apiproxy user_agent=DockerDesktopUI";
        assert_eq!(Request::read(fields).unwrap().user_agent(), Some("DockerDesktopUI"));
        let quoted = r#">> GET /x component=apiproxy user_agent="Docker-Client/29.5.1 (darwin)""#;
        assert_eq!(
            Request::read(quoted).unwrap().user_agent(),
            Some("Docker-Client/29.5.1 (darwin)")
        );
    }

    #[test]
    fn a_target_is_taken_apart_and_decoded() {
        let line = ">> POST /v1.48/images/create?fromImage=a%2Fb%zz+c&tag=1&all=&flag&x=%C3%A9%ff";
        let request = Request::read(line).unwrap();
        assert_eq!((request.version(), request.path()), (Some("1.48"), "/images/create"));
        assert_eq!(request.query("fromImage").as_deref(), Some("a/b%zz c"));
        assert_eq!(request.query("x").as_deref(), Some("é\u{fffd}"));
        assert_eq!(
            [request.query("all"), request.query("flag"), request.query("no")],
            [None, None, None]
        );
        let bare = Request::read(">> GET /volumes").unwrap();
        assert_eq!((bare.version(), bare.path()), (None, "/volumes"));
    }

    #[test]
    fn other_texts_are_no_calls() {
        let texts = [
            "",
            ">>",
            ">> POST",
            ">> POST ",
            ">> post /x",
            ">> POST x",
            "<<>> GET /",
            "> GET /",
            "proxy >> ",
            ">> AVERYLONGMETHOD /x",
        ];
        for text in texts {
            assert_eq!(Request::read(text), None, "{text}");
        }
    }
}
