//! The line of a file with its own four times.

use super::{BodyfileRenderer, push_escaped, push_mode};
use crate::output::{Rendered, digits, text};
use crate::{Event, FileTimes, Instant, Value};

/// A path is shown whole: Linux allows 4,096 bytes, each of which may become a visible escape.
const MOST_BYTES: usize = 4_096 * 10;
/// What `mactime` takes for an unknown time.
const UNSET: i64 = -1;
/// The action of an event that says that the file is gone.
const DELETED: &str = "delete";
/// What stands after the name of a file that is gone, and before the target of a link; and how a name
/// is written that looks like it.
const GONE: &str = " (deleted)";
const NOT_GONE: &str = r"\x20(deleted)";
const ARROW: &str = " ->";
const NO_ARROW: &str = r"\x20->";

impl BodyfileRenderer {
    /// Appends the line of a file, in the first of its events.
    pub(super) fn render_file(
        &mut self,
        event: &Event<'_>,
        times: &FileTimes,
        into: &mut Vec<u8>,
    ) -> Rendered {
        if seconds(times).iter().all(|time| *time == UNSET) {
            return Rendered::NotCarried;
        }
        self.name_file(event);
        into.extend_from_slice(b"0|");
        push_escaped(&self.name, into);
        into.push(b'|');
        digits::push(event.inode.unwrap_or(0), into);
        into.push(b'|');
        push_mode(event.mode_as_string, into);
        for number in [event.uid, event.gid, event.size] {
            into.push(b'|');
            digits::push(number.unwrap_or(0), into);
        }
        for time in seconds(times) {
            into.push(b'|');
            digits::push_signed(time, into);
        }
        into.push(b'\n');
        Rendered::Row
    }

    /// `node-17/web1-25b0ae39f0c1/tmp/lnk -> /etc/passwd (deleted)`; in a volume of one container
    /// `node-17/web1-25b0ae39f0c1/volume:pgdata/table.db`.
    fn name_file(&mut self, event: &Event<'_>) {
        self.name.clear();
        self.show(&event.origin.host);
        self.name.push('/');
        let label = event.subject.label();
        let label = label.or(event.layer_identifier.filter(|_| event.volume_name.is_none()));
        if let Some(label) = label {
            self.show(label);
        }
        let id = event.subject.container_identifier.as_deref().and_then(|id| id.get(..12));
        if let (Some(id), Some(_)) = (id, &event.subject.container_name) {
            self.name.push('-');
            self.show(id);
        }
        if let Some(volume) = event.volume_name {
            self.name.push_str(if label.is_some() { "/volume:" } else { "volume:" });
            self.show(volume);
        }
        text::push_visible(event.filename.unwrap_or_default(), MOST_BYTES, &mut self.name);
        if self.name.contains(ARROW) {
            self.name = self.name.replace(ARROW, NO_ARROW);
        }
        if let Some(target) = link_target(event) {
            self.name.push_str(ARROW);
            self.name.push(' ');
            text::push_visible(target, MOST_BYTES, &mut self.name);
        }
        if self.name.ends_with(GONE) {
            self.name.truncate(self.name.len().saturating_sub(GONE.len()));
            self.name.push_str(NOT_GONE);
        }
        if event.action == DELETED {
            self.name.push_str(GONE);
        }
    }
}

/// Where a symbolic link points to.
fn link_target<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let attribute = event.attributes.iter().find(|attribute| attribute.name == "link_target")?;
    match &attribute.value {
        Value::Text(target) => Some(target),
        _ => None,
    }
}

/// In the order of the format: accessed, modified, changed, born.
fn seconds(times: &FileTimes) -> [i64; 4] {
    [times.accessed, times.modified, times.changed, times.born].map(|time| {
        let seconds = time.map(Instant::seconds);
        seconds.filter(|seconds| *seconds > 0).unwrap_or(UNSET)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Bodyfile;
    use super::*;
    use crate::output::{Output, samples};
    use crate::{Attribute, Kind, Meaning, Subject, Telling};

    static FILE: Kind =
        Kind { data_type: "docker:layer:file", source_short: "FILE", source_long: "File" };

    fn times() -> FileTimes {
        FileTimes {
            modified: Instant::new(2, 999_999_999),
            accessed: Instant::new(1, 0),
            changed: Instant::new(0, 5),
            born: None,
        }
    }

    fn file(telling: Telling<'_>) -> Event<'_> {
        let at = (samples::instant(1, 0), Meaning::LastAccess);
        Event {
            macb: Some(".A.."),
            telling,
            filename: Some("/tmp/a|b%41"),
            mode_as_string: Some("-rwsr-xr-x"),
            uid: Some(1_000),
            gid: Some(100),
            size: Some(5),
            inode: Some(77),
            ..Event::new(&samples::ORIGIN, &FILE, &samples::APACHE, at)
        }
    }

    fn line(event: &Event<'_>) -> (String, Rendered) {
        let mut bytes = Vec::new();
        let rendered = Bodyfile.renderer().render(event, &mut bytes);
        (String::from_utf8(bytes).unwrap(), rendered)
    }

    #[test]
    fn a_file_is_one_line_with_its_times_and_its_place_in_the_container() {
        let expected = "0|alpine-host/apache-25b025b025b0/tmp/a%7Cb%2541|77|r/rrwsr-xr-x|1000|100|5\
                        |1|2|-1|-1\n";
        assert_eq!(line(&file(Telling::First(&times()))), (expected.to_owned(), Rendered::Row));
        assert_eq!(line(&file(Telling::Again)), (String::new(), Rendered::Elsewhere));
    }

    #[test]
    fn what_is_gone_and_what_points_elsewhere_is_said_as_fls_does() {
        let times = times();
        let mut event = Event { action: "delete", ..file(Telling::First(&times)) };
        event.attributes =
            vec![Attribute { name: "link_target", value: Value::Text("/etc/passwd".into()) }];
        let (text, _) = line(&event);
        assert!(text.contains("b%2541 -> /etc/passwd (deleted)|77|"), "{text}");
        let of_volume = Event {
            subject: &Subject::UNKNOWN,
            volume_name: Some("data"),
            ..file(Telling::First(&times))
        };
        assert!(line(&of_volume).0.starts_with("0|alpine-host/volume:data/tmp/a"));
        let of_one = Event { volume_name: Some("data"), ..file(Telling::First(&times)) };
        let name = "0|alpine-host/apache-25b025b025b0/volume:data/tmp/a";
        assert!(line(&of_one).0.starts_with(name));
    }

    #[test]
    fn a_name_is_not_taken_for_a_mark() {
        let times = times();
        let mut event =
            Event { filename: Some("/a -> b (deleted)"), ..file(Telling::First(&times)) };
        let name = |event: &Event<'_>| {
            let (text, _) = line(event);
            text.split('|').nth(1).unwrap().replace("alpine-host/apache-25b025b025b0", "")
        };
        assert_eq!(name(&event), r"/a\x20-> b\x20(deleted)");
        event.action = "delete";
        assert_eq!(name(&event), r"/a\x20-> b\x20(deleted) (deleted)");
        event.action = "add";
        let target = Value::Text("c -> d (deleted)".into());
        event.attributes = vec![Attribute { name: "link_target", value: target }];
        assert_eq!(name(&event), r"/a\x20-> b (deleted) -> c -> d\x20(deleted)");
    }

    #[test]
    fn a_path_of_any_length_is_whole() {
        let path = format!("/{}", "\\xff".repeat(4_095));
        let (text, _) = line(&Event { filename: Some(&path), ..file(Telling::First(&times())) });
        assert_eq!(
            text.split('|').nth(1).unwrap().len(),
            "alpine-host/apache-25b025b025b0".len() + path.len()
        );
    }

    #[test]
    fn a_file_without_a_time_that_the_format_carries_is_counted() {
        let none = FileTimes { changed: Instant::new(-5, 0), ..FileTimes::default() };
        assert_eq!(line(&file(Telling::First(&none))), (String::new(), Rendered::NotCarried));
    }
}
