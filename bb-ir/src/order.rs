//! Nodes in an order in which they can run.

use crate::proto::onnx::NodeProto;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// A node that needs its own outputs, by way of others or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle(pub Box<NodeProto>);

/// The nodes, each behind those whose values it reads, else as they stood (Kahn 1962). A value that none of them makes is
/// there before; of nodes that make the same the last counts.
///
/// # Errors
/// [`Cycle`] where values need themselves.
///
/// ```
/// use bb_ir::{order::in_order, proto::onnx::NodeProto};
/// let node = |from: &str, to: &str| NodeProto { input: vec![from.into()], output: vec![to.into()], ..NodeProto::default() };
/// assert_eq!(in_order(vec![node("b", "c"), node("a", "b")]), Ok(vec![node("a", "b"), node("b", "c")]));
/// let around = in_order(vec![node("b", "c"), node("b", "a"), node("a", "b")]).unwrap_err();
/// assert_ne!(*around.0, node("b", "c"));
/// ```
pub fn in_order(nodes: Vec<NodeProto>) -> Result<Vec<NodeProto>, Cycle> {
    let makers: FxHashMap<&str, usize> = nodes
        .iter()
        .enumerate()
        .flat_map(|(at, node)| node.output.iter().filter(|o| !o.is_empty()).map(move |o| (o.as_str(), at)))
        .collect();
    let mut waits = vec![0_usize; nodes.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        for maker in node.input.iter().filter_map(|input| makers.get(input.as_str())) {
            readers[*maker].push(at);
            waits[at] += 1;
        }
    }
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|at| waits[*at] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for reader in &readers[at] {
            waits[*reader] -= 1;
            if waits[*reader] == 0 {
                ready.insert(*reader);
            }
        }
    }
    if let Some(mut around) = waits.iter().position(|left| *left > 0) {
        // Who waits has a maker that waits: as many steps back as there are nodes end on the cycle.
        for _ in 0..nodes.len() {
            let mut makers = nodes[around].input.iter().filter_map(|input| makers.get(input.as_str()));
            around = *makers.find(|maker| waits[**maker] > 0).expect("a node waits for a node");
        }
        return Err(Cycle(Box::new(nodes[around].clone())));
    }
    let mut nodes: Vec<Option<NodeProto>> = nodes.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|at| nodes[at].take()).collect())
}
