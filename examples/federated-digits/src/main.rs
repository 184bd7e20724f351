//! Federated averaging of a small neural network on handwritten digits: one program, a server and its clients.

mod aggregator;
mod average;
mod baseline;
mod client;
mod compare;
mod data;
#[rustfmt::skip]
pub mod graph;
mod hostile;
#[cfg(test)]
mod installed_tests;
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
mod together;
mod trainer;

use bb::Node;
use clap::Parser;
use options::{Command, Options, Run};
use server::{Failure, Server};
use std::path::PathBuf;
use together::Together;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let options = Options::parse();
    let outcome = match options.command {
        None if options.run.compares() => compare::run(&options.run).await,
        None => in_one_process(&options.run).await,
        Some(Command::Server { listen, checkpoint, run }) => serve(&listen, checkpoint, run).await,
        Some(Command::Simulate(simulated)) => simulate::run(&simulated),
        Some(Command::Client { dial, shard, key, hostile, local }) => {
            client::run(&dial, shard, key, hostile, &local).await
        }
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

/// A server and its clients, of which the last ones are hostile.
async fn in_one_process(run: &Run) -> Result<(), Failure> {
    Together::start(run, run.byzantine).await?.train().await
}
