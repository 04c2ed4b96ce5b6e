//! The last checkpoint of a container of Podman or CRI-O: `userdata/checkpoint/` below its directory
//! in containers/storage. `podman container checkpoint` makes it, and so does the kubelet through
//! CRI-O; it stays unless it was exported or restored.
//!
//! | instant | event |
//! |---|---|
//! | time of the last file (`filesystem`) | checkpoint made; with its processes, whose memory lies in it |
//!
//! Not supported: exported archives.

use crate::formats::criu::Checkpoint;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Confidence, Event, Findings, Kind, Meaning};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.checkpoint",
    reads: &["{driver}-containers/{container:id}/userdata/checkpoint/{file}"],
    gather: Gather::Together,
    about: "checkpoint of a container: its processes, frozen with their memory",
    yields: "checkpoint made, with the programs that ran",
    references: &["podman 4.3.1 libpod/container_internal_linux.go", "criu 4.1 images/core.proto"],
    parse,
};

static CHECKPOINT: Kind = Kind {
    data_type: "podman:checkpoint",
    source_short: "PODMAN",
    source_long: "Podman checkpoint",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let checkpoint = Checkpoint::read(artifact, findings);
    let (Some(file), Some(written)) = (artifact.files.first(), checkpoint.written) else { return };
    let Some(directory) = file.path.parent() else { return };
    let subject = inventory.container_subject(artifact.capture("container").unwrap_or_default());
    let text = format!("checkpoint made: {}", checkpoint.described());
    let origin = file.origin_of(&directory);
    let mut event = Event::new(&origin, &CHECKPOINT, &subject, (written, Meaning::Recorded));
    event.confidence = Confidence::Filesystem;
    event.action = "checkpoint";
    event.text = (&text).into();
    checkpoint.describe(&mut event);

    inventory.mark_removed(&mut event);
    findings.event(&event);
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn a_checkpoint_is_told_once_at_the_time_of_its_last_file() {
        let id = "a".repeat(64);
        let place = format!("storage/overlay-containers/{id}/userdata/checkpoint");
        let core = [
            &[0x19, 0x43, 0x56, 0x54, 0x47, 0x38, 0x05, 0x55, 6, 0, 0, 0][..],
            &[0x1a, 4, 0x32, 2, b's', b'h'],
        ];
        let found = Case::default()
            .with(&format!("{place}/core-1.img"), core.concat())
            .with(&format!("{place}/pages-1.img"), vec![0; 4096])
            .at("2026-02-01T00:00:00Z", &format!("{place}/inventory.img"), "x")
            .read("podman.checkpoint");
        let event = found.only("checkpoint");
        assert_eq!(event["datetime_ns"], "2026-02-01T00:00:00.000000000Z");
        assert_eq!(event["processes"][0], "1 sh");
        assert_eq!((event["size"].as_u64(), found.records), (Some(4115), 3));
    }
}
