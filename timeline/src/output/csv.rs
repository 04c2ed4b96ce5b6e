//! CSV: one row an event, in RFC 4180 quoting. Carries everything; a reader has to undo two rules.
//!
//! The columns are always the same: the fields of the [schema](super::schema) in order, so that
//! `datetime,timestamp_desc,message` come first, and then `attributes`, all other facts as one JSON
//! object. UTF-8 without a byte order mark; rows end with LF; an empty cell is an absent field.
//! Texts are always in quotes and integers never, whatever they look like.
//!
//! To get a text back from a cell:
//! 1. If the cell begins with an apostrophe, remove that one. A cell that begins with `=`, `+`, `-`,
//!    `@` or `'` gets one more in front: a spreadsheet takes the first four for a formula, and the
//!    text of a log is the attacker's. So a mode `-rw-r--r--` is written as `'-rw-r--r--`.
//! 2. Except in `message`, read `\n`, `\\`, `\u2028` and so on as in a JSON string: control
//!    characters, line separators and the backslash are written so, and no cell holds a raw line
//!    break or tab. `labels`, `tag` and `attributes` are JSON as a whole.
//!
//! What CSV itself cannot carry: types. Readers guess them from how a column looks. pandas, with
//! which Timesketch reads CSV, turns integers into floats in a column that has an empty cell,
//! a text of digits into a number, and texts such as `NA` into nothing; JSONL has none of this.

use super::schema::{Computed, Datum, FIELDS};
use super::{Output, Renderer, digits, json, text};
use crate::Event;

/// Column of what has no field of its own.
const ATTRIBUTES: &str = "attributes";

/// The output `csv`.
pub struct Csv;

impl Output for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn header(&self) -> Vec<u8> {
        let mut header = String::new();
        for field in &FIELDS {
            header.push_str(field.name);
            header.push(',');
        }
        header.push_str(ATTRIBUTES);
        header.push('\n');
        header.into_bytes()
    }

    fn renderer(&self) -> Box<dyn Renderer> {
        Box::new(CsvRenderer::default())
    }
}

/// Renders events as rows. Written by hand because the `csv` crate decides by what a cell looks
/// like whether it needs quotes, and we decide by its type.
#[derive(Default)]
struct CsvRenderer {
    computed: Computed,
    json: Vec<u8>,
}

impl Renderer for CsvRenderer {
    fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> bool {
        self.computed.set(event);
        for field in &FIELDS {
            push_cell(&(field.of)(event, &self.computed), &mut self.json, into);
            into.push(b',');
        }
        if !event.attributes.is_empty() {
            self.json.clear();
            json::push_attributes(&event.attributes, &mut self.json);
            push_json(&self.json, into);
        }
        into.push(b'\n');
        true
    }
}

/// Appends what a field holds; `scratch` is for the JSON of a list.
fn push_cell(datum: &Datum<'_>, scratch: &mut Vec<u8>, into: &mut Vec<u8>) {
    match datum {
        Datum::Absent => (),
        Datum::Signed(number) => digits::push_signed(*number, into),
        Datum::Unsigned(number) => digits::push(*number, into),
        Datum::Plain(_) | Datum::Digits(_) => json::push_datum(datum, into),
        Datum::Line(line) => push_quoted(line, *b"\"", into),
        Datum::Text(text) => push_quoted(text, *b"\"\\", into),
        Datum::Labels(_) | Datum::Tags(_) => {
            scratch.clear();
            json::push_datum(datum, scratch);
            push_json(scratch, into);
        }
    }
}

/// Appends JSON as a cell.
fn push_json(json: &[u8], into: &mut Vec<u8>) {
    push_quoted(&String::from_utf8_lossy(json), *b"\"", into);
}

/// Appends a text in quotes, with those characters escaped that must not stand raw or are `also`
/// special; a quote is doubled.
fn push_quoted<const N: usize>(mut text: &str, also: [u8; N], into: &mut Vec<u8>) {
    into.push(b'"');
    if text.starts_with(['=', '+', '-', '@', '\'']) {
        into.push(b'\'');
    }
    while let Some(split) = text::split_at_special(text, also) {
        into.extend_from_slice(split.clean.as_bytes());
        match split.special {
            '"' => into.extend_from_slice(b"\"\""),
            other => text::push_escape(other, into),
        }
        text = split.rest;
    }
    into.extend_from_slice(text.as_bytes());
    into.push(b'"');
}
