//! The configuration of an image: a JSON text whose SHA-256 is the image's id.
//!
//! OCI's image configuration with the additions of moby's `image/image.go` (`daemon/internal/image`
//! from 29.0): `container`, `container_config` and `docker_version` are written by the classic
//! builder, `docker commit` and `docker import`. All of it is the word of whoever made the image.

mod description;
mod events;
mod step;

pub use events::ConfigEvents;
pub use step::{FIXED_DATE, is_fixed_date};

use super::json::{self, Fields, Wrong};
use crate::{ArtifactFile, DiffId, Digest};
use dockline_timeline::{Findings, Instant, IssueKind, Position};
use serde_json::Value;

/// One step in which an image was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// When, by the clock of whoever built it; `None` when unknown.
    pub created: Option<Instant>,
    /// The command of the step, as it is written.
    pub created_by: Option<String>,
    /// `buildkit.dockerfile.v0`, the text of `docker commit -m`, ...
    pub comment: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Whether the step changed no file, and so made no layer.
    pub empty_layer: bool,
}

/// What a container of the image runs with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunConfig {
    /// The image that it was made on, as the user or the builder named it.
    pub image: Option<String>,
    /// Entry point.
    pub entrypoint: Vec<String>,
    /// Command.
    pub command: Vec<String>,
    /// `NAME=value`.
    pub environment: Vec<String>,
    /// User.
    pub user: Option<String>,
    /// Working directory.
    pub working_directory: Option<String>,
    /// Ports, such as `80/tcp`.
    pub ports: Vec<String>,
    /// Directories that are volumes.
    pub volumes: Vec<String>,
    /// `name=value`.
    pub labels: Vec<String>,
    /// The command of the health check.
    pub health_check: Vec<String>,
    /// Commands that run when another image is built on this one.
    pub on_build: Vec<String>,
    /// Signal that stops the container.
    pub stop_signal: Option<String>,
}

/// The configuration of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// When it was made, by the clock of whoever made it.
    pub created: Option<Instant>,
    /// Who made it.
    pub author: Option<String>,
    /// What its maker said of it.
    pub comment: Option<String>,
    /// `amd64`.
    pub architecture: Option<String>,
    /// `linux`.
    pub os: Option<String>,
    /// The engine that made it.
    pub docker_version: Option<String>,
    /// The container that it was made from.
    pub container: Option<String>,
    /// How that container was run.
    pub container_config: RunConfig,
    /// How containers of it are run.
    pub config: RunConfig,
    /// Its steps, the oldest first.
    pub history: Vec<Step>,
    /// Its layers, the base first.
    pub diff_ids: Vec<DiffId>,
    /// Entries of the list of layers that are no digest, as `(key, what)`.
    pub wrong_layers: Vec<(String, String)>,
}

/// How an image was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Maker {
    /// `docker commit` of this container.
    Commit(String),
    /// `docker import` of a tar archive.
    Import,
    /// BuildKit.
    BuildKit,
    /// The classic builder of the engine.
    ClassicBuilder,
    /// Another tool, or nothing tells.
    Unknown,
}

impl ImageConfig {
    /// The configuration; empty when the file holds none.
    pub fn of_file(file: &ArtifactFile, bytes: &[u8], findings: &mut dyn Findings) -> ImageConfig {
        let document = match json::read(bytes) {
            Ok(document) => document,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                return ImageConfig::default();
            }
        };
        findings.records(&file.origin, 1, document.length);
        let wrong = Wrong::default();
        let config = ImageConfig::read(&document.value, &wrong);
        for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
            flaw.report(file, findings);
        }
        for (key, what) in &config.wrong_layers {
            findings.issue(file.issue(IssueKind::Malformed, Position::Key(key), what.as_str()));
        }
        config
    }

    /// Reads the configuration; what is wrong in it costs only itself.
    #[must_use]
    pub fn read(document: &Value, wrong: &Wrong) -> ImageConfig {
        let fields = Fields::new(document, wrong);
        let (diff_ids, wrong_layers) = layers(&fields.object("rootfs").texts("diff_ids"));
        ImageConfig {
            created: fields.instant("created"),
            author: fields.text("author"),
            comment: fields.text("comment"),
            architecture: fields.text("architecture"),
            os: fields.text("os"),
            docker_version: fields.text("docker_version"),
            container: fields.text("container"),
            container_config: run_config(&fields.object("container_config")),
            config: run_config(&fields.object("config")),
            history: fields.objects("history").iter().map(step).collect(),
            diff_ids,
            wrong_layers,
        }
    }

    /// How the image was made, as far as its configuration tells.
    ///
    /// The builder names the image below by its id and writes no comment; `docker commit` copies
    /// the name that the user gave to `docker run`, and the comment that he gave to it.
    #[must_use]
    pub fn maker(&self) -> Maker {
        let last = self.history.last();
        let comment = last.and_then(|step| step.comment.as_deref()).unwrap_or_default();
        let command = last.and_then(|step| step.created_by.as_deref()).unwrap_or_default();
        if comment.starts_with("buildkit.") {
            return Maker::BuildKit;
        }
        if self.docker_version.is_none() {
            return Maker::Unknown;
        }
        let Some(container) = &self.container else {
            let imported = self.history.len() == 1 && command.is_empty();
            return if imported { Maker::Import } else { Maker::ClassicBuilder };
        };
        let image = self.container_config.image.as_deref().unwrap_or_default();
        let named_by_user = !image.is_empty() && !image.starts_with("sha256:");
        if !command.contains("#(nop)") && (named_by_user || !comment.is_empty()) {
            return Maker::Commit(container.clone());
        }
        Maker::ClassicBuilder
    }

    /// The layer that each step made, step by step; `None` when the steps that made one are not as
    /// many as the layers, as in squashed images: then nothing tells which step made which.
    #[must_use]
    pub fn layer_of_steps(&self) -> Option<Vec<Option<&DiffId>>> {
        let made = self.history.iter().filter(|step| !step.empty_layer).count();
        if made != self.diff_ids.len() {
            return None;
        }
        let mut layers = self.diff_ids.iter();
        let layer = |step: &Step| if step.empty_layer { None } else { layers.next() };
        Some(self.history.iter().map(layer).collect())
    }
}

fn layers(texts: &[String]) -> (Vec<DiffId>, Vec<(String, String)>) {
    let mut wrong = Vec::new();
    let mut layers = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match Digest::parse(text) {
            Some(digest) => layers.push(DiffId(digest)),
            None => {
                let shown: String = text.chars().take(80).collect();
                wrong
                    .push((format!("rootfs.diff_ids[{index}]"), format!("{shown:?} is no digest")));
            }
        }
    }
    (layers, wrong)
}

fn step(fields: &Fields<'_>) -> Step {
    Step {
        created: fields.instant("created"),
        created_by: fields.text("created_by"),
        comment: fields.text("comment"),
        author: fields.text("author"),
        empty_layer: fields.boolean("empty_layer").unwrap_or(false),
    }
}

fn run_config(fields: &Fields<'_>) -> RunConfig {
    RunConfig {
        image: fields.text("Image"),
        entrypoint: fields.texts("Entrypoint"),
        command: fields.texts("Cmd"),
        environment: fields.texts("Env"),
        user: fields.text("User"),
        working_directory: fields.text("WorkingDir"),
        ports: fields.object("ExposedPorts").keys(),
        volumes: fields.object("Volumes").keys(),
        labels: fields.object("Labels").pairs(),
        health_check: fields.object("Healthcheck").texts("Test"),
        on_build: fields.texts("OnBuild"),
        stop_signal: fields.text("StopSignal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(document: &Value) -> ImageConfig {
        ImageConfig::read(document, &Wrong::default())
    }

    #[test]
    fn steps_are_mapped_to_layers_only_when_their_numbers_agree() {
        let layer = Digest::of(b"");
        let history = json!([{"empty_layer": true}, {}, {"empty_layer": null}]);
        let config = |count: usize| {
            let rootfs = json!({"diff_ids": vec![layer.as_str(); count]});
            read(&json!({"history": history, "rootfs": rootfs}))
        };
        let diff = DiffId(layer.clone());
        assert_eq!(config(2).layer_of_steps(), Some(vec![None, Some(&diff), Some(&diff)]));
        assert_eq!(config(1).layer_of_steps(), None);
        assert_eq!(config(3).layer_of_steps(), None);
    }

    #[test]
    fn the_maker_is_told_from_what_it_leaves() {
        let maker = |document: Value| read(&document).maker();
        let built = json!({"docker_version": "20", "container": "c",
            "container_config": {"Image": "sha256:1"}, "history": [{"created_by": "/bin/sh -c ls"}]});
        assert_eq!(maker(built.clone()), Maker::ClassicBuilder);
        let mut committed = built.clone();
        committed["container_config"]["Image"] = json!("httpd");
        assert_eq!(maker(committed.clone()), Maker::Commit("c".to_owned()));
        committed["history"][0]["created_by"] = json!("/bin/sh -c #(nop) CMD");
        assert_eq!(maker(committed), Maker::ClassicBuilder);
        let imported = json!({"docker_version": "20", "history": [{"comment": "Imported"}]});
        assert_eq!(maker(imported), Maker::Import);
        let buildkit = json!({"history": [{"comment": "buildkit.dockerfile.v0"}]});
        assert_eq!(maker(buildkit), Maker::BuildKit);
        assert_eq!(maker(json!({"history": [{}]})), Maker::Unknown);
    }

    #[test]
    fn a_layer_that_is_no_digest_is_told() {
        let config =
            read(&json!({"rootfs": {"diff_ids": ["../../etc", Digest::of(b"").as_str()]}}));
        assert_eq!(config.diff_ids, [DiffId(Digest::of(b""))]);
        let wrong = ("rootfs.diff_ids[0]".to_owned(), "\"../../etc\" is no digest".to_owned());
        assert_eq!(config.wrong_layers, [wrong]);
    }
}
