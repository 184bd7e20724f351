//! The handwritten digits: 64 pixels and a label a row.

use flate2::read::GzDecoder;
use ndarray::{Array1, Array2, Axis};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Pixels of an image.
pub const PIXELS: usize = 64;
/// Kinds of digits.
pub const CLASSES: usize = 10;
const EMBEDDED: &[u8] = include_bytes!("../data/digits.csv.gz");

/// Images and what they show.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// `f32[rows, 64]`, each pixel 0 to 1.
    pub images: Array2<f32>,
    /// `[rows]`, each 0 to 9.
    pub labels: Array1<usize>,
}

/// Why there is no data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    #[error(
        "cannot read {file}: {reason}\n  help: give a CSV file of 64 pixels (0 to 16) and a label (0 to 9) a row, gzipped or not"
    )]
    Unreadable { file: String, reason: String },
    #[error(
        "{file}, row {row}: {found} columns instead of 65\n  help: a row is 64 pixels and a label, comma-separated"
    )]
    Columns { file: String, row: usize, found: usize },
    #[error("{file}, row {row}, column {column}: `{text}` is not {wanted}\n  help: mend or remove that row")]
    Cell { file: String, row: usize, column: usize, text: String, wanted: &'static str },
    #[error("{file} has no rows\n  help: give a CSV file of 64 pixels and a label a row")]
    Empty { file: String },
}

impl Data {
    /// The data in `file`, or the set that is built in.
    pub fn load(file: Option<&PathBuf>) -> Result<Self, DataError> {
        match file {
            None => Self::parse("digits.csv.gz", EMBEDDED),
            Some(path) => Self::parse(&path.display().to_string(), &read(path)?),
        }
    }

    fn parse(file: &str, bytes: &[u8]) -> Result<Self, DataError> {
        let file = || file.to_owned();
        let unreadable = |reason: String| DataError::Unreadable { file: file(), reason };
        let mut text = Vec::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            GzDecoder::new(bytes).read_to_end(&mut text).map_err(|e| unreadable(e.to_string()))?;
        } else {
            text.extend_from_slice(bytes);
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_slice());
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for (i, record) in reader.records().enumerate() {
            let row = i + 1;
            let record = record.map_err(|e| unreadable(e.to_string()))?;
            if record.len() != PIXELS + 1 {
                return Err(DataError::Columns { file: file(), row, found: record.len() });
            }
            for (i, cell) in record.iter().enumerate() {
                let (most, wanted) =
                    if i < PIXELS { (16, "a number from 0 to 16") } else { (9, "a digit from 0 to 9") };
                let number = cell.trim().parse::<u8>().ok().filter(|n| *n <= most).ok_or_else(|| DataError::Cell {
                    file: file(),
                    row,
                    column: i + 1,
                    text: cell.to_owned(),
                    wanted,
                })?;
                if i < PIXELS {
                    images.push(f32::from(number) / 16.0);
                } else {
                    labels.push(usize::from(number));
                }
            }
        }
        if labels.is_empty() {
            return Err(DataError::Empty { file: file() });
        }
        let images = Array2::from_shape_vec((labels.len(), PIXELS), images).map_err(|e| unreadable(e.to_string()))?;
        Ok(Data { images, labels: labels.into() })
    }

    /// These rows.
    pub fn rows(&self, rows: &[usize]) -> Data {
        Data { images: self.images.select(Axis(0), rows), labels: self.labels.select(Axis(0), rows) }
    }
    /// How many rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(path).map_err(|e| DataError::Unreadable { file: path.display().to_string(), reason: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pixel: &str, label: &str) -> String {
        format!("{}{label}\n", format!("{pixel},").repeat(PIXELS))
    }

    #[test]
    fn the_built_in_set_is_whole() {
        let data = Data::load(None).expect("built in");
        assert_eq!((data.len(), data.images.dim()), (1797, (1797, PIXELS)));
        assert!(data.images.iter().all(|p| (0.0..=1.0).contains(p)));
        assert!((0..CLASSES).all(|c| data.labels.iter().filter(|l| **l == c).count() > 170));
    }

    #[test]
    fn a_faulty_row_is_named() {
        let good = row("3", "7");
        for (text, says) in [
            (format!("{good}1,2,3\n"), "x, row 2: 3 columns instead of 65"),
            (format!("{good}{}", row("3", "x")), "x, row 2, column 65: `x` is not a digit from 0 to 9"),
            (row("17", "1"), "x, row 1, column 1: `17` is not a number from 0 to 16"),
            (row("1", "10"), "x, row 1, column 65: `10` is not a digit"),
            (String::new(), "x has no rows"),
        ] {
            let error = Data::parse("x", text.as_bytes()).expect_err(says).to_string();
            assert!(error.contains(says) && error.contains("help:"), "{error}");
        }
        assert_eq!(Data::parse("x", good.as_bytes()).expect("one row").labels[0], 7);
        assert!(
            Data::load(Some(&"/nowhere".into())).expect_err("no file").to_string().contains("cannot read /nowhere")
        );
    }
}
