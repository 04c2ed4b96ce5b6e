//! What the user typed.

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  dockline timeline web1.tar.zst -o web1.csv
  dockline timeline web1.E01 laptop.raw data.vhdx -o case.jsonl -o case.body
  dockline timeline web1=/mnt/a web2=/mnt/b -o case.jsonl --report case.json
  dockline timeline /mnt/web1 --start 2024-05-01 --container shop-db | jq .message
  dockline timeline cases/*.E01 -o case.jsonl --per-host hosts/
  dockline diff web1.E01 --container shop-db
  dockline sources web1.E01 laptop.raw
  dockline parsers

Exit status: 0 done; 3 done, but something could not be read (see the report); 1 failed; 2 wrong usage.";

const DIFF_EXAMPLES: &str = "\
Examples:
  dockline diff web1.E01                                which containers there are
  dockline diff web1.E01 --container shop-db            as 'docker diff shop-db' would have said
  dockline diff web1.E01 --container 4f0c1d2e3a5b --long
  dockline diff web1.E01 var.raw --container shop-db --json | jq '.changes[] | select(.letter)'
  dockline diff web1.E01 shop:1.0 shop:1.1              what differs between two images
  dockline diff web1.E01 var.raw --images shop:1.0 sha256:4f0c1d2e3a5b

Letters: A added, C changed, D deleted. A directory is C when something below it is listed; what lies
in a deleted directory is not listed by itself. --json has every change, those without a letter, too.

Exit status: 0 done; 3 done, but something could not be read; 1 failed; 2 wrong usage.";

/// Turns the evidence of a dead container host into one super-timeline.
#[derive(Debug, Parser)]
#[command(name = "dockline", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write one timeline of all evidence
    #[command(after_help = EXAMPLES)]
    Timeline(Box<TimelineArguments>),
    /// Show what a container changed in its files, as 'docker diff' does, or one image against another
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArguments),
    /// Show what the evidence is: images, volumes, file systems, hosts, engines, data roots
    Sources(SourcesArguments),
    /// List every parser: what it reads and what it yields
    Parsers,
}

/// When to draw the progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// When standard error is a terminal
    Auto,
    /// Also when it is not
    Always,
    /// Not at all
    Never,
}

/// Which virtual disks inside the evidence to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Nested {
    /// Those that engines are known to use, such as docker_data.vhdx
    Known,
    /// Every file that is a disk by its content
    All,
    /// None
    Never,
}

/// Which layers of images to tell, file by file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layers {
    /// None
    None,
    /// Those that did not come from a registry
    Built,
    /// All
    All,
}

#[derive(Debug, Args)]
pub(crate) struct TimelineArguments {
    /// A directory (a mounted root, a data root, or a folder with pieces of one), a tar or zip archive, or a
    /// disk image (raw, split, E01, VHDX, VHD, VMDK, QCOW2), raw ones and archives also gzip or zstd;
    /// NAME=PATH names the host
    #[arg(value_name = "EVIDENCE", required = true)]
    pub(crate) evidence: Vec<String>,

    /// Write the timeline to FILE; may be given several times; '-' is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,

    /// Also write the timeline of each host into DIR, to a file that is named after the host, in the
    /// formats of the outputs; without --output only these, in those of --format, or as jsonl
    #[arg(long, value_name = "DIR")]
    pub(crate) per_host: Option<PathBuf>,

    /// Format: csv, jsonl or bodyfile; by default told by the extension of FILE (.csv, .jsonl,
    /// .body), and jsonl on standard output; give it once for all outputs or once for each
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) format: Vec<String>,

    /// Only events at or after TIME (RFC 3339, or YYYY-MM-DD for its first moment in UTC)
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,

    /// Only events before TIME
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,

    /// Only these parsers, separated by commas; with '!' before each name, all but these
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) parsers: Vec<String>,

    /// Only events of this container: its name, or the beginning of its id (12 digits or more)
    #[arg(long, value_name = "NAME|ID")]
    pub(crate) container: Vec<String>,

    /// Virtual disks inside the evidence to open, too: those that are known to hold a container
    /// engine, and bundles of diagnostics; all, or none
    #[arg(long, value_enum, default_value = "known", value_name = "WHICH")]
    pub(crate) nested: Nested,

    /// Layers of images to tell, file by file: none, those that did not come from a registry, or all
    #[arg(long, value_enum, default_value = "built", value_name = "WHICH")]
    pub(crate) layers: Layers,

    /// Also tell the files of directories of the host that containers mount (bind mounts); never of the
    /// whole host, of devices or sockets, which the report names
    #[arg(long)]
    pub(crate) bind_mounts: bool,

    /// SHA-256 of each regular file that a container added, modified or replaced, and of each in a
    /// volume
    #[arg(long)]
    pub(crate) hash: bool,

    /// Size of the largest file to hash, such as 512K or 1G [default: 64M]
    #[arg(long, value_name = "SIZE", requires = "hash")]
    pub(crate) hash_limit: Option<String>,

    /// Check the hashes that E01 images store, for which all of an image is read
    #[arg(long)]
    pub(crate) verify: bool,

    /// Number of worker threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Memory to use at the most, such as 512M or 2G; what does not fit is spilled, compressed
    #[arg(long, value_name = "SIZE", default_value = "512M")]
    pub(crate) memory: String,

    /// Directory for spilled and decompressed data; its files have no name and vanish with the
    /// program [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,

    /// Write a report as JSON: every artifact, every issue, and what was skipped and why
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Replace outputs that exist
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// No summary, no progress; errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Show every issue, not only the first of them
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// No colour (the environment variable NO_COLOR does the same)
    #[arg(long)]
    pub(crate) no_color: bool,

    /// When to draw the progress bar
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(crate) progress: When,
}

#[derive(Debug, Args)]
pub(crate) struct SourcesArguments {
    /// As for timeline
    #[arg(value_name = "EVIDENCE", required = true)]
    pub(crate) evidence: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Virtual disks inside the evidence to open, too
    #[arg(long, value_enum, default_value = "known", value_name = "WHICH")]
    pub(crate) nested: Nested,

    /// Check the hashes that E01 images store, for which all of an image is read
    #[arg(long)]
    pub(crate) verify: bool,

    /// Directory for decompressed data [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// As for timeline: all the evidence of a host, where its disks are several; two words at the end
    /// that are no files are images to be compared, as with --images
    #[arg(value_name = "EVIDENCE", required = true)]
    pub(crate) evidence: Vec<String>,

    /// What this container changed: its name, or the beginning of its id (12 digits or more); without
    /// it, which containers have a writable layer that can be read
    #[arg(long, value_name = "NAME|ID")]
    pub(crate) container: Option<String>,

    /// What differs from the first image to the second, each by its name or the beginning of its id
    /// (12 digits or more); of stores that hold the same image, one that has both is taken
    #[arg(
        long,
        num_args = 2,
        action = ArgAction::Set,
        value_names = ["IMAGE1", "IMAGE2"],
        conflicts_with = "container"
    )]
    pub(crate) images: Vec<String>,

    /// A table with class, mode, owner, size and times
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) long: bool,

    /// Print JSON, with every change and what was there before
    #[arg(long)]
    pub(crate) json: bool,

    /// Virtual disks inside the evidence to open, too
    #[arg(long, value_enum, default_value = "known", value_name = "WHICH")]
    pub(crate) nested: Nested,

    /// Directory for decompressed data [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,
}
