//! What the outputs promise, for hostile events: nothing is lost on the way to a file and back, and
//! no reader of lines is led astray.

mod hostile;

use dockline_timeline::output::{self, Output, schema};
use dockline_timeline::{Event, Subject, Text, Value as Attribute};
use hostile::Sample;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::path::Path;

fn rendered(format: &str, samples: &[Sample]) -> String {
    let output = output::by_name(format).unwrap();
    String::from_utf8(output.header()).unwrap() + &body(&*output, samples)
}

/// What follows the header.
fn body(output: &dyn Output, samples: &[Sample]) -> String {
    let mut renderer = output.renderer();
    let mut bytes = Vec::new();
    for sample in samples {
        renderer.render(&sample.event(), &mut bytes);
    }
    String::from_utf8(bytes).unwrap()
}

fn samples() -> Vec<Sample> {
    let mut samples = hostile::by_hand();
    samples.extend(hostile::seeded(7, 2_000));
    samples
}

/// The text with control characters and line separators as in JSON; one character at a time.
fn visible(text: &str) -> String {
    let escape = |character: char| match character {
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
            format!("\\u{:04x}", u32::from(character))
        }
        '\0'..='\u{1f}' => serde_json::to_string(&character).unwrap().trim_matches('"').to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

fn plain<'e>(event: &Event<'e>) -> &'e str {
    match event.text {
        Text::Plain(text) | Text::Json(text) | Text::JsonWithControls(text) => text,
    }
}

/// The message, and whether it shows the whole text.
fn message(event: &Event<'_>) -> (String, bool) {
    let label = event.subject.label().map(|label| format!("[{}] ", visible(label)));
    let line = label.unwrap_or_default() + &visible(plain(event));
    if line.chars().count() > 4_096 {
        return (line.chars().take(4_095).collect::<String>() + "…", false);
    }
    (line, visible(plain(event)) == plain(event))
}

fn subject(subject: &Subject) -> [(&'static str, Value); 4] {
    [
        ("container_identifier", json!(subject.container_identifier)),
        ("container_name", json!(subject.container_name)),
        ("image_name", json!(subject.image_name)),
        ("image_identifier", json!(subject.image_identifier)),
    ]
}

/// The table of the design once more, by other means.
fn fields(event: &Event<'_>) -> Vec<(&'static str, Value)> {
    let (message, whole) = message(event);
    let nanoseconds = event.instant.to_string();
    let microseconds = format!("{}+00:00", &nanoseconds[..26]);
    let list = |texts: &[String]| if texts.is_empty() { Value::Null } else { json!(texts) };
    let tags: Vec<String> = event.tags.iter().map(|tag| tag.to_string()).collect();
    let mut fields = vec![
        ("datetime", json!(microseconds)),
        ("timestamp_desc", json!(event.meaning.description())),
        ("message", json!(message)),
        ("timestamp", json!(event.instant.microseconds())),
        ("datetime_ns", json!(nanoseconds)),
        ("data_type", json!(event.kind.data_type)),
        ("source_short", json!(event.kind.source_short)),
        ("source_long", json!(event.kind.source_long)),
        ("hostname", json!(*event.origin.host)),
        ("parser", json!(event.origin.parser)),
        ("display_name", json!(*event.origin.display_name)),
        ("source_locator", json!(event.position.to_string())),
        ("time_confidence", json!(event.confidence.name())),
    ];
    fields.extend(subject(event.subject));
    fields.extend([
        ("action", json!(Some(event.action).filter(|action| !action.is_empty()))),
        ("log_source", json!(event.log_source)),
        ("message_body", json!((!whole).then_some(plain(event)))),
        ("exit_code", json!(event.exit_code)),
        ("pid", json!(event.pid)),
        ("uid", json!(event.uid)),
        ("gid", json!(event.gid)),
        ("size", json!(event.size)),
        ("inode", json!(event.inode.map(|inode| inode.to_string()))),
        ("filename", json!(event.filename)),
        ("mode_as_string", json!(event.mode_as_string)),
        ("macb", json!(event.macb)),
        ("layer_identifier", json!(event.layer_identifier)),
        ("volume_name", json!(event.volume_name)),
        ("network_name", json!(event.network_name)),
        ("command_line", json!(event.command_line)),
        ("user", json!(event.user)),
        ("sha256_hash", json!(event.sha256_hash)),
        ("labels", list(event.labels)),
        ("tag", list(&tags)),
    ]);
    fields
}

fn attributes(event: &Event<'_>) -> Vec<(&'static str, Value)> {
    let value = |value: &Attribute<'_>| match value {
        Attribute::Text(text) => json!(text),
        Attribute::Integer(number) => json!(number),
        Attribute::Boolean(truth) => json!(truth),
        Attribute::List(texts) => json!(texts),
    };
    event.attributes.iter().map(|attribute| (attribute.name, value(&attribute.value))).collect()
}

/// One line of JSON by serde_json, and what serde_json leaves raw escaped after it.
fn line_of_json(fields: Vec<(&'static str, Value)>) -> String {
    let pairs: Vec<String> = fields
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| format!("{}:{value}", Value::from(name)))
        .collect();
    visible(&format!("{{{}}}", pairs.join(",")))
}

#[test]
fn jsonl_is_what_serde_json_writes() {
    let samples = samples();
    let jsonl = rendered("jsonl", &samples);
    assert_eq!(jsonl.lines().count(), samples.len());
    for (line, sample) in jsonl.lines().zip(&samples) {
        let event = sample.event();
        let parsed: Map<String, Value> = serde_json::from_str(line).unwrap();
        let mut expected = fields(&event);
        expected.push(("event_identifier", parsed["event_identifier"].clone()));
        expected.extend(attributes(&event));
        assert_eq!(line, line_of_json(expected));
    }
}

#[test]
fn an_event_is_rendered_the_same_whatever_was_rendered_before_it() {
    let samples = samples();
    for output in output::all() {
        let alone: String =
            samples.iter().map(|sample| body(&*output, std::slice::from_ref(sample))).collect();
        assert!(body(&*output, &samples) == alone, "{}", output.name());
    }
}

#[test]
fn the_fields_are_those_of_the_design_in_its_order() {
    let mut names: Vec<&str> =
        fields(&samples()[0].event()).into_iter().map(|(name, _)| name).collect();
    names.push("event_identifier");
    assert_eq!(schema::FIELDS.map(|field| field.name).to_vec(), names);
}

#[test]
fn any_text_comes_back_out_of_jsonl() {
    for sample in samples() {
        let line = rendered("jsonl", std::slice::from_ref(&sample));
        let parsed: Map<String, Value> = serde_json::from_str(&line).unwrap();
        let label = sample.subject.label().map(|label| format!("[{}] ", visible(label)));
        let shown = parsed["message"].as_str().unwrap();
        let body = parsed.get("message_body").map(|body| body.as_str().unwrap());
        let text = body.unwrap_or_else(|| shown.strip_prefix(&label.unwrap_or_default()).unwrap());
        assert_eq!(text, sample.text);
    }
}

/// Undoes the two rules of the CSV, as its documentation gives them.
fn text_of_cell(column: &str, cell: &str) -> String {
    let text = cell.strip_prefix('\'').unwrap_or(cell);
    if column == "message" {
        return text.to_owned();
    }
    serde_json::from_str(&format!("\"{}\"", text.replace('"', "\\\""))).unwrap()
}

/// A cell as the value that it stands for.
fn value_of_cell(column: &str, cell: &str) -> Value {
    match column {
        "timestamp" | "exit_code" | "pid" | "uid" | "gid" | "size" | "labels" | "tag"
        | "attributes" => serde_json::from_str(cell).unwrap(),
        text => Value::from(text_of_cell(text, cell)),
    }
}

#[test]
fn csv_says_the_same_as_jsonl() {
    let samples = samples();
    let csv = rendered("csv", &samples);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let jsonl = rendered("jsonl", &samples);
    let lines: Vec<_> = jsonl.lines().collect();
    assert_eq!((rows.len(), lines.len()), (samples.len(), samples.len()));
    for (row, line) in rows.iter().zip(lines) {
        let mut expected: Map<String, Value> = serde_json::from_str(line).unwrap();
        // An empty cell stands for an empty text too.
        expected.retain(|_, value| *value != Value::from(""));
        let mut found = Map::new();
        for (column, cell) in header.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            match value_of_cell(column, cell) {
                Value::Object(attributes) => {
                    found.extend(attributes.into_iter().filter(|(_, value)| *value != json!("")));
                }
                value => drop(found.insert(column.to_owned(), value)),
            }
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn no_cell_of_the_csv_is_a_formula_and_every_text_is_in_quotes() {
    let csv = rendered("csv", &samples());
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    for row in reader.records() {
        for cell in &row.unwrap() {
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(!formula || cell.parse::<i64>().is_ok(), "{cell}");
        }
    }
    // Between quotes there is anything, outside of them integers and commas only.
    for row in csv.lines().skip(1) {
        let outside: String = row.split('"').step_by(2).collect();
        let bare = |byte: u8| matches!(byte, b'0'..=b'9' | b'-' | b',');
        assert!(outside.bytes().all(bare), "{outside}");
    }
}

#[test]
fn a_line_is_an_event_for_every_reader() {
    let samples = samples();
    for output in output::all() {
        let text = rendered(output.name(), &samples);
        let header_lines = output.header().iter().filter(|byte| **byte == b'\n').count();
        let carried = samples
            .iter()
            .filter(|sample| output.name() != "bodyfile" || sample.instant.seconds() > 0)
            .count();
        assert!(text.ends_with('\n') && !text.starts_with('\u{feff}'));
        assert_eq!(text.lines().count(), header_lines + carried, "{}", output.name());
        assert!(text.lines().all(|line| !line.trim().is_empty()), "{}", output.name());
        let raw = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
        assert!(!text.contains(raw), "{}", output.name());
    }
}

#[test]
fn a_line_of_the_bodyfile_has_eleven_fields_and_a_name_of_its_own() {
    let mut names = HashSet::new();
    let body = rendered("bodyfile", &samples());
    for line in body.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let [hash, name, inode, mode, uid, gid, size, times @ ..] = fields.as_slice() else {
            panic!("{line}");
        };
        assert_eq!((*hash, mode.len(), times.len()), ("0", 12, 4), "{line}");
        for number in [inode, uid, gid, size] {
            assert!(number.bytes().all(|byte| byte.is_ascii_digit()), "{line}");
        }
        let seconds: Vec<i64> = times.iter().map(|time| time.parse().unwrap()).collect();
        assert!(seconds[0] > 0 && seconds.iter().all(|second| *second == seconds[0]), "{line}");
        assert!(name.chars().count() < 1_100, "{}", name.chars().count());
        assert!(names.insert(name.to_owned()), "{name}");
    }
}

#[test]
fn an_identifier_is_that_of_its_event_alone_and_stable() {
    let samples = hostile::seeded(11, 2_000);
    let identifiers = |samples: &[Sample]| -> Vec<String> {
        let parsed = rendered("jsonl", samples);
        let parsed = parsed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        parsed.map(|event| event["event_identifier"].to_string()).collect()
    };
    let first = identifiers(&samples);
    assert_eq!(first.iter().collect::<HashSet<_>>().len(), samples.len());
    let backwards: Vec<Sample> = samples.iter().rev().cloned().collect();
    assert!(identifiers(&backwards).iter().rev().eq(first.iter()));
}

#[test]
fn an_event_that_a_format_cannot_carry_leaves_nothing_behind() {
    let before_1970: Vec<Sample> =
        hostile::by_hand().into_iter().filter(|sample| sample.instant.seconds() <= 0).collect();
    assert_eq!(before_1970.len(), 4);
    assert_eq!(rendered("bodyfile", &before_1970), "");
}

/// These very files were given to the programs that they are for: see `tests/README.md`.
#[test]
fn the_files_that_other_programs_accepted_are_still_what_is_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/outputs");
    for output in output::all() {
        let path = directory.join("hostile").with_extension(output.extension());
        let accepted = std::fs::read_to_string(&path).unwrap();
        assert!(rendered(output.name(), &hostile::by_hand()) == accepted, "{}", path.display());
    }
}

#[test]
fn an_attribute_cannot_take_the_name_of_a_field() {
    for field in schema::FIELDS {
        assert!(!schema::may_name_an_attribute(field.name), "{}", field.name);
    }
    for name in ["attributes", "label", "host", "source", "_id", "Mixed", "9th", "", "a-b", "a.b"] {
        assert!(!schema::may_name_an_attribute(name), "{name}");
    }
    for name in ["driver", "restart_count", "ipv4_address"] {
        assert!(schema::may_name_an_attribute(name), "{name}");
    }
}
