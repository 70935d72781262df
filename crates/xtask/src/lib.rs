//! What `cargo xtask` does, for its program and for the integration tests:
//! network namespaces, topology files, and the programs of the project.

#![allow(missing_docs, reason = "a tool of developers, read as a whole")]

mod arrows;
pub mod bench;
pub mod boot;
pub mod build;
mod clauses;
pub mod count;
pub mod filters;
pub mod fuzz;
pub mod inside;
pub mod lab;
pub mod netns;
pub mod reenter;
pub mod suite;
pub mod topology;
