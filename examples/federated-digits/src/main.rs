//! Federated averaging of a small neural network on handwritten digits: one program, a server and its clients.

mod average;
mod baseline;
mod client;
mod data;
#[rustfmt::skip]
pub mod graph;
mod network;
mod options;
#[cfg(test)]
mod program_tests;
mod report;
mod server;
mod simulate;
#[cfg(test)]
mod simulated_tests;
mod split;
mod trainer;

use bb::Node;
use clap::Parser;
use options::{Command, Options, Run, Shard};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use server::{Failure, Server};
use std::path::PathBuf;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let options = Options::parse();
    let outcome = match options.command {
        None => in_one_process(options.run).await,
        Some(Command::Server { listen, checkpoint, run }) => serve(&listen, checkpoint, run).await,
        Some(Command::Simulate(simulated)) => simulate::run(&simulated),
        Some(Command::Client { dial, shard, key, local }) => client::run(&dial, shard, key, &local).await,
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// A server in a process of its own.
async fn serve(listen: &str, checkpoint: Option<PathBuf>, run: Run) -> Result<(), Failure> {
    let mut builder = Node::builder().listen(listen);
    if let Some(dir) = checkpoint {
        builder = builder.key_file(dir.join("key")).durable(dir);
    }
    let server = Server::start(builder, run).await?;
    report::say(&server.address().ok_or("the server listens nowhere")?);
    server.train().await
}

/// The server and every client, each a node with a key that follows from the seed.
async fn in_one_process(run: Run) -> Result<(), Failure> {
    let key = |node: u64| {
        let mut key = [0; 32];
        ChaCha8Rng::seed_from_u64(run.local.seed.wrapping_mul(1 << 20).wrapping_add(node)).fill_bytes(&mut key);
        key
    };
    let builder = Node::builder().listen("/ip4/127.0.0.1/tcp/0").seed(key(0));
    let server = Server::start(builder, run.clone()).await?;
    let address = server.address().ok_or("the server listens nowhere")?;
    let mut clients = Vec::new();
    for number in 1..=run.clients {
        let shard = Shard { number: number as usize, of: run.clients as usize };
        let builder = Node::builder().dial(&address).seed(key(number.into()));
        clients.push(client::start(builder, shard, &run.local).await?);
    }
    server.train().await?;
    for client in clients {
        client.shutdown().await;
    }
    Ok(())
}
