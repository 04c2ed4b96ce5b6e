//! Who signed an image, as the engine found out: `image/identity-cache.db` (29.3 and later, with the
//! containerd image store).
//!
//! A BoltDB with one bucket, `image-identity-cache-v1`. A key is the digest of the image, that of
//! the manifest for one platform, and the platform, joined by `|`; a value is JSON with `CachedAt`,
//! `ExpiresAt` and `Signature`. The engine checks when somebody lists or inspects images, and keeps
//! what it found for two days. After moby 29.7.2 `daemon/containerd/identitycache/bbolt.go`.
//!
//! | instant | event |
//! |---|---|
//! | `CachedAt` | the identity of an image was checked; it was here then |
//!
//! What a signature says is told as it is written, without checking it.

use crate::formats::bolt::{self, Content, Database, Entry};
use crate::formats::json::{self, Fields, Wrong};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Event, Findings, IssueKind, Kind, Meaning, Position, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.image_identity",
    reads: &["image/identity-cache.db"],
    gather: Gather::File,
    about: "who signed an image, as the engine found out",
    yields: "identity of an image checked, also of free pages",
    references: &["moby 29.7.2 daemon/containerd/identitycache/bbolt.go"],
    parse,
};

static IDENTITY: Kind = Kind {
    data_type: "docker:image:identity",
    source_short: "DOCKER",
    source_long: "Docker image identity",
};

const BUCKET: &[u8] = b"image-identity-cache-v1";
/// So much of a signature is shown.
const SHOWN: usize = 4096;

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let limit = bolt::FILE_LIMIT;
        let Some(bytes) = artifact.read_up_to(file, limit, findings) else { continue };
        match Database::open(&bytes) {
            Ok(database) => {
                let count = read(file, &database, inventory, findings);
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                findings.records(&file.origin, count, length);
            }
            Err(flaw) => flaw.report_lost(file, bytes.len(), findings),
        }
    }
}

fn read(
    file: &ArtifactFile,
    database: &Database<'_>,
    inventory: &Inventory,
    findings: &mut dyn Findings,
) -> u64 {
    let mut count = 0_u64;
    database.flaws().iter().for_each(|flaw| flaw.report(file, findings));
    for (name, bucket) in database.root().buckets() {
        if name.key != BUCKET {
            let what = format!("the bucket {:?} is not known", name.key.escape_ascii().to_string());
            findings.issue(file.issue(IssueKind::Unsupported, Position::Offset(name.offset), what));
            continue;
        }
        for entry in bucket.entries() {
            count = count.saturating_add(1);
            if let Err((kind, what)) = tell((file, &entry), None, inventory, findings) {
                let issue = file.issue(kind, Position::Offset(entry.offset), what);
                findings.issue(issue.losing(1, 0));
            }
        }
    }
    for fragment in database.fragments() {
        let from = format!("free page {} of the database", fragment.page);
        let inner = fragment.bucket.buckets().filter(|(name, _)| name.key == BUCKET);
        let entries =
            inner.flat_map(|(_, bucket)| bucket.entries()).chain(fragment.bucket.entries());
        for entry in entries.filter(|entry| !entry.repeated) {
            let told = tell((file, &entry), Some(&from), inventory, findings);
            count = count.saturating_add(u64::from(told.is_ok()));
        }
    }
    count
}

/// Tells a record, or what is wrong with it.
fn tell(
    (file, entry): (&ArtifactFile, &Entry<'_, '_>),
    recovered_from: Option<&str>,
    inventory: &Inventory,
    findings: &mut dyn Findings,
) -> Result<(), (IssueKind, String)> {
    let wrong = |what: &str| (IssueKind::Malformed, what.to_owned());
    let Content::Value(value) = entry.content else { return Err(wrong("a bucket, not a record")) };
    let key = std::str::from_utf8(entry.key).map_err(|_| wrong("a key that is not UTF-8"))?;
    let mut parts = key.split('|');
    let image = parts.next().filter(|image| image.starts_with("sha256:"));
    let image = image.ok_or_else(|| wrong("a key without the digest of an image"))?;
    let (manifest, platform) = (parts.next(), parts.next());
    let document = json::read(value).map_err(|flaw| (flaw.kind, flaw.what))?;
    let flaws = Wrong::default();
    let fields = Fields::new(&document.value, &flaws);
    let checked = fields.instant("CachedAt").ok_or_else(|| wrong("CachedAt: no time"))?;
    let signature = document.value.get("Signature").filter(|signature| !signature.is_null());
    let signature: Option<String> =
        signature.map(|signature| signature.to_string().chars().take(SHOWN).collect());
    let subject = inventory.image_subject(image);
    let mut event = Event::new(&file.origin, &IDENTITY, &subject, (checked, Meaning::Recorded));
    event.position = Position::Offset(entry.offset);
    event.action = "check-identity";
    event.text = match signature {
        Some(_) => "who signed the image was checked: it has a signature",
        None => "who signed the image was checked: it has no signature",
    }
    .into();
    event.attribute("manifest_digest", manifest.map(|text| Value::Text(text.into())));
    event.attribute("platform", platform.map(|text| Value::Text(text.into())));
    event.attribute("signature", signature.map(|text| Value::Text(Cow::Owned(text))));
    event.attribute("recovered_from", recovered_from.map(|text| Value::Text(text.into())));
    event.tags.extend(recovered_from.map(|_| Cow::Borrowed("recovered")));
    findings.event(&event);
    Ok(())
}
