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

/// The front page draws this program: `BB_WRITE_DOCS=1 cargo test -p federated-digits` puts a new picture there.
#[test]
fn the_readme_shows_the_picture_of_the_round() {
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(&readme).expect("it lies at the top");
    let drawn = bb::compile(round).picture(bb::Gates::Folded).expect("it compiles").mermaid();
    let (before, rest) = text.split_once("```mermaid\n").expect("it has a picture");
    let (shown, after) = rest.split_once("```\n").expect("which ends");
    if std::env::var_os("BB_WRITE_DOCS").is_some() {
        std::fs::write(&readme, format!("{before}```mermaid\n{drawn}```\n{after}")).expect("it is writable");
    } else {
        assert_eq!(shown, drawn, "run BB_WRITE_DOCS=1 cargo test -p federated-digits the_readme");
    }
}
