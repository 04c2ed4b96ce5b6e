//! A log and its rotations, read as one: which files belong to it, in which order they were
//! written, and a window that moves forward over their content, which may be compressed.
//!
//! Docker's drivers number their rotations (moby 20.10 to 29, `daemon/logger/loggerutils/logfile.go`),
//! so do conmon and others; the kubelet dates them (Kubernetes 1.10 to 1.34,
//! `pkg/kubelet/logs/container_log_manager.go`).

pub mod chain;
pub mod rotation;
pub mod window;

pub use chain::{Chain, Part, Spot};
pub use rotation::{DATED, NUMBERED, Naming, Rotation};
