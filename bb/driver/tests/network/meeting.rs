//! How nodes meet: who is admitted, and on which connection.

use super::program::{ANY, answers, ask, call, echo, network, next, server, until};
use bb_driver::engine::{CallError as Failed, DisconnectReason, Event as Engine, FailureCode, Gate, PeerId, Standing};
use bb_driver::{CallError, Event, Forgotten, Parting};

#[tokio::test]
async fn a_stranger_that_claims_a_listed_class_is_refused_and_named() {
    let (friend, stranger) = (echo(2), echo(3));
    // Clients are known by what their seeds make of them.
    let friend_id = echo(2).start().await.expect("starts").peer_id().clone();
    let server = server(1).members("Client", [friend_id.clone()]).start().await.expect("starts");
    let mut events = server.events();
    let address = &server.listen_addresses()[0];
    let stranger = stranger.dial(address).start().await.expect("starts");
    let refused = next(&mut events, |e| match e {
        Event::Engine(Engine::MembershipRefused { peer, class }) => Some((peer, class)),
        _ => None,
    });
    assert_eq!(refused.await, (stranger.peer_id().clone(), "Client".to_owned()));
    let _friend = friend.dial(address).start().await.expect("starts");
    assert!(server.wait_for("Client", 1).await);
    assert_eq!(server.members("Client"), [friend_id]);
    let values = call(&server, vec![1.0], 1.0).await.expect("the friend answers");
    assert_eq!(answers(&values).len(), 1);
}

#[tokio::test]
async fn nodes_that_dial_each_other_at_once_settle_on_one_connection_and_lose_nothing() {
    for round in 0..10 {
        let server = server(10 + round).start().await.expect("starts");
        let client = echo(100 + round).listen(ANY).start().await.expect("starts");
        let (to_server, to_client) = (server.listen_addresses().remove(0), client.listen_addresses().remove(0));
        let mut events = server.events();
        let (a, b) = tokio::join!(server.dial(&to_client), client.dial(&to_server));
        a.and(b).expect("addresses");
        assert!(server.wait_for("Client", 1).await);
        let calls = (0..50).map(|n| call(&server, vec![n as f32], 1.0));
        for values in futures::future::join_all(calls).await {
            assert_eq!(answers(&values.expect("it answers")).len(), 1);
        }
        assert_eq!(server.connections(), [client.peer_id().clone()]);
        server.shutdown().await;
        let mut lost = 0;
        while let Some(event) = events.next().await {
            lost += u32::from(matches!(event, Event::Disconnected { .. }));
        }
        assert_eq!(lost, 0, "the server never took the client for lost");
        until(async || client.connections().is_empty()).await;
    }
}

#[tokio::test]
async fn a_node_dialled_at_two_addresses_at_once_is_one_peer_with_one_connection() {
    for round in 0..10 {
        let server = server(10 + round).listen(ANY).start().await.expect("starts");
        let mut events = server.events();
        // Without an identity they may lead anywhere.
        let addresses = server.listen_addresses();
        let mut client = echo(100 + round);
        for address in &addresses {
            client = client.dial(address.split("/p2p/").next().expect("before it"));
        }
        let client = client.start().await.expect("starts");
        assert!(server.wait_for("Client", 1).await);
        let calls = (0..50).map(|n| call(&server, vec![n as f32], 1.0));
        for values in futures::future::join_all(calls).await {
            assert_eq!(answers(&values.expect("it answers")).len(), 1);
        }
        client.shutdown().await;
        until(async || server.connections().is_empty()).await;
        server.shutdown().await;
        let mut lost = 0;
        while let Some(event) = events.next().await {
            lost += u32::from(matches!(event, Event::Disconnected { .. }));
        }
        assert_eq!((addresses.len(), lost), (2, 1), "once, when it was shut down");
    }
}

#[tokio::test]
async fn a_peer_without_connection_is_dialled_where_it_said_it_listens() {
    let server = server(1).start().await.expect("starts");
    let to_server = server.listen_addresses().remove(0);
    let first = echo(2).listen(ANY).dial(&to_server).start().await.expect("starts");
    assert!(server.wait_for("Client", 1).await);
    let to_client = first.listen_addresses().remove(0);
    first.shutdown().await;
    until(async || server.connections().is_empty()).await;
    // Back where it was, and waiting to be asked.
    let port = to_client.split("/p2p/").next().expect("before it");
    let client = echo(2).listen(port).start().await.expect("the port is free again");
    let values = ask(&server, [client.peer_id()]).await.expect("it is found");
    assert_eq!(answers(&values).len(), 1);
}

#[tokio::test]
async fn where_another_peer_has_moved_in_nobody_is_looked_for_again() {
    let server = server(1).start().await.expect("starts");
    let to_server = server.listen_addresses().remove(0);
    let first = echo(2).listen(ANY).dial(&to_server).start().await.expect("starts");
    assert!(server.wait_for("Client", 1).await);
    let to_client = first.listen_addresses().remove(0);
    first.shutdown().await;
    until(async || server.connections().is_empty()).await;
    let before = server.addresses().await.expect("it runs");
    assert_eq!((before.peers, before.known, before.learned, before.reached), (1, 1, 1, 0));
    let mut events = server.events();
    let port = to_client.split("/p2p/").next().expect("before it");
    let _other = echo(3).listen(port).start().await.expect("the port is free again");
    let asked = tokio::spawn(ask(&server, [first.peer_id()]));
    let forgotten = next(&mut events, |e| match e {
        Event::AddressForgotten { peer, address, why } => Some((peer, address, why)),
        _ => None,
    });
    assert_eq!(forgotten.await, (first.peer_id().clone(), port.to_owned(), Forgotten::SomeoneElse));
    let after = server.addresses().await.expect("it runs");
    assert_eq!((after.peers, after.known, after.failed, after.someone_else), (0, 0, 1, 1));
    asked.abort();
}

#[tokio::test]
async fn dials_are_counted_by_what_came_of_them() {
    let gone = server(9).start().await.expect("starts");
    let nowhere = gone.listen_addresses().remove(0);
    gone.shutdown().await;
    let there = server(1).start().await.expect("starts");
    let client = echo(2).dial(&nowhere).dial(&there.listen_addresses()[0]).start().await.expect("starts");
    assert!(client.wait_for("Server", 1).await);
    until(async || client.addresses().await.is_some_and(|a| a.failed > 0)).await;
    let addresses = client.addresses().await.expect("it runs");
    assert_eq!((addresses.peers, addresses.known, addresses.reached), (2, 2, 1), "what was configured stays");
}

#[tokio::test]
async fn a_durable_node_finds_peers_again_that_do_not_look_for_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let client = echo(2).listen(ANY).start().await.expect("starts");
    let first = server(1).durable(dir.path()).dial(&client.listen_addresses()[0]).start().await.expect("starts");
    assert!(first.wait_for("Client", 1).await);
    call(&first, vec![1.0], 1.0).await.expect("it answers, and so it is written down");
    first.shutdown().await;
    let again = server(1).durable(dir.path()).start().await.expect("starts");
    let values = ask(&again, [client.peer_id()]).await.expect("it is found");
    assert_eq!(answers(&values).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_nowhere_is_unreachable_after_ten_seconds() {
    let server = server(1).start().await.expect("starts");
    let nobody = PeerId::from_bytes(vec![0, 1, 7]).expect("short");
    let before = tokio::time::Instant::now();
    let result = ask(&server, [&nobody]).await;
    assert_eq!(before.elapsed().as_secs(), 10);
    let Err(CallError::Engine(Failed::Failed(cause))) = result else { panic!("{result:?}") };
    let quorum = cause.quorum.expect("a gather");
    assert_eq!(quorum.missing, [(nobody, FailureCode::Unreachable)]);
}

#[tokio::test]
async fn an_address_where_nobody_is_is_told_and_tried_again() {
    let gone = server(9).start().await.expect("starts");
    let address = gone.listen_addresses().remove(0);
    gone.shutdown().await;
    let client = echo(2).start().await.expect("starts");
    let mut events = client.events();
    client.dial(&address).await.expect("an address");
    for _ in 0..2 {
        let told = next(&mut events, |e| match e {
            Event::DialFailed { address, reason, .. } => Some((address, reason)),
            _ => None,
        });
        let (told, reason) = told.await;
        assert_eq!(told, address);
        // The system's own words, and they alone.
        assert!(reason.starts_with("Connection refused (os error "), "{reason}");
    }
}

#[tokio::test]
async fn an_address_where_another_node_is_is_told_as_such() {
    let there = server(1).start().await.expect("starts");
    let absent = echo(2).start().await.expect("starts").peer_id().to_string();
    let real = there.listen_addresses().remove(0);
    let client = echo(3).start().await.expect("starts");
    let mut events = client.events();
    let own = there.peer_id().to_string();
    client.dial(&real.replace(&own, &absent)).await.expect("an address");
    let told = next(&mut events, |e| match e {
        Event::DialFailed { reason, .. } => Some(reason),
        _ => None,
    });
    let right = format!("another node listens there, {own}: check the address's `/p2p/…`");
    assert_eq!(told.await, right);
}

#[tokio::test]
async fn a_blocked_peer_is_sent_away_and_comes_back_once_it_may() {
    let (server, clients) = network([echo(2), echo(3)]).await;
    let blocked = clients[0].peer_id().clone();
    let mut events = server.events();
    server.set_standing(blocked.clone(), Standing::Blocked).await;
    let left = next(&mut events, |e| match e {
        Event::Disconnected { peer, how } => Some((peer, how)),
        _ => None,
    });
    assert_eq!(left.await, (blocked.clone(), Parting::Dismissed(DisconnectReason::Blocked)));
    // It dials again, and is refused again.
    let refused = next(&mut events, |e| match e {
        Event::Engine(Engine::GateRefused { gate: Gate::PeerHealthRx, peer, .. }) => Some(peer),
        _ => None,
    });
    assert_eq!(refused.await, blocked);
    let values = call(&server, vec![1.0], 1.0).await.expect("the other answers");
    assert_eq!(answers(&values).len(), 1);
    let named = ask(&server, [&blocked]).await;
    assert!(named.is_err(), "{named:?}");
    assert!(server.counters().await.is_some_and(|c| c.health_rx > 0 && c.health_tx > 0));
    server.set_standing(blocked, Standing::Judged).await;
    assert!(server.wait_for("Client", 2).await);
}
