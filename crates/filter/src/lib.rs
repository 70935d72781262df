//! The filter language: syntax, compiler, interpreter.
//!
//! This room owns the tokens of bird.conf (`syntax`), because filters and
//! options are written in one language and errors of both need the same places.
//! A filter is compiled once and knows its inputs. Names, numbers of arguments and
//! whatever stands in sets are checked then; types when it runs, as in BIRD 1.6,
//! which starts with filters that are wrong for some routes only; in dialect 2 also
//! before, where they are known (`dialect`).
//!
//! Text goes through `syntax` (tokens), `parse` (the tree of `ast`), `compile`
//! (a `program`) to `interpret`; `language` is the door for `conf`, [`Filter::run`]
//! the one for everybody who has routes, with [`Memory`] where many of them have
//! the same attributes.

pub mod ast;
mod compile;
pub mod dialect;
mod interpret;
pub mod language;
pub mod mask;
mod memory;
pub mod names;
mod never;
mod operate;
mod parse;
pub mod prefix_set;
pub mod program;
mod route_key;
pub mod run;
pub mod set;
pub mod span;
mod subject;
pub mod suggest;
pub mod symbols;
pub mod syntax;
mod types;
pub mod value;

pub use dialect::{Dialect, Rules};
pub use interpret::Scratch;
pub use language::{Evaluated, Expression};
pub use memory::Memory;
pub use route_key::RouteKey;
pub use run::{Authorised, Env, Filter, Inputs, Outcome, Policy, RouteView, Verdict};
pub use span::{Diagnostic, FileId, Level, Span};
pub use symbols::{Symbol, SymbolKind, Symbols};
pub use value::{Type, Value};
