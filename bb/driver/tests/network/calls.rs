//! Calls between nodes.

use super::program::{LONG, answers, arguments, ask, call, client, echo, missing, network, until};
use bb_driver::engine::{CallError as Failed, FailureCode, OpError, Usage};
use bb_driver::{CallError, StartError};
use std::sync::mpsc;

#[tokio::test]
async fn a_call_goes_to_every_client_and_comes_home() {
    let (server, clients) = network((2..7).map(echo)).await;
    let values = call(&server, vec![1.0, 2.0], 1.0).await.expect("all answer");
    assert_eq!(answers(&values), vec![vec![1.0, 2.0]; 5]);
    let mut expected: Vec<_> = clients.iter().map(|c| c.peer_id().clone()).collect();
    expected.sort();
    assert_eq!(server.connections(), expected);
    assert_eq!(server.members("Client"), expected);
    let traffic = server.traffic();
    assert!(
        traffic.messages_sent >= 10 && traffic.messages_received >= 10,
        "a Hello and a value each way: {traffic:?}"
    );
    assert_eq!(server.usage().await, Some(Usage::default()));
}

#[tokio::test]
async fn a_message_of_four_mebibytes_arrives_whole() {
    let (server, _clients) = network([echo(2)]).await;
    let x: Vec<f32> = (0..1 << 20).map(|n| n as f32).collect();
    let values = call(&server, x.clone(), 1.0).await.expect("it answers");
    assert_eq!(answers(&values), [x]);
    assert!(server.traffic().bytes_sent > 4 << 20);
}

#[tokio::test]
async fn many_calls_at_once_do_not_mix() {
    let (server, _clients) = network([echo(2), echo(3)]).await;
    let calls = (0..200).map(|n| call(&server, vec![n as f32], 1.0));
    let all = futures::future::join_all(calls).await;
    for (n, values) in all.into_iter().enumerate() {
        assert_eq!(answers(&values.expect("both answer")), vec![vec![n as f32]; 2]);
    }
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing_behind() {
    let (release, released) = mpsc::channel::<()>();
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let slow = client(2, move |x| {
        asked.send(()).expect("the test waits");
        // An error is the end of the test.
        let _ = released.recv();
        Ok(x)
    });
    let (server, clients) = network([slow]).await;
    let running = tokio::spawn(call(&server, vec![1.0], 1.0));
    is_asked.recv().await.expect("the client works");
    assert_eq!(server.usage().await.map(|u| u.calls), Some(1));
    running.abort();
    until(async || server.usage().await == Some(Usage::default())).await;
    drop(release);
    until(async || clients[0].usage().await == Some(Usage::default())).await;
}

#[tokio::test]
async fn a_method_is_completed_from_a_thread_of_its_own_and_keeps_nobody_waiting() {
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = mpsc::channel::<()>();
    let slow = client(2, move |x| {
        asked.send(std::thread::current().id()).expect("the test waits");
        // An error is the end of the test.
        let _ = released.recv();
        Ok(x)
    });
    let (server, clients) = network([slow, echo(3)]).await;
    let here = std::thread::current().id();
    let both = tokio::spawn(call(&server, vec![1.0], 1.0));
    assert_ne!(is_asked.recv().await, Some(here), "all nodes are on the test's thread");
    // The method holds its thread; its node answers, and so does everyone else.
    assert_eq!(clients[0].usage().await.map(|u| u.commands), Some(1));
    let other = ask(&server, [clients[1].peer_id()]).await.expect("it answers");
    assert_eq!(answers(&other).len(), 1);
    assert!(!both.is_finished());
    release.send(()).expect("the method waits");
    assert_eq!(answers(&both.await.expect("joins").expect("both answer")).len(), 2);
}

#[tokio::test]
async fn a_component_that_fails_and_one_that_panics_are_missing_with_the_reason() {
    let (server, clients) =
        network([echo(2), client(3, |_| Err(OpError::new("not today"))), client(4, |_| panic!("what?"))]).await;
    for panics in [FailureCode::OpFailed, FailureCode::ComponentFailed] {
        let values = call(&server, vec![1.0], 0.3).await.expect("one is enough");
        assert_eq!(answers(&values), [[1.0]]);
        let mut expected = vec![
            (clients[1].peer_id().clone(), FailureCode::OpFailed.number()),
            (clients[2].peer_id().clone(), panics.number()),
        ];
        expected.sort();
        assert_eq!(missing(&values), expected);
    }
}

#[tokio::test]
async fn wrong_arguments_and_a_call_from_elsewhere_are_refused() {
    let (server, clients) = network([echo(2)]).await;
    let graph = server.graphs()[0].graph;
    let result = server.call(graph, arguments(vec![1.0], 1.0)[..2].to_vec(), LONG).await;
    assert!(matches!(result, Err(CallError::Engine(Failed::BadArgument { .. }))), "{result:?}");
    let graph = clients[0].graphs()[0].graph;
    let result = clients[0].call(graph, Vec::new(), LONG).await;
    assert!(matches!(result, Err(CallError::Engine(Failed::NotTheEntry))), "{result:?}");
    let result = server.dial("nowhere").await;
    assert!(matches!(result, Err(StartError::Address { .. })), "{result:?}");
}
