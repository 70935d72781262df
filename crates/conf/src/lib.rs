//! bird.conf to [`Config`]; two Configs to a Plan; every diagnostic.
//!
//! Pure: files come through a trait, nothing else is asked of the world. A text
//! is read in one pass: [`fn@load`] puts all files into one row of tokens, a parser
//! walks the tables of statements and options, and what is wrong is kept while
//! it goes on at the next statement. Values, filters and expressions are the
//! filter language's; an option only says which it takes.

mod channel;
pub mod command;
pub mod config;
mod dialect;
pub mod files;
mod finish;
pub mod glob;
mod iproute;
mod language;
pub mod lint;
pub mod load;
pub mod manual;
mod mentions;
mod option;
mod options;
mod parser;
pub mod plan;
mod protocol;
pub mod report;
mod source;
mod statements;

pub use channel::channel_word;
pub use config::{Config, Dialect};
pub use files::Files;
pub use load::{LoadOptions, Loaded, Refused, load};
