//! Several programs on one node, and programs that come while it runs.

use super::program::{
    ANY, LONG, answers, arguments, call, client, echo, network, next, piece, server, unbound_worker, until,
};
use bb::prelude::*;
use bb_driver::engine::{CallError as Failed, Component, Event as Engine, InstallError, OpError, Usage, Value};
use bb_driver::{Builder, CallError, Event, Handle, Hosted, Identity, StartError};
use std::sync::{OnceLock, mpsc};

#[derive(bb::Peer)]
pub struct Reader;
#[derive(bb::Peer)]
pub struct Library;

#[bb::role]
pub trait Shelf {
    fn find(&mut self, x: Tensor) -> Tensor;
}

/// Another program, which goes the other way: clients of the first ask its server.
#[bb::module]
fn lookup(
    graph: &Graph,
    libraries: On<Reader, Peers<Library>>,
    x: On<Reader, Tensor>,
    quorum: On<Reader, f32>,
    shelf: ShelfAt<Library>,
) -> On<Reader, Partial<Tensor>> {
    let there = graph.wire(x, libraries);
    graph.wire(shelf.find(there), there.sender::<Reader>()).quorum(quorum)
}

/// Gives back how often it was asked.
#[derive(Default)]
struct Counts(f32);
impl Component for Counts {
    fn run(&mut self, _: &str, _: Vec<Value>) -> Result<Vec<Value>, OpError> {
        self.0 += 1.0;
        Ok(vec![arguments_of(self.0)])
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(self.0.to_le_bytes().to_vec())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        self.0 = f32::from_le_bytes(state.try_into().map_err(|_| OpError::new("four bytes"))?);
        Ok(())
    }
}
fn arguments_of(x: f32) -> Value {
    Value::Tensor(bb_ir::value::RawTensor::from_vec(&[1], vec![x]).expect("one"))
}

fn hosted(class: &str) -> Hosted {
    static PROGRAM: OnceLock<bb::Compiled> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| bb::compile(lookup));
    assert_eq!(program.diagnostics, []);
    let shelf: Vec<(String, Box<dyn Component>)> = vec![("shelf".into(), Box::<Counts>::default())];
    let components = if class == "Library" { shelf } else { Vec::new() };
    let artifact = program.artifact(class).expect("compiled").bytes.clone().into();
    Hosted { artifact, kernels: bb::kernels(), components, entries: Vec::new() }
}
fn look(reader: &Handle) -> bb_driver::Call {
    let installed = reader.graphs().into_iter().find(|g| *g.class == *"Reader").expect("it is hosted");
    reader.call(installed.graph, arguments(vec![7.0], 1.0), LONG)
}

#[tokio::test]
async fn a_program_installed_after_the_connection_was_made_is_called_over_it() {
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = mpsc::channel::<()>();
    let slow = client(2, move |x| {
        // An error is the end of the test.
        let _ = (asked.send(()), released.recv());
        Ok(x)
    });
    let (server, clients) = network([slow]).await;
    assert!(clients[0].wait_for("Server", 1).await);
    let (mut at_server, mut at_client) = (server.events(), clients[0].events());
    let before = tokio::spawn(call(&server, vec![3.0], 1.0));
    is_asked.recv().await.expect("the client works");

    let installed = server.install(hosted("Library")).await.expect("it runs here");
    assert_eq!((&*installed.class, server.graphs().len()), ("Library", 2));
    clients[0].install(hosted("Reader")).await.expect("it runs here");
    assert!(clients[0].wait_for("Library", 1).await && server.wait_for("Reader", 1).await);
    let values = look(&clients[0]).await.expect("it is found");
    assert_eq!(answers(&values), [[1.0]]);

    // What was under way is not disturbed: the connection is the same.
    release.send(()).expect("it waits");
    assert_eq!(answers(&before.await.expect("joins").expect("it answers")), [[3.0]]);
    server.shutdown().await;
    for events in [&mut at_server, &mut at_client] {
        let mut parted = 0;
        while let Some(event) = events.next().await {
            parted += usize::from(matches!(event, Event::Connected { .. } | Event::StreamRefused { .. }));
            if matches!(event, Event::Disconnected { .. }) {
                break;
            }
        }
        assert_eq!(parted, 0);
    }
}

#[tokio::test]
async fn a_call_right_behind_an_install_finds_its_peers() {
    let (server, clients) = network([echo(2)]).await;
    server.install(hosted("Library")).await.expect("it runs here");
    assert!(clients[0].wait_for("Library", 1).await);
    // The server learns that there is a reader before it reads what that asks, each time.
    clients[0].install(hosted("Reader")).await.expect("it runs here");
    let first = look(&clients[0]);
    assert_eq!(answers(&first.await.expect("the Hello was before it")), [[1.0]]);
    assert_eq!(server.members("Reader"), [clients[0].peer_id().clone()]);
}

#[tokio::test]
async fn who_connects_later_learns_of_it_as_ever() {
    let (server, _) = network([]).await;
    server.install(hosted("Library")).await.expect("it runs here");
    let address = server.listen_addresses().remove(0);
    let late = Builder::new().identity(Identity::Seed([9; 32])).host(hosted("Reader")).dial(&address);
    let late = late.start().await.expect("starts");
    assert!(late.wait_for("Library", 1).await);
    assert_eq!(answers(&look(&late).await.expect("it is found")), [[1.0]]);
}

#[tokio::test]
async fn what_cannot_be_installed_leaves_the_node_as_it_was() {
    let (server, clients) = network([echo(2)]).await;
    assert!(clients[0].wait_for("Server", 1).await);
    let mut told = clients[0].events();
    let graphs = server.graphs().len();
    let refused = async |hosted: Hosted| match server.install(hosted).await {
        Err(StartError::Install(error)) => error,
        other => panic!("{other:?}"),
    };
    let nothing = Hosted {
        artifact: b"nothing".as_slice().into(),
        kernels: Vec::new(),
        components: Vec::new(),
        entries: Vec::new(),
    };
    assert!(matches!(refused(nothing).await, InstallError::NotAnArtifact(_)));
    assert!(matches!(refused(unbound_worker()).await, InstallError::UnboundSlot { .. }));
    let again = Hosted {
        artifact: piece("Server").into(),
        kernels: bb::kernels(),
        components: Vec::new(),
        entries: Vec::new(),
    };
    assert!(matches!(refused(again).await, InstallError::AlreadyHosted { .. }));
    assert_eq!(server.graphs().len(), graphs);
    assert_eq!(server.usage().await, Some(Usage::default()));
    // It takes what is right, under the number that is next, and peers hear of that alone.
    let installed = server.install(hosted("Library")).await.expect("it runs here");
    assert_eq!(installed.graph.0 as usize, graphs);
    let class = next(&mut told, |e| match e {
        Event::Engine(Engine::MemberJoined { class, .. }) => Some(class),
        _ => None,
    });
    assert_eq!(&*class.await, "Library");
    call(&server, vec![1.0], 1.0).await.expect("it answers as before");
    server.shutdown().await;
    assert!(matches!(server.install(hosted("Reader")).await, Err(StartError::Stopped)));
}

#[tokio::test]
async fn several_programs_and_classes_on_one_node_do_not_mix() {
    // One node is everything but the first program's server; that server is a library as well.
    let every = echo(2).host(hosted("Reader")).host(hosted("Library"));
    let first = server(1).host(hosted("Library")).start().await.expect("starts");
    let every = every.listen(ANY).dial(&first.listen_addresses()[0]).start().await.expect("starts");
    assert!(first.wait_for("Client", 1).await && every.wait_for("Library", 1).await);
    let classes: Vec<String> = every.graphs().iter().map(|g| g.class.to_string()).collect();
    assert_eq!(classes, ["Client", "Reader", "Library"]);
    let both = futures::future::join_all((0..50).map(|n| call(&first, vec![n as f32], 1.0)));
    let looks = futures::future::join_all((0..50).map(|_| look(&every)));
    let (calls, looks) = tokio::join!(both, looks);
    for (n, values) in calls.into_iter().enumerate() {
        assert_eq!(answers(&values.expect("it answers")), [[n as f32]]);
    }
    let mut counted: Vec<f32> = looks.iter().flat_map(|v| answers(v.as_ref().expect("found")).concat()).collect();
    counted.sort_by(f32::total_cmp);
    assert_eq!(counted, (1..=50).map(|n| n as f32).collect::<Vec<_>>(), "by the server's shelf alone");
    // The node itself is a library too.
    let graph = every.graphs()[1].graph;
    let mut args = arguments(vec![7.0], 1.0);
    args[0] = bb_driver::engine::Arg::AllPeers { and_self: true };
    let values = every.call(graph, args, LONG).await.expect("both answer");
    let mut counted = answers(&values).concat();
    counted.sort_by(f32::total_cmp);
    assert_eq!(counted, [1.0, 51.0]);
    // Numbers of another node's artifacts are none here.
    let result = first.call(graph, arguments(vec![1.0], 1.0), LONG).await;
    assert!(matches!(result, Err(CallError::Engine(Failed::NotTheEntry))), "{result:?}");
}

#[tokio::test]
async fn a_durable_node_takes_up_what_was_installed_while_it_ran() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = server(1).durable(dir.path()).start().await.expect("starts");
    first.install(hosted("Library")).await.expect("it runs here");
    let reader = || Builder::new().identity(Identity::Seed([9; 32])).host(hosted("Reader"));
    let late = reader().dial(&first.listen_addresses()[0]).start().await.expect("starts");
    assert!(late.wait_for("Library", 1).await);
    assert_eq!(answers(&look(&late).await.expect("it is found")), [[1.0]]);
    first.shutdown().await;
    // What it holds of the second program is of no use to a node without it.
    let Err(error) = server(1).durable(dir.path()).start().await else { panic!("it starts") };
    assert!(error.to_string().contains("Library"), "{error}");
    let again = server(1).durable(dir.path()).host(hosted("Library")).start().await.expect("starts");
    late.dial(&again.listen_addresses()[0]).await.expect("an address");
    until(async || late.members("Library") == [again.peer_id().clone()]).await;
    assert_eq!(answers(&look(&late).await.expect("it is found")), [[2.0]], "its shelf has counted on");
}
