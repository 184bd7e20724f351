//! The example as its users run it.

mod process;

use process::{Process, json, run};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn one_process_is_nine_peers_with_eight_connections_and_one_curve() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let results = ["a", "b"].map(|name| {
        let file = dir.path().join(name);
        let output = run(&["--rounds", "3", "--json", file.to_str().expect("UTF-8")]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("round   3/3") && said.contains("federated") && said.contains("central"), "{said}");
        json(&file)
    });
    let peers: BTreeSet<&str> =
        results[0]["peers"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!((peers.len(), results[0]["connections"].as_u64()), (9, Some(8)));
    assert!(peers.iter().all(|p| p.starts_with("12D3KooW")), "{peers:?}");
    assert_eq!(results[0]["curve"], results[1]["curve"]);
    assert_eq!(results[0]["curve"].as_array().map(Vec::len), Some(3));
    assert_eq!(results[0]["missing"], serde_json::json!([[], [], []]));
    for key in ["accuracy", "central_accuracy", "alone_accuracy", "seconds", "bytes_sent"] {
        assert!(results[0][key].as_f64().is_some_and(|n| n > 0.0), "{key}");
    }
}

#[test]
fn a_server_and_two_clients_in_processes_of_their_own() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("results.json");
    let args = ["server", "--clients", "2", "--rounds", "4", "--epochs", "1", "--json", file.to_str().expect("UTF-8")];
    let mut server = Process::start(&args);
    let address = server.line();
    assert!(address.starts_with("/ip4/127.0.0.1/tcp/") && address.contains("/p2p/12D3KooW"), "{address}");
    let mut clients = ["1/2", "2/2"].map(|shard| Process::client(&address, shard, &dir.path().join(&shard[..1])));
    server.line_with("round   4/4");
    assert!(server.child.wait().expect("it ends").success());
    for client in &mut clients {
        client.line_with("the server has ended");
        assert!(client.child.wait().expect("it ends").success());
    }
    let results = json(&file);
    assert_eq!((results["rounds"].as_u64(), results["clients"].as_u64()), (Some(4), Some(2)));
    assert_eq!(results["peers"].as_array().map(Vec::len), Some(3));
    assert!(results["accuracy"].as_f64() > results["alone_accuracy"].as_f64().map(|a| a / 2.0));
}

#[test]
fn a_killed_client_is_missing_until_it_starts_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server =
        Process::start(&["server", "--clients", "3", "--rounds", "100000", "--epochs", "1", "--quorum", "0.6"]);
    let address = server.line();
    let key = |n: usize| dir.path().join(n.to_string());
    let mut clients: Vec<Process> = (1..=3).map(|n| Process::client(&address, &format!("{n}/3"), &key(n))).collect();
    let identity = clients[2].line_with("client");
    server.line_with("clients 3/3");
    drop(clients.pop());
    server.line_with("clients 2/3");
    let again = Process::client(&address, "3/3", &key(3));
    assert_eq!(again.line_with("client"), identity, "it returns as itself");
    server.line_with("clients 3/3");
}

#[test]
fn a_server_killed_and_started_again_continues_at_its_round() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (file, checkpoint) = (dir.path().join("results.json"), dir.path().join("server"));
    let (file, checkpoint) = (file.to_str().expect("UTF-8"), checkpoint.to_str().expect("UTF-8"));
    let server = |listen: &str| {
        let args = ["server", "--listen", listen, "--checkpoint", checkpoint, "--json", file];
        Process::start(&[&args[..], &["--clients", "2", "--rounds", "60", "--epochs", "1"]].concat())
    };
    let first = server("/ip4/127.0.0.1/tcp/0");
    let address = first.line();
    let clients = ["1/2", "2/2"].map(|shard| Process::client(&address, shard, &dir.path().join(&shard[..1])));
    first.line_with("round  10/60");
    drop(first);
    let listen = address.split("/p2p/").next().expect("an address");
    let mut again = server(listen);
    assert_eq!(again.line(), address, "it returns as itself");
    again.line_with("round  60/60");
    assert!(again.child.wait().expect("it ends").success());
    for client in clients {
        client.line_with("the server has ended");
    }
    let results = json(Path::new(file));
    let before = results["rounds_before"].as_u64().expect("a number");
    assert!((9..60).contains(&before), "{before} rounds were done");
    assert_eq!(results["curve"].as_array().map(Vec::len), Some(60 - before as usize));
    assert!(results["accuracy"].as_f64() > Some(0.8), "{}: the model of before went on", results["accuracy"]);
}

#[test]
fn what_cannot_work_is_said_in_one_message() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let bad = dir.path().join("bad.csv");
    std::fs::write(&bad, "1,2,3\n").expect("writable");
    let bad = bad.to_str().expect("UTF-8");
    let open = dir.path().join("open.key");
    std::fs::write(&open, [7; 64]).expect("writable");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    }
    let open = open.to_str().expect("UTF-8");
    let somewhere = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWNxiXL2vYvnHmHU6edGBvwwCvovmUfsUfpwZEQuxtfLm1";
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let taken = format!("/ip4/127.0.0.1/tcp/{port}");
    let cases: &[(&[&str], &str)] = &[
        (&["--data", bad], "row 1: 3 columns instead of 65"),
        (&["--data", "/nowhere.csv"], "cannot read /nowhere.csv"),
        (&["--quorum", "1.5"], "a fraction above 0"),
        (&["server", "--listen", "somewhere"], "`somewhere` is not an address"),
        (&["server", "--listen", &taken], "cannot listen on"),
        (&["client", "--dial", somewhere, "--shard", "5/4"], "from 1, like 2/4"),
        (&["client", "--dial", "nobody", "--shard", "1/4", "--key", bad], "key"),
        (&["client", "--dial", somewhere, "--shard", "1/4", "--key", open], "key"),
    ];
    for (args, says) in cases {
        let output = run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{args:?}: {said}");
        assert_eq!(said.matches("error:").count(), 1, "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn results_name_who_was_missing_in_each_round_and_why() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("results.json");
    let json_file = file.to_str().expect("UTF-8");
    let args = ["server", "--clients", "3", "--rounds", "200", "--epochs", "1", "--quorum", "0.6", "--json", json_file];
    let mut server = Process::start(&args);
    let address = server.line();
    let key = |n: usize| dir.path().join(n.to_string());
    let mut clients: Vec<Process> = (1..=3).map(|n| Process::client(&address, &format!("{n}/3"), &key(n))).collect();
    let said = clients[2].line_with("client");
    let peer = said.split(' ').nth(1).expect("client <peer> with shard …");
    server.line_with("round   3/200");
    drop(clients.pop());
    server.line_with("round 200/200");
    assert!(server.child.wait().expect("it ends").success());
    let results = json(&file);
    let missing = results["missing"].as_array().expect("a list per round");
    assert_eq!((missing.len(), &missing[2]), (200, &serde_json::json!([])));
    assert_eq!(missing[199], serde_json::json!([{ "peer": peer, "reason": "not_connected" }]));
    let reasons: BTreeSet<&str> = missing.iter().filter_map(|round| round[0]["reason"].as_str()).collect();
    assert!(reasons.is_subset(&["peer_lost", "not_connected"].into()), "{reasons:?}");
}

#[test]
fn hundreds_of_simulated_clients_run_the_same_rounds_twice_and_leave_nothing_behind() {
    let said = ["a", "b"].map(|_| {
        let output = run(&["simulate", "--clients", "300", "--rounds", "2", "--epochs", "1", "--loss", "0.05"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    let rounds: Vec<Vec<&str>> = said.each_ref().map(|s| s.lines().filter(|l| l.starts_with("round")).collect()).into();
    assert!(rounds[0].len() == 2 && rounds[0][0].contains("accuracy"), "{}", said[0]);
    // All but how long it took here.
    let same = |line: &&str| line.split(" in ").next().map(str::to_owned);
    assert!(rounds[0].iter().map(same).eq(rounds[1].iter().map(same)), "{said:?}");
    assert!(said[0].contains("0 nodes hold something at the end"), "{}", said[0]);
}
