//! The server and every client in one process, each a node with a key that follows from the seed.

use crate::client::{self, Client};
use crate::options::{Run, Shard};
use crate::server::{Failure, Server};
use bb::Node;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Nodes that have started.
pub struct Together {
    server: Server,
    clients: Vec<Client>,
}

impl Together {
    /// Starts them; of the clients the last ones are hostile.
    pub async fn start(run: &Run, hostile: u32) -> Result<Self, Failure> {
        let key = |node: u64| {
            let mut key = [0; 32];
            ChaCha8Rng::seed_from_u64(run.local.seed.wrapping_mul(1 << 20).wrapping_add(node)).fill_bytes(&mut key);
            key
        };
        let builder = Node::builder().listen("/ip4/127.0.0.1/tcp/0").seed(key(0));
        let server = Server::start(builder, run.clone()).await?;
        let address = server.address().ok_or("the server listens nowhere")?;
        let mut clients = Vec::new();
        for number in 1..=run.clients {
            let shard = Shard { number: number as usize, of: run.clients as usize };
            let builder = Node::builder().dial(&address).seed(key(number.into()));
            let hostile = number + hostile > run.clients;
            clients.push(client::start(builder, shard, hostile, &run.local).await?);
        }
        Ok(Together { server, clients })
    }
    /// Every round, told as it goes.
    pub async fn train(self) -> Result<(), Failure> {
        self.server.train().await?;
        end(self.clients).await;
        Ok(())
    }
    /// Every round in silence, and how good the model is in the end.
    pub async fn accuracy(self) -> Result<f64, Failure> {
        let accuracy = self.server.accuracy().await;
        end(self.clients).await;
        accuracy
    }
}

async fn end(clients: Vec<Client>) {
    for client in clients {
        client.shutdown().await;
    }
}
