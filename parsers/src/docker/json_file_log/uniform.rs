//! Blocks in which nothing stands but lines of the engine's own form, and their second reading,
//! which starts at the end of each line.
//!
//! To read a line backwards is wrong wherever nothing is known of it: a program may have written a
//! record into its own log, and what looks like the end of one record may be the end of two. Here
//! the index has read every line forward, quote by quote, and found one record and one line break,
//! nothing else. In such a line the time and the stream are where its end says, and all before
//! them, up to the front, is the text: it need not be searched for its end again.
//!
//! So that the end of a line says enough, the records of a block must all have the same `attrs`, or
//! all none. Should the evidence have changed since, so that there are more or fewer lines or one
//! has not that front and end, the ordinary reading goes on from there; a text that changed within
//! is shown as it stands.

use super::chain::{Chain, Part, Spot};
use super::join::{Message, Messages};
use super::record::{Attrs, Escapes, Log, Stream, canonical, kind_of_escapes};
use super::window::wide;
use dockline_timeline::RecentMinute;
use memchr::{memchr, memchr_iter, memrchr};
use simdutf8::basic::from_utf8;
use std::cell::RefCell;
use std::ops::Range;

/// What is known of a uniform block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uniform {
    /// How many lines it has.
    pub(super) lines: usize,
    /// What escapes there are in their texts.
    pub(super) escapes: Escapes,
}

/// Finds out at the first reading of a block whether it is uniform: its lines must add up to it.
#[derive(Default)]
pub(super) struct Survey {
    /// How many lines can be read backwards.
    lines: usize,
    /// Bytes of these lines.
    size: u64,
    /// The `attrs` of these lines, as JSON; nothing if they have none.
    attrs: String,
    escapes: Escapes,
}

impl Survey {
    /// Takes the next message of the block.
    pub(super) fn message(&mut self, message: &Message<'_>) {
        let Some(line) = message.line else { return };
        let attrs = json(message.attrs);
        if self.lines == 0 {
            attrs.clone_into(&mut self.attrs);
        }
        // Few logs have any, and to compare nothing with nothing is slow: an empty `String` points
        // nowhere, and a vector load from there, even of no bytes, is a fault that the processor
        // has to clear.
        let none = attrs.is_empty() && self.attrs.is_empty();
        if none || attrs == self.attrs {
            self.lines = self.lines.saturating_add(1);
            self.size = self.size.saturating_add(wide(line));
            self.escapes = self.escapes.max(message.log.escapes);
        }
    }

    /// Ends a block of `size` bytes: what is known of it, if it is uniform.
    pub(super) fn end(&mut self, size: u64) -> Option<Uniform> {
        let uniform = Uniform { lines: self.lines, escapes: self.escapes };
        let is_uniform = self.size == size;
        (self.lines, self.size, self.escapes) = (0, 0, Escapes::None);
        is_uniform.then_some(uniform)
    }
}

fn json(attrs: Attrs<'_>) -> &str {
    match attrs {
        Attrs::Json(json) => json,
        Attrs::Pairs(_) => "",
    }
}

thread_local! {
    /// Where a thread reads its blocks to: fresh memory would have to be cleared for each.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reads a uniform block; returns the place up to which its lines are as they were found.
pub(super) fn read(
    chain: &Chain,
    block: &Range<u64>,
    known: Uniform,
    out: &mut impl Messages,
) -> u64 {
    let is_whole_in = |part: &Part| part.start <= block.start && block.end <= part.end();
    let mut parts = chain.parts.iter().enumerate();
    let Some((file, part)) = parts.find(|(_, part)| is_whole_in(part)) else { return block.start };
    let offset = block.start.saturating_sub(part.start);
    let start = Spot { file, offset, place: block.start };
    // Taken out meanwhile, so that it does not matter who else reads a block.
    let mut buffer = BUFFER.take();
    let length = bytes(part, block, &mut buffer).map_or(0, |bytes| lines(bytes, start, known, out));
    BUFFER.set(buffer);
    block.start.saturating_add(length)
}

/// Reads the lines of a block that begins at `start`; returns the length of those that are as they
/// were found.
fn lines(bytes: &[u8], start: Spot, known: Uniform, out: &mut impl Messages) -> u64 {
    if memchr_iter(b'\n', bytes).count() != known.lines {
        return 0;
    }
    let Some((mut rest, form)) = from_utf8(bytes).ok().zip(Form::of(bytes)) else { return 0 };
    let mut length = 0_u64;
    let mut minute = RecentMinute::default();
    while let Some((line, after)) = first_line(rest) {
        let offset = start.offset.saturating_add(length);
        let spot = Spot { offset, place: start.place.saturating_add(length), ..start };
        let Some(mut message) = form.message(line, spot, &mut minute) else { break };
        // One text may have less than the worst of the block.
        message.log.escapes = match known.escapes {
            all @ (Escapes::None | Escapes::Simple) => all,
            Escapes::Controls | Escapes::Any => kind_of_escapes(message.log.text),
        };
        out.message(&message);
        length = length.saturating_add(wide(line.len())).saturating_add(1);
        rest = after;
    }
    length
}

/// The bytes of a block, read into the buffer.
fn bytes<'b>(part: &Part, block: &Range<u64>, buffer: &'b mut Vec<u8>) -> Option<&'b [u8]> {
    let size = usize::try_from(block.end.checked_sub(block.start)?).ok()?;
    if buffer.len() < size {
        buffer.resize(size, 0);
    }
    let bytes = buffer.get_mut(..size)?;
    let count = part.bytes.read_at(block.start.checked_sub(part.start)?, bytes).ok()?;
    (count == size).then_some(bytes)
}

fn first_line(text: &str) -> Option<(&str, &str)> {
    let (line, rest) = text.split_at_checked(memchr(b'\n', text.as_bytes())?)?;
    Some((line, rest.strip_prefix('\n')?))
}

/// What the lines of a block have in common.
struct Form<'b> {
    attrs: Attrs<'b>,
    /// What stands between the stream and the time.
    before_time: String,
}

impl<'b> Form<'b> {
    /// The form of the first line.
    fn of(bytes: &'b [u8]) -> Option<Form<'b>> {
        let attrs = canonical(bytes, &mut RecentMinute::default())?.attrs;
        let before_time = match attrs {
            Attrs::Json(json) => format!(",\"attrs\":{json},\"time\":"),
            Attrs::Pairs(_) => ",\"time\":".to_owned(),
        };
        Some(Form { attrs, before_time })
    }

    /// The message that is this line, if it has the form.
    fn message<'a>(
        &'a self,
        line: &'a str,
        spot: Spot,
        minute: &mut RecentMinute,
    ) -> Option<Message<'a>> {
        let rest = line.strip_suffix("\"}")?;
        let (rest, time) = rest.split_at_checked(memrchr(b'"', rest.as_bytes())?)?;
        let time = minute.parse_rfc3339(time.strip_prefix('"')?.as_bytes()).ok()??;
        let rest = rest.strip_suffix(self.before_time.as_str())?;
        let (rest, stream) = match rest.strip_suffix("out\"") {
            Some(rest) => (rest, Stream::Stdout),
            None => (rest.strip_suffix("err\"")?, Stream::Stderr),
        };
        let rest = rest.strip_suffix("\",\"stream\":\"std")?;
        let text = rest.strip_prefix("{\"log\":\"")?;
        let log = Log { text, escapes: Escapes::Any };
        log.ends_line().then_some(Message {
            spot,
            time,
            stream,
            log,
            attrs: self.attrs,
            pieces: 1,
            is_incomplete: false,
            is_cut: false,
            line: line.len().checked_add(1),
        })
    }
}
