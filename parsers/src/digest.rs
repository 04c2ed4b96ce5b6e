//! Digests: what the engine names content by.

use dockline_evidence::ReadAt;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io;

/// Bytes that are read of a content at once.
const PIECE: usize = 256 * 1024;

/// A SHA-256 digest as the engine writes it: `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    const PREFIX: &'static str = "sha256:";

    /// The digest in `text`, if it is one, with nothing around it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Digest> {
        Self::from_hex(text.strip_prefix(Self::PREFIX)?)
    }

    /// The digest of these 64 digits, as it stands in names of files.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Digest> {
        let is_digest = crate::container_id::is_id(digits.as_bytes());
        is_digest.then(|| Digest(format!("{}{digits}", Self::PREFIX)))
    }

    /// The digest of a content.
    #[must_use]
    pub fn of(content: &[u8]) -> Digest {
        Self::from_bytes(&Sha256::digest(content))
    }

    /// The digest of a content that is read piece by piece.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn of_file(content: &dyn ReadAt) -> io::Result<Digest> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0_u8; PIECE];
        let mut offset = 0_u64;
        while offset < content.len() {
            let count = content.read_at(offset, &mut buffer)?;
            let piece = buffer.get(..count).filter(|piece| !piece.is_empty());
            let Some(piece) = piece else { return Err(io::ErrorKind::UnexpectedEof.into()) };
            hasher.update(piece);
            offset = offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok(Self::from_bytes(&hasher.finalize()))
    }

    fn from_bytes(hash: &[u8]) -> Digest {
        let mut text = String::from(Self::PREFIX);
        for byte in hash {
            for digit in [byte >> 4, byte & 0xf] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        Digest(text)
    }

    /// `sha256:…`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).unwrap_or(&self.0)
    }

    /// The first 12 digits, for persons.
    #[must_use]
    pub fn short(&self) -> &str {
        self.hex().get(..12).unwrap_or_default()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The digest of an uncompressed layer: the tar stream as it was before compression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiffId(pub Digest);

/// A layer together with all layers below it.
///
/// The chain id of a base layer is its diff id; of any other it is the digest of the text
/// `<chain id of the layer below> <its diff id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub Digest);

impl ChainId {
    /// The chain id of the layer `diff` on top of `below`.
    #[must_use]
    pub fn on(below: Option<&ChainId>, diff: &DiffId) -> ChainId {
        match below {
            None => ChainId(diff.0.clone()),
            Some(below) => ChainId(Digest::of(format!("{} {}", below.0, diff.0).as_bytes())),
        }
    }

    /// The chain ids of the layers of an image, the base first.
    #[must_use]
    pub fn of_layers(diff_ids: &[DiffId]) -> Vec<ChainId> {
        let mut chain: Vec<ChainId> = Vec::with_capacity(diff_ids.len());
        for diff in diff_ids {
            chain.push(ChainId::on(chain.last(), diff));
        }
        chain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_lower_case_digits_are_a_digest() {
        let digits = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b""), Digest::from_hex(digits).unwrap());
        assert_eq!(Digest::of(b"").short(), "e3b0c44298fc");
        assert_eq!(Digest::of(b"").hex(), digits);
        let wrong = [digits, "sha256:", "sha512:e3", &format!("sha256:{digits}\n")];
        for text in wrong {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
        assert_eq!(Digest::parse(&format!("sha256:{}", digits.to_uppercase())), None);
    }

    #[test]
    fn a_content_that_is_read_in_pieces_has_the_digest_of_the_whole() {
        for length in [0, 1, PIECE - 1, PIECE, 2 * PIECE + 1] {
            let content = vec![b'x'; length];
            assert_eq!(Digest::of_file(&content).unwrap(), Digest::of(&content), "{length}");
        }
    }

    #[test]
    fn the_chain_of_a_real_image_is_that_of_the_engine() {
        let diff = |hex: &str| DiffId(Digest::from_hex(hex).unwrap());
        let chain = ChainId::of_layers(&[
            diff("8220ae6de119a4115feaacd36d26c2cd7b6170e1cfee8071d13380285bc5fb38"),
            diff("01c4301376c56eb0d44ecf2daf1b922b4dba7bbb5615683afce7294d6401061e"),
            diff("3124a9b1c87caf36409488297d74fa1d342d5e8391764a8271e09007963e62ec"),
        ]);
        let hex: Vec<&str> = chain.iter().map(|id| id.0.hex()).collect();
        assert_eq!(
            hex,
            [
                "8220ae6de119a4115feaacd36d26c2cd7b6170e1cfee8071d13380285bc5fb38",
                "2dcd796cc2619592b465b8d210af2e562eaeb6942d992ee06e58a02849a6e465",
                "22db461e8a413f0dbc1cb225872f0a8ee5b1d8f0a1f845852782614a42c244e6",
            ]
        );
    }

    #[test]
    fn every_chain_id_of_a_real_host_is_computed_from_its_layers() {
        let host = include_str!("../../testdata/docker.layer/engine-20.10-chains.txt");
        for line in host.lines() {
            let ids: Vec<Digest> = line.split(' ').map(|id| Digest::parse(id).unwrap()).collect();
            let below = ids.get(2).cloned().map(ChainId);
            assert_eq!(ChainId::on(below.as_ref(), &DiffId(ids[1].clone())).0, ids[0]);
        }
        assert_eq!(host.lines().count(), 13);
    }
}
