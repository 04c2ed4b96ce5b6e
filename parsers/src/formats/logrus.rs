//! One line as logrus writes it: the log format of dockerd, containerd, CRI-O and Podman.
//!
//! Two forms. Text, when the output is no terminal, `time="2024-01-02T03:04:05.678901234+01:00"
//! level=info msg="..." key=value key2="quoted"`: a value is quoted as Go's `%q` does when it holds
//! anything but letters, digits and `-._/@^+`. Since 1.11 dockerd writes nine digits and the offset
//! of the host's zone; other users write RFC 3339 with whole seconds. JSON, with `log-format: json`
//! (containerd 1.3, dockerd 25): one object with the keys `time`, `level`, `msg` and the fields.
//! After logrus 1.9 `text_formatter.go`, `json_formatter.go`; containerd/log `context.go`.
//!
//! The coloured form that a terminal is shown (`INFO[0001] ...`) is not supported.

use std::borrow::Cow;

/// Fields of one line that are kept; daemons write a handful.
const FIELDS: usize = 64;

/// One line: when, how grave, what, and its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// `time` as it is written.
    pub time: Option<Cow<'a, str>>,
    /// `level`: `info`, `warning`, `error`, `fatal`, ...
    pub level: Option<Cow<'a, str>>,
    /// `msg`.
    pub message: Cow<'a, str>,
    /// All other keys, in the order of the line; at most 64.
    pub fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Entry<'a> {
    /// Reads a line; `None` when it has neither form.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Entry<'a>> {
        let line = line.trim();
        if line.starts_with('{') { Entry::of_json(line) } else { Entry::of_text(line) }
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }

    fn of_text(line: &'a str) -> Option<Entry<'a>> {
        // Every formatter writes the time first, unless it writes none.
        if !["time=", "level=", "msg="].iter().any(|key| line.starts_with(key)) {
            return None;
        }
        let mut entry = Entry::default();
        let mut rest = line;
        while let Some((key, value, after)) = pair(rest) {
            entry.add(Cow::Borrowed(key), value);
            rest = after.trim_start_matches(' ');
        }
        if !rest.is_empty() {
            entry.add(Cow::Borrowed("rest"), Cow::Borrowed(rest));
        }
        // A logger without time and level still quotes its message.
        let is_quoted = line.starts_with("msg=\"") && !entry.message.is_empty();
        (entry.time.is_some() || entry.level.is_some() || is_quoted).then_some(entry)
    }

    fn of_json(line: &'a str) -> Option<Entry<'a>> {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).ok()?;
        let mut entry = Entry::default();
        for (key, value) in object {
            let text = match value {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            entry.add(Cow::Owned(key), Cow::Owned(text));
        }
        let is_entry = entry.level.is_some() && (entry.time.is_some() || !entry.message.is_empty());
        is_entry.then_some(entry)
    }

    fn add(&mut self, key: Cow<'a, str>, value: Cow<'a, str>) {
        match &*key {
            "time" if self.time.is_none() => self.time = Some(value),
            "level" if self.level.is_none() => self.level = Some(value),
            "msg" if self.message.is_empty() => self.message = value,
            _ if self.fields.len() < FIELDS => self.fields.push((key, value)),
            _ => {}
        }
    }
}

/// The pairs that a text is; `None` when it is anything else, or more than 64 of them.
#[must_use]
pub fn pairs(text: &str) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, value, after) = pair(rest).filter(|_| found.len() < FIELDS)?;
        found.push((key, value));
        rest = after.trim_start_matches(' ');
    }
    Some(found)
}

/// The pair that a text begins with, and what follows it.
fn pair(text: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let (key, rest) = text.split_once('=')?;
    if key.is_empty() || key.contains([' ', '"']) {
        return None;
    }
    if let Some(quoted) = rest.strip_prefix('"') {
        let end = closing_quote(quoted)?;
        let (value, after) = quoted.split_at_checked(end)?;
        return Some((key, unquoted(value), after.strip_prefix('"')?));
    }
    let (value, after) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((key, Cow::Borrowed(value), after))
}

/// Where the quote stands that no backslash escapes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// A text without the escapes of Go's `%q`; what is no escape stays as it is.
fn unquoted(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let taken = escaped(escape, &mut bytes);
        rest = escape.get(taken..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Writes what an escape stands for; how many bytes after the backslash belong to it.
fn escaped(escape: &str, into: &mut Vec<u8>) -> usize {
    let number = |digits: usize| {
        let text = escape.get(1..digits.saturating_add(1))?;
        u32::from_str_radix(text, 16).ok().filter(|_| text.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let character = |digits: usize| number(digits).and_then(char::from_u32);
    let (plain, digits) = match escape.as_bytes().first() {
        Some(b'n') => (Some('\n'), 0),
        Some(b't') => (Some('\t'), 0),
        Some(b'r') => (Some('\r'), 0),
        Some(b'a') => (Some('\u{7}'), 0),
        Some(b'b') => (Some('\u{8}'), 0),
        Some(b'f') => (Some('\u{c}'), 0),
        Some(b'v') => (Some('\u{b}'), 0),
        Some(b'"') => (Some('"'), 0),
        Some(b'\\') => (Some('\\'), 0),
        Some(b'u') => (character(4), 4),
        Some(b'U') => (character(8), 8),
        Some(b'x') => {
            // One byte of what is not UTF-8; several of them may be a character.
            if let Some(byte) = number(2).and_then(|number| u8::try_from(number).ok()) {
                into.push(byte);
                return 3;
            }
            (None, 0)
        }
        _ => (None, 0),
    };
    match plain {
        Some(character) => {
            into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            1_usize.saturating_add(digits)
        }
        None => {
            into.push(b'\\');
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<'a>(entry: &'a Entry<'_>) -> Vec<(&'a str, &'a str)> {
        entry.fields.iter().map(|(key, value)| (&**key, &**value)).collect()
    }

    #[test]
    fn the_text_form_is_read_with_its_quotes_and_escapes() {
        let line = r#"time="2026-11-21T21:54:16.052255675Z" level=error msg="ends \"so\"\n\tin c:\\x \u00e9\U0001f600\xc3\xa9\q" container=ab/c type="*events.TaskDelete" empty= "#;
        let entry = Entry::parse(line).unwrap();
        assert_eq!(entry.time.as_deref(), Some("2026-11-21T21:54:16.052255675Z"));
        assert_eq!(entry.level.as_deref(), Some("error"));
        assert_eq!(entry.message, "ends \"so\"\n\tin c:\\x é😀é\\q");
        let expected = [("container", "ab/c"), ("type", "*events.TaskDelete"), ("empty", "")];
        assert_eq!(fields(&entry), expected);
        assert_eq!(entry.field("type"), Some("*events.TaskDelete"));
    }

    #[test]
    fn the_old_form_quotes_the_level_and_words_need_no_quotes() {
        let line =
            r#"time="2015-03-02T08:12:14+01:00" level="info" msg=serving... address=/run/x.sock"#;
        let entry = Entry::parse(line).unwrap();
        assert_eq!((entry.level.as_deref(), &*entry.message), (Some("info"), "serving..."));
    }

    #[test]
    fn the_json_form_is_read_whatever_the_types_of_its_fields() {
        let line = r#"{"level":"info","msg":"x","time":"2024-01-02T03:04:05Z","pid":7,"ok":true}"#;
        let entry = Entry::parse(line).unwrap();
        assert_eq!((entry.time.as_deref(), &*entry.message), (Some("2024-01-02T03:04:05Z"), "x"));
        assert_eq!(fields(&entry), [("ok", "true"), ("pid", "7")]);
    }

    #[test]
    fn what_a_cut_line_still_says_is_kept() {
        let entry = Entry::parse(r#"time="2024-01-02T03:04:05Z" level=info msg="no end"#).unwrap();
        assert_eq!(fields(&entry), [("rest", "msg=\"no end")]);
        assert_eq!(Entry::parse(r#"time="2024-01-02T03:04:05Z"#), None);
    }

    #[test]
    fn other_lines_are_not_taken_for_it() {
        for line in ["", "goroutine 1 [running]:", "{\"a\":1}", "{", "timed=1", "msg=x", "level"] {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
    }

    #[test]
    fn fields_without_end_are_cut() {
        let line = format!("level=info {}", "a=b ".repeat(100_000));
        assert_eq!(Entry::parse(&line).unwrap().fields.len(), FIELDS);
    }
}
