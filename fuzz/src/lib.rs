//! What is fuzzed, a module for each crate: functions that take octets and panic when something does not hold.
//!
//! A target is such a function, a file of two lines in `src/bin` and a folder of seeds; see README.md.

pub mod bfd;
pub mod conf;
pub mod control;
pub mod rtr;
pub mod wire;
