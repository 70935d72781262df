//! The filter language: syntax, compiler, interpreter.
//!
//! This room owns the tokens of bird.conf (`syntax`), because filters and
//! options are written in one language and errors of both need the same places.
//! A filter is compiled once, statically typed, and knows its inputs.

pub mod ast;
mod compile;
mod interpret;
pub mod language;
pub mod mask;
pub mod names;
mod operate;
mod parse;
pub mod prefix_set;
pub mod program;
pub mod run;
pub mod set;
pub mod span;
mod subject;
pub mod symbols;
pub mod syntax;
pub mod value;

pub use interpret::Scratch;
pub use language::{Evaluated, Expression};
pub use run::{Env, Filter, Inputs, Outcome, Policy, RouteView, Verdict};
pub use span::{Diagnostic, FileId, Level, Span};
pub use symbols::{Symbol, SymbolKind, Symbols};
pub use value::{Type, Value};
