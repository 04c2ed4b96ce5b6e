//! Where a reader can go and look: the evidence, the file in it, and the position in the file.

use crate::Rank;
use std::fmt;
use std::sync::Arc;

/// A position inside a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position<'a> {
    /// The file as a whole, such as its times.
    File,
    /// A line, counted from 1.
    Line(u64),
    /// A byte offset, counted from 0.
    Offset(u64),
    /// A record of a keyed format, such as `State.StartedAt`.
    Key(&'a str),
    /// [`Position::Key`], owned.
    OwnedKey(Arc<str>),
}

impl Position<'_> {
    /// The position without a borrow, for what outlives the parser's buffer.
    #[must_use]
    pub fn into_owned(self) -> Position<'static> {
        match self {
            Position::File => Position::File,
            Position::Line(line) => Position::Line(line),
            Position::Offset(offset) => Position::Offset(offset),
            Position::Key(key) => Position::OwnedKey(Arc::from(key)),
            Position::OwnedKey(key) => Position::OwnedKey(key),
        }
    }

    /// What orders two events of one file: a line or an offset; 0 where the format has neither.
    #[must_use]
    pub fn ordinal(&self) -> u64 {
        match self {
            Position::Line(number) | Position::Offset(number) => *number,
            Position::File | Position::Key(_) | Position::OwnedKey(_) => 0,
        }
    }
}

impl fmt::Display for Position<'_> {
    /// `line:42`, `offset:8192`, `key:State.StartedAt`, `file`: never a bare number, which some
    /// readers of CSV would turn into a float.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::File => formatter.write_str("file"),
            Position::Line(line) => write!(formatter, "line:{line}"),
            Position::Offset(offset) => write!(formatter, "offset:{offset}"),
            Position::Key(key) => write!(formatter, "key:{key}"),
            Position::OwnedKey(key) => write!(formatter, "key:{key}"),
        }
    }
}

/// The file that events are read from, and who reads it; made once for each file of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the host.
    pub host: Arc<str>,
    /// Name of the evidence: its argument, as short as is unique.
    pub evidence: Arc<str>,
    /// Path in the evidence, with a leading `/`; bytes that are not UTF-8 as `\xNN`.
    pub path: Arc<str>,
    /// `evidence:path`, as written into each event.
    pub display_name: Arc<str>,
    /// Name of the parser.
    pub parser: &'static str,
    /// Path of the artifact that the file belongs to: its own, or that of the directory that is read
    /// as a whole.
    pub artifact: Arc<str>,
    /// Place of the artifact in the order of (host, evidence, path).
    pub rank: Rank,
    /// Hash of host, path and parser: the part of an event's identifier that its file gives.
    pub identity: u128,
}

impl Origin {
    /// The origin of events that `parser` reads from `path` of `evidence`, which belongs to `host`.
    #[must_use]
    pub fn new(place: (Arc<str>, Arc<str>, Arc<str>), parser: &'static str, rank: Rank) -> Origin {
        let (host, evidence, path) = place;
        let artifact = path.clone();
        Origin::of_artifact((host, evidence, path), artifact, (parser, rank))
    }

    /// The origin of events about a file in the directory that this is the origin of.
    #[must_use]
    pub fn below(&self, path: &str) -> Origin {
        let place = (self.host.clone(), self.evidence.clone(), Arc::from(path));
        Origin::of_artifact(place, self.artifact.clone(), (self.parser, self.rank))
    }

    fn of_artifact(
        (host, evidence, path): (Arc<str>, Arc<str>, Arc<str>),
        artifact: Arc<str>,
        (parser, rank): (&'static str, Rank),
    ) -> Origin {
        let display_name = Arc::from(format!("{evidence}:{path}"));
        let text = format!("{host}\0{path}\0{parser}");
        let identity = xxhash_rust::xxh3::xxh3_128(text.as_bytes());
        Origin { host, evidence, path, display_name, parser, artifact, rank, identity }
    }

    /// A place in this file.
    #[must_use]
    pub fn at(&self, position: Position<'_>) -> Place {
        Place {
            evidence: self.evidence.clone(),
            path: self.path.clone(),
            position: position.into_owned(),
        }
    }
}

/// Where a reader can go and look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the evidence.
    pub evidence: Arc<str>,
    /// Path in the evidence, with a leading `/`; empty for the evidence itself.
    pub path: Arc<str>,
    /// Position in the file.
    pub position: Position<'static>,
}

impl Place {
    /// The evidence as a whole.
    #[must_use]
    pub fn evidence(name: &str) -> Place {
        Place { evidence: Arc::from(name), path: Arc::from(""), position: Position::File }
    }

    /// A file of an evidence as a whole.
    #[must_use]
    pub fn file(evidence: &str, path: &str) -> Place {
        Place { evidence: Arc::from(evidence), path: Arc::from(path), position: Position::File }
    }
}

impl fmt::Display for Place {
    /// `web1.tar:/var/lib/docker/containers/25b0…/config.v2.json line:1`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.evidence)?;
        if !self.path.is_empty() {
            write!(formatter, ":{}", self.path)?;
        }
        if self.position != Position::File {
            write!(formatter, " {}", self.position)?;
        }
        Ok(())
    }
}
