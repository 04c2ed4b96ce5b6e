//! JSON as engines write it, read so that what is wrong costs only itself.
//!
//! An engine writes these files whole; what lies on a disk after a crash, or after somebody's hand,
//! may be cut, filled with NUL bytes, followed by the rest of an older text, or hold values of
//! unexpected types. [`read`] gives the document with the flaws around it; [`Fields`] gives typed
//! values of an object and remembers which keys held something else. Unknown keys, missing keys and
//! nulls are never flaws: they differ between engine versions.

use crate::ArtifactFile;
use dockline_timeline::{Findings, Instant, Issue, IssueKind, Position};
use serde_json::{Map, Value};
use std::cell::RefCell;

/// Longest file that is read: a value takes up to 16 times its text in memory.
pub const LENGTH_LIMIT: usize = 4 * 1024 * 1024;
/// Flaws of one file that are told one by one.
const FLAW_LIMIT: usize = 100;

/// Something wrong in a JSON file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In which way.
    pub kind: IssueKind,
    /// Where.
    pub at: Place,
    /// What, in words.
    pub what: String,
    /// Bytes of the file that no value covers because of it.
    pub lost_bytes: u64,
}

/// Where in a JSON file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this byte.
    Offset(u64),
    /// At this key: `State.StartedAt`, `Config.Env[3]`.
    Key(String),
}

impl Flaw {
    fn at_offset(kind: IssueKind, offset: usize, what: impl Into<String>) -> Flaw {
        Flaw { kind, at: Place::Offset(as_u64(offset)), what: what.into(), lost_bytes: 0 }
    }

    fn issue(&self, file: &ArtifactFile) -> Issue {
        let at = match &self.at {
            Place::Offset(offset) => Position::Offset(*offset),
            Place::Key(key) => Position::Key(key),
        };
        file.issue(self.kind, at, self.what.clone())
    }

    /// Tells it as an issue with `file`.
    pub fn report(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        findings.issue(self.issue(file).losing(0, self.lost_bytes));
    }

    /// Tells it as an issue with the text that lies at `offset` of `file`.
    pub fn report_at(&self, file: &ArtifactFile, offset: u64, findings: &mut dyn Findings) {
        let what = match &self.at {
            Place::Offset(_) => self.what.clone(),
            Place::Key(key) => format!("{key}: {}", self.what),
        };
        findings.issue(file.issue(self.kind, Position::Offset(offset), what));
    }

    /// Tells it as an issue that cost the whole `file`, of so many bytes.
    pub fn report_lost(&self, file: &ArtifactFile, length: usize, findings: &mut dyn Findings) {
        findings.issue(self.issue(file).losing(1, as_u64(length)));
    }
}

/// A JSON value that a file begins with, and what is wrong around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The value.
    pub value: Value,
    /// What is wrong beside it.
    pub flaws: Vec<Flaw>,
    /// Bytes of the file that the value covers.
    pub length: u64,
}

/// Reads the JSON value that `bytes` begin with. What follows it, a byte order mark before it and
/// bytes in it that are not UTF-8 are flaws beside it.
///
/// # Errors
/// The flaw because of which there is no value.
pub fn read(bytes: &[u8]) -> Result<Document, Flaw> {
    if let Some(flaw) = hopeless(bytes) {
        return Err(flaw);
    }
    let mut flaws = Vec::new();
    let bom = b"\xef\xbb\xbf";
    let body = bytes.strip_prefix(bom).unwrap_or(bytes);
    let skipped = bytes.len().saturating_sub(body.len());
    if skipped > 0 {
        let what = "begins with a byte order mark, which no engine writes";
        flaws.push(Flaw::at_offset(IssueKind::Malformed, 0, what));
    }
    let text = String::from_utf8_lossy(body);
    if let Err(error) = std::str::from_utf8(body) {
        let offset = error.valid_up_to().saturating_add(skipped);
        let what = "bytes that are not UTF-8, read as replacement characters";
        flaws.push(Flaw::at_offset(IssueKind::Malformed, offset, what));
    }
    let (value, end) = match first_value(&text) {
        Some(Ok(found)) => found,
        Some(Err(error)) => {
            let refused = || syntax_flaw(&error, &text, skipped);
            let (found, at) = without_lone_surrogates(&text).ok_or_else(refused)?;
            let what = "half of a surrogate pair alone, read as a replacement character";
            let at = at.saturating_add(skipped);
            flaws.push(Flaw::at_offset(IssueKind::Malformed, at, what));
            found
        }
        None => return Err(Flaw::at_offset(IssueKind::Malformed, 0, "holds only white space")),
    };
    let rest = text.get(end..).unwrap_or_default().trim_ascii();
    let lost = as_u64(rest.len().min(bytes.len()));
    if !rest.is_empty() {
        flaws.push(remainder(rest, bytes.trim_ascii_end().len(), lost));
    }
    Ok(Document { value, flaws, length: as_u64(bytes.len()).saturating_sub(lost) })
}

/// The content of a file as one record of it: counted, with its flaws told; an issue that lost it
/// when it is no JSON.
pub fn record(bytes: &[u8], file: &ArtifactFile, findings: &mut dyn Findings) -> Option<Value> {
    match read(bytes) {
        Ok(document) => {
            findings.records(&file.origin, 1, document.length);
            document.flaws.iter().for_each(|flaw| flaw.report(file, findings));
            Some(document.value)
        }
        Err(flaw) => {
            flaw.report_lost(file, bytes.len(), findings);
            None
        }
    }
}

/// The first value in a text, and where it ends.
fn first_value(text: &str) -> Option<Result<(Value, usize), serde_json::Error>> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?;
    Some(value.map(|value| (value, values.byte_offset())))
}

/// The value with U+FFFD for each half of a surrogate pair that stands alone, and where the first
/// of these stands. Go reads them so: refusing them would let an image hide its history from us.
fn without_lone_surrogates(text: &str) -> Option<((Value, usize), usize)> {
    let half = |at: usize| {
        let digits = text.get(at..at.saturating_add(6))?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok().filter(|code| (0xd800..0xe000).contains(code))
    };
    let (mut repaired, mut first, mut rest) = (String::with_capacity(text.len()), None, 0);
    while let Some(before) = text.get(rest..)?.find('\\') {
        let at = rest.saturating_add(before);
        repaired.push_str(text.get(rest..at)?);
        let length = match (half(at), half(at.saturating_add(6))) {
            (Some(0xd800..0xdc00), Some(0xdc00..)) => 12,
            (Some(_), _) => 0,
            // The character after a backslash belongs to it, be it another backslash.
            (None, _) => text.get(at..)?.chars().take(2).map(char::len_utf8).sum(),
        };
        rest = at.saturating_add(length);
        repaired.push_str(text.get(at..rest)?);
        if length == 0 {
            repaired.push_str("\\ufffd");
            rest = at.saturating_add(6);
            first = first.or(Some(at));
        }
    }
    repaired.push_str(text.get(rest..)?);
    // The escape is as long as the one in its place: offsets hold in both texts.
    Some((first_value(&repaired)?.ok()?, first?))
}

/// Content that is no JSON for a reason that the syntax error would not tell.
fn hopeless(bytes: &[u8]) -> Option<Flaw> {
    if bytes.is_empty() {
        return Some(Flaw::at_offset(IssueKind::Malformed, 0, "the file is empty"));
    }
    if bytes.iter().all(|byte| *byte == 0) {
        let count = bytes.len();
        let what = format!("{count} NUL bytes and nothing else: the content was lost in a crash");
        return Some(Flaw::at_offset(IssueKind::Malformed, 0, what));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let what = "UTF-16 text, which no engine writes";
        return Some(Flaw::at_offset(IssueKind::Unsupported, 0, what));
    }
    if bytes.len() > LENGTH_LIMIT {
        let what = format!("{} bytes, larger than the {LENGTH_LIMIT} that are read", bytes.len());
        return Some(Flaw::at_offset(IssueKind::LimitReached, 0, what));
    }
    None
}

fn remainder(rest: &str, end_of_file: usize, lost: u64) -> Flaw {
    let kind = if rest.bytes().all(|byte| byte == 0) { "NUL bytes" } else { "bytes" };
    let what = format!("{lost} {kind} after the end of the JSON text");
    let offset = end_of_file.saturating_sub(rest.len());
    Flaw { lost_bytes: lost, ..Flaw::at_offset(IssueKind::Malformed, offset, what) }
}

fn syntax_flaw(error: &serde_json::Error, text: &str, skipped: usize) -> Flaw {
    let lines: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let offset = if error.is_eof() {
        text.len()
    } else {
        lines.saturating_add(error.column()).saturating_sub(1)
    };
    let offset = offset.saturating_add(skipped);
    // serde_json has no other way to tell this error from the rest.
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or(&message);
    if what.starts_with("recursion limit") {
        let what = "JSON nested deeper than 127 levels";
        return Flaw::at_offset(IssueKind::LimitReached, offset, what);
    }
    let what = if error.is_eof() { format!("cut off: {what}") } else { format!("no JSON: {what}") };
    Flaw::at_offset(IssueKind::Malformed, offset, what)
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Keys that held a value of an unexpected type, at most so many.
#[derive(Debug, Default)]
pub struct Wrong(RefCell<Vec<Flaw>>);

impl Wrong {
    fn add(&self, key: String, what: String) {
        let mut flaws = self.0.borrow_mut();
        let at = if key.is_empty() { Place::Offset(0) } else { Place::Key(key) };
        let (kind, what) = match flaws.len() {
            count if count < FLAW_LIMIT => (IssueKind::Malformed, what),
            FLAW_LIMIT => {
                let what = format!("more than {FLAW_LIMIT} wrong values, the rest is not told");
                (IssueKind::LimitReached, what)
            }
            _ => return,
        };
        flaws.push(Flaw { kind, at, what, lost_bytes: 0 });
    }

    /// The flaws, in the order of reading.
    #[must_use]
    pub fn into_flaws(self) -> Vec<Flaw> {
        self.0.into_inner()
    }
}

/// An object of a document, by the way to it; wrong types go to a [`Wrong`] and read as absent.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
    path: String,
    wrong: &'a Wrong,
}

impl<'a> Fields<'a> {
    /// The fields of the document itself.
    #[must_use]
    pub fn new(value: &'a Value, wrong: &'a Wrong) -> Fields<'a> {
        Fields::of(value, String::new(), wrong)
    }

    /// The fields of each object of a document that is a list; null is an empty one, as Go writes it.
    #[must_use]
    pub fn of_list(value: &'a Value, wrong: &'a Wrong) -> Vec<Fields<'a>> {
        let Value::Array(items) = value else {
            if !value.is_null() {
                wrong.add(String::new(), mismatch("a list", value));
            }
            return Vec::new();
        };
        let fields = |(index, value)| Fields::of(value, format!("[{index}]"), wrong);
        items.iter().enumerate().map(fields).collect()
    }

    /// The way to this object in the document: `[3].State`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    fn of(value: &'a Value, path: String, wrong: &'a Wrong) -> Fields<'a> {
        let object = value.as_object();
        if object.is_none() && !value.is_null() {
            wrong.add(path.clone(), mismatch("an object", value));
        }
        Fields { object, path, wrong }
    }

    /// The value of a key; as Go reads it, also of one that differs only in upper and lower case.
    fn value(&self, key: &str) -> Option<&'a Value> {
        let object = self.object?;
        let in_any_case = || object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        let value = object.get(key).or_else(|| in_any_case().map(|(_, value)| value));
        value.filter(|value| !value.is_null())
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn typed<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let found = read(value);
        if found.is_none() {
            self.wrong.add(self.key(key), mismatch(wanted, value));
        }
        found
    }

    /// Whether there is an object, with at least one key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.object.is_none_or(Map::is_empty)
    }

    /// Whether the key is there and is not null.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// A text that is not empty. A number is taken as its digits: some enumerations were numbers.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.typed(key, "a string", text_of).filter(|text| !text.is_empty())
    }

    /// An integer.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<i64> {
        self.typed(key, "an integer", Value::as_i64)
    }

    /// True or false.
    #[must_use]
    pub fn boolean(&self, key: &str) -> Option<bool> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// An instant in RFC 3339; Go's zero time is absent.
    #[must_use]
    pub fn instant(&self, key: &str) -> Option<Instant> {
        let text = self.text(key)?;
        match Instant::parse_rfc3339(&text) {
            Ok(instant) => instant,
            Err(error) => {
                let shown: String = text.chars().take(64).collect();
                self.wrong.add(self.key(key), format!("{shown:?}: {error}"));
                None
            }
        }
    }

    /// A list of texts; a single text is a list of one, as Go reads it.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            Some(Value::String(one)) => vec![one.clone()],
            _ => self.items(key, "a string", |value, _| text_of(value)),
        }
    }

    /// A list of lists of texts.
    #[must_use]
    pub fn text_lists(&self, key: &str) -> Vec<Vec<String>> {
        self.items(key, "a list of strings", |value, _| {
            value.as_array()?.iter().map(text_of).collect()
        })
    }

    /// An object below; empty when absent.
    #[must_use]
    pub fn object(&self, key: &str) -> Fields<'a> {
        match self.value(key) {
            Some(value) => Fields::of(value, self.key(key), self.wrong),
            None => Fields { object: None, path: self.key(key), wrong: self.wrong },
        }
    }

    /// A list of objects.
    #[must_use]
    pub fn objects(&self, key: &str) -> Vec<Fields<'a>> {
        self.items(key, "an object", |value, path| {
            value.is_object().then(|| Fields::of(value, path, self.wrong))
        })
    }

    /// The objects in the lists of a list.
    #[must_use]
    pub fn objects_in_lists(&self, key: &str) -> Vec<Fields<'a>> {
        let lists = self.items(key, "a list", |value, path| Some((value.as_array()?, path)));
        let mut objects = Vec::new();
        for (list, path) in lists {
            for (index, value) in list.iter().enumerate() {
                objects.push(Fields::of(value, format!("{path}[{index}]"), self.wrong));
            }
        }
        objects
    }

    /// The objects of a map, with their keys, ordered by key; null counts as an empty object.
    #[must_use]
    pub fn members(&self) -> Vec<(&'a str, Fields<'a>)> {
        let member = |(key, value): (&'a String, &'a Value)| {
            (key.as_str(), Fields::of(value, self.key(key), self.wrong))
        };
        self.object.into_iter().flatten().map(member).collect()
    }

    /// The keys of a map, ordered.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.object.into_iter().flat_map(Map::keys).cloned().collect()
    }

    /// The texts of a map as `key=value`, ordered by key; null counts as an empty text.
    #[must_use]
    pub fn pairs(&self) -> Vec<String> {
        let mut pairs = Vec::new();
        for (key, value) in self.object.into_iter().flatten() {
            match value {
                Value::Null => pairs.push(format!("{key}=")),
                _ => match text_of(value).or_else(|| value.as_bool().map(|b| b.to_string())) {
                    Some(text) => pairs.push(format!("{key}={text}")),
                    None => self.wrong.add(self.key(key), mismatch("a string", value)),
                },
            }
        }
        pairs
    }

    fn items<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a Value, String) -> Option<T>,
    ) -> Vec<T> {
        let list = self.typed(key, "a list", Value::as_array);
        let mut items = Vec::new();
        for (index, value) in list.into_iter().flatten().enumerate() {
            let path = format!("{}[{index}]", self.key(key));
            match read(value, path.clone()) {
                Some(item) => items.push(item),
                None => self.wrong.add(path, mismatch(wanted, value)),
            }
        }
        items
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn mismatch(wanted: &str, value: &Value) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("not {wanted}, but {found}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw_of(bytes: &[u8]) -> (IssueKind, Place, String) {
        let flaw = read(bytes).unwrap_err();
        (flaw.kind, flaw.at, flaw.what)
    }

    fn malformed(offset: u64, what: &str) -> (IssueKind, Place, String) {
        (IssueKind::Malformed, Place::Offset(offset), what.to_owned())
    }

    #[test]
    fn a_cut_text_says_where_it_ends_and_garbage_where_it_begins() {
        assert_eq!(flaw_of(b"{\"a\":\n[1"), malformed(8, "cut off: EOF while parsing a list"));
        assert_eq!(flaw_of(b"{\"a\":\n ?}"), malformed(7, "no JSON: expected value"));
        assert_eq!(flaw_of(b""), malformed(0, "the file is empty"));
        assert_eq!(flaw_of(b" \n"), malformed(0, "holds only white space"));
    }

    #[test]
    fn a_file_of_nul_bytes_was_lost_in_a_crash() {
        let what = "4096 NUL bytes and nothing else: the content was lost in a crash";
        assert_eq!(flaw_of(&[0; 4096]), malformed(0, what));
    }

    #[test]
    fn what_follows_the_value_costs_only_itself() {
        let document = read(b"{\"a\":1}\n\0\0\0").unwrap();
        assert_eq!(document.value, serde_json::json!({"a": 1}));
        assert_eq!(document.length, 8);
        assert_eq!(document.flaws[0].what, "3 NUL bytes after the end of the JSON text");
        assert_eq!(document.flaws[0].at, Place::Offset(8));
        let document = read(b"{\"a\":1}\n\"b\":2}\n").unwrap();
        assert_eq!(document.flaws[0].what, "6 bytes after the end of the JSON text");
        assert_eq!((&document.flaws[0].at, document.flaws[0].lost_bytes), (&Place::Offset(8), 6));
        assert_eq!(read(b"{}\n").unwrap().flaws, []);
        assert_eq!(read(b"{}\n").unwrap().length, 3);
    }

    #[test]
    fn a_byte_order_mark_and_bytes_that_are_no_utf_8_cost_only_themselves() {
        let document = read(b"\xef\xbb\xbf{\"a\":\"x\xff\"}").unwrap();
        assert_eq!(document.value, serde_json::json!({"a": "x\u{fffd}"}));
        let places: Vec<_> = document.flaws.into_iter().map(|flaw| flaw.at).collect();
        assert_eq!(places, [Place::Offset(0), Place::Offset(10)]);
        assert_eq!(flaw_of(b"\xff\xfe{\0}\0").0, IssueKind::Unsupported);
    }

    #[test]
    fn half_of_a_surrogate_pair_costs_only_itself() {
        let document = read(br#"{"a":"\\ud800 \ud800\u0041 \ud83d\ude00 \udc00"}0"#).unwrap();
        assert_eq!(document.value["a"], "\\ud800 \u{fffd}A \u{1f600} \u{fffd}");
        let places: Vec<_> = document.flaws.into_iter().map(|flaw| flaw.at).collect();
        assert_eq!(places, [Place::Offset(14), Place::Offset(48)]);
        assert_eq!(
            flaw_of(br#"{"a":"\ud800"#),
            malformed(12, "cut off: EOF while parsing a string")
        );
    }

    #[test]
    fn a_key_in_another_case_is_read_as_go_reads_it() {
        let value = serde_json::json!({"Created": "x", "created": null, "CMD": ["a"]});
        let wrong = Wrong::default();
        let fields = Fields::new(&value, &wrong);
        assert_eq!(fields.texts("Cmd"), ["a"]);
        assert_eq!(fields.text("created"), None, "the exact key counts first");
    }

    #[test]
    fn deep_nesting_and_length_are_limited() {
        let deep = "[".repeat(100_000);
        assert_eq!(flaw_of(deep.as_bytes()).0, IssueKind::LimitReached);
        assert_eq!(flaw_of(&vec![b' '; LENGTH_LIMIT + 1]).0, IssueKind::LimitReached);
    }

    #[test]
    fn a_wrong_type_costs_only_its_key() {
        let value = serde_json::json!({
            "text": 7, "bool": "yes", "list": ["a", {}, "b"], "one": "x", "null": null,
            "time": "2019-02-30T00:00:00Z", "zero": "0001-01-01T00:00:00Z",
            "map": {"k": "v", "n": null, "o": []}, "object": 5,
        });
        let wrong = Wrong::default();
        let fields = Fields::new(&value, &wrong);
        assert_eq!(fields.text("text").as_deref(), Some("7"));
        assert_eq!(fields.boolean("bool"), None);
        assert_eq!(fields.texts("list"), ["a", "b"]);
        assert_eq!(fields.texts("one"), ["x"]);
        assert_eq!((fields.integer("null"), fields.texts("null")), (None, vec![]));
        assert_eq!((fields.instant("time"), fields.instant("zero")), (None, None));
        assert_eq!(fields.object("map").pairs(), ["k=v", "n="]);
        assert!(fields.object("object").is_empty() && fields.object("absent").is_empty());
        let told: Vec<_> = wrong.into_flaws().into_iter().map(|f| (f.at, f.what)).collect();
        let key = |key: &str, what: &str| (Place::Key(key.to_owned()), what.to_owned());
        assert_eq!(
            told,
            [
                key("bool", "not true or false, but a string"),
                key("list[1]", "not a string, but an object"),
                key("time", "\"2019-02-30T00:00:00Z\": no such date or time of day"),
                key("map.o", "not a string, but a list"),
                key("object", "not an object, but a number"),
            ]
        );
    }

    #[test]
    fn wrong_types_without_end_are_told_up_to_a_limit() {
        let value = serde_json::json!({"list": vec![serde_json::json!([]); 1_000]});
        let wrong = Wrong::default();
        assert!(Fields::new(&value, &wrong).texts("list").is_empty());
        let flaws = wrong.into_flaws();
        assert_eq!(flaws.len(), FLAW_LIMIT + 1);
        assert_eq!(flaws[FLAW_LIMIT].kind, IssueKind::LimitReached);
    }
}
