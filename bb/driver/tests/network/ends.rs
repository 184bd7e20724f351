//! Nodes that end: killed, shut down, started again.

use super::program::{answers, call, client, echo, missing, network, next, server, until};
use bb_driver::engine::FailureCode;
use bb_driver::{CallError, Event, Handle};
use std::sync::mpsc;
use tokio::runtime::{Builder, Runtime};

/// A runtime of its own, to be taken away under the node.
fn apart() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

#[tokio::test]
async fn a_killed_node_is_a_lost_peer_and_takes_part_again_when_it_is_back() {
    let (server, _clients) = network([echo(2)]).await;
    let address = server.listen_addresses().remove(0);
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = mpsc::channel::<()>();
    let slow = client(3, move |x| {
        // An error is the end of the test.
        let _ = (asked.send(()), released.recv());
        Ok(x)
    });
    let process = apart();
    let slow: Handle = process.spawn(slow.dial(&address).start()).await.expect("joins").expect("starts");
    assert!(server.wait_for("Client", 2).await);
    let mut events = server.events();
    let running = tokio::spawn(call(&server, vec![1.0], 0.5));
    is_asked.recv().await.expect("it works");
    process.shutdown_background();
    let values = running.await.expect("joins").expect("one is enough");
    assert_eq!(answers(&values), [[1.0]]);
    assert_eq!(missing(&values), [(slow.peer_id().clone(), FailureCode::PeerLost.number())]);
    let lost = next(&mut events, |e| match e {
        Event::Disconnected { peer, .. } => Some(peer),
        _ => None,
    });
    assert_eq!(lost.await, *slow.peer_id());
    drop(release);

    let _again = echo(3).dial(&address).start().await.expect("starts");
    assert!(server.wait_for("Client", 2).await);
    let values = call(&server, vec![2.0], 1.0).await.expect("both answer");
    assert_eq!(answers(&values).len(), 2);
}

#[tokio::test]
async fn a_client_finds_a_server_that_comes_later_and_one_that_comes_back() {
    let first = server(1).start().await.expect("starts");
    let address = first.listen_addresses().remove(0);
    let port = address.split("/p2p/").next().expect("before it").to_owned();
    first.shutdown().await;
    let client = echo(2).dial(&address).start().await.expect("starts");
    for _ in 0..2 {
        let server = server(1).listen(&port).start().await.expect("the port is free again");
        assert!(server.wait_for("Client", 1).await);
        call(&server, vec![1.0], 1.0).await.expect("it answers");
        server.shutdown().await;
        until(async || client.connections().is_empty()).await;
    }
}

#[test]
fn shutting_down_leaves_no_task_and_resolves_what_is_open() {
    let runtime = apart();
    runtime.block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
        let slow = client(3, move |x| {
            // An error is the end of the test.
            let _ = (asked.send(()), released.recv());
            Ok(x)
        });
        let (server, clients) = network([slow, echo(2)]).await;
        let open = tokio::spawn(call(&server, vec![1.0], 1.0));
        is_asked.recv().await.expect("it works");
        let mut events = server.events();
        server.shutdown().await;
        assert_eq!(open.await.expect("joins"), Err(CallError::Stopped));
        assert_eq!(call(&server, vec![1.0], 1.0).await, Err(CallError::Stopped), "nothing new is taken");
        assert!(!server.wait_for("Client", 1).await);
        while events.next().await.is_some() {}
        drop(release);
        for client in clients {
            client.shutdown().await;
        }
        until(async || tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0).await;
    });
}

#[tokio::test]
async fn the_last_handle_ends_the_node() {
    let (server, clients) = network([echo(2)]).await;
    drop(server);
    until(async || clients[0].connections().is_empty()).await;
}
