//! The wire format of Protocol Buffers, without a schema: the fields of a message as they stand.
//!
//! Engines keep messages in databases (tasks of Swarm, builds of BuildKit, `Any` in containerd) and
//! in logs of the driver `local`. A message is a row of fields, each with a number and one of four
//! kinds of values; a field may come again, and in any order. After the encoding page of the
//! Protocol Buffers documentation; groups, which proto3 does not write, are skipped whole.

use dockline_timeline::{Instant, IssueKind};

/// Groups are skipped when they are nested no deeper than this.
const GROUP_DEPTH: usize = 64;
/// Seconds of Go's zero time, since 1970.
const ZERO_TIME: i64 = -62_135_596_800;

/// A value as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'b> {
    /// An integer, a boolean or an enumeration.
    Varint(u64),
    /// Eight bytes: a fixed integer or a double.
    Fixed64(u64),
    /// Four bytes: a fixed integer or a float.
    Fixed32(u32),
    /// A text, bytes, another message, or packed numbers.
    Bytes(&'b [u8]),
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'b> {
    /// Its number in the schema, from 1.
    pub number: u32,
    /// Its value.
    pub value: Value<'b>,
    /// At which byte of the message it begins.
    pub offset: usize,
}

/// Why the rest of a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In which way.
    pub kind: IssueKind,
    /// At which byte of the message.
    pub offset: usize,
    /// In words.
    pub what: String,
}

impl<'b> Value<'b> {
    /// The bytes, if it is of this kind.
    #[must_use]
    pub fn bytes(self) -> Option<&'b [u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(self) -> Option<&'b str> {
        self.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The integer, if it is one; negative ones are written as if they had no sign.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        match self {
            Value::Varint(number) => Some(number.cast_signed()),
            _ => None,
        }
    }
}

/// The fields of a message, in order; a problem is the last thing that comes.
#[must_use]
pub fn fields(message: &[u8]) -> Fields<'_> {
    Fields { message, at: 0 }
}

/// The last field with this number, which is the one that counts; `None` also when the message
/// cannot be read up to its end.
#[must_use]
pub fn last(message: &[u8], number: u32) -> Option<Value<'_>> {
    let fields: Vec<Field<'_>> = fields(message).collect::<Result<_, _>>().ok()?;
    fields.iter().rev().find(|field| field.number == number).map(|field| field.value)
}

/// A `google.protobuf.Timestamp`: seconds in field 1, nanoseconds in field 2. Go's zero time is
/// `None`.
///
/// # Errors
/// When the message cannot be read, or says no time between the years 1 and 9999.
pub fn timestamp(message: &[u8]) -> Result<Option<Instant>, Problem> {
    let (mut seconds, mut nanoseconds) = (0, 0);
    for field in fields(message) {
        match field? {
            Field { number: 1, value: Value::Varint(value), .. } => seconds = value.cast_signed(),
            Field { number: 2, value: Value::Varint(value), .. } => nanoseconds = value,
            _ => (),
        }
    }
    if (seconds, nanoseconds) == (ZERO_TIME, 0) {
        return Ok(None);
    }
    let instant = u32::try_from(nanoseconds).ok().and_then(|part| Instant::new(seconds, part));
    let what = || format!("no time: {seconds} seconds and {nanoseconds} nanoseconds");
    instant.map(Some).ok_or_else(|| malformed(0, what()))
}

/// The unsigned integer that `bytes` begin with, seven bits a byte, the lowest first, and how many
/// bytes it takes; `None` when it is cut off or larger than 64 bits.
#[must_use]
pub fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (place, byte) in (0_u32..10).zip(bytes) {
        let bits = u64::from(byte & 0x7f);
        let shift = place.checked_mul(7)?;
        let shifted =
            bits.checked_shl(shift).filter(|shifted| shifted.checked_shr(shift) == Some(bits));
        number |= shifted?;
        if byte & 0x80 == 0 {
            return Some((number, usize::try_from(place).ok()?.checked_add(1)?));
        }
    }
    None
}

/// The signed integer that Go's `binary.PutVarint` writes ("zigzag"), which must be all of `bytes`.
#[must_use]
pub fn zigzag(bytes: &[u8]) -> Option<i64> {
    let (number, _) = varint(bytes).filter(|(_, length)| *length == bytes.len())?;
    Some((number >> 1).cast_signed() ^ (number & 1).cast_signed().wrapping_neg())
}

/// Iterates over the fields of a message.
#[derive(Clone, Debug)]
pub struct Fields<'b> {
    message: &'b [u8],
    at: usize,
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<Field<'b>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.message.len() {
            let found = self.field();
            if found.is_err() {
                self.at = self.message.len();
            }
            if let Some(found) = found.transpose() {
                return Some(found);
            }
        }
        None
    }
}

impl<'b> Fields<'b> {
    /// The next field; `None` when it is a group.
    fn field(&mut self) -> Result<Option<Field<'b>>, Problem> {
        let offset = self.at;
        match self.tag()? {
            (number, 3) => {
                self.skip_group(number)?;
                Ok(None)
            }
            (_, 4) => Err(malformed(offset, "the end of a group that did not begin")),
            (number, kind) => {
                let value = self.value(kind, offset)?;
                Ok(Some(Field { number, value, offset }))
            }
        }
    }

    /// A field's number and the kind of its value.
    fn tag(&mut self) -> Result<(u32, u64), Problem> {
        let offset = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or_else(|| malformed(offset, "no field has this number"))?;
        Ok((number, tag & 7))
    }

    fn value(&mut self, kind: u64, offset: usize) -> Result<Value<'b>, Problem> {
        match kind {
            0 => self.varint().map(Value::Varint),
            1 => self.array().map(|bytes| Value::Fixed64(u64::from_le_bytes(bytes))),
            2 => self.bytes().map(Value::Bytes),
            5 => self.array().map(|bytes| Value::Fixed32(u32::from_le_bytes(bytes))),
            _ => Err(malformed(offset, format!("no value is of kind {kind}"))),
        }
    }

    fn varint(&mut self) -> Result<u64, Problem> {
        let found = self.message.get(self.at..).and_then(varint);
        let wrong = || malformed(self.at, "a number that is cut off or has more than 64 bits");
        let (number, length) = found.ok_or_else(wrong)?;
        self.at = self.at.saturating_add(length);
        Ok(number)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let bytes = self.take(N)?;
        bytes.first_chunk().copied().ok_or_else(|| malformed(self.at, "a number is cut off"))
    }

    fn bytes(&mut self) -> Result<&'b [u8], Problem> {
        let length = self.varint()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Problem> {
        let end = self.at.saturating_add(length);
        let Some(bytes) = self.message.get(self.at..end) else {
            let left = self.message.len().saturating_sub(self.at);
            return Err(malformed(self.at, format!("a value of {length} bytes, {left} are left")));
        };
        self.at = end;
        Ok(bytes)
    }

    /// Goes behind the end of a group and of those in it.
    fn skip_group(&mut self, number: u32) -> Result<(), Problem> {
        let mut open = vec![number];
        while let Some(inner) = open.last().copied() {
            let offset = self.at;
            match self.tag()? {
                (number, 3) if open.len() < GROUP_DEPTH => open.push(number),
                (_, 3) => {
                    let what = format!("groups nested deeper than {GROUP_DEPTH} levels");
                    let kind = IssueKind::LimitReached;
                    return Err(Problem { kind, ..malformed(offset, what) });
                }
                (number, 4) if number == inner => {
                    open.pop();
                }
                (_, 4) => return Err(malformed(offset, "the end of another group")),
                (_, kind) => {
                    self.value(kind, offset)?;
                }
            }
        }
        Ok(())
    }
}

fn malformed(offset: usize, what: impl Into<String>) -> Problem {
    Problem { kind: IssueKind::Malformed, offset, what: format!("protobuf: {}", what.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read<'b> = (Vec<(u32, Value<'b>)>, Option<(usize, String)>);

    fn all(message: &[u8]) -> Read<'_> {
        let (mut found, mut problem) = (Vec::new(), None);
        for field in fields(message) {
            match field {
                Ok(field) => found.push((field.number, field.value)),
                Err(error) => problem = Some((error.offset, error.what)),
            }
        }
        (found, problem)
    }

    #[test]
    fn all_kinds_of_values_are_read_in_order() {
        let message = b"\x08\x96\x01\x12\x02hi\x19\x01\0\0\0\0\0\0\0\x25\x02\0\0\0\x12\0";
        let values = vec![
            (1, Value::Varint(150)),
            (2, Value::Bytes(b"hi")),
            (3, Value::Fixed64(1)),
            (4, Value::Fixed32(2)),
            (2, Value::Bytes(b"")),
        ];
        assert_eq!(all(message), (values, None));
        assert_eq!(last(message, 2), Some(Value::Bytes(b"")));
        assert_eq!(last(message, 1).and_then(Value::integer), Some(150));
        assert_eq!(last(message, 9), None);
        assert_eq!(all(b""), (vec![], None));
    }

    #[test]
    fn negative_integers_take_ten_bytes() {
        let message = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(last(message, 1).and_then(Value::integer), Some(-1));
        assert_eq!(varint(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), None);
        assert_eq!(varint(b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), None);
        assert_eq!(varint(b"\x80"), None);
        assert_eq!(varint(b"\xac\x02rest"), Some((300, 2)));
    }

    #[test]
    fn numbers_of_go_are_read_with_their_sign() {
        assert_eq!(zigzag(b"\x08"), Some(4));
        assert_eq!(zigzag(b"\x03"), Some(-2));
        assert_eq!(zigzag(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), Some(i64::MIN));
        assert_eq!(zigzag(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), Some(i64::MAX));
        assert_eq!((zigzag(b""), zigzag(b"\x08\x08")), (None, None));
    }

    #[test]
    fn what_stands_before_a_fault_is_read_and_the_fault_is_said() {
        let one = vec![(1, Value::Varint(1))];
        let fault = |rest: &[u8]| {
            let message = [b"\x08\x01", rest].concat();
            let (found, problem) = all(&message);
            assert_eq!(found, one, "{rest:?}");
            problem.unwrap()
        };
        assert_eq!(
            fault(b"\x12\x05ab"),
            (4, "protobuf: a value of 5 bytes, 2 are left".to_owned())
        );
        assert_eq!(fault(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").0, 13);
        assert_eq!(fault(b"\x08").1, "protobuf: a number that is cut off or has more than 64 bits");
        assert_eq!(fault(b"\x00\x01"), (2, "protobuf: no field has this number".to_owned()));
        assert_eq!(fault(b"\x0f"), (2, "protobuf: no value is of kind 7".to_owned()));
        assert_eq!(fault(b"\x0c").1, "protobuf: the end of a group that did not begin");
        assert_eq!(fault(b"\x0d\x01\x02").1, "protobuf: a value of 4 bytes, 2 are left");
    }

    #[test]
    fn groups_are_skipped_whole() {
        let message = b"\x0b\x10\x01\x1b\x22\x01x\x1c\x0c\x10\x07";
        assert_eq!(all(message), (vec![(2, Value::Varint(7))], None));
        assert_eq!(all(b"\x0b\x14").1, Some((1, "protobuf: the end of another group".to_owned())));
        let deep = all(&[0x0b; 100]).1.unwrap();
        assert_eq!(deep, (64, "protobuf: groups nested deeper than 64 levels".to_owned()));
    }

    #[test]
    fn a_timestamp_is_an_instant_and_gos_zero_time_is_none() {
        let told = |message: &[u8]| timestamp(message).map(|at| at.map(|at| at.to_string()));
        let time = b"\x08\xa5\xfa\xcd\xac\x06\x10\xf2\xeb\xdc\xc3\x02";
        assert_eq!(told(time), Ok(Some("2024-01-02T03:04:05.678901234Z".to_owned())));
        assert_eq!(told(b""), Ok(Some("1970-01-01T00:00:00.000000000Z".to_owned())));
        assert_eq!(told(b"\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01"), Ok(None));
        let wrong = told(b"\x10\x80\x94\xeb\xdc\x03").unwrap_err();
        assert_eq!(wrong.what, "protobuf: no time: 0 seconds and 1000000000 nanoseconds");
    }
}
