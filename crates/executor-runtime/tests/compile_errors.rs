//! Types that do not fit into an executor are named in the words of its author.

#[test]
fn types_that_do_not_fit_are_shown_where_they_stand() {
    trybuild::TestCases::new().compile_fail("tests/compile_errors/*.rs");
}
