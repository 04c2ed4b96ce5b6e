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

use super::runs::Runs;
use super::schema::{Computed, Datum, FIELDS};
use super::{Output, Rendered, Renderer, digits, json, text};
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
        Box::new(CsvRenderer::new())
    }
}

/// Renders events as rows. Written by hand because the `csv` crate decides by what a cell looks
/// like whether it needs quotes, and we decide by its type.
struct CsvRenderer {
    runs: Runs,
    computed: Computed,
    json: Vec<u8>,
}

impl CsvRenderer {
    fn new() -> CsvRenderer {
        let runs = Runs::new(|index, _| if index == 0 { "" } else { "," }.to_owned());
        CsvRenderer { runs, computed: Computed::default(), json: Vec::new() }
    }
}

impl Renderer for CsvRenderer {
    fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> Rendered {
        self.computed.set(event, false);
        self.runs.push((event, &self.computed), into, |comma, datum, into| {
            into.extend_from_slice(comma);
            push_cell(datum, &mut self.json, into);
        });
        into.push(b',');
        if !event.attributes.is_empty() {
            self.json.clear();
            json::push_attributes(&event.attributes, &mut self.json);
            push_json(&self.json, into);
        }
        into.push(b'\n');
        Rendered::Row
    }
}

/// Appends what a field holds; `scratch` is for the JSON of a list.
fn push_cell(datum: &Datum<'_>, scratch: &mut Vec<u8>, into: &mut Vec<u8>) {
    match datum {
        Datum::Absent => (),
        Datum::Signed(number) => digits::push_signed(*number, into),
        Datum::Unsigned(number) => digits::push(*number, into),
        Datum::Plain(_) | Datum::Quoted(_) | Datum::Digits(_) | Datum::Json(..) => {
            json::push_datum(datum, into);
        }
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

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::Subject;

    fn row(event: &Event<'_>) -> String {
        let mut bytes = Vec::new();
        assert_eq!(Csv.renderer().render(event, &mut bytes), Rendered::Row);
        String::from_utf8(bytes).unwrap()
    }

    fn cell(text: &str) -> String {
        let mut bytes = Vec::new();
        push_cell(&Datum::Text(text), &mut Vec::new(), &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_header_begins_with_what_timesketch_needs_and_ends_with_the_attributes() {
        let header = String::from_utf8(Csv.header()).unwrap();
        assert!(header.starts_with("datetime,timestamp_desc,message,timestamp,datetime_ns,"));
        assert!(header.ends_with(",labels,tag,event_identifier,attributes\n"));
        assert_eq!(header.matches(',').count(), FIELDS.len());
    }

    #[test]
    fn an_event_with_everything_is_one_row() {
        let id = "25b0".repeat(16);
        let image = "ab12".repeat(16);
        let expected = [
            r#""2019-06-28T11:11:08.347278+00:00","Creation Time","#,
            r#""[apache] container created\nfrom httpd",1561720268347278,"#,
            r#""2019-06-28T11:11:08.347278022Z","docker:container:configuration","DOCKER","#,
            r#""Docker container configuration","alpine-host","docker.container_config","#,
            r#""web1.E01:/var/lib/docker/containers/25b0/config.v2.json","#,
            r#""key:State.StartedAt","inferred","#,
            &format!(r#""{id}","apache","httpd:2.4.38-alpine","sha256:{image}","#),
            r#""create","stdout","container created\nfrom httpd",-1,4211,0,"#,
            r#"18446744073709551615,123456789012,"131077","/etc/passwd","'-rw-r--r--","M.C.","#,
            r#""sha256:11","data","bridge","sh -c 'echo ""=1+1""'","root","00e1","#,
            r#""[""com.docker.compose.project=shop"",""a=\""b\""""]","#,
            r#""[""escape-risk:privileged""]","e_22ab725f840ba035a5c8e1f39e371589","#,
            r#""{""driver"":""over\tlay2"",""restart_count"":-9223372036854775808,"#,
            r#"""running"":true,""oom_killed"":false,""environment"":[""x=1"",""y=\u2028""],"#,
            r#"""ports"":[]}""#,
            "\n",
        ];
        assert_eq!(row(&samples::full()), expected.concat());
    }

    #[test]
    fn what_is_absent_is_an_empty_cell() {
        let expected = [
            r#""2019-06-28T11:11:08.347278+00:00","Recorded Time","","#,
            r#"1561720268347278,"2019-06-28T11:11:08.347278022Z","#,
            r#""docker:container:configuration","DOCKER","Docker container configuration","#,
            r#""alpine-host","docker.container_config","#,
            r#""web1.E01:/var/lib/docker/containers/25b0/config.v2.json","file","recorded","#,
            r#",,,,,,,,,,,,,,,,,,,,,,,,"e_1a0900836b47e95c0ac8adf02aea7918","#,
            "\n",
        ];
        assert_eq!(row(&samples::bare("")), expected.concat());
    }

    #[test]
    fn a_cell_that_would_be_a_formula_gets_one_apostrophe() {
        for (text, expected) in [
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@A1", "\"'@A1\""),
            ("'=1", "\"''=1\""),
            ("\t=1", "\"\\t=1\""),
            ("\r=1", "\"\\r=1\""),
            ("a=1", "\"a=1\""),
            ("\",=1", "\"\"\",=1\""),
        ] {
            assert_eq!(cell(text), expected);
        }
        let subject = Subject { container_name: Some("=".to_owned()), ..Subject::UNKNOWN };
        let event = Event { subject: &subject, ..samples::bare("-x") };
        assert!(row(&event).contains(r#","[=] -x","#));
        assert!(row(&samples::bare("-x")).contains(r#","'-x","#));
    }

    #[test]
    fn a_backslash_is_doubled_except_in_the_message() {
        let event = Event { filename: Some(r"C:\new"), ..samples::bare(r"C:\new") };
        let row = row(&event);
        assert!(row.contains(r#"Recorded Time","C:\new","#), "{row}");
        assert!(row.contains(r#","C:\\new","#), "{row}");
    }

    #[test]
    fn quotes_are_those_of_the_csv_crate() {
        for text in ["", "a", "a,b", "\"", "\"\"", "a\"b\",\"c", "é\"€"] {
            let mut writer = csv::WriterBuilder::new()
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(Vec::new());
            writer.write_record([text]).unwrap();
            let expected = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            assert_eq!(cell(text) + "\n", expected);
        }
    }
}
