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
        }
        assert_eq!(take(&[0xff; 11]), None);
        assert_eq!(take(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), None);
    }
}
