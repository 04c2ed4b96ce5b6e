//! A database that is a file of an artifact: it is opened with what SQLite keeps beside it, and its
//! flaws are issues of the file.

use super::{Database, Files, Flaw, Rows};
use crate::{Artifact, ArtifactFile};
use dockline_evidence::ReadAt;
use dockline_timeline::{Findings, Position};

impl Database {
    /// Opens a file of an artifact, of which `main` is the content, with the write-ahead log or the
    /// journal that lies beside it; an issue says why there is no database.
    pub fn open_file(
        artifact: &Artifact,
        (file, main): (&ArtifactFile, &dyn ReadAt),
        findings: &mut dyn Findings,
    ) -> Option<Database> {
        let mut beside = |end: &[u8]| {
            let path = [file.path.as_bytes(), end].concat();
            let mut files = artifact.files.iter();
            artifact.open(files.find(|file| file.path.as_bytes() == path)?, findings)
        };
        let (wal, journal) = (beside(b"-wal"), beside(b"-journal"));
        match Database::open(&Files { main, wal: wal.as_deref(), journal: journal.as_deref() }) {
            Ok((database, flaws)) => {
                flaws.into_iter().for_each(|flaw| report(flaw, file, findings));
                Some(database)
            }
            Err(flaw) => {
                report(flaw, file, findings);
                None
            }
        }
    }

    /// The rows of a table of a file, ordered by their key; an issue says why there are no more.
    pub fn rows_of_file(
        &self,
        (table, columns): (&str, &[&str]),
        file: &ArtifactFile,
        findings: &mut dyn Findings,
    ) -> Rows {
        self.rows(table, columns).unwrap_or_else(|(rows, flaw)| {
            report(flaw, file, findings);
            rows
        })
    }
}

fn report(flaw: Flaw, file: &ArtifactFile, findings: &mut dyn Findings) {
    findings.issue(file.issue(flaw.kind, Position::File, flaw.what));
}
