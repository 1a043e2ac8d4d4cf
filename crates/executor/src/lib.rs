//! The executor process: settings, listeners, life cycle.
