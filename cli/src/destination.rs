//! Where bytes go: an output appears under its name only when it is complete.

use crate::growing_file::GrowingFile;
use crate::request::{directory_of, is_ordinary};
use anyhow::Context;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that is being written, or standard output.
pub(crate) enum Destination {
    /// Bytes gather in a temporary file in the same directory, which is renamed at the end.
    Whole { temporary: NamedTempFile, path: PathBuf, overwrite: bool },
    /// Bytes go out as they come: standard output, or a device such as `/dev/null`.
    Stream,
}

impl Destination {
    /// Opens a destination before the work begins, so that one that cannot be written costs none.
    pub(crate) fn open(
        path: Option<&Path>,
        overwrite: bool,
    ) -> anyhow::Result<(Destination, Box<dyn Write + Send>)> {
        let Some(path) = path else {
            return Ok((Destination::Stream, Box::new(std::io::stdout())));
        };
        if !is_ordinary(path) {
            let file = OpenOptions::new().write(true).open(path).with_context(|| cannot(path))?;
            return Ok((Destination::Stream, Box::new(file)));
        }
        let temporary = temporary_beside(path).with_context(|| cannot(path))?;
        let file: File = temporary.as_file().try_clone().with_context(|| cannot(path))?;
        let whole = Destination::Whole { temporary, path: path.to_owned(), overwrite };
        Ok((whole, Box::new(GrowingFile::new(file))))
    }

    /// Gives the complete file its name.
    pub(crate) fn complete(self) -> anyhow::Result<()> {
        let Destination::Whole { temporary, path, overwrite } = self else { return Ok(()) };
        let persisted =
            if overwrite { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
        persisted.map(drop).map_err(|error| error.error).with_context(|| cannot(&path))
    }
}

/// Makes a directory for outputs, unless it is there.
pub(crate) fn make_directory(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| cannot(path))
}

/// A temporary file with the permissions that a new file of the user would have.
fn temporary_beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".dockline-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory_of(path))
}

fn cannot(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
