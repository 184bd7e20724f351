use bb::prelude::*;
use ui_tests::*;
pub fn f(back: On<Server, Gathered<Tensor>>, w: On<Server, Tensor>) -> On<Server, Tensor> {
    let mut kept = None;
    let _ = back.each(|x| { let y = x * w; kept = Some(y); y });
    w + kept.unwrap()
}
fn main() {}
