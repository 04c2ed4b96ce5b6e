//! The progress bar, on a terminal only.

use crate::arguments::When;
use crate::request::Request;
use dockline_timeline::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// The bar; hidden when nobody would see it.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(request: &Request) -> Bar {
        let seen = match request.progress {
            When::Always => true,
            When::Never => false,
            When::Auto => std::io::stderr().is_terminal() && !request.quiet,
        };
        let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let colour = if request.colour { ".cyan/dim" } else { "" };
        let template =
            format!("{{msg:8}} {{wide_bar{colour}}} {{pos}}/{{len}} {{elapsed_precise}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }

    fn show(&self, what: &'static str, done: u64, total: u64) {
        self.0.set_message(what);
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Progress for Bar {
    fn jobs(&self, done: u64, total: u64) {
        self.show("reading", done, total);
    }

    fn slices(&self, done: u64, total: u64) {
        self.show("writing", done, total);
    }
}
