//! A file that is written from its beginning to its end, and gets room ahead of what is written.
//!
//! Of the time in which the system takes a large timeline, a fifth goes into finding room for each
//! write. Asked for a lot of room at once, it finds that in one piece. What is left over in the end is given
//! back. Only Linux is asked; where a file system knows no such thing, or has no room, the file
//! grows as any other.

use std::fs::File;
use std::io::{Result, Write};

/// Bytes of room that are asked for at once; a file that has not as many is asked none for.
const ROOM: u64 = 64 << 20;

/// A file that is written from its beginning.
pub(crate) struct GrowingFile {
    file: File,
    /// Bytes that were written.
    length: u64,
    /// Bytes of room that are asked for at once.
    step: u64,
    /// Up to where nothing is to be asked; `None` when no more is.
    room: Option<u64>,
}

impl GrowingFile {
    /// Writes into an empty file.
    pub(crate) fn new(file: File) -> GrowingFile {
        GrowingFile::in_steps(file, ROOM)
    }

    fn in_steps(file: File, step: u64) -> GrowingFile {
        GrowingFile { file, length: 0, step, room: Some(step) }
    }

    /// Asks for room, once what there was is used up.
    fn make_room(&mut self) {
        let Some(end) = self.room.filter(|end| self.length >= *end) else { return };
        let is_made = allocate(&self.file, end, self.step).is_ok();
        self.room = is_made.then(|| end.saturating_add(self.step));
    }
}

impl Write for GrowingFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.make_room();
        let written = self.file.write(bytes)?;
        self.length = self.length.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    /// Gives back what room is left.
    fn flush(&mut self) -> Result<()> {
        if self.room.is_none_or(|end| end > self.step) {
            self.file.set_len(self.length)?;
        }
        self.file.flush()
    }
}

/// Makes room behind the end of a file, and leaves its length as it is.
#[cfg(target_os = "linux")]
fn allocate(file: &File, from: u64, length: u64) -> Result<()> {
    Ok(rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, from, length)?)
}

#[cfg(not(target_os = "linux"))]
fn allocate(_: &File, _: u64, _: u64) -> Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};

    #[test]
    fn a_file_has_what_was_written_and_no_more_room_than_that() {
        let mut file = tempfile::tempfile().unwrap();
        let mut growing = GrowingFile::in_steps(file.try_clone().unwrap(), 1 << 20);
        let written: Vec<u8> = (0..=250).cycle().take(7 << 19).collect();
        for piece in written.chunks(200_000) {
            growing.write_all(piece).unwrap();
        }
        growing.flush().unwrap();
        growing.write_all(b"more").unwrap();
        growing.flush().unwrap();
        #[cfg(target_os = "linux")]
        {
            let metadata = file.metadata().unwrap();
            let room = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
            assert!(room < metadata.len() + (64 << 10), "{room}");
        }
        let mut read = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut read).unwrap();
        assert!(read == [&written[..], b"more"].concat());
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_get_room_is_written_all_the_same() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut growing = GrowingFile::in_steps(std::os::fd::OwnedFd::from(writer).into(), 4);
        growing.write_all(b"one\n").unwrap();
        growing.write_all(b"two\n").unwrap();
        assert_eq!(growing.room, None);
        drop(growing);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, "one\ntwo\n");
    }
}
