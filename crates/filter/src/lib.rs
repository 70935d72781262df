//! The filter language: syntax, compiler, interpreter.
//!
//! This room owns the tokens of bird.conf (`syntax`), because filters and
//! options are written in one language and errors of both need the same places.
//! A filter is compiled once, statically typed, and knows its inputs.

pub mod run;
pub mod span;
pub mod syntax;

pub use run::{Env, Filter, Inputs, Outcome, Policy, RouteView, Verdict};
pub use span::{Diagnostic, FileId, Level, Span};
