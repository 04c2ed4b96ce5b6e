//! Uploads that never ended: `_uploads/<uuid>/{startedat,data,hashstates/<algorithm>/<offset>}`.
//!
//! `startedat` is written once, as text in RFC 3339 with whole seconds. `data` grows with each
//! request of the upload, and becomes the content of the blob store when it ends; the rest is then
//! removed. Uploads that were given up stay until a purge of uploads older than a week.

use super::repositories::Repository;
use super::{Registry, lossy};
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};

static UPLOAD: Kind =
    Kind { data_type: "registry:upload", source_short: "REGISTRY", source_long: "Registry upload" };

impl Registry<'_> {
    pub(super) fn uploads(&self, repository: &Repository, findings: &mut dyn Findings) {
        let Some(uploads) = repository.path.join(b"_uploads") else { return };
        for entry in self.entries(&uploads, findings) {
            if entry.kind != FileKind::Directory {
                continue;
            }
            let Some(path) = uploads.join(&entry.name) else { continue };
            let upload = Upload { registry: self, repository, id: lossy(&entry.name), path };
            upload.begun(findings);
            upload.last_data(findings);
        }
    }
}

struct Upload<'a> {
    registry: &'a Registry<'a>,
    repository: &'a Repository,
    id: String,
    path: TreePath,
}

impl Upload<'_> {
    /// Bytes that have come; `None` when none have.
    fn received(&self) -> Option<u64> {
        let metadata = self.registry.artifact.tree.metadata(&self.path.join(b"data")?).ok()?;
        Some(metadata.size)
    }

    fn begun(&self, findings: &mut dyn Findings) {
        let Some(path) = self.path.join(b"startedat") else { return };
        if !self.registry.exists(&path) {
            return;
        }
        let file = self.registry.file(path);
        let Some(bytes) = self.registry.artifact.read(&file, findings) else { return };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let text = lossy(&bytes);
        let started = match Instant::parse_rfc3339(text.trim_end()) {
            Ok(Some(started)) => started,
            Ok(None) => return findings.records(&file.origin, 1, length),
            Err(error) => {
                let shown: String = text.chars().take(64).collect();
                let what = format!("time of the begin of an upload {shown:?}: {error}");
                let issue = file.issue(IssueKind::Malformed, Position::File, what);
                return findings.issue(issue.losing(1, length));
            }
        };
        findings.records(&file.origin, 1, length);
        let came = match self.received() {
            None | Some(0) => "no data of it is left".to_owned(),
            Some(bytes) => format!("{bytes} bytes came"),
        };
        let name = &self.repository.name;
        let text = format!("upload to {name} begun, and never ended: {came}");
        let mut event =
            Event::new(&file.origin, &UPLOAD, &Subject::UNKNOWN, (started, Meaning::Start));
        self.describe(&mut event, &text);
        event.size = self.received();
        findings.event(&event);
    }

    fn last_data(&self, findings: &mut dyn Findings) {
        let Some(path) = self.path.join(b"data").filter(|path| self.registry.exists(path)) else {
            return;
        };
        let file = self.registry.file(path);
        let Some(metadata) = self.registry.artifact.metadata(&file, findings) else { return };
        findings.records(&file.origin, 1, 0);
        let Some(modified) = metadata.modified else { return };
        let (name, size) = (&self.repository.name, metadata.size);
        let text = format!("last data of an upload to {name} that never ended: {size} bytes");
        let at = (modified, Meaning::ContentModification);
        let mut event = Event::new(&file.origin, &UPLOAD, &Subject::UNKNOWN, at);
        event.confidence = Confidence::Filesystem;
        self.describe(&mut event, &text);
        event.size = Some(size);
        findings.event(&event);
    }

    fn describe<'a>(&'a self, event: &mut Event<'a>, text: &'a str) {
        event.action = "upload";
        event.text = text.into();
        event.attribute("repository", Some(Value::Text(self.repository.name.as_str().into())));
        event.attribute("upload_id", Some(Value::Text(self.id.as_str().into())));
    }
}
