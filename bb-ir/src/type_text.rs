//! The canonical text of a type, made while the crate compiles, so that a type's hash is a constant.

use crate::types::{ElementKind, hash_of_text};

/// A type's canonical text.
///
/// ```
/// use bb_ir::{type_text::TypeText, types::ElementKind};
/// const WEIGHTS: TypeText = TypeText::tensor(ElementKind::F32);
/// const REPORT: TypeText = TypeText::record("app.Report").field(1, WEIGHTS).field(2, TypeText::of("bb.string")).end();
/// assert_eq!(REPORT.as_str(), "app.Report{1:tensor(f32),2:bb.string}");
/// const HASH: u64 = REPORT.hash();
/// # assert_eq!(HASH, bb_ir::types::hash_of_text("app.Report{1:tensor(f32),2:bb.string}"));
/// ```
#[derive(Clone, Copy)]
pub struct TypeText {
    bytes: [u8; TypeText::BYTES_MAX],
    length: usize,
    /// How many fields the record that is being written has.
    fields: usize,
}

impl TypeText {
    /// The longest text. A longer one does not compile.
    pub const BYTES_MAX: usize = 2048;

    /// A text as it stands.
    pub const fn of(text: &str) -> Self {
        TypeText { bytes: [0; Self::BYTES_MAX], length: 0, fields: 0 }.push(text)
    }
    /// A tensor, or a number, of these elements.
    pub const fn tensor(element: ElementKind) -> Self {
        Self::of("tensor(").push(element.name()).push(")")
    }
    /// Several of one type.
    pub const fn seq(of: TypeText) -> Self {
        Self::of("seq(").push(of.as_str()).push(")")
    }
    /// A user's type of that denotation; its fields follow, in the order of their tags.
    pub const fn record(denotation: &str) -> Self {
        Self::of(denotation).push("{")
    }
    /// The next field of a record.
    pub const fn field(self, tag: u32, ty: TypeText) -> Self {
        let open = if self.fields > 0 { self.push(",") } else { self };
        let mut with = open.number(tag).push(":").push(ty.as_str());
        with.fields += 1;
        with
    }
    /// The end of a record.
    pub const fn end(self) -> Self {
        self.push("}")
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => panic!("only whole texts are pushed"),
        }
    }
    /// What a sender states of its payload: see [`hash_of_text`].
    pub const fn hash(&self) -> u64 {
        hash_of_text(self.as_str())
    }

    const fn push(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        assert!(self.length + text.len() <= Self::BYTES_MAX, "the type has too many fields to be sent");
        let mut i = 0;
        while i < text.len() {
            self.bytes[self.length] = text[i];
            self.length += 1;
            i += 1;
        }
        self
    }
    const fn number(self, number: u32) -> Self {
        const DIGITS: &str = "0123456789";
        let tens = if number >= 10 { self.number(number / 10) } else { self };
        let digit = (number % 10) as usize;
        tens.push(DIGITS.split_at(digit).1.split_at(1).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ValueType;

    #[test]
    fn texts_are_those_of_the_types_they_stand_for() {
        for element in ElementKind::ALL {
            assert_eq!(TypeText::tensor(element).as_str(), ValueType::tensor(element).canonical_text());
            assert_eq!(TypeText::tensor(element).as_str(), ValueType::scalar(element).canonical_text());
        }
        let peers = ValueType::Seq(Box::new(ValueType::peer()));
        const PEERS: TypeText = TypeText::seq(TypeText::of(crate::types::PEER_DENOTATION));
        assert_eq!(PEERS.as_str(), peers.canonical_text());
        const PEERS_HASH: u64 = PEERS.hash();
        assert_eq!(PEERS_HASH, peers.hash());
    }

    #[test]
    fn records_nest_and_number_their_fields() {
        const INNER: TypeText = TypeText::record("app.Inner").field(1, TypeText::tensor(ElementKind::Bool)).end();
        const OUTER: TypeText =
            TypeText::record("app.Outer").field(7, INNER).field(2048, TypeText::of("bb.bytes")).end();
        assert_eq!(OUTER.as_str(), "app.Outer{7:app.Inner{1:tensor(bool)},2048:bb.bytes}");
        assert_eq!(TypeText::record("app.Nothing").end().as_str(), "app.Nothing{}");
    }
}
