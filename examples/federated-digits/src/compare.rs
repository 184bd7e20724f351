//! Every aggregator on the same clients: all honest, and some not.

use crate::aggregator::Aggregation;
use crate::options::Run;
use crate::report::{say, table};
use crate::server::Failure;
use crate::together::Together;
use clap::ValueEnum;

/// Runs them one after another, and says how good each one's model becomes.
///
/// An aggregator is told to bear the same number of liars in both runs, since a server does not know who lies.
pub async fn run(run: &Run) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for aggregator in Aggregation::value_variants() {
        let run = Run { aggregator: Some(*aggregator), ..run.clone() };
        let mut row = [aggregator.name(), String::new(), String::new()];
        for (cell, hostile) in row[1..].iter_mut().zip([0, run.byzantine]) {
            let (outcome, why) = match Together::start(&run, hostile).await?.accuracy().await {
                Ok(accuracy) => (format!("{accuracy:.3}"), String::new()),
                Err(error) => ("none".to_owned(), format!(": {error}")),
            };
            say(&format!("{}, {hostile} of {} clients hostile: {outcome}{why}", aggregator.name(), run.clients));
            *cell = outcome;
        }
        rows.push(row);
    }
    let hostile = format!("accuracy, {} of {} hostile", run.byzantine, run.clients);
    say(&table(["aggregator".into(), "accuracy, all honest".into(), hostile], rows).to_string());
    Ok(())
}
