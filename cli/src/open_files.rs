//! How many files may be open at once. Images in hundreds of segments, hundreds of them in one run,
//! are more than the 1,024 that Linux allows a process at first; it may allow itself more.

/// Raises the limit as far as the system allows without being asked.
#[cfg(target_os = "linux")]
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, a file that is one too many is an error at its own name.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Other systems have no such limit, or one that is high enough.
#[cfg(not(target_os = "linux"))]
pub(crate) fn raise_limit() {}
