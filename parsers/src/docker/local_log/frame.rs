//! The frame of an entry: its length, its message and its length again.

use super::entry::{Entry, SOURCE};
use memchr::memmem;

/// A message may be this long, in bytes; engines write 16 KiB of text in one, and attributes.
pub(super) const MESSAGE_LIMIT: usize = 1024 * 1024;

/// What is at the front of a log.
#[derive(Debug, PartialEq)]
pub(super) enum Frame<'a> {
    /// Cannot be told without more bytes.
    More,
    /// A message, and how many bytes it takes with its lengths.
    Entry(&'a [u8], usize),
    /// Bytes that no entry is made of; more may follow.
    Damage(&'a [u8]),
}

/// What is at the front of `view`, which reaches to the file's end or not. Behind damage only that is
/// an entry whose message can be read.
pub(super) fn frame(view: &[u8], is_at_end: bool, is_behind_damage: bool) -> Frame<'_> {
    match whole(view) {
        Some(Some(message)) if !is_behind_damage || Entry::parse(message).is_ok() => {
            return Frame::Entry(message, message.len().saturating_add(8));
        }
        None if !is_at_end => return Frame::More,
        _ => {}
    }
    Frame::Damage(damage(view, is_at_end))
}

/// The message whose lengths stand before and behind it; `Some(None)` when they do not, `None` when
/// the second lies behind the end of `view`.
fn whole(view: &[u8]) -> Option<Option<&[u8]>> {
    let (length, rest) = view.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length == 0 || length > MESSAGE_LIMIT {
        return Some(None);
    }
    let (message, behind) = rest.split_at_checked(length)?;
    let again = behind.first_chunk::<4>()?;
    Some((view.first_chunk() == Some(again)).then_some(message))
}

/// The bytes up to where an entry may begin: four bytes before the first field of a message.
fn damage(view: &[u8], is_at_end: bool) -> &[u8] {
    let from = SOURCE_OFFSET.saturating_add(1).min(view.len());
    let found = memmem::find(view.get(from..).unwrap_or_default(), SOURCE);
    let length = match found {
        Some(at) => at.saturating_add(from).saturating_sub(SOURCE_OFFSET),
        None if is_at_end => view.len(),
        // The beginning of an entry may be cut in two by the end of what is looked at.
        None => view.len().saturating_sub(SOURCE_OFFSET.saturating_add(SOURCE.len())).max(1),
    };
    view.get(..length).unwrap_or_default()
}

/// Where the first field of a message stands in its entry.
const SOURCE_OFFSET: usize = 4;
