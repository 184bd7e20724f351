//! Where arrows run in the gutters between rows.

use super::{Item, ItemIx, Layout, MARGIN, Picture, Plan, Point, Rect, TITLE_HEIGHT};

/// What is free between two arrows that run side by side.
const TRACK: i32 = 7;
/// What is free between a row and the first of them.
const CLEAR: i32 = 10;

/// From an item of one row to one of the next.
struct Step {
    arrow: usize,
    /// The item above, and the one below.
    ends: [ItemIx; 2],
    /// Where it leaves the one and reaches the other.
    x: [i32; 2],
    track: usize,
}

pub fn draw(plan: &Plan, picture: &Picture, columns: &[(i32, i32)]) -> Layout {
    let mut gutters = steps(plan);
    ports(plan, &mut gutters);
    let mut y = MARGIN + TITLE_HEIGHT;
    let mut tops = Vec::with_capacity(plan.rows.len());
    let mut bottoms = Vec::with_capacity(plan.rows.len());
    for (row, steps) in plan.rows.iter().zip(&mut gutters) {
        let height = row.iter().map(|item| plan.items[*item].height).max().unwrap_or(0);
        tops.push(y);
        bottoms.push(y + height);
        let tracks = i32::try_from(assign(steps)).unwrap_or(i32::MAX / 16);
        y += height + 2 * CLEAR + tracks * TRACK;
    }
    let height = y + MARGIN;
    let rect = |item: &Item| Rect { x: item.x, y: tops[item.row], width: item.width, height: item.height };
    let mut lines = vec![Vec::new(); picture.arrows.len()];
    // Steps of one arrow lie in gutters from above to below.
    for (gutter, steps) in gutters.iter().enumerate() {
        for step in steps {
            let line: &mut Vec<Point> = &mut lines[step.arrow];
            let [from, to] = step.ends.map(|end| rect(&plan.items[end]));
            let track = bottoms[gutter] + CLEAR + i32::try_from(step.track).unwrap_or(0) * TRACK;
            line.push(Point { x: step.x[0], y: from.bottom() });
            if step.x[0] != step.x[1] {
                line.push(Point { x: step.x[0], y: track });
                line.push(Point { x: step.x[1], y: track });
            }
            line.push(Point { x: step.x[1], y: to.y });
        }
    }
    let peer = |n: usize| Rect { x: columns[2 * n].0, y: MARGIN, width: columns[2 * n].1, height: y - MARGIN };
    Layout {
        width: columns.last().map_or(0, |(left, width)| left + width) + MARGIN,
        height,
        peers: (0..picture.peers.len()).map(peer).collect(),
        ops: plan.items[..picture.ops.len()].iter().map(rect).collect(),
        labels: plan.labels.iter().map(|label| label.map_or(Rect::default(), |item| rect(&plan.items[item]))).collect(),
        lines,
    }
}

/// By row: the steps that leave it.
fn steps(plan: &Plan) -> Vec<Vec<Step>> {
    let mut gutters: Vec<Vec<Step>> = plan.rows.iter().map(|_| Vec::new()).collect();
    for (arrow, path) in plan.paths.iter().enumerate() {
        for step in path.windows(2) {
            let x = [step[0], step[1]].map(|end| plan.items[end].x + plan.items[end].width / 2);
            gutters[plan.items[step[0]].row].push(Step { arrow, ends: [step[0], step[1]], x, track: 0 });
        }
    }
    gutters
}

/// Spreads the arrows at an item's edge over its width, in the order of where they come from or go to.
fn ports(plan: &Plan, gutters: &mut [Vec<Step>]) {
    for steps in gutters {
        for side in [0, 1] {
            let mut order: Vec<usize> = (0..steps.len()).collect();
            order.sort_by_key(|n| (steps[*n].ends[side], steps[*n].x[1 - side], *n));
            let mut rest = order.as_slice();
            while let Some(first) = rest.first() {
                let end = steps[*first].ends[side];
                let count = rest.iter().take_while(|n| steps[**n].ends[side] == end).count();
                let (here, others) = rest.split_at(count);
                let item = &plan.items[end];
                for (n, step) in (1..).zip(here) {
                    steps[*step].x[side] = item.x + item.width * n / (i32::try_from(count).unwrap_or(i32::MAX - 1) + 1);
                }
                rest = others;
            }
        }
    }
}

/// Arrows whose ways overlap run on different tracks. Answers how many tracks there are.
fn assign(steps: &mut [Step]) -> usize {
    let span = |step: &Step| (step.x[0].min(step.x[1]), step.x[0].max(step.x[1]));
    let mut order: Vec<usize> = (0..steps.len()).filter(|n| steps[*n].x[0] != steps[*n].x[1]).collect();
    order.sort_by_key(|n| (span(&steps[*n]), *n));
    // By track: where the last arrow on it ends.
    let mut ends: Vec<i32> = Vec::new();
    for n in order {
        let (from, to) = span(&steps[n]);
        let track = ends.iter().position(|end| *end < from).unwrap_or(ends.len());
        if track == ends.len() {
            ends.push(to);
        } else {
            ends[track] = to;
        }
        steps[n].track = track;
    }
    ends.len()
}
