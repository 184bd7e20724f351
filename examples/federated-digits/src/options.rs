//! What the command line says.

use crate::aggregator::Aggregation;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Federated averaging of a small neural network on handwritten digits.
///
/// Without a command: a server and its clients in one process, each a node of its own.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: Run,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The server, in a process of its own. It prints its address.
    Server {
        /// Where to listen.
        #[arg(long, default_value = "/ip4/127.0.0.1/tcp/0")]
        listen: String,
        /// A directory of its own: killed and started again with it, it goes on at its round.
        #[arg(long)]
        checkpoint: Option<PathBuf>,
        #[command(flatten)]
        run: Run,
    },
    /// Rounds with very many clients in one process, under a virtual clock.
    Simulate(Simulated),
    /// A client, in a process of its own.
    Client {
        /// The address that the server printed.
        #[arg(long)]
        dial: String,
        /// Which shard of how many it has, from 1: `2/4`.
        #[arg(long, value_parser = shard)]
        shard: Shard,
        /// The file of its key, made where there is none. By default one per shard in the platform's data directory.
        #[arg(long)]
        key: Option<PathBuf>,
        /// It does harm: one with an odd shard goes backwards, another sends noise.
        #[arg(long)]
        hostile: bool,
        #[command(flatten)]
        local: Local,
    },
}

/// What server and one-process form take.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// How many clients.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub clients: u32,
    /// How many rounds.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: u32,
    /// The part of a round's clients that has to answer.
    #[arg(long, default_value_t = 0.75, value_parser = fraction)]
    pub quorum: f32,
    /// What makes one model of the clients': the mean, if nothing else is said.
    #[arg(long, value_enum)]
    pub aggregator: Option<Aggregation>,
    /// How many of the clients are hostile; a server in a process of its own bears so many. Without `--aggregator`,
    /// every aggregator runs, with honest clients alone and with so many hostile ones, and a table compares them.
    #[arg(long, default_value_t = 0)]
    pub byzantine: u32,
    /// Where to write the results.
    #[arg(long)]
    pub json: Option<PathBuf>,
    #[command(flatten)]
    pub local: Local,
}

/// What a simulation takes.
#[derive(Clone, Debug, Args)]
pub struct Simulated {
    /// How many clients.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub clients: u32,
    /// How many rounds.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: u32,
    /// The part of a round's clients that has to answer.
    #[arg(long, default_value_t = 0.75, value_parser = fraction)]
    pub quorum: f32,
    /// The part of all messages that the network loses.
    #[arg(long, default_value_t = 0.01, value_parser = part)]
    pub loss: f64,
    #[command(flatten)]
    pub local: Local,
}

impl Run {
    /// Whether every aggregator runs, for comparison.
    pub fn compares(&self) -> bool {
        self.byzantine > 0 && self.aggregator.is_none()
    }
}

/// What training on a shard needs to know.
#[derive(Clone, Debug, Args)]
pub struct Local {
    /// How many passes over its data a client makes in a round.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub epochs: u32,
    /// How skewed the shards' labels are: the smaller the more.
    #[arg(long, default_value_t = 0.3, value_parser = positive)]
    pub alpha: f64,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Another data set: 64 pixels (0 to 16) and a label a row, comma-separated, gzipped or not.
    #[arg(long)]
    pub data: Option<PathBuf>,
}

/// A shard, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub number: usize,
    pub of: usize,
}

fn shard(text: &str) -> Result<Shard, String> {
    let parsed = text.split_once('/').and_then(|(n, of)| Some(Shard { number: n.parse().ok()?, of: of.parse().ok()? }));
    let inside = parsed.filter(|s| (1..=s.of).contains(&s.number) && s.of <= 1000);
    inside.ok_or_else(|| "write which shard of how many, from 1, like 2/4".into())
}
fn fraction(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|f| *f > 0.0 && *f <= 1.0).ok_or_else(|| "a fraction above 0 and up to 1".into())
}
fn part(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|f| (0.0..1.0).contains(f)).ok_or_else(|| "a fraction from 0 and below 1".into())
}
fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|a: &f64| a.is_finite() && *a > 0.0).ok_or_else(|| "a number above 0".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_defaults_are_those_of_the_front_page() {
        Options::command().debug_assert();
        let run = Options::parse_from(["federated-digits"]).run;
        assert_eq!((run.clients, run.rounds, run.quorum), (8, 50, 0.75));
        assert_eq!((run.aggregator, run.byzantine), (None, 0));
        assert_eq!((run.local.epochs, run.local.alpha, run.local.seed), (2, 0.3, 1));
    }

    #[test]
    fn shards_count_from_one() {
        assert_eq!(shard("2/4"), Ok(Shard { number: 2, of: 4 }));
        for wrong in ["0/4", "5/4", "2", "a/b", "2/"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
