use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;
#[derive(bb::Peer)]
pub struct Client;

#[bb::role]
pub trait Trainer {
    fn train(&mut self, params: Tensor) -> (Tensor, u64);
}

#[bb::module]
pub fn round(
    graph: &Graph,
    cohort: On<Server, Peers<Client>>,
    quorum: On<Server, f32>,
    trainer: TrainerAt<Client>,
    average: AggregatorAt<Server>,
) -> On<Server, Tensor> {
    let global = average.params(graph);
    let local = graph.wire(global, cohort);
    let (update, samples) = trainer.train(local);
    let back = graph.wire((update, samples), local.sender::<Server>());
    average.fold(back.quorum(quorum).within(secs(30)))
}

/// Asks for the parameters once, before the first round does.
#[bb::bootstrap(round)]
pub fn prepare(graph: &Graph, average: AggregatorAt<Server>) {
    let _ = average.params(graph);
}

/// Has to be filled before it is asked.
#[bb::role]
pub trait Store {
    /// A number and its weight.
    fn fill(&mut self, with: (f32, f32));
    fn get(&mut self, factor: f32) -> f32;
}

#[bb::module]
pub fn stored(factor: On<Server, f32>, store: StoreAt<Server>) -> On<Server, f32> {
    store.get(factor)
}

/// Fills the store with what the node is told when it starts.
#[bb::bootstrap(stored)]
pub fn fill(graph: &Graph, with: On<Server, (f32, f32)>, store: StoreAt<Server>) {
    let _ = graph;
    store.fill(with);
}

/// Runs by itself, and tells its number in three ways.
#[bb::module]
pub fn pulse(graph: &Graph, _start: On<Server, ()>) -> On<Server, u64> {
    let number = graph.interval::<Server>(Duration::from_millis(20));
    number.metric("pulses");
    number.emit("pulse");
    number
}

#[bb::role]
pub trait Counter {
    fn add(&mut self, n: u64) -> u64;
}

/// Adds up what it is given, from where it was told to begin.
#[derive(Default)]
pub struct Tally(pub u64);

#[bb::component]
impl Counter for Tally {
    fn add(&mut self, n: u64) -> u64 {
        self.0 = crate::only_in_the_crate(self.0, n);
        self.0
    }
}

/// Two counters that the program names; the one is asked in a module of its own.
#[bb::module]
pub fn counted(_graph: &Graph, n: On<Server, u64>) -> (On<Server, u64>, On<Server, u64>) {
    (added(n, CounterAt::concrete::<Tally>("one")), CounterAt::<Server>::concrete::<Tally>("other").add(n))
}

#[bb::module]
pub fn added(n: On<Server, u64>, counter: CounterAt<Server>) -> On<Server, u64> {
    counter.add(n)
}

/// Inputs on two classes: others may call it, no peer can start it.
#[bb::module]
pub fn halves(x: On<Server, Tensor>, y: On<Client, Tensor>) -> (On<Server, Tensor>, On<Client, Tensor>) {
    (x.relu(), y.relu())
}

#[bb::runtime]
mod components {
    use super::*;

    /// Keeps what it was given.
    pub struct FedAvg(Tensor);
    impl FedAvg {
        pub fn new(start: Tensor) -> Self {
            FedAvg(start)
        }
    }
    impl Aggregator for FedAvg {
        fn params(&mut self) -> Tensor {
            self.0.clone()
        }
        fn fold(&mut self, _updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
            Ok(self.0.clone())
        }
    }

    /// Holds a product.
    #[derive(Default)]
    pub struct Shelf(f32);
    impl Store for Shelf {
        fn fill(&mut self, (number, weight): (f32, f32)) {
            self.0 += number * weight;
        }
        fn get(&mut self, factor: f32) -> f32 {
            self.0 * factor
        }
    }

    /// Gives back what it gets.
    pub struct Sgd;
    impl Trainer for Sgd {
        fn train(&mut self, params: Tensor) -> (Tensor, u64) {
            (params, 1)
        }
    }
}
#[bb::runtime]
pub use components::{FedAvg, Sgd, Shelf};

/// What nobody can print.
#[derive(Clone, Default, bb::WireType)]
pub struct Mute {
    /// A number.
    pub number: u64,
}

/// Gives two values.
#[bb::module]
pub fn both(mute: On<Server, Mute>, x: On<Server, f32>) -> (On<Server, Mute>, On<Server, f32>) {
    (mute, x)
}
