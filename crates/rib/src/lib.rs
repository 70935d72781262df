//! One table, one owner: store, decision, journal, export groups.
//!
//! Plain structs with `&mut self`: no thread, clock, socket or log. Whoever owns
//! a [`table::Table`] applies [`batch::Act`]s to it and takes sealed
//! [`batch::ChangeBatch`]es from it; whoever owns a group applies those.

pub mod batch;
pub mod decision;
pub mod export;
pub mod query;
pub mod stats;
pub mod table;
