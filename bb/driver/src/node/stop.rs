//! The end of a node: nothing new is taken, what is queued goes out, connections close.

use super::run::STEPS_PER_TURN;
use super::{Inbox, Node};
use crate::error::CallError;
use crate::plane::What;
use bb_engine::Input;
use futures::StreamExt;
use std::time::Duration;

/// How long what is queued may take to go out, and peers to have read it.
const STOP_WITHIN: Duration = Duration::from_secs(1);

impl Node {
    pub(super) async fn stop(mut self, mut inbox: Inbox) {
        inbox.orders.close();
        for listener in std::mem::take(&mut self.listeners) {
            self.swarm.remove_listener(listener);
        }
        for (call, reply) in std::mem::take(&mut self.calls) {
            if self.keeper.is_none() {
                self.tell(Input::Drop { call });
            }
            // The caller may be gone as well.
            let _ = reply.send(Err(CallError::Stopped));
        }
        self.settle_all();
        self.keep();
        while self.is_keeping()
            && let Some(kept) = inbox.kept.recv().await
        {
            self.on_kept(kept);
            self.settle_all();
        }
        self.peers.unlink();
        // A peer closes a connection when it has read the goodbye on it: closing it here could lose what it has not read.
        if tokio::time::timeout(STOP_WITHIN, self.goodbyes(&mut inbox)).await.is_err() {
            tracing::debug!("some peers did not close their connections in time");
        }
        self.readers.shutdown().await;
        self.writers.shutdown().await;
    }

    fn settle_all(&mut self) {
        while self.settle() == STEPS_PER_TURN {}
    }

    /// Until everything is written and all connections are closed.
    async fn goodbyes(&mut self, inbox: &mut Inbox) {
        while self.swarm.network_info().num_peers() > 0 || !self.writers.is_empty() {
            tokio::select! {
                Some(_) = self.writers.join_next() => {}
                Some(incoming) = inbox.incoming.recv() => {
                    if let What::Ended(_) = incoming.what {
                        self.swarm.close_connection(incoming.connection);
                    }
                }
                _ = self.swarm.select_next_some() => {}
            }
        }
    }
}
