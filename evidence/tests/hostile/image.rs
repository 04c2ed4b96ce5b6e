//! A stored image, changed where its readers look.

use dockline_evidence::ReadAt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Places are kept in pieces of this many bytes, and only where a piece has more than zeros.
const PIECE: u64 = 32;

/// An image, and where in it there is something that its readers go by.
pub(crate) struct Image {
    /// Its file, for messages.
    pub(crate) name: String,
    bytes: Arc<Vec<u8>>,
    /// Offsets of the pieces that were read on the way to all metadata.
    pieces: Vec<u64>,
}

/// An image that was changed.
#[derive(Clone, Default)]
pub(crate) struct Damage {
    /// What was written, and where.
    pub(crate) patches: Vec<(u64, Vec<u8>)>,
    /// What is left of it, in 256ths; 0 for all.
    pub(crate) cut: u8,
}

/// The folder of the stored images.
pub(crate) fn images() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|up| up.join("testdata/evidence"))
        .find(|folder| folder.is_dir())
        .expect("the folder of stored images is above the crate")
}

impl Image {
    /// The image in a compressed file of the stored images; `read` reads all of its metadata.
    pub(crate) fn load(name: &str, read: impl FnOnce(Arc<dyn ReadAt>)) -> Image {
        let file = std::fs::File::open(images().join(name)).expect(name);
        let bytes = Arc::new(zstd::decode_all(file).expect(name));
        let traced = Arc::new(Traced { bytes: bytes.clone(), reads: Mutex::new(Vec::new()) });
        read(traced.clone());
        let mut pieces: Vec<u64> = Vec::new();
        for (start, end) in traced.reads.lock().expect("no reader panicked").iter() {
            pieces.extend((start / PIECE..end.div_ceil(PIECE)).map(|piece| piece * PIECE));
        }
        pieces.sort_unstable();
        pieces.dedup();
        pieces.retain(|at| {
            let rest = &bytes[usize::try_from(*at).expect("it is in memory")..];
            rest.iter().take(32).any(|byte| *byte != 0)
        });
        Image { name: name.to_owned(), bytes, pieces }
    }

    /// How many bytes there are to change.
    pub(crate) fn places(&self) -> u64 {
        self.pieces.len() as u64 * PIECE
    }

    /// Where the byte `number`, counted over all places and from the start again, lies.
    pub(crate) fn place(&self, number: u64) -> u64 {
        let number = number % self.places().max(1);
        let piece = usize::try_from(number / PIECE).expect("it is below their number");
        self.pieces.get(piece).map_or(0, |piece| piece + number % PIECE)
    }

    /// The byte at a place.
    pub(crate) fn byte(&self, at: u64) -> u8 {
        usize::try_from(at).ok().and_then(|at| self.bytes.get(at)).copied().unwrap_or(0)
    }

    /// The image with this damage.
    pub(crate) fn damaged(&self, damage: Damage) -> Arc<dyn ReadAt> {
        let length = self.bytes.len() as u64;
        let length = if damage.cut == 0 { length } else { length / 256 * u64::from(damage.cut) };
        Arc::new(Damaged { bytes: self.bytes.clone(), patches: damage.patches, length })
    }
}

/// Bytes that remember which of them were read.
struct Traced {
    bytes: Arc<Vec<u8>>,
    reads: Mutex<Vec<(u64, u64)>>,
}

impl ReadAt for Traced {
    fn len(&self) -> u64 {
        ReadAt::len(&self.bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read_at(offset, buffer)?;
        self.reads.lock().expect("no reader panicked").push((offset, offset + count as u64));
        Ok(count)
    }
}

struct Damaged {
    bytes: Arc<Vec<u8>>,
    patches: Vec<(u64, Vec<u8>)>,
    length: u64,
}

impl ReadAt for Damaged {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let count = self.bytes.read_at(offset, &mut buffer[..wanted])?;
        for (start, patch) in &self.patches {
            for (byte, at) in patch.iter().zip(*start..) {
                let inside = at.checked_sub(offset).and_then(|at| usize::try_from(at).ok());
                if let Some(place) = inside.filter(|at| *at < count) {
                    buffer[place] = *byte;
                }
            }
        }
        Ok(count)
    }
}
