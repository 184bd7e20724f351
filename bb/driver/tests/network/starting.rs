//! What a node says when it cannot start.

use super::program::{echo, server, unbound_worker};
use bb_driver::engine::InstallError;
use bb_driver::{Builder, Hosted, Identity, IdentityError, StartError};

async fn refused(builder: Builder) -> StartError {
    match builder.start().await {
        Ok(_) => panic!("it starts"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_port_in_use_is_told_with_the_address() {
    let first = server(1).start().await.expect("starts");
    let address = first.listen_addresses().remove(0);
    let port = address.split("/p2p/").next().expect("before it");
    let error = refused(server(2).listen(port)).await;
    assert!(matches!(&error, StartError::Listen { address, .. } if address == port), "{error:?}");
    assert!(error.to_string().contains("help:"), "{error}");
}

/// libp2p's own error says nothing there.
#[tokio::test]
async fn an_address_of_another_machine_is_refused_with_the_systems_words() {
    let error = refused(Builder::new().listen("/ip4/192.0.2.1/tcp/0")).await;
    assert!(error.to_string().starts_with("cannot listen on /ip4/192.0.2.1/tcp/0: Cannot assign"), "{error}");
}

#[tokio::test]
async fn an_address_that_does_not_parse_is_told_with_the_text() {
    for builder in [Builder::new().listen("7000"), Builder::new().dial("7000")] {
        let error = refused(builder).await;
        assert!(matches!(&error, StartError::Address { text, .. } if text == "7000"), "{error:?}");
    }
}

#[tokio::test]
async fn a_key_file_that_is_none_is_told_with_its_path() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = refused(Builder::new().identity(Identity::File(file.path().to_owned()))).await;
    let StartError::Identity(IdentityError::NotAKey { path }) = error else { panic!("{error:?}") };
    assert_eq!(path, file.path());
}

#[tokio::test]
async fn an_artifact_that_is_none_and_a_slot_without_component_are_refused() {
    let hosted = Hosted {
        artifact: b"not an artifact".as_slice().into(),
        kernels: Vec::new(),
        components: Vec::new(),
        entries: Vec::new(),
    };
    let error = refused(Builder::new().host(hosted)).await;
    assert!(matches!(error, StartError::Install(InstallError::NotAnArtifact(_))), "{error:?}");
    let error = refused(Builder::new().host(unbound_worker())).await;
    assert!(matches!(error, StartError::Install(InstallError::UnboundSlot { .. })), "{error:?}");
}

#[tokio::test]
async fn a_durable_node_needs_a_key_and_a_checkpoint_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(matches!(refused(Builder::new().durable(dir.path())).await, StartError::DurableWithoutKey));
    let first = server(1).durable(dir.path()).start().await.expect("starts");
    assert!(refused(server(1).durable(dir.path())).await.to_string().contains("another node uses it"));
    first.shutdown().await;
    let error = refused(server(2).durable(dir.path())).await;
    assert!(error.to_string().contains("of the node"), "another key: {error}");
    let error = refused(echo(1).durable(dir.path())).await;
    assert!(error.to_string().contains("another build"), "another class: {error}");
    assert!(
        error.to_string().contains("\n  help: start that one, or keep this one in a directory of its own"),
        "{error}"
    );
    let file = dir.path().join("node.checkpoint");
    let mut bytes = std::fs::read(&file).expect("it was written");
    server(1).durable(dir.path()).start().await.expect("it is whole").shutdown().await;
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).expect("ours");
    let error = refused(server(1).durable(dir.path())).await;
    assert!(matches!(&error, StartError::Checkpoint { path, .. } if *path == file), "{error:?}");
    assert!(error.to_string().contains("damaged"), "{error}");
    assert!(error.to_string().contains("\n  help: put back a copy of it, or move it away"), "{error}");
    assert_eq!(std::fs::read(&file).expect("it is there"), bytes, "and is left as it is");
}
