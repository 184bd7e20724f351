//! The program of this package over real connections.

use bb::prelude::{Aggregator, Partial};
use bb::{Node, OpError, Peers, Tensor};
use mounted::graph::{Client, FedAvg, Sgd, Shelf, Tally, counted, pulse, round, stored};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_round_over_loopback() {
    let start = Tensor::from_vec(&[3], vec![1.0, 2.0, 3.0]).expect("three");
    let server = Node::builder()
        .listen("/ip4/127.0.0.1/tcp/0")
        .start(round::Server { average: FedAvg::new(start.clone()) })
        .await
        .expect("the server starts");
    let address = server.address().expect("it listens");
    let mut clients = Vec::new();
    for _ in 0..2 {
        let client = Node::builder().dial(&address).start(round::Client { trainer: Sgd }).await;
        clients.push(client.expect("a client starts"));
    }
    assert!(server.wait_for::<Client>(2).await);
    let mut expected: Vec<_> = clients.iter().map(|c| c.peer_id().clone()).collect();
    expected.sort();
    assert_eq!(server.members::<Client>(), expected);
    for _ in 0..20 {
        let params = server.call((Peers::all(), 0.75)).budget(Duration::from_secs(20)).await.expect("both answer");
        assert_eq!(params, start);
    }
    assert_eq!(server.connections(), expected);
    assert!(server.traffic().messages_sent >= 40);

    let alone = server.call((Peers::of([]), 0.75)).await;
    assert!(matches!(alone, Err(bb::node::CallError::Failed(_))), "an empty cohort fails at once: {alone:?}");
    clients[0].shutdown().await;
    server.shutdown().await;
    assert!(matches!(server.call((Peers::all(), 0.75)).await, Err(bb::node::CallError::Stopped)));
}

#[tokio::test]
async fn a_program_that_runs_by_itself_tells_what_it_does() {
    use bb::node::Event;
    let node = Node::builder().start(pulse::Server).await.expect("it starts");
    let mut events = node.events();
    let (mut emitted, mut metrics, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    while emitted.len().min(metrics.len()).min(outputs.len()) < 3 {
        match events.next().await.expect("the node runs") {
            Event::Emitted { topic, value, .. } if &*topic == "pulse" => emitted.extend(value.as_scalar::<u64>()),
            Event::Output { value, .. } => outputs.push(value),
            Event::Node(bb::node::NodeEvent::Engine(bb::engine::Event::Metric { name, value, .. }))
                if &*name == "pulses" =>
            {
                metrics.push(value);
            }
            _ => {}
        }
    }
    assert_eq!((&emitted[..3], &outputs[..3], &metrics[..3]), (&[1, 2, 3][..], &[1, 2, 3][..], &[1.0, 2.0, 3.0][..]));
    // A call is one more execution, within the tick that is.
    assert!(node.call(()).await.expect("it answers") >= 3);
}

#[tokio::test]
async fn what_a_program_names_is_built_by_its_type_or_bound() {
    let node = Node::builder().start(counted::Server).await.expect("it starts");
    assert_eq!(node.call(1).await.expect("it answers"), (1, 1));
    assert_eq!(node.call(2).await.expect("it answers"), (3, 3), "what it holds outlives calls");

    let node = Node::builder().bind("other", Tally(40)).start(counted::Server).await.expect("it starts");
    assert_eq!(node.call(2).await.expect("it answers"), (2, 42));
}

#[tokio::test]
async fn nothing_is_bound_to_what_a_program_does_not_name() {
    use bb::node::StartError;
    let told = |error: StartError| match error {
        StartError::Bind { slot, help, .. } => (slot, help),
        other => panic!("{other}"),
    };
    let Err(error) = Node::builder().bind("third", Tally(1)).start(counted::Server).await else { panic!("it starts") };
    let has = "it names `one`, of the role `mounted.Counter`; `other`, of the role `mounted.Counter`";
    assert_eq!(told(error), ("third".to_owned(), has.to_owned()));
    let Err(error) = Node::builder().bind("other", Tally(1)).start(pulse::Server).await else { panic!("it starts") };
    assert_eq!(told(error).0, "other");
}

/// Says whenever it is asked for its parameters, or panics.
struct Watched(Option<tokio::sync::mpsc::UnboundedSender<()>>);
impl Aggregator for Watched {
    fn params(&mut self) -> Tensor {
        self.0.as_ref().expect("there is nobody to tell").send(()).expect("the test is there");
        Tensor::from_vec(&[1], vec![0.0]).expect("one")
    }
    fn fold(&mut self, _updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        self.params();
        Ok(self.params())
    }
}

#[tokio::test]
async fn a_bootstrap_runs_when_a_node_starts_and_calls_fail_where_it_does() {
    let (told, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let node = Node::builder().start(round::Server { average: Watched(Some(told)) }).await.expect("it starts");
    assert_eq!(asked.recv().await, Some(()), "nobody has called");
    node.shutdown().await;

    let node = Node::builder().start(round::Server { average: Watched(None) }).await.expect("it starts");
    // Whom nobody knows would be waited for.
    let stranger = bb::PeerId::from_bytes(vec![7; 38]).expect("short enough");
    let answer = format!("{:?}", node.call((Peers::of([stranger]), 0.75)).await);
    assert!(answer.contains("BootstrapFailed") && answer.contains("there is nobody to tell"), "{answer}");
}

#[tokio::test]
async fn what_a_bootstrap_takes_is_staged_on_the_node_that_runs() {
    use bb::engine::StageError as No;
    use bb::node::StageError;
    let node = Node::builder().start(stored::Server { store: Shelf::default() }).await.expect("it starts");
    let early = node.call(7.0);
    let staged = async {
        let (unknown, wrong) = (node.stage("wth", 1.0f32).await, node.stage("with", (1.0f32, 1u64)).await);
        assert!(matches!(unknown, Err(StageError::Engine(No::NoSuchInput { .. }))), "{unknown:?}");
        assert!(matches!(wrong, Err(StageError::Engine(No::WrongType { .. }))), "{wrong:?}");
        node.stage("with", (3.0f32, 2.0f32)).await
    };
    assert_eq!(tokio::join!(early, staged), (Ok(42.0), Ok(())), "a call waits for it");
    assert_eq!(node.stage("with", (3.0f32, 2.0f32)).await, Err(StageError::Engine(No::Begun("stored".into()))));
    node.shutdown().await;
    assert_eq!(node.stage("with", (3.0f32, 2.0f32)).await, Err(StageError::Stopped));
}

#[test]
fn an_event_of_several_outputs_says_which_it_is() {
    let event = mounted::graph::both::ServerEvent::Output0(mounted::graph::Mute::default());
    assert_eq!(format!("{event:?}"), "Output0(..)");
}
