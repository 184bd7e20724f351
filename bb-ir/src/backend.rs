//! What runs whole regions of `ai.onnx`: a library for inference.

use crate::component::{Kernel, OpError};
use crate::proto::onnx::{GraphProto, NodeProto};
use crate::views::Attributes;

/// A library for inference.
pub trait Backend {
    /// Prepares a region, once, and gives what runs it. The region is a graph of its own: its inputs and outputs are the
    /// kernel's, in order, and its initialisers the weights.
    ///
    /// # Errors
    /// Names the operator that it lacks, or says what is wrong with the region.
    fn dispatch(&self, region: &GraphProto) -> Result<Box<dyn Kernel>, OpError>;
}

/// The region of a carrier.
pub fn region(carrier: &NodeProto) -> Option<&GraphProto> {
    carrier.attr(crate::keys::BACKEND_SUBGRAPH_BODY_ATTR)?.g.as_ref()
}
