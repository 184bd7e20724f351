//! Many clients in one process, under a virtual clock: the same artifacts, over a network that is slow and loses messages.

use crate::data::{CLASSES, Data};
use crate::graph::round;
use crate::network;
use crate::options::{Local, Simulated};
use crate::report::say;
use crate::server::Failure;
use crate::split::Split;
use crate::trainer::Sgd;
use bb::{Peers, Tensor};
use bb_components::FedAvg;
use bb_sim::{Link, NodeIx, World};
use indicatif::{HumanBytes, HumanCount};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How many rows a simulated client has.
const ROWS: usize = 20;
const BUDGET: Duration = Duration::from_secs(60);

/// Runs the rounds and tells about each.
pub fn run(simulated: &Simulated) -> Result<(), Failure> {
    let Simulated { clients, rounds, quorum, loss, ref local } = *simulated;
    let began = Instant::now();
    let data = Data::load(local.data.as_ref())?;
    let (train, test) = (Split::train(&data, local.seed), Split::new(&data, local.seed, local.alpha, 1).test);

    let mut world = World::new(local.seed, bb::kernels());
    world.set_traced(false);
    world.set_link(Link::default().delay(Duration::from_millis(10)..=Duration::from_millis(200)).drop(loss));
    // Every client is as fast as it is.
    world.set_cost(|node, _| Duration::from_millis(100 + (node.0 as u64).wrapping_mul(7919) % 4000));
    let start = Rc::new(network::initial(local.seed));
    let server = world.host(move || {
        let start = Tensor::from_vec(&[network::PARAMS as u64], start.to_vec()).expect("the vector is that long");
        round::Server { average: FedAvg::new(start) }
    });
    let of_class: Vec<Vec<usize>> =
        (0..CLASSES).map(|c| (0..train.len()).filter(|r| train.labels[*r] == c).collect()).collect();
    for number in 1..=clients as usize {
        let shard = Rc::new(train.rows(&rows(&of_class, local, number)));
        let (epochs, seed) = (local.epochs, local.seed);
        let client = world.host(move || round::Client { trainer: Sgd::new(Data::clone(&shard), epochs, seed, number) });
        world.connect(server.ix, client.ix);
    }
    world.run_until(Duration::from_secs(1));
    say(&format!("{} clients, {:.1} s", HumanCount(clients.into()), began.elapsed().as_secs_f64()));

    for number in 1..=rounds {
        let (asked_at, events, bytes, wall) = (world.elapsed(), world.events(), world.bytes(), Instant::now());
        let asked = world.ask(server, (Peers::all(), quorum), BUDGET);
        let answer = loop {
            match world.answer(asked) {
                Some(answer) => break answer,
                None if world.step() => {}
                None => return Err("the simulation stands still".into()),
            }
        };
        let took = (world.elapsed() - asked_at).as_secs_f64();
        let params =
            answer.map_err(|e| format!("round {number} has no model: {e}\n  help: lower --quorum or --loss"))?;
        let score = network::score(params.as_slice(), &test);
        let (events, seconds) = (world.events() - events, wall.elapsed().as_secs_f64());
        say(&format!(
            "round {number:>3}/{rounds}  accuracy {:.3}  loss {:.3}  after {took:.1} s of the network's time  moved {}  {} events in {seconds:.1} s",
            score.accuracy,
            score.loss,
            HumanBytes(world.bytes() - bytes),
            HumanCount(events),
        ));
    }
    // Clients that a quorum did not wait for finish what they do, and nothing is left anywhere.
    world.run_until(world.elapsed() + BUDGET + BUDGET);
    let held = (0..world.len()).filter(|n| world.usage(NodeIx(*n)).is_some_and(|u| u != Default::default())).count();
    say(&format!("{held} nodes hold something at the end; {:.1} s together", began.elapsed().as_secs_f64()));
    Ok(())
}

/// The rows of the `number`th client, drawn with replacement: labels by a symmetric Dirichlet distribution, as in the
/// split among few clients.
fn rows(of_class: &[Vec<usize>], local: &Local, number: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(local.seed.wrapping_mul(1 << 32).wrapping_add(number as u64));
    let gamma = Gamma::new(local.alpha, 1.0).expect("alpha is checked to be positive");
    let parts: Vec<f64> = (0..CLASSES).map(|_| gamma.sample(&mut rng)).collect();
    let total: f64 = parts.iter().sum();
    let draw = |rng: &mut ChaCha8Rng| {
        let mut at = rng.random_range(0.0..1.0) * total;
        let class = parts.iter().position(|part| {
            at -= part;
            at <= 0.0
        });
        let rows = &of_class[class.unwrap_or(0)];
        rows[rng.random_range(0..rows.len())]
    };
    (0..ROWS).map(|_| draw(&mut rng)).collect()
}
