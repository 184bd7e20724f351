use bb::prelude::*;
use ui_tests::*;
pub fn f(x: On<Server, Tensor>) {
    std::thread::spawn(move || x.relu());
}
fn main() {}
