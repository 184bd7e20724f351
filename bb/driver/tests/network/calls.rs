//! Calls between nodes.

use super::program::{answers, call, echo, server};

#[tokio::test]
async fn a_call_goes_to_every_client_and_comes_home() {
    let server = server(1).start().await.expect("starts");
    let address = &server.listen_addresses()[0];
    let mut clients = Vec::new();
    for seed in 2..7 {
        clients.push(echo(seed).dial(address).start().await.expect("starts"));
    }
    assert!(server.wait_for("Client", 5).await);
    let values = call(&server, vec![1.0, 2.0], 1.0).await.expect("all answer");
    assert_eq!(answers(&values), vec![vec![1.0, 2.0]; 5]);
    assert_eq!(server.connections().len(), 5);
}
