//! Shapes as a node's metadata writes them: what an op takes, by input.

use crate::types::Dim;

/// `0=N,64;2=_`: the shapes of some inputs.
pub fn write_takes(takes: &[(usize, Vec<Dim>)]) -> String {
    let shape = |(input, dims): &(usize, Vec<Dim>)| {
        let dims: Vec<String> = dims.iter().map(write_dim).collect();
        format!("{input}={}", dims.join(","))
    };
    takes.iter().map(shape).collect::<Vec<_>>().join(";")
}

/// What [`write_takes`] wrote; `None` where it did not.
pub fn parse_takes(text: &str) -> Option<Vec<(usize, Vec<Dim>)>> {
    let shape = |text: &str| {
        let (input, dims) = text.split_once('=')?;
        let dims = if dims.is_empty() { Vec::new() } else { dims.split(',').map(parse_dim).collect::<Option<_>>()? };
        Some((input.parse().ok()?, dims))
    };
    text.split(';').map(shape).collect()
}

fn write_dim(dim: &Dim) -> String {
    match dim {
        Dim::Size(n) => n.to_string(),
        Dim::Named(name) => name.clone(),
        Dim::Unknown => "_".into(),
    }
}

fn parse_dim(text: &str) -> Option<Dim> {
    match text {
        "" => None,
        "_" => Some(Dim::Unknown),
        digits if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.parse().ok().map(Dim::Size),
        name => Some(Dim::Named(name.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_op_takes_is_read_back() {
        let takes = vec![
            (0, vec![Dim::Named("N".into()), Dim::Size(64)]),
            (2, vec![]),
            (10, vec![Dim::Unknown, Dim::Size(0), Dim::Named("é_1".into())]),
        ];
        assert_eq!(write_takes(&takes), "0=N,64;2=;10=_,0,é_1");
        assert_eq!(parse_takes(&write_takes(&takes)), Some(takes));
    }

    #[test]
    fn what_is_no_list_of_shapes_is_none() {
        for text in ["", "0", "x=1", "0=1,,2", "0=1;", "0=99999999999999999999999", "0=6x"] {
            assert_eq!(parse_takes(text), None, "{text}");
        }
    }
}
