//! Where everything of a picture stands.
//!
//! Peers are columns, and between them runs the network, where a wire's label stands. Ops stand in rows, each below
//! all it reads. Between two rows lies a gutter: arrows run sideways there and nowhere else, and straight down through
//! a free slot of every row they pass, so that no arrow crosses a box.

mod columns;
mod order;
mod rows;
mod tracks;

use super::{Arrow, Picture, Way};

/// The width of a character of the drawing's monospaced font, in tenths of a pixel, rounded up.
pub const CHARACTER_WIDTH_TENTHS: i32 = 74;
/// The height of a line of text.
pub const LINE_HEIGHT: i32 = 16;
/// What is free between a text and its box.
pub const PADDING: i32 = 8;
/// The height of a peer's title.
pub const TITLE_HEIGHT: i32 = 28;
/// What is free around the whole.
pub const MARGIN: i32 = 16;

/// In pixels, from the top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

/// A box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

impl Rect {
    /// The first column behind it.
    pub fn right(&self) -> i32 {
        self.x + self.width
    }
    /// The first row below it.
    pub fn bottom(&self) -> i32 {
        self.y + self.height
    }
    /// Its middle.
    pub fn centre(&self) -> i32 {
        self.x + self.width / 2
    }
}

/// Where everything stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Of the whole.
    pub width: i32,
    /// Of the whole.
    pub height: i32,
    /// By peer.
    pub peers: Vec<Rect>,
    /// By op.
    pub ops: Vec<Rect>,
    /// By arrow; empty boxes for those that have no label.
    pub labels: Vec<Rect>,
    /// By arrow: the corners of its line.
    pub lines: Vec<Vec<Point>>,
}

/// How wide a text is at most. What is not Latin may be twice as wide.
pub fn text_width(text: &str) -> i32 {
    let cells: usize = text.chars().map(|c| if u32::from(c) < 0x1100 || c == '…' { 1 } else { 2 }).sum();
    (i32::try_from(cells).unwrap_or(i32::MAX / 200) * CHARACTER_WIDTH_TENTHS + 9) / 10
}

/// A number into [`Plan::items`].
type ItemIx = usize;

/// What takes room in a row: an op, a wire's label, or a slot for an arrow that passes.
struct Item {
    /// Even: a peer's; odd: the network to the right of it.
    column: usize,
    row: usize,
    width: i32,
    height: i32,
    x: i32,
}

/// A layout in the making.
struct Plan {
    items: Vec<Item>,
    /// By arrow: the items that it leads over, both ends included.
    paths: Vec<Vec<ItemIx>>,
    /// By arrow: the item of its label.
    labels: Vec<Option<ItemIx>>,
    /// By row, from left to right.
    rows: Vec<Vec<ItemIx>>,
}

/// Lays a picture out.
pub fn lay_out(picture: &Picture) -> Layout {
    let mut plan = Plan::of(picture);
    rows::assign(&mut plan);
    rows::pass_slots(&mut plan);
    order::settle(&mut plan);
    let columns = columns::place(&mut plan, picture);
    tracks::draw(&plan, picture, &columns)
}

impl Plan {
    fn of(picture: &Picture) -> Self {
        let mut items: Vec<Item> = picture
            .ops
            .iter()
            .map(|op| {
                let lines = if op.detail.is_empty() { 1 } else { 2 };
                let width = text_width(&op.name).max(text_width(&op.detail)) + 2 * PADDING;
                Item { column: 2 * op.peer.0, row: 0, width, height: lines * LINE_HEIGHT + PADDING, x: 0 }
            })
            .collect();
        let mut labels = Vec::with_capacity(picture.arrows.len());
        let mut paths = Vec::with_capacity(picture.arrows.len());
        for Arrow { from, to, way } in &picture.arrows {
            let (a, b) = (picture.ops[from.0].peer.0, picture.ops[to.0].peer.0);
            let label = match way {
                Way::Wire(text) => {
                    // Beside the peer that it arrives at, on the side that it comes from.
                    let column = if a < b { 2 * b - 1 } else { 2 * b + 1 };
                    let width = text_width(text) + 2 * PADDING;
                    items.push(Item { column, row: 0, width, height: LINE_HEIGHT + PADDING, x: 0 });
                    Some(items.len() - 1)
                }
                Way::Value | Way::Waits => None,
            };
            paths.push([Some(from.0), label, Some(to.0)].into_iter().flatten().collect());
            labels.push(label);
        }
        Plan { items, paths, labels, rows: Vec::new() }
    }
}
