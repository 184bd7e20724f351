//! A picture as a file by itself: shapes and text, no script, no font, nothing from elsewhere.

use super::layout::{LINE_HEIGHT, Layout, PADDING, Point, Rect, lay_out};
use super::{Kind, Op, Picture, Way};
use std::fmt::Write;

const STYLE: &str = "
    text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; text-anchor: middle; }
    .title { font-weight: bold; }
    .detail, .label { fill: #59636e; }
    .peer { fill: #f6f8fa; stroke: #8c959f; }
    .op { fill: #ffffff; stroke: #59636e; }
    .input, .output { fill: #ddf4ff; stroke: #0969da; }
    .send, .receive { fill: #fff8c5; stroke: #9a6700; }
    .gate { fill: #ffebe9; stroke: #cf222e; }
    .role { fill: #dafbe1; stroke: #1a7f37; }
    .value, .waits, .wire { fill: none; stroke: #59636e; }
    .waits { stroke-dasharray: 4 3; }
    .wire { stroke: #9a6700; stroke-width: 2; }
";

pub fn write(picture: &Picture) -> String {
    let layout = lay_out(picture);
    let (width, height) = (layout.width, layout.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n"
    );
    let _ = writeln!(out, "  <title>{}</title>", escaped(&picture.program));
    let _ = writeln!(out, "  <style>{STYLE}  </style>");
    out.push_str(
        "  <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"#59636e\"/></marker></defs>\n",
    );
    let _ = writeln!(out, "  <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
    for (peer, rect) in picture.peers.iter().zip(&layout.peers) {
        shape(&mut out, "peer", rect, 6);
        text(&mut out, "title", rect.centre(), rect.y + LINE_HEIGHT + 3, &peer.title);
    }
    arrows(&mut out, picture, &layout);
    for (op, rect) in picture.ops.iter().zip(&layout.ops) {
        shape(&mut out, class(op.kind), rect, if matches!(op.kind, Kind::Compute | Kind::Role) { 2 } else { 10 });
        lines(&mut out, op, rect);
    }
    out.push_str("</svg>\n");
    out
}

fn arrows(out: &mut String, picture: &Picture, layout: &Layout) {
    for (arrow, line) in picture.arrows.iter().zip(&layout.lines) {
        let class = match arrow.way {
            Way::Value => "value",
            Way::Waits => "waits",
            Way::Wire(_) => "wire",
        };
        let corners: Vec<String> = line.iter().map(|Point { x, y }| format!("{x},{y}")).collect();
        let _ =
            writeln!(out, "  <polyline class=\"{class}\" points=\"{}\" marker-end=\"url(#tip)\"/>", corners.join(" "));
    }
    for (arrow, rect) in picture.arrows.iter().zip(&layout.labels) {
        if let Way::Wire(label) = &arrow.way {
            let Rect { x, y, width, height } = rect;
            let _ =
                writeln!(out, "  <rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
            text(out, "label", rect.centre(), rect.y + LINE_HEIGHT, label);
        }
    }
}

fn lines(out: &mut String, op: &Op, rect: &Rect) {
    let base = rect.y + PADDING / 2 + LINE_HEIGHT - 4;
    text(out, "name", rect.centre(), base, &op.name);
    if !op.detail.is_empty() {
        text(out, "detail", rect.centre(), base + LINE_HEIGHT, &op.detail);
    }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Input => "input",
        Kind::Output => "output",
        Kind::Send => "send",
        Kind::Receive => "receive",
        Kind::Gate => "gate",
        Kind::Role => "role",
        Kind::Compute => "op",
    }
}

fn shape(out: &mut String, class: &str, rect: &Rect, radius: i32) {
    let Rect { x, y, width, height } = rect;
    let _ = writeln!(
        out,
        "  <rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>"
    );
}

fn text(out: &mut String, class: &str, x: i32, y: i32, text: &str) {
    let _ = writeln!(out, "  <text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
