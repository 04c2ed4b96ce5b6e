//! Times among settings: numbers whose unit shows in their magnitude.

use dockline_timeline::{Confidence, Instant, Meaning};
use serde_json::Value;

/// A key that is a time, in lower case, and what it says.
struct Known {
    key: &'static str,
    action: &'static str,
    says: &'static str,
    /// Whether the unit has been seen in settings that are public.
    is_confirmed: bool,
}

const fn known(key: &'static str, action: &'static str, says: &'static str) -> Known {
    Known { key, action, says, is_confirmed: false }
}

const KNOWN: &[Known] = &[
    Known {
        is_confirmed: true,
        ..known(
            "tiplastviewedtime",
            "activity",
            "a tip was last shown: the graphical interface was used",
        )
    },
    Known {
        is_confirmed: true,
        ..known(
            "lastcontainerdsnapshotterenable",
            "settings_change",
            "the image store of containerd was switched on",
        )
    },
    Known {
        is_confirmed: true,
        ..known("firstlaunchtime", "first_use", "Docker Desktop was first started")
    },
    known("lastlogindate", "login", "somebody last signed in"),
    known("updateavailabletime", "update_found", "an update was found"),
    known("updateinstalltime", "update", "an update was installed"),
    known("updatepopupappearancetime", "update_found", "an update was offered"),
];

/// A time that a setting states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) key: String,
    pub(super) instant: Instant,
    pub(super) action: &'static str,
    pub(super) meaning: Meaning,
    pub(super) says: String,
    pub(super) confidence: Confidence,
    /// From what the unit was concluded.
    pub(super) concluded: Option<&'static str>,
}

/// The times among the keys of an object, in their order.
pub(super) fn stated(document: &Value) -> Vec<Stated> {
    let members = document.as_object().into_iter().flatten();
    members.filter_map(|(key, value)| of_key(key, value)).collect()
}

fn of_key(key: &str, value: &Value) -> Option<Stated> {
    let lower = key.to_ascii_lowercase();
    let known = KNOWN.iter().find(|known| known.key == lower);
    // Other generations have other times; their names end alike.
    if known.is_none() && !lower.ends_with("time") && !lower.ends_with("date") {
        return None;
    }
    let (instant, unit) = match value {
        Value::String(text) => (Instant::parse_rfc3339(text).ok()??, None),
        number => of_magnitude(whole(number)?)?,
    };
    let concluded = unit.filter(|_| !known.is_some_and(|known| known.is_confirmed));
    Some(Stated {
        key: key.to_owned(),
        instant,
        action: known.map_or("settings_time", |known| known.action),
        meaning: Meaning::Recorded,
        says: known
            .map_or_else(|| format!("time of the setting {key}"), |known| known.says.to_owned()),
        confidence: if concluded.is_some() { Confidence::Inferred } else { Confidence::Recorded },
        concluded,
    })
}

/// A number without a fraction: JavaScript writes all of its numbers alike.
fn whole(number: &Value) -> Option<i64> {
    number.as_i64().or_else(|| {
        let text = number.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{text:.0}").parse().ok()
    })
}

/// The instant that so many units since 1970 are, and which unit that is by the number's digits;
/// `None` for 0, which is never, and for numbers that are no time.
pub(super) fn of_magnitude(number: i64) -> Option<(Instant, Option<&'static str>)> {
    let digits = number.checked_ilog10()?.checked_add(1)?;
    let (per_second, unit) = match digits {
        10 => (1, "seconds since 1970, as its ten digits tell"),
        13 => (1_000, "milliseconds since 1970, as its thirteen digits tell"),
        16 => (1_000_000, "microseconds since 1970, as its sixteen digits tell"),
        19 => (1_000_000_000, "nanoseconds since 1970, as its nineteen digits tell"),
        _ => return None,
    };
    let fraction = number.checked_rem(per_second)?;
    let nanoseconds = fraction.checked_mul(1_000_000_000_i64.checked_div(per_second)?)?;
    let seconds = number.checked_div(per_second)?;
    let instant = Instant::new(seconds, u32::try_from(nanoseconds).ok()?)?;
    Some((instant, Some(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn times(document: &Value) -> Vec<(String, String, Confidence)> {
        let told = |stated: Stated| (stated.key, stated.instant.to_string(), stated.confidence);
        stated(document).into_iter().map(told).collect()
    }

    #[test]
    fn the_unit_of_a_time_shows_in_its_magnitude() {
        let at = |number| of_magnitude(number).map(|(instant, _)| instant.to_string());
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(at(1_668_070_593_717), told("2022-11-10T08:56:33.717000000Z"));
        assert_eq!(at(1_777_474_834), told("2026-04-29T15:00:34.000000000Z"));
        assert_eq!(at(1_777_474_834_000_001), told("2026-04-29T15:00:34.000001000Z"));
        assert_eq!(at(1_766_052_637_469_153_300), told("2025-12-18T10:10:37.469153300Z"));
        for number in [0, -1, 1, 999_999_999, 10_000_000_000, i64::MIN] {
            assert_eq!(at(number), None, "{number}");
        }
    }

    #[test]
    fn keys_that_are_times_are_found_in_the_case_of_each_generation() {
        let document = json!({
            "tipLastViewedTime": 1_668_070_593_717_i64, "LastContainerdSnapshotterEnable": 1_777_474_834,
            "lastLoginDate": 1_668_070_593, "updateAvailableTime": 0, "updateInstallTime": 1.668_070_593e9,
            "firstLaunchTime": 1_667_240_090,
            "newTime": "2022-11-10T08:56:33Z", "oldDate": "soon", "cpus": 1_668_070_593, "date": null,
        });
        let at = |key: &str, time: &str, confidence| (key.to_owned(), time.to_owned(), confidence);
        assert_eq!(
            times(&document),
            [
                at(
                    "LastContainerdSnapshotterEnable",
                    "2026-04-29T15:00:34.000000000Z",
                    Confidence::Recorded
                ),
                at("firstLaunchTime", "2022-10-31T18:14:50.000000000Z", Confidence::Recorded),
                at("lastLoginDate", "2022-11-10T08:56:33.000000000Z", Confidence::Inferred),
                at("newTime", "2022-11-10T08:56:33.000000000Z", Confidence::Recorded),
                at("tipLastViewedTime", "2022-11-10T08:56:33.717000000Z", Confidence::Recorded),
                at("updateInstallTime", "2022-11-10T08:56:33.000000000Z", Confidence::Inferred),
            ]
        );
        assert_eq!(times(&json!([1])), []);
    }
}
