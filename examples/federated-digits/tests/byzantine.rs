//! What each aggregator does when two of eight clients are hostile.

use serde_json::Value;
use std::process::{Command, Output, Stdio};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_federated-digits"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the example runs")
}

/// The two accuracies of an aggregator's row.
fn accuracies(table: &str, aggregator: &str) -> [f64; 2] {
    let row = table.lines().find(|l| l.starts_with(&format!("│ {aggregator} "))).expect("it has a row");
    let mut cells = row.split(['│', '┆']).skip(2).map(|cell| cell.trim().parse().expect("an accuracy"));
    [cells.next().expect("all honest"), cells.next().expect("two hostile")]
}

#[test]
fn robust_aggregators_keep_their_accuracy_where_the_mean_loses_it() {
    let output = run(&["--byzantine", "2", "--rounds", "4", "--alpha", "100"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for means in ["fedavg", "fedavgm", "fedadam"] {
        let [honest, hostile] = accuracies(&said, means);
        assert!(honest > 0.8 && hostile < 0.2, "{means}: {honest} and {hostile}");
    }
    for robust in ["norm-clipping", "median", "trimmed-mean", "krum", "multi-krum"] {
        let [honest, hostile] = accuracies(&said, robust);
        assert!(honest > 0.8 && hostile > 0.8, "{robust}: {honest} and {hostile}");
    }
}

#[test]
fn hostile_clients_do_the_same_harm_every_time() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let curve = |name: &str| {
        let file = dir.path().join(name);
        let path = file.to_str().expect("a temporary path is UTF-8");
        let output = run(&[
            "--byzantine",
            "2",
            "--aggregator",
            "trimmed-mean",
            "--rounds",
            "2",
            "--epochs",
            "1",
            "--json",
            path,
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let results: Value =
            serde_json::from_str(&std::fs::read_to_string(file).expect("it wrote its results")).expect("JSON");
        results["curve"].as_array().expect("a list").clone()
    };
    let first = curve("a");
    assert_eq!((first.len(), &first), (2, &curve("b")));
}

#[test]
fn an_aggregator_that_cannot_bear_so_many_says_so() {
    for (args, says) in [
        (&["--byzantine", "3", "--aggregator", "krum", "--rounds", "1"][..], "with 3 liars among them it takes 9"),
        (&["--byzantine", "9"], "9 of 8 clients cannot be hostile"),
        (&["--aggregator", "mode"], "possible values: fedavg"),
    ] {
        let output = run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
