//! Which rotation of a log a file is, by its name.

/// Which rotation of a log a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Its place in the order of writing: a greater one is newer.
    pub generation: u64,
    /// Whether it is gzip.
    pub is_compressed: bool,
}

/// How a writer of logs names its rotations.
#[derive(Debug)]
pub struct Naming {
    /// Reads what follows the log's own name.
    pub parse: fn(&str) -> Option<Rotation>,
    /// What a rotation's name ends in, in words.
    pub ends: &'static str,
}

/// `.N` and `.N.gz`: each rotation adds one, so that a higher number is older.
pub static NUMBERED: Naming = Naming { parse: numbered, ends: ".N or .N.gz" };

/// `.YYYYMMDD-HHMMSS`, in the kubelet's own time zone; with `.gz` when it is compressed, with `.tmp`
/// while it is being compressed.
pub static DATED: Naming =
    Naming { parse: dated, ends: ".YYYYMMDD-HHMMSS, and then .gz or .tmp if it is compressed" };

/// The file that is written now.
const CURRENT: Rotation = Rotation { generation: u64::MAX, is_compressed: false };

fn numbered(suffix: &str) -> Option<Rotation> {
    if suffix.is_empty() {
        return Some(CURRENT);
    }
    let number = suffix.strip_prefix('.')?;
    let (digits, is_compressed) = match number.strip_suffix(".gz") {
        Some(digits) => (digits, true),
        None => (number, false),
    };
    let is_number = are_digits(digits) && !digits.starts_with('0');
    let number: u32 = digits.parse().ok().filter(|_| is_number)?;
    Some(Rotation { generation: CURRENT.generation.checked_sub(number.into())?, is_compressed })
}

fn dated(suffix: &str) -> Option<Rotation> {
    if suffix.is_empty() {
        return Some(CURRENT);
    }
    let stamp = suffix.strip_prefix('.')?;
    let compressed = stamp.strip_suffix(".gz").or_else(|| stamp.strip_suffix(".tmp"));
    let (date, time) = compressed.unwrap_or(stamp).split_once('-')?;
    let is_stamp = date.len() == 8 && time.len() == 6 && are_digits(date) && are_digits(time);
    let generation = format!("{date}{time}").parse().ok().filter(|_| is_stamp)?;
    Some(Rotation { generation, is_compressed: compressed.is_some() })
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_number_is_older() {
        let generation = |text| numbered(text).unwrap().generation;
        assert!(generation(".10.gz") < generation(".9.gz"));
        assert!(generation(".9.gz") < generation(".1") && generation(".1") < generation(""));
        assert_eq!(generation(".1.gz"), generation(".1"));
        assert!(numbered(".1.gz").unwrap().is_compressed && !numbered("").unwrap().is_compressed);
    }

    #[test]
    fn a_later_date_is_newer() {
        let generation = |text| dated(text).unwrap().generation;
        assert!(generation(".20231231-235959.gz") < generation(".20240101-000000"));
        assert!(generation(".20240101-000000") < generation(""));
        assert_eq!(generation(".20240101-000000.tmp"), generation(".20240101-000000"));
        assert!(dated(".20240101-000000.tmp").unwrap().is_compressed);
    }

    #[test]
    fn other_names_are_no_rotations() {
        for name in
            [".", ".0", ".01", ".+1", ".gz", ".1.bz2", ".bak", "-20240101.gz", ".4294967296"]
        {
            assert_eq!(numbered(name), None, "{name}");
        }
        for name in
            [".", ".1", ".20240101", ".20240101-1", ".2024010a-000000", ".20240101-000000.xz"]
        {
            assert_eq!(dated(name), None, "{name}");
        }
    }
}
