//! Ops that the engine itself runs.

use super::place::At;
use crate::error::InstallError;
use bb_ir::ops::syscall::{COUNT, PERIOD_NS, TOPIC};
use bb_ir::ops::{
    SYSCALL_AFTER, SYSCALL_ANY, SYSCALL_CLOCK, SYSCALL_DOMAIN, SYSCALL_EMIT, SYSCALL_INTERVAL, SYSCALL_LIMIT,
    SYSCALL_METRIC, SYSCALL_RANDOM,
};
use bb_ir::proto::onnx::NodeProto;
use bb_ir::types::ValueType;
use bb_ir::views::Attributes;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, PartialEq)]
pub enum Syscall {
    Clock,
    Random,
    /// Its first input, so much later as the second says.
    After,
    /// A new execution so often.
    Interval(Duration),
    /// Whatever input is there first.
    Any,
    /// One in each `pause`, with a burst for as long as `burst` of them take.
    Limit {
        pause: Duration,
        burst: Duration,
    },
    Emit(Arc<str>),
    Metric(Arc<str>),
}

impl Syscall {
    /// Whether it reads its inputs when it is not certain which are there, or more than once.
    pub fn looks(&self) -> bool {
        matches!(self, Syscall::After | Syscall::Any)
    }
}

impl At<'_> {
    /// The node as one of them, if it is.
    pub fn syscall(&self, node: &NodeProto) -> Result<Option<Syscall>, InstallError> {
        if node.domain() != SYSCALL_DOMAIN {
            return Ok(None);
        }
        let number = |name: &str| {
            let number = node.attr_int(name).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
            number.ok_or_else(|| self.bad(node, format!("its attribute `{name}` is no number above 0")))
        };
        let topic = || {
            let topic = node.attr_str(TOPIC).map(Arc::<str>::from);
            topic.ok_or_else(|| self.bad(node, format!("its attribute `{TOPIC}` is no text")))
        };
        let (syscall, inputs) = match node.op_type() {
            SYSCALL_CLOCK => (Syscall::Clock, 0..=0),
            SYSCALL_RANDOM => (Syscall::Random, 0..=0),
            SYSCALL_AFTER => (Syscall::After, 2..=2),
            SYSCALL_INTERVAL => {
                let bare = |input: &String| self.ty(input).map(|ty| ty == ValueType::Trigger);
                let bare = self.loaded.inputs.iter().map(bare).collect::<Result<Vec<_>, _>>()?;
                if self.place != 0 || bare.contains(&false) {
                    return Err(self.bad(node, "an interval starts calls where they start, and without arguments"));
                }
                (Syscall::Interval(Duration::from_nanos(number(PERIOD_NS)?)), 0..=0)
            }
            SYSCALL_ANY => (Syscall::Any, 1..=usize::MAX),
            SYSCALL_LIMIT => {
                let burst = Duration::from_nanos(number(PERIOD_NS)?);
                let count = u32::try_from(number(COUNT)?).map_err(|_| self.bad(node, "its count is too large"))?;
                (Syscall::Limit { pause: burst / count, burst }, 1..=1)
            }
            SYSCALL_EMIT => (Syscall::Emit(topic()?), 1..=1),
            SYSCALL_METRIC => (Syscall::Metric(topic()?), 1..=1),
            _ => return Ok(None),
        };
        if !inputs.contains(&bb_ir::views::data_inputs(node).len()) || node.output.len() != 1 {
            return Err(self.bad(node, "it has other inputs or outputs than its op"));
        }
        Ok(Some(syscall))
    }
}
