//! Checkpoints: one that cannot be is refused and changes nothing, and one that can goes on without a panic.

use super::programs;
use bb::engine::{EngineStep, Input, Time, Usage};
use bb::ir::digest::sha256;
use std::time::Duration;

const HEAD: &[u8] = b"bb.check\x01\x00\x00\x00";
const SUM_BYTES: usize = 32;

/// The inside of a checkpoint of the first node. Its frame is put around it here: behind a checksum that is right, what a
/// disk or a bug may have done gets as far as it can.
pub fn checkpoint(image: &[u8]) {
    let now = Time(100_000_000_000_000);
    let mut engine = programs::node(0);
    if engine.restore(now, &framed(image)).is_err() {
        assert_eq!(engine.checkpoint().bytes, programs::node(0).checkpoint().bytes);
        return;
    }
    for later in [0, 1, 90_000, 90_060] {
        let now = now.after(Duration::from_secs(later));
        engine.handle(now, Input::Connected { peer: programs::peer(1), hello: programs::node(1).hello() });
        while let Some(step) = engine.poll(now) {
            if let EngineStep::Run { command, inputs, .. } = step {
                engine.handle(now, Input::Completed { command, result: Ok(inputs) });
            }
        }
    }
    assert_eq!(engine.usage(), Usage::default());
}

fn framed(image: &[u8]) -> Vec<u8> {
    let mut bytes = [HEAD, &(image.len() as u64).to_le_bytes(), image].concat();
    let sum = sha256(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// What is inside a checkpoint.
pub fn image(checkpoint: &[u8]) -> &[u8] {
    &checkpoint[HEAD.len() + 8..checkpoint.len() - SUM_BYTES]
}
