//! bird.conf to [`Config`]; two Configs to a Plan; every diagnostic.
//!
//! Pure: files come through a trait, nothing else is asked of the world.

pub mod config;

pub use config::Config;
