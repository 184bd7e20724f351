//! Artifacts: what is no artifact is refused and changes nothing, and what is one runs without a panic.

use super::memory;
use super::programs;
use bb::engine::{Arg, CallId, EngineStep, Input, Time, Usage, Value};
use bb::ir::artifact;
use bb::ir::types::{ElementKind, ValueType};
use bb::ir::value::{Dims, RawTensor};
use bb::kernels;
use std::time::Duration;

/// The file of a class's part of a program.
pub fn artifact(bytes: &[u8]) {
    let decoded = memory::within(32 * bytes.len() as u64 + (1 << 20), || artifact::read(bytes));
    if let Ok(model) = decoded {
        // In bytes: a number that is none equals nothing.
        let written = artifact::write(&model);
        assert_eq!(artifact::read(&written).map(|model| artifact::write(&model)), Ok(written));
    }
    let mut engine = programs::empty(0);
    let Ok(installed) = engine.install(bytes, &kernels(), &["answers"]) else {
        assert_eq!((engine.graphs().len(), engine.usage()), (0, Usage::default()));
        return;
    };
    let now = Time(1_000_000_000);
    let args = installed.inputs.iter().map(|input| Arg::Value(sample(&input.ty))).collect();
    let call = Input::Call { call: CallId(1), graph: installed.graph, args, budget: Duration::from_secs(60) };
    for input in [Input::Connected { peer: programs::peer(1), hello: programs::node(1).hello() }, call] {
        engine.handle(now, input);
        while let Some(step) = engine.poll(now) {
            if let EngineStep::Run { command, inputs, .. } = step {
                engine.handle(now, Input::Completed { command, result: Ok(inputs) });
            }
        }
    }
    // A day later time is out for everything, and a minute later for telling so.
    for later in [90_000, 90_060] {
        let end = now.after(Duration::from_secs(later));
        engine.handle(end, Input::Tick);
        while engine.poll(end).is_some() {}
    }
    assert_eq!(engine.usage(), Usage::default());
}

/// A value of this type.
fn sample(ty: &ValueType) -> Value {
    match ty {
        ValueType::Tensor { element, shape } => {
            let dims: Vec<u64> = shape.iter().flatten().map(|_| 1).collect();
            let element = element.unwrap_or(ElementKind::F32);
            let dims = Dims::new(&dims);
            let tensor = dims.and_then(|dims| RawTensor::new(element, dims, vec![1; element.size()].into()));
            tensor.map_or(Value::Trigger, Value::Tensor)
        }
        ValueType::Duration => Value::scalar(1i64),
        ValueType::Denoted(d) if d == bb::ir::types::PEER_DENOTATION => Value::Peer(programs::peer(1)),
        ValueType::Denoted(_) => Value::Bytes(Default::default()),
        ValueType::Trigger => Value::Trigger,
        ValueType::Seq(of) => Value::Seq(vec![sample(of)].into()),
    }
}
