//! Attributes of an event, gathered one by one; what is absent, empty or `false` is left out.

use dockline_timeline::{Attribute, Value};
use std::borrow::Cow;

/// Attributes of an event, in the order in which they were given.
#[derive(Debug, Default)]
pub struct Attributes<'a>(Vec<Attribute<'a>>);

impl<'a> Attributes<'a> {
    fn push(&mut self, name: &'static str, value: Value<'a>) {
        self.0.push(Attribute { name, value });
    }

    /// A text.
    pub fn text(&mut self, name: &'static str, text: Option<&'a str>) {
        if let Some(text) = text {
            self.push(name, Value::Text(Cow::Borrowed(text)));
        }
    }

    /// A text made for this event.
    pub fn owned_text(&mut self, name: &'static str, text: Option<String>) {
        if let Some(text) = text {
            self.push(name, Value::Text(Cow::Owned(text)));
        }
    }

    /// An integer.
    pub fn integer(&mut self, name: &'static str, integer: Option<i64>) {
        if let Some(integer) = integer {
            self.push(name, Value::Integer(integer));
        }
    }

    /// Something that is true.
    pub fn flag(&mut self, name: &'static str, flag: bool) {
        if flag {
            self.push(name, Value::Boolean(true));
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &'static str, texts: &'a [String]) {
        if !texts.is_empty() {
            let list = texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect();
            self.push(name, Value::List(list));
        }
    }

    /// A list of texts made for this event.
    pub fn list(&mut self, name: &'static str, texts: Vec<String>) {
        if !texts.is_empty() {
            self.push(name, Value::List(texts.into_iter().map(Cow::Owned).collect()));
        }
    }

    /// The attributes.
    #[must_use]
    pub fn into_vec(self) -> Vec<Attribute<'a>> {
        self.0
    }
}
