//! The cache as a BoltDB, with what its free pages still hold.

use super::{Contents, Location, Where};
use crate::formats::bolt::{self, Bucket, Content, Database};
use crate::formats::go_time;
use crate::{Artifact, ArtifactFile};
use dockline_timeline::{Findings, IssueKind, Position};

const LOCATIONS: &[u8] = b"knownLocations";
const PAIRS: &[u8] = b"uncompressedDigest";
/// Buckets that say the same the other way round, or how a blob is compressed.
const OTHERS: &[&[u8]] =
    &[b"digestByUncompressed", b"digestCompressor", b"digestSpecificVariantCompressor"];

pub(super) fn read(
    artifact: &Artifact,
    file: &ArtifactFile,
    findings: &mut dyn Findings,
) -> Option<Contents> {
    let bytes = artifact.read_up_to(file, bolt::FILE_LIMIT, findings)?;
    let database = match Database::open(&bytes) {
        Ok(database) => database,
        Err(flaw) => {
            flaw.report_lost(file, bytes.len(), findings);
            return None;
        }
    };
    database.flaws().iter().for_each(|flaw| flaw.report(file, findings));
    let mut cache = Cache { file, contents: Contents::default() };
    for (name, bucket) in database.root().buckets() {
        match name.key {
            LOCATIONS => cache.transports(bucket, None, findings),
            PAIRS => cache.pairs(bucket),
            other if OTHERS.contains(&other) => cache.count(bucket),
            other => {
                let what =
                    format!("the bucket {:?} is not known", other.escape_ascii().to_string());
                let at = Position::Offset(name.offset);
                findings.issue(file.issue(IssueKind::Unsupported, at, what));
            }
        }
    }
    for fragment in database.fragments() {
        let from = format!("free page {} of the database", fragment.page);
        for (name, bucket) in fragment.bucket.buckets() {
            if name.key == LOCATIONS && !name.repeated {
                cache.transports(bucket, Some(&from), findings);
            }
        }
    }
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    findings.records(&file.origin, cache.contents.records, length);
    Some(cache.contents)
}

struct Cache<'a> {
    file: &'a ArtifactFile,
    contents: Contents,
}

impl Cache<'_> {
    fn pairs(&mut self, bucket: Bucket<'_, '_>) {
        for entry in bucket.entries() {
            self.contents.records = self.contents.records.saturating_add(1);
            if let Content::Value(value) = entry.content {
                self.contents.add_pair(entry.key, value);
            }
        }
    }

    fn count(&mut self, bucket: Bucket<'_, '_>) {
        let count = u64::try_from(bucket.entries().count()).unwrap_or(u64::MAX);
        self.contents.records = self.contents.records.saturating_add(count);
    }

    /// transport / scope / digest / location.
    fn transports(
        &mut self,
        bucket: Bucket<'_, '_>,
        from: Option<&str>,
        findings: &mut dyn Findings,
    ) {
        for (transport, scopes) in bucket.buckets() {
            for (scope, digests) in scopes.buckets() {
                for (digest, locations) in digests.buckets() {
                    let path = [transport.key, scope.key, digest.key];
                    self.locations((path, locations), from, findings);
                }
            }
        }
    }

    fn locations(
        &mut self,
        ([transport, scope, digest], locations): ([&[u8]; 3], Bucket<'_, '_>),
        from: Option<&str>,
        findings: &mut dyn Findings,
    ) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for entry in locations.entries().filter(|entry| from.is_none() || !entry.repeated) {
            self.contents.records = self.contents.records.saturating_add(1);
            let Content::Value(value) = entry.content else { continue };
            match go_time::parse(value) {
                Ok(Some(seen)) => self.contents.locations.push(Location {
                    transport: text(transport),
                    scope: text(scope),
                    digest: text(digest),
                    location: text(entry.key),
                    seen,
                    position: Where::Offset(entry.offset),
                    recovered_from: from.map(str::to_owned),
                }),
                Ok(None) => {}
                Err(error) => {
                    let at = Position::Offset(entry.offset);
                    let issue = self.file.issue(IssueKind::Malformed, at, error.to_string());
                    findings.issue(issue.losing(1, 0));
                }
            }
        }
    }
}
