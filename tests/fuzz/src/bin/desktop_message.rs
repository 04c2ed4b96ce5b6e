//! A message of Docker Desktop: its component up to the first tab, the message, and after further
//! tabs its fields as `key=value`.
#![no_main]

use dockline_parsers::formats::desktop_message::{meaning_with, of_command_line};
use std::borrow::Cow;

libfuzzer_sys::fuzz_target!(|input: &str| {
    let mut parts = input.split('\t');
    let component = parts.next().unwrap_or_default();
    let message = parts.next().unwrap_or_default();
    let fields: Vec<_> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| (Cow::from(key), Cow::from(value)))
        .collect();
    let _meaning = meaning_with(component, message, &fields);
    let _asked = of_command_line(message);
});
