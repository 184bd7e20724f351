//! What is wrong with a program: a code, a sentence, a place, notes and a cure.

mod codes;
mod snippet;

pub use codes::{CODES, Code, Severity};

use std::fmt;

/// A place in the user's source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePlace {
    /// The file, relative to the manifest.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
}
impl SourcePlace {
    /// From `file:line:column`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        Some(SourcePlace { file: parts.next()?.to_owned(), line, column })
    }
    /// `--> file:line:column`, and below it the line, if `source` has the file.
    pub fn render(&self, source: impl Fn(&str) -> Option<String>) -> String {
        match source(&self.file).and_then(|text| snippet::of(self, &text)) {
            Some(lines) => lines,
            None => format!("     --> {self}"),
        }
    }
}
impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What else to know of a fault, with the place it is about where there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// A sentence.
    pub text: String,
    /// A second place.
    pub at: Option<SourcePlace>,
}

/// A fault of a program, or something to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// A row of [`CODES`].
    pub code: &'static str,
    /// One sentence, in the user's words.
    pub message: String,
    /// The token it is about.
    pub at: Option<SourcePlace>,
    /// The annotated function in whose tokens `at` is looked for: the last name of the node's instance chain.
    pub module: Option<String>,
    /// What else to know, other places among it.
    pub notes: Vec<Note>,
    /// The edit that cures it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A fault with that code and sentence.
    ///
    /// # Panics
    /// If [`CODES`] has no such row: that is a fault of ours.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        assert!(Code::of(code).is_some(), "{code} is not in the table of codes");
        Diagnostic { code, message: message.into(), at: None, module: None, notes: Vec::new(), help: None }
    }
    /// About this token.
    pub fn at(mut self, place: Option<SourcePlace>) -> Self {
        self.at = place;
        self
    }
    /// In this module.
    pub fn in_module(mut self, module: impl Into<String>) -> Self {
        self.module = Some(module.into());
        self
    }
    /// With a further note.
    pub fn note(self, text: impl Into<String>) -> Self {
        self.note_at(text, None)
    }
    /// With a note about a second place.
    pub fn note_at(mut self, text: impl Into<String>, at: Option<SourcePlace>) -> Self {
        self.notes.push(Note { text: text.into(), at });
        self
    }
    /// With notes on the wires that two peers of one class were reached by, as far as it was by wires.
    pub fn note_two_peers(self, class: &str, one: Option<SourcePlace>, other: Option<SourcePlace>) -> Self {
        match (one, other) {
            (Some(one), Some(other)) => self
                .note_at("one came over this wire", Some(one))
                .note_at("the other over this one, which leads to another peer", Some(other)),
            (Some(at), None) | (None, Some(at)) => {
                self.note_at(format!("each is on a `{class}`: one came over this wire, the other did not"), Some(at))
            }
            (None, None) => self.note(format!("each of them is on a `{class}`, but not on the same one")),
        }
    }
    /// With a cure.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
    /// Whether the program is refused for it.
    pub fn severity(&self) -> Severity {
        Code::of(self.code).expect("`new` looks the code up").severity
    }

    /// As rustc shows it, without the place it is about; second places as snippets of the files that `source` has.
    pub fn render(&self, source: impl Fn(&str) -> Option<String>) -> String {
        let mut text = format!("bb[{}]: {}", self.code, self.message);
        for note in &self.notes {
            text += &format!("\n  note: {}", note.text);
            if let Some(at) = &note.at {
                text += &format!("\n{}", at.render(&source));
            }
        }
        if let Some(help) = &self.help {
            text += &format!("\n  help: {help}");
        }
        text
    }
}

/// As rustc shows it, without the place it is about and without lines of source.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(|_| None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_unique() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn a_second_place_is_shown_with_its_line() {
        let second = SourcePlace { file: "src/graph.rs".into(), line: 1, column: 9 };
        let fault = Diagnostic::new("BB0210", "two peers").note_at("one", Some(second)).note("two").help("a cure");
        let text = "    a + b";
        let shown = "bb[BB0210]: two peers\n  note: one\n     --> src/graph.rs:1:9\n      |\n    1 |     a + b\n      |         ^\n  note: two\n  help: a cure";
        assert_eq!(fault.render(|file| (file == "src/graph.rs").then(|| text.to_owned())), shown);
        assert_eq!(
            fault.to_string(),
            "bb[BB0210]: two peers\n  note: one\n     --> src/graph.rs:1:9\n  note: two\n  help: a cure"
        );
    }

    #[test]
    fn a_place_is_read_back() {
        let place = SourcePlace { file: "src/a:b.rs".into(), line: 3, column: 14 };
        assert_eq!(SourcePlace::parse(&place.to_string()), Some(place));
        assert_eq!(SourcePlace::parse("3:14"), None);
    }
}
