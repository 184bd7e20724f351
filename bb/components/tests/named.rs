//! Components of this crate that a program names by their type.
#![allow(missing_docs)]

use bb::Storage;
use bb::prelude::*;
use bb_components::FedAvg;

#[derive(bb::Peer)]
pub struct Server;

#[bb::module]
pub fn start(graph: &Graph, _go: On<Server, ()>) -> On<Server, Tensor> {
    AggregatorAt::<Server>::concrete::<FedAvg>("average").params(graph)
}

#[test]
fn an_average_is_named_and_built_by_its_type() {
    let recorded = bb::record(start);
    assert_eq!(recorded.diagnostics, []);
    assert_eq!(
        recorded.components.iter().map(|of| (of.ty, of.role)).collect::<Vec<_>>(),
        [(FedAvg::TYPE, "Aggregator")]
    );
    assert_eq!(FedAvg::TYPE, "bb_components.FedAvg");
    assert_eq!(bb::components().iter().filter(|entry| entry.ty == FedAvg::TYPE).count(), 1, "it is linked");
}
