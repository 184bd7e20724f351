//! Which row everything stands in.

use super::{Item, Plan};

/// The room that an arrow takes where it passes a row.
const SLOT_WIDTH: i32 = 10;

/// Every item stands below all that lead to it; what nothing leads to, right above the first that it leads to.
pub fn assign(plan: &mut Plan) {
    let count = plan.items.len();
    let steps: Vec<(usize, usize)> = plan.paths.iter().flat_map(|path| path.windows(2).map(|w| (w[0], w[1]))).collect();
    let mut next = vec![Vec::new(); count];
    let mut open = vec![0_u32; count];
    for (from, to) in &steps {
        next[*from].push(*to);
        open[*to] += 1;
    }
    let sources: Vec<usize> = (0..count).filter(|item| open[*item] == 0).collect();
    let mut ready = sources.clone();
    while let Some(item) = ready.pop() {
        for to in &next[item] {
            plan.items[*to].row = plan.items[*to].row.max(plan.items[item].row + 1);
            open[*to] -= 1;
            if open[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    for item in sources {
        let first = next[item].iter().map(|to| plan.items[*to].row).min();
        plan.items[item].row = first.map_or(0, |row| row.saturating_sub(1));
    }
}

/// An arrow that passes rows gets a slot in each, in the column that it is bound for.
pub fn pass_slots(plan: &mut Plan) {
    for path in &mut plan.paths {
        let mut over = vec![path[0]];
        for step in path.windows(2) {
            let (from, to) = (plan.items[step[0]].row, plan.items[step[1]].row);
            let column = plan.items[step[1]].column;
            for row in from + 1..to {
                plan.items.push(Item { column, row, width: SLOT_WIDTH, height: 0, x: 0 });
                over.push(plan.items.len() - 1);
            }
            over.push(step[1]);
        }
        *path = over;
    }
    let rows = plan.items.iter().map(|item| item.row + 1).max().unwrap_or(0);
    plan.rows = vec![Vec::new(); rows];
    for (ix, item) in plan.items.iter().enumerate() {
        plan.rows[item.row].push(ix);
    }
}
