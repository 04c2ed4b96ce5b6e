//! Each thing that an installation leaves.

use super::version;
use crate::formats::attributes::Attributes;
use crate::formats::desktop_message::INSTALL;
use crate::formats::engine_settings::EngineSettings;
use crate::formats::json;
use crate::{Artifact, ArtifactFile};
use dockline_evidence::Metadata;
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject,
};

/// Builds whose versions are public.
const BUILDS: &[(&str, &str)] = &[
    ("45183", "2.3.0.2"),
    ("45519", "2.3.0.3"),
    ("46911", "2.3.0.4"),
    ("63152", "3.3.1"),
    ("80466", "4.9.0"),
    ("99724", "4.17.0"),
    ("120376", "4.23.0"),
    ("126437", "4.25.0"),
    ("128006", "4.25.1"),
    ("129061", "4.25.2"),
    ("137060", "4.27.2"),
    ("139021", "4.28.0"),
    ("149282", "4.30.0"),
    ("153621", "4.31.1"),
    ("165256", "4.34.0"),
    ("167172", "4.34.2"),
    ("199162", "4.43.2"),
    ("217644", "4.59.0"),
    ("222858", "4.67.0"),
];

/// The version of a build, if it is public.
fn version_of(build: &str) -> Option<String> {
    BUILDS.iter().find(|(known, _)| *known == build).map(|(_, version)| (*version).to_owned())
}

/// Files that an installation left together, by the first of them.
pub(super) struct Part<'a> {
    pub(super) artifact: &'a Artifact,
    pub(super) file: &'a ArtifactFile,
    pub(super) user: Option<String>,
}

/// What happened, and how far its time can be believed.
struct Told<'t> {
    action: &'t str,
    text: &'t str,
    when: (Instant, Meaning),
    confidence: Confidence,
}

impl Part<'_> {
    pub(super) fn read(&self, findings: &mut dyn Findings) {
        let name = self.file.path.file_name().unwrap_or_default();
        if let Some(started) = self.file.capture("started") {
            return self.started(started, findings);
        }
        let Some(metadata) = self.artifact.metadata(self.file, findings) else { return };
        if let Some(build) = self.file.capture("build") {
            self.update(build, &metadata, findings);
        } else if self.file.capture("copy").is_some() {
            let text =
                "the installer or uninstaller of Docker Desktop copied itself, to run from there";
            self.by_times(("install_relaunch", text), (&metadata, Attributes::default()), findings);
        } else if let Some(pack) = self.file.capture("pack") {
            let text = format!("pack of engine versions {pack} of Docker Desktop");
            let mut all = Attributes::default();
            all.text("version_pack", Some(pack));
            self.by_times(("install_package", &text), (&metadata, all), findings);
        } else if name.eq_ignore_ascii_case(b"install-settings.json") {
            self.settings(&metadata, findings);
        } else {
            self.program(&metadata, findings);
        }
    }

    /// `DockerDesktopInstallers\<nanoseconds since 1970>`.
    fn started(&self, name: &str, findings: &mut dyn Findings) {
        let count = u64::try_from(self.artifact.files.len()).unwrap_or(u64::MAX);
        findings.records(&self.file.origin, count, 0);
        let Some(instant) = nanoseconds(name) else {
            let what = format!("directory of an installer whose name is no time: {name}");
            return findings.issue(self.file.issue(IssueKind::Malformed, Position::File, what));
        };
        let told = Told {
            action: "install_start",
            text: "the installer of Docker Desktop was started, as its directory's name says",
            when: (instant, Meaning::Start),
            confidence: Confidence::Recorded,
        };
        self.tell(&told, Attributes::default(), findings);
    }

    /// An installer, or an updater from one build to another.
    fn update(&self, build: &str, metadata: &Metadata, findings: &mut dyn Findings) {
        let program = self.file.capture("program").unwrap_or_default();
        let is_number =
            |build: &&str| !build.is_empty() && build.bytes().all(|byte| byte.is_ascii_digit());
        let former = program.rsplit_once('-').map(|(_, former)| former).filter(is_number);
        let shown = |build: &str| match version_of(build) {
            Some(version) => format!("{version} (build {build})"),
            None => format!("build {build}"),
        };
        let from = former.map(|former| format!(" from {}", shown(former))).unwrap_or_default();
        let text = format!("update of Docker Desktop{from} to {} downloaded", shown(build));
        let mut all = Attributes::default();
        all.text("build", Some(build));
        all.owned_text("desktop_version", version_of(build));
        all.text("former_build", former);
        all.owned_text("former_version", former.and_then(version_of));
        self.by_times(("update_download", &text), (metadata, all), findings);
    }

    fn settings(&self, metadata: &Metadata, findings: &mut dyn Findings) {
        let Some(bytes) = self.artifact.read(self.file, findings) else { return };
        let mut all = Attributes::default();
        match json::read(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)) {
            Ok(document) => {
                findings.records(&self.file.origin, 1, document.length);
                document.flaws.iter().for_each(|flaw| flaw.report(self.file, findings));
                all.list("settings", EngineSettings::from_document(&document.value).pairs);
            }
            Err(flaw) => flaw.report_lost(self.file, bytes.len(), findings),
        }
        let text = "options that Docker Desktop was installed with";
        self.by_times(("install_settings", text), (metadata, all), findings);
    }

    /// A program of Docker Desktop: which version it is.
    fn program(&self, metadata: &Metadata, findings: &mut dyn Findings) {
        findings.records(&self.file.origin, 1, 0);
        let bytes = self.artifact.open(self.file, findings);
        let version = bytes.and_then(|bytes| version::of_program(&*bytes));
        let is_staged =
            self.file.path.components().any(|part| part.eq_ignore_ascii_case(b"Docker.staging"));
        let (action, what) = if is_staged {
            ("install_failed", "installation of Docker Desktop that was not finished")
        } else {
            ("install_end", "program of Docker Desktop")
        };
        let text = match &version {
            Some(version) => format!("{what}, version {version}"),
            None => format!("{what}; it names no version"),
        };
        let mut all = Attributes::default();
        all.owned_text("desktop_version", version);
        self.by_times((action, &text), (metadata, all), findings);
    }

    /// When a file was made here; where that is not known, when it was last written.
    fn by_times(
        &self,
        (action, text): (&str, &str),
        (metadata, all): (&Metadata, Attributes<'_>),
        findings: &mut dyn Findings,
    ) {
        let made = metadata.born.map(|born| (born, Meaning::Added));
        let written = metadata.modified.map(|modified| (modified, Meaning::ContentModification));
        let Some(when) = made.or(written) else { return };
        self.tell(&Told { action, text, when, confidence: Confidence::Filesystem }, all, findings);
    }

    fn tell(&self, told: &Told<'_>, mut all: Attributes<'_>, findings: &mut dyn Findings) {
        all.owned_text("user_name", self.user.clone());
        let mut event = Event::new(&self.file.origin, &INSTALL, &Subject::UNKNOWN, told.when);
        event.confidence = told.confidence;
        event.action = told.action;
        event.text = told.text.into();
        event.attributes = all.into_vec();
        findings.event(&event);
    }
}

/// An instant from nanoseconds since 1970; numbers of other lengths are none.
fn nanoseconds(text: &str) -> Option<Instant> {
    let number: u64 = text.parse().ok().filter(|_| text.len() == 19)?;
    let (seconds, rest) = (number.checked_div(1_000_000_000)?, number.checked_rem(1_000_000_000)?);
    Instant::new(i64::try_from(seconds).ok()?, u32::try_from(rest).ok()?)
}
