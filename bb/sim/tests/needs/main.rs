//! Components that call those they need: what a program sees of it.
#![allow(missing_docs)]

#[path = "../asking/mod.rs"]
mod asking;
mod calls;
mod install;
mod order;

use asking::*;
use bb::__private::Accepts;
use bb::Compiled;
use bb::ir::component::Component;
use bb::prelude::*;
use bb_sim::{Host, World};

const MS: Duration = Duration::from_millis(1);

#[bb::role]
pub trait Memory {
    /// How many it keeps with this one.
    fn keep(&mut self, x: f32) -> Result<u64, OpError>;
    fn size(&mut self) -> u64;
}
#[bb::role]
pub trait Index {
    fn near(&mut self, x: f32) -> Result<f32, OpError>;
}
#[bb::role]
pub trait Model {
    fn predict(&mut self, x: f32) -> Result<f32, OpError>;
}

#[derive(Default)]
pub struct Heap(Vec<f32>);
#[bb::component]
impl Memory for Heap {
    fn keep(&mut self, x: f32) -> Result<u64, OpError> {
        assert!(x < 9.0, "{x} is too much");
        if x < 0.0 {
            return Err(OpError::new("less than nothing"));
        }
        self.0.push(x);
        Ok(self.0.len() as u64)
    }
    fn size(&mut self) -> u64 {
        self.0.len() as u64
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(self.0.iter().flat_map(|x| x.to_le_bytes()).collect())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        let number = |four: &[u8]| f32::from_le_bytes(four.try_into().expect("four"));
        self.0 = state.chunks_exact(4).map(number).collect();
        Ok(())
    }
}

/// `x`, and ten for each that its memory keeps.
#[derive(Default)]
pub struct Tree {
    memory: MemoryNeeded,
}
#[bb::component(needs(memory: Memory))]
impl Index for Tree {
    fn near(&mut self, x: f32) -> Result<f32, OpError> {
        Ok(x + 10.0 * self.memory.keep(x)? as f32)
    }
}

/// What its index says, and a hundred for each that it was asked.
#[derive(Default)]
pub struct Deep {
    index: IndexNeeded,
    asked: u8,
}
#[bb::component(needs(index: Index))]
impl Model for Deep {
    fn predict(&mut self, x: f32) -> Result<f32, OpError> {
        self.asked += 1;
        Ok(self.index.near(x)? + 100.0 * f32::from(self.asked))
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(vec![self.asked])
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        self.asked = state[0];
        Ok(())
    }
}

/// Has its memory itself.
#[derive(Default)]
pub struct Own {
    memory: MemoryNeeded,
    /// How many that kept when it was started again.
    seen: u64,
}
#[bb::component(needs(memory: Memory))]
impl Model for Own {
    fn predict(&mut self, x: f32) -> Result<f32, OpError> {
        Ok((self.memory.keep(x)? + 1000 * self.seen) as f32)
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(Vec::new())
    }
    fn restore(&mut self, _: &[u8]) -> Result<(), OpError> {
        self.seen = self.memory.size()?;
        Ok(())
    }
}

/// A memory that needs an index.
#[derive(Default)]
pub struct Sorted {
    index: IndexNeeded,
}
#[bb::component(needs(index: Index))]
impl Memory for Sorted {
    fn keep(&mut self, x: f32) -> Result<u64, OpError> {
        Ok(self.index.near(x)? as u64)
    }
    fn size(&mut self) -> u64 {
        0
    }
}

/// A model has an op; what it needs has none.
#[bb::module]
fn two_hops(_graph: &Graph, x: On<Asker, f32>) -> On<Asker, f32> {
    _ = IndexAt::<Asker>::concrete::<Tree>("index");
    _ = MemoryAt::<Asker>::concrete::<Heap>("memory");
    ModelAt::<Asker>::concrete::<Deep>("model").predict(x)
}
/// Slots, of which one has an op.
#[bb::module]
fn slots(
    _graph: &Graph,
    x: On<Asker, f32>,
    model: ModelAt<Asker>,
    index: IndexAt<Asker>,
    memory: MemoryAt<Asker>,
) -> On<Asker, f32> {
    _ = (index, memory);
    model.predict(x)
}
/// Two models share an index, and the program itself uses its memory.
#[bb::module]
fn shared(_graph: &Graph, x: On<Asker, f32>) -> (On<Asker, f32>, On<Asker, f32>, On<Asker, u64>) {
    _ = IndexAt::<Asker>::concrete::<Tree>("index");
    let memory = MemoryAt::<Asker>::concrete::<Heap>("memory");
    let [one, two] = ["one", "two"].map(ModelAt::<Asker>::concrete::<Deep>);
    (one.predict(x), two.predict(x), memory.keep(x))
}

fn host(program: &Compiled) -> Host {
    assert_eq!(program.diagnostics, []);
    Host::new(program.artifacts[0].bytes.clone())
}
fn alone(host: Host) -> World {
    let mut world = World::new(5, bb::kernels());
    world.add(vec![host]).expect("installs");
    world
}
fn boxed<R: ?Sized + Accepts<X>, X: Default>() -> Box<dyn Component> {
    R::component(X::default())
}
