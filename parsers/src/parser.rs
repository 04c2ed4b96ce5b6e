//! What a parser is: data about itself, and one function.

use crate::{Artifact, Inventory};
use dockline_timeline::Findings;
use std::sync::Arc;

/// Which of the files that a parser's patterns claim make up one artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// Each file is an artifact of its own.
    File,
    /// The files of one directory whose first capture is equal are one artifact, such as a log and
    /// its rotations.
    Together,
    /// All files of one data root are one artifact: what each means shows only beside the others.
    DataRoot,
    /// The first file of a data root, by path, stands for all of it: the parser lists the rest
    /// itself. For stores of so many files that one entry for each would not fit into memory.
    FirstOfRoot,
    /// Each directory that the inventory of the host names is an artifact, and stands for all that
    /// lies in it; the patterns only say where such directories lie.
    Directory,
}

/// A parser: one kind of artifact, turned into events.
#[derive(Debug)]
pub struct Parser {
    /// `family.file_name`, such as `docker.container_config`; also the module's path and the folder
    /// of its cases in `testdata`.
    pub name: &'static str,
    /// The files it reads, as [patterns](crate::pattern); the first that matches counts.
    pub reads: &'static [&'static str],
    /// Which of these files belong together.
    pub gather: Gather,
    /// What the artifact is, in one line.
    pub about: &'static str,
    /// Which events it gives, in one line.
    pub yields: &'static str,
    /// The upstream sources that the parser follows, with their versions.
    pub references: &'static [&'static str],
    /// Reads one artifact.
    pub parse: fn(&Arc<Artifact>, &Arc<Inventory>, &mut dyn Findings),
}
