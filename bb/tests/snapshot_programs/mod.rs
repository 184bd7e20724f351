//! Small programs that tests share. The ten of [`ten`] are kept as text in three stages, and ONNX's own tools judge them.
#![allow(dead_code, reason = "no test needs all of them")]

mod asked;
mod calls;
mod kept;
mod meeting;
mod rounds;

pub use asked::*;
pub use calls::*;
pub use kept::*;
pub use meeting::*;
pub use rounds::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;
#[derive(bb::Peer)]
pub struct Node;
#[derive(bb::Peer)]
pub struct Edge;
#[derive(bb::Peer)]
pub struct Left;
#[derive(bb::Peer)]
pub struct Right;
#[derive(bb::Peer)]
pub struct Head;
#[derive(bb::Dim)]
pub struct N;

/// The programs that snapshots show.
pub fn ten() -> [bb::Recorded; 10] {
    [
        bb::record(round),
        bb::record(gossip),
        bb::record(split),
        bb::record(request),
        bb::record(scatter),
        bb::record(nested),
        bb::record(join),
        bb::record(diamond),
        bb::record(kept),
        bb::record(self_send),
    ]
}
