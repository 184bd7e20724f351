//! The example as processes, started and followed.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than anything here takes; a hang fails the test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(180);

fn digits(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_federated-digits"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
/// Runs it to its end.
pub fn run(args: &[&str]) -> Output {
    digits(args).output().expect("the example runs")
}
/// The results it wrote.
pub fn json(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("the example wrote its results");
    serde_json::from_str(&text).expect("one JSON object")
}

/// A process of the example; killed when it is dropped.
pub struct Process {
    pub child: Child,
    pub lines: Receiver<String>,
}
impl Process {
    pub fn start(args: &[&str]) -> Self {
        let mut child = digits(args).stderr(Stdio::inherit()).spawn().expect("the example starts");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Process { child, lines }
    }
    pub fn client(address: &str, shard: &str, key: &Path) -> Self {
        let key = key.to_str().expect("a temporary path is UTF-8");
        Process::start(&["client", "--dial", address, "--shard", shard, "--key", key, "--epochs", "1"])
    }
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("it goes on")
    }
    /// The next line with this in it.
    pub fn line_with(&self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }
}
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
