//! Where a layer came from and went to: `distribution/v2metadata-by-diffid/sha256/<diff id>`.
//!
//! A list of at most 50 registries, the newest last: `[{"Digest":"sha256:…","SourceRepository":
//! "docker.io/library/alpine","HMAC":""}]` (moby `distribution/metadata/v2_metadata_service.go`).
//! A pull leaves the HMAC empty. A push writes the HMAC-SHA-256 of digest and repository; its key is
//! the digest of the JSON text of the credentials that were used, `{}` when there were none. Thus
//! the file tells pulls from pushes, and pushes with credentials from those without.

use super::json::{Fields, Wrong};
use crate::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What the engine did with the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// It came from there.
    Pulled,
    /// It was sent there, without credentials.
    PushedAnonymously,
    /// It was sent there, with credentials.
    PushedWithCredentials,
}

/// One registry that the layer came from or went to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSource {
    /// Digest of the compressed layer there.
    pub digest: Digest,
    /// Registry and repository: `docker.io/library/alpine`.
    pub repository: String,
    /// What was done.
    pub transfer: Transfer,
}

/// The registries, the newest last, and the indexes of entries that are none.
#[must_use]
pub fn read(document: &Value, wrong: &Wrong) -> (Vec<LayerSource>, Vec<usize>) {
    let (mut sources, mut bad) = (Vec::new(), Vec::new());
    let entries = document.as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, entry) in entries.iter().enumerate() {
        match source(&Fields::new(entry, wrong)) {
            Some(source) => sources.push(source),
            None => bad.push(index),
        }
    }
    (sources, bad)
}

fn source(fields: &Fields<'_>) -> Option<LayerSource> {
    let digest = Digest::parse(&fields.text("Digest")?)?;
    let repository = fields.text("SourceRepository")?;
    let transfer = match fields.text("HMAC") {
        None => Transfer::Pulled,
        Some(hmac) if hmac == anonymous_hmac(&digest, &repository) => Transfer::PushedAnonymously,
        Some(_) => Transfer::PushedWithCredentials,
    };
    Some(LayerSource { digest, repository, transfer })
}

fn anonymous_hmac(digest: &Digest, repository: &str) -> String {
    let key = Digest::of(b"{}");
    hmac_sha256(key.as_str().as_bytes(), &[digest.as_str().as_bytes(), repository.as_bytes()])
}

/// RFC 2104 for a key that is longer than a block of 64 bytes, as the text of a digest is.
fn hmac_sha256(long_key: &[u8], message: &[&[u8]]) -> String {
    let key = Sha256::digest(long_key);
    let padded = |pad: u8| {
        let mut block = [pad; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let mut inner = Sha256::new_with_prefix(padded(0x36));
    for part in message {
        inner.update(part);
    }
    let mut outer = padded(0x5c).to_vec();
    outer.extend_from_slice(&inner.finalize());
    Digest::of(&outer).hex().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LAYER: &str = "sha256:9ebe95cdf3e78dacf7e4db6a016ad74ca82df225c1a5bb1c68b8b23146d1d1e9";

    fn transfer(hmac: &Value) -> Transfer {
        let entry = json!([{
            "Digest": LAYER, "SourceRepository": "127.0.0.1:5000/lab/busybox", "HMAC": hmac
        }]);
        read(&entry, &Wrong::default()).0[0].transfer
    }

    #[test]
    fn the_hmac_is_the_one_that_a_real_engine_wrote_for_known_credentials() {
        let credentials = Digest::of(br#"{"username":"alice","password":"S3cr3t-lab-pw"}"#);
        let message = [LAYER.as_bytes(), b"127.0.0.1:5000/lab/busybox"];
        assert_eq!(
            hmac_sha256(credentials.as_str().as_bytes(), &message),
            "c800d8621614f2ee8f8079e355523d2ba010642d36b5fbfbf7b94f95965e5f2d"
        );
    }

    #[test]
    fn a_pull_a_push_and_a_push_with_credentials_are_told_apart() {
        assert_eq!(transfer(&json!("")), Transfer::Pulled);
        assert_eq!(transfer(&json!(null)), Transfer::Pulled);
        let anonymous = "568b4219f9784b83068f6624b48a7961c17120262b5c95c68b3dad9afd085d5f";
        assert_eq!(transfer(&json!(anonymous)), Transfer::PushedAnonymously);
        let real = "c800d8621614f2ee8f8079e355523d2ba010642d36b5fbfbf7b94f95965e5f2d";
        assert_eq!(transfer(&json!(real)), Transfer::PushedWithCredentials);
    }

    #[test]
    fn an_entry_that_is_none_costs_only_itself() {
        let good = json!({"Digest": LAYER, "SourceRepository": "a/b"});
        let (sources, bad) = read(&json!([{}, good, {"Digest": "x"}]), &Wrong::default());
        assert_eq!((sources.len(), bad), (1, vec![0, 2]));
    }
}
