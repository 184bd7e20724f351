//! The fields of a protobuf message, one by one, as views into its bytes.

use crate::scan::ScanError;
use crate::varint;

/// How a field is written, by the low bits of its key.
pub(crate) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const LENGTH: u8 = 2;
pub(crate) const FIXED32: u8 = 5;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// Bytes, text or a message.
    Bytes(&'a [u8]),
}

/// A field: its number, how it is written, what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    pub(crate) wire_type: u8,
    pub(crate) content: Content<'a>,
}

/// The fields of a message that have not been read.
pub(crate) struct Fields<'a> {
    message: &'static str,
    rest: &'a [u8],
    /// The fields that have stood there and may stand once, a bit each.
    once: u32,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'static str, bytes: &'a [u8]) -> Self {
        Fields { message, rest: bytes, once: 0 }
    }
    /// The next one; `None` behind the last. (What it gives is larger than what it does: it is part of every loop.)
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>, ScanError> {
        let message = self.message;
        let truncated = || ScanError::Truncated { message };
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (key, rest) = varint::take(self.rest).ok_or_else(truncated)?;
        let (number, wire_type) = (key >> 3, (key & 7) as u8);
        if number == 0 || number > 0x1fff_ffff {
            return Err(ScanError::FieldNumber { message, number });
        }
        let (content, rest) = match wire_type {
            VARINT => varint::take(rest).map(|(n, rest)| (Content::Varint(n), rest)),
            FIXED64 => rest.split_first_chunk().map(|(n, rest)| (Content::Fixed64(u64::from_le_bytes(*n)), rest)),
            FIXED32 => rest.split_first_chunk().map(|(n, rest)| (Content::Fixed32(u32::from_le_bytes(*n)), rest)),
            LENGTH => varint::take(rest).and_then(|(length, rest)| {
                let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                Some((Content::Bytes(content), rest))
            }),
            _ => return Err(ScanError::WireType { message, number, wire_type }),
        }
        .ok_or_else(truncated)?;
        self.rest = rest;
        Ok(Some(Field { number, wire_type, content }))
    }

    /// Refuses a field that stands a second time.
    #[inline]
    pub(crate) fn once(&mut self, number: u64, field: &'static str) -> Result<(), ScanError> {
        let bit = 1 << number;
        if self.once & bit != 0 {
            return Err(ScanError::TooMany { message: self.message, field, max: 1 });
        }
        self.once |= bit;
        Ok(())
    }
    /// A number that may stand once.
    #[inline]
    pub(crate) fn varint(&mut self, field: &Field, name: &'static str) -> Result<u64, ScanError> {
        self.once(field.number, name)?;
        match field.content {
            Content::Varint(number) => Ok(number),
            _ => Err(self.otherwise(field)),
        }
    }
    /// The same, of eight bytes.
    #[inline]
    pub(crate) fn fixed64(&mut self, field: &Field, name: &'static str) -> Result<u64, ScanError> {
        self.once(field.number, name)?;
        match field.content {
            Content::Fixed64(number) => Ok(number),
            _ => Err(self.otherwise(field)),
        }
    }
    /// Bytes that may stand once, and are so many at most.
    #[inline]
    pub(crate) fn bytes(&mut self, field: &Field<'a>, name: &'static str, max: usize) -> Result<&'a [u8], ScanError> {
        self.once(field.number, name)?;
        let content = self.message(field)?;
        if content.len() > max {
            return Err(ScanError::TooLong { message: self.message, field: name, bytes: content.len(), max });
        }
        Ok(content)
    }
    /// A message's bytes, however often one stands there.
    pub(crate) fn message(&self, field: &Field<'a>) -> Result<&'a [u8], ScanError> {
        match field.content {
            Content::Bytes(bytes) => Ok(bytes),
            _ => Err(self.otherwise(field)),
        }
    }
    /// A field that is written as no such field is.
    pub(crate) fn otherwise(&self, field: &Field) -> ScanError {
        ScanError::WireType { message: self.message, number: field.number, wire_type: field.wire_type }
    }
}
