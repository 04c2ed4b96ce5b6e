//! `meta.db` of containerd: a BoltDB with one bucket for each object, below those of its namespace.
//!
//! `v1/<namespace>/{images,containers,sandboxes,leases}/<name>`, `v1/<namespace>/content/{blob/<digest>,
//! ingests/<reference>}`, `v1/<namespace>/snapshots/<snapshotter>/<key>`. An object holds `createdat`
//! and `updatedat` (Go's binary time), labels, and what is its own. BuildKit's `containerdmeta.db` is
//! the same. After containerd 2.1 `core/metadata/{buckets,db}.go`.
//!
//! Free pages hold objects of earlier states: whole leaves of lists, or one leaf of an object, whose
//! name the leaf above it had. What an object is, is told from its keys; its name only where its
//! content confirms it.

use super::bolt::{Bucket, Content, Database};
use super::cri_metadata::{CriMetadata, is_known};
use super::go_time::{self, GoTimeError};
use super::json::{self, Fields, Wrong};
use super::protobuf;
use super::runtime_spec::RuntimeSpec;
use crate::Digest;
use dockline_timeline::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// The schema that is read: revisions before had other names for two buckets, which are read too.
pub const SCHEMA: i64 = 4;
/// Levels below a leaf of a free page that are searched for objects.
const DEPTH_LIMIT: usize = 8;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A name for a target.
    Image,
    /// A container.
    Container,
    /// A pod's sandbox.
    Sandbox,
    /// A layer of a file system.
    Snapshot,
    /// A content.
    Blob,
    /// A content that is being written.
    Ingest,
    /// What keeps others from being removed.
    Lease,
}

/// An object.
#[derive(Clone, Debug)]
pub struct Object<'d, 'b> {
    /// What it is.
    pub class: Class,
    /// Its namespace, such as `moby` or `k8s.io`; of a free page, as far as it is known.
    pub namespace: Option<String>,
    /// Of a snapshot, who keeps it.
    pub snapshotter: Option<String>,
    /// Its name; of a free page, as far as it is known.
    pub name: Option<String>,
    /// What it holds.
    pub bucket: Bucket<'d, 'b>,
    /// The free page in which it was found.
    pub page: Option<u64>,
}

/// What a database holds.
#[derive(Clone, Debug, Default)]
pub struct Objects<'d, 'b> {
    /// The objects, by namespace.
    pub objects: Vec<Object<'d, 'b>>,
    /// Buckets of namespaces that are not read, by their path.
    pub unknown: Vec<String>,
}

/// The revision of the schema.
#[must_use]
pub fn schema(database: &Database<'_>) -> Option<i64> {
    protobuf::zigzag(database.root().at(&["v1"])?.get("version")?)
}

/// The current objects; `None` when this is no database of containerd.
#[must_use]
pub fn current<'d, 'b>(database: &'d Database<'b>) -> Option<Objects<'d, 'b>> {
    Some(below(database.root().bucket("v1")?, None))
}

/// What free pages hold that the current state does not.
#[must_use]
pub fn recovered<'d, 'b>(database: &'d Database<'b>) -> Vec<Object<'d, 'b>> {
    let mut found = Vec::new();
    for fragment in database.fragments() {
        if fragment.is_earlier_root {
            let earlier = fragment.bucket.bucket("v1");
            let earlier = earlier.map(|v1| below(v1, Some(fragment.page)).objects);
            found.extend(earlier.into_iter().flatten().filter(Object::is_new));
            continue;
        }
        let name = match fragment.names {
            [name] => Some(*name),
            _ => None,
        };
        let mut waiting = vec![(fragment.bucket, name, 0_usize)];
        while let Some((bucket, name, depth)) = waiting.pop() {
            if let Some(class) = class_of(bucket) {
                let name = name.map(lossy);
                let (namespace, snapshotter) = (None, None);
                let page = Some(fragment.page);
                let object = Object { class, namespace, snapshotter, name, bucket, page };
                let confirmed = depth > 0;
                found.extend(object.is_new().then(|| object.confirmed(confirmed)));
            } else if depth < DEPTH_LIMIT {
                let inner = bucket.buckets().filter(|(entry, _)| !entry.repeated);
                let inner =
                    inner.map(|(entry, below)| (below, Some(entry.key), depth.saturating_add(1)));
                waiting.extend(inner);
            }
        }
    }
    join_halves(&mut found);
    found
}

/// A container's record is often cut in two leaves: one has `createdat`, the other the runtime's
/// configuration, which names the container, and `updatedat`. Where both instants are the same to
/// the nanosecond, they are halves of one.
fn join_halves(found: &mut [Object<'_, '_>]) {
    let names: BTreeMap<Vec<u8>, String> = found
        .iter()
        .filter(|object| object.class == Class::Container)
        .filter_map(|object| Some((object.bucket.get("updatedat")?.to_vec(), object.name.clone()?)))
        .collect();
    for object in found.iter_mut().filter(|object| object.class == Class::Container) {
        let created = object.bucket.get("createdat");
        let name = created.and_then(|created| names.get(created)).cloned();
        object.name = object.name.take().or(name);
    }
}

/// The objects below `v1`.
fn below<'d, 'b>(v1: Bucket<'d, 'b>, page: Option<u64>) -> Objects<'d, 'b> {
    let mut all = Objects::default();
    for (entry, bucket) in v1.buckets() {
        let namespace = lossy(entry.key);
        for (kind, list) in bucket.buckets() {
            all.add(&namespace, (kind.key, list), page);
        }
    }
    all
}

impl<'d, 'b> Objects<'d, 'b> {
    fn add(&mut self, namespace: &str, (kind, list): (&[u8], Bucket<'d, 'b>), page: Option<u64>) {
        let class = match kind {
            b"images" => Class::Image,
            b"containers" => Class::Container,
            b"sandboxes" | b"sandbox" => Class::Sandbox,
            b"leases" => Class::Lease,
            b"labels" => return,
            b"snapshots" => {
                for (snapshotter, list) in list.buckets() {
                    let snapshotter = Some(lossy(snapshotter.key));
                    self.list(namespace, (Class::Snapshot, snapshotter), (list, page));
                }
                return;
            }
            b"content" => {
                for (kind, list) in list.buckets() {
                    match kind.key {
                        b"blob" => self.list(namespace, (Class::Blob, None), (list, page)),
                        b"ingests" | b"ingest" => {
                            self.list(namespace, (Class::Ingest, None), (list, page));
                        }
                        other => {
                            self.unknown.push(format!("v1/{namespace}/content/{}", lossy(other)))
                        }
                    }
                }
                return;
            }
            other => return self.unknown.push(format!("v1/{namespace}/{}", lossy(other))),
        };
        self.list(namespace, (class, None), (list, page));
    }

    fn list(
        &mut self,
        namespace: &str,
        (class, snapshotter): (Class, Option<String>),
        (list, page): (Bucket<'d, 'b>, Option<u64>),
    ) {
        for (entry, bucket) in list.buckets().filter(|(entry, _)| !entry.repeated) {
            self.objects.push(Object {
                class,
                namespace: Some(namespace.to_owned()),
                snapshotter: snapshotter.clone(),
                name: Some(lossy(entry.key)),
                bucket,
                page,
            });
        }
    }

    /// Snapshots that stand in the list of children of their parent and are no more, as
    /// `(key, parent)`: containerd 2.1 does not take them off the list when it removes garbage.
    #[must_use]
    pub fn lost_children(&self) -> Vec<(String, &Object<'d, 'b>)> {
        let snapshots = || self.objects.iter().filter(|object| object.class == Class::Snapshot);
        let key = |object: &Object<'d, 'b>, name: String| {
            (object.namespace.clone(), object.snapshotter.clone(), name)
        };
        let present: BTreeSet<_> =
            snapshots().filter_map(|object| Some(key(object, object.name.clone()?))).collect();
        let mut lost = Vec::new();
        for parent in snapshots() {
            for child in parent.keys_of("children") {
                if !present.contains(&key(parent, child.clone())) {
                    lost.push((child, parent));
                }
            }
        }
        lost
    }
}

/// What an object of a free page is; `None` when it is none, or is not told by its keys.
fn class_of(bucket: Bucket<'_, '_>) -> Option<Class> {
    let value = |key: &str| bucket.get(key).is_some();
    let below = |key: &str| bucket.bucket(key).is_some();
    let dated = value("createdat") || value("updatedat");
    if value("expireat") {
        Some(Class::Ingest)
    } else if !dated {
        None
    } else if value("sandboxer") {
        Some(Class::Sandbox)
    } else if value("spec") || value("snapshotKey") || below("runtime") {
        Some(Class::Container)
    } else if below("target") {
        Some(Class::Image)
    } else if value("name") {
        Some(Class::Snapshot)
    } else if value("size") {
        Some(Class::Blob)
    } else {
        let leased = below("snapshots") || below("content") || below("ingests");
        leased.then_some(Class::Lease)
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl<'b> Object<'_, 'b> {
    /// A value that is a text and is not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.bucket.get(key).map(lossy).filter(|text| !text.is_empty())
    }

    /// A value that is a signed integer.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<i64> {
        self.bucket.get(key).and_then(protobuf::zigzag)
    }

    /// An instant, and whether a current or an earlier object has the same one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn instant(&self, key: &str) -> Result<Option<(Instant, u64)>, GoTimeError> {
        let Some(entry) = self.bucket.find(key.as_bytes()) else { return Ok(None) };
        match entry.content {
            Content::Value(value) if !entry.repeated => {
                Ok(go_time::parse(value)?.map(|instant| (instant, entry.offset)))
            }
            _ => Ok(None),
        }
    }

    /// Labels or annotations as `name=value`.
    #[must_use]
    pub fn pairs(&self, key: &str) -> Vec<String> {
        let bucket = self.bucket.bucket(key);
        let entries = bucket.into_iter().flat_map(Bucket::entries);
        let pair = |entry: super::bolt::Entry<'_, '_>| match entry.content {
            Content::Value(value) => Some(format!("{}={}", lossy(entry.key), lossy(value))),
            Content::Bucket(_) => None,
        };
        entries.filter_map(pair).collect()
    }

    /// The keys of a bucket of the object.
    #[must_use]
    pub fn keys_of(&self, key: &str) -> Vec<String> {
        let bucket = self.bucket.bucket(key);
        bucket.into_iter().flat_map(Bucket::entries).map(|entry| lossy(entry.key)).collect()
    }

    /// The digest that an image names, its media type and its size in bytes.
    #[must_use]
    pub fn target(&self) -> (Option<Digest>, Option<String>, Option<i64>) {
        let target = self.bucket.bucket("target");
        let text = |key: &str| target.and_then(|target| target.get(key)).map(lossy);
        let size = target.and_then(|target| target.get("size")).and_then(protobuf::zigzag);
        (text("digest").as_deref().and_then(Digest::parse), text("mediatype"), size)
    }

    /// The runtime configuration of a container: a protobuf `Any` with its JSON.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn spec(&self) -> Result<Option<RuntimeSpec>, String> {
        let Some(bytes) = self.bucket.get("spec").filter(|bytes| !bytes.is_empty()) else {
            return Ok(None);
        };
        let value = protobuf::last(bytes, 2).and_then(protobuf::Value::bytes);
        let value = value.ok_or_else(|| "no protobuf Any with a value".to_owned())?;
        if !value.starts_with(b"{") {
            let kind = protobuf::last(bytes, 1).and_then(protobuf::Value::text);
            return Err(format!("a configuration of type {:?}", kind.unwrap_or_default()));
        }
        let document = json::read(value).map_err(|flaw| flaw.what)?;
        Ok(Some(RuntimeSpec::read(&Fields::new(&document.value, &Wrong::default()), false)))
    }

    /// What others added to the object, by name: each a protobuf `Any`.
    #[must_use]
    pub fn extensions(&self) -> Vec<(String, &'b [u8])> {
        let bucket = self.bucket.bucket("extensions");
        let entries = bucket.into_iter().flat_map(Bucket::entries);
        let value = |entry: super::bolt::Entry<'_, 'b>| match entry.content {
            Content::Value(value) => Some((lossy(entry.key), value)),
            Content::Bucket(_) => None,
        };
        entries.filter_map(value).collect()
    }

    /// What the plugin for Kubernetes keeps of the object.
    #[must_use]
    pub fn cri_metadata(&self) -> Option<CriMetadata> {
        let mut known = self.extensions().into_iter().filter(|(name, _)| is_known(name));
        known.find_map(|(_, any)| Some(CriMetadata::read(any).ok()?.0))
    }

    /// Whether the object says something that the current state does not.
    fn is_new(&self) -> bool {
        let keys = ["createdat", "updatedat", "spec", "expireat"];
        keys.iter().any(|key| self.bucket.find(key.as_bytes()).is_some_and(|entry| !entry.repeated))
    }

    /// The same, with what it says of its own name and namespace; without a name that nothing but
    /// a leaf above said, which may be that of what used the page before.
    fn confirmed(mut self, by_leaf: bool) -> Self {
        let own = match self.class {
            Class::Snapshot => {
                let full = self.text("name").unwrap_or_default();
                let mut parts = full.splitn(3, '/').map(str::to_owned);
                self.namespace = parts.next().filter(|part| !part.is_empty());
                parts.nth(1)
            }
            Class::Container => {
                let spec = self.spec().ok().flatten();
                spec.and_then(|spec| spec.container_id()).map(|id| id.to_string())
            }
            Class::Lease => self.name.take_if(|name| {
                let snapshots = self.bucket.bucket("snapshots");
                let lists = snapshots.into_iter().flat_map(Bucket::buckets);
                lists.into_iter().any(|(_, list)| list.find(name.as_bytes()).is_some())
            }),
            Class::Ingest => self.text("ref"),
            _ => None,
        };
        self.name = own.or_else(|| self.name.take().filter(|_| by_leaf));
        self
    }
}

/// Whether a namespace is one of Docker's containers and images: `moby`, or `moby-<uid>.<gid>` of an
/// engine with remapped user ids.
#[must_use]
pub fn is_docker(namespace: &str) -> bool {
    namespace == "moby" || namespace.starts_with("moby-")
}

/// The name of an image as the client of its namespace shows it: Docker's leaves out its own
/// registry. What has no namespace is taken as Docker's.
#[must_use]
pub fn shown_name<'n>(namespace: Option<&str>, name: &'n str) -> &'n str {
    if !namespace.is_none_or(is_docker) {
        return name;
    }
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a real containerd 1.6 that ran containers of Docker 20.10.
    const REAL: &[u8] = include_bytes!(
        "../../../testdata/containerd.metadata/engine-20.10/evidence/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db"
    );
    /// With objects of every kind.
    const MADE: &[u8] = include_bytes!(
        "../../../testdata/containerd.metadata/hostile/evidence/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db"
    );

    #[test]
    fn every_kind_of_object_is_found_in_the_bucket_of_its_kind() {
        let database = Database::open(MADE).unwrap();
        let current = current(&database).unwrap();
        let of = |class: Class| current.objects.iter().filter(move |one| one.class == class);
        let classes = [Class::Container, Class::Sandbox, Class::Snapshot, Class::Lease];
        assert_eq!(classes.map(|class| of(class).count()), [5, 1, 2, 2]);
        assert!(of(Class::Snapshot).all(|one| one.snapshotter.is_some()));
        assert!(of(Class::Image).any(|image| image.target().0.is_some()));
        let specs: Vec<_> = of(Class::Container).filter_map(|one| one.spec().ok()?).collect();
        assert!(specs.iter().any(|spec| spec.host_config.privileged), "{specs:?}");
        assert_eq!(current.lost_children().len(), 1);
    }

    #[test]
    fn containers_that_ended_are_left_in_free_pages() {
        let database = Database::open(REAL).unwrap();
        let current = current(&database).unwrap();
        assert!(current.objects.iter().all(|object| object.class != Class::Container));
        let recovered = recovered(&database);
        let ids: Vec<Option<String>> =
            recovered.iter().map(|one| Some(one.name.as_ref()?.get(..12)?.to_owned())).collect();
        let mut ids: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["6aba80b8bb03", "cbda35a4bf1a"]);
        assert!(recovered.iter().all(|one| one.class == Class::Container && one.page.is_some()));
    }

    #[test]
    fn only_docker_leaves_its_own_registry_out() {
        let name = "docker.io/library/alpine:3";
        assert_eq!(shown_name(Some("moby"), name), "alpine:3");
        assert_eq!(shown_name(Some("moby-1000.1000"), "docker.io/lab/web:1"), "lab/web:1");
        assert_eq!(shown_name(Some("k8s.io"), name), name);
        assert_eq!(shown_name(None, name), "alpine:3");
    }
}
