//! The address of a receiving site: the same on every node of a program.

use std::fmt;
use std::hash::{Hash, Hasher};

/// The multiaddr code of a site, from the range for private use.
pub const SITE_MULTIADDR_CODE: u64 = 0x30_0001;

/// Eight bytes that name one payload of one wire of one program. [`crate::digest::site_address`] makes them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteAddress(pub [u8; 8]);

impl SiteAddress {
    /// How long a segment is.
    pub const SEGMENT_BYTES: usize = 13;

    /// The address as a multiaddr segment: code, length, the eight bytes.
    pub fn to_segment(self) -> [u8; Self::SEGMENT_BYTES] {
        let mut segment = [0; Self::SEGMENT_BYTES];
        let (head, address) = segment.split_at_mut(Self::SEGMENT_BYTES - 8);
        let code = |group: u32| (SITE_MULTIADDR_CODE >> (7 * group)) as u8 & 0x7f;
        head.copy_from_slice(&[code(0) | 0x80, code(1) | 0x80, code(2) | 0x80, code(3), 8]);
        address.copy_from_slice(&self.0);
        segment
    }

    /// The address in a segment; `None` where the bytes are not exactly one.
    pub fn from_segment(segment: &[u8]) -> Option<Self> {
        let address = SiteAddress(segment.get(Self::SEGMENT_BYTES - 8..)?.try_into().ok()?);
        (address.to_segment() == segment).then_some(address)
    }
}

impl Hash for SiteAddress {
    /// As a number: it is part of a digest already.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from_le_bytes(self.0));
    }
}

impl fmt::Display for SiteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for SiteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_the_code_the_length_and_the_address_and_nothing_else() {
        let address = SiteAddress([1, 2, 3, 4, 5, 6, 7, 8]);
        let segment = address.to_segment();
        assert_eq!(segment, [0x81, 0x80, 0xc0, 0x01, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(SiteAddress::from_segment(&segment), Some(address));
        for wrong in [&segment[1..], &segment[..12], &[&segment[..], &[0]].concat(), &[0; 13], &[]] {
            assert_eq!(SiteAddress::from_segment(wrong), None);
        }
    }
}
