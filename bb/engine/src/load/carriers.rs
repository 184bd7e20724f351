//! Carriers get the weights they read as initialisers of their region: a backend plans with them, once.

use bb_ir::keys::BACKEND_SUBGRAPH_BODY_ATTR;
use bb_ir::ops::BACKEND_DOMAIN;
use bb_ir::proto::onnx::{NodeProto, TensorProto};
use rustc_hash::FxHashMap;

/// Hands every carrier its weights; its inputs are values from then on.
pub fn with_weights(nodes: &mut [NodeProto], weights: &[TensorProto]) {
    let weights: FxHashMap<&str, &TensorProto> = weights.iter().map(|weight| (weight.name(), weight)).collect();
    for node in nodes.iter_mut().filter(|node| node.domain() == BACKEND_DOMAIN) {
        let read: Vec<&TensorProto> =
            node.input.iter().filter_map(|name| weights.get(name.as_str()).copied()).collect();
        node.input.retain(|name| !weights.contains_key(name.as_str()));
        let bodies = node.attribute.iter_mut().filter(|a| a.name() == BACKEND_SUBGRAPH_BODY_ATTR);
        for body in bodies.filter_map(|attribute| attribute.g.as_mut()) {
            body.input.retain(|info| !weights.contains_key(info.name()));
            body.initializer.extend(read.iter().copied().cloned());
        }
    }
}
