use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::role]
pub trait Table {
    fn row(&mut self, of: Tensor) -> Tensor<AnyElement>;
}

#[bb::module]
pub fn two_types(x: On<Server, Tensor>, table: TableAt<Server>) -> (On<Server, Tensor<f32>>, On<Server, Tensor<i64>>) {
    let row = table.row(x).narrow::<f32>();
    (row, row.cast::<i64>())
}
