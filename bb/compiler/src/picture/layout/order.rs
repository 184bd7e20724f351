//! In which order items stand in a row: each near the middle of those it is joined to, so that few arrows cross.

use super::{ItemIx, Plan};

const SWEEPS: usize = 6;

pub fn settle(plan: &mut Plan) {
    let mut above = vec![Vec::new(); plan.items.len()];
    let mut below = vec![Vec::new(); plan.items.len()];
    for path in &plan.paths {
        for step in path.windows(2) {
            above[step[1]].push(step[0]);
            below[step[0]].push(step[1]);
        }
    }
    let mut at = vec![0; plan.items.len()];
    for row in 0..plan.rows.len() {
        sort(plan, row, &mut at, &above);
    }
    for sweep in 0..SWEEPS {
        for step in 0..plan.rows.len() {
            match sweep % 2 {
                0 => sort(plan, plan.rows.len() - 1 - step, &mut at, &below),
                _ => sort(plan, step, &mut at, &above),
            }
        }
    }
}

/// Columns stay apart; in a column the mean of the neighbours decides, then what has been.
fn sort(plan: &mut Plan, row: usize, at: &mut [usize], neighbours: &[Vec<ItemIx>]) {
    let items = &plan.items;
    let mean = |item: ItemIx| {
        let all = &neighbours[item];
        // In hundredths, so that a mean is a whole number.
        let sum: usize = all.iter().map(|n| at[*n] * 100).sum();
        if all.is_empty() { at[item] * 100 } else { sum / all.len() }
    };
    let mut keyed: Vec<_> =
        plan.rows[row].iter().map(|item| (items[*item].column, mean(*item), at[*item], *item)).collect();
    keyed.sort_unstable();
    plan.rows[row] = keyed.into_iter().map(|(.., item)| item).collect();
    for (position, item) in plan.rows[row].iter().enumerate() {
        at[*item] = position;
    }
}
