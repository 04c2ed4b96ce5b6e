//! The event at which an image was made, by its maker's clock.

use super::{CONFIGURATION, FIXED_DATE, ImageFile, is_fixed_date, list, text};
use crate::formats::image_config::{ImageConfig, Maker, RunConfig};
use crate::formats::secrets::names_of_secrets;
use dockline_timeline::{Event, Findings, Meaning, Position, Subject, Value};
use std::borrow::Cow;

impl ImageFile<'_> {
    pub(super) fn creation(&self, findings: &mut dyn Findings) {
        let Some(created) = self.config.created else { return };
        let maker = self.config.maker();
        let subject = self.subject_of(&maker);
        let fixed = is_fixed_date(created);
        let note = if fixed { FIXED_DATE } else { "" };
        let told = format!("{}{note}", told(&maker, &self.config, self.id.short()));
        let at = (created, Meaning::Creation);
        let mut event = Event::new(&self.file.origin, &CONFIGURATION, &subject, at);
        event.position = Position::Key("created");
        event.action = action(&maker);
        event.text = (&told).into();
        self.mark(&mut event);
        if fixed {
            event.tags.push(Cow::from("not-wall-clock"));
        }
        self.describe(&mut event);
        findings.event(&event);
    }

    /// The image; with the container that it was committed from, whose story it belongs to.
    fn subject_of(&self, maker: &Maker) -> Subject {
        let Maker::Commit(container) = maker else { return self.subject.clone() };
        Subject {
            image_name: self.subject.image_name.clone(),
            image_identifier: self.subject.image_identifier.clone(),
            ..self.inventory.container_subject(container)
        }
    }

    /// Says what the image is and what it runs.
    pub(super) fn describe<'a>(&'a self, event: &mut Event<'a>) {
        let config = &self.config;
        event.labels = &config.config.labels;
        event.attribute("image_author", text(config.author.as_ref()));
        event.attribute("image_comment", text(config.comment.as_ref()));
        event.attribute("architecture", text(config.architecture.as_ref()));
        event.attribute("operating_system", text(config.os.as_ref()));
        event.attribute("docker_version", text(config.docker_version.as_ref()));
        event.attribute("source_container", text(config.container.as_ref()));
        let layers = i64::try_from(config.diff_ids.len()).unwrap_or(i64::MAX);
        event.attribute("layers", Some(Value::Integer(layers)));
        run_config(event, &config.config);
    }
}

fn run_config<'a>(event: &mut Event<'a>, config: &'a RunConfig) {
    event.user = config.user.as_deref();
    event.attribute("entrypoint", list(&config.entrypoint));
    event.attribute("command", list(&config.command));
    event.attribute("environment", list(&config.environment));
    let secrets = names_of_secrets(&config.environment);
    if !secrets.is_empty() {
        event.tags.push(Cow::from("possible-secret"));
        let names = secrets.into_iter().map(Cow::from).collect();
        event.attribute("possible_secrets", Some(Value::List(names)));
    }
    event.attribute("working_directory", text(config.working_directory.as_ref()));
    event.attribute("exposed_ports", list(&config.ports));
    event.attribute("volumes", list(&config.volumes));
    event.attribute("health_check", list(&config.health_check));
    event.attribute("on_build", list(&config.on_build));
    event.attribute("stop_signal", text(config.stop_signal.as_ref()));
}

/// The engine's verb.
fn action(maker: &Maker) -> &'static str {
    match maker {
        Maker::Commit(_) => "commit",
        Maker::Import => "import",
        Maker::BuildKit | Maker::ClassicBuilder | Maker::Unknown => "build",
    }
}

fn told(maker: &Maker, config: &ImageConfig, id: &str) -> String {
    let engine = config.docker_version.as_deref().map(|version| format!(" (Docker {version})"));
    let engine = engine.unwrap_or_default();
    match maker {
        Maker::Commit(container) => {
            let container = container.get(..12).unwrap_or(container);
            format!("image {id} committed from container {container}{engine}")
        }
        Maker::Import => format!("image {id} imported from an archive{engine}"),
        Maker::BuildKit => format!("image {id} built by BuildKit{engine}"),
        Maker::ClassicBuilder => format!("image {id} built by the classic builder{engine}"),
        Maker::Unknown => format!("image {id} built"),
    }
}
