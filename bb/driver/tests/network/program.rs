//! The program that the tests run: a server asks its clients, and hands back who answered what.

use bb::prelude::*;
use bb_driver::engine::{Arg, Component, OpError, PeerId, Value};
use bb_driver::{Builder, Event, Events, Handle, Hosted, Identity};
use bb_ir::value::RawTensor;
use std::sync::OnceLock;
use std::time::Duration;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::role]
pub trait Worker {
    fn work(&mut self, x: Tensor) -> Tensor;
}

#[bb::module]
fn program(
    graph: &Graph,
    cohort: On<Server, Peers<Client>>,
    x: On<Server, Tensor>,
    quorum: On<Server, f32>,
    worker: WorkerAt<Client>,
) -> On<Server, Partial<Tensor>> {
    let there = graph.wire(x, cohort);
    graph.wire(worker.work(there), there.sender::<Server>()).quorum(quorum)
}

pub fn piece(class: &str) -> Vec<u8> {
    static PROGRAM: OnceLock<bb::Compiled> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| bb::compile(program));
    assert_eq!(program.diagnostics, []);
    program.artifact(class).expect("compiled").bytes.clone()
}

/// A worker that is this function.
struct Works<F>(F);
impl<F: FnMut(Value) -> Result<Value, OpError> + Send> Component for Works<F> {
    fn run(&mut self, _: &str, mut inputs: Vec<Value>) -> Result<Vec<Value>, OpError> {
        Ok(vec![(self.0)(inputs.remove(0))?])
    }
}

/// A server of this seed, listening on a free port.
pub fn server(seed: u8) -> Builder {
    let hosted = Hosted {
        artifact: piece("Server").into(),
        kernels: bb::kernels(),
        components: Vec::new(),
        entries: Vec::new(),
    };
    Builder::new().identity(Identity::Seed([seed; 32])).listen(ANY).host(hosted)
}
/// A client of this seed that does `work`.
pub fn client(seed: u8, work: impl FnMut(Value) -> Result<Value, OpError> + Send + 'static) -> Builder {
    let components: Vec<(String, Box<dyn Component>)> = vec![("worker".into(), Box::new(Works(work)))];
    let hosted = Hosted { artifact: piece("Client").into(), kernels: bb::kernels(), components, entries: Vec::new() };
    Builder::new().identity(Identity::Seed([seed; 32])).host(hosted)
}
/// A client's piece whose slot is empty.
pub fn unbound_worker() -> Hosted {
    Hosted { artifact: piece("Client").into(), kernels: bb::kernels(), components: Vec::new(), entries: Vec::new() }
}
/// A client that sends back what it got.
pub fn echo(seed: u8) -> Builder {
    client(seed, Ok)
}

pub const ANY: &str = "/ip4/127.0.0.1/tcp/0";
pub const LONG: Duration = Duration::from_secs(60);

/// Asks all clients for what they make of `x`.
pub fn arguments(x: Vec<f32>, quorum: f32) -> Vec<Arg> {
    let x = RawTensor::from_vec(&[x.len() as u64], x).expect("as many");
    vec![Arg::AllPeers { and_self: false }, Arg::Value(Value::Tensor(x)), Arg::Value(Value::scalar(quorum))]
}
pub fn call(server: &Handle, x: Vec<f32>, quorum: f32) -> bb_driver::Call {
    server.call(server.graphs()[0].graph, arguments(x, quorum), LONG)
}
/// Asks these clients, connected or not.
pub fn ask<'a>(server: &Handle, clients: impl IntoIterator<Item = &'a PeerId>) -> bb_driver::Call {
    let mut args = arguments(vec![1.0], 1.0);
    args[0] = Arg::Value(Value::Seq(clients.into_iter().cloned().map(Value::Peer).collect()));
    server.call(server.graphs()[0].graph, args, LONG)
}
/// The numbers in each answer.
pub fn answers(values: &[Value]) -> Vec<Vec<f32>> {
    let numbers = |v: &Value| v.as_tensor().and_then(|t| t.to_vec::<f32>()).expect("a tensor of f32");
    values[0].as_seq().expect("a sequence").iter().map(numbers).collect()
}
/// Who is missing, and the number of the reason, by identity.
pub fn missing(values: &[Value]) -> Vec<(PeerId, u32)> {
    let entry = |v: &Value| {
        let Value::Bytes(bytes) = v else { panic!("an entry of `missing`") };
        let code = u32::from_le_bytes(bytes[..4].try_into().expect("four bytes"));
        (PeerId::from_bytes(bytes.slice(4..)).expect("a peer"), code)
    };
    let mut all: Vec<_> = values[2].as_seq().expect("a sequence").iter().map(entry).collect();
    all.sort();
    all
}

/// A server, and these clients connected to it.
pub async fn network(clients: impl IntoIterator<Item = Builder>) -> (Handle, Vec<Handle>) {
    let server = server(1).start().await.expect("starts");
    let address = &server.listen_addresses()[0];
    let mut all = Vec::new();
    for client in clients {
        all.push(client.dial(address).start().await.expect("starts"));
    }
    assert!(server.wait_for("Client", all.len()).await);
    (server, all)
}

/// The first event that is one of those.
pub async fn next<T>(events: &mut Events, which: impl Fn(Event) -> Option<T>) -> T {
    loop {
        let event = events.next().await.expect("the node runs");
        if let Some(found) = which(event) {
            return found;
        }
    }
}

/// Comes back when it is so.
pub async fn until(is_so: impl AsyncFn() -> bool) {
    while !is_so().await {
        tokio::task::yield_now().await;
    }
}
