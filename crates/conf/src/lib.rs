//! bird.conf to [`Config`]; two Configs to a Plan; every diagnostic.
//!
//! Pure: files come through a trait, nothing else is asked of the world.

pub mod config;
pub mod files;
pub mod load;
pub mod report;

pub use config::{Config, Dialect};
pub use files::Files;
pub use load::{LoadOptions, Loaded, Refused, load};
