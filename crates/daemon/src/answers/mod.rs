//! Answers to the control socket: from handles and tables to views.
//!
//! Each answer is made by a task of its own from copies of handles, so that a
//! long list never holds up the supervisor, and the supervisor never a list.

pub mod protocols;
pub mod routes;
pub mod threads;
