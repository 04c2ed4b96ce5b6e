//! JSONL: one JSON object a line. Carries everything.
//!
//! Compact, keys always in the order of the [schema](super::schema) and then the attributes in the
//! order of their parser; absent is left out, never `null`. UTF-8 without a byte order mark, lines
//! end with LF, and there is no blank line: each of these makes some importer stop or lose events.
//! No raw control character and no U+0085, U+2028, U+2029 stands in a line, because Timesketch's
//! importer ends lines at them.
//!
//! `message` shows control characters as escapes and is cut; where it does not show the text whole,
//! the text as it was is in `message_body`.

use super::runs::Runs;
use super::schema::{Computed, Datum};
use super::{Output, Rendered, Renderer, json};
use crate::Event;

/// The output `jsonl`.
pub struct Jsonl;

impl Output for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn header(&self) -> Vec<u8> {
        Vec::new()
    }

    fn renderer(&self) -> Box<dyn Renderer> {
        Box::new(JsonlRenderer::new())
    }
}

/// Renders events as lines of JSON.
struct JsonlRenderer {
    runs: Runs,
    computed: Computed,
}

impl JsonlRenderer {
    fn new() -> JsonlRenderer {
        let runs = Runs::new(|index, field| {
            let before = if index == 0 { '{' } else { ',' };
            format!("{before}\"{}\":", field.name)
        });
        JsonlRenderer { runs, computed: Computed::default() }
    }
}

impl Renderer for JsonlRenderer {
    fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> Rendered {
        self.computed.set(event, true);
        self.runs.push((event, &self.computed), into, |key, datum, into| {
            if *datum != Datum::Absent {
                into.extend_from_slice(key);
                json::push_datum(datum, into);
            }
        });
        for attribute in &event.attributes {
            into.push(b',');
            json::push_attribute(attribute, into);
        }
        into.extend_from_slice(b"}\n");
        Rendered::Row
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn line(event: &Event<'_>) -> String {
        let mut bytes = Vec::new();
        assert_eq!(Jsonl.renderer().render(event, &mut bytes), Rendered::Row);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_event_with_everything_is_one_line_with_every_field_in_order() {
        let id = "25b0".repeat(16);
        let image = "ab12".repeat(16);
        let expected = [
            r#"{"datetime":"2019-06-28T11:11:08.347278+00:00","timestamp_desc":"Creation Time","#,
            r#""message":"[apache] container created\\nfrom httpd","timestamp":1561720268347278,"#,
            r#""datetime_ns":"2019-06-28T11:11:08.347278022Z","#,
            r#""data_type":"docker:container:configuration","source_short":"DOCKER","#,
            r#""source_long":"Docker container configuration","hostname":"alpine-host","#,
            r#""parser":"docker.container_config","#,
            r#""display_name":"web1.E01:/var/lib/docker/containers/25b0/config.v2.json","#,
            r#""source_locator":"key:State.StartedAt","time_confidence":"inferred","#,
            &format!(r#""container_identifier":"{id}","container_name":"apache","#),
            &format!(r#""image_name":"httpd:2.4.38-alpine","image_identifier":"sha256:{image}","#),
            r#""action":"create","log_source":"stdout","#,
            r#""message_body":"container created\nfrom httpd","exit_code":-1,"pid":4211,"uid":0,"#,
            r#""gid":18446744073709551615,"size":123456789012,"inode":"131077","#,
            r#""filename":"/etc/passwd","mode_as_string":"-rw-r--r--","macb":"M.C.","#,
            r#""layer_identifier":"sha256:11","volume_name":"data","network_name":"bridge","#,
            r#""command_line":"sh -c 'echo \"=1+1\"'","user":"root","sha256_hash":"00e1","#,
            r#""labels":["com.docker.compose.project=shop","a=\"b\""],"#,
            r#""tag":["escape-risk:privileged"],"#,
            r#""event_identifier":"e_22ab725f840ba035a5c8e1f39e371589","#,
            r#""driver":"over\tlay2","restart_count":-9223372036854775808,"running":true,"#,
            r#""oom_killed":false,"environment":["x=1","y=\u2028"],"ports":[]}"#,
            "\n",
        ];
        assert_eq!(line(&samples::full()), expected.concat());
    }

    #[test]
    fn a_text_that_is_json_is_copied_and_says_the_same() {
        use crate::{Subject, Text};
        let json = r#"GET \"/a\\b?c=\u003cd\u003e\""#;
        let plain = r#"GET "/a\b?c=<d>""#;
        let subject = Subject { container_name: Some("w\"b".to_owned()), ..Subject::UNKNOWN };
        let long = [json, &"x".repeat(5_000)].concat();
        let long_plain = [plain, &"x".repeat(5_000)].concat();
        for (json, plain) in [(json, plain), (&*long, &*long_plain), ("", "")] {
            let of = |text| line(&Event { text, subject: &subject, ..samples::bare("") });
            let parsed = |line: String| serde_json::from_str::<serde_json::Value>(&line).unwrap();
            assert_eq!(parsed(of(Text::Json(json))), parsed(of(Text::Plain(plain))));
        }
    }

    #[test]
    fn json_with_controls_gives_the_bytes_that_the_text_itself_gives() {
        use crate::{Subject, Text};
        let json = r#"\u001b[32m\"a\\b\"\u003c\t\u0009\r\n\u000a\b\f\u0000\u001F\u0026\u003e é"#;
        let plain = "\u{1b}[32m\"a\\b\"<\t\t\r\n\n\u{8}\u{c}\0\u{1f}&> é";
        let subject = Subject { container_name: Some("w\"b".to_owned()), ..Subject::UNKNOWN };
        for length in [0, 4_000, 4_060, 5_000] {
            let (json, plain) =
                ([json, &"x".repeat(length)].concat(), [plain, &"x".repeat(length)].concat());
            let of = |text| line(&Event { text, subject: &subject, ..samples::bare("") });
            assert_eq!(of(Text::JsonWithControls(&json)), of(Text::Plain(&plain)));
        }
    }

    #[test]
    fn what_is_absent_is_left_out() {
        let expected = [
            r#"{"datetime":"2019-06-28T11:11:08.347278+00:00","timestamp_desc":"Recorded Time","#,
            r#""message":"something","timestamp":1561720268347278,"#,
            r#""datetime_ns":"2019-06-28T11:11:08.347278022Z","#,
            r#""data_type":"docker:container:configuration","source_short":"DOCKER","#,
            r#""source_long":"Docker container configuration","hostname":"alpine-host","#,
            r#""parser":"docker.container_config","#,
            r#""display_name":"web1.E01:/var/lib/docker/containers/25b0/config.v2.json","#,
            r#""source_locator":"file","time_confidence":"recorded","#,
            r#""event_identifier":"e_1a0900836b47e95c0ac8adf02aea7918"}"#,
            "\n",
        ];
        assert_eq!(line(&samples::bare("something")), expected.concat());
    }
}
