//! Integers as decimal digits, without the formatting machinery: it is the larger part of the time
//! that a short line takes.

/// The last `N` decimal digits of a number, with leading zeros.
pub(super) fn fixed<const N: usize>(number: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    fill(number.into(), &mut digits);
    digits
}

/// Fills the places, which hold zeros, with the last digits of a number; returns how many of these
/// digits are no leading zeros, but at least 1.
fn fill(mut number: u64, places: &mut [u8]) -> usize {
    let length = places.len();
    let (first, eights) = places.as_rchunks_mut::<8>();
    let mut count = 0_usize;
    for places in eights.iter_mut().rev() {
        let digits = eight_digits(number % 100_000_000);
        *places = digits.to_le_bytes();
        number /= 100_000_000;
        if number == 0 {
            let zeros = usize::try_from((digits ^ ZEROS).trailing_zeros() / u8::BITS);
            return count.saturating_add(8).saturating_sub(zeros.unwrap_or_default().min(7));
        }
        count = count.saturating_add(8);
    }
    for place in first.iter_mut().rev() {
        let [digit, ..] = (number % 10).to_le_bytes();
        *place = b'0' | digit;
        count = count.saturating_add(1);
        number /= 10;
        if number == 0 {
            return count;
        }
    }
    length
}

/// `00000000`.
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The eight digits of a number below 100,000,000, the first in the lowest byte. They are parted in
/// the middle, then each half, then each quarter; all parts of a step lie in one word.
fn eight_digits(number: u64) -> u64 {
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    // To divide by 100 and by 10: exact for numbers this small.
    let hundreds = (halves.wrapping_mul(10_486) >> 20) & 0x0000_007f_0000_007f;
    let quarters = hundreds | (halves.wrapping_sub(hundreds.wrapping_mul(100)) << 16);
    let tens = (quarters.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f;
    ZEROS | tens | (quarters.wrapping_sub(tens.wrapping_mul(10)) << 8)
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
        for number in (0..100_000_000_u32).step_by(7_919).chain(0..10_000) {
            let expected = format!("{number:08}");
            assert_eq!(fixed::<8>(number), expected.as_bytes());
        }
        let mut bytes = Vec::new();
        push(u64::MAX, &mut bytes);
        assert_eq!(bytes, b"18446744073709551615");
    }

    #[test]
    fn fixed_digits_have_leading_zeros() {
        assert_eq!(fixed::<9>(22), *b"000000022");
        assert_eq!(fixed::<4>(2019), *b"2019");
        assert_eq!(fixed::<4>(120_190), *b"0190");
    }
}
