//! What handles want.

use super::install::install;
use super::{Node, Waiter};
use crate::builder::Hosted;
use crate::handle::Order;
use bb_engine::{CallId, Input, InstallError, Installed};
use std::collections::BTreeSet;
use std::sync::PoisonError;

impl Node {
    pub(super) fn on_order(&mut self, order: Order) {
        match order {
            Order::Call { call, graph, args, budget, reply } => {
                // The caller may have gone before the order came.
                if !reply.is_closed() {
                    self.calls.insert(call, reply);
                    self.tell(Input::Call { call, graph, args, budget });
                }
            }
            Order::WaitFor { class, count, reply } => {
                self.waiters.push(Waiter { class, count, reply });
                self.check_waiters();
            }
            Order::Dial(address) => self.want(address),
            Order::Install(hosted, reply) => {
                // Whoever asked may have gone; what is hosted stays.
                let _ = reply.send(self.install(hosted));
            }
            Order::Stage(graph, name, args, reply) => {
                // Whoever asked may have gone; what is staged stays.
                let _ = reply.send(self.engine.stage(graph, &name, args));
            }
            Order::Usage(reply) => {
                self.settle();
                // Whoever asked may have gone.
                let _ = reply.send((self.engine.usage(), self.engine.counters()));
            }
            Order::Addresses(reply) => {
                // Whoever asked may have gone.
                let _ = reply.send(self.book.counters());
            }
            Order::Standing(peer, standing) => self.tell(Input::Standing { peer, standing }),
            Order::Shutdown(_) => unreachable!("the loop ends with it"),
        }
    }

    fn install(&mut self, hosted: Hosted) -> Result<Installed, InstallError> {
        let installed = install(&mut self.engine, &mut self.components, hosted)?;
        self.graphs.push(installed.clone());
        self.see(|s| s.graphs.push(installed.clone()));
        self.say_hello();
        Ok(installed)
    }

    pub(super) fn drop_call(&mut self, call: CallId) {
        if self.calls.remove(&call).is_some() {
            self.tell(Input::Drop { call });
        }
    }

    pub(super) fn check_waiters(&mut self) {
        if self.waiters.is_empty() {
            return;
        }
        // Whoever is told that there are so many sees as many.
        let seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let there = |w: &mut Waiter| seen.members.get(&w.class).map_or(0, BTreeSet::len) >= w.count;
        for waiter in self.waiters.extract_if(.., there) {
            // Whoever waited may have gone.
            let _ = waiter.reply.send(());
        }
        self.waiters.retain(|w| !w.reply.is_closed());
    }
}
