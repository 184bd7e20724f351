//! Bytes as a row of decisions, so that whoever changes bytes changes what happens.

/// The decisions that are left; when none are, all are 0.
pub struct Decisions<'a>(pub &'a [u8]);

impl<'a> Decisions<'a> {
    /// Whether none are left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// A byte.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }
    /// One of `n`, which is at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }
    /// A number: small ones, and those around the powers of two.
    pub fn number(&mut self) -> u64 {
        match self.byte() {
            n @ 0..=127 => u64::from(n),
            n => (1u64 << (n & 63)).wrapping_sub(u64::from(n < 192)),
        }
    }
    /// Some bytes as they stand.
    pub fn bytes(&mut self) -> &'a [u8] {
        let (some, rest) = self.0.split_at((1 + self.below(64)).min(self.0.len()));
        self.0 = rest;
        some
    }
}
