//! What a failed build leaves of its source: the whole Dockerfile, beside the error.
//!
//! A `google.rpc.Status`, whose details are `Any`: one of them is JSON with the file, base64.

use crate::formats::base64;
use crate::formats::json::{self, Fields, Wrong};
use crate::formats::protobuf::{Value, fields};

/// The end of the type of the detail that holds the file.
const SOURCE: &str = "errdefs.Source+json";

/// The content of the file that the failed build was described by.
pub(super) fn source_of(status: &[u8]) -> Option<String> {
    let details = fields(status).flatten().filter(|field| field.number == 3);
    let details = details.filter_map(|field| field.value.bytes());
    let document = details.filter_map(detail).find(|(kind, _)| kind.ends_with(SOURCE))?.1;
    let document = json::read(document).ok()?;
    let wrong = Wrong::default();
    let data = Fields::new(&document.value, &wrong).object("info").text("data")?;
    base64::decode(&data).map(|bytes| super::text(&bytes))
}

/// Type and value of an `Any`.
fn detail(message: &[u8]) -> Option<(&str, &[u8])> {
    let (mut kind, mut value) = (None, None);
    for field in fields(message).flatten() {
        match (field.number, field.value) {
            (1, Value::Bytes(_)) => kind = field.value.text(),
            (2, Value::Bytes(bytes)) => value = Some(bytes),
            _ => {}
        }
    }
    kind.zip(value)
}
