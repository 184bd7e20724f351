//! What the cases in `cases/` are written with: one mistake per file, beside it what rustc says about it.
//! (This package has no build script: trybuild builds none, so its modules are fragments.)
#![allow(missing_docs)]
use bb::prelude::*;
#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;
#[derive(bb::Peer)]
pub struct Node;
#[bb::role]
pub trait Trainer {
    fn train(&mut self, params: Tensor) -> (Tensor, u64);
    fn blend(&mut self, mine: Tensor, theirs: Tensor, rate: f32) -> Tensor;
    fn state(&mut self) -> Tensor;
}
#[bb::role]
pub trait Rows {
    fn run(&mut self, x: Tensor<f32, (N, D<64>)>) -> Tensor<f32, (N, D<32>)>;
    fn any(&mut self, x: Tensor<AnyElement>) -> Tensor<AnyElement>;
}
#[derive(bb::Dim)]
pub struct N;
#[derive(bb::Dim)]
pub struct M;
#[bb::op]
pub fn clip(x: Tensor, limit: f32) -> Tensor {
    let _ = limit;
    x
}
