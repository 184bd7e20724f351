//! What fuzzing begins with: what the compiler makes, what engines say to each other, and rows of decisions that get far.

use super::engines;
use super::framing::Chunk;
use super::programs;
use bb::engine::Value;
use bb::ir::codec;
use bb::ir::value::RawTensor;

/// The seeds of a target.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "envelope" => stories().flat_map(|s| engines::run(&s).mail.into_iter().map(|m| m.2.to_vec())).collect(),
        "hello" => (0..programs::NODES).map(|n| programs::node(n).hello().to_vec()).collect(),
        "payload" => payloads(),
        "frames" => streams(),
        "artifact" => programs::artifacts().map(<[u8]>::to_vec).collect(),
        "checkpoint" => stories().filter_map(|s| engines::run(&s).images().into_iter().next()).collect(),
        "engine" => stories().collect(),
        other => panic!("there is no target `{other}`"),
    }
}

fn payloads() -> Vec<Vec<u8>> {
    let tensor = |n: u64| Value::Tensor(RawTensor::from_vec(&[n, 1], vec![1.5f32; n as usize]).expect("as many"));
    let values = [
        (0, tensor(3)),
        (10, Value::scalar(7u64)),
        (7, Value::scalar(true)),
        (11, Value::Peer(programs::peer(1))),
        (12, Value::Bytes("text".into())),
        (14, Value::Trigger),
        (16, Value::Seq(vec![tensor(2), tensor(0)].into())),
        (43, Value::Seq(vec![Value::Seq(vec![Value::Peer(programs::peer(2))].into())].into())),
    ];
    let bytes = |(ty, value): &(u8, Value)| {
        let (head, body) = codec::encode(value, &|_| vec!["address".into()]);
        [&[*ty][..], &head, &body].concat()
    };
    values.iter().map(bytes).collect()
}

fn streams() -> Vec<Vec<u8>> {
    let chunk = |message, flags, body: &[u8]| Chunk { message, flags, length: None, body: body.to_vec() }.bytes();
    let (hello, goodbye) = (chunk(1, 1, b"hello"), chunk(0, 2, b""));
    let between = [chunk(2, 0, b"a long "), chunk(3, 1, b"control"), chunk(2, 1, b"message")].concat();
    vec![
        [&hello[..], &goodbye].concat(),
        [&hello[..], &between, &goodbye].concat(),
        [&hello[..], &chunk(2, 0, &[7; 65_536]), &chunk(2, 1, &[8; 100])].concat(),
        [&hello[..], &chunk(2, 1, b"")].concat(),
    ]
}

/// Calls of both programs, on the way and answered.
fn stories() -> impl Iterator<Item = Vec<u8>> {
    const DELIVER: [u8; 3] = [0, 6, 0];
    const COMPLETE: [u8; 6] = [0, 12, 0, 0, 0, 7];
    let ask = [0, 0, 1, 0, 5, 0, 1, 9];
    let join = [0, 0, 2, 1, 5, 4, 1, 2, 1, 9];
    let met = |rest: &[&[u8]]| [&[1][..], &rest.concat()].concat();
    let crash = [[0, 17], [1, 17], [2, 17]].concat();
    let later = [0, 19, 160];
    let answers = [DELIVER.repeat(2), COMPLETE.repeat(2), DELIVER.repeat(4)].concat();
    [
        met(&[&ask]),
        met(&[&ask, &answers]),
        met(&[&join]),
        met(&[&join, &DELIVER.repeat(2)]),
        met(&[&join, &DELIVER.repeat(12)]),
        met(&[&ask, &join, &DELIVER, &crash, &answers, &later]),
        met(&[&ask, &DELIVER.repeat(2), &crash, &later, &answers]),
        met(&[&ask, &answers[..18], &[0, 5, 1], &later]),
    ]
    .into_iter()
}
