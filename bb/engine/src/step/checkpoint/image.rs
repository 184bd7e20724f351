//! What a checkpoint holds, as it is written: protobuf, numbers append-only. Times are durations, since no clock survives.

use bytes::Bytes;
use prost::Message;

/// An engine.
#[derive(Clone, PartialEq, Message)]
pub struct Image {
    #[prost(bytes = "bytes", tag = "1")]
    pub peer: Bytes,
    #[prost(fixed64, tag = "2")]
    pub epoch: u64,
    /// The last execution's counter.
    #[prost(uint64, tag = "3")]
    pub counter: u64,
    #[prost(uint64, tag = "4")]
    pub next_command: u64,
    #[prost(message, repeated, tag = "5")]
    pub graphs: Vec<Graph>,
    #[prost(message, repeated, tag = "6")]
    pub frames: Vec<Frame>,
    #[prost(message, repeated, tag = "7")]
    pub ready: Vec<Ready>,
    #[prost(message, repeated, tag = "8")]
    pub peers: Vec<Peer>,
    #[prost(message, repeated, tag = "9")]
    pub ended: Vec<Ended>,
    #[prost(message, repeated, tag = "10")]
    pub calls: Vec<Call>,
    /// What the host was to be told, and may not have been.
    #[prost(message, repeated, tag = "11")]
    pub held: Vec<Held>,
    /// Messages to the node itself.
    #[prost(message, repeated, tag = "12")]
    pub loopback: Vec<Sent>,
    #[prost(message, repeated, tag = "13")]
    pub health: Vec<Health>,
    #[prost(bytes = "bytes", tag = "14")]
    pub random_seed: Bytes,
    #[prost(uint64, tag = "15")]
    pub random_position: u64,
    /// Where the numbers to the next new peer begin.
    #[prost(uint64, tag = "16")]
    pub begin: u64,
    /// Whether a peer was forgotten of whom something had its effect.
    #[prost(bool, tag = "17")]
    pub forgot: bool,
}

/// What the gates know of a peer; absent where that is nothing.
#[derive(Clone, PartialEq, Message)]
pub struct Health {
    /// Among `Image.peers`.
    #[prost(uint32, tag = "1")]
    pub peer: u32,
    /// 0 well, 1 cooling, 2 probing.
    #[prost(uint32, tag = "2")]
    pub state: u32,
    #[prost(uint64, tag = "3")]
    pub rest_ns: u64,
    #[prost(uint32, tag = "4")]
    pub failures: u32,
    #[prost(uint32, tag = "5")]
    pub cooled: u32,
    #[prost(uint32, tag = "6")]
    pub tx_failures: u32,
    #[prost(uint64, tag = "7")]
    pub tx_rest_ns: u64,
    #[prost(uint32, tag = "8")]
    pub rx_failures: u32,
    #[prost(uint64, tag = "9")]
    pub rx_rest_ns: u64,
}

/// An artifact that was installed.
#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    #[prost(bytes = "bytes", tag = "1")]
    pub digest: Bytes,
    #[prost(string, tag = "2")]
    pub class: String,
    /// 0 none or not begun, 1 running, 2 done. One that failed is to begin again.
    #[prost(uint32, tag = "3")]
    pub bootstrap: u32,
}

/// Which frame.
#[derive(Clone, PartialEq, Message)]
pub struct Key {
    #[prost(bytes = "bytes", tag = "1")]
    pub origin: Bytes,
    #[prost(fixed64, tag = "2")]
    pub epoch: u64,
    #[prost(uint64, tag = "3")]
    pub counter: u64,
    /// Among `Image.graphs`.
    #[prost(uint32, tag = "4")]
    pub graph: u32,
    #[prost(uint32, tag = "5")]
    pub place: u32,
    #[prost(uint32, tag = "6")]
    pub lane: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Frame {
    #[prost(message, required, tag = "1")]
    pub key: Key,
    #[prost(uint64, tag = "2")]
    pub rest_ns: u64,
    #[prost(uint64, optional, tag = "3")]
    pub call: Option<u64>,
    #[prost(message, repeated, tag = "4")]
    pub sites: Vec<Site>,
    #[prost(uint32, repeated, tag = "5")]
    pub pending: Vec<u32>,
    #[prost(message, repeated, tag = "6")]
    pub recvs: Vec<Recv>,
    #[prost(message, repeated, tag = "7")]
    pub lanes: Vec<Lanes>,
    /// 0 for what has not gone out, else how long ago, and one more.
    #[prost(uint64, repeated, tag = "8")]
    pub sent_ago: Vec<u64>,
    #[prost(message, repeated, tag = "9")]
    pub refused: Vec<Refused>,
    #[prost(message, repeated, tag = "10")]
    pub commands: Vec<Command>,
    #[prost(message, repeated, tag = "11")]
    pub parked: Vec<Parked>,
    /// Of the names of dimensions at its place: 0 for what is not known, else the size and one more.
    #[prost(uint64, repeated, tag = "12")]
    pub sizes: Vec<u64>,
}

/// An op that waits for a time, and how long.
#[derive(Clone, PartialEq, Message)]
pub struct Parked {
    #[prost(uint32, tag = "1")]
    pub node: u32,
    #[prost(uint32, optional, tag = "2")]
    pub lane: Option<u32>,
    #[prost(uint64, tag = "3")]
    pub rest_ns: u64,
}

/// 0 empty, 1 filled, 2 taken, 3 failed.
#[derive(Clone, PartialEq, Message)]
pub struct Site {
    #[prost(uint32, tag = "1")]
    pub state: u32,
    #[prost(message, optional, tag = "2")]
    pub value: Option<Value>,
    #[prost(message, optional, tag = "3")]
    pub cause: Option<Cause>,
}

/// 0 absent, 1 trigger, 2 tensor, 3 peer, 4 bytes, 5 sequence.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
    #[prost(message, repeated, tag = "3")]
    pub items: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Cause {
    #[prost(uint32, tag = "1")]
    pub code: u32,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(message, optional, tag = "3")]
    pub quorum: Option<Quorum>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Quorum {
    #[prost(uint64, tag = "1")]
    pub need: u64,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub arrived: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub missing: Vec<Bytes>,
    #[prost(uint32, repeated, tag = "4")]
    pub codes: Vec<u32>,
}

/// 0 waiting, 1 filled, 2 failed, 3 closed.
#[derive(Clone, PartialEq, Message)]
pub struct Recv {
    #[prost(uint32, tag = "1")]
    pub state: u32,
    #[prost(bytes = "bytes", tag = "2")]
    pub by: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub struct Lanes {
    #[prost(bool, tag = "1")]
    pub open: bool,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub members: Vec<Bytes>,
    #[prost(message, repeated, tag = "3")]
    pub lanes: Vec<Lane>,
    #[prost(message, repeated, tag = "4")]
    pub gathers: Vec<Gather>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Lane {
    #[prost(uint32, tag = "1")]
    pub recv: u32,
    #[prost(message, repeated, tag = "2")]
    pub sites: Vec<Site>,
    #[prost(uint32, repeated, tag = "3")]
    pub pending: Vec<u32>,
    #[prost(uint64, repeated, tag = "4")]
    pub sent_ago: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Gather {
    #[prost(uint64, optional, tag = "1")]
    pub need: Option<u64>,
    #[prost(bool, tag = "2")]
    pub first: bool,
    #[prost(uint64, optional, tag = "3")]
    pub within_ns: Option<u64>,
    /// How long it may have counted.
    #[prost(uint64, tag = "4")]
    pub within_ago: u64,
    #[prost(uint32, repeated, tag = "5")]
    pub left: Vec<u32>,
    /// 0 waiting, 1 arrived, else a failure's code and one more.
    #[prost(uint32, repeated, tag = "6")]
    pub members: Vec<u32>,
    #[prost(bool, tag = "7")]
    pub done: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct Refused {
    #[prost(uint32, tag = "1")]
    pub sender: u32,
    #[prost(uint32, optional, tag = "2")]
    pub lane: Option<u32>,
    #[prost(bytes = "bytes", tag = "3")]
    pub by: Bytes,
}

/// A method that ran: it runs again.
#[derive(Clone, PartialEq, Message)]
pub struct Command {
    #[prost(uint64, tag = "1")]
    pub number: u64,
    #[prost(uint32, tag = "2")]
    pub node: u32,
    #[prost(uint32, optional, tag = "3")]
    pub lane: Option<u32>,
    #[prost(message, repeated, tag = "4")]
    pub inputs: Vec<Value>,
}

/// An op that can fire.
#[derive(Clone, PartialEq, Message)]
pub struct Ready {
    /// Among `Image.frames`.
    #[prost(uint32, tag = "1")]
    pub frame: u32,
    #[prost(uint32, tag = "2")]
    pub node: u32,
    #[prost(uint32, optional, tag = "3")]
    pub lane: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Peer {
    #[prost(bytes = "bytes", tag = "1")]
    pub id: Bytes,
    #[prost(fixed64, optional, tag = "2")]
    pub epoch: Option<u64>,
    #[prost(uint64, tag = "3")]
    pub contiguous: u64,
    #[prost(uint64, repeated, tag = "4")]
    pub beyond: Vec<u64>,
    /// The number of the first in flight.
    #[prost(uint64, tag = "5")]
    pub first: u64,
    #[prost(message, repeated, tag = "6")]
    pub flight: Vec<Sent>,
    #[prost(uint64, tag = "7")]
    pub srtt_ns: u64,
    #[prost(uint64, tag = "8")]
    pub rttvar_ns: u64,
    #[prost(uint32, tag = "9")]
    pub samples: u32,
    #[prost(bytes = "bytes", repeated, tag = "10")]
    pub addresses: Vec<Bytes>,
    /// Nothing it said can have had an effect.
    #[prost(bool, tag = "11")]
    pub stranger: bool,
    /// For how long it has not been connected.
    #[prost(uint64, tag = "12")]
    pub gone_ns: u64,
    /// Of one that may have been forgotten and does not know that yet: the first number to it, else 0.
    #[prost(uint64, tag = "13")]
    pub unmet: u64,
}

impl Peer {
    /// Whether nothing of it is to be remembered but where it is.
    pub fn is_heard_of(&self) -> bool {
        let others = Peer { id: self.id.clone(), addresses: self.addresses.clone(), ..Peer::default() };
        *self == Peer { first: self.first.min(1), stranger: self.stranger, gone_ns: self.gone_ns, ..others }
    }
}

/// A message; without an envelope the number of one that was given up.
#[derive(Clone, PartialEq, Message)]
pub struct Sent {
    /// Among `Image.frames`; absent where it has ended.
    #[prost(uint32, optional, tag = "1")]
    pub frame: Option<u32>,
    #[prost(uint64, tag = "2")]
    pub wire: u64,
    #[prost(uint32, optional, tag = "3")]
    pub lane: Option<u32>,
    // 4 was the execution, which the envelope names.
    #[prost(uint64, tag = "5")]
    pub rest_ns: u64,
    #[prost(bytes = "bytes", tag = "6")]
    pub envelope: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub struct Ended {
    #[prost(message, required, tag = "1")]
    pub key: Key,
    #[prost(uint64, tag = "2")]
    pub rest_ns: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Call {
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// Among `Image.frames`.
    #[prost(uint32, tag = "2")]
    pub frame: u32,
    /// Absent ones are still to come.
    #[prost(message, repeated, tag = "3")]
    pub outputs: Vec<Output>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Output {
    #[prost(message, optional, tag = "1")]
    pub value: Option<Value>,
}

/// A call's answer, or an output that lives here.
#[derive(Clone, PartialEq, Message)]
pub struct Held {
    #[prost(uint64, optional, tag = "1")]
    pub call: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<Value>,
    #[prost(message, optional, tag = "3")]
    pub failed: Option<Cause>,
    /// What a call waited for whose budget ran out.
    #[prost(string, repeated, tag = "4")]
    pub waited_for: Vec<String>,
    #[prost(bool, tag = "5")]
    pub late: bool,
    /// Of an output: its number in its graph, and whose.
    #[prost(string, tag = "6")]
    pub topic: String,
    #[prost(message, optional, tag = "7")]
    pub execution: Option<Key>,
    /// Of a call: among `Image.graphs`.
    #[prost(uint32, tag = "8")]
    pub graph: u32,
}
