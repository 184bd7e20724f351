//! Three nodes classify handwritten digits with one model; beside what they say stands what the model says unsplit.

mod graph;
mod images;
#[cfg(test)]
mod tests;

use bb::{Node, Peer};
use bb_components as _;
use std::error::Error;

const LOOPBACK: &str = "/ip4/127.0.0.1/tcp/0";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let near = Node::builder().listen(LOOPBACK).start(graph::classify::Near).await?;
    let far = Node::builder().listen(LOOPBACK).start(graph::classify::Far).await?;
    let camera = Node::builder().listen(LOOPBACK).start(graph::classify::Camera).await?;
    let whole = camera.install(graph::unsplit::Camera).await?;
    for address in near.addresses().iter().chain(&far.addresses()) {
        camera.dial(address).await?;
    }
    camera.wait_for::<graph::Near>(1).await;
    camera.wait_for::<graph::Far>(1).await;

    println!("written  split  unsplit  largest difference");
    let mut largest = 0f32;
    for (image, digit) in images::all().into_iter().take(10) {
        let peers = (Peer::of(near.peer_id().clone()), Peer::of(far.peer_id().clone()));
        let split = camera.call((image.clone(), peers.0, peers.1)).await?;
        let unsplit = whole.call(image).await?;
        let apart = images::apart(&split, &unsplit);
        largest = largest.max(apart);
        println!("{digit:7}  {:5}  {:7}  {apart:e}", images::digit(&split), images::digit(&unsplit));
    }
    println!("the two runs differ by at most {largest:e} in any score");
    for bytes in [("camera", camera.traffic()), ("near", near.traffic()), ("far", far.traffic())] {
        println!("{:>7}: {:?}", bytes.0, bytes.1);
    }
    Ok(())
}
