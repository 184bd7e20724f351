//! What the user sees: a line per round, one table, one JSON object.

use crate::baseline::Baseline;
use crate::network::Score;
use bb::PeerId;
use comfy_table::{Table, presets};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

/// A client that did not contribute to a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub peer: String,
    pub reason: String,
}

/// One round, as it is told.
pub struct Round<'a> {
    pub number: u32,
    pub score: Score,
    pub answered: usize,
    pub missing: &'a [Missing],
    pub bytes: u64,
    /// Why the round has no model of its own.
    pub failed: Option<String>,
}

/// A bar in a terminal, a line per round elsewhere.
pub struct Progress {
    bar: Option<ProgressBar>,
    rounds: u32,
}

impl Progress {
    pub fn new(rounds: u32) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:30} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(rounds.into()).with_style(style)
        });
        Progress { bar, rounds }
    }
    /// Says nothing.
    pub fn hidden(rounds: u32) -> Self {
        Progress { bar: Some(ProgressBar::hidden()), rounds }
    }
    pub fn round(&self, r: &Round) {
        let clients = r.answered + r.missing.len();
        let mut line = format!(
            "round {:>3}/{}  accuracy {:.3}  loss {:.3}  clients {}/{clients}  moved {}",
            r.number,
            self.rounds,
            r.score.accuracy,
            r.score.loss,
            r.answered,
            HumanBytes(r.bytes)
        );
        if let Some(why) = &r.failed {
            line += &format!("  no new model: {why}");
        }
        match &self.bar {
            Some(bar) => {
                bar.set_message(line);
                bar.inc(1);
            }
            None => say(&line),
        }
    }
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}

/// A line on standard output, at once: whoever reads it may wait for it.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Where nobody reads any more there is nobody to tell.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    pub accuracy: f64,
    pub central_accuracy: f64,
    pub alone_accuracy: f64,
    pub rounds: u32,
    /// Of these, how many were done before the server was started again.
    pub rounds_before: u32,
    pub clients: u32,
    pub seconds: f64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// The accuracy after each round.
    pub curve: Vec<f64>,
    /// Per round, every client the server has ever met that did not contribute.
    pub missing: Vec<Vec<Missing>>,
    /// The identities of the nodes that this process knows, the server's first.
    pub peers: Vec<String>,
    /// How many connections the server has at the end.
    pub connections: usize,
}

impl Results {
    pub fn table(&self, baseline: &Baseline, elapsed: Duration) -> String {
        let rows = [
            ("federated", self.accuracy),
            ("central, all data in one place", baseline.central),
            ("alone, mean of the clients", baseline.alone),
        ];
        let rows = rows.map(|(model, accuracy)| [model.to_owned(), format!("{accuracy:.3}")]);
        let table = table(["model", "accuracy on the held-out fifth"].map(Into::into), rows);
        format!("{table}\n{} rounds, {} clients, {:.1} s", self.rounds, self.clients, elapsed.as_secs_f64())
    }

    pub fn write(&self, file: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        std::fs::write(file, text + "\n").map_err(|e| format!("cannot write {}: {e}", file.display()))
    }
}

/// Rows under a header.
pub fn table<const N: usize>(header: [String; N], rows: impl IntoIterator<Item = [String; N]>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header).add_rows(rows);
    table
}

pub fn missing(peer: &PeerId, reason: impl ToString) -> Missing {
    Missing { peer: peer.to_string(), reason: reason.to_string() }
}
