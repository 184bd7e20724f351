//! Counts what protobuf bytes would become, before anything is built from them.
//!
//! A message's shape is a table: which fields it has, how often each may stand, how long each may be and how much
//! memory the decoded message takes. One walk over the raw bytes, which allocates nothing, holds them against it.
//! Fields that the table does not know are skipped, as protobuf asks.

use crate::fields::{Content, FIXED32, FIXED64, Fields, LENGTH, VARINT};

/// Why bytes are not decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// A field or a number is cut off.
    #[error("the bytes end inside {message}")]
    Truncated {
        /// The message they end in.
        message: &'static str,
    },
    /// A field has another wire type than protobuf gives it, or one that is no longer used.
    #[error("field {number} of {message} is written with wire type {wire_type}")]
    WireType {
        /// The message.
        message: &'static str,
        /// The field's number.
        number: u64,
        /// What its key says.
        wire_type: u8,
    },
    /// A field's number is 0 or too high.
    #[error("{message} has a field with the number {number}")]
    FieldNumber {
        /// The message.
        message: &'static str,
        /// The number.
        number: u64,
    },
    /// A field stands more often than it may.
    #[error("{message}.{field} stands more than {max} times")]
    TooMany {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
        /// How often it may stand.
        max: usize,
    },
    /// A field is longer than it may be.
    #[error("{message}.{field} has {bytes} bytes; {max} are allowed")]
    TooLong {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// Messages stand too deep inside each other.
    #[error("messages are nested deeper than {max}")]
    Nesting {
        /// How deep they may be.
        max: usize,
    },
    /// The decoded message would take too much memory.
    #[error("{bytes} bytes would become more than {max} bytes of memory")]
    Memory {
        /// How many bytes there are.
        bytes: usize,
        /// How much memory they may take.
        max: usize,
    },
}

/// What a message may hold.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// The size of the decoded message in memory, without what its fields point to.
    pub(crate) size: usize,
    pub(crate) fields: &'static [Field],
}

/// One row of a [`Shape`].
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// How often it may stand in one message.
    pub(crate) most: usize,
}

/// How a field is written, and how long it may be.
pub(crate) enum Kind {
    Varint,
    Fixed32,
    Fixed64,
    /// Repeated numbers, packed or not: the wire type of one, and its size in memory.
    Numbers(u8, usize),
    /// Bytes or text of at most so many bytes, and what one takes beside its contents.
    Bytes(usize, usize),
    Message(&'static Shape),
}

pub(crate) const fn field(number: u32, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, most: 1 }
}
pub(crate) const fn repeated(number: u32, name: &'static str, most: usize, kind: Kind) -> Field {
    Field { number, name, kind, most }
}

/// What may be spent on one message.
pub(crate) struct Budget {
    pub(crate) depth_max: usize,
    pub(crate) memory_max: usize,
}

/// What a scan found.
#[derive(Default)]
pub(crate) struct Counted {
    /// The most memory that is taken at any time while the message is decoded, shared bytes excluded.
    pub(crate) memory: usize,
    /// What is taken now.
    now: usize,
}

impl Counted {
    fn take(&mut self, bytes: usize) {
        self.now = self.now.saturating_add(bytes);
        self.memory = self.memory.max(self.now);
    }
    /// A vector with room for `room` elements gets room for so many: it doubles, beginning with four, and keeps the old
    /// room until what was in it has moved.
    fn grow(&mut self, room: &mut usize, elements: usize, size: usize) {
        while *room < elements {
            let larger = room.saturating_mul(2).max(4);
            self.take(larger.saturating_mul(size));
            self.now -= room.saturating_mul(size).min(self.now);
            *room = larger;
        }
    }
}

/// More fields than any shape has.
const FIELDS_MAX: usize = 32;

pub(crate) fn scan(bytes: &[u8], shape: &'static Shape, budget: &Budget) -> Result<Counted, ScanError> {
    let mut counted = Counted::default();
    counted.take(shape.size);
    message(bytes, shape, budget, 1, &mut counted)?;
    if counted.memory > budget.memory_max {
        return Err(ScanError::Memory { bytes: bytes.len(), max: budget.memory_max });
    }
    Ok(counted)
}

fn message(
    bytes: &[u8],
    shape: &'static Shape,
    budget: &Budget,
    depth: usize,
    counted: &mut Counted,
) -> Result<(), ScanError> {
    if depth > budget.depth_max {
        return Err(ScanError::Nesting { max: budget.depth_max });
    }
    let message = shape.name;
    let mut times = [0usize; FIELDS_MAX];
    // What each repeated field has room for.
    let mut room = [0usize; FIELDS_MAX];
    let mut elements = [0usize; FIELDS_MAX];
    let mut all = Fields::of(message, bytes);
    while let Some(crate::fields::Field { number, wire_type, content }) = all.next()? {
        let content = match content {
            Content::Bytes(bytes) => bytes,
            Content::Varint(_) | Content::Fixed64(_) | Content::Fixed32(_) => &[],
        };
        let Some(index) = shape.fields.iter().position(|f| u64::from(f.number) == number) else { continue };
        let row = &shape.fields[index];
        let field = row.name;
        times[index] += 1;
        if times[index] > row.most {
            return Err(ScanError::TooMany { message, field, max: row.most });
        }
        let too_long = |max: usize| match content.len() > max {
            true => Err(ScanError::TooLong { message, field, bytes: content.len(), max }),
            false => Ok(()),
        };
        let expected = match row.kind {
            Kind::Varint => VARINT,
            Kind::Fixed32 => FIXED32,
            Kind::Fixed64 => FIXED64,
            Kind::Numbers(one, _) if wire_type == one => one,
            Kind::Numbers(..) | Kind::Bytes(..) | Kind::Message(_) => LENGTH,
        };
        if wire_type != expected {
            return Err(ScanError::WireType { message, number, wire_type });
        }
        match row.kind {
            Kind::Varint | Kind::Fixed32 | Kind::Fixed64 => {}
            Kind::Numbers(one, size) => {
                let width = match one {
                    FIXED64 => 8,
                    FIXED32 => 4,
                    _ => 1,
                };
                let numbers = if wire_type == LENGTH { content.len() / width } else { 1 };
                elements[index] = elements[index].saturating_add(numbers);
                counted.grow(&mut room[index], elements[index], size);
            }
            Kind::Bytes(max, beside) => {
                too_long(max)?;
                counted.take(content.len());
                counted.grow(&mut room[index], times[index], beside);
            }
            Kind::Message(inner) => {
                self::message(content, inner, budget, depth + 1, counted)?;
                counted.grow(&mut room[index], times[index], inner.size);
            }
        }
    }
    Ok(())
}
