//! A client: a node with a key of its own and one shard.

use crate::data::Data;
use crate::graph::round;
use crate::hostile::Member;
use crate::options::{Local, Shard};
use crate::report::say;
use crate::server::Failure;
use crate::split::Split;
use crate::trainer::Sgd;
use bb::Node;
use bb::node::{Builder, Event, NodeEvent, Parting};
use std::path::PathBuf;

pub type Client = Node<round::Client<Member>>;

/// Starts a client of this shard.
pub async fn start(builder: Builder, shard: Shard, hostile: bool, local: &Local) -> Result<Client, Failure> {
    let data = Data::load(local.data.as_ref())?;
    let mut split = Split::new(&data, local.seed, local.alpha, shard.of);
    let own = split.shards.swap_remove(shard.number - 1);
    let trainer = Sgd::new(own, local.epochs, local.seed, shard.number);
    let trainer = if hostile { Member::hostile(trainer, shard.number) } else { Member::honest(trainer) };
    Ok(builder.start(round::Client { trainer }).await?)
}

/// A client in a process of its own: until the server is gone.
pub async fn run(dial: &str, shard: Shard, key: Option<PathBuf>, hostile: bool, local: &Local) -> Result<(), Failure> {
    let key = match key {
        Some(key) => key,
        None => default_key(shard)?,
    };
    let client = start(Node::builder().dial(dial).key_file(key), shard, hostile, local).await?;
    say(&format!("client {} with shard {}/{}", client.peer_id(), shard.number, shard.of));
    let mut events = client.events();
    while let Some(event) = events.next().await {
        match event {
            Event::Node(NodeEvent::Disconnected { how: Parting::Goodbye, .. }) => break,
            Event::Node(NodeEvent::Disconnected { .. }) => say("the server is away: waiting for it"),
            Event::Node(NodeEvent::DialFailed { address, reason, again_in }) => {
                say(&format!("cannot reach {address}: {reason}; again in {:.1} s", again_in.as_secs_f64()));
            }
            _ => {}
        }
    }
    say("the server has ended");
    client.shutdown().await;
    Ok(())
}

/// One file per shard, so that a client that starts again is the same peer.
fn default_key(shard: Shard) -> Result<PathBuf, Failure> {
    let dirs = directories::ProjectDirs::from("", "", "federated-digits");
    let dirs = dirs.ok_or("this platform names no data directory\n  help: say where the key is: --key FILE")?;
    let dir = dirs.data_dir();
    std::fs::create_dir_all(dir)
        .map_err(|e| format!("cannot make {}: {e}\n  help: say where the key is: --key FILE", dir.display()))?;
    Ok(dir.join(format!("shard-{}-of-{}.key", shard.number, shard.of)))
}
