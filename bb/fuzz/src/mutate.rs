//! Changes that know what they change: the result is one step away from what a decoder takes, not from noise.

use super::framing;

/// Random numbers that follow from a seed (Marsaglia, "Xorshift RNGs", 2003).
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u32) -> Self {
        Random(u64::from(seed) << 16 | 0x9e37)
    }
    /// One below `n`, which is at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }
    fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => self.below(300) as u64,
            1 => 1 << self.below(64),
            2 => (1 << self.below(64)) - 1,
            _ => u64::MAX - self.below(3) as u64,
        }
    }
}

/// What texts in artifacts are put together of.
const TEXTS: [&str; 7] = ["0", "|", "9999999999", ",", "#", "/", "-1"];

/// A change of bytes.
pub type Change = fn(&[u8], &mut Random) -> Vec<u8>;

/// Changes a fuzzer's buffer, in two of three cases with `change`, otherwise as the fuzzer does; gives the new size.
pub fn in_place(
    data: &mut [u8],
    size: usize,
    size_max: usize,
    seed: u32,
    change: Change,
    otherwise: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut random = Random::new(seed);
    if random.below(3) == 0 {
        return otherwise(data, size, size_max);
    }
    let changed = change(&data[..size], &mut random);
    let size = changed.len().min(size_max);
    data[..size].copy_from_slice(&changed[..size]);
    size
}

/// Changes one to four fields of a protobuf message: lengths stay right, all else may go wrong.
pub fn protobuf(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let Some(mut fields) = parse(bytes, 0) else { return self::bytes(bytes, random) };
    for _ in 0..=random.below(4) {
        let count = count(&fields);
        let donor = if count > 0 { pick(&mut fields, &mut random.below(count)).cloned() } else { None };
        let mut at = random.below(count.max(1));
        edit(&mut fields, &mut at, donor, random);
    }
    let mut out = Vec::new();
    fields.iter().for_each(|f| f.write(&mut out));
    out
}

/// Changes a row of chunks: heads that contradict each other, messages that are cut short or mixed up.
pub fn chunks(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut chunks = framing::chunks(bytes);
    for _ in 0..=random.below(3) {
        let at = random.below(chunks.len() + 1);
        let other = chunks.get(random.below(chunks.len() + 1)).cloned();
        match (random.below(6), chunks.get_mut(at)) {
            (0, Some(chunk)) => chunk.message = random.below(4) as u32,
            (1, Some(chunk)) => chunk.flags = random.below(4) as u8,
            (2, Some(chunk)) => chunk.length = Some(random.number() as u32),
            (3, Some(chunk)) => chunk.body = self::bytes(&chunk.body, random),
            (4, Some(_)) => drop(chunks.remove(at)),
            _ => chunks.insert(at, other.unwrap_or_default()),
        }
    }
    chunks.iter().flat_map(framing::Chunk::bytes).collect()
}

/// Changes, drops, doubles or adds some bytes.
pub fn bytes(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let at = random.below(out.len() + 1);
    match random.below(5) {
        0 if at < out.len() => out[at] ^= 1 << random.below(8),
        1 => out.truncate(at),
        2 => out.insert(at, random.below(256) as u8),
        3 if at < out.len() => drop(out.remove(at)),
        _ => drop(out.splice(at..at, TEXTS[random.below(TEXTS.len())].bytes())),
    }
    out
}

#[derive(Clone)]
struct Field {
    number: u64,
    content: Content,
}
#[derive(Clone)]
enum Content {
    Varint(u64),
    Fixed(Vec<u8>),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

/// The fields of a message; bytes that read as one are taken for one.
fn parse(mut bytes: &[u8], depth: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let content = match key & 7 {
            0 => Content::Varint(varint(&mut bytes)?),
            1 => Content::Fixed(take(&mut bytes, 8)?),
            5 => Content::Fixed(take(&mut bytes, 4)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let inner = take(&mut bytes, length)?;
                match parse(&inner, depth + 1).filter(|f| depth < 20 && !f.is_empty()) {
                    Some(fields) => Content::Message(fields),
                    None => Content::Bytes(inner),
                }
            }
            _ => return None,
        };
        if key >> 3 == 0 || key >> 3 > 32 {
            return None;
        }
        fields.push(Field { number: key >> 3, content });
    }
    Some(fields)
}
fn take(bytes: &mut &[u8], n: usize) -> Option<Vec<u8>> {
    let (front, rest) = bytes.split_at_checked(n)?;
    *bytes = rest;
    Some(front.to_vec())
}
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let end = bytes.iter().take(10).position(|b| b & 0x80 == 0)?;
    let number = bytes[..=end].iter().rev().fold(0u64, |n, b| n << 7 | u64::from(b & 0x7f));
    *bytes = &bytes[end + 1..];
    Some(number)
}
fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

impl Field {
    fn write(&self, out: &mut Vec<u8>) {
        let (wire_type, body) = match &self.content {
            Content::Varint(_) => (0, Vec::new()),
            Content::Fixed(bytes) => (if bytes.len() == 8 { 1 } else { 5 }, bytes.clone()),
            Content::Bytes(bytes) => (2, bytes.clone()),
            Content::Message(fields) => {
                let mut body = Vec::new();
                fields.iter().for_each(|f| f.write(&mut body));
                (2, body)
            }
        };
        put(self.number << 3 | wire_type, out);
        match &self.content {
            Content::Varint(n) => put(*n, out),
            _ if wire_type == 2 => put(body.len() as u64, out),
            _ => {}
        }
        out.extend(body);
    }
}

fn count(fields: &[Field]) -> usize {
    let inner = |f: &Field| if let Content::Message(inner) = &f.content { count(inner) } else { 0 };
    fields.iter().map(|f| 1 + inner(f)).sum()
}
/// The `at`th field, counted from outside in.
fn pick<'a>(fields: &'a mut [Field], at: &mut usize) -> Option<&'a mut Field> {
    for field in fields {
        if *at == 0 {
            return Some(field);
        }
        *at -= 1;
        let Content::Message(inner) = &mut field.content else { continue };
        let inside = count(inner);
        if *at < inside {
            return pick(inner, at);
        }
        *at -= inside;
    }
    None
}
/// Changes the `at`th field, or its place among its neighbours.
fn edit(fields: &mut Vec<Field>, at: &mut usize, donor: Option<Field>, random: &mut Random) {
    for i in 0..fields.len() {
        if *at == 0 {
            return edit_here(fields, i, donor, random);
        }
        *at -= 1;
        let Content::Message(inner) = &mut fields[i].content else { continue };
        let inside = count(inner);
        if *at < inside {
            return edit(inner, at, donor, random);
        }
        *at -= inside;
    }
    fields.extend(donor);
}
fn edit_here(fields: &mut Vec<Field>, i: usize, donor: Option<Field>, random: &mut Random) {
    match random.below(10) {
        0 => drop(fields.remove(i)),
        1 => fields.insert(i, fields[i].clone()),
        2 => {
            let other = random.below(fields.len());
            fields.swap(i, other);
        }
        3 => fields.extend(donor),
        4 => fields[i].number = 1 + random.below(26) as u64,
        5 if random.below(20) == 0 => {
            let many = vec![fields[i].clone(); random.below(300)];
            fields.extend(many);
        }
        5 | 6 => {
            if let Some(donor) = donor {
                fields[i].content = donor.content;
            }
        }
        _ => match &mut fields[i].content {
            Content::Varint(n) => *n = random.number(),
            Content::Fixed(bytes) => {
                let number = random.number().to_le_bytes();
                let length = bytes.len();
                bytes.copy_from_slice(&number[..length]);
            }
            Content::Bytes(inner) => *inner = bytes(inner, random),
            content @ Content::Message(_) => {
                let mut inner = Vec::new();
                Field { number: 1, content: content.clone() }.write(&mut inner);
                *content = Content::Bytes(bytes(&inner, random));
            }
        },
    }
}
