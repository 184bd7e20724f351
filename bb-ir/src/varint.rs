//! Variable-length numbers, as protobuf and multiaddr write them.

/// Puts `number` behind `out`.
#[inline]
pub(crate) fn put(number: u64, out: &mut Vec<u8>) {
    if number < 0x80 { out.push(number as u8) } else { put_long(number, out) }
}

fn put_long(mut number: u64, out: &mut Vec<u8>) {
    let (mut bytes, mut count) = ([0; 10], 0);
    while number >= 0x80 {
        bytes[count] = number as u8 | 0x80;
        number >>= 7;
        count += 1;
    }
    bytes[count] = number as u8;
    // Ten bytes are copied faster than some.
    let end = out.len() + count + 1;
    out.extend_from_slice(&bytes);
    out.truncate(end);
}

/// How many bytes `number` takes.
pub(crate) fn length(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

/// The number at the front of `bytes`, and what stands behind it; `None` where it is cut off or over 64 bits.
#[inline]
pub(crate) fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes {
        [one @ ..0x80, rest @ ..] => Some((u64::from(*one), rest)),
        _ => take_long(bytes),
    }
}

fn take_long(bytes: &[u8]) -> Option<(u64, &[u8])> {
    const ENDS: u64 = 0x8080_8080_8080_8080;
    if let Some(word) = bytes.first_chunk().map(|eight| u64::from_le_bytes(*eight))
        && word & ENDS != ENDS
    {
        // Up to the first byte whose highest bit is not set. Groups of seven bits move together: two, four, eight of them.
        let bits = (!word & ENDS).trailing_zeros() + 1;
        let groups = word & !ENDS & (u64::MAX >> (64 - bits));
        let twos = groups & 0x007f_007f_007f_007f | (groups & 0x7f00_7f00_7f00_7f00) >> 1;
        let fours = twos & 0x0000_3fff_0000_3fff | (twos & 0x3fff_0000_3fff_0000) >> 2;
        let number = fours & 0x0000_0000_0fff_ffff | (fours & 0x0fff_ffff_0000_0000) >> 4;
        return Some((number, &bytes[bits as usize / 8..]));
    }
    take_slowly(bytes)
}

fn take_slowly(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0u64;
    for (i, byte) in bytes.iter().take(10).enumerate() {
        if i == 9 && *byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_take_the_bytes_they_say() {
        for number in (0..64).flat_map(|bit| [1u64 << bit, (1u64 << bit) - 1]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            put(number, &mut bytes);
            assert_eq!(bytes.len(), length(number));
            assert_eq!(take(&bytes), Some((number, &[][..])));
            assert_eq!(take(&bytes[..bytes.len() - 1]), None);
            for behind in [[0; 8], [0x7f; 8], [0xff; 8]] {
                let more = [&bytes[..], &behind].concat();
                assert_eq!(take(&more), Some((number, &behind[..])));
            }
        }
        assert_eq!(take(&[0xff; 11]), None);
        assert_eq!(take(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), None);
    }
}
