//! A message of Protocol Buffers, whose bytes may be messages, and the times of Go.
#![no_main]

use dockline_parsers::formats::{go_time, protobuf};

/// Messages in messages are read so deep.
const DEPTH: usize = 8;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut waiting = vec![(input, 0)];
    while let Some((message, depth)) = waiting.pop() {
        let _time = protobuf::timestamp(message);
        let _time = go_time::parse(message);
        let _number = protobuf::zigzag(message);
        let fields = protobuf::fields(message).filter_map(Result::ok);
        let inner = fields.filter_map(|field| field.value.bytes());
        waiting.extend(inner.filter(|_| depth < DEPTH).map(|bytes| (bytes, depth + 1)));
    }
});
