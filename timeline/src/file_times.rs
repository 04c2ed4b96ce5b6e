//! The four times that a file system keeps of a file, and which of them one instant is.
//!
//! Forensic timelines call them M, A, C and B: modified (the content), accessed, changed (the
//! metadata) and born. One file gives as many events as it has different times, and one line in a
//! body file.

use crate::{Event, Instant, Meaning};

/// What each set of times is called, by bits M 8, A 4, C 2, B 1.
const NAMES: [&str; 16] = [
    "....", "...B", "..C.", "..CB", ".A..", ".A.B", ".AC.", ".ACB", "M...", "M..B", "M.C.", "M.CB",
    "MA..", "MA.B", "MAC.", "MACB",
];

/// The times of one file; what its evidence does not keep is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileTimes {
    /// Content last written.
    pub modified: Option<Instant>,
    /// Content last read.
    pub accessed: Option<Instant>,
    /// Metadata last written.
    pub changed: Option<Instant>,
    /// File made.
    pub born: Option<Instant>,
}

/// One instant of a file, and which of its times it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileMoment {
    /// When.
    pub instant: Instant,
    /// `M.C.`: which of the times.
    pub macb: &'static str,
    /// What the most telling of these times means: the content before the making before the
    /// metadata before the reading.
    pub meaning: Meaning,
}

/// Whether an event is told for itself, or is one of those of a file's times, which an output may
/// tell together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling<'a> {
    /// For itself.
    Itself,
    /// The first of a file, with all of its times.
    First(&'a FileTimes),
    /// Another of a file.
    Again,
}

impl FileTimes {
    /// Each different time once, the earliest first.
    pub fn moments(&self) -> impl Iterator<Item = FileMoment> {
        let mut instants = self.all();
        instants.sort_unstable();
        let mut last = None;
        let times = *self;
        instants.into_iter().flatten().filter_map(move |instant| {
            let is_new = last.replace(instant) != Some(instant);
            is_new.then(|| times.moment(instant))
        })
    }

    /// Modified, accessed, changed, born.
    fn all(&self) -> [Option<Instant>; 4] {
        [self.modified, self.accessed, self.changed, self.born]
    }

    fn moment(&self, instant: Instant) -> FileMoment {
        let is = self.all().map(|time| time == Some(instant));
        let bits = is.into_iter().fold(0_usize, |bits, is| (bits << 1) | usize::from(is));
        let meaning = match is {
            [true, ..] => Meaning::ContentModification,
            [.., true] => Meaning::Creation,
            [_, _, true, _] => Meaning::MetadataModification,
            _ => Meaning::LastAccess,
        };
        FileMoment { instant, macb: NAMES.get(bits).copied().unwrap_or_default(), meaning }
    }

    /// Gives `take` one event for each moment that is `asked` for: as `event`, with its instant, its
    /// meaning and its `macb`. The first of them bears the times of the file.
    pub fn events<'a>(
        &'a self,
        event: &Event<'a>,
        asked: &dyn Fn(&Event<'a>) -> bool,
        take: &mut dyn FnMut(&Event<'a>),
    ) {
        let mut is_first = true;
        for FileMoment { instant, macb, meaning } in self.moments() {
            let telling = Telling::Again;
            let mut event = Event { instant, meaning, macb: Some(macb), telling, ..event.clone() };
            if is_first && asked(&event) {
                event.telling = Telling::First(self);
                is_first = false;
            }
            take(&event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    fn at(seconds: i64) -> Option<Instant> {
        Instant::new(seconds, 5)
    }

    fn moments(times: [i64; 4]) -> Vec<(i64, &'static str, Meaning)> {
        let [modified, accessed, changed, born] =
            times.map(|seconds| at(seconds).filter(|_| seconds > 0));
        let times = FileTimes { modified, accessed, changed, born };
        times
            .moments()
            .map(|moment| (moment.instant.seconds(), moment.macb, moment.meaning))
            .collect()
    }

    #[test]
    fn each_different_time_is_one_moment_and_says_which_times_it_is() {
        use Meaning::{ContentModification, Creation, LastAccess, MetadataModification};
        assert_eq!(moments([7, 7, 7, 7]), [(7, "MACB", ContentModification)]);
        assert_eq!(moments([7, 0, 0, 0]), [(7, "M...", ContentModification)]);
        assert_eq!(
            moments([1, 4, 3, 2]),
            [
                (1, "M...", ContentModification),
                (2, "...B", Creation),
                (3, "..C.", MetadataModification),
                (4, ".A..", LastAccess)
            ]
        );
        assert_eq!(
            moments([1, 2, 2, 2]),
            [(1, "M...", ContentModification), (2, ".ACB", Creation)]
        );
        assert_eq!(moments([0, 0, 0, 0]), []);
    }

    #[test]
    fn the_first_event_that_is_asked_for_bears_all_times() {
        let times = FileTimes { modified: at(1), accessed: at(2), changed: at(3), born: None };
        let bearing = |from: i64| {
            let mut found = Vec::new();
            let asked = |event: &Event<'_>| event.instant.seconds() >= from;
            times.events(&samples::bare("file"), &asked, &mut |event| {
                found.push((
                    event.instant.seconds(),
                    event.macb.unwrap(),
                    event.telling != Telling::Again,
                ));
            });
            found
        };
        assert_eq!(bearing(0), [(1, "M...", true), (2, ".A..", false), (3, "..C.", false)]);
        assert_eq!(bearing(2), [(1, "M...", false), (2, ".A..", true), (3, "..C.", false)]);
        assert!(bearing(4).iter().all(|(.., bears)| !bears));
    }
}
