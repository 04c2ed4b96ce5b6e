//! Layers in archives of images.

use super::super::{Silent, WritableLayers, writable_layers::Style};
use super::{ImageLayer, ImageLayers};
use crate::Artifact;
use crate::formats::image_archive;
use dockline_timeline::Subject;

/// Adds the layers of the images of one archive.
pub(super) fn add(artifact: &Artifact, layers: &mut ImageLayers) {
    for image in &image_archive::read(artifact, &mut Silent).images {
        let subject = Subject {
            image_name: image.names.first().cloned(),
            image_identifier: image.id.as_ref().map(ToString::to_string),
            ..Subject::UNKNOWN
        };
        for (path, chain) in image.chain() {
            let layer = ImageLayer {
                tree: artifact.tree.clone(),
                id: chain.0.to_string(),
                subject: subject.clone(),
                style: Style::NamedWhiteouts,
                directory: None,
                list: None,
                archive: Some(path.clone()),
                registry: None,
            };
            layers.add(Some(layer), &WritableLayers::default());
        }
    }
}
