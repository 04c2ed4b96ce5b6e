//! The promises of the whole program and of the whole suite of parsers.
//!
//! - [`golden`]: each case of each parser gives exactly the events and issues that it says.
//! - [`hostile`]: no fixture, cut at any length or with any byte flipped, makes a parser panic.
//! - [`data_roots`]: a data root is found wherever it lies, and its events are attributed.
//! - [`events`]: how much of what the living engine told the timeline shows.
//! - [`disks`]: a host read from its disk, in any image, is the host that its archive holds.
//! - [`truth`]: the timeline of a real host says what its daemon said.
//! - [`truth_of_stores`]: so do its networks, volumes and builds.
//! - [`truth_of_files`]: so do the files that its containers changed.
//! - [`hard_names`]: whatever a file is called, its name comes back from each output as it was.
//! - [`truth_of_diff`]: `dockline diff` lists what `docker diff` and `podman diff` listed.
//! - [`truth_of_layers`]: what an engine wrote down of the files of its layers is what they hold.
//! - [`truth_of_podman`]: the timeline of a real host says what Podman said, of root and of a user.
//! - [`truth_of_volumes`]: what containers wrote into volumes is told with all its paths.
//! - [`same_bytes`]: the same bytes come out for any threads, memory, order and kind of evidence.
//! - [`command_line`]: what the program promises to its user.
//! - [`tidy`]: the rules of ARCHITECTURE.md that a compiler cannot hold.

#[path = "../evidence/tests/trees/archive.rs"]
mod archive;
mod case;
mod command_line;
mod data_roots;
mod disks;
mod events;
mod golden;
mod hard_names;
mod hostile;
mod program;
mod same_bytes;
mod tidy;
mod truth;
mod truth_of_diff;
mod truth_of_files;
mod truth_of_layers;
mod truth_of_podman;
mod truth_of_stores;
mod truth_of_volumes;
