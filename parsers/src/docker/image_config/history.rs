//! The events of `docker history`: one for each step of an image.

use super::{ImageFile, text};
use crate::DiffId;
use crate::formats::image_config::{FIXED_DATE, Step, is_fixed_date};
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
        let told = format!("{}{note}", step.told());
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
