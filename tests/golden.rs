//! Each case of each parser gives exactly the events and issues that it says.
//!
//! `DOCKLINE_BLESS=1 cargo test golden` writes what came out as what is expected; read the
//! difference before you commit it.

use crate::case::Case;
use std::fs;

#[test]
fn every_case_gives_exactly_what_it_says() {
    let bless = std::env::var_os("DOCKLINE_BLESS").is_some();
    let mut wrong = Vec::new();
    for case in Case::all() {
        let outcome = case.run();
        for (name, lines) in
            [("expected.jsonl", &outcome.events), ("expected-issues.txt", &outcome.issues)]
        {
            let path = case.folder.join(name);
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            if bless && text.is_empty() {
                let _absent = fs::remove_file(&path);
            } else if bless {
                fs::write(&path, &text).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if expected != text {
                wrong.push(first_difference(&case.name(), name, &expected, &text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn first_difference(case: &str, file: &str, expected: &str, found: &str) -> String {
    let mut lines = expected.lines().zip(found.lines()).zip(1..);
    let differs = lines.find(|((one, other), _)| one != other);
    let (counts, at) = ((expected.lines().count(), found.lines().count()), differs);
    match at {
        Some(((one, other), line)) => {
            format!("{case}/{file} line {line}:\n  expected {one}\n  found    {other}")
        }
        None => format!("{case}/{file}: expected {} lines, found {}", counts.0, counts.1),
    }
}

#[test]
fn every_parser_has_a_real_and_a_hostile_case() {
    for parser in dockline_parsers::all() {
        let cases = Case::of(parser.name);
        let hostile = |case: &&Case| case.name().contains("/hostile");
        let count = cases.iter().filter(hostile).count();
        assert!(count > 0, "{} has no hostile case", parser.name);
        assert!(count < cases.len(), "{} has no real case", parser.name);
    }
}

#[test]
fn no_attribute_has_two_types() {
    use serde_json::Value;
    let mut types: std::collections::BTreeMap<String, &str> = std::collections::BTreeMap::new();
    for case in Case::all() {
        for line in case.run().events {
            let event: Value = serde_json::from_str(&line).unwrap();
            for (name, value) in event.as_object().unwrap() {
                let found = match value {
                    Value::String(_) => "text",
                    Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
                    Value::Bool(_) => "boolean",
                    Value::Array(items) if items.iter().all(Value::is_string) => "list of texts",
                    other => panic!("{}: {name} is {other}", case.name()),
                };
                let known = types.entry(name.clone()).or_insert(found);
                assert_eq!(*known, found, "{}: {name}", case.name());
            }
        }
    }
}
