//! Finds peers, ops and arrows in artifacts.

use super::labels::{self, Labels};
use super::{Arrow, Gates, Kind, Op, OpIx, Peer, PeerIx, Picture, Way};
use bb_ir::gates::is_gate;
use bb_ir::keys;
use bb_ir::names::START;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::views::{Metadata, control_inputs};
use bb_ir::wire_shape::{is_recv, is_send, read_wire_id};
use rustc_hash::FxHashMap;

pub fn draw(artifacts: &[&ModelProto], gates: Gates) -> Picture {
    let first = artifacts.first();
    let row = |n: usize| first?.metadata(&format!("{}{n}", keys::PLACE_TABLE_PREFIX));
    let peers = (0..).map_while(row).map(|row| Peer { title: labels::title(row) }).collect();
    let program = first.and_then(|model| model.metadata(keys::PROGRAM_NAME_KEY)).unwrap_or_default().to_owned();
    let picture = Picture { program, peers, ops: Vec::new(), arrows: Vec::new() };
    let mut draw = Draw { picture, gates, sends: Vec::new(), receives: FxHashMap::default() };
    for model in artifacts {
        draw.partition(model);
    }
    draw.wires();
    draw.picture
}

struct Draw<'m> {
    picture: Picture,
    gates: Gates,
    /// By wire: the near end and what it is labelled with.
    sends: Vec<(u64, OpIx)>,
    /// By wire: the far end.
    receives: FxHashMap<u64, (OpIx, String, &'m NodeProto)>,
}

impl<'m> Draw<'m> {
    fn partition(&mut self, model: &'m ModelProto) {
        let Some(main) = model.functions.first() else { return };
        let labels = Labels::of(model, main);
        // Who gives a value; a folded gate gives what it reads.
        let mut makers: FxHashMap<&str, OpIx> = FxHashMap::default();
        for input in main.input.iter().filter(|input| *input != START) {
            let op = self.op(PeerIx(0), Kind::Input, input.clone(), labels.types([input]));
            makers.insert(input, op);
        }
        for node in &main.node {
            if is_gate(node) && self.gates == Gates::Folded {
                for (input, output) in node.input.iter().zip(&node.output) {
                    if let Some(maker) = makers.get(input.as_str()).copied().filter(|_| !labels::is_trigger(node)) {
                        makers.insert(output, maker);
                    }
                }
                continue;
            }
            let place = node.metadata_number(keys::PLACE_KEY).unwrap_or(0);
            let (kind, name, detail) = labels.of_node(node);
            let op = self.op(PeerIx(place), kind, name, detail);
            self.arrows_to(op, node, &makers);
            for output in &node.output {
                makers.insert(output, op);
            }
            match read_wire_id(node) {
                Some(id) if is_send(node) => self.sends.push((id, op)),
                Some(id) if is_recv(node) => {
                    self.receives.insert(id, (op, labels.types(labels::payloads(node)), node));
                }
                _ => {}
            }
        }
        for output in &main.output {
            let Some(maker) = makers.get(output.as_str()).copied() else { continue };
            let peer = self.picture.ops[maker.0].peer;
            let op = self.op(peer, Kind::Output, "output".to_owned(), labels.types([output]));
            self.picture.arrows.push(Arrow { from: maker, to: op, way: Way::Value });
        }
    }

    fn op(&mut self, peer: PeerIx, kind: Kind, name: String, detail: String) -> OpIx {
        self.picture.ops.push(Op { peer, kind, name: labels::short(&name), detail: labels::short(&detail) });
        OpIx(self.picture.ops.len() - 1)
    }

    /// One arrow from each op that `node` reads or waits for.
    fn arrows_to(&mut self, to: OpIx, node: &NodeProto, makers: &FxHashMap<&str, OpIx>) {
        let reads = node.input.len() - control_inputs(node);
        let before = self.picture.arrows.len();
        for (i, input) in node.input.iter().enumerate() {
            let Some(from) = makers.get(input.as_str()).copied() else { continue };
            let known = self.picture.arrows[before..].iter().any(|arrow| arrow.from == from);
            if !known {
                let way = if i < reads { Way::Value } else { Way::Waits };
                self.picture.arrows.push(Arrow { from, to, way });
            }
        }
    }

    fn wires(&mut self) {
        self.sends.sort_by_key(|(id, _)| *id);
        for (id, from) in &self.sends {
            if let Some((to, types, recv)) = self.receives.get(id) {
                let way = Way::Wire(labels::short(&labels::wire(types, recv)));
                self.picture.arrows.push(Arrow { from: *from, to: *to, way });
            }
        }
    }
}
