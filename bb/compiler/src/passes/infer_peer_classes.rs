//! Finds out where everything lives and what every peer value points at.
//!
//! *Needs* `type_solver`, and `inline_for_partition`: a place is one of the whole program. *Makes* `home_class`, `place`
//! and `lane` on the root's nodes, `home_class` on a bootstrap's, `peer_class` on peer values and the model's table of places; constants and `origin`
//! stand wherever they are used, once per place. *Keeps* everything else.
//!
//! A place is a class and an anchor: `entry`, or the peer value that was sent to, traced through `Identity` and wires
//! to where it was made. So two peers of one class are two places, and one peer value that travelled is one.

pub(super) mod bootstrap;
mod places;
mod refusals;
mod sends;
mod settle;
mod targets;
mod walk;

pub use places::{Kind, Place, PlaceIx, Places};

use crate::error::PassError;
use bb_ir::bindings::is_bootstrap;
use bb_ir::proto::onnx::ModelProto;
use settle::Settled;

const PASS: &str = "infer_peer_classes";

/// Places the root's nodes, or says what cannot be placed.
pub fn infer_peer_classes(mut model: ModelProto) -> Result<ModelProto, PassError> {
    let mut faults = Vec::new();
    for function in model.functions.iter_mut().filter(|f| is_bootstrap(f)) {
        bootstrap::settle(function, &mut faults);
    }
    if let Some((placement, index)) = walk::place(&model, &mut faults)
        && faults.is_empty()
    {
        Settled::of(&index, &placement).write(&mut model);
    }
    PassError::unless(PASS, faults, model)
}
