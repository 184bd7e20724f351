use bb::prelude::*;
use ui_tests::*;
// Compiles: what the mistakes look like when right.
pub fn inferred_sender(graph: &Graph, x: On<Each<Client>, Tensor>) -> On<Server, Tensor> {
    graph.wire(x, x.sender()).mean() // the return type says which class
}
pub fn outer_in_lane(back: On<Server, Gathered<(Tensor, u64)>>, bound: On<Server, Tensor>, limit: On<Server, f32>) -> On<Server, Gathered<Tensor>> {
    back.each(|(update, _samples)| clip(bound * update, limit) + bound)
}
pub fn reply_to_each(graph: &Graph, back: On<Server, Gathered<Tensor>>) {
    let _ = back.each(|x| {
        let ack: On<Each<Client>, Tensor> = graph.wire(x, x.sender());
        let _ = ack;
        x
    });
}
pub fn role_in_lane(trainer: TrainerAt<Server>, back: On<Server, Gathered<Tensor>>) -> On<Server, Gathered<(Tensor, u64)>> {
    back.each(|x| trainer.train(x))
}
pub fn generic<P: Place>(x: On<P, Tensor>, w: On<P, Tensor>) -> On<P, Tensor> {
    clip(x.matmul(w) + x * 0.5, 1.0).relu()
}
pub fn generic_class<C: PeerClass>(trainer: TrainerAt<C>, x: On<Each<C>, Tensor>) -> On<Each<C>, Tensor> {
    let (y, _) = trainer.train(x);
    generic(trainer.blend(trainer.state(x), y, 0.1), x)
}
pub fn elements(x: On<Server, Tensor>, w: On<Server, Tensor<f64>>, rate: On<Server, f32>, rows: RowsAt<Server>) -> On<Server, Tensor<i64>> {
    let scaled = (w * 0.5 + 1.0).cast::<f32>() - x;
    let stepped = (scaled * rate).matmul(x) * 2.0;
    let labels = stepped.argmax() * 2 + 1;
    let any: On<Server, Tensor> = rows.any(labels).narrow::<i64>().cast();
    (any.equal(x).cast::<i64>()) - labels
}
pub fn shapes(x: On<Server, Tensor<f32, (N, D<64>)>>, y: On<Server, Tensor>, rows: RowsAt<Server>, trainer: TrainerAt<Server>) -> On<Server, Tensor<f32, (N, D<32>)>> {
    let kept: On<Server, Tensor<f32, (N, D<64>)>> = (x * 0.5).relu();
    let _ = trainer.train(kept); // said to unsaid: free
    let out = rows.run(y); // unsaid to said: the build checks
    (out + rows.run(x)).shaped()
}
pub fn generic_element<E: bb::Number>(x: On<Server, Tensor<E>>, half: E) -> On<Server, Tensor<E>> {
    x * half + x
}
pub fn policies(back: On<Server, Gathered<(Tensor, u64)>>, n: On<Server, u64>, limit: On<Server, Duration>) -> On<Server, u64> {
    back.each(|(x, k)| (x * 0.5, k)).quorum(n).within(limit).count() + back.first(3).within(secs(3)).count() + back.first(n).count()
}
pub fn home(graph: &Graph, x: On<Node, Tensor>) -> On<Server, Tensor> {
    graph.wire(x, graph.origin::<Server>())
}
pub fn generic_wire<C: PeerClass, D: PeerClass>(graph: &Graph, x: On<C, Tensor>, to: On<C, Peers<D>>) -> On<C, Tensor> {
    let there = graph.wire(x, to);
    graph.wire(there, there.sender::<C>()).mean()
}
pub fn round_trip(graph: &Graph, (a, b): (On<Node, Tensor>, On<Node, u64>), to: On<Node, Peer<Node>>) -> (On<Node, Tensor>, On<Node, u64>) {
    let (a, b) = graph.wire((a, b), to);
    graph.wire((a, b), a.sender())
}
pub fn exact(a: On<Server, Gathered<Tensor>>) -> On<Server, Tensor> {
    a.quorum(0.5).within(secs(3)).mean()
}
#[derive(WireType)]
pub struct Report {
    pub loss: f32,
    pub steps: u64,
}
pub fn own_payload(graph: &Graph, report: On<Each<Client>, Report>, home: On<Each<Client>, Peer<Server>>) -> On<Server, Gathered<Report>> {
    graph.wire(report, home)
}
fn main() {}
