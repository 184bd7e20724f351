//! The two worked examples, from a recorded function to artifacts.

mod support;

use bb_ir::keys;
use bb_ir::views::Metadata;
use support::*;

#[test]
fn round_becomes_two_artifacts() {
    let out = compile(vec![round()]);
    let classes: Vec<_> = out.partitions.iter().map(|p| (p.class.as_str(), p.name())).collect();
    assert_eq!(classes, [("Server", "round_Server"), ("Client", "round_Client")]);
    assert_eq!(ops_of(out.part("Server")), ["params", "Send", "Recv", "Gather", "fold"]);
    assert_eq!(ops_of(out.part("Client")), ["Recv", "train", "Send"]);
    let server = out.part("Server");
    assert_eq!(server.main().input, ["start", "cohort", "quorum"]);
    assert_eq!(out.part("Client").main().input, ["start"]);
    let place = |n: u32| server.model.metadata(&format!("{}{n}", keys::PLACE_TABLE_PREFIX)).map(str::to_owned);
    assert_eq!(place(0).as_deref(), Some("Server|one|entry"));
    assert_eq!(place(1).as_deref(), Some("Client|each|cohort"));
    assert_eq!(recv(server, 1).metadata(keys::AWAITS_KEY), Some("0"));
    assert_eq!(recv(server, 1).metadata(keys::LANE_KEY), Some("1"));
    assert_eq!(recv(out.part("Client"), 0).metadata(keys::LANE_KEY), None);
    assert_eq!(server.model.metadata(&bb_ir::bindings::binding_key("round_Server", "average")), Some("Aggregator||3"));
    assert_eq!(server.model.metadata(keys::PROGRAM_DIGEST_KEY), Some(out.digest.to_string().as_str()));
}

#[test]
fn both_halves_of_split_inference_meet_at_the_head_they_were_given() {
    let out = compile(vec![split_inference()]);
    assert_eq!(ops_of(out.part("Head")), ["Recv", "Recv", "Concat", "origin", "Send"]);
    assert_eq!(out.place_of("concat_6"), "Head|one|head");
    assert_eq!(ops_of(out.part("Edge")), ["Send", "Send", "Recv"]);
    assert_eq!(recv(out.part("Edge"), 4).metadata(keys::AWAITS_KEY), Some("0,1"));
    assert_eq!(out.analysis.wire_edges.len(), 5);
}
