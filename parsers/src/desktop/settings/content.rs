//! What each of the files is, and the event of its own time.

use super::time::{self, Stated};
use crate::ArtifactFile;
use crate::formats::attributes::Attributes;
use crate::formats::desktop_message::SETTINGS;
use crate::formats::engine_settings::EngineSettings;
use crate::formats::json;
use crate::formats::secrets::names_of_addresses_with_passwords;
use crate::inventory::Risk;
use crate::inventory::risk::{judge_desktop, told};
use crate::written_file::WrittenFile;
use dockline_evidence::TreePath;
use dockline_timeline::{
    Attribute, Confidence, Event, Findings, IssueKind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

/// Characters of an error that are shown.
const ERROR_LENGTH: usize = 4_096;
/// A GUID as it is written, and room for white space.
const IDENTIFIER_LENGTH: usize = 64;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// JSON with settings; what it is called, and whether its risks are judged.
    Settings(&'static str, bool),
    /// The id of the profile.
    TrackIdentifier,
    /// An error of a part of Docker Desktop.
    Error,
    /// Something that is not read.
    Trace(&'static str),
}

impl Content {
    /// By the name of the file.
    pub(super) fn of(file: &ArtifactFile) -> Content {
        let name = file.path.file_name().unwrap_or_default().to_ascii_lowercase();
        match name.as_slice() {
            b"settings.json" => Content::Settings("settings", true),
            b"settings-store.json" => Content::Settings("settings that are not the default", true),
            b"features-overrides.json" => {
                Content::Settings("feature flags that the user forced", false)
            }
            b"admin-settings.json" => Content::Settings("settings that an administrator set", true),
            b"registry.json" => Content::Settings("organizations that may sign in", false),
            b"access.json" => Content::Settings("rules of access", false),
            b"locked-directories" => Content::Settings("locked directories", false),
            b"registry-access-managment-state.json" => {
                Content::Settings("state of the access to registries", false)
            }
            b"http_proxy.json" => Content::Settings("proxy of the host", false),
            b"gateway_forwards.json" => Content::Settings("forwarded ports", false),
            b".trackid" => Content::TrackIdentifier,
            b"session.db" => {
                Content::Trace("sessions of the AI agent, with prompts and calls of tools,")
            }
            b"reports.log" => Content::Trace("log of reports"),
            name if name.ends_with(b".error.json") => Content::Error,
            name if name.starts_with(b"unleash-") => {
                Content::Trace("feature flags fetched: the host was online; flags")
            }
            _ => Content::Trace("counters of use"),
        }
    }
}

/// One of the files, and in whose profile it lies.
pub(super) struct Reader<'a> {
    pub(super) written: &'a WrittenFile<'a>,
    pub(super) user: Option<String>,
}

impl Reader<'_> {
    pub(super) fn read(&self, content: Content, findings: &mut dyn Findings) {
        match content {
            Content::Settings(what, is_judged) => self.settings(what, is_judged, findings),
            Content::TrackIdentifier => self.track_identifier(findings),
            Content::Error => self.error(findings),
            Content::Trace(what) => self.trace(what, findings),
        }
    }

    fn settings(&self, what: &str, is_judged: bool, findings: &mut dyn Findings) {
        let Some(bytes) = self.written.read(findings) else { return };
        // Windows programs write a byte order mark.
        let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let file = self.written.file;
        let document = match json::read(body) {
            Ok(document) => document,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                return self.lost(what, body, findings);
            }
        };
        findings.records(&file.origin, 1, document.length);
        document.flaws.iter().for_each(|flaw| flaw.report(file, findings));
        let settings = EngineSettings::from_document(&document.value);
        if settings.cut {
            let what = format!("more than {} settings, the rest is not read", settings.pairs.len());
            findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
        }
        let risks = if is_judged { judge_desktop(&settings) } else { Vec::new() };
        self.written_event(what, (&settings, &risks, is_judged), findings);
        if is_judged {
            time::stated(&document.value).iter().for_each(|stated| self.stated(stated, findings));
        }
    }

    fn written_event(
        &self,
        what: &str,
        (settings, risks, is_judged): (&EngineSettings, &[Risk], bool),
        findings: &mut dyn Findings,
    ) {
        let written = format!("{what} of Docker Desktop {}", self.how());
        let text = if is_judged { told(&written, risks) } else { written };
        let Some(mut event) = self.event(&text) else { return };
        let secrets = names_of_addresses_with_passwords(&settings.pairs);
        event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("risks", risks.iter().map(Risk::to_string).collect());
        all.texts("possible_secrets", &secrets);
        all.texts("settings", &settings.pairs);
        event.attributes.extend(all.into_vec());
        findings.event(&event);
    }

    /// What the time of the file means: members of a bundle of diagnostics have that of its making.
    fn how(&self) -> &'static str {
        let summary = TreePath::root().join(b"diagkit.json");
        let is_bundle =
            summary.is_some_and(|path| self.written.artifact.tree.metadata(&path).is_ok());
        if is_bundle { "as diagnostics collected them" } else { "last written" }
    }

    /// Of a file without readable content, when it was written, or lost.
    fn lost(&self, what: &str, body: &[u8], findings: &mut dyn Findings) {
        let is_zeroed = !body.is_empty() && body.iter().all(|byte| *byte == 0);
        let text = if is_zeroed {
            format!(
                "{what} of Docker Desktop filled with zeros: the host stopped while they were written"
            )
        } else {
            format!("{what} of Docker Desktop last written; the content cannot be read")
        };
        let Some(mut event) = self.event(&text) else { return };
        if is_zeroed {
            event.action = "file_zeroed";
        }
        findings.event(&event);
    }

    /// A time that is itself a setting.
    fn stated(&self, stated: &Stated, findings: &mut dyn Findings) {
        let when = (stated.instant, stated.meaning);
        let mut event = Event::new(&self.written.file.origin, &SETTINGS, &Subject::UNKNOWN, when);
        event.position = Position::Key(&stated.key);
        event.confidence = stated.confidence;
        event.action = stated.action;
        event.text = (&stated.says).into();
        let text = |text| Value::Text(Cow::Borrowed(text));
        event.attribute("setting", Some(text(&stated.key)));
        event.attribute("time_concluded", stated.concluded.map(text));
        event.attribute("user_name", self.user.as_deref().map(text));
        findings.event(&event);
    }

    /// `.trackid`: made when the profile was first used.
    fn track_identifier(&self, findings: &mut dyn Findings) {
        let Some(content) = self.written.text(findings) else { return };
        let metadata = self.written.artifact.metadata(self.written.file, findings);
        let born = metadata.and_then(|metadata| metadata.born);
        let text = match born {
            Some(_) => "first use of Docker Desktop by this user: analytics id made",
            None => "analytics id of this user of Docker Desktop last written",
        };
        let Some(mut event) = self.event(text) else { return };
        event.action = "first_use";
        if let Some(born) = born {
            (event.instant, event.meaning) = (born, Meaning::Creation);
        }
        let id = content.trim();
        let is_identifier = !id.is_empty() && id.len() <= IDENTIFIER_LENGTH;
        let id = is_identifier.then_some(Value::Text(Cow::Borrowed(id)));
        event.attribute("analytics_identifier", id);
        findings.event(&event);
    }

    /// `backend.error.json` and its like: whatever they hold, they were written when a part ended.
    fn error(&self, findings: &mut dyn Findings) {
        let Some(content) = self.written.text(findings) else { return };
        if content.bytes().all(|byte| byte == 0) {
            return self.lost("errors", content.as_bytes(), findings);
        }
        let part = self.written.file.capture("part").unwrap_or_default();
        let text = format!("{part} of Docker Desktop ended with an error");
        let Some(mut event) = self.event(&text) else { return };
        event.action = "app_crash";
        let shown: String = content.trim().chars().take(ERROR_LENGTH).collect();
        event.attribute("error", Some(Value::Text(Cow::Owned(shown))));
        findings.event(&event);
    }

    fn trace(&self, what: &str, findings: &mut dyn Findings) {
        findings.records(&self.written.file.origin, 1, 0);
        let text = format!("{what} of Docker Desktop last written; the content is not read");
        if let Some(event) = self.event(&text) {
            findings.event(&event);
        }
    }

    /// The event of the file's own time.
    fn event<'e>(&'e self, text: &'e str) -> Option<Event<'e>> {
        let mut event = self.written.event(&SETTINGS, text)?;
        event.confidence = Confidence::Filesystem;
        if let Some(user) = self.user.as_deref() {
            let value = Value::Text(Cow::Borrowed(user));
            event.attributes.push(Attribute { name: "user_name", value });
        }
        Some(event)
    }
}
