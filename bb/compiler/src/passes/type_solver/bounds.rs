//! Axes and ranges as ONNX counts them: from the end where they are negative.

/// An axis of a tensor of that rank, or a position in a list of that length.
pub fn axis(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let axis = if axis < 0 { axis + rank } else { axis };
    (0..rank).contains(&axis).then(|| usize::try_from(axis).ok())?
}

/// The first element of a slice and how many there are; `None` for a step of 0.
pub fn slice_range(start: i64, end: i64, step: i64, length: u64) -> Option<(i64, u64)> {
    let length = i64::try_from(length).ok()?;
    let from_front = |i: i64| if i < 0 { i.saturating_add(length) } else { i };
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    // Backwards, a start in front of all is the first element, and an end there is behind it.
    let (start, end) = (from_front(start).max(0).min(high), from_front(end).clamp(low, high));
    let span = match step {
        0 => return None,
        1.. => end - start,
        _ => start - end,
    };
    let count = if span <= 0 { 0 } else { u64::try_from(span).ok()?.div_ceil(step.unsigned_abs()) };
    Some((start, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_elements_there_are() {
        for (start, end, step, length, expected) in [
            (1, 3, 1, 5, (1, 2)),
            (0, i64::MAX, 2, 5, (0, 3)),
            (-2, i64::MAX, 1, 5, (3, 2)),
            (3, 1, 1, 5, (3, 0)),
            (-1, i64::MIN, -1, 5, (4, 5)),
            (9, 0, -2, 5, (4, 2)),
            (-9, i64::MIN, -2, 5, (0, 1)),
            (0, 9, 1, 0, (0, 0)),
            (-1, i64::MIN, -1, 0, (-1, 0)),
        ] {
            assert_eq!(slice_range(start, end, step, length), Some(expected), "{start}..{end} by {step} of {length}");
        }
        assert_eq!(slice_range(0, 1, 0, 5), None);
    }

    #[test]
    fn an_axis_counts_from_the_end_where_it_is_negative() {
        assert_eq!([axis(-1, 3), axis(2, 3), axis(3, 3), axis(-4, 3)], [Some(2), Some(2), None, None]);
    }
}
