//! The loop over rounds.

use crate::average::{Attendance, Noting};
use crate::baseline::baseline;
use crate::data::Data;
use crate::graph::{Client, round};
use crate::network::{self, Score};
use crate::options::Run;
use crate::report::{Missing, Progress, Results, Round, missing, say};
use crate::split::Split;
use bb::node::{Builder, CallError};
use bb::{Node, PeerId, Peers, Reason, Tensor};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long the server waits for clients that a quorum needs.
const PATIENCE: Duration = Duration::from_secs(120);

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A server that has started.
pub struct Server {
    node: Node<round::Server<Noting>>,
    note: Arc<Mutex<Attendance>>,
    data: Data,
    split: Split,
    run: Run,
}

/// How the rounds went.
struct Rounds {
    score: Score,
    /// How many were done before the server was started again.
    done: u32,
    curve: Vec<f64>,
    absent: Vec<Vec<Missing>>,
    met: BTreeSet<PeerId>,
}

impl Server {
    pub async fn start(builder: Builder, run: Run) -> Result<Self, Failure> {
        let data = Data::load(run.local.data.as_ref())?;
        let split = Split::new(&data, run.local.seed, run.local.alpha, run.clients as usize);
        let note = Arc::new(Mutex::new(Attendance::default()));
        let start = Tensor::from_vec(&[network::PARAMS as u64], network::initial(run.local.seed));
        let start = start.ok_or("the network has another size")?;
        if run.byzantine > run.clients {
            return Err(format!("{} of {} clients cannot be hostile", run.byzantine, run.clients).into());
        }
        let average = run.aggregator.unwrap_or_default().start(start, run.byzantine as usize)?;
        let node = builder.start(round::Server { average: Noting::new(average, note.clone()) }).await?;
        Ok(Server { node, note, data, split, run })
    }
    pub fn address(&self) -> Option<String> {
        self.node.address()
    }

    /// Runs every round, tells about each, and gives the results.
    pub async fn train(self) -> Result<(), Failure> {
        let run = &self.run;
        let began = Instant::now();
        let passes = run.rounds as usize * run.local.epochs as usize;
        // The models to compare with train beside the rounds.
        let compare = std::thread::spawn({
            let (data, seed) = (self.data.clone(), run.local.seed);
            let split = Split::new(&data, seed, run.local.alpha, run.clients as usize);
            move || baseline(&data, &split, passes, seed)
        });
        let Rounds { score, done, curve, absent, met } = self.rounds(&Progress::new(run.rounds)).await?;
        let baseline = compare.join().map_err(|_| "training the models to compare with panicked")?;
        let traffic = self.node.traffic();
        let mut peers = vec![self.node.peer_id().to_string()];
        peers.extend(met.iter().map(ToString::to_string));
        let results = Results {
            accuracy: score.accuracy,
            central_accuracy: baseline.central,
            alone_accuracy: baseline.alone,
            rounds: run.rounds,
            rounds_before: done,
            clients: run.clients,
            seconds: began.elapsed().as_secs_f64(),
            bytes_sent: traffic.bytes_sent,
            bytes_received: traffic.bytes_received,
            curve,
            missing: absent,
            peers,
            connections: self.node.connections().len(),
        };
        say(&results.table(&baseline, began.elapsed()));
        if let Some(file) = &run.json {
            results.write(file)?;
        }
        self.node.shutdown().await;
        Ok(())
    }

    /// Runs every round in silence, and says how good the model is.
    pub async fn accuracy(self) -> Result<f64, Failure> {
        let rounds = self.rounds(&Progress::hidden(self.run.rounds)).await;
        self.node.shutdown().await;
        Ok(rounds?.score.accuracy)
    }

    async fn rounds(&self, progress: &Progress) -> Result<Rounds, Failure> {
        let run = &self.run;
        self.wait_for(run.clients as usize).await?;
        let mut met: BTreeSet<PeerId> = BTreeSet::new();
        let (mut curve, mut absent) = (Vec::new(), Vec::new());
        let mut score = network::score(&network::initial(run.local.seed), &self.split.test);
        // A server that was killed takes up the round it was in.
        let mut unanswered = self.node.restored();
        let done = self.node.calls_before() as u32 - unanswered.len() as u32;
        for number in done + 1..=run.rounds {
            met.extend(self.node.members::<Client>());
            let call = unanswered.pop().unwrap_or_else(|| self.node.call((Peers::all(), run.quorum)));
            let outcome = call.await;
            let (attendance, failed) = match outcome {
                Ok(params) => {
                    score = network::score(params.as_slice(), &self.split.test);
                    (self.attendance(), None)
                }
                Err(error) => (of_failure(&error).ok_or(error.clone())?, Some(error.to_string())),
            };
            met.extend(attendance.arrived.iter().cloned());
            let missing = self.missing(&met, &attendance);
            let traffic = self.node.traffic();
            let bytes = traffic.bytes_sent + traffic.bytes_received;
            let answered = attendance.arrived.len();
            progress.round(&Round { number, score, answered, missing: &missing, bytes, failed: failed.clone() });
            curve.push(score.accuracy);
            absent.push(missing);
            if failed.is_some() && number < run.rounds {
                self.wait_for((run.quorum * run.clients as f32).ceil() as usize).await?;
            }
        }
        progress.end();
        Ok(Rounds { score, done, curve, absent, met })
    }

    async fn wait_for(&self, clients: usize) -> Result<(), Failure> {
        let wait = tokio::time::timeout(PATIENCE, self.node.wait_for::<Client>(clients)).await;
        if matches!(wait, Ok(true)) {
            return Ok(());
        }
        let there = self.node.members::<Client>().len();
        Err(format!(
            "{there} of {clients} clients came within {} s\n  help: start the others with `client --dial …`",
            PATIENCE.as_secs()
        )
        .into())
    }

    fn attendance(&self) -> Attendance {
        self.note.lock().map(|mut note| std::mem::take(&mut *note)).unwrap_or_default()
    }

    /// Every client that was ever there and did not contribute: why, or that it was not in the cohort.
    fn missing(&self, met: &BTreeSet<PeerId>, attendance: &Attendance) -> Vec<Missing> {
        let absent = met.iter().filter(|peer| !attendance.arrived.contains(peer));
        let why = |peer: &PeerId| attendance.missing.iter().find(|(p, _)| p == peer).map(|(_, reason)| *reason);
        absent
            .map(|peer| why(peer).map_or_else(|| missing(peer, "not_connected"), |reason| missing(peer, reason)))
            .collect()
    }
}

/// Who took part in a round that failed for want of clients; `None` of any other failure.
fn of_failure(error: &CallError) -> Option<Attendance> {
    let CallError::Failed(bb::engine::CallError::Failed(cause)) = error else { return None };
    let quorum = cause.quorum.as_deref()?;
    let missing = quorum.missing.iter().map(|(peer, code)| (peer.clone(), Reason::from_code(code.number())));
    // Nobody contributed to a model that was not made.
    let unused = quorum.arrived.iter().map(|peer| (peer.clone(), Reason::QuorumNotReached));
    Some(Attendance { arrived: Vec::new(), missing: missing.chain(unused).collect() })
}
