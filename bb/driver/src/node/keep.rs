//! A durable node: writes down what it holds before others see what came of it.

use super::Node;
use crate::components::Components;
use crate::durable::{Image, Store};
use crate::error::StartError;
use crate::event::Event;
use bb_engine::{CallId, ComponentId, Engine, GraphId, Installed, SlotInfo, Time};
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How soon a write that failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What a durable node has besides.
pub struct Keeper {
    store: Store,
    /// Where to tell that a checkpoint is written.
    kept: mpsc::UnboundedSender<Kept>,
    writing: bool,
    again: Option<Instant>,
}

/// A checkpoint that was written, or was not.
pub struct Kept {
    id: u64,
    written: io::Result<()>,
}

impl Keeper {
    /// Takes up what was written last; what is new is written before the node is seen by anyone. The calls that were
    /// not answered come back.
    pub fn start(
        store: Store,
        kept: mpsc::UnboundedSender<Kept>,
        now: Time,
        engine: &mut Engine,
        components: &mut Components,
        graphs: &[Installed],
    ) -> Result<(Self, Vec<(CallId, GraphId)>), StartError> {
        let calls = match store.read()? {
            Some(image) => {
                let calls = engine.restore(now, &image.engine).map_err(|e| store.refuse(e))?;
                for (slot, id) in needed_first(graphs) {
                    if let Some((_, state)) = image.components.iter().find(|(name, _)| *name == slot) {
                        let restored = components.restore(id, state);
                        restored.map_err(|e| store.refuse(format!("the component `{slot}` does not take it: {e}")))?;
                    }
                }
                calls
            }
            None => {
                let checkpoint = engine.checkpoint();
                let image = Image { engine: checkpoint.bytes, components: states(components, graphs) };
                store.writer()(&image).map_err(|e| store.refuse(e))?;
                engine.checkpoint_durable(checkpoint.id);
                Vec::new()
            }
        };
        Ok((Keeper { store, kept, writing: false, again: None }, calls))
    }
}

/// Every slot of a node, and its name in the file.
fn named(graphs: &[Installed]) -> impl Iterator<Item = (String, &SlotInfo)> {
    graphs.iter().flat_map(|g| g.slots.iter().map(|s| (format!("{}/{}/{}", g.program, g.class, s.name), s)))
}
fn slots(graphs: &[Installed]) -> impl Iterator<Item = (String, ComponentId)> {
    named(graphs).map(|(name, slot)| (name, slot.component))
}
/// What a component needs stands before it: while it takes up what it held, it may ask.
fn needed_first(graphs: &[Installed]) -> impl Iterator<Item = (String, ComponentId)> {
    let mut all: Vec<_> = named(graphs).collect();
    all.sort_by_key(|(_, slot)| slot.needs.len());
    all.into_iter().map(|(name, slot)| (name, slot.component))
}
fn states(components: &Components, graphs: &[Installed]) -> Vec<(String, bytes::Bytes)> {
    slots(graphs).filter_map(|(name, id)| Some((name, components.checkpoint(id)?.into()))).collect()
}

impl Node {
    /// Writes a checkpoint if something waits for one, and none is being written.
    pub(super) fn keep(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        let waits = keeper.again.is_some_and(|at| at > Instant::now());
        if keeper.writing || waits || !(self.engine.wants_checkpoint() || keeper.again.is_some()) {
            return;
        }
        (keeper.writing, keeper.again) = (true, None);
        let checkpoint = self.engine.checkpoint();
        let image = Image { engine: checkpoint.bytes, components: states(&self.components, &self.graphs) };
        let (write, kept) = (keeper.store.writer(), keeper.kept.clone());
        tokio::task::spawn_blocking(move || {
            // A node that is gone needs no answer.
            let _ = kept.send(Kept { id: checkpoint.id, written: write(&image) });
        });
    }

    pub(super) fn on_kept(&mut self, Kept { id, written }: Kept) {
        let Some(keeper) = &mut self.keeper else { return };
        keeper.writing = false;
        match written {
            Ok(()) => self.engine.checkpoint_durable(id),
            Err(error) => {
                // What it covers is in the next one as well.
                keeper.again = Some(Instant::now() + AGAIN_AFTER);
                self.publish(Event::CheckpointFailed { error: error.to_string() });
            }
        }
    }

    /// When a checkpoint is tried again.
    pub(super) fn keep_again(&self) -> Option<Instant> {
        self.keeper.as_ref()?.again
    }
    pub(super) fn is_keeping(&self) -> bool {
        self.keeper.as_ref().is_some_and(|k| k.writing)
    }
}
