//! A place in a source file, as rustc shows it: the line, and carets under the token.

use super::SourcePlace;

/// `--> place` and the lines that show it in `text`, indented; nothing where the file has no such line.
pub fn of(place: &SourcePlace, text: &str) -> Option<String> {
    let line = text.lines().nth(usize::try_from(place.line).ok()?.checked_sub(1)?)?;
    let start = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let (before, rest) = line.split_at_checked(start)?;
    let token = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').count().max(1);
    // A tab stays one, so that the carets stand below whatever width it is shown with.
    let margin: String = before.chars().map(|c| if c == '\t' { c } else { ' ' }).collect();
    let number = place.line.to_string();
    let gutter = " ".repeat(number.len());
    Some(format!(
        "    {gutter}--> {place}\n    {gutter} |\n    {number} | {}\n    {gutter} | {margin}{}",
        line.trim_end(),
        "^".repeat(token)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, column: u32) -> SourcePlace {
        SourcePlace { file: "src/graph.rs".into(), line, column }
    }

    #[test]
    fn the_token_is_underlined() {
        let text = "fn f() {\n    graph.wire(x, to)\n}\n";
        let shown = of(&at(2, 11), text).expect("the line is there");
        assert_eq!(shown, "     --> src/graph.rs:2:11\n      |\n    2 |     graph.wire(x, to)\n      |           ^^^^");
        assert!(of(&at(1, 8), text).expect("the line is there").ends_with("|        ^"), "an operator is one caret");
    }

    #[test]
    fn a_place_that_is_not_there_shows_nothing() {
        for place in [at(9, 1), at(1, 99), at(0, 1), at(1, 0)] {
            assert_eq!(of(&place, "fn f() {}\n"), None, "{place}");
        }
        assert_eq!(of(&at(1, 2), "ä"), None, "inside a character");
    }
}
