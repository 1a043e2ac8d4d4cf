//! Mistakes in `dynamic_batching(…)`.

use executor_macros::{executor, requests};

#[derive(Default)]
struct UnknownKey;

#[executor]
impl UnknownKey {
    #[requests(dynamic_batching(prefered_batch_size = 4))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct SizeIsText;

#[executor]
impl SizeIsText {
    #[requests(dynamic_batching(preferred_batch_size = "4"))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct SizeIsZero;

#[executor]
impl SizeIsZero {
    #[requests(dynamic_batching(preferred_batch_size = 0, timeout = 10))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct SizeIsNegative;

#[executor]
impl SizeIsNegative {
    #[requests(dynamic_batching(preferred_batch_size = -1))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct TimeoutIsMissing;

#[executor]
impl TimeoutIsMissing {
    #[requests(dynamic_batching(preferred_batch_size = 4, timeout))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct TimeoutIsNoTime;

#[executor]
impl TimeoutIsNoTime {
    #[requests(dynamic_batching(timeout = 0.5))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct TimeoutIsTooLong;

#[executor]
impl TimeoutIsTooLong {
    #[requests(dynamic_batching(timeout = 99999999999999999999))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct FlagIsNumber;

#[executor]
impl FlagIsNumber {
    #[requests(dynamic_batching(flush_all = 1))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct MetricIsText;

#[executor]
impl MetricIsText {
    #[requests(dynamic_batching(custom_metric = "len"))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct SaidTwice;

#[executor]
impl SaidTwice {
    #[requests(dynamic_batching(timeout = 1, preferred_batch_size = 4, timeout = 2))]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct NothingSaid;

#[executor]
impl NothingSaid {
    #[requests(dynamic_batching)]
    fn f(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct Streamed;

#[executor]
impl Streamed {
    #[requests(dynamic_batching(preferred_batch_size = 4))]
    fn f(&self, doc: String) -> impl Stream<Item = String> {}
}

fn main() {}
