//! Mermaid's flowcharts, which code hosts show in Markdown.

use super::{Kind, PeerIx, Picture, Way};
use std::fmt::Write;

pub fn write(picture: &Picture) -> String {
    let mut out = "flowchart TB\n".to_owned();
    for (i, peer) in picture.peers.iter().enumerate() {
        let _ = writeln!(out, "  subgraph peer{i}[\"{}\"]", escaped(&peer.title));
        for (n, op) in picture.ops_of(PeerIx(i)) {
            let text = match op.detail.as_str() {
                "" => escaped(&op.name),
                detail => format!("{}<br/>{}", escaped(&op.name), escaped(detail)),
            };
            let (open, close) = match op.kind {
                Kind::Input | Kind::Output => ("([", "])"),
                Kind::Send | Kind::Receive => ("(", ")"),
                Kind::Gate => ("{{", "}}"),
                Kind::Role => ("[[", "]]"),
                Kind::Compute => ("[", "]"),
            };
            let _ = writeln!(out, "    op{n}{open}\"{text}\"{close}");
        }
        out.push_str("  end\n");
    }
    for arrow in &picture.arrows {
        let (from, to) = (arrow.from.0, arrow.to.0);
        let _ = match &arrow.way {
            Way::Value => writeln!(out, "  op{from} --> op{to}"),
            Way::Waits => writeln!(out, "  op{from} -.-> op{to}"),
            Way::Wire(label) => writeln!(out, "  op{from} == \"{}\" ==> op{to}", escaped(label)),
        };
    }
    out
}

/// Mermaid reads entities without an ampersand, `#quot;`, and a backtick at the front as Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '#' | '&' | '`' | '\\' | ';' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
