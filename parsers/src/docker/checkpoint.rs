//! Checkpoints that `docker checkpoint create` left: `containers/<id>/checkpoints/<name>/` (experimental
//! since 1.13). The container, unless it was told to run on, ended with it; `docker start --checkpoint`
//! goes on from it.
//!
//! | instant | event |
//! |---|---|
//! | time of the last file (`filesystem`) | checkpoint made; with its processes, whose memory lies in it |
//!
//! Not supported: checkpoints that were put elsewhere (`--checkpoint-dir`).

use crate::formats::criu::Checkpoint;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Confidence, Event, Findings, Kind, Meaning, Value};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.checkpoint",
    reads: &["containers/{container:id}/checkpoints/{checkpoint}/{file}"],
    gather: Gather::Together,
    about: "checkpoints of containers: their processes, frozen with their memory",
    yields: "checkpoint made, with the programs that ran",
    references: &["moby 29.7.2 daemon/checkpoint.go", "criu 4.1 images/core.proto"],
    parse,
};

static CHECKPOINT: Kind = Kind {
    data_type: "docker:checkpoint",
    source_short: "DOCKER",
    source_long: "Docker checkpoint",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let checkpoint = Checkpoint::read(artifact, findings);
    let (Some(file), Some(written)) = (artifact.files.first(), checkpoint.written) else { return };
    let Some(directory) = file.path.parent() else { return };
    let subject = inventory.container_subject(artifact.capture("container").unwrap_or_default());
    let name = artifact.capture("checkpoint").unwrap_or_default();
    let text = format!("checkpoint {name} made: {}", checkpoint.described());
    let origin = file.origin_of(&directory);
    let mut event = Event::new(&origin, &CHECKPOINT, &subject, (written, Meaning::Recorded));
    event.confidence = Confidence::Filesystem;
    event.action = "checkpoint";
    event.text = (&text).into();
    checkpoint.describe(&mut event);
    event.attribute("checkpoint", Some(Value::Text(name.into())));
    inventory.mark_removed(&mut event);
    findings.event(&event);
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn a_checkpoint_is_told_once_at_the_time_of_its_last_file() {
        let id = "a".repeat(64);
        let place = format!("d/containers/{id}/checkpoints/first");
        let core = [
            &[0x19, 0x43, 0x56, 0x54, 0x47, 0x38, 0x05, 0x55, 6, 0, 0, 0][..],
            &[0x1a, 4, 0x32, 2, b's', b'h'],
        ];
        let found = Case::default()
            .with(&format!("{place}/core-1.img"), core.concat())
            .with(&format!("{place}/pages-1.img"), vec![0; 4096])
            .at("2026-02-01T00:00:00Z", &format!("{place}/inventory.img"), "x")
            .read("docker.checkpoint");
        let event = found.only("checkpoint");
        assert_eq!(event["datetime_ns"], "2026-02-01T00:00:00.000000000Z");
        assert_eq!(event["processes"][0], "1 sh");
        assert_eq!((event["size"].as_u64(), found.records), (Some(4115), 3));
    }
}
