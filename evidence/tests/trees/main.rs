//! What every kind of evidence must answer, and what none of it may do.

mod answers;
mod archive;
mod damaged_archive;
#[cfg(target_os = "linux")]
mod hostile_directory;
#[cfg(unix)]
mod same_host;
