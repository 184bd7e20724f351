//! What is said of a program that cannot be placed, in its author's words.

use super::places::{PlaceIx, Places};
use crate::error::{at_node, source_of};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::NodeProto;

/// Inputs of one op at two places. `via` are the Sends that brought them there, if any did.
pub fn two_places(node: &NodeProto, places: &Places, sides: [(PlaceIx, Option<&NodeProto>); 2]) -> Diagnostic {
    let [(a, via_a), (b, via_b)] = sides;
    let (class, other) = (&places.get(a).class, &places.get(b).class);
    if class != other {
        let text = format!("these values live on `{class}` and on `{other}`, but an operation runs at one place");
        return at_node(node, "BB0210", text).help("move one of them first: `graph.wire(value, to)`");
    }
    let wire = |via: Option<&NodeProto>| via.and_then(source_of);
    let text = format!("these values live on two different peers of class `{class}`");
    let fault = at_node(node, "BB0210", text).note_two_peers(class, wire(via_a), wire(via_b));
    fault.help(format!("send both to the same peer value, or keep the state in a component of `{class}`"))
}

/// A value of `Each`, or of a lane, sent to some other peer than the one that opened the cohort.
pub fn third_place(send: &NodeProto) -> Diagnostic {
    at_node(send, "BB0211", "the values of a cohort go home, to the peer that opened it, and to no third one")
        .help("send them to `.sender::<_>()` of what the cohort was sent, and on from there")
}

/// A value of a lane sent to somebody else than the lane's sender.
pub fn out_of_lane(send: &NodeProto) -> Diagnostic {
    at_node(send, "BB0211", "inside `.each(|x| ..)` a value goes back to its sender, nowhere else")
        .help("reply with `graph.wire(value, x.sender::<_>())`; for another peer close the lanes first: `.mean()`, `.quorum(n)`")
}

/// A cohort opened from `Each` or from a lane.
pub fn cohort_in_cohort(send: &NodeProto) -> Diagnostic {
    let text = "every peer of a cohort has this value, and none of them may send it to a cohort of its own";
    at_node(send, "BB0212", text).help(
        "send it home first, `graph.wire(value, local.sender::<_>())`, close the gather there, and send the result to `Peers`",
    )
}

/// A value of a lane used where there is no lane, or in another one.
pub fn across_lanes(node: &NodeProto) -> Diagnostic {
    at_node(node, "BB0211", "a value of one lane is used outside of it")
        .help("close the lanes first: `.mean()`, `.quorum(n)`")
}

/// A destination whose class nothing tells.
pub fn unknown_class(send: &NodeProto) -> Diagnostic {
    at_node(send, "BB0213", "nothing says which class of peers this destination is")
        .help("give the value a type that says it: `Peer<_>` or `Peers<_>` of a `#[derive(bb::Peer)]` class")
}

/// `graph.origin::<D>()` where calls come from another class.
pub fn wrong_origin(node: &NodeProto, module: &str, entry: &str, asked: &str) -> Diagnostic {
    at_node(node, "BB0204", format!("a call of `{module}` comes from a `{entry}`, not from a `{asked}`"))
        .help(format!("`.origin::<{entry}>()`"))
}

/// `graph` as the trigger of an op that does not run where the call starts.
pub fn starts_elsewhere(node: &NodeProto, module: &str, entry: &str, class: &str) -> Diagnostic {
    let text = format!("`graph` does not start anything on `{class}`: a call of `{module}` starts on `{entry}`");
    at_node(node, "BB0205", text)
        .help(format!("instead of `graph` give it a value that is there on `{class}`, and it runs once that is there"))
}

/// `graph.after(x)` as the trigger of an op that does not run where `x` is.
pub fn after_elsewhere(node: &NodeProto, class: &str, there: &str) -> Diagnostic {
    let text = format!("this operation runs on `{class}`, but the value it is to come after lives on `{there}`");
    at_node(node, "BB0206", text).help(format!("give it a value that is there on `{class}`"))
}
