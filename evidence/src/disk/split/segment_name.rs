//! Names of segments: something, then digits or letters that count.

/// The name of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentName {
    /// All that does not count.
    stem: Vec<u8>,
    /// `001`, `aa`: what counts.
    suffix: Vec<u8>,
}

impl SegmentName {
    /// Takes a name apart, if it can be that of a segment: two to four digits after a dot, two or
    /// three letters after a dot, or what `split` names its output by itself, such as `xaa` or `x00`.
    pub(super) fn parse(name: &[u8]) -> Option<SegmentName> {
        let dot =
            name.iter().rposition(|byte| *byte == b'.').map_or(0, |dot| dot.saturating_add(1));
        let at = if dot == 0 && name.first() == Some(&b'x') { 1 } else { dot };
        let (stem, suffix) =
            name.split_at_checked(at).filter(|(stem, _)| stem.len() > usize::from(dot > 0))?;
        let digits = suffix.iter().all(u8::is_ascii_digit) && (2..=4).contains(&suffix.len());
        let letters =
            suffix.iter().all(u8::is_ascii_lowercase) || suffix.iter().all(u8::is_ascii_uppercase);
        let letters = letters && (2..=3).contains(&suffix.len());
        (digits || letters).then(|| SegmentName { stem: stem.to_vec(), suffix: suffix.to_vec() })
    }

    /// The whole name.
    pub(super) fn as_bytes(&self) -> Vec<u8> {
        [self.stem.as_slice(), &self.suffix].concat()
    }

    /// The names that the first segment can have, the very first one first.
    pub(super) fn starts(&self) -> Vec<SegmentName> {
        let zeros = self.suffix.iter().map(|byte| match byte {
            b'0'..=b'9' => b'0',
            b'a'..=b'z' => b'a',
            _ => b'A',
        });
        let zero = SegmentName { stem: self.stem.clone(), suffix: zeros.collect() };
        // A sequence of numbers begins with 0 or 1, one of letters with the first.
        let one = zero.next().filter(|one| one.suffix.ends_with(b"1"));
        std::iter::once(zero).chain(one).collect()
    }

    /// Whether the first segment can have this name.
    pub(super) fn is_start(&self) -> bool {
        self.starts().contains(self)
    }

    /// The name of the next segment; `None` after the last one that letters can count to.
    pub(super) fn next(&self) -> Option<SegmentName> {
        let mut suffix = self.suffix.clone();
        for byte in suffix.iter_mut().rev() {
            let (first, last) = match *byte {
                b'0'..=b'9' => (b'0', b'9'),
                b'a'..=b'z' => (b'a', b'z'),
                _ => (b'A', b'Z'),
            };
            if *byte < last {
                *byte = byte.saturating_add(1);
                return Some(SegmentName { stem: self.stem.clone(), suffix });
            }
            *byte = first;
        }
        if !suffix.starts_with(b"0") {
            return None;
        }
        suffix.insert(0, b'1');
        Some(SegmentName { stem: self.stem.clone(), suffix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(name: &str) -> Option<String> {
        let next = SegmentName::parse(name.as_bytes())?.next()?;
        Some(String::from_utf8(next.as_bytes()).unwrap())
    }

    #[test]
    fn names_of_segments_count_on() {
        for (name, after) in [
            ("disk.001", "disk.002"),
            ("disk.raw.09", "disk.raw.10"),
            ("disk.999", "disk.1000"),
            ("disk.0999", "disk.1000"),
            ("disk.raw.az", "disk.raw.ba"),
            ("xaa", "xab"),
            ("x00", "x01"),
            ("DISK.AAA", "DISK.AAB"),
        ] {
            assert_eq!(next(name).as_deref(), Some(after), "{name}");
        }
        assert_eq!(next("disk.zz"), None);
    }

    #[test]
    fn other_names_are_none_of_a_segment() {
        for name in [
            "",
            "x",
            ".",
            "001",
            ".001",
            "aa",
            "disk",
            "disk.1",
            "disk.a1",
            "disk.raws",
            "disk.00001",
        ] {
            assert_eq!(SegmentName::parse(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn a_sequence_begins_with_zero_or_one_or_the_first_letters() {
        let starts = |name: &str| {
            let starts = SegmentName::parse(name.as_bytes()).unwrap().starts();
            starts
                .iter()
                .map(|name| String::from_utf8(name.as_bytes()).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(starts("disk.017"), ["disk.000", "disk.001"]);
        assert_eq!(starts("disk.gz"), ["disk.aa"]);
        assert!(SegmentName::parse(b"disk.001").unwrap().is_start());
        assert!(!SegmentName::parse(b"disk.002").unwrap().is_start());
    }
}
