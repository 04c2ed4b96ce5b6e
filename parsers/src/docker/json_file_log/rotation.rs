//! The number of a rotation in the name of its file.

/// Which rotation of a log a file is. A greater one is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rotation {
    /// 0 for the file that is written now; each rotation adds one.
    pub(super) number: u32,
    /// Whether it is gzip.
    pub(super) is_compressed: bool,
}

impl Rotation {
    /// Reads what follows `<id>-json.log` in a name: nothing, `.N` or `.N.gz`.
    pub(super) fn parse(suffix: &str) -> Option<Rotation> {
        if suffix.is_empty() {
            return Some(Rotation { number: 0, is_compressed: false });
        }
        let number = suffix.strip_prefix('.')?;
        let (digits, is_compressed) = match number.strip_suffix(".gz") {
            Some(digits) => (digits, true),
            None => (number, false),
        };
        let is_number =
            digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        let number = digits.parse().ok().filter(|_| is_number)?;
        Some(Rotation { number, is_compressed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_number_is_older() {
        let parse = |text| Rotation::parse(text).unwrap();
        assert!(parse(".10.gz") > parse(".9.gz") && parse(".9.gz") > parse(".1"));
        assert!(parse(".1") > parse("") && parse(".1.gz") > parse(".1"));
    }

    #[test]
    fn other_names_are_no_rotations() {
        for name in
            [".", ".0", ".01", ".+1", ".gz", ".1.bz2", ".bak", "-20240101.gz", ".4294967296"]
        {
            assert_eq!(Rotation::parse(name), None, "{name}");
        }
    }
}
