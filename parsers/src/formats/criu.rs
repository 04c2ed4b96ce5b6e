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
use crate::{Artifact, ArtifactFile};
use dockline_timeline::{Event, Findings, Instant, IssueKind, Position};

/// What the image of a task begins with: any image, and one of a task.
const MAGIC: [u32; 2] = [0x5456_4319, 0x5505_3847];
/// The part of a task's record that only a process has, and in that the name of its program.
const PROCESS: u32 = 3;
const NAME: u32 = 6;
/// So many processes are told.
const PROCESS_LIMIT: usize = 256;
/// Larger images of a task are none: real ones have a few kilobytes.
const CORE_LIMIT: u64 = 1024 * 1024;

/// What a checkpoint holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// When the last of its files was written.
    pub written: Option<Instant>,
    /// How many files it has.
    pub files: usize,
    /// Bytes of all its files.
    pub size: u64,
    /// Number and program of each process, as the processes of the container saw them.
    pub processes: Vec<String>,
}

impl Checkpoint {
    /// Reads the files of an artifact that lie in one directory.
    pub fn read(artifact: &Artifact, findings: &mut dyn Findings) -> Checkpoint {
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
    #[must_use]
    pub fn described(&self) -> String {
        let (processes, files) = (self.processes.len(), self.files);
        format!("processes frozen with their memory: {processes}, files: {files}")
    }

    /// Puts what it holds on an event.
    pub fn describe<'a>(&'a self, event: &mut Event<'a>) {
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
}
