//! A peer's identity: its multihash, and nothing shorter.

use bytes::Bytes;
use std::fmt;

/// A PeerId's multihash bytes, at most [`PeerId::BYTES_MAX`]. Ordered by bytes, which is the order of lanes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(Bytes);

impl PeerId {
    /// The longest multihash that a wire carries.
    pub const BYTES_MAX: usize = 64;

    /// The peer of that multihash; `None` where it is empty or too long.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Option<Self> {
        let bytes = bytes.into();
        (1..=Self::BYTES_MAX).contains(&bytes.len()).then_some(PeerId(bytes))
    }
    /// The multihash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// The multihash, shared.
    pub fn to_bytes(&self) -> Bytes {
        self.0.clone()
    }
}

/// Base58 (the alphabet of Bitcoin), as libp2p prints a PeerId.
impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        let mut digits: Vec<u8> = Vec::with_capacity(self.0.len() * 2);
        for byte in &self.0 {
            let mut carry = u32::from(*byte);
            for digit in &mut digits {
                carry += u32::from(*digit) << 8;
                *digit = (carry % 58) as u8;
                carry /= 58;
            }
            while carry > 0 {
                digits.push((carry % 58) as u8);
                carry /= 58;
            }
        }
        let zeros = self.0.iter().take_while(|b| **b == 0).count();
        let text: String = std::iter::repeat_n(0, zeros)
            .chain(digits.into_iter().rev())
            .map(|d| char::from(ALPHABET[usize::from(d)]))
            .collect();
        f.pad(&text)
    }
}
impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base58_as_libp2p_prints_it() {
        assert_eq!(PeerId::from_bytes(&b"Hello World!"[..]).expect("short").to_string(), "2NEpo7TZRRrLZSi2U");
        assert_eq!(PeerId::from_bytes(&[0u8, 0, 1][..]).expect("short").to_string(), "112");
        assert!(PeerId::from_bytes(Bytes::new()).is_none());
        assert!(PeerId::from_bytes(vec![1; 65]).is_none());
    }
}
