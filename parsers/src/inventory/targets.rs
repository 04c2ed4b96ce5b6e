//! What is known of each image of a containerd store.
//!
//! There an image is a name for a *target*: the digest of an index or of a manifest, which leads to
//! a configuration and layers in the content store. `docker images` of such an engine shows the
//! digest of the target as the image's id, where a graph-driver store has that of the configuration:
//! ids of the two stores are never the same image, and are kept apart.

use super::{Claim, Silent};
use crate::formats::containerd_db::shown_name;
use crate::formats::content_store::{self, Blob, Content};
use crate::{ChainId, Digest};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Steps from one content to the next that are taken on one host: what refers to each other many
/// times over must not take time without end.
const STEP_LIMIT: usize = 1_000_000;

/// What is known of an image of a containerd store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetImage {
    /// Its names as containerd has them, ordered: `docker.io/library/alpine:latest`.
    pub names: BTreeSet<String>,
    /// Its tags as its client shows them, ordered: `alpine:latest`.
    pub tags: Vec<String>,
    /// `name@sha256:…`, ordered.
    pub digests: Vec<String>,
    /// The namespaces that name it, ordered: `moby`, `k8s.io`.
    pub namespaces: BTreeSet<String>,
    /// Configurations of its platforms, in the order of the index.
    pub configs: Vec<Digest>,
    /// The layers of each of these, together: the chain id of the uppermost.
    pub chain_ids: Vec<ChainId>,
}

/// A name that containerd has for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The namespace.
    pub(super) namespace: String,
    /// The name.
    pub(super) name: String,
    /// The target.
    pub(super) target: Digest,
}

/// The images of all containerd stores of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetImages {
    /// Images by target.
    pub images: BTreeMap<String, TargetImage>,
    /// The targets that each content of the store belongs to, by digest, ordered.
    pub of_content: BTreeMap<Digest, Vec<String>>,
    /// The archive of each layer that a manifest of the store names.
    pub layers: BTreeMap<ChainId, Digest>,
    /// The layer below each layer that a configuration of the store names.
    pub below: BTreeMap<ChainId, ChainId>,
    /// The registry and repository that containerd has noted on a content, as it does when it
    /// pulls it and when it pushes it.
    pub sources: BTreeMap<Digest, String>,
}

impl TargetImages {
    /// The image that an index, a manifest, a configuration or a layer belongs to, when it is one:
    /// of several the first in the order of digests.
    #[must_use]
    pub fn of(&self, content: &Digest) -> &[String] {
        self.of_content.get(content).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Reads the content stores among `claims`, and joins them with the names.
pub(super) fn read(
    claims: &[Claim],
    names: &[Named],
    sources: BTreeMap<Digest, String>,
) -> TargetImages {
    let stores = claims.iter().filter(|(parser, _)| *parser == "containerd.content");
    let mut known: BTreeMap<Digest, References> = BTreeMap::new();
    for (_, artifact) in stores {
        for (digest, blob) in content_store::read(artifact, &mut Silent) {
            known.entry(digest).or_insert_with(|| References::of(&blob));
        }
    }
    let (layers, below) = (layers(&known), below(&known));
    let mut found = TargetImages { layers, below, sources, ..TargetImages::default() };
    for named in names {
        let image = found.images.entry(named.target.to_string()).or_default();
        image.name(named);
    }
    let mut steps = 0;
    let named: Vec<Digest> = found.images.keys().filter_map(|id| Digest::parse(id)).collect();
    let unnamed = unreferenced(&known).into_iter().cloned();
    for target in named.into_iter().chain(unnamed) {
        found.add(target, &known, &mut steps);
    }
    // What is left are indexes that lead to themselves, which no honest hand makes.
    for (digest, references) in &known {
        if references.is_image && !found.of_content.contains_key(digest) {
            found.add(digest.clone(), &known, &mut steps);
        }
    }
    for targets in found.of_content.values_mut() {
        targets.sort();
        targets.dedup();
    }
    found
}

impl TargetImages {
    /// Adds all that a target leads to.
    fn add(&mut self, target: Digest, known: &BTreeMap<Digest, References>, steps: &mut usize) {
        let id = target.to_string();
        let image = self.images.entry(id.clone()).or_default();
        if !image.configs.is_empty() {
            return;
        }
        for content in contents(target, known, steps) {
            let references = known.get(&content);
            if let Some(chain) = references.and_then(|references| references.config.as_ref()) {
                image.configs.push(content.clone());
                image.chain_ids.extend(chain.last().cloned());
            }
            self.of_content.entry(content).or_default().push(id.clone());
        }
    }
}

/// What a content leads to.
struct References {
    /// Further contents, in order.
    to: Vec<Digest>,
    /// Whether it is an index or a manifest: what can be a target.
    is_image: bool,
    /// Of a configuration, its layers.
    config: Option<Vec<ChainId>>,
}

impl References {
    fn of(blob: &Blob<'_>) -> References {
        let (mut to, mut config) = (Vec::new(), None);
        match &blob.content {
            Content::Index(index) => {
                to.extend(index.manifests.iter().filter_map(|one| one.digest.clone()));
            }
            Content::Manifest(manifest) => {
                let parts = std::iter::once(&manifest.config).chain(&manifest.layers);
                to.extend(parts.filter_map(|part| part.digest.clone()));
            }
            Content::ImageConfig(image) => config = Some(ChainId::of_layers(&image.diff_ids)),
            Content::Attestation | Content::Other => {}
        }
        let is_image = matches!(blob.content, Content::Index(_) | Content::Manifest(_));
        References { to, is_image, config }
    }
}

/// The archives of layers: those that a manifest names are in the order of its configuration.
fn layers(known: &BTreeMap<Digest, References>) -> BTreeMap<ChainId, Digest> {
    let mut layers = BTreeMap::new();
    for references in known.values() {
        let Some((config, blobs)) = references.to.split_first() else { continue };
        let chain = known.get(config).and_then(|config| config.config.as_ref());
        if let Some(chain) = chain.filter(|chain| chain.len() == blobs.len()) {
            layers.extend(chain.iter().cloned().zip(blobs.iter().cloned()));
        }
    }
    layers
}

/// A chain id is a digest of all below it: of each there is one layer below.
fn below(known: &BTreeMap<Digest, References>) -> BTreeMap<ChainId, ChainId> {
    let chains = known.values().filter_map(|references| references.config.as_ref());
    chains.flat_map(|chain| chain.iter().skip(1).cloned().zip(chain.iter().cloned())).collect()
}

/// Images that no index leads to: targets, be there a name for them or not.
fn unreferenced(known: &BTreeMap<Digest, References>) -> Vec<&Digest> {
    let below: BTreeSet<&Digest> = known.values().flat_map(|references| &references.to).collect();
    let images = known.iter().filter(|(_, references)| references.is_image);
    images.map(|(digest, _)| digest).filter(|digest| !below.contains(digest)).collect()
}

/// A content and all that it leads to, the nearest first.
fn contents(
    target: Digest,
    known: &BTreeMap<Digest, References>,
    steps: &mut usize,
) -> Vec<Digest> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::from([target.clone()]));
    let mut waiting = VecDeque::from([target]);
    while let Some(digest) = waiting.pop_front() {
        for next in known.get(&digest).map(|references| &references.to).into_iter().flatten() {
            *steps = steps.saturating_add(1);
            if *steps < STEP_LIMIT && seen.insert(next.clone()) {
                waiting.push_back(next.clone());
            }
        }
        found.push(digest);
    }
    found
}

impl TargetImage {
    fn name(&mut self, named: &Named) {
        let shown = shown_name(Some(&named.namespace), &named.name);
        self.namespaces.insert(named.namespace.clone());
        if !self.names.insert(named.name.clone()) {
            return;
        }
        // Docker names what lost its last tag `moby-dangling@sha256:…`, and CRI each image also by
        // its configuration.
        if let Some((name, _)) = shown.split_once('@') {
            if name != "moby-dangling" {
                self.digests.push(shown.to_owned());
            }
        } else if !shown.starts_with("sha256:") {
            self.tags.push(shown.to_owned());
            let name = shown.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
            let name = name.map_or(shown, |(name, _)| name);
            self.digests.push(format!("{name}@{}", named.target));
        }
        for names in [&mut self.tags, &mut self.digests] {
            names.sort();
            names.dedup();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Reading, Subtree, plan};
    use dockline_evidence::MemoryTree;
    use serde_json::json;
    use std::sync::Arc;

    const STORE: &str = "c/io.containerd.content.v1.content/blobs/sha256";

    /// A store of these contents, and their digests.
    fn store(contents: &[String]) -> (Vec<Claim>, Vec<Digest>) {
        let digests: Vec<Digest> =
            contents.iter().map(|content| Digest::of(content.as_bytes())).collect();
        let tree =
            contents.iter().zip(&digests).fold(MemoryTree::new(), |tree, (content, digest)| {
                tree.with_file(&format!("{STORE}/{}", digest.hex()), content.as_str(), None)
            });
        let subtree = Subtree {
            evidence: Arc::from("case"),
            host: None,
            fallback_host: Arc::from("host"),
            prefix: Arc::from(""),
            depth: 0,
            tree: Arc::new(tree),
        };
        let plan = plan(&[subtree], &|_| true, &Reading::default());
        let claim =
            |planned: &crate::plan::Planned| (planned.parser.name, planned.artifact.clone());
        (plan.planned.iter().map(claim).collect(), digests)
    }

    fn named(namespace: &str, name: &str, target: &Digest) -> Named {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Named { namespace, name, target: target.clone() }
    }

    fn descriptor(content: &str) -> serde_json::Value {
        json!({"digest": Digest::of(content.as_bytes()).as_str()})
    }

    #[test]
    fn an_image_has_the_names_and_the_configurations_that_its_target_leads_to() {
        let diff = Digest::of(b"layer");
        let config = json!({"os": "linux", "rootfs": {"diff_ids": [diff.as_str()]}}).to_string();
        let manifest =
            json!({"config": descriptor(&config), "layers": [descriptor("gz")]}).to_string();
        let index = json!({"manifests": [descriptor(&manifest)]}).to_string();
        let (claims, digests) = store(&[config, manifest, index]);
        let [config, manifest, index] = digests.as_slice() else { panic!() };
        let names = [
            named("moby", "docker.io/library/web:1", index),
            named("k8s.io", "docker.io/library/web:1", index),
            named("moby", "127.0.0.1:5000/lab/web:1", index),
            named("moby", &format!("moby-dangling@{index}"), index),
        ];
        let found = read(&claims, &names, BTreeMap::new());
        assert_eq!(found.images.len(), 1, "a manifest of an index is no image of its own");
        let image = &found.images[index.as_str()];
        assert_eq!(image.tags, ["127.0.0.1:5000/lab/web:1", "web:1"]);
        let digests = [format!("127.0.0.1:5000/lab/web@{index}"), format!("web@{index}")];
        assert_eq!(image.digests, digests);
        assert_eq!(image.configs, [config.clone()]);
        assert_eq!(image.chain_ids, [ChainId(diff)]);
        for content in [config, manifest, index, &Digest::of(b"gz")] {
            assert_eq!(found.of(content), [index.to_string()]);
        }
        assert_eq!(found.of(&Digest::of(b"another")), [""; 0]);
    }

    #[test]
    fn an_image_without_a_name_is_found_by_its_manifest() {
        let config = json!({"os": "linux", "rootfs": {}}).to_string();
        let manifest = json!({"config": descriptor(&config), "layers": []}).to_string();
        let (claims, digests) = store(&[config, manifest]);
        let found = read(&claims, &[], BTreeMap::new());
        assert_eq!(found.images.keys().collect::<Vec<_>>(), [digests[1].as_str()]);
        assert_eq!(found.of(&digests[0]), [digests[1].to_string()]);
    }

    #[test]
    fn an_index_that_leads_to_itself_is_an_image_and_ends() {
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let to =
            |digest: &Digest| References { to: vec![digest.clone()], is_image: true, config: None };
        let known = BTreeMap::from([(one.clone(), to(&other)), (other.clone(), to(&one))]);
        let mut steps = 0;
        assert_eq!(contents(one.clone(), &known, &mut steps), [one, other]);
        assert_eq!(steps, 2);
    }

    #[test]
    fn a_name_whose_content_is_gone_is_an_image_all_the_same() {
        let target = Digest::of(b"gone");
        let found =
            read(&[], &[named("default", "docker.io/library/web:1", &target)], BTreeMap::new());
        assert_eq!(found.images[target.as_str()].tags, ["docker.io/library/web:1"]);
    }
}
