//! What it costs to read out of a disk instead of off the plain file: a fragmented log, a million
//! inodes, the content of images.
//!
//! ```text
//! cargo bench -p dockline-evidence --bench disks -- [FIGURE...]
//! ```
//!
//! Figures: `log` (a log of 1 GiB in pieces of 256 KiB out of ext4, XFS, NTFS, and ext4 in a VHDX in
//! NTFS, turn by turn with the plain file), `inodes` (a walk over a million files that asks for the
//! metadata of each), `open` (until the trees of an E01 and a VHDX are there), `content` (a whole
//! E01, by one and two threads). Without one, all are measured.
//!
//! The disks are made here, in the directory for temporary files, which needs 10 GiB: by the tools of
//! the file systems, root and loop devices. What cannot be made is `SKIPPED`. Content comes out of
//! the page cache, so that readers are measured, not the disk; the best round counts, by itself for
//! the wall clock and for the processor time of the whole process.

#[cfg(target_os = "linux")]
mod linux {
    use dockline_evidence::source::open_nested;
    use dockline_evidence::{Descend, Opening, ReadAt, Source, Tree, TreePath, open, walk};
    use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate};
    use rustix::time::{ClockId, clock_gettime};
    use std::error::Error;
    use std::fs::{self, File};
    use std::hint::black_box;
    use std::io::Write;
    use std::os::unix::fs::FileExt;
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    type Outcome<T> = Result<T, Box<dyn Error>>;

    const LOG: u64 = 1 << 30;
    /// Bytes of a piece of the log.
    const PIECE: usize = 256 << 10;
    /// Bytes of one read, as the reader of logs reads.
    const READ: usize = 1 << 20;
    const ROUNDS: usize = 4;
    const DIRECTORIES: u32 = 1_000;
    const FILES: u32 = 1_000;

    /// A kind of file system: its name, its `mkfs` with arguments, options of its mount, and how it
    /// is mounted to write to it.
    struct Kind {
        name: &'static str,
        make: &'static [&'static str],
        mount: &'static [&'static str],
    }

    const EXT4: Kind = Kind {
        name: "ext4",
        make: &["mke2fs", "-q", "-F", "-t", "ext4", "-N", "1100000"],
        mount: &["mount", "-o", "loop"],
    };
    const XFS: Kind =
        Kind { name: "XFS", make: &["mkfs.xfs", "-q"], mount: &["mount", "-o", "loop,nouuid"] };
    const NTFS: Kind =
        Kind { name: "NTFS", make: &["mkntfs", "-q", "-F", "-f"], mount: &["ntfs-3g"] };

    pub(crate) fn main() -> Outcome<()> {
        // cargo passes `--bench`.
        let asked: Vec<String> =
            std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
        let figures: [(&str, fn() -> Outcome<()>); 4] =
            [("log", logs), ("inodes", inodes), ("open", opening), ("content", content)];
        for (name, figure) in figures {
            if asked.is_empty() || asked.iter().any(|word| word == name) {
                figure()?;
            }
        }
        Ok(())
    }

    fn say(line: &str) {
        // Nobody is left to be told that this failed.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    // What is measured.

    fn logs() -> Outcome<()> {
        let place = tempfile::tempdir()?;
        let plain = place.path().join("plain.log");
        write_log(&plain)?;
        let path = TreePath::parse(b"disk.log").ok_or("no path")?;
        for kind in [&EXT4, &XFS, &NTFS] {
            let image = place.path().join("disk.raw");
            let made =
                disk(kind, &image, 3 * LOG, |mount| fragmented(&plain, &mount.join("disk.log")));
            if skipped(kind.name, made)? {
                continue;
            }
            let source = opened(&image)?;
            against_plain(kind.name, &plain, &|| Ok(only_tree(&source)?.open(&path)?))?;
        }
        nested(place.path(), &plain, &path)
    }

    /// ext4 in a VHDX in NTFS, as on a laptop with Docker Desktop.
    fn nested(place: &Path, plain: &Path, path: &TreePath) -> Outcome<()> {
        let name = "ext4 in VHDX in NTFS";
        let (inner, vhdx, outer) =
            (place.join("inner.raw"), place.join("data.vhdx"), place.join("disk.raw"));
        let made = disk(&EXT4, &inner, 3 * LOG, |mount| fragmented(plain, &mount.join("disk.log")))
            .and_then(|()| virtual_disk(&inner, &vhdx))
            .and_then(|()| {
                fs::remove_file(&inner)?;
                disk(&NTFS, &outer, 8 * LOG, |mount| fragmented(&vhdx, &mount.join("data.vhdx")))
            });
        if skipped(name, made)? {
            return Ok(());
        }
        let outer = opened(&outer)?;
        let vhdx = TreePath::parse(b"data.vhdx").ok_or("no path")?;
        let source = open_nested(only_tree(&outer)?, &vhdx, "data.vhdx", &Opening::default())?;
        against_plain(name, plain, &|| Ok(only_tree(&source)?.open(path)?))
    }

    fn against_plain(
        name: &str,
        plain: &Path,
        log: &dyn Fn() -> Outcome<Arc<dyn ReadAt>>,
    ) -> Outcome<()> {
        let (mut best_plain, mut best) = (Cost::MAX, Cost::MAX);
        for round in 0..ROUNDS {
            let plain = cost(|| read_all(&Plain(File::open(plain)?), 0, LOG))?;
            let read = cost(|| read_all(log()?.as_ref(), 0, LOG))?;
            // The first brings everything into the cache.
            if round > 0 {
                (best_plain, best) = (best_plain.min(plain), best.min(read));
            }
        }
        say(&format!(
            "log       {name:21} {best}; plain file {best_plain}; {:.2} times, {:.2} of processor",
            best.wall.as_secs_f64() / best_plain.wall.as_secs_f64(),
            best.processor.as_secs_f64() / best_plain.processor.as_secs_f64(),
        ));
        Ok(())
    }

    fn inodes() -> Outcome<()> {
        for kind in [&EXT4, &XFS] {
            let place = tempfile::tempdir()?;
            let image = place.path().join("disk.raw");
            if skipped(kind.name, disk(kind, &image, 3 * LOG, million_files))? {
                continue;
            }
            let (mut best, mut nodes) = (Cost::MAX, 0);
            for _ in 0..ROUNDS {
                let source = opened(&image)?;
                let tree = only_tree(&source)?;
                best = best.min(cost(|| {
                    nodes = walk_and_stat(tree.as_ref())?;
                    Ok(())
                })?);
            }
            say(&format!(
                "inodes    {:21} {nodes} nodes in {best}, {:.2} M a second",
                kind.name,
                f64::from(nodes) / best.wall.as_secs_f64() / 1e6
            ));
        }
        Ok(())
    }

    fn walk_and_stat(tree: &dyn Tree) -> Outcome<u32> {
        let (mut nodes, mut failed) = (0, None);
        walk(
            tree,
            &mut |path, _| {
                nodes += 1;
                match tree.metadata(path) {
                    Ok(metadata) => drop(black_box(metadata)),
                    Err(error) => failed = Some(error),
                }
                Descend::Into
            },
            &mut |path, error| say(&format!("{path}: {error}")),
        );
        failed.map_or(Ok(nodes), |error| Err(error.into()))
    }

    fn opening() -> Outcome<()> {
        let place = tempfile::tempdir()?;
        let images: [(&str, fn(&Path, &Path) -> Outcome<()>); 2] =
            [("E01", expert_witness), ("VHDX", virtual_disk)];
        for (name, make) in images {
            let raw = place.path().join("disk.raw");
            let image = place.path().join("disk.image");
            let made = disk(&EXT4, &raw, 8 * LOG, |mount| write_log(&mount.join("disk.log")))
                .and_then(|()| make(&raw, &image));
            if skipped(name, made)? {
                continue;
            }
            let mut best = Cost::MAX;
            for _ in 0..ROUNDS {
                best = best.min(cost(|| Ok(drop(opened(&image)?)))?);
            }
            say(&format!("open      {name:21} of 8 GiB: {best}"));
        }
        Ok(())
    }

    fn content() -> Outcome<()> {
        let place = tempfile::tempdir()?;
        let (raw, image) = (place.path().join("disk.raw"), place.path().join("disk.image"));
        let made = disk(&EXT4, &raw, 3 * LOG, |mount| write_log(&mount.join("disk.log")))
            .and_then(|()| expert_witness(&raw, &image));
        if skipped("E01", made)? {
            return Ok(());
        }
        let source = opened(&image)?;
        let path = TreePath::parse(b"disk.log").ok_or("no path")?;
        let log = only_tree(&source)?.open(&path)?;
        for threads in [1, 2] {
            let mut best = Cost::MAX;
            for _ in 0..ROUNDS {
                best = best.min(cost(|| in_parts(log.as_ref(), threads))?);
            }
            say(&format!(
                "content   {:21} log of 1 GiB in {best}, {:.0} MB a second",
                format!("E01, {threads} threads"),
                1e-6 * (LOG as f64) / best.wall.as_secs_f64()
            ));
        }
        Ok(())
    }

    fn in_parts(bytes: &dyn ReadAt, threads: u64) -> Outcome<()> {
        let part = bytes.len().div_ceil(threads);
        let read =
            |thread: u64| read_all(bytes, thread * part, part).map_err(|error| error.to_string());
        std::thread::scope(|scope| -> Outcome<()> {
            let started: Vec<_> =
                (0..threads).map(|thread| scope.spawn(move || read(thread))).collect();
            for thread in started {
                thread.join().map_err(|_| "a thread panicked")??;
            }
            Ok(())
        })
    }

    fn opened(image: &Path) -> Outcome<Source> {
        Ok(open(image, "disk", &Opening::default())?)
    }

    fn only_tree(source: &Source) -> Outcome<&Arc<dyn Tree>> {
        let issues: Vec<_> = source.issues.iter().map(|issue| &issue.what).collect();
        Ok(&source.trees.first().ok_or_else(|| format!("no tree: {issues:?}"))?.tree)
    }

    /// Reads as much as there is in `length` bytes.
    fn read_all(bytes: &dyn ReadAt, start: u64, length: u64) -> Outcome<()> {
        let mut buffer = vec![0; READ];
        let mut at = start;
        while at < start + length {
            let count = bytes.read_at(at, black_box(&mut buffer))?;
            if count == 0 {
                break;
            }
            at += u64::try_from(count)?;
        }
        if at < start + length.min(LOG / 2) { Err("the log is too short".into()) } else { Ok(()) }
    }

    /// A plain file, read as cheaply as can be.
    struct Plain(File);

    impl ReadAt for Plain {
        fn len(&self) -> u64 {
            LOG
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read_at(buffer, offset)
        }
    }

    // How it is measured.

    #[derive(Clone, Copy)]
    struct Cost {
        wall: Duration,
        processor: Duration,
    }

    impl Cost {
        const MAX: Cost = Cost { wall: Duration::MAX, processor: Duration::MAX };

        fn min(self, other: Cost) -> Cost {
            let (wall, processor) =
                (self.wall.min(other.wall), self.processor.min(other.processor));
            Cost { wall, processor }
        }
    }

    impl std::fmt::Display for Cost {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
            let (wall, processor) = (milliseconds(self.wall), milliseconds(self.processor));
            write!(formatter, "{wall:.2} ms ({processor:.2} ms of processor)")
        }
    }

    fn cost(work: impl FnOnce() -> Outcome<()>) -> Outcome<Cost> {
        let (clock, before) = (Instant::now(), processor_time());
        work()?;
        Ok(Cost { wall: clock.elapsed(), processor: processor_time() - before })
    }

    fn processor_time() -> Duration {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanoseconds)
    }

    // What it is measured on.

    /// A tool or a right that this system lacks.
    #[derive(Debug)]
    struct Lacking(String);

    impl std::fmt::Display for Lacking {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str(&self.0)
        }
    }

    impl Error for Lacking {}

    fn skipped(name: &str, made: Outcome<()>) -> Outcome<bool> {
        match made {
            Ok(()) => Ok(false),
            Err(error) if error.is::<Lacking>() => {
                say(&format!("SKIPPED: {name}: {error}"));
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs a tool to its end.
    fn run(words: &[&str], paths: &[&Path]) -> Outcome<()> {
        let tool = words.first().ok_or("no tool")?;
        let mut command = Command::new(tool);
        command.args(words.get(1..).unwrap_or_default()).args(paths);
        let lacking = |why: String| Lacking(format!("{tool}: {}", why.trim()));
        let done = command.output().map_err(|error| lacking(error.to_string()))?;
        if !done.status.success() {
            return Err(lacking(String::from_utf8_lossy(&done.stderr).into_owned()).into());
        }
        Ok(())
    }

    /// Unmounts when dropped.
    struct Mount(tempfile::TempDir);

    impl Drop for Mount {
        fn drop(&mut self) {
            if let Err(error) = run(&["umount"], &[self.0.path()]) {
                say(&format!("cannot unmount {}: {error}", self.0.path().display()));
            }
        }
    }

    /// Makes a file system of that size in a new image, and has `write` write to it.
    fn disk(
        kind: &Kind,
        image: &Path,
        size: u64,
        write: impl FnOnce(&Path) -> Outcome<()>,
    ) -> Outcome<()> {
        let _ = fs::remove_file(image);
        File::create_new(image)?.set_len(size)?;
        run(kind.make, &[image])?;
        let place = tempfile::tempdir()?;
        run(kind.mount, &[image, place.path()])?;
        let mount = Mount(place);
        write(mount.0.path())?;
        run(&["sync", "-f"], &[mount.0.path()])?;
        drop(mount);
        forget(image)
    }

    /// Drops a file from the cache. What comes there by reading lies in other pieces than what was
    /// written, and is read faster or slower for it; so all must come there by the same way.
    fn forget(path: &Path) -> Outcome<()> {
        let file = File::open(path)?;
        file.sync_all()?;
        Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
    }

    /// A copy that lies in pieces: another file grows in turn with it.
    fn fragmented(from: &Path, to: &Path) -> Outcome<()> {
        let beside = to.with_extension("beside");
        let (from, to, other) = (File::open(from)?, File::create(to)?, File::create(&beside)?);
        let size = from.metadata()?.len();
        let mut piece = vec![0; PIECE];
        let step = u64::try_from(PIECE)?;
        // The kernel's file systems choose a place when they write back, later, or when told to.
        let is_placed = fallocate(&to, FallocateFlags::empty(), 0, step).is_ok();
        for at in (0..size).step_by(PIECE) {
            if is_placed {
                fallocate(&to, FallocateFlags::empty(), at, step)?;
                fallocate(&other, FallocateFlags::empty(), at, step)?;
            }
            let count = from.read_at(&mut piece, at)?;
            let read = piece.get(..count).unwrap_or_default();
            to.write_all_at(read, at)?;
            if !is_placed {
                other.write_all_at(read, at)?;
            }
        }
        to.set_len(size)?;
        Ok(fs::remove_file(beside)?)
    }

    fn million_files(root: &Path) -> Outcome<()> {
        for directory in 0..DIRECTORIES {
            let directory = root.join(format!("directory-{directory}"));
            fs::create_dir(&directory)?;
            for file in 0..FILES {
                File::create_new(directory.join(format!("file-{file}")))?;
            }
        }
        Ok(())
    }

    /// A log of 1 GiB, as a web server in a container writes it.
    fn write_log(path: &Path) -> Outcome<()> {
        let mut log = std::io::BufWriter::with_capacity(READ, File::create(path)?);
        let (mut written, mut number) = (0_u64, 0_u64);
        while written < LOG {
            number += 1;
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
            let line = format!(
                "{{\"log\":\"203.0.113.{} - - [21/Nov/2026:21:54:17 +0000] \\\"GET /api/v1/items?id={mixed} \
                 HTTP/1.1\\\" 200 {}\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-21T21:54:17.{:09}Z\"}}\n",
                mixed % 251,
                mixed % 65_521,
                number * 1_700 % 1_000_000_000,
            );
            let line = line.as_bytes();
            let rest = usize::try_from(LOG - written)?.min(line.len());
            log.write_all(line.get(..rest).unwrap_or_default())?;
            written += u64::try_from(rest)?;
        }
        log.flush()?;
        forget(path)
    }

    fn expert_witness(raw: &Path, image: &Path) -> Outcome<()> {
        let made = image.with_extension("E01");
        let target = image.with_extension("");
        let _ = fs::remove_file(&made);
        run(
            &["ewfacquire", "-u", "-q", "-c", "deflate:fast", "-S", "4GiB", "-t"],
            &[&target, raw],
        )?;
        Ok(fs::rename(made, image)?)
    }

    fn virtual_disk(raw: &Path, image: &Path) -> Outcome<()> {
        run(&["qemu-img", "convert", "-f", "raw", "-O", "vhdx"], &[raw, image])
    }
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
