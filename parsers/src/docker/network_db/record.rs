//! The records of the store: each key once, as it is now or was last.

use crate::ArtifactFile;
use crate::formats::bolt::{Bucket, Content, Database, Entry, Fragment};
use crate::formats::json;
use dockline_timeline::{Findings, IssueKind, Position};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const PREFIX: &str = "docker/network/v1.0/";
/// Bytes of the counter before the JSON; all that the parent of other keys has.
const COUNTER: usize = 8;

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object<'b> {
    Network {
        id: &'b str,
    },
    /// What a driver knows of a network.
    DriverNetwork {
        driver: &'b str,
        id: &'b str,
    },
    Endpoint {
        network: &'b str,
        id: &'b str,
    },
    /// What a driver knows of an endpoint.
    DriverEndpoint {
        driver: &'b str,
        id: &'b str,
    },
    Sandbox {
        id: &'b str,
    },
    /// How many endpoints a network has.
    Count,
    /// Which addresses and numbers are taken.
    Allocation {
        of: &'b str,
    },
    Other,
}

impl<'b> Object<'b> {
    fn of(key: &'b str) -> Option<Object<'b>> {
        let path: Vec<&str> = key.strip_prefix(PREFIX)?.trim_end_matches('/').split('/').collect();
        Some(match path.as_slice() {
            ["network", id] => Object::Network { id },
            ["endpoint", network, id] => Object::Endpoint { network, id },
            ["sandbox", id] => Object::Sandbox { id },
            ["endpoint_count", ..] => Object::Count,
            [of @ ("ipam" | "idm"), ..] => Object::Allocation { of },
            ["bridge-endpoint", id] => Object::DriverEndpoint { driver: "bridge", id },
            [driver, "endpoint", id] => Object::DriverEndpoint { driver, id },
            [driver, "network", id] | [driver @ "bridge", id] => {
                Object::DriverNetwork { driver, id }
            }
            _ => Object::Other,
        })
    }
}

/// Where a record that is no longer current was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    EarlierState,
    FreePage(u64),
}

/// One record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) value: Value,
    pub(super) offset: u64,
    /// `None` for what is current.
    pub(super) left: Option<Left>,
    counter: u64,
}

/// All records.
#[derive(Debug, Default)]
pub(super) struct Records<'b> {
    pub(super) objects: BTreeMap<Object<'b>, Record>,
    /// How many were read.
    pub(super) count: u64,
}

impl<'b> Records<'b> {
    pub(super) fn read(
        database: &Database<'b>,
        file: &ArtifactFile,
        findings: &mut dyn Findings,
    ) -> Records<'b> {
        let mut records = Records::default();
        let mut unsupported = BTreeSet::new();
        for entry in entries(database.root()) {
            let object = match records.add(entry, None) {
                Ok(object) => object,
                Err((kind, what)) => {
                    let issue = file.issue(kind, Position::Offset(entry.offset), what);
                    findings.issue(issue.losing(1, 0));
                    continue;
                }
            };
            let what = match object {
                Some(Object::Allocation { of }) => format!("allocations of {of} are not supported"),
                Some(Object::Other) => "a key of an unknown kind is not supported".to_owned(),
                _ => continue,
            };
            if unsupported.insert(what.clone()) {
                let at = Position::Offset(entry.offset);
                findings.issue(file.issue(IssueKind::Unsupported, at, what));
            }
        }
        database.fragments().for_each(|fragment| records.add_fragment(fragment));
        records
    }

    /// What is damaged in free pages is passed over: nobody said that it is still there.
    fn add_fragment(&mut self, fragment: Fragment<'_, 'b>) {
        let left = match fragment.is_earlier_root {
            true => Left::EarlierState,
            false => Left::FreePage(fragment.page),
        };
        let alone = fragment.bucket.entries().filter(|_| !fragment.is_earlier_root);
        for entry in entries(fragment.bucket).chain(alone).filter(|entry| !entry.repeated) {
            let _damaged = self.add(entry, Some(left));
        }
    }

    /// Adds a record, unless it is older than that of the same key; `None` for a bucket.
    fn add(
        &mut self,
        entry: Entry<'_, 'b>,
        left: Option<Left>,
    ) -> Result<Option<Object<'b>>, (IssueKind, String)> {
        let Content::Value(value) = entry.content else { return Ok(None) };
        let wrong = |what: String| (IssueKind::Malformed, what);
        let key = std::str::from_utf8(entry.key).ok();
        let object =
            key.and_then(Object::of).ok_or_else(|| wrong("no key of libnetwork".into()))?;
        let Some((counter, text)) = value.split_first_chunk::<COUNTER>() else {
            return Err(wrong(format!(
                "a value of {} bytes, too short for its counter",
                value.len()
            )));
        };
        let is_parent = text.is_empty();
        let kept = !matches!(object, Object::Count | Object::Allocation { .. } | Object::Other);
        if !is_parent && kept {
            let document = json::read(text).map_err(|flaw| (flaw.kind, flaw.what))?;
            let counter = u64::from_le_bytes(*counter);
            let record = Record { value: document.value, offset: entry.offset, left, counter };
            self.keep(object, record);
        }
        self.count = self.count.saturating_add(1);
        Ok(Some(object))
    }

    fn keep(&mut self, object: Object<'b>, record: Record) {
        let known = self.objects.get(&object);
        let newer =
            known.is_none_or(|known| known.left.is_some() && known.counter < record.counter);
        if newer {
            self.objects.insert(object, record);
        }
    }
}

/// The keys of all buckets in a bucket: there is one, `libnetwork`.
fn entries<'d, 'b>(bucket: Bucket<'d, 'b>) -> impl Iterator<Item = Entry<'d, 'b>> {
    bucket.buckets().flat_map(|(_, bucket)| bucket.entries())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_what_it_is_of() {
        let of = |key: &'static str| Object::of(key);
        assert_eq!(of("docker/network/v1.0/network/n1/"), Some(Object::Network { id: "n1" }));
        let endpoint = Object::Endpoint { network: "n1", id: "e1" };
        assert_eq!(of("docker/network/v1.0/endpoint/n1/e1/"), Some(endpoint));
        let driver = Object::DriverNetwork { driver: "macvlan", id: "n2" };
        assert_eq!(of("docker/network/v1.0/macvlan/network/n2/"), Some(driver));
        let bridge = Object::DriverEndpoint { driver: "bridge", id: "e2" };
        assert_eq!(of("docker/network/v1.0/bridge-endpoint/e2/"), Some(bridge));
        assert_eq!(of("docker/network/v1.0/ipam/x/y/"), Some(Object::Allocation { of: "ipam" }));
        assert_eq!(of("docker/network/v1.0/"), Some(Object::Other));
        assert_eq!(of("docker/volume/v1.0/x/"), None);
    }

    #[test]
    fn what_is_current_counts_and_else_the_highest_counter() {
        let record = |counter: u64, left: Option<Left>| Record {
            value: Value::from(counter),
            offset: 0,
            left,
            counter,
        };
        let mut records = Records::default();
        let network = Object::Network { id: "n" };
        let free = Some(Left::FreePage(3));
        for (counter, left) in [(5, free), (7, free), (6, Some(Left::EarlierState))] {
            records.keep(network, record(counter, left));
        }
        assert_eq!(records.objects[&network].value, 7);
        records.keep(Object::Count, record(2, None));
        records.keep(Object::Count, record(9, free));
        assert_eq!(records.objects[&Object::Count].value, 2);
    }
}
