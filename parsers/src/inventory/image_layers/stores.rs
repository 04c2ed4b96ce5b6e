//! The file system of each image: the directories of its layers, in the store that holds them.
//!
//! | store | image | uppermost layer | below it |
//! |---|---|---|---|
//! | Docker, graph driver | `imagedb/content` | the last chain id of the configuration, `cache-id` in `layerdb` | the chain ids before it |
//! | containerd | a target | the committed snapshot that is named after the last chain id of its configuration | the chain ids before it |
//! | containers/storage | `images.json` | `layer` | `parent` in `layers.json` |
//!
//! Only layers that are directories count: images of archives, and those that containerd has not
//! unpacked, are not here.

use super::super::writable_layers::{LayerBelow, Style};
use dockline_evidence::{Tree, TreePath};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Layers may stand on so many others; engines allow fewer than 128.
const CHAIN_LIMIT: usize = 1_024;
/// Digits of an id that are enough to mean it.
const SHORT_ID: usize = 12;

/// An image of one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// `sha256:…`, as its store has it.
    pub id: String,
    /// `name:tag` and `name@sha256:…`.
    pub names: Vec<String>,
    /// What the store calls its uppermost layer.
    pub top: String,
}

/// A layer of one store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredLayer {
    /// Its directory, where the store knows it.
    pub(super) directory: Option<TreePath>,
    /// What the store calls the layer below.
    pub(super) parent: Option<String>,
    /// What it was unpacked onto, where that is no layer of the image.
    pub(super) stands_on: Option<String>,
}

/// A store of images whose layers are directories: a storage driver of a data root, or a
/// snapshotter.
#[derive(Clone)]
pub struct StoreOfImages {
    /// The tree that holds it.
    pub tree: Arc<dyn Tree>,
    /// The directory that holds the layers.
    pub place: TreePath,
    /// The storage driver or snapshotter.
    pub driver: String,
    /// How the directories of the driver are to be read.
    pub style: Style,
    /// Those that have layers, in the order of the store.
    pub images: Vec<StoredImage>,
    /// Layers by what the store calls them.
    pub(super) layers: BTreeMap<String, StoredLayer>,
}

/// What lies in the layers of an image.
#[derive(Clone)]
pub struct ImageFiles {
    /// The tree that holds them.
    pub tree: Arc<dyn Tree>,
    /// How their directories are to be read.
    pub style: Style,
    /// The layers, the uppermost first.
    pub layers: Vec<LayerBelow>,
    /// Those of which no directory is known.
    pub missing: Vec<String>,
    /// What layers were unpacked onto that is none of the image: containers of the image show it on
    /// this host, and copies of the image elsewhere do not have it.
    pub not_of_image: Vec<String>,
}

impl fmt::Debug for StoreOfImages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {:?} {:?}", self.driver, self.place, self.images, self.layers)
    }
}

impl StoreOfImages {
    /// The layers of one of its images.
    #[must_use]
    pub fn files(&self, image: &StoredImage) -> ImageFiles {
        let parent = |id: &&String| self.layers.get(*id)?.parent.as_ref();
        let (mut layers, mut missing, mut not_of_image) = (Vec::new(), Vec::new(), Vec::new());
        let mut chain = std::iter::successors(Some(&image.top), parent);
        for id in chain.by_ref().take(CHAIN_LIMIT) {
            let layer = self.layers.get(id);
            not_of_image.extend(layer.and_then(|layer| layer.stands_on.clone()));
            match layer.and_then(|layer| layer.directory.clone()) {
                Some(directory) => {
                    layers.push(LayerBelow { directory, id: id.clone(), is_init: false });
                }
                None => missing.push(id.clone()),
            }
        }
        let beyond = |id| format!("{id} below {CHAIN_LIMIT} others, a limit that was reached,");
        missing.extend(chain.next().map(beyond));
        ImageFiles { tree: self.tree.clone(), style: self.style, layers, missing, not_of_image }
    }
}

/// How a word means an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meant {
    /// By the end of its name, as Podman lets it be called: `web` for `localhost/lab/web:latest`.
    ByEnd,
    /// By its name or the beginning of its id.
    Fully,
}

impl StoredImage {
    /// Whether and how a word means this image; `:latest` may be left out.
    #[must_use]
    pub fn is_meant_by(&self, word: &str) -> Option<Meant> {
        let id = word.strip_prefix("sha256:").unwrap_or(word);
        let own = self.id.strip_prefix("sha256:").unwrap_or(&self.id);
        if id.len() >= SHORT_ID && own.starts_with(id) {
            return Some(Meant::Fully);
        }
        let latest = format!("{word}:latest");
        let words = [word, &latest].map(familiar);
        let names = self.names.iter().map(|name| familiar(name));
        names.flat_map(|name| words.map(|word| is_called(name, word))).max().flatten()
    }
}

/// A name without what Docker leaves out of it.
fn familiar(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}

fn is_called(name: &str, word: &str) -> Option<Meant> {
    match name.strip_suffix(word).filter(|_| !word.is_empty())? {
        "" => Some(Meant::Fully),
        before => before.ends_with('/').then_some(Meant::ByEnd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_evidence::MemoryTree;

    #[test]
    fn an_image_is_meant_by_its_name_or_the_beginning_of_its_id() {
        let names = ["docker.io/library/web:latest", "localhost/lab/db:2"].map(str::to_owned);
        let id = format!("sha256:{}", "ab".repeat(32));
        let image = StoredImage { id, names: names.to_vec(), top: String::new() };
        let by_name = ["web", "web:latest", "library/web", "docker.io/web", "localhost/lab/db:2"];
        let by_id = ["abababababab", "sha256:abababababab"];
        for word in by_name.into_iter().chain(by_id) {
            assert_eq!(image.is_meant_by(word), Some(Meant::Fully), "{word}");
        }
        for word in ["lab/db:2", "db:2"] {
            assert_eq!(image.is_meant_by(word), Some(Meant::ByEnd), "{word}");
        }
        for word in ["eb", "web:1", "lab/db", "ababab", "", ":2", "sha256:"] {
            assert_eq!(image.is_meant_by(word), None, "{word}");
        }
    }

    #[test]
    fn layers_are_those_from_the_uppermost_on_and_what_is_lost_is_named() {
        let layer = |directory: Option<&str>, parent: Option<&str>| StoredLayer {
            directory: directory.and_then(|path| TreePath::parse(path.as_bytes())),
            parent: parent.map(str::to_owned),
            stands_on: parent.filter(|id| *id == "base").map(|_| "init".to_owned()),
        };
        let layers = [
            ("top", layer(Some("s/3"), Some("lost"))),
            ("lost", layer(None, Some("base"))),
            ("base", layer(Some("s/1"), Some("never"))),
            ("circle", layer(Some("s/4"), Some("circle"))),
        ];
        let store = StoreOfImages {
            tree: Arc::new(MemoryTree::new()),
            place: TreePath::parse(b"s").unwrap(),
            driver: "overlay2".to_owned(),
            style: Style::Overlay,
            images: Vec::new(),
            layers: layers.map(|(id, layer)| (id.to_owned(), layer)).into(),
        };
        let files = |top: &str| {
            let top = top.to_owned();
            store.files(&StoredImage { id: String::new(), names: Vec::new(), top })
        };
        let found = files("top");
        let places: Vec<String> =
            found.layers.iter().map(|layer| layer.directory.to_string()).collect();
        assert_eq!(places, ["/s/3", "/s/1"]);
        assert_eq!(found.missing, ["lost", "never"]);
        assert_eq!(found.not_of_image, ["init"]);
        let circle = files("circle");
        assert_eq!(circle.layers.len(), CHAIN_LIMIT, "a circle ends");
        assert_eq!(circle.missing, ["circle below 1024 others, a limit that was reached,"]);
    }
}
