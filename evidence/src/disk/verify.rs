//! Hashes of whole disks, to be held against those that their images store.

use super::StoredHash;
use crate::{EvidenceError, ReadAt};
use md5::{Digest, Md5};
use sha1::Sha1;
use std::fmt::Write;

/// Bytes read at once.
const BUFFER: usize = 1 << 20;

/// The hash of all bytes, from front to back, by the `algorithm` of a [`StoredHash`].
///
/// # Errors
/// Where a byte cannot be read, and of an algorithm that no image stores.
pub(crate) fn hash_of(
    bytes: &dyn ReadAt,
    algorithm: &'static str,
) -> Result<StoredHash, EvidenceError> {
    let digits = match algorithm {
        "MD5" => digits_of::<Md5>(bytes)?,
        "SHA1" => digits_of::<Sha1>(bytes)?,
        other => return Err(EvidenceError::Unsupported(format!("the hash algorithm {other}"))),
    };
    Ok(StoredHash { algorithm, digits })
}

fn digits_of<D: Digest>(bytes: &dyn ReadAt) -> Result<String, EvidenceError> {
    let mut digest = D::new();
    let mut buffer = vec![0; BUFFER];
    let mut at = 0_u64;
    loop {
        let count = bytes.read_at(at, &mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        digest.update(read);
        at = at.saturating_add(ReadAt::len(read));
    }
    if at < bytes.len() {
        let (need, have) = (format!("{} bytes", bytes.len()), at.to_string());
        return Err(EvidenceError::Malformed { what: "disk", at, need, have });
    }
    Ok(hexadecimal(&digest.finalize()))
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

    #[test]
    fn hashes_are_those_of_the_standards() {
        let bytes = b"abc".to_vec();
        let md5 = hash_of(&bytes, "MD5").unwrap();
        assert_eq!(md5.digits, "900150983cd24fb0d6963f7d28e17f72");
        let sha1 = hash_of(&bytes, "SHA1").unwrap();
        assert_eq!(sha1.digits, "a9993e364706816aba3e25717850c26c9cd0d89d");
        let error = hash_of(&bytes, "CRC").unwrap_err();
        assert_eq!(error.to_string(), "the hash algorithm CRC is not supported");
    }
}
