//! What a user may ask for beyond what is read of all evidence.

/// Files larger than this are not hashed unless the user says otherwise.
pub const HASH_LIMIT: u64 = 64 << 20;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The files of directories of the host that containers mount.
    pub bind_mounts: bool,
    /// SHA-256 of changed files and of files in volumes, of at most so many bytes each.
    pub hash: Option<u64>,
}
