//! The front end as a service, with a handler of the test.
