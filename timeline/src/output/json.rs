//! JSON, appended to bytes: compact, one pass over each text, no allocation.

use super::digits;
use super::schema::Datum;
use super::text;
use crate::{Attribute, Value};

/// Appends a text as a JSON string that holds no raw control character or line separator.
pub(super) fn push_string(text: &str, into: &mut Vec<u8>) {
    into.push(b'"');
    push_content(text, into);
    into.push(b'"');
}

/// The same without the quotes around it.
pub(super) fn push_content(mut text: &str, into: &mut Vec<u8>) {
    while let Some(split) = text::split_at_special(text, *b"\"\\") {
        into.extend_from_slice(split.clean.as_bytes());
        text::push_escape(split.special, into);
        text = split.rest;
    }
    into.extend_from_slice(text.as_bytes());
}

/// Appends a list of texts.
pub(super) fn push_list<'t>(texts: impl Iterator<Item = &'t str>, into: &mut Vec<u8>) {
    into.push(b'[');
    for (index, text) in texts.enumerate() {
        if index > 0 {
            into.push(b',');
        }
        push_string(text, into);
    }
    into.push(b']');
}

/// Appends what a field holds.
pub(super) fn push_datum(datum: &Datum<'_>, into: &mut Vec<u8>) {
    match datum {
        Datum::Absent => into.extend_from_slice(b"null"),
        Datum::Plain(bytes) => {
            debug_assert!(bytes.iter().all(|byte| !matches!(byte, b'"' | b'\\' | ..0x20 | 0x7f..)));
            into.push(b'"');
            into.extend_from_slice(bytes);
            into.push(b'"');
        }
        Datum::Quoted(bytes) => into.extend_from_slice(bytes),
        Datum::Line(text) | Datum::Text(text) => push_string(text, into),
        Datum::Json(first, second) => {
            into.push(b'"');
            into.extend_from_slice(first);
            into.extend_from_slice(second);
            into.push(b'"');
        }
        Datum::Signed(number) => digits::push_signed(*number, into),
        Datum::Unsigned(number) => digits::push(*number, into),
        Datum::Digits(number) => {
            into.push(b'"');
            digits::push(*number, into);
            into.push(b'"');
        }
        Datum::Labels(labels) => push_list(labels.iter().map(String::as_str), into),
        Datum::Tags(tags) => push_list(tags.iter().map(AsRef::as_ref), into),
    }
}

/// Appends the attributes of an event as one object.
pub(super) fn push_attributes(attributes: &[Attribute<'_>], into: &mut Vec<u8>) {
    into.push(b'{');
    for (index, attribute) in attributes.iter().enumerate() {
        if index > 0 {
            into.push(b',');
        }
        push_attribute(attribute, into);
    }
    into.push(b'}');
}

/// Appends `"name":value`.
pub(super) fn push_attribute(attribute: &Attribute<'_>, into: &mut Vec<u8>) {
    push_string(attribute.name, into);
    into.push(b':');
    match &attribute.value {
        Value::Text(text) => push_string(text, into),
        Value::Integer(number) => digits::push_signed(*number, into),
        Value::Boolean(true) => into.extend_from_slice(b"true"),
        Value::Boolean(false) => into.extend_from_slice(b"false"),
        Value::List(texts) => push_list(texts.iter().map(AsRef::as_ref), into),
    }
}
