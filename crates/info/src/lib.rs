//! What a process says of itself: versions and environment, health and readiness, and how to ask for them.
