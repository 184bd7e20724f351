//! A peer's identity: its multihash, and nothing shorter.

use bytes::Bytes;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A PeerId's multihash bytes, at most [`PeerId::BYTES_MAX`]. Ordered by bytes, which is the order of lanes.
#[derive(Clone)]
pub struct PeerId(Multihash);

/// The bytes. Those of an Ed25519 key, which most peers have, are copied like a number.
#[derive(Clone)]
enum Multihash {
    /// How many, and they.
    Short(u8, [u8; SHORT_BYTES]),
    Long(Bytes),
}
/// How many bytes the multihash of an Ed25519 key has.
const SHORT_BYTES: usize = 38;

impl PeerId {
    /// The longest multihash that a wire carries.
    pub const BYTES_MAX: usize = 64;

    /// The peer of that multihash; `None` where it is empty or too long.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Option<Self> {
        let bytes = bytes.as_ref();
        let mut short = [0; SHORT_BYTES];
        if let Some(part) = short.get_mut(..bytes.len()) {
            part.copy_from_slice(bytes);
            return (!bytes.is_empty()).then_some(PeerId(Multihash::Short(bytes.len() as u8, short)));
        }
        (bytes.len() <= Self::BYTES_MAX).then(|| PeerId(Multihash::Long(Bytes::copy_from_slice(bytes))))
    }
    /// The multihash.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Multihash::Short(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Multihash::Long(bytes) => bytes,
        }
    }
    /// The multihash, as bytes of their own.
    pub fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.as_bytes())
    }
}

impl PartialEq for PeerId {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            // What is behind a short one is zero.
            (Multihash::Short(a, these), Multihash::Short(b, those)) => a == b && these == those,
            _ => self.as_bytes() == other.as_bytes(),
        }
    }
}
impl Eq for PeerId {}
impl PartialOrd for PeerId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for PeerId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}
impl Hash for PeerId {
    /// Of the last eight bytes: those of a key, which nobody chooses.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.as_bytes().last_chunk::<8>() {
            Some(last) => state.write_u64(u64::from_le_bytes(*last)),
            None => self.as_bytes().hash(state),
        }
    }
}

/// Base58's digits, in the order of Bitcoin.
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Base58 (the alphabet of Bitcoin), as libp2p prints a PeerId.
impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits: Vec<u8> = Vec::with_capacity(self.as_bytes().len() * 2);
        for byte in self.as_bytes() {
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
        let zeros = self.as_bytes().iter().take_while(|b| **b == 0).count();
        let text: String = std::iter::repeat_n(0, zeros)
            .chain(digits.into_iter().rev())
            .map(|d| char::from(ALPHABET[usize::from(d)]))
            .collect();
        f.pad(&text)
    }
}

/// A text that is no PeerId.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerIdError {
    /// A character that base58 does not have.
    #[error("`{0}` is not a character of base58")]
    Character(char),
    /// Nothing, or more than a multihash is long.
    #[error("a PeerId has 1 to {max} bytes", max = PeerId::BYTES_MAX)]
    Length,
}

/// From base58, as libp2p prints it.
impl FromStr for PeerId {
    type Err = PeerIdError;
    fn from_str(text: &str) -> Result<Self, PeerIdError> {
        // Two digits are more than one byte, so a longer text cannot fit: what follows is bounded.
        if text.len() > 2 * Self::BYTES_MAX {
            return Err(PeerIdError::Length);
        }
        // Least significant first.
        let mut bytes: Vec<u8> = Vec::with_capacity(Self::BYTES_MAX);
        for c in text.chars() {
            let digit = ALPHABET.iter().position(|a| char::from(*a) == c).ok_or(PeerIdError::Character(c))?;
            let mut carry = digit as u32;
            for byte in &mut bytes {
                carry += u32::from(*byte) * 58;
                *byte = carry as u8;
                carry >>= 8;
            }
            if carry > 0 {
                bytes.push(carry as u8);
            }
        }
        let zeros = text.bytes().take_while(|b| *b == ALPHABET[0]).count();
        bytes.extend(std::iter::repeat_n(0, zeros));
        bytes.reverse();
        PeerId::from_bytes(bytes).ok_or(PeerIdError::Length)
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

    #[test]
    fn what_is_printed_is_read_again_and_nothing_else() {
        for bytes in [&b"Hello World!"[..], &[0, 0, 1], &[0], &[255; 64], &[1; 38]] {
            let peer = PeerId::from_bytes(bytes).expect("short");
            assert_eq!(peer.to_string().parse(), Ok(peer));
        }
        assert_eq!("10".parse::<PeerId>(), Err(PeerIdError::Character('0')));
        assert_eq!("".parse::<PeerId>(), Err(PeerIdError::Length));
        assert_eq!("z".repeat(128).parse::<PeerId>(), Err(PeerIdError::Length));
    }
}
