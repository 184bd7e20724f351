//! Graphviz's language.

use super::{Kind, PeerIx, Picture, Way};
use std::fmt::Write;

pub fn write(picture: &Picture) -> String {
    let mut out = format!("digraph \"{}\" {{\n", escaped(&picture.program));
    out.push_str("  node [shape=box, fontname=\"monospace\", fontsize=11];\n");
    out.push_str("  edge [fontname=\"monospace\", fontsize=10];\n");
    for (i, peer) in picture.peers.iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster_{i} {{\n    label=\"{}\";", escaped(&peer.title));
        for (n, op) in picture.ops_of(PeerIx(i)) {
            let text = match op.detail.as_str() {
                "" => escaped(&op.name),
                detail => format!("{}\\n{}", escaped(&op.name), escaped(detail)),
            };
            let style = match op.kind {
                Kind::Input | Kind::Output => ", shape=ellipse",
                Kind::Send | Kind::Receive => ", style=rounded",
                Kind::Gate => ", shape=hexagon",
                Kind::Role => ", shape=component",
                Kind::Compute => "",
            };
            let _ = writeln!(out, "    op{n} [label=\"{text}\"{style}];");
        }
        out.push_str("  }\n");
    }
    for arrow in &picture.arrows {
        let (from, to) = (arrow.from.0, arrow.to.0);
        let _ = match &arrow.way {
            Way::Value => writeln!(out, "  op{from} -> op{to};"),
            Way::Waits => writeln!(out, "  op{from} -> op{to} [style=dashed];"),
            Way::Wire(label) => writeln!(out, "  op{from} -> op{to} [label=\"{}\", penwidth=2];", escaped(label)),
        };
    }
    out.push_str("}\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
