//! The configuration surface: command lines, environment and files become one checked specification.
