//! The instants of lines of a console, which count from the start of the virtual machine or of a
//! process in it.
//!
//! A count that falls back is another start. A process' start is the least that lines with a time
//! of their own give for it. The machine's follows from it: of all lines of the kernel, the one that stands
//! closest before a line of the process. Where nothing of a start has a time, its last line was
//! written before the next start, or when the file was last written.

use crate::formats::desktop_line::Stamp;
use dockline_timeline::Instant;

/// Starts of one file that are told apart.
const STARTS: usize = 4_096;
/// Lines of the kernel come this many microseconds late.
const LATE: u64 = 1_000_000;
const MICROSECOND: i128 = 1_000;

/// From what the start of a machine was concluded.
pub(super) const COUNTED: &str =
    "counted from the start of the virtual machine, which lines nearby tell to about ten seconds";
/// The same, when only the end is known.
pub(super) const BOUNDED: &str =
    "counted back from what was written after it: the latest that it can be";

/// One start of the virtual machine.
#[derive(Clone, Copy, Debug, Default)]
struct Boot {
    /// When the process started.
    process: Option<Instant>,
    /// Microseconds between the start of the machine and that of the process, at most.
    shift: Option<i128>,
    /// When the machine started, by lines with a time of their own.
    machine: Option<Instant>,
    /// The last count of the kernel, and whether no line with another count came after it.
    kernel: Option<u64>,
    is_open: bool,
    /// The last count of the process, in seconds.
    terminal: Option<u64>,
}

/// The starts of a file, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct Boots {
    boots: Vec<Boot>,
    /// Of those, the one that is being read.
    at: usize,
}

/// What a line of a console counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Microseconds since the machine started.
    Boot(u64),
    /// Seconds since the process did.
    Start(u64),
}

impl Count {
    /// What a stamp counts from.
    pub(super) fn of(stamp: Stamp) -> Option<Count> {
        match stamp {
            Stamp::SinceBoot(microseconds) => Some(Count::Boot(microseconds)),
            Stamp::SinceStart(seconds) => Some(Count::Start(seconds)),
            _ => None,
        }
    }
}

impl Boot {
    fn falls_back(&self, count: Count) -> bool {
        match count {
            Count::Boot(now) => self.kernel.is_some_and(|before| now.saturating_add(LATE) < before),
            Count::Start(now) => self.terminal.is_some_and(|before| now.saturating_add(1) < before),
        }
    }

    fn take(&mut self, count: Count, own: Option<Instant>) {
        match count {
            Count::Boot(now) => {
                self.kernel = Some(self.kernel.map_or(now, |before| before.max(now)));
                self.is_open = true;
            }
            Count::Start(now) => {
                self.terminal = Some(now);
                let started =
                    own.and_then(|own| back(own, i128::from(now).saturating_mul(1_000_000)));
                self.process = least(self.process, started);
                if let Some(kernel) = self.kernel.filter(|_| self.is_open) {
                    let shift = i128::from(now)
                        .saturating_mul(1_000_000)
                        .saturating_sub(i128::from(kernel));
                    self.shift = Some(self.shift.map_or(shift, |least| least.min(shift)));
                }
                self.is_open = false;
            }
        }
    }

    /// A line with a time of its own and no count.
    fn see(&mut self, instant: Instant) {
        if let Some(kernel) = self.kernel.filter(|_| self.is_open) {
            self.machine = least(self.machine, back(instant, kernel.into()));
        }
        self.is_open = false;
    }

    /// When the machine, or the process, started.
    fn start(&self, count: Count) -> Option<Instant> {
        let machine = || {
            let by_process = self.process.zip(self.shift);
            by_process.and_then(|(process, shift)| forth(process, shift)).or(self.machine)
        };
        match count {
            Count::Start(_) => self.process,
            Count::Boot(_) => machine(),
        }
    }

    /// Takes what it cannot know from when its last line was written.
    fn bound(&mut self, until: Instant) -> [bool; 2] {
        let unknown = [self.start(Count::Boot(0)).is_none(), self.process.is_none()];
        let [machine, process] = unknown;
        if process {
            let last = self.terminal.map(|last| i128::from(last).saturating_mul(1_000_000));
            self.process = last.and_then(|last| back(until, last));
        }
        if machine {
            self.machine = self.kernel.and_then(|last| back(until, last.into()));
            self.shift = None;
        }
        unknown
    }
}

impl Boots {
    /// Takes the next line with a count, and its own time if it has one.
    pub(super) fn take(&mut self, count: Count, own: Option<Instant>) {
        let falls_back = self.boots.last().is_none_or(|boot| boot.falls_back(count));
        if falls_back && self.boots.len() < STARTS {
            self.boots.push(Boot::default());
        }
        if let Some(boot) = self.boots.last_mut() {
            boot.take(count, own);
        }
    }

    /// Takes the next line that has a time and no count.
    pub(super) fn see(&mut self, instant: Instant) {
        if let Some(boot) = self.boots.last_mut() {
            boot.see(instant);
        }
    }

    /// Begins to tell instants: the last line was written at `until`.
    pub(super) fn tell(mut self, until: Option<Instant>) -> Told {
        let mut bounded = Vec::with_capacity(self.boots.len());
        let mut until = until;
        for boot in self.boots.iter_mut().rev() {
            bounded.push(until.map_or([true, true], |until| boot.bound(until)));
            until = boot.start(Count::Boot(0)).or(boot.process).or(until);
        }
        bounded.reverse();
        let seen = vec![Boot::default(); self.boots.len()];
        Told { boots: self, bounded, seen }
    }
}

/// Tells the instants of lines with counts, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Told {
    boots: Boots,
    /// Whether the start of the machine and of the process are only bounds.
    bounded: Vec<[bool; 2]>,
    /// What has been read of each again.
    seen: Vec<Boot>,
}

impl Told {
    /// When a line with this count was written, and from what that was concluded.
    pub(super) fn when(&mut self, count: Count) -> Option<(Instant, &'static str)> {
        let at = self.boots.at;
        let falls_back = self.seen.get(at).is_some_and(|boot| boot.falls_back(count));
        if falls_back && at.saturating_add(1) < self.boots.boots.len() {
            self.boots.at = at.saturating_add(1);
        }
        let at = self.boots.at;
        self.seen.get_mut(at)?.take(count, None);
        let start = self.boots.boots.get(at)?.start(count)?;
        let [machine, process] = self.bounded.get(at).copied()?;
        let (instant, is_bound) = match count {
            Count::Boot(microseconds) => (forth(start, microseconds.into())?, machine),
            Count::Start(seconds) => {
                (forth(start, i128::from(seconds).saturating_mul(1_000_000))?, process)
            }
        };
        Some((instant, if is_bound { BOUNDED } else { COUNTED }))
    }
}

fn least(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// The instant so many microseconds before.
fn back(instant: Instant, microseconds: i128) -> Option<Instant> {
    forth(instant, microseconds.checked_neg()?)
}

/// The instant so many microseconds after.
fn forth(instant: Instant, microseconds: i128) -> Option<Instant> {
    let nanoseconds = i128::from(instant.seconds())
        .checked_mul(1_000_000_000)?
        .checked_add(instant.nanoseconds().into())?
        .checked_add(microseconds.checked_mul(MICROSECOND)?)?;
    let seconds = i64::try_from(nanoseconds.checked_div_euclid(1_000_000_000)?).ok()?;
    let rest = u32::try_from(nanoseconds.checked_rem_euclid(1_000_000_000)?).ok()?;
    Instant::new(seconds, rest)
}
