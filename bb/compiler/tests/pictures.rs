//! Pictures of compiled programs: what is on them, and that they can be read.
#![allow(missing_docs)]

mod support;

use bb_compiler::picture::layout::{Layout, Point, Rect, lay_out, text_width};
use bb_compiler::picture::{Arrow, Kind, Op, OpIx, Peer, PeerIx, Way};
use bb_compiler::{Gates, Output, Picture};
use support::*;
use xml::reader::{EventReader, XmlEvent};

fn picture(output: &Output, gates: Gates) -> Picture {
    Picture::of(output.partitions.iter().map(|p| &p.model), gates)
}

/// The texts of a file that an XML parser reads to its end.
fn texts(svg: &str) -> Vec<String> {
    let events: Vec<XmlEvent> = EventReader::from_str(svg).into_iter().map(|e| e.expect("well-formed")).collect();
    assert!(matches!(&events[1], XmlEvent::StartElement { name, .. } if name.local_name == "svg"));
    let texts = events.windows(2).filter_map(|pair| match pair {
        [XmlEvent::StartElement { name, .. }, XmlEvent::Characters(text)] if name.local_name == "text" => Some(text),
        _ => None,
    });
    texts.cloned().collect()
}

#[test]
fn a_round_is_two_peers_and_two_wires() {
    let picture = picture(&compile(vec![round()]), Gates::Folded);
    let titles: Vec<&str> = picture.peers.iter().map(|p| p.title.as_str()).collect();
    assert_eq!(titles, ["Server", "Client · each of cohort"]);
    let wires: Vec<&str> = picture
        .arrows
        .iter()
        .filter_map(|a| if let Way::Wire(label) = &a.way { Some(label.as_str()) } else { None })
        .collect();
    assert_eq!(wires, ["f32[..] · data", "f32[..], u64 · data"]);
    assert!(picture.ops.iter().all(|op| op.kind != Kind::Gate));
    insta::assert_snapshot!("round_mermaid", picture.mermaid());
    insta::assert_snapshot!("round_dot", picture.dot());
    insta::assert_snapshot!("round_svg", picture.svg());
}

#[test]
fn gates_are_drawn_when_they_are_asked_for() {
    let output = compile(vec![round()]);
    let (folded, shown) = (picture(&output, Gates::Folded), picture(&output, Gates::Shown));
    let gates: Vec<&str> = shown.ops.iter().filter(|op| op.kind == Kind::Gate).map(|op| op.name.as_str()).collect();
    assert_eq!(gates.len(), 2 * 6, "{gates:?}");
    assert_eq!(shown.ops.len(), folded.ops.len() + gates.len());
    readable(&shown);
    // A wire is still one arrow, and what a gate guards still reads the same.
    assert_eq!(folded.arrows.iter().filter(|a| matches!(a.way, Way::Wire(_))).count(), 2);
    assert!(shown.mermaid().contains("PeerHealthGateTx"));
}

#[test]
fn two_peers_of_one_class_are_two_boxes() {
    let mut m = Module::with_graph("pair");
    let x = m.input("x", "Server", tensor());
    let (a, b) = (m.peer("a", "Server", "Client"), m.peer("b", "Server", "Client"));
    let (at_a, at_b) = (m.wire(&[&x], &a), m.wire(&[&x], &b));
    let (y, z) = (m.op("Relu", &[&at_a.values[0]]), m.op("Tanh", &[&at_b.values[0]]));
    let (y, z) = (m.wire(&[&y], &at_a.sender), m.wire(&[&z], &at_b.sender));
    let sum = m.op("Add", &[&y.values[0], &z.values[0]]);
    m.output(&sum);
    let picture = picture(&compile(vec![m.done()]), Gates::Folded);
    let titles: Vec<&str> = picture.peers.iter().map(|p| p.title.as_str()).collect();
    assert_eq!(titles, ["Server", "Client · a", "Client · b"]);
    let home = |op: &str| picture.ops.iter().find(|o| o.name == op).map(|o| o.peer);
    assert_eq!((home("Relu"), home("Tanh")), (Some(PeerIx(1)), Some(PeerIx(2))));
    readable(&picture);
}

#[test]
fn the_same_program_gives_the_same_picture() {
    let draw = || picture(&compile(vec![split_inference()]), Gates::Shown);
    let (one, two) = (draw(), draw());
    assert_eq!((one.svg(), one.dot(), one.mermaid()), (two.svg(), two.dot(), two.mermaid()));
    readable(&one);
    assert!(texts(&one.svg()).contains(&"Concat".to_owned()));
}

/// Names come from Rust, and types from wherever: no text breaks a file.
#[test]
fn names_are_escaped() {
    let name = "a<b & \"c\" #d; `e` \\ ]]> -- |f| éé";
    let op = Op { peer: PeerIx(0), kind: Kind::Compute, name: name.into(), detail: name.into() };
    let wire = Arrow { from: OpIx(0), to: OpIx(1), way: Way::Wire(name.into()) };
    let peers = vec![Peer { title: name.into() }, Peer { title: name.into() }];
    let ops = vec![op.clone(), Op { peer: PeerIx(1), ..op }];
    let picture = Picture { program: name.into(), peers, ops, arrows: vec![wire] };
    // Two titles, two ops of two lines, one wire.
    assert_eq!(texts(&picture.svg()), vec![name; 7]);
    let quoted = "a<b & \\\"c\\\" #d; `e` \\\\ ]]> -- |f| éé";
    assert_eq!(picture.dot().matches(quoted).count(), 8);
    let entities = "a#lt;b #38; #quot;c#quot; #35;d#59; #96;e#96; #92; ]]#gt; -- |f| éé";
    assert_eq!(picture.mermaid().matches(entities).count(), 7);
    readable(&picture);
}

/// A picture of many ops, as random as a fixed seed makes it: half of them in chains, some far apart, some over wires.
fn many(ops: usize, peers: usize, seed: u64) -> Picture {
    let mut state = seed;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut picture = Picture { program: "many".into(), peers: Vec::new(), ops: Vec::new(), arrows: Vec::new() };
    picture.peers.extend((0..peers).map(|n| Peer { title: format!("Peer{n}") }));
    for n in 0..ops {
        let peer = PeerIx(draw(peers));
        let detail = if draw(2) == 0 { String::new() } else { "f32[N,64], u64".into() };
        picture.ops.push(Op { peer, kind: Kind::Compute, name: format!("operation_{n}"), detail });
        for _ in 0..n.min(1 + draw(2)) {
            let from = OpIx(if draw(8) == 0 { draw(n) } else { n - 1 - draw(n.min(6)) });
            let wire = picture.ops[from.0].peer != peer;
            let way = if wire { Way::Wire(format!("f32[{n}] · data")) } else { Way::Value };
            if !picture.arrows.iter().any(|a| a.to == OpIx(n) && a.from == from) {
                picture.arrows.push(Arrow { from, to: OpIx(n), way });
            }
        }
    }
    picture
}

#[test]
fn two_hundred_ops_are_readable() {
    for seed in 0..8 {
        let picture = many(200, 1 + seed as usize % 5, seed);
        readable(&picture);
        texts(&picture.svg());
    }
}

#[test]
fn a_program_of_two_hundred_ops_is_readable() {
    let mut m = Module::with_graph("long");
    let (x, to) = (m.input("x", "Server", tensor()), m.peer("to", "Server", "Client"));
    let mut there = m.wire(&[&x], &to);
    let mut values = vec![there.values[0].clone()];
    for n in 0..200 {
        let (a, b) = (values[n].clone(), values[n / 2].clone());
        values.push(if n % 3 == 0 { m.op("Relu", &[&a]) } else { m.op("Add", &[&a, &b]) });
    }
    there = m.wire(&[&values[200]], &there.sender);
    m.output(&there.values[0]);
    let picture = picture(&compile(vec![m.done()]), Gates::Folded);
    assert!(picture.ops.len() > 200);
    readable(&picture);
}

/// What makes a picture readable, as facts about where things stand.
fn readable(picture: &Picture) {
    let layout = lay_out(picture);
    let page = Rect { x: 0, y: 0, width: layout.width, height: layout.height };
    let boxes: Vec<&Rect> = layout.ops.iter().chain(labels(picture, &layout)).collect();
    for (i, a) in boxes.iter().enumerate() {
        assert!(holds(&page, a), "{a:?} is outside the page");
        for b in &boxes[..i] {
            assert!(!overlap(a, b), "{a:?} and {b:?} overlap");
        }
    }
    for (i, a) in layout.peers.iter().enumerate() {
        assert!(layout.peers[..i].iter().all(|b| !overlap(a, b)), "peers overlap");
        assert!(labels(picture, &layout).all(|label| !overlap(a, label)), "a wire's label stands in a peer");
        assert!(text_width(&picture.peers[i].title) <= a.width);
    }
    for (op, rect) in picture.ops.iter().zip(&layout.ops) {
        assert!(holds(&layout.peers[op.peer.0], rect), "{op:?} is outside its peer");
        assert!(text_width(&op.name).max(text_width(&op.detail)) <= rect.width, "{op:?} is wider than its box");
    }
    for (arrow, line) in picture.arrows.iter().zip(&layout.lines) {
        let (from, to) = (&layout.ops[arrow.from.0], &layout.ops[arrow.to.0]);
        let (first, last) = (line[0], line[line.len() - 1]);
        assert!(first.y == from.bottom() && (from.x..from.right()).contains(&first.x), "{arrow:?} starts elsewhere");
        assert!(last.y == to.y && (to.x..to.right()).contains(&last.x), "{arrow:?} ends elsewhere");
        for step in line.windows(2) {
            let through = layout.ops.iter().filter(|rect| crosses(step[0], step[1], rect)).count();
            assert_eq!(through, 0, "{arrow:?} runs through a box");
            let ours = layout.labels.iter().zip(&picture.arrows).filter(|(_, a)| matches!(a.way, Way::Wire(_)));
            let others = ours.filter(|(rect, a)| *a != arrow && crosses(step[0], step[1], rect)).count();
            assert_eq!(others, 0, "{arrow:?} runs through another's label");
        }
    }
}

fn labels<'l>(picture: &Picture, layout: &'l Layout) -> impl Iterator<Item = &'l Rect> {
    let wires: Vec<bool> = picture.arrows.iter().map(|a| matches!(a.way, Way::Wire(_))).collect();
    layout.labels.iter().zip(wires).filter(|(_, wire)| *wire).map(|(rect, _)| rect)
}

fn holds(outer: &Rect, inner: &Rect) -> bool {
    inner.x >= outer.x && inner.y >= outer.y && inner.right() <= outer.right() && inner.bottom() <= outer.bottom()
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

/// Whether the straight line between two points has anything inside a box; its edge does not count.
fn crosses(a: Point, b: Point, rect: &Rect) -> bool {
    let (left, right, top, bottom) = (a.x.min(b.x), a.x.max(b.x), a.y.min(b.y), a.y.max(b.y));
    assert!(left == right || top == bottom || inside_label_row(a, b), "a line runs upright or level: {a:?} {b:?}");
    left < rect.right() && right > rect.x && top < rect.bottom() && bottom > rect.y
}

/// A wire goes on behind its own label, from one edge of it to the other.
fn inside_label_row(a: Point, b: Point) -> bool {
    (a.y - b.y).abs() <= 24
}
