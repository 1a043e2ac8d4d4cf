//! Mistakes in executors are shown where they were made.

#[test]
fn mistakes_are_shown_where_they_were_made() {
    trybuild::TestCases::new().compile_fail("tests/compile_errors/*.rs");
}
