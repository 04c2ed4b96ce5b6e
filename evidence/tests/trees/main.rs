//! What every kind of evidence must answer, and what none of it may do.

#[cfg(target_os = "linux")]
mod against_mount;
mod answers;
mod archive;
mod damaged_archive;
#[cfg(target_os = "linux")]
mod every_kind_of_node;
#[cfg(target_os = "linux")]
mod ext4;
#[cfg(target_os = "linux")]
mod hostile_directory;
#[cfg(target_os = "linux")]
mod ntfs;
#[cfg(unix)]
mod same_host;
#[cfg(target_os = "linux")]
mod xfs;
