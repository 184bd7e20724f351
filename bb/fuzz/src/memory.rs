//! How much a decoder may take.

/// What decoding allocates at once beside its input: at most so much of `bytes` bytes.
pub fn decoder_max(bytes: usize) -> u64 {
    4 * bytes as u64 + (64 << 10)
}

/// Runs `work`; it may hold no more than `bytes_max` of new memory at any time.
pub fn within<T>(bytes_max: u64, work: impl FnOnce() -> T) -> T {
    let mut result = None;
    let counted = allocation_counter::measure(|| result = Some(work()));
    assert!(counted.bytes_max <= bytes_max, "{} bytes were allocated; {bytes_max} are allowed", counted.bytes_max);
    result.expect("it was run")
}
