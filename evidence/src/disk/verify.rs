//! Hashes of whole disks, to be held against those that their images store.

use super::StoredHash;
use crate::{EvidenceError, ReadAt};
use md5::{Digest, Md5};
use sha1::Sha1;
use std::fmt::Write;

/// Bytes read at once.
const BUFFER: usize = 1 << 20;

/// The digits of all bytes, from front to back, by the algorithm of each [`StoredHash`]; the bytes
/// are read once for all of them.
///
/// # Errors
/// Where a byte cannot be read, and of an algorithm that no image stores.
pub(crate) fn digits_of(
    bytes: &dyn ReadAt,
    stored: &[StoredHash],
) -> Result<Vec<String>, EvidenceError> {
    let mut hashes: Vec<Hash> =
        stored.iter().map(|stored| Hash::new(stored.algorithm)).collect::<Result<_, _>>()?;
    let mut buffer = vec![0; BUFFER];
    let mut at = 0_u64;
    loop {
        let count = bytes.read_at(at, &mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        hashes.iter_mut().for_each(|hash| hash.update(read));
        at = at.saturating_add(ReadAt::len(read));
    }
    if at < bytes.len() {
        let (need, have) = (format!("{} bytes", bytes.len()), at.to_string());
        return Err(EvidenceError::Malformed { what: "disk", at, need, have });
    }
    Ok(hashes.into_iter().map(Hash::digits).collect())
}

/// A hash of the bytes that were read so far.
enum Hash {
    Md5(Md5),
    Sha1(Sha1),
}

impl Hash {
    fn new(algorithm: &str) -> Result<Hash, EvidenceError> {
        match algorithm {
            "MD5" => Ok(Hash::Md5(Md5::new())),
            "SHA1" => Ok(Hash::Sha1(Sha1::new())),
            other => Err(EvidenceError::Unsupported(format!("the hash algorithm {other}"))),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Hash::Md5(hash) => hash.update(bytes),
            Hash::Sha1(hash) => hash.update(bytes),
        }
    }

    fn digits(self) -> String {
        match self {
            Hash::Md5(hash) => hexadecimal(&hash.finalize()),
            Hash::Sha1(hash) => hexadecimal(&hash.finalize()),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts the bytes that are read.
    struct Counted(Vec<u8>, AtomicUsize);

    impl ReadAt for Counted {
        fn len(&self) -> u64 {
            ReadAt::len(&self.0)
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.read_at(offset, buffer)?;
            self.1.fetch_add(count, Ordering::Relaxed);
            Ok(count)
        }
    }

    fn stored(algorithm: &'static str) -> StoredHash {
        StoredHash { algorithm, digits: String::new() }
    }

    #[test]
    fn hashes_are_those_of_the_standards_and_the_bytes_are_read_once() {
        let bytes = Counted(b"abc".to_vec(), AtomicUsize::new(0));
        let expected =
            ["900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d"];
        assert_eq!(digits_of(&bytes, &[stored("MD5"), stored("SHA1")]).unwrap(), expected);
        assert_eq!(bytes.1.load(Ordering::Relaxed), 3);
        let error = digits_of(&bytes, &[stored("CRC")]).unwrap_err();
        assert_eq!(error.to_string(), "the hash algorithm CRC is not supported");
    }
}
