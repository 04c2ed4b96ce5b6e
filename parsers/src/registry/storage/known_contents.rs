//! What is known of each content while the repositories are read: who links to it, and what it is.
//!
//! A registry may hold millions of contents: 36 bytes are kept of each link, and 65 of each
//! manifest and configuration.

use super::documents::Read;
use super::repositories::Repository;
use crate::Digest;
use dockline_timeline::{Findings, Issue, IssueKind, Place};
use std::collections::{BTreeMap, BTreeSet};

/// Links that are kept, in 150 MB; of more nothing is concluded of contents without one.
const LINK_LIMIT: usize = 4 << 20;
/// Repositories of one content that are named.
const NAMED: usize = 5;

/// The bytes of a digest.
type Key = [u8; 32];

/// What is known of the contents.
pub(super) struct Contents {
    /// The registry itself.
    place: Place,
    repositories: Vec<String>,
    /// Which repository links to which content; ordered once all are known.
    links: Vec<(Key, u32)>,
    full: bool,
    /// Manifests that were read, or could not be.
    pub(super) manifests: BTreeSet<Key>,
    /// The same of configurations.
    pub(super) configurations: BTreeSet<Key>,
    /// Of those of both that were read, whether they are what their names say.
    genuine: BTreeMap<Key, bool>,
}

/// What is known of one content.
pub(super) enum Nature {
    /// An index or a manifest, and whether it is what its name says, if it was read.
    Manifest(Option<bool>),
    /// A configuration, the same.
    Configuration(Option<bool>),
    /// Something else: a layer, mostly.
    Other,
}

impl Contents {
    pub(super) fn new(place: Place) -> Contents {
        Contents {
            place,
            repositories: Vec::new(),
            links: Vec::new(),
            full: false,
            manifests: BTreeSet::new(),
            configurations: BTreeSet::new(),
            genuine: BTreeMap::new(),
        }
    }

    /// Keeps whether a document is what its name says.
    pub(super) fn note(&mut self, digest: &Digest, read: &Read) {
        self.genuine.insert(key(digest), read.genuine);
    }

    pub(super) fn nature(&self, digest: &Digest) -> Nature {
        let key = key(digest);
        let genuine = self.genuine.get(&key).copied();
        if self.manifests.contains(&key) {
            Nature::Manifest(genuine)
        } else if self.configurations.contains(&key) {
            Nature::Configuration(genuine)
        } else {
            Nature::Other
        }
    }

    pub(super) fn link(
        &mut self,
        digest: &Digest,
        repository: &Repository,
        findings: &mut dyn Findings,
    ) {
        if self.links.len() >= LINK_LIMIT {
            if !self.full {
                let what = format!("more than {LINK_LIMIT} links: whose contents are is not known");
                findings.issue(Issue::new(IssueKind::LimitReached, self.place.clone(), what));
            }
            self.full = true;
            return;
        }
        if self.repositories.last() != Some(&repository.name) {
            self.repositories.push(repository.name.clone());
        }
        let number = self.repositories.len().saturating_sub(1);
        self.links.push((key(digest), u32::try_from(number).unwrap_or(u32::MAX)));
    }

    /// To be called when all links are known.
    pub(super) fn order(&mut self) {
        self.links.sort_unstable();
    }

    /// Whether every link is known.
    pub(super) fn is_whole(&self) -> bool {
        !self.full
    }

    /// The names of the first repositories that link to a content, and how many do.
    pub(super) fn holders(&self, digest: &Digest) -> (Vec<&str>, usize) {
        let key = key(digest);
        let from = self.links.partition_point(|(other, _)| *other < key);
        let to = self.links.partition_point(|(other, _)| *other <= key);
        let numbers: BTreeSet<u32> =
            self.links.get(from..to).unwrap_or_default().iter().map(|link| link.1).collect();
        let name = |number: &u32| self.repositories.get(usize::try_from(*number).ok()?);
        let names = numbers.iter().take(NAMED).filter_map(name).map(String::as_str).collect();
        (names, numbers.len())
    }
}

/// The bytes of a digest.
pub(super) fn key(digest: &Digest) -> Key {
    let mut key = [0; 32];
    for (byte, digits) in key.iter_mut().zip(digest.hex().as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    key
}
