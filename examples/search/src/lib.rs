//! A Flow that segments text documents and keeps them in a full-text index.
