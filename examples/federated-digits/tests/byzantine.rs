//! What each aggregator does when two of eight clients are hostile.

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
    let output = run(&["--byzantine", "2", "--compare", "--rounds", "8", "--alpha", "100"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for means in ["fedavg", "fedavgm", "fedadam"] {
        let [honest, hostile] = accuracies(&said, means);
        assert!(honest > 0.85 && hostile < 0.3, "{means}: {honest} and {hostile}");
    }
    for robust in ["median", "trimmed-mean", "krum", "multi-krum"] {
        let [honest, hostile] = accuracies(&said, robust);
        assert!(honest > 0.85 && hostile > honest - 0.05, "{robust}: {honest} and {hostile}");
    }
    let [honest, hostile] = accuracies(&said, "norm-clipping");
    assert!(honest > 0.85 && hostile > 0.7, "norm-clipping: {honest} and {hostile}");
}

#[test]
fn an_aggregator_that_cannot_bear_so_many_says_so() {
    for (args, says) in [
        (&["--byzantine", "3", "--aggregator", "krum", "--rounds", "1"][..], "with 3 liars among them it takes 9"),
        (&["--byzantine", "9"], "9 of 8 clients cannot be hostile"),
        (&["--compare"], "--byzantine"),
        (&["--aggregator", "mode"], "possible values: fedavg"),
    ] {
        let output = run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
