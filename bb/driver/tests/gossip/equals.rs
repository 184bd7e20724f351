//! Equals that gossip: each has a state, and again and again two of them take the mean of theirs.

use bb::prelude::*;
use bb_driver::engine::{Arg, Component, OpError, Usage, Value};
use bb_driver::{Builder, Handle, Hosted, Identity};
use bb_ir::value::RawTensor;
use std::sync::OnceLock;
use std::time::Duration;

#[derive(bb::Peer)]
pub struct Equal;

#[bb::role]
pub trait State {
    /// What it is.
    fn get(&mut self) -> Tensor;
    /// Half of the way to `theirs`; gives what it was before.
    fn mix(&mut self, theirs: Tensor) -> Tensor;
}

#[bb::module]
fn gossip(graph: &Graph, neighbour: On<Equal, Peer<Equal>>, state: StateAt<Equal>) -> On<Equal, Tensor> {
    let theirs = graph.wire(state.get(graph), neighbour);
    state.mix(graph.wire(state.mix(theirs), graph.origin::<Equal>()))
}

/// How many numbers a state has.
const WIDTH: usize = 1024;
/// Short, so that what is remembered of a call is forgotten soon.
const BUDGET: Duration = Duration::from_secs(5);

struct Numbers {
    state: Vec<f32>,
    inline: bool,
}
impl Component for Numbers {
    fn run(&mut self, method: &str, inputs: Vec<Value>) -> Result<Vec<Value>, OpError> {
        let before = self.state.clone();
        if method == "mix" {
            let theirs = inputs[0].as_tensor().and_then(|t| t.to_vec::<f32>());
            let theirs = theirs.filter(|t| t.len() == WIDTH).ok_or_else(|| OpError::new("a state of another size"))?;
            self.state.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine = (*mine + theirs) / 2.0);
        }
        Ok(vec![Value::Tensor(RawTensor::from_vec(&[WIDTH as u64], before).expect("as many"))])
    }
    fn inline(&self, _: &str) -> bool {
        self.inline
    }
}

/// All of them, each connected to every other.
pub struct Equals(pub Vec<Handle>);

impl Equals {
    /// So many, with states from 0 on upwards; `inline` keeps all that they do on the runtime's own threads.
    pub async fn start(count: u8, limits: bb_driver::engine::Limits, inline: bool) -> Self {
        static PROGRAM: OnceLock<bb::Compiled> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| bb::compile(gossip));
        assert_eq!(program.diagnostics, []);
        let artifact = program.artifact("Equal").expect("compiled").bytes.as_slice();
        let mut all: Vec<Handle> = Vec::new();
        for number in 0..count {
            let state: Box<dyn Component> = Box::new(Numbers { state: vec![f32::from(number); WIDTH], inline });
            let components = vec![("state".into(), state)];
            let hosted = Hosted { artifact: artifact.into(), kernels: bb::kernels(), components, entries: Vec::new() };
            let mut node = Builder::new().identity(Identity::Seed([number + 1; 32])).listen("/ip4/127.0.0.1/tcp/0");
            for other in &all {
                node = node.dial(&other.listen_addresses()[0]);
            }
            all.push(node.limits(limits.clone()).host(hosted).start().await.expect("starts"));
        }
        for node in &all {
            assert!(node.wait_for("Equal", all.len() - 1).await);
        }
        Equals(all)
    }

    /// One of them talks to another; what it was before.
    pub async fn talk(&self, one: usize, other: usize) -> f32 {
        let (node, peer) = (&self.0[one], self.0[other].peer_id().clone());
        let values = node.call(node.graphs()[0].graph, vec![Arg::Value(Value::Peer(peer))], BUDGET).await;
        let values = values.expect("the other is there");
        values[0].as_tensor().and_then(|t| t.to_vec::<f32>()).expect("a state")[0]
    }

    /// Whom the n-th talk of one of them is with: everyone in turn.
    pub fn other(&self, one: usize, n: usize) -> usize {
        (one + 1 + n % (self.0.len() - 1)) % self.0.len()
    }

    /// Once everything has been acknowledged nothing is held, and nothing was lost on the way.
    pub async fn rest(&self) {
        for node in &self.0 {
            while node.usage().await != Some(Usage::default()) {
                tokio::task::yield_now().await;
            }
            let counters = node.counters().await.expect("it runs");
            assert_eq!(counters.accepted, counters.delivered, "{counters}");
            assert_eq!(node.connections().len(), self.0.len() - 1);
        }
    }
}
