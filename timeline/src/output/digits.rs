//! Integers as decimal digits, without the formatting machinery: it is the larger part of the time
//! that a short line takes.

/// The last `N` decimal digits of a number, with leading zeros.
pub(super) fn fixed<const N: usize>(mut number: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit = last_digit(number.into());
        number /= 10;
    }
    digits
}

/// Appends a number with its sign.
pub(super) fn push_signed(number: i64, into: &mut Vec<u8>) {
    if number < 0 {
        into.push(b'-');
    }
    push(number.unsigned_abs(), into);
}

/// Appends a number.
pub(super) fn push(mut number: u64, into: &mut Vec<u8>) {
    let mut digits = [b'0'; 20]; // u64::MAX has 20 digits
    let mut count: usize = 0;
    for digit in digits.iter_mut().rev() {
        *digit = last_digit(number);
        number /= 10;
        count = count.saturating_add(1);
        if number == 0 {
            break;
        }
    }
    into.extend_from_slice(digits.get(digits.len().saturating_sub(count)..).unwrap_or_default());
}

fn last_digit(number: u64) -> u8 {
    let [digit, ..] = (number % 10).to_le_bytes();
    b'0' | digit
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
