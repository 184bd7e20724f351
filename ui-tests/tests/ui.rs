//! Every mistake is one error, at the right token, in bb's words.
//!
//! `TRYBUILD=overwrite cargo test -p ui-tests` writes what rustc says now; read it before you commit it.

#[test]
fn mistakes_are_told_at_the_token() {
    let cases = trybuild::TestCases::new();
    cases.pass("cases/ok.rs");
    for kind in ["placement", "cardinality", "types", "macros", "slots"] {
        cases.compile_fail(format!("cases/{kind}/*.rs"));
    }
}
