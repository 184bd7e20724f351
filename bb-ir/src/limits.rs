//! How large what peers say may be.

/// Bounds on frames, which configuration lowers per peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireLimits {
    /// One frame.
    pub frame_bytes_max: usize,
    /// One frame without its payloads.
    pub header_bytes_max: usize,
    /// One payload.
    pub payload_bytes_max: usize,
    /// A Hello.
    pub hello_bytes_max: usize,
}

impl Default for WireLimits {
    fn default() -> Self {
        WireLimits {
            frame_bytes_max: 64 << 20,
            header_bytes_max: 64 << 10,
            payload_bytes_max: 64 << 20,
            hello_bytes_max: 256 << 10,
        }
    }
}

/// The most payloads of a wire, and fills of an envelope.
pub const FILLS_MAX: usize = 256;
/// The most round-trip reports in an envelope.
pub const RTT_REPORTS_MAX: usize = 16;
/// The longest `traceparent`, in bytes.
pub const TRACE_BYTES_MAX: usize = 64;
/// The longest site address on the wire, in bytes.
pub const DEST_SUFFIX_BYTES_MAX: usize = 64;
/// The longest message of a failure fill, in bytes.
pub const FAILURE_BYTES_MAX: usize = 512;
/// The most members of a cohort: lanes are below it.
pub const LANES_MAX: u32 = 65_536;
/// The longest budget, a day in nanoseconds.
pub const REMAINING_NS_MAX: u64 = 86_400_000_000_000;
/// The most classes in a Hello.
pub const CLASSES_MAX: usize = 64;
/// The longest class name or program name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The longest proof of a class, in bytes.
pub const PROOF_BYTES_MAX: usize = 1024;
/// The most programs in a Hello.
pub const PROGRAMS_MAX: usize = 64;
/// The most wires of a program.
pub const WIRES_MAX: usize = 2048;
/// The most that telling of a program's wires takes, in bytes: a Hello without them takes less than what is left of it.
pub const PROGRAM_OFFER_BYTES_MAX: usize = 248 << 10;
/// The most addresses in a Hello.
pub const ADDRESSES_MAX: usize = 8;
/// The longest address, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 256;
