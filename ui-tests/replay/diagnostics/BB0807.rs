use bb::prelude::*;

#[derive(bb::Peer)]
pub struct Server;

#[bb::role]
pub trait Sensor {
    fn first(&mut self) -> Tensor;
    fn look(&mut self, x: Tensor) -> Tensor;
    fn learn(&mut self, x: Tensor);
}

#[bb::module]
pub fn watches(_graph: &Graph, x: On<Server, Tensor>, sensor: SensorAt<Server>) -> On<Server, Tensor> {
    sensor.look(x)
}

#[bb::bootstrap(watches)]
fn warm_up(graph: &Graph, sensor: SensorAt<Server>) {
    let seen = sensor.first(graph);
    let scores: On<Server, Tensor> = bb::onnx!("mlp.onnx").call(seen);
    sensor.learn(scores);
}
