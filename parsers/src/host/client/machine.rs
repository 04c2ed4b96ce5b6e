//! Machines of Podman: the virtual machine, or the distribution of WSL, in which Podman runs on
//! Windows and macOS. Its description says when it was made and when it was last started.

use super::{CLIENT, HomeFile};
use crate::formats::json::{Fields, Wrong};
use dockline_timeline::{Confidence, Findings, Meaning, Position, Subject, Value};

impl HomeFile<'_> {
    pub(super) fn machine(&self, findings: &mut dyn Findings) {
        let Some(document) = self.document(findings) else { return };
        let wrong = Wrong::default();
        let fields = Fields::new(&document, &wrong);
        let name = fields.text("Name").or_else(|| self.file.capture("machine").map(str::to_owned));
        let name = name.unwrap_or_default();
        let provider = self.file.capture("provider").unwrap_or_default();
        for (key, meaning, action, what) in [
            ("Created", Meaning::Creation, "create", "made"),
            ("LastUp", Meaning::Start, "start", "last started"),
        ] {
            let Some(at) = fields.instant(key) else { continue };
            let text = format!("machine {name} of Podman ({provider}) {what}");
            let mut event = self.event(&CLIENT, &Subject::UNKNOWN, (at, meaning));
            event.confidence = Confidence::Recorded;
            event.position = Position::Key(key);
            event.action = action;
            event.text = (&text).into();
            event.attribute("machine", Some(Value::Text(name.as_str().into())));
            findings.event(&event);
        }
        for flaw in wrong.into_flaws() {
            flaw.report(self.file, findings);
        }
    }
}
