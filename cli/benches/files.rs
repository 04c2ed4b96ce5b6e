//! What a timeline of a million files costs: `dockline timeline` of a disk with 200 containers, turn
//! by turn with `fls -r -m` and `mactime` of The Sleuth Kit on the same disk.
//!
//! ```text
//! cargo bench -p dockline --bench files
//! ```
//!
//! The disk is made here, in the directory for temporary files, which needs 10 GiB: an image layer of
//! 1,000 files, and 200 writable layers, each with 5,000 files in 50 directories, of which every fifth
//! file is also in the image layer. `mke2fs`, GNU `time`, `fls` and `mactime` must be installed; what
//! is not is `SKIPPED`. The best round counts.

#[cfg(target_os = "linux")]
mod linux {
    use rustix::fs::{XattrFlags, setxattr};
    use std::error::Error;
    use std::fs;
    use std::io::Write;
    use std::path::Path;
    use std::process::{Command, Stdio};

    type Outcome<T> = Result<T, Box<dyn Error>>;

    const CONTAINERS: u32 = 200;
    const DIRECTORIES: u32 = 50;
    /// Files in a directory of a writable layer, and in one of the image layer.
    const FILES: u32 = 100;
    const FILES_BELOW: u32 = 20;
    const ROUNDS: usize = 3;
    const DOCKLINE: &str = env!("CARGO_BIN_EXE_dockline");

    pub(crate) fn main() -> Outcome<()> {
        let place = tempfile::tempdir()?;
        let (root, disk) = (place.path().join("root"), place.path().join("disk.raw"));
        data_root(&root.join("var/lib/docker"))?;
        make(&root, &disk)?;
        fs::remove_dir_all(&root)?;
        let timeline = format!(
            "{DOCKLINE} timeline {} -o {}/d.csv --overwrite -q",
            disk.display(),
            place.path().display()
        );
        let peers = format!(
            "cd {} && fls -r -m / disk.raw > fls.body && mactime -b fls.body -d -y -z UTC > m.csv",
            place.path().display()
        );
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(measured(&timeline)?);
            theirs.push(measured(&peers)?);
        }
        say("dockline timeline DISK -o FILE.csv", &ours)?;
        say("fls -r -m / DISK and mactime -d", &theirs)
    }

    /// What a command cost: seconds of the clock and of the processors, and KiB of its largest process.
    type Cost = (f64, f64, u64);

    fn say(name: &str, rounds: &[Cost]) -> Outcome<()> {
        let best = |of: fn(&Cost) -> f64| rounds.iter().map(of).fold(f64::INFINITY, f64::min);
        let peak = rounds.iter().map(|cost| cost.2).max().unwrap_or_default();
        let (wall, processor) = (best(|cost| cost.0), best(|cost| cost.1));
        let peak = peak / 1024;
        let line = format!("{name}: {wall:.1} s wall, {processor:.1} s processor, {peak} MiB peak");
        Ok(writeln!(std::io::stdout(), "{line}")?)
    }

    fn measured(command: &str) -> Outcome<Cost> {
        let timed = format!("{{ {command}; }} 2> /dev/null");
        let output =
            Command::new("time").args(["-f", "%e %U %S %M", "sh", "-c", &timed]).output()?;
        let told = String::from_utf8(output.stderr)?;
        let line = told.lines().last().ok_or("time says nothing")?;
        let mut words = line.split(' ');
        let mut number = || -> Outcome<f64> { Ok(words.next().ok_or("a number less")?.parse()?) };
        let (wall, user, system) = (number()?, number()?, number()?);
        Ok((wall, user + system, words.next().ok_or("no peak")?.parse()?))
    }

    /// A data root of Docker with one image layer and many containers on it.
    fn data_root(root: &Path) -> Outcome<()> {
        let (layer, chain) = ("b0".repeat(32), "c0".repeat(32));
        let layer_db = root.join("image/overlay2/layerdb");
        let entry = layer_db.join("sha256").join(&chain);
        write(&entry.join("diff"), &format!("sha256:{chain}"))?;
        write(&entry.join("cache-id"), &layer)?;
        files(&root.join("overlay2").join(&layer).join("diff/srv"), FILES_BELOW, 0)?;
        for container in 0..CONTAINERS {
            let (id, upper) = (format!("{container:064x}"), format!("{:064x}", container + 1_000));
            let mount = layer_db.join("mounts").join(id);
            write(&mount.join("mount-id"), &upper)?;
            write(&mount.join("parent"), &format!("sha256:{chain}"))?;
            let srv = root.join("overlay2").join(&upper).join("diff/srv");
            files(&srv, FILES, container)?;
            // As overlayfs notes that the directory is one of the image layer, for an ordinary user.
            setxattr(&srv, "user.overlay.origin", b"x", XattrFlags::empty())?;
        }
        Ok(())
    }

    fn files(directory: &Path, count: u32, salt: u32) -> Outcome<()> {
        for number in 0..DIRECTORIES {
            let directory = directory.join(format!("d{number}"));
            fs::create_dir_all(&directory)?;
            for file in 0..count {
                let length = usize::try_from((file + salt) % 40)?;
                fs::write(directory.join(format!("f{file}")), "x".repeat(length))?;
            }
        }
        Ok(())
    }

    fn write(path: &Path, text: &str) -> Outcome<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        Ok(fs::write(path, text)?)
    }

    fn make(root: &Path, disk: &Path) -> Outcome<()> {
        fs::File::create(disk)?.set_len(8 << 30)?;
        let made = Command::new("mke2fs")
            .args(["-q", "-F", "-t", "ext4", "-N", "1200000", "-d"])
            .args([root, disk])
            .stdout(Stdio::null())
            .status()?;
        if made.success() { Ok(()) } else { Err("mke2fs failed".into()) }
    }
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::io::{ErrorKind, Write};
    let missing = ["mke2fs", "time", "fls", "mactime"].into_iter().find(|program| {
        let found = std::process::Command::new(program).arg("-V").output();
        found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    });
    match missing {
        Some(program) => Ok(writeln!(std::io::stderr(), "SKIPPED: no {program}")?),
        None => linux::main(),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
