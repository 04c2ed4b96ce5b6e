//! YAML 1.2 as documents of JSON: what Kubernetes reads its manifests as.
//!
//! The library gives events one by one; the documents are put together here, so that nesting, aliases
//! and size have limits. Tags other than `!!str` are ignored, and so are merge keys (`<<`), which stay
//! keys. Of a key that stands twice the last value counts, as for the kubelet.

use dockline_timeline::IssueKind;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How deep values may be nested.
const DEPTH_LIMIT: usize = 64;
/// How many values a text may have, those of aliases counted each time.
const VALUE_LIMIT: usize = 200_000;

/// One document of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The line of the text, from 1, that it begins on.
    pub line: u64,
    /// What it says.
    pub value: Value,
}

/// Why there are no more documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In which way.
    pub kind: IssueKind,
    /// In which line, from 1.
    pub line: u64,
    /// The line, from 1, from which on nothing was read: where its document begins.
    pub lost_from: u64,
    /// In words.
    pub what: String,
}

/// The documents of a text, up to the first thing that is wrong.
#[must_use]
pub fn documents(text: &str) -> (Vec<Document>, Option<Problem>) {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text).keep_tags(true);
    while let Some(event) = parser.next_event() {
        let (event, line) = match event {
            Ok((event, span)) => (event, wide(span.start.line())),
            Err(error) => {
                let (kind, line) = (IssueKind::Malformed, wide(error.marker().line()));
                let what = format!("yaml: {}", error.info());
                let lost_from = builder.lost_from(line);
                return (builder.documents, Some(Problem { kind, line, lost_from, what }));
            }
        };
        if let Err((kind, what)) = builder.event(event, line) {
            let (what, lost_from) = (format!("yaml: {what}"), builder.lost_from(line));
            return (builder.documents, Some(Problem { kind, line, lost_from, what }));
        }
    }
    (builder.documents, None)
}

type Fault = (IssueKind, String);

/// A value with what it costs to repeat it.
#[derive(Clone)]
struct Measured {
    value: Value,
    /// Values in it, with itself.
    count: usize,
    /// Levels in it, with itself.
    depth: usize,
}

/// A sequence or mapping whose end has not come yet.
struct Open {
    content: Content,
    anchor: usize,
    count: usize,
    depth: usize,
}

enum Content {
    Sequence(Vec<Value>),
    Mapping(Map<String, Value>, Option<String>),
}

/// Puts documents together.
#[derive(Default)]
struct Builder {
    documents: Vec<Document>,
    line: u64,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Measured>,
    values: usize,
}

impl Builder {
    /// Where the document begins in which something is wrong in this line.
    fn lost_from(&self, line: u64) -> u64 {
        if self.open.is_empty() { line } else { self.line }
    }

    fn event(&mut self, event: Event<'_>, line: u64) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(_) => {
                self.line = line;
                self.anchors.clear();
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text, style, tag.as_deref());
                self.add(Measured { value, count: 1, depth: 1 }, anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(Content::Sequence(Vec::new()), anchor)?,
            Event::MappingStart(anchor, _) => {
                self.begin(Content::Mapping(Map::new(), None), anchor)?
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let wrong = || (IssueKind::Malformed, "an alias of what has not ended".to_owned());
                self.add(known.ok_or_else(wrong)?, 0)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, content: Content, anchor: usize) -> Result<(), Fault> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(too_deep());
        }
        self.open.push(Open { content, anchor, count: 1, depth: 1 });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open { content, anchor, count, depth }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::Sequence(values) => Value::Array(values),
            Content::Mapping(map, _) => Value::Object(map),
        };
        self.add(Measured { value, count, depth }, anchor)
    }

    /// Adds a value to what is open.
    fn add(&mut self, measured: Measured, anchor: usize) -> Result<(), Fault> {
        if self.open.len().saturating_add(measured.depth) > DEPTH_LIMIT {
            return Err(too_deep());
        }
        self.values = self.values.saturating_add(measured.count);
        if self.values > VALUE_LIMIT {
            return Err((IssueKind::LimitReached, format!("more than {VALUE_LIMIT} values")));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, measured.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(Document { line: self.line, value: measured.value });
            return Ok(());
        };
        open.count = open.count.saturating_add(measured.count);
        open.depth = open.depth.max(measured.depth.saturating_add(1));
        match &mut open.content {
            Content::Sequence(values) => values.push(measured.value),
            Content::Mapping(map, key) => match key.take() {
                Some(key) => {
                    map.insert(key, measured.value);
                }
                None => *key = Some(name(measured.value)?),
            },
        }
        Ok(())
    }
}

fn too_deep() -> Fault {
    (IssueKind::LimitReached, format!("nested deeper than {DEPTH_LIMIT} levels"))
}

/// A key as text.
fn name(value: Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text),
        Value::Array(_) | Value::Object(_) => {
            Err((IssueKind::Malformed, "a key that is no text".to_owned()))
        }
        other => Ok(other.to_string()),
    }
}

/// A scalar as the kubelet understands it: a plain one may be a number, a truth or nothing.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
    let plain = (!is_text).then_some(&*text);
    match plain {
        None => Value::String(text.into_owned()),
        Some("" | "~" | "null" | "Null" | "NULL") => Value::Null,
        Some("true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON") => true.into(),
        Some("false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF") => {
            false.into()
        }
        Some(plain) => match number(plain) {
            Some(number) => Value::Number(number),
            None => Value::String(text.into_owned()),
        },
    }
}

fn number(text: &str) -> Option<Number> {
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.into());
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let float = text.parse().ok().filter(|_| is_number && text.contains(['.', 'e', 'E']))?;
    Number::from_f64(float)
}

fn wide(line: usize) -> u64 {
    u64::try_from(line).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_become_json() {
        let text = "# a comment\nkind: Pod\nspec:\n  hostPID: true\n  ports: [80, '80', 0.5]\n  empty:\n  \
                    text: |\n    one\n    two\n---\n{\"kind\": \"List\", \"items\": []}\n";
        let (documents, problem) = documents(text);
        assert_eq!(problem, None);
        let spec =
            json!({"hostPID": true, "ports": [80, "80", 0.5], "empty": null, "text": "one\ntwo\n"});
        assert_eq!(documents[0], Document { line: 2, value: json!({"kind": "Pod", "spec": spec}) });
        assert_eq!(documents[1].value, json!({"kind": "List", "items": []}));
    }

    #[test]
    fn what_stands_before_a_fault_is_read_and_the_fault_is_said() {
        let (documents, problem) = documents("a: 1\n---\nb: [1, 2\nc: }\n");
        assert_eq!(documents[0].value, json!({"a": 1}));
        let problem = problem.unwrap();
        assert_eq!((documents.len(), problem.kind), (1, IssueKind::Malformed));
        assert_eq!(problem.lost_from, 2);
        assert!(problem.line >= 3 && problem.what.starts_with("yaml: "), "{problem:?}");
    }

    #[test]
    fn aliases_and_nesting_are_bounded() {
        assert_eq!(documents("a: &x [1]\nb: *x\n").0[0].value, json!({"a": [1], "b": [1]}));
        let bomb: String = (1..12)
            .map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(",")))
            .collect();
        let limit = |text: &str| documents(text).1.unwrap();
        let problem = limit(&format!("a0: &a0 [x]\n{bomb}"));
        assert_eq!(problem.what, "yaml: more than 200000 values");
        let deep = limit(&"[".repeat(100));
        assert_eq!(
            (deep.kind, deep.what.as_str()),
            (IssueKind::LimitReached, "yaml: nested deeper than 64 levels")
        );
        let chain: String = (1..100).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1)).collect();
        assert_eq!(limit(&format!("a0: &a0 [x]\n{chain}")).kind, IssueKind::LimitReached);
        assert_eq!(limit("? [a]\n: b\n").what, "yaml: a key that is no text");
    }
}
