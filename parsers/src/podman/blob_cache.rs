//! What Podman, Buildah, Skopeo and CRI-O remember of blobs, so as not to transfer them again:
//! `blob-info-cache-v1` in `/var/lib/containers/cache` or `~/.local/share/containers/cache`.
//!
//! Nothing removes an entry when its image is removed: it says which layers were ever pulled or
//! pushed, and where they were.
//!
//! | file | what |
//! |---|---|
//! | `blob-info-cache-v1.boltdb` | up to containers/image 5.29; buckets `knownLocations`/transport/scope/digest with a location and Go's binary time, `uncompressedDigest`, `digestByUncompressed`, `digestCompressor` |
//! | `blob-info-cache-v1.sqlite` (with `-wal`, `-journal`) | since 5.30; tables `KnownLocations`, `DigestUncompressedPairs`, `DigestCompressors` |
//!
//! | instant | event |
//! |---|---|
//! | time of a known location | blob seen in a repository: pulled from there, or pushed to it |
//! | time of the database (`filesystem`) | last written; with the compressed layers that it knows |
//!
//! Free pages of the BoltDB hold earlier states: a location that the current one does not know is
//! told with the tag `recovered`. After containers/image 5.24 and 5.36 `pkg/blobinfocache/{boltdb,sqlite}`.

mod bolt_cache;
mod sqlite_cache;

use crate::formats::attributes::Attributes;
use crate::{Artifact, ArtifactFile, Digest, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.blob_cache",
    reads: &[
        "cache/blob-info-cache-v1.boltdb",
        "cache/blob-info-cache-v1.sqlite",
        "cache/blob-info-cache-v1.sqlite-wal",
        "cache/blob-info-cache-v1.sqlite-journal",
        "cache/blob-info-cache-v1.sqlite-shm",
    ],
    gather: Gather::Together,
    about: "which blobs Podman, Buildah and CRI-O ever met, and in which repositories",
    yields: "blob seen in a repository, also of free pages; layers known of removed images",
    references: &["containers/image 5.24 and 5.36 pkg/blobinfocache/{boltdb,sqlite}"],
    parse,
};

static BLOB: Kind =
    Kind { data_type: "podman:blob", source_short: "PODMAN", source_long: "Podman blob cache" };

/// So many digests are told with the last write.
const DIGEST_LIMIT: usize = 1_000;

/// A place where a blob was.
struct Location {
    transport: String,
    /// Which part of the transport: a registry.
    scope: String,
    digest: String,
    /// A repository.
    location: String,
    seen: Instant,
    position: Where,
    recovered_from: Option<String>,
}

/// Where a record lies.
enum Where {
    Offset(u64),
    Row(i64),
}

/// What a cache holds.
#[derive(Default)]
struct Contents {
    locations: Vec<Location>,
    /// Compressed blobs, and what they are uncompressed.
    pairs: BTreeSet<(String, String)>,
    records: u64,
}

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let name = file.path.file_name().unwrap_or_default();
        let contents = match name {
            _ if name.ends_with(b".boltdb") => bolt_cache::read(artifact, file, findings),
            _ if name.ends_with(b".sqlite") => sqlite_cache::read(artifact, file, findings),
            // They are read with the database that they belong to.
            _ => continue,
        };
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let Some(contents) = contents else { continue };
        for location in &contents.locations {
            location.report(file, findings);
        }
        if let Some(modified) = modified {
            contents.report((file, modified), findings);
        }
    }
}

impl Location {
    fn report(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let registry = self.scope.trim_end_matches('/');
        let place = match self.location.starts_with(registry) {
            true => self.location.clone(),
            false => format!("{registry}/{}", self.location),
        };
        let text =
            format!("blob {} seen at {place}: pulled from there or pushed to it", self.digest);
        let row;
        let when = (self.seen, Meaning::Recorded);
        let mut event = Event::new(&file.origin, &BLOB, &Subject::UNKNOWN, when);
        event.position = match self.position {
            Where::Offset(offset) => Position::Offset(offset),
            Where::Row(number) => {
                row = format!("KnownLocations:{number}");
                Position::Key(&row)
            }
        };
        event.action = "see";
        event.text = (&text).into();
        event.sha256_hash = self.digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
        let mut all = Attributes::default();
        all.text("blob_digest", Some(&self.digest));
        all.text("repository", Some(&place));
        all.text("transport", Some(&self.transport));
        all.text("recovered_from", self.recovered_from.as_deref());
        event.attributes = all.into_vec();
        event.tags.extend(self.recovered_from.as_ref().map(|_| Cow::Borrowed("recovered")));
        findings.event(&event);
    }
}

impl Contents {
    /// A pair of digests; one of a blob with itself says that it is not compressed.
    fn add_pair(&mut self, any: &[u8], uncompressed: &[u8]) {
        let digest = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(Digest::parse);
        if let (Some(any), Some(uncompressed)) = (digest(any), digest(uncompressed))
            && any != uncompressed
        {
            self.pairs.insert((any.to_string(), uncompressed.to_string()));
        }
    }

    fn report(&self, (file, modified): (&ArtifactFile, Instant), findings: &mut dyn Findings) {
        let count = self.pairs.len();
        let text = format!(
            "cache of blobs last written: a blob was met that it did not know; {count} compressed \
             layers, also of images that were removed since"
        );
        let when = (modified, Meaning::ContentModification);
        let mut event = Event::new(&file.origin, &BLOB, &Subject::UNKNOWN, when);
        event.confidence = Confidence::Filesystem;
        event.action = "write";
        event.text = (&text).into();
        let mut all = Attributes::default();
        let shown = self.pairs.iter().take(DIGEST_LIMIT);
        all.list("layer_digests", shown.map(|(any, diff)| format!("{any} is {diff}")).collect());
        event.attributes = all.into_vec();
        findings.event(&event);
        if count > DIGEST_LIMIT {
            let what = format!("more than {DIGEST_LIMIT} layers, the rest is not told");
            findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
        }
    }
}

#[cfg(test)]
mod tests;
