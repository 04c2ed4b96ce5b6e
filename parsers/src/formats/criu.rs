//! A checkpoint: a directory of images in which CRIU keeps frozen processes, their memory included.
//!
//! `core-<pid>.img` is of one task: two magic numbers, then a length and a protobuf message; that of
//! a process, not of a further thread, has the name of its program. `pages-*.img` are its memory as
//! it was: whatever secrets it held lie on the disk. After criu 4.1 `criu/include/magic.h`,
//! `images/core.proto`.
//!
//! Not supported: what is in the memory, open files and sockets.

use super::attributes::Attributes;
use super::protobuf;
use crate::{Artifact, ArtifactFile, Inventory};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Value,
};

/// What the image of a task begins with: any image, and one of a task.
const MAGIC: [u32; 2] = [0x5456_4319, 0x5505_3847];
/// The part of a task's record that only a process has, and in that the name of its program.
const PROCESS: u32 = 3;
const NAME: u32 = 6;
/// So many processes are told.
const PROCESS_LIMIT: usize = 256;
/// Larger images of a task are none: real ones have a few kilobytes.
const CORE_LIMIT: u64 = 1024 * 1024;

/// Tells a checkpoint at the time of its last file. The pattern that found it names the `container`,
/// and the `checkpoint` where the engine lets a container have several.
pub fn tell_checkpoint(
    (artifact, kind): (&Artifact, &Kind),
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let checkpoint = Checkpoint::read(artifact, findings);
    let (Some(file), Some(written)) = (artifact.files.first(), checkpoint.written) else { return };
    let Some(directory) = file.path.parent() else { return };
    let subject = inventory.container_subject(artifact.capture("container").unwrap_or_default());
    let name = artifact.capture("checkpoint");
    let named = name.map(|name| format!(" {name}")).unwrap_or_default();
    let text = format!("checkpoint{named} made: {}", checkpoint.described());
    let origin = file.origin_of(&directory);
    let mut event = Event::new(&origin, kind, &subject, (written, Meaning::Recorded));
    event.confidence = Confidence::Filesystem;
    event.action = "checkpoint";
    event.text = (&text).into();
    checkpoint.describe(&mut event);
    event.attribute("checkpoint", name.map(|name| Value::Text(name.into())));
    inventory.mark_removed(&mut event);
    findings.event(&event);
}

/// What a checkpoint holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Checkpoint {
    /// When the last of its files was written.
    written: Option<Instant>,
    /// How many files it has.
    files: usize,
    /// Bytes of all its files.
    size: u64,
    /// Number and program of each process, as the processes of the container saw them.
    processes: Vec<String>,
}

impl Checkpoint {
    /// Reads the files of an artifact that lie in one directory.
    fn read(artifact: &Artifact, findings: &mut dyn Findings) -> Checkpoint {
        let mut checkpoint = Checkpoint { files: artifact.files.len(), ..Checkpoint::default() };
        for file in &artifact.files {
            let Some(metadata) = artifact.metadata(file, findings) else { continue };
            checkpoint.written = checkpoint.written.max(metadata.modified);
            checkpoint.size = checkpoint.size.saturating_add(metadata.size);
            findings.records(&file.origin, 1, 0);
            checkpoint.add_process(artifact, file, findings);
        }
        checkpoint
    }

    fn add_process(
        &mut self,
        artifact: &Artifact,
        file: &ArtifactFile,
        findings: &mut dyn Findings,
    ) {
        let name = file.path.file_name().and_then(|name| std::str::from_utf8(name).ok());
        let number = name.and_then(|name| name.strip_prefix("core-")?.strip_suffix(".img"));
        let Some(number) = number.filter(|_| self.processes.len() < PROCESS_LIMIT) else { return };
        let Some(bytes) = artifact.read_up_to(file, CORE_LIMIT, findings) else { return };
        match program(&bytes) {
            Ok(Some(program)) => self.processes.push(format!("{number} {program}")),
            Ok(None) => {}
            Err(what) => findings.issue(file.issue(IssueKind::Malformed, Position::File, what)),
        }
    }

    /// What it holds, in words.
    fn described(&self) -> String {
        let (processes, files) = (self.processes.len(), self.files);
        format!("processes frozen with their memory: {processes}, files: {files}")
    }

    /// Puts what it holds on an event.
    fn describe<'a>(&'a self, event: &mut Event<'a>) {
        event.size = Some(self.size);
        let mut all = Attributes::default();
        all.texts("processes", &self.processes);
        event.attributes.extend(all.into_vec());
    }
}

/// The program of a process; `None` of a further thread.
fn program(image: &[u8]) -> Result<Option<String>, &'static str> {
    let mut rest = image;
    let mut number = || {
        let (head, tail) = rest.split_first_chunk::<4>()?;
        rest = tail;
        Some(u32::from_le_bytes(*head))
    };
    if [number(), number()] != MAGIC.map(Some) {
        return Err("no image of a task by CRIU");
    }
    let length = number().and_then(|length| usize::try_from(length).ok());
    let record = length.and_then(|length| rest.get(..length)).ok_or("a record that is cut off")?;
    let process = protobuf::last(record, PROCESS).and_then(protobuf::Value::bytes);
    let name = process.and_then(|process| protobuf::last(process, NAME));
    Ok(name.and_then(protobuf::Value::text).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;

    fn image(magic: u32, record: &[u8]) -> Vec<u8> {
        let length = u32::try_from(record.len()).unwrap();
        let head = [MAGIC[0], magic, length].map(u32::to_le_bytes).concat();
        [head.as_slice(), record].concat()
    }

    #[test]
    fn a_process_has_the_name_of_its_program_and_a_thread_has_none() {
        let process = [0x08, 1, 0x1a, 8, 0x08, 1, 0x32, 4, b'n', b'g', b'i', b'n'];
        assert_eq!(program(&image(MAGIC[1], &process)), Ok(Some("ngin".to_owned())));
        assert_eq!(program(&image(MAGIC[1], &[0x08, 1])), Ok(None));
    }

    #[test]
    fn what_is_no_image_of_a_task_is_named() {
        assert!(program(b"").is_err() && program(&image(7, b"")).is_err());
        let mut cut = image(MAGIC[1], &[0x08, 1]);
        cut.pop();
        assert_eq!(program(&cut), Err("a record that is cut off"));
    }

    #[test]
    fn a_checkpoint_of_either_engine_is_told_once_at_the_time_of_its_last_file() {
        let id = "a".repeat(64);
        let docker = (format!("d/containers/{id}/checkpoints/first"), "docker.checkpoint");
        let podman = format!("storage/overlay-containers/{id}/userdata/checkpoint");
        for (place, parser) in [docker, (podman, "podman.checkpoint")] {
            let core = image(MAGIC[1], &[0x1a, 4, 0x32, 2, b's', b'h']);
            let found = Case::default()
                .with(&format!("{place}/core-1.img"), core)
                .with(&format!("{place}/pages-1.img"), vec![0; 4096])
                .at("2026-02-01T00:00:00Z", &format!("{place}/inventory.img"), "x")
                .read(parser);
            let event = found.only("checkpoint");
            assert_eq!(event["datetime_ns"], "2026-02-01T00:00:00.000000000Z");
            assert_eq!(event["processes"][0], "1 sh");
            assert_eq!((event["size"].as_u64(), found.records), (Some(4115), 3));
        }
    }
}
