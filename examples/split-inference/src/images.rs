//! Images of handwritten digits that the model has not been trained with.

use bb::Tensor;

const EMBEDDED: &str = include_str!("../data/images.csv");

/// Images, 8 by 8, and what they show.
pub fn all() -> Vec<(Tensor, usize)> {
    let row = |line: &str| {
        let numbers: Vec<f32> = line.split(',').map(|n| n.parse().expect("the file holds numbers")).collect();
        let (digit, pixels) = numbers.split_last().expect("a row ends with its digit");
        let pixels = pixels.iter().map(|n| n / 16.0).collect();
        (Tensor::from_vec(&[1, 1, 8, 8], pixels).expect("64 pixels"), *digit as usize)
    };
    EMBEDDED.lines().map(row).collect()
}

/// The digit with the highest score.
pub fn digit(scores: &Tensor) -> usize {
    let scores = scores.as_slice().iter().enumerate();
    scores.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(digit, _)| digit)
}

/// The largest difference between two lists of scores.
pub fn apart(a: &Tensor, b: &Tensor) -> f32 {
    a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
