//! Who reads a site: what fires when it is filled, and where its value may move.

use super::{Filler, LanesPlan, NodeIx, NodeKind, NodePlan, RecvPlan, SiteIx, SitePlan, Storage};
use rustc_hash::FxHashSet;

/// Per site, the nodes that wait for it, in compressed rows.
pub fn successors(sites: usize, nodes: &[NodePlan]) -> (Vec<u32>, Vec<NodeIx>) {
    let mut first = vec![0u32; sites + 1];
    for site in nodes.iter().flat_map(|n| &n.waits_for) {
        first[site.0 as usize + 1] += 1;
    }
    for i in 0..sites {
        first[i + 1] += first[i];
    }
    let mut next = first.clone();
    let mut all = vec![NodeIx(0); first[sites] as usize];
    for (i, node) in nodes.iter().enumerate() {
        for site in &node.waits_for {
            let at = &mut next[site.0 as usize];
            all[*at as usize] = NodeIx(i as u32);
            *at += 1;
        }
    }
    (first, all)
}

/// Who sent a wire's values is not written down where nothing asks. In lanes it is: a gather may.
pub fn senders_read(recvs: &mut [RecvPlan], sites: &[SitePlan], first: &[u32]) {
    let named: FxHashSet<SiteIx> = fillers_named(recvs).collect();
    for recv in recvs {
        let (at, site) = (recv.sender.0 as usize, &sites[recv.sender.0 as usize]);
        let waited_for = first[at] < first[at + 1];
        let in_frame = site.storage == Storage::Frame;
        recv.sender_read = waited_for || !in_frame || site.output.is_some() || named.contains(&recv.sender);
    }
}
/// Sites that are looked at when a message comes, to know who may fill a Recv.
fn fillers_named(recvs: &[RecvPlan]) -> impl Iterator<Item = SiteIx> {
    recvs.iter().filter_map(|r| match r.filler {
        Filler::Named(site) => Some(site),
        _ => None,
    })
}

/// A value moves to its reader where that is the only one, and reads it once, and nobody else keeps it.
pub fn last_uses(
    nodes: &mut [NodePlan],
    sites: &[SitePlan],
    first: &[u32],
    consumers: &[NodeIx],
    lanes: &[LanesPlan],
    recvs: &[RecvPlan],
) {
    let mut kept: FxHashSet<SiteIx> = lanes.iter().map(|l| l.cohort).collect();
    kept.extend(fillers_named(recvs));
    for lane in lanes {
        for gather in &lane.gathers {
            if let NodeKind::Gather(g) = &nodes[gather.0 as usize].kind {
                kept.extend(g.values.iter().map(|v| lane.sites[*v as usize]));
            }
        }
    }
    for node in nodes {
        let in_lane = node.lanes.is_some();
        for i in 0..node.inputs.len() {
            let Some(site) = node.inputs[i] else { continue };
            let s = site.0 as usize;
            let readers = &consumers[first[s] as usize..first[s + 1] as usize];
            let once = node.inputs.iter().filter(|o| **o == Some(site)).count() == 1;
            // A value of the frame is read by every lane.
            let shared = in_lane && sites[s].storage == Storage::Frame;
            let read_again = match &node.kind {
                NodeKind::Send(_) | NodeKind::Gather(_) => true,
                NodeKind::Syscall(syscall) => syscall.looks(),
                _ => false,
            };
            node.moves[i] = readers.len() == 1
                && once
                && !shared
                && !read_again
                && !kept.contains(&site)
                && sites[s].output.is_none();
        }
    }
}

/// A kernel is plain that reads and writes values of the frame alone: no output of the program, no cohort, no op in lanes.
pub fn plain(nodes: &mut [NodePlan], sites: &[SitePlan], first: &[u32], consumers: &[NodeIx], lanes: &[LanesPlan]) {
    let of_frame = |site: &SiteIx| sites[site.0 as usize].storage == Storage::Frame;
    let apart = |site: &SiteIx| {
        let s = site.0 as usize;
        let readers = &consumers[first[s] as usize..first[s + 1] as usize];
        of_frame(site)
            && sites[s].output.is_none()
            && !sites[s].ty.is_cohort()
            && lanes.iter().all(|l| l.cohort != *site)
            && readers.iter().all(|reader| nodes[reader.0 as usize].lanes.is_none())
    };
    let plain: Vec<bool> = nodes
        .iter()
        .map(|node| {
            let kernel = matches!(node.kind, NodeKind::Kernel(_)) && node.lanes.is_none();
            kernel && node.inputs.iter().flatten().all(of_frame) && node.outputs.iter().all(apart)
        })
        .collect();
    nodes.iter_mut().zip(plain).for_each(|(node, plain)| node.plain = plain);
}
