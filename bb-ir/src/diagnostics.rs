//! What is wrong with a program: a code, a sentence, a place, notes and a cure.

use std::fmt;

/// One row of the table of codes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `BBnnnn`.
    pub code: &'static str,
    /// What kind of fault it is, in a few words.
    pub title: &'static str,
}

/// Every code, sorted. A fault that has none is a fault of ours.
pub const CODES: &[Code] = &[
    Code { code: "BB0100", title: "a module that `bb::build!` does not mount" },
    Code { code: "BB0101", title: "a panic while recording" },
    Code { code: "BB0102", title: "two root modules of one name" },
    Code { code: "BB0103", title: "two bootstraps of one module" },
    Code { code: "BB0104", title: "a bootstrap of what calls do not start" },
    Code { code: "BB0201", title: "a value of another module" },
    Code { code: "BB0202", title: "the wrong class of a sender" },
    Code { code: "BB0203", title: "the sender of a value that was not sent" },
    Code { code: "BB0204", title: "the wrong class of the origin" },
    Code { code: "BB0205", title: "`graph` where the call does not start" },
    Code { code: "BB0206", title: "an operation that is to come after a value of another place" },
    Code { code: "BB0207", title: "the sender of a parameter" },
    Code { code: "BB0208", title: "a policy on a gather that is a parameter" },
    Code { code: "BB0210", title: "values of two different peers of one class" },
    Code { code: "BB0211", title: "values of a cohort that do not go home" },
    Code { code: "BB0212", title: "a cohort inside a cohort" },
    Code { code: "BB0213", title: "an unknown destination class" },
    Code { code: "BB0214", title: "a wire or an interval in a bootstrap" },
    Code { code: "BB0301", title: "element types that differ" },
    Code { code: "BB0302", title: "shapes that differ" },
    Code { code: "BB0303", title: "a type that cannot be found out" },
    Code { code: "BB0401", title: "a wire nobody reads" },
    Code { code: "BB0402", title: "a role served in two ways" },
    Code { code: "BB0403", title: "a slot that nothing binds" },
    Code { code: "BB0404", title: "a deadline that is no duration" },
    Code { code: "BB0405", title: "a node without its gate" },
    Code { code: "BB0406", title: "a parameter of a bootstrap that is no component of its module" },
    Code { code: "BB0501", title: "an operator that no backend implements" },
    Code { code: "BB0502", title: "a module that calls itself" },
    Code { code: "BB0901", title: "a malformed program" },
];

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
}
impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A fault of a program.
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
    pub notes: Vec<String>,
    /// The edit that cures it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A fault with that code and sentence.
    ///
    /// # Panics
    /// If [`CODES`] has no such row: that is a fault of ours.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        assert!(CODES.iter().any(|c| c.code == code), "{code} is not in the table of codes");
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
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
    /// With a cure.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// As rustc shows it, without the place.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bb[{}]: {}", self.code, self.message)?;
        for note in &self.notes {
            write!(f, "\n  note: {note}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
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
    fn a_place_is_read_back() {
        let place = SourcePlace { file: "src/a:b.rs".into(), line: 3, column: 14 };
        assert_eq!(SourcePlace::parse(&place.to_string()), Some(place));
        assert_eq!(SourcePlace::parse("3:14"), None);
    }
}
