//! The events of `docker history`: one for each step of an image.

use super::{FIXED_DATE, ImageFile, is_fixed_date, text};
use crate::DiffId;
use crate::formats::image_config::Step;
use dockline_timeline::{Event, Findings, Kind, Meaning, Position, Value};
use std::borrow::Cow;

static HISTORY: Kind = Kind {
    data_type: "docker:image:history",
    source_short: "DOCKER",
    source_long: "Docker image history",
};

impl ImageFile<'_> {
    pub(super) fn history(&self, findings: &mut dyn Findings) {
        let layers = self.config.layer_of_steps();
        for (index, step) in self.config.history.iter().enumerate() {
            let layer = layers.as_ref().and_then(|layers| layers.get(index).copied().flatten());
            self.step((index, step), layer, findings);
        }
    }

    fn step(
        &self,
        (index, step): (usize, &Step),
        layer: Option<&DiffId>,
        findings: &mut dyn Findings,
    ) {
        let Some(created) = step.created else { return };
        let fixed = is_fixed_date(created);
        let note = if fixed { FIXED_DATE } else { "" };
        let told = format!("{}{note}", told(step));
        let key = format!("history[{index}].created");
        let at = (created, Meaning::Creation);
        let mut event = Event::new(&self.file.origin, &HISTORY, &self.subject, at);
        event.position = Position::Key(&key);
        event.action = "build";
        event.text = (&told).into();
        event.command_line = step.created_by.as_deref();
        self.mark(&mut event);
        if fixed {
            event.tags.push(Cow::from("not-wall-clock"));
        }
        let number = i64::try_from(index).unwrap_or(i64::MAX);
        event.attribute("history_index", Some(Value::Integer(number)));
        event.attribute("empty_layer", Some(Value::Boolean(step.empty_layer)));
        event.attribute("step_comment", text(step.comment.as_ref()));
        event.attribute("step_author", text(step.author.as_ref()));
        event.attribute("diff_id", layer.map(|layer| Value::Text(layer.0.as_str().into())));
        findings.event(&event);
    }
}

/// The step for a person.
pub(super) fn told(step: &Step) -> String {
    let command = step.created_by.as_deref().map(instruction);
    match (command, &step.comment) {
        (Some(command), _) => format!("build step: {command}"),
        (None, Some(comment)) => format!("build step without a command: {comment}"),
        (None, None) => "build step without a command".to_owned(),
    }
}

/// The instruction of the Dockerfile, without the shell that the classic builder writes before each
/// and the mark that BuildKit writes behind.
fn instruction(created_by: &str) -> Cow<'_, str> {
    let text = created_by.trim();
    if let Some((_, instruction)) = text.split_once("/bin/sh -c #(nop)") {
        return Cow::from(instruction.trim());
    }
    if let Some(command) = text.strip_prefix("/bin/sh -c ") {
        return Cow::from(format!("RUN {command}"));
    }
    if let Some(arguments) = text.strip_prefix('|') {
        return Cow::from(format!("RUN |{arguments}"));
    }
    Cow::from(text.strip_suffix("# buildkit").unwrap_or(text).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instruction_is_what_stood_in_the_dockerfile() {
        let cases = [
            ("/bin/sh -c #(nop)  ENV MODE=prod", "ENV MODE=prod"),
            ("/bin/sh -c #(nop) COPY file:6b in /app ", "COPY file:6b in /app"),
            ("/bin/sh -c echo one > /one", "RUN echo one > /one"),
            ("|1 A=x /bin/sh -c ls", "RUN |1 A=x /bin/sh -c ls"),
            ("RUN /bin/sh -c ls # buildkit", "RUN /bin/sh -c ls"),
            ("sh -c echo up", "sh -c echo up"),
        ];
        for (created_by, expected) in cases {
            assert_eq!(instruction(created_by), expected);
        }
    }
}
