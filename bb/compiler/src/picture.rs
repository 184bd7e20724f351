//! A compiled program as a picture: peers as boxes, ops in them, wires between them.
//!
//! [`Picture::of`] looks at the artifacts once; Mermaid, Graphviz and SVG are three ways to write down what it found.

mod dot;
mod draw;
mod labels;
pub mod layout;
mod mermaid;
mod svg;

use bb_ir::proto::onnx::ModelProto;

/// Whether the gates around a wire are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gates {
    /// A wire stands for its gates, which every wire has.
    #[default]
    Folded,
    /// Each is a box.
    Shown,
}

/// What is drawn of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The program's name.
    pub program: String,
    /// Its places, the one where a call starts first.
    pub peers: Vec<Peer>,
    /// What stands in them.
    pub ops: Vec<Op>,
    /// What leads from one op to another.
    pub arrows: Vec<Arrow>,
}

/// A number into [`Picture::peers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIx(pub usize);
/// A number into [`Picture::ops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpIx(pub usize);

/// A peer, or each peer of a cohort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its class, and what names it where it is not the one that calls.
    pub title: String,
}

/// What an op is to whoever looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An input of the program.
    Input,
    /// An output of the program.
    Output,
    /// The near end of a wire.
    Send,
    /// The far end.
    Receive,
    /// A gate or a deadline's check.
    Gate,
    /// A method of a component.
    Role,
    /// Everything else.
    Compute,
}

/// A box in a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Where it runs.
    pub peer: PeerIx,
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
    /// What it gives, or how it waits; may be empty.
    pub detail: String,
}

/// How an op gets to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A value, on one peer.
    Value,
    /// One op waits for the other.
    Waits,
    /// A wire, and what it carries.
    Wire(String),
}

/// From an op to one that reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Who gives.
    pub from: OpIx,
    /// Who takes.
    pub to: OpIx,
    /// How.
    pub way: Way,
}

impl Picture {
    /// The picture of a program, from the artifacts of all its classes.
    pub fn of<'m>(artifacts: impl IntoIterator<Item = &'m ModelProto>, gates: Gates) -> Self {
        draw::draw(&artifacts.into_iter().collect::<Vec<_>>(), gates)
    }

    /// As Mermaid writes a flowchart.
    pub fn mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// As Graphviz reads it.
    pub fn dot(&self) -> String {
        dot::write(self)
    }

    /// A file that any browser shows.
    pub fn svg(&self) -> String {
        svg::write(self)
    }

    /// The ops of a peer, with their numbers.
    pub(crate) fn ops_of(&self, peer: PeerIx) -> impl Iterator<Item = (usize, &Op)> {
        self.ops.iter().enumerate().filter(move |(_, op)| op.peer == peer)
    }
}
