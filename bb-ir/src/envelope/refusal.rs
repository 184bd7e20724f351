//! Why a frame is refused.

use crate::scan::ScanError;
use crate::version::WIRE_VERSION;

/// Why a frame is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is larger than agreed.
    #[error("the frame has {bytes} bytes; {max} are allowed")]
    FrameTooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// What stands beside the payloads is larger than agreed.
    #[error("the frame has {bytes} bytes beside its payloads; {max} are allowed")]
    HeaderTooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// The bytes are no such message, or one that exceeds what the message may hold.
    #[error(transparent)]
    Bytes(#[from] ScanError),
    /// Text that is not UTF-8.
    #[error("a text in the frame is not UTF-8")]
    Text,
    /// Another version of the protocol, or none.
    #[error("the frame has version {0}, this peer speaks {WIRE_VERSION}")]
    Version(u32),
    /// Fills, and no execution they belong to.
    #[error("the envelope has fills and names no execution")]
    NoExecution,
    /// Fills, and no number.
    #[error("the envelope has fills and no sequence number")]
    NoSequenceNumber,
    /// A lane that no cohort has.
    #[error("lane {0} is above the largest cohort")]
    Lane(u32),
    /// No time is left, and a fill is no failure.
    #[error("the envelope has no time left and a fill that is no failure")]
    NoTimeLeft,
    /// A destination that is no site's address.
    #[error("fill {fill} names no site")]
    Address {
        /// Which fill, from 0.
        fill: usize,
    },
    /// A payload longer than agreed.
    #[error("the payload of fill {fill} has {bytes} bytes; {max} are allowed")]
    PayloadTooLarge {
        /// Which fill, from 0.
        fill: usize,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// More than one of payload, trigger and failure.
    #[error("fill {fill} is more than one of payload, trigger and failure")]
    Ambiguous {
        /// Which fill, from 0.
        fill: usize,
    },
    /// A failure code nobody knows.
    #[error("fill {fill} fails with the unknown code {code}")]
    UnknownFailureCode {
        /// Which fill, from 0.
        fill: usize,
        /// The number.
        code: u32,
    },
    /// A program's digest in a Hello that has not 32 bytes.
    #[error("the digest of program {program} has {bytes} bytes instead of 32")]
    Digest {
        /// Which program of the Hello, from 0.
        program: usize,
        /// How long it is.
        bytes: usize,
    },
}
