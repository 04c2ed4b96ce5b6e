//! Integers as decimal digits, without the formatting machinery: it is the larger part of the time
//! that a short line takes.

/// `00` to `99`, one after the other.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut tens = b'0';
    let mut ones = b'0';
    let mut rest: &mut [[u8; 2]] = &mut pairs;
    while let Some((pair, others)) = rest.split_first_mut() {
        *pair = [tens, ones];
        if ones == b'9' {
            ones = b'0';
            tens = tens.wrapping_add(1);
        } else {
            ones = ones.wrapping_add(1);
        }
        rest = others;
    }
    pairs
};

/// The last `N` decimal digits of a number, with leading zeros.
pub(super) fn fixed<const N: usize>(number: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    fill(number.into(), &mut digits);
    digits
}

/// Fills the places with the last digits of a number; returns how many of these digits are no
/// leading zeros, but at least 1.
fn fill(mut number: u64, places: &mut [u8]) -> usize {
    let length = places.len();
    let (odd, pairs) = places.as_rchunks_mut::<2>();
    let mut count = 0_usize;
    for places in pairs.iter_mut().rev() {
        let pair = usize::try_from(number % 100).ok().and_then(|pair| PAIRS.get(pair));
        *places = pair.copied().unwrap_or([b'0'; 2]);
        count = count.saturating_add(if number >= 10 { 2 } else { 1 });
        number /= 100;
        if number == 0 {
            return count;
        }
    }
    if let Some(place) = odd.last_mut() {
        let [digit, ..] = (number % 10).to_le_bytes();
        *place = b'0' | digit;
    }
    length
}

/// Appends a number with its sign.
pub(super) fn push_signed(number: i64, into: &mut Vec<u8>) {
    if number < 0 {
        into.push(b'-');
    }
    push(number.unsigned_abs(), into);
}

/// Appends a number.
pub(super) fn push(number: u64, into: &mut Vec<u8>) {
    let mut digits = [b'0'; 20]; // u64::MAX has 20 digits
    let count = fill(number, &mut digits);
    into.extend_from_slice(digits.get(digits.len().saturating_sub(count)..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_standard_library() {
        let mut numbers = vec![0, 1, 9, 10, 99, 100, i64::MAX, i64::MIN, i64::MIN + 1];
        numbers.extend((0..63).flat_map(|bit| [1_i64 << bit, -(1_i64 << bit)]));
        for number in numbers {
            let mut bytes = Vec::new();
            push_signed(number, &mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), number.to_string());
        }
        let mut bytes = Vec::new();
        push(u64::MAX, &mut bytes);
        assert_eq!(bytes, b"18446744073709551615");
    }

    #[test]
    fn fixed_digits_have_leading_zeros() {
        assert_eq!(fixed::<9>(22), *b"000000022");
        assert_eq!(fixed::<4>(2019), *b"2019");
    }
}
