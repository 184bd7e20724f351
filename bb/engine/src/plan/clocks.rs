//! From which Sends on the time of a gather counts (SEMANTICS 1.7).

use super::{Clock, LanesIx, LanesPlan, NodeIx, NodeKind, NodePlan, RecvPlan};
use rustc_hash::FxHashMap;

/// Numbers the Sends that a gather waits behind, and tells each what it starts. Gives how many of them run outside of
/// lanes.
pub fn clocks(nodes: &mut [NodePlan], lanes: &mut [LanesPlan], recvs: &[RecvPlan]) -> u32 {
    let sends: FxHashMap<u64, NodeIx> = (0u32..)
        .zip(nodes.iter())
        .filter_map(|(i, node)| match &node.kind {
            NodeKind::Send(send) => Some((send.wire, NodeIx(i))),
            _ => None,
        })
        .collect();
    let mut in_frame = 0;
    for of in 0..lanes.len() {
        // What a lane's return waits for, and, where that is a Send in lanes, what those lanes wait for.
        let mut behind = vec![LanesIx(of as u32)];
        let mut next = 0;
        while let Some(ix) = behind.get(next).copied() {
            next += 1;
            let awaited = &recvs[lanes[ix.0 as usize].recv.0 as usize].awaits;
            for node in awaited.iter().filter_map(|wire| sends.get(wire)) {
                let around = nodes[node.0 as usize].lanes.map(|(lanes, _)| lanes);
                let NodeKind::Send(send) = &mut nodes[node.0 as usize].kind else { continue };
                let count = around.map_or(&mut in_frame, |l| &mut lanes[l.0 as usize].starts);
                let number = *send.starts.get_or_insert_with(|| {
                    *count += 1;
                    *count - 1
                });
                let clock = around.map_or(Clock::Frame(number), |l| Clock::Lane(l, number));
                let plan = &mut lanes[of];
                if !plan.clock.contains(&clock) {
                    plan.clock.push(clock);
                    send.clocks.extend(&plan.gathers);
                }
                if let Some(around) = around.filter(|l| !behind.contains(l)) {
                    behind.push(around);
                }
            }
        }
    }
    in_frame
}
