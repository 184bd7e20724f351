//! The program: one model in three stages, each on another peer.

use bb::prelude::*;

/// Has images.
#[derive(bb::Peer)]
pub struct Camera;
/// Close to the camera.
#[derive(bb::Peer)]
pub struct Near;
/// Farther away.
#[derive(bb::Peer)]
pub struct Far;

/// What the image shows: the camera computes features, the next two peers the rest. No peer has all of the model.
#[bb::module]
pub fn classify(
    graph: &Graph,
    image: On<Camera, Tensor>,
    near: On<Camera, Peer<Near>>,
    far: On<Camera, Peer<Far>>,
) -> On<Camera, Tensor> {
    let model = bb::onnx!("model/digits.onnx");
    let features: On<Camera, Tensor> = model.until("features").call(image);
    let (features, far) = graph.wire((features, far), near);
    let hidden: On<Near, Tensor> = model.after("features").until("hidden").call(features);
    let hidden = graph.wire(hidden, far);
    let scores: On<Far, Tensor> = model.after("hidden").call(hidden);
    graph.wire(scores, graph.origin::<Camera>())
}

/// The same model, whole.
#[bb::module]
pub fn unsplit(_graph: &Graph, image: On<Camera, Tensor>) -> On<Camera, Tensor> {
    bb::onnx!("model/digits.onnx").call(image)
}
