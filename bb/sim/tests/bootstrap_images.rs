//! How far a bootstrap was, as a checkpoint says it: what cannot be is refused, and the engine is as it was.
#![allow(missing_docs)]

mod asking;
use asking::*;
use bb::engine::{CheckpointError, Config, Engine, EngineStep, Input, Time, Usage, Value};
use bb::prelude::*;
use bb_sim::peer_id;

#[bb::role]
pub trait Store {
    fn open(&mut self) -> u64;
    fn get(&mut self, x: f32) -> f32;
}

#[bb::module]
fn kept(_graph: &Graph, x: On<Asker, f32>, store: StoreAt<Asker>) -> On<Asker, f32> {
    store.get(x)
}
#[bb::bootstrap(kept)]
fn open_store(graph: &Graph, store: StoreAt<Asker>) {
    let _ = store.open(graph);
}
/// One without.
fn plain(_: &Graph, x: On<Asker, f32>) -> On<Asker, f32> {
    positive(x)
}

const NOW: Time = Time(1_000_000_000);
/// Which of the two artifacts.
const KEPT: usize = 0;
const PLAIN: usize = 1;

fn engine() -> Engine {
    let mut engine = Engine::new(Config::new(peer_id(0), 1));
    for (program, slots) in [(bb::compile(kept), &["store"][..]), (bb::compile(plain), &[])] {
        assert_eq!(program.diagnostics, []);
        engine.install(&program.artifacts[0].bytes, &bb::kernels(), slots).expect("it installs");
    }
    engine
}
/// The methods that are to run now.
fn methods(engine: &mut Engine) -> Vec<(bb::engine::CommandId, String)> {
    let run = |step| match step {
        EngineStep::Run { command, method, .. } => Some((command, method.to_string())),
        _ => None,
    };
    std::iter::from_fn(|| engine.poll(NOW)).filter_map(run).collect()
}
/// Before it has begun, while it runs, and when it is done.
fn images() -> [Vec<u8>; 3] {
    let mut engine = engine();
    let due = engine.checkpoint().bytes;
    let begun = methods(&mut engine);
    let running = engine.checkpoint().bytes;
    engine.handle(NOW, Input::Completed { command: begun[0].0, result: Ok(vec![Value::scalar(1u64)]) });
    assert!(methods(&mut engine).is_empty() && engine.usage() == Usage::default());
    [due, running, engine.checkpoint().bytes].map(|bytes| bytes.to_vec())
}

fn varint(bytes: &[u8], at: &mut usize) -> usize {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[*at];
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    unreachable!("a number ends")
}
/// The checkpoint with another word of that artifact's bootstrap. Of a field that comes twice the later one counts.
fn forged(checkpoint: &[u8], graph: usize, state: u8) -> Vec<u8> {
    const HEAD: usize = 20;
    let image = &checkpoint[HEAD..checkpoint.len() - 32];
    let (mut out, mut at, mut graphs) = (Vec::new(), 0, 0);
    while at < image.len() {
        let start = at;
        let key = varint(image, &mut at);
        match key & 7 {
            0 => _ = varint(image, &mut at),
            1 => at += 8,
            2 => {
                let length = varint(image, &mut at);
                at += length;
                if key >> 3 == 5 {
                    graphs += 1;
                    if graphs - 1 == graph {
                        let body = &image[at - length..at];
                        assert!(length < 120, "its length is one byte");
                        out.extend([image[start], length as u8 + 2]);
                        out.extend(body);
                        out.extend([3 << 3, state]);
                        continue;
                    }
                }
            }
            other => unreachable!("{other}"),
        }
        out.extend(&image[start..at]);
    }
    assert_eq!(graphs, 2);
    let mut all = checkpoint[..12].to_vec();
    all.extend((out.len() as u64).to_le_bytes());
    all.extend(out);
    let sum = bb::ir::digest::sha256(&all);
    all.extend(sum);
    all
}

#[test]
fn what_an_image_says_of_a_bootstrap_has_to_be_true() {
    let [due, running, done] = images();
    let cases = [
        ("no such word", &due, KEPT, 3),
        ("it runs without a frame", &due, KEPT, 1),
        ("it has run, and has a frame", &running, KEPT, 2),
        ("it has not begun, and has a frame", &running, KEPT, 0),
        ("it runs again without a frame", &done, KEPT, 1),
        ("done, where there is none", &due, PLAIN, 2),
        ("under way, where there is none", &done, PLAIN, 1),
        ("no such word, where there is none", &running, PLAIN, 7),
    ];
    let mut engine = engine();
    let before = engine.checkpoint().bytes;
    for (case, image, graph, state) in cases {
        let error = engine.restore(NOW, &forged(image, graph, state)).expect_err(case);
        assert_eq!(error, CheckpointError::Malformed("a bootstrap"), "{case}");
        assert_eq!((engine.usage(), engine.checkpoint().bytes), (Usage::default(), before.clone()), "{case}");
    }
    // It begins as if nothing had been.
    assert_eq!(methods(&mut engine).len(), 1);
}

#[test]
fn the_same_words_where_they_are_true_are_taken() {
    let [due, running, done] = images();
    for (image, graph, state, runs) in
        [(&due, KEPT, 0, 1), (&running, KEPT, 1, 1), (&done, KEPT, 2, 0), (&due, KEPT, 2, 0), (&done, PLAIN, 0, 0)]
    {
        let mut engine = engine();
        engine.restore(NOW, &forged(image, graph, state)).expect("it can be");
        assert_eq!(methods(&mut engine).len(), runs, "{graph} {state}");
    }
}
