//! How wide columns are, and where in them items stand.

use super::{ItemIx, MARGIN, PADDING, Picture, Plan, text_width};

/// What is free between two items of a row.
const GAP: i32 = 14;
/// What is free between a peer's edge and its items.
const INSET: i32 = 14;
const SWEEPS: usize = 4;

/// Left edge and width of each column.
pub fn place(plan: &mut Plan, picture: &Picture) -> Vec<(i32, i32)> {
    let groups = groups(plan);
    let mut widths: Vec<i32> = (0..2 * picture.peers.len())
        .map(|column| match picture.peers.get(column / 2).filter(|_| column % 2 == 0) {
            Some(peer) => text_width(&peer.title) + 2 * PADDING,
            None => GAP,
        })
        .collect();
    for (column, items) in &groups {
        let total: i32 = items.iter().map(|item| plan.items[*item].width + GAP).sum();
        widths[*column] = widths[*column].max(total - GAP + 2 * INSET);
    }
    let mut left = MARGIN;
    let mut columns = Vec::with_capacity(widths.len());
    for width in widths {
        columns.push((left, width));
        left += width;
    }
    for (column, items) in &groups {
        pack(plan, items, columns[*column], |plan, item| {
            columns[*column].0 + (columns[*column].1 - plan.items[item].width) / 2
        });
    }
    straighten(plan, &groups, &columns);
    columns
}

/// The items of one row and one column, rows from above.
fn groups(plan: &Plan) -> Vec<(usize, Vec<ItemIx>)> {
    let mut groups: Vec<(usize, Vec<ItemIx>)> = Vec::new();
    for row in &plan.rows {
        let mut column = None;
        for item in row {
            let here = plan.items[*item].column;
            match groups.last_mut().filter(|_| column == Some(here)) {
                Some((_, group)) => group.push(*item),
                None => groups.push((here, vec![*item])),
            }
            column = Some(here);
        }
    }
    groups
}

/// Moves items below those that lead to them, then above those that they lead to, and so on.
fn straighten(plan: &mut Plan, groups: &[(usize, Vec<ItemIx>)], columns: &[(i32, i32)]) {
    let mut above = vec![Vec::new(); plan.items.len()];
    let mut below = vec![Vec::new(); plan.items.len()];
    for path in &plan.paths {
        for step in path.windows(2).filter(|step| plan.items[step[0]].column == plan.items[step[1]].column) {
            above[step[1]].push(step[0]);
            below[step[0]].push(step[1]);
        }
    }
    for sweep in 0..SWEEPS {
        let neighbours = if sweep % 2 == 0 { &above } else { &below };
        let wish = |plan: &Plan, item: ItemIx| {
            let centres = neighbours[item].iter().map(|n| plan.items[*n].x + plan.items[*n].width / 2);
            let count = i32::try_from(neighbours[item].len()).unwrap_or(i32::MAX);
            let mean = if count == 0 { None } else { Some(centres.sum::<i32>() / count) };
            mean.map_or(plan.items[item].x, |centre| centre - plan.items[item].width / 2)
        };
        let mut each = |(column, items): &(usize, Vec<ItemIx>)| pack(plan, items, columns[*column], wish);
        if sweep % 2 == 0 { groups.iter().for_each(&mut each) } else { groups.iter().rev().for_each(&mut each) }
    }
}

/// Puts items as near to where they wish to be as their order and the column allow.
fn pack(plan: &mut Plan, items: &[ItemIx], (left, width): (i32, i32), wish: impl Fn(&Plan, ItemIx) -> i32) {
    let mut least = left + INSET;
    for item in items {
        let x = wish(plan, *item).max(least);
        plan.items[*item].x = x;
        least = x + plan.items[*item].width + GAP;
    }
    let mut most = left + width - INSET;
    for item in items.iter().rev() {
        let width = plan.items[*item].width;
        plan.items[*item].x = plan.items[*item].x.min(most - width);
        most = plan.items[*item].x - GAP;
    }
}
