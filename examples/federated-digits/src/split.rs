//! Who has which rows: a held-out fifth, and shards whose labels are skewed.

use crate::data::{CLASSES, Data};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};

/// A data set cut into what models are tested on and what each client has.
pub struct Split {
    /// A fifth of all rows, the same for one seed; in no shard.
    pub test: Data,
    /// One per client.
    pub shards: Vec<Data>,
}

impl Split {
    /// A function of the data, the seed, alpha and the number of shards alone.
    ///
    /// Of every digit the shards get parts drawn from a symmetric Dirichlet distribution (Hsu et al., "Measuring the
    /// Effects of Non-Identical Data Distribution for Federated Visual Classification", 2019): the smaller alpha, the
    /// more skewed. A shard that gets nothing takes a row from the largest.
    pub fn new(data: &Data, seed: u64, alpha: f64, shards: usize) -> Split {
        let mut order: Vec<usize> = (0..data.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (test, train) = order.split_at(data.len() / 5);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed_5eed);
        let gamma = Gamma::new(alpha, 1.0).expect("alpha is checked to be positive");
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); shards];
        for class in 0..CLASSES {
            let of_class: Vec<usize> = train.iter().copied().filter(|r| data.labels[*r] == class).collect();
            let parts: Vec<f64> = (0..shards).map(|_| gamma.sample(&mut rng)).collect();
            let total: f64 = parts.iter().sum();
            let (mut from, mut sum) = (0, 0.0);
            for (shard, part) in parts.iter().enumerate() {
                // Very small alphas can draw nothing but zeros.
                sum += if total > 0.0 { part / total } else { 1.0 / shards as f64 };
                let last = shard + 1 == shards;
                let to = if last {
                    of_class.len()
                } else {
                    ((sum * of_class.len() as f64) as usize).clamp(from, of_class.len())
                };
                rows[shard].extend_from_slice(&of_class[from..to]);
                from = to;
            }
        }
        while let Some(empty) = rows.iter().position(Vec::is_empty) {
            let largest = (0..shards).max_by_key(|s| rows[*s].len()).filter(|s| rows[*s].len() > 1);
            let Some(row) = largest.and_then(|s| rows[s].pop()) else { break };
            rows[empty].push(row);
        }
        Split { test: data.rows(test), shards: rows.iter().map(|r| data.rows(r)).collect() }
    }

    /// All shards as one: what central training has.
    pub fn train(data: &Data, seed: u64) -> Data {
        let mut order: Vec<usize> = (0..data.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        data.rows(&order[data.len() / 5..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_follows_from_its_arguments_and_loses_nothing() {
        let data = Data::load(None).expect("built in");
        for (alpha, shards) in [(0.3, 8), (0.01, 30), (100.0, 3), (0.3, 1)] {
            let (a, b) = (Split::new(&data, 1, alpha, shards), Split::new(&data, 1, alpha, shards));
            assert_eq!((&a.test, &a.shards), (&b.test, &b.shards));
            assert_eq!(a.test.len(), data.len() / 5);
            assert_eq!(a.shards.len(), shards);
            assert!(a.shards.iter().all(|s| s.len() > 0));
            assert_eq!(a.shards.iter().map(Data::len).sum::<usize>() + a.test.len(), data.len());
            assert_eq!(Split::new(&data, 1, alpha, shards + 1).test, a.test, "the held-out fifth is the seed's alone");
        }
        assert_ne!(Split::new(&data, 2, 0.3, 8).test, Split::new(&data, 1, 0.3, 8).test);
    }

    #[test]
    fn a_small_alpha_skews_the_labels() {
        let data = Data::load(None).expect("built in");
        let share = |alpha| {
            let split = Split::new(&data, 1, alpha, 8);
            let most = |s: &Data| (0..CLASSES).map(|c| s.labels.iter().filter(|l| **l == c).count()).max().unwrap_or(0);
            split.shards.iter().map(|s| most(s) as f64 / s.len() as f64).sum::<f64>() / 8.0
        };
        assert!(share(0.3) > 1.5 * share(100.0), "{} and {}", share(0.3), share(100.0));
    }
}
