//! Every op domain and op of bb's own, and the `ai.onnx` operators the language offers.

use crate::proto::onnx::NodeProto;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A row of the tables of domains and ops.
#[derive(Clone, Copy, Debug)]
pub struct OpRow {
    /// The domain; a prefix, where it ends in a dot.
    pub domain: &'static str,
    /// The op type; empty in the table of domains.
    pub name: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

macro_rules! domains { ($($(#[doc = $doc:literal])* $name:ident = $text:literal;)*) => {
    $($(#[doc = $doc])* pub const $name: &str = $text;)*
    /// Every domain.
    pub const DOMAINS: &[OpRow] = &[$(OpRow { domain: $text, name: "", meaning: concat!($($doc),*) }),*];
} }
domains! {
    /// ONNX's own operators.
    ONNX_DOMAIN = "";
    /// `Send`, `Recv` and `Gather`.
    WIRE_DOMAIN = "ai.bytesandbrains.wire";
    /// Calls of modules.
    MODULE_DOMAIN = "ai.bytesandbrains.module";
    /// What gates do.
    GATE_DOMAIN = "ai.bytesandbrains.gate";
    /// Ops the engine itself runs.
    SYSCALL_DOMAIN = "ai.bytesandbrains.syscall";
    /// Regions of `ai.onnx`, which a library for inference runs whole.
    BACKEND_DOMAIN = "ai.bytesandbrains.backend";
    /// `+ <Trait>` or `<crate>.<Trait>`: methods of roles.
    ROLE_DOMAIN_PREFIX = "ai.bytesandbrains.role.";
    /// `+ <crate>`: functions marked `#[bb::op]`.
    OP_DOMAIN_PREFIX = "ai.bytesandbrains.op.";
}

/// The domain of a crate's `#[bb::op]` functions, as a literal.
#[macro_export]
macro_rules! own_op_domain {
    ($package:literal) => {
        concat!("ai.bytesandbrains.op.", $package)
    };
}

macro_rules! own_ops { ($($(#[doc = $doc:literal])* $name:ident = $domain:ident / $text:literal;)*) => {
    $($(#[doc = $doc])* pub const $name: &str = $text;)*
    /// Every op of bb's own whose name is fixed.
    pub const OWN_OPS: &[OpRow] = &[$(OpRow { domain: $domain, name: $text, meaning: concat!($($doc),*) }),*];
} }
own_ops! {
    /// Half a wire: sends its payloads to a peer.
    OP_SEND = WIRE_DOMAIN / "Send";
    /// The other half: receives them.
    OP_RECV = WIRE_DOMAIN / "Recv";
    /// Closes the lanes of a wire from `Each` into sequences.
    OP_GATHER = WIRE_DOMAIN / "Gather";
    /// The peer that made the call.
    SYSCALL_ORIGIN = SYSCALL_DOMAIN / "origin";
    /// A constant; attribute `value`.
    SYSCALL_CONSTANT = SYSCALL_DOMAIN / "constant";
    /// The value as it is, under another name.
    SYSCALL_PASS_THROUGH = SYSCALL_DOMAIN / "pass_through";
    /// What the node's clock shows, in nanoseconds; fired by its control input.
    SYSCALL_CLOCK = SYSCALL_DOMAIN / "clock";
    /// A number drawn from the node's seed; fired by its control input.
    SYSCALL_RANDOM = SYSCALL_DOMAIN / "random";
    /// The first input, once as much time has passed as the second says.
    SYSCALL_AFTER = SYSCALL_DOMAIN / "after";
    /// The number of a tick: every `period_ns` a new execution starts, this node its origin.
    SYSCALL_INTERVAL = SYSCALL_DOMAIN / "interval";
    /// The first input that is there.
    SYSCALL_ANY = SYSCALL_DOMAIN / "any";
    /// The value, no more than `count` times in `period_ns` on a node.
    SYSCALL_LIMIT = SYSCALL_DOMAIN / "limit";
    /// Tells the host a value, under the name `topic`.
    SYSCALL_EMIT = SYSCALL_DOMAIN / "emit";
    /// Tells the host one number, under the name `topic`.
    SYSCALL_METRIC = SYSCALL_DOMAIN / "metric";
    /// Stops what has arrived before.
    GATE_DEDUP_RX = GATE_DOMAIN / "DedupGateRx";
    /// Stops what an unhealthy peer sends.
    GATE_PEER_HEALTH_RX = GATE_DOMAIN / "PeerHealthGateRx";
    /// Stops what arrives while its sender is to wait.
    GATE_BACKOFF_RX = GATE_DOMAIN / "BackoffGateRx";
    /// Stops what goes to an unhealthy peer.
    GATE_PEER_HEALTH_TX = GATE_DOMAIN / "PeerHealthGateTx";
    /// Stops what goes to a peer that is to be left alone.
    GATE_BACKOFF_TX = GATE_DOMAIN / "BackoffGateTx";
    /// Fires the node it protects while there is time left.
    GATE_DEADLINE_CHECK = GATE_DOMAIN / "DeadlineCheck";
}

/// The row of an op of bb's own whose name is fixed.
pub fn own_op(domain: &str, name: &str) -> Option<&'static OpRow> {
    OWN_OPS.iter().find(|row| row.domain == domain && row.name == name)
}

/// The attributes of the ops that the engine itself runs.
pub mod syscall {
    /// The name under which the host is told: a string.
    pub const TOPIC: &str = "topic";
    /// How often: an integer above 0.
    pub const COUNT: &str = "count";
    /// In which time, or how often in time: nanoseconds above 0.
    pub const PERIOD_NS: &str = "period_ns";
}

/// What a gather waits for: the attribute, its words, and the other attributes of `Gather`.
pub mod gather {
    /// The attribute that says what `need` means.
    pub const NEED_KIND: &str = "need_kind";
    /// Every member.
    pub const ALL: &str = "all";
    /// So many members.
    pub const COUNT: &str = "count";
    /// Such a part of the members, in (0, 1].
    pub const FRACTION: &str = "fraction";
    /// So many members, and then no longer.
    pub const FIRST: &str = "first";
    /// A constant `need`: an integer attribute for `count` and `first`, a float for `fraction`. Absent: the input.
    pub const NEED: &str = "need";
    /// A constant limit in nanoseconds. Inputs that constants replace are absent: after the wire's values (as many as
    /// there are outputs before `members` and `missing`) stand `need`, where it is an input, then the limit.
    pub const WITHIN_NS: &str = "within_ns";
}

/// One operator of `ai.onnx` that the language offers and every backend has to implement.
#[derive(Clone, Copy, Debug)]
pub struct OnnxOp {
    /// Its op type.
    pub name: &'static str,
    /// The fewest and the most inputs.
    pub inputs: (usize, usize),
    /// The fewest and the most outputs.
    pub outputs: (usize, usize),
    /// The first operator set in which it means what it means in bb's.
    pub since: i64,
}

macro_rules! onnx_ops { ($($name:ident $least:literal $most:tt $(gives $outputs:tt)? since $since:literal;)*) => {
    /// The operators of `ai.onnx`, opset 21, by name.
    pub const ONNX_OPS: &[OnnxOp] = &[$(OnnxOp {
        name: stringify!($name),
        inputs: ($least, onnx_ops!(@ $most)),
        outputs: (1, onnx_ops!(@ $($outputs)?)),
        since: $since,
    }),*];
}; (@) => { 1 }; (@ many) => { usize::MAX }; (@ $n:literal) => { $n } }
onnx_ops! {
    Abs 1 1 since 6;
    Add 2 2 since 7;
    And 2 2 since 7;
    ArgMax 1 1 since 1;
    ArgMin 1 1 since 1;
    AveragePool 1 1 since 7;
    BatchNormalization 5 5 since 9;
    Cast 1 1 since 6;
    Ceil 1 1 since 6;
    Clip 1 3 since 11;
    Concat 1 many since 4;
    ConcatFromSequence 1 1 since 11;
    Constant 0 0 since 1;
    Conv 2 3 since 1;
    Div 2 2 since 7;
    Elu 1 1 since 6;
    Equal 2 2 since 7;
    Erf 1 1 since 9;
    Exp 1 1 since 6;
    Expand 2 2 since 8;
    Flatten 1 1 since 1;
    Floor 1 1 since 6;
    Gather 2 2 since 1;
    Gelu 1 1 since 20;
    Gemm 2 3 since 7;
    GlobalAveragePool 1 1 since 1;
    GlobalMaxPool 1 1 since 1;
    Greater 2 2 since 7;
    GreaterOrEqual 2 2 since 12;
    HardSigmoid 1 1 since 6;
    HardSwish 1 1 since 14;
    Identity 1 1 since 1;
    LayerNormalization 2 3 since 17;
    LeakyRelu 1 1 since 6;
    Less 2 2 since 7;
    LessOrEqual 2 2 since 12;
    Log 1 1 since 6;
    LogSoftmax 1 1 since 13;
    MatMul 2 2 since 1;
    Max 1 many since 8;
    MaxPool 1 1 since 1;
    Min 1 many since 8;
    Mul 2 2 since 7;
    Neg 1 1 since 6;
    Not 1 1 since 1;
    Or 2 2 since 7;
    Pad 2 4 since 11;
    Pow 2 2 since 7;
    ReduceL1 1 2 since 18;
    ReduceL2 1 2 since 18;
    ReduceLogSum 1 2 since 18;
    ReduceLogSumExp 1 2 since 18;
    ReduceMax 1 2 since 18;
    ReduceMean 1 2 since 18;
    ReduceMin 1 2 since 18;
    ReduceProd 1 2 since 18;
    ReduceSum 1 2 since 13;
    ReduceSumSquare 1 2 since 18;
    Relu 1 1 since 6;
    Reshape 2 2 since 5;
    SequenceAt 2 2 since 11;
    SequenceConstruct 1 many since 11;
    SequenceLength 1 1 since 11;
    Shape 1 1 since 1;
    Sigmoid 1 1 since 6;
    Slice 3 5 since 10;
    Softmax 1 1 since 13;
    Split 1 2 gives many since 13;
    Sqrt 1 1 since 6;
    Squeeze 1 2 since 13;
    Sub 2 2 since 7;
    Sum 1 many since 8;
    Tanh 1 1 since 6;
    Tile 2 2 since 6;
    Transpose 1 1 since 1;
    Unsqueeze 2 2 since 13;
    Where 3 3 since 9;
    Xor 2 2 since 7;
}

/// The row of an `ai.onnx` operator.
pub fn onnx_op(name: &str) -> Option<&'static OnnxOp> {
    static BY_NAME: LazyLock<FxHashMap<&str, &OnnxOp>> =
        LazyLock::new(|| ONNX_OPS.iter().map(|op| (op.name, op)).collect());
    BY_NAME.get(name).copied()
}

/// Whether a node is one of ONNX's own operators. They are asked most, so they are told by the length of their domain: a
/// comparison of nothing with nothing takes some processors longer than one of texts.
pub fn is_onnx(node: &NodeProto) -> bool {
    node.domain().is_empty()
}

/// The domains of these nodes.
pub fn domains(nodes: &[NodeProto]) -> BTreeSet<&str> {
    let mut used: BTreeSet<&str> = nodes.iter().map(NodeProto::domain).filter(|domain| !domain.is_empty()).collect();
    if nodes.iter().any(is_onnx) {
        used.insert(ONNX_DOMAIN);
    }
    used
}

/// The role a domain stands for: the part behind [`ROLE_DOMAIN_PREFIX`].
pub fn role_of_domain(domain: &str) -> Option<&str> {
    domain.strip_prefix(ROLE_DOMAIN_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(ONNX_OPS.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(onnx_op("MatMul").map(|op| op.inputs), Some((2, 2)));
        assert_eq!(onnx_op("Split").map(|op| op.outputs), Some((1, usize::MAX)));
        assert!(onnx_op("Loop").is_none());
    }
}
