//! A step of an image in words, and the dates that are none.

use super::Step;
use dockline_timeline::Instant;
use std::borrow::Cow;

/// The latest of the instants that builders write when they do not want to tell the time:
/// 1980-01-01T00:00:01Z of buildpacks.
const LATEST_FIXED_DATE: i64 = 315_532_801;

/// What a person is told of such an instant.
pub const FIXED_DATE: &str = " (a fixed date of a reproducible build, not the time of the build)";

/// Whether the instant is one that builders write instead of a time.
#[must_use]
pub fn is_fixed_date(instant: Instant) -> bool {
    instant.seconds() <= LATEST_FIXED_DATE
}

impl Step {
    /// The step for a person.
    #[must_use]
    pub fn told(&self) -> String {
        let command = self.created_by.as_deref().map(instruction);
        match (command, &self.comment) {
            (Some(command), _) => format!("build step: {command}"),
            (None, Some(comment)) => format!("build step without a command: {comment}"),
            (None, None) => "build step without a command".to_owned(),
        }
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
