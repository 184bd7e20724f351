use bb::prelude::*;
use ui_tests::*;
pub fn f(selector: PeerSelectorAt<Server, Client>, known: On<Server, Peers<Node>>) {
    let _ = selector.select(known);
}
fn main() {}
