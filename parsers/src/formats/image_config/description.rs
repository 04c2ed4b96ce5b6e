//! What the configuration of an image says, as fields and attributes of an event.

use super::{ImageConfig, RunConfig};
use crate::formats::secrets::names_of_secrets;
use dockline_timeline::{Event, Value};
use std::borrow::Cow;

impl ImageConfig {
    /// Says what the image is and what it runs.
    pub fn describe<'a>(&'a self, event: &mut Event<'a>) {
        event.labels = &self.config.labels;
        event.attribute("image_author", text(self.author.as_ref()));
        event.attribute("image_comment", text(self.comment.as_ref()));
        event.attribute("architecture", text(self.architecture.as_ref()));
        event.attribute("operating_system", text(self.os.as_ref()));
        event.attribute("docker_version", text(self.docker_version.as_ref()));
        event.attribute("source_container", text(self.container.as_ref()));
        let layers = i64::try_from(self.diff_ids.len()).unwrap_or(i64::MAX);
        event.attribute("layers", Some(Value::Integer(layers)));
        run_config(event, &self.config);
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

/// A list of texts, unless it is empty.
fn list(texts: &[String]) -> Option<Value<'_>> {
    (!texts.is_empty()).then(|| Value::List(texts.iter().map(Cow::from).collect()))
}

/// A text.
fn text(text: Option<&String>) -> Option<Value<'_>> {
    text.map(|text| Value::Text(text.into()))
}
