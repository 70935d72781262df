//! Octets to BGP messages and back.
//!
//! Pure: no socket, clock or log. Octets of a peer are touched only here, by a
//! reader that cannot run past its end; whatever they are, the answer is a
//! message, a treatment of RFC 7606, or the NOTIFICATION to send.

pub mod capability;
pub mod notification;
pub mod open;

pub use capability::Capabilities;
pub use notification::Notification;
pub use open::Open;
