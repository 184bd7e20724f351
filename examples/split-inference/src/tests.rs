//! The program in a simulated network.

use crate::{graph, images};
use bb::Peer;
use bb::ir::artifact;
use bb::ir::weights;
use bb::node::Piece;
use bb_sim::{World, peer_id};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn three_peers_say_what_the_model_says() {
    let mut world = World::new(1, bb::kernels());
    let camera = world.host(|| graph::classify::Camera);
    let near = world.host(|| graph::classify::Near);
    let far = world.host(|| graph::classify::Far);
    let whole = world.host(|| graph::unsplit::Camera);
    world.connect_all();
    let images = images::all();
    let mut right = 0;
    for (image, digit) in &images {
        let peers = [near.ix, far.ix].map(|ix| peer_id(ix.0));
        let [near, far] = peers;
        let split = world.ask(camera, (image.clone(), Peer::of(near), Peer::of(far)), Duration::from_secs(60));
        let unsplit = world.ask(whole, image.clone(), Duration::from_secs(60));
        world.run_until(world.elapsed() + Duration::from_secs(10));
        let (split, unsplit) = (world.answer(split), world.answer(unsplit));
        let (split, unsplit) =
            (split.expect("it ends").expect("it succeeds"), unsplit.expect("it ends").expect("it succeeds"));
        assert!(images::apart(&split, &unsplit) < 1e-6, "{split:?} {unsplit:?}");
        right += usize::from(images::digit(&split) == *digit);
    }
    assert!(right * 10 >= images.len() * 9, "{right} of {}", images.len());
}

#[test]
fn no_peer_has_all_of_the_model() {
    let has = |bytes: &[u8]| -> BTreeSet<String> {
        let model = artifact::read(bytes).expect("an artifact");
        weights::of(&model).iter().map(|weight| weight.name().trim_start_matches("digits_onnx:").to_owned()).collect()
    };
    let names = |names: [&str; 2]| names.map(str::to_owned).into();
    assert_eq!(has(graph::classify::Camera::ARTIFACT), names(["filters", "filters_bias"]));
    assert_eq!(has(graph::classify::Near::ARTIFACT), names(["w1", "b1"]));
    assert_eq!(has(graph::classify::Far::ARTIFACT), names(["w2", "b2"]));
}
