//! The program as it is recorded and sliced, beside the facts it is to show.

use crate::graph::round;
use bb::ir::ops::WIRE_DOMAIN;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::text::print;

fn wires(nodes: &[NodeProto]) -> (usize, usize) {
    let of = |op: &str| nodes.iter().filter(|n| n.domain() == WIRE_DOMAIN && n.op_type() == op).count();
    (of("Send"), of("Recv"))
}

#[test]
fn the_round_is_cut_at_its_two_wires() {
    let program = bb::compile(round);
    assert_eq!(program.diagnostics, []);
    insta::assert_snapshot!("recorded", print(&program.recorded.model));
    let output = program.output.as_ref().expect("it compiles");
    let classes: Vec<&str> = output.partitions.iter().map(|p| p.class.as_str()).collect();
    assert_eq!(classes, ["Server", "Client"]);
    for partition in &output.partitions {
        insta::assert_snapshot!(partition.class.clone(), print(&partition.model));
        let main = &partition.model.functions[0];
        // One wire each way; averaging stays on the server, training on the clients.
        assert_eq!(wires(&main.node), (1, 1), "{}", partition.class);
        let runs = |op: &str| main.node.iter().any(|n| n.op_type() == op);
        let server = partition.class == "Server";
        assert_eq!([runs("params"), runs("fold"), runs("Gather"), runs("train")], [server, server, server, !server]);
    }
    assert_eq!(program.artifacts, bb::compile(round).artifacts, "the same program gives the same bytes");
}
