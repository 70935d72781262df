//! What a machine has to say to the operator: lines for the log, and the last error.
//!
//! Words are BIRD's; the name of the protocol is put in front by who logs.

use std::borrow::Cow;
use std::fmt;

/// The class of a log line; the last three only when the protocol's debug mask asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// ERR.
    Error,
    /// WARN.
    Warning,
    /// INFO.
    Info,
    /// RMT: the neighbour's fault.
    Remote,
    /// TRACE, `states`.
    States,
    /// TRACE, `events`.
    Events,
    /// TRACE, `packets`.
    Packets,
}

/// The kind of the last error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Something here: `Neighbor lost`, `Link down`.
    Local,
    /// The connection: `Connection refused`.
    Socket,
    /// A NOTIFICATION came.
    Received,
    /// A NOTIFICATION was sent.
    Bgp,
    /// We went down by ourselves: a limit.
    Automatic,
}

impl ErrorClass {
    /// BIRD's word in front of the text, with the colon and the blank.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Local => "Error: ",
            Self::Socket => "Socket: ",
            Self::Received => "Received: ",
            Self::Bgp => "BGP Error: ",
            Self::Automatic => "Automatic shutdown: ",
        }
    }
}

/// Why the session is not up; as text it is the `info` column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// What kind.
    pub class: ErrorClass,
    /// BIRD's words.
    pub text: Cow<'static, str>,
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.class.prefix(), self.text)
    }
}
