//! Engines that are told anything, much of it nearly true.

use super::decisions::Decisions;
use super::world::World;

/// A row of decisions about what happens to three nodes.
pub fn engine(bytes: &[u8]) {
    let mut world = run(bytes);
    world.end();
}

/// The nodes after all that.
pub fn run(bytes: &[u8]) -> World {
    let mut decisions = Decisions(bytes);
    let mut world = World::new();
    if decisions.byte() % 4 > 0 {
        world.connect_all();
    }
    for _ in 0..200 {
        if decisions.is_empty() {
            break;
        }
        world.act(&mut decisions);
    }
    world
}
