//! `log` statements: where lines go, and of which classes.

use std::net::IpAddr;
use std::sync::Arc;

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTarget {
    /// The destination.
    pub to: LogDestination,
    /// Bits by class, in BIRD's order.
    pub classes: LogClasses,
}

/// The destination of log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogDestination {
    /// Standard error.
    Stderr,
    /// Syslog under a name (default: the program's).
    Syslog(Option<Arc<str>>),
    /// A file, appended to; with what is done when it is full, if anything.
    File(Arc<str>, Option<Rotation>),
    /// A file of so many octets, which is written round and round (3).
    Circle(Arc<str>, u32),
    /// Datagrams in the form of RFC 3164, to a port of a machine.
    Udp(UdpHost, u16),
}

/// A file that does not grow beyond a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// In octets: a line that would go beyond it goes into a new file.
    pub limit: u32,
    /// The name that the full file is given, in place of what bore it before.
    pub backup: Arc<str>,
}

/// A machine that takes log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UdpHost {
    /// By its address.
    Address(IpAddr),
    /// By its name.
    Name(Arc<str>),
}

/// A set of log classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogClasses(pub u16);

impl LogClasses {
    /// `all`.
    pub const ALL: Self = Self(0x1ff);

    /// These.
    pub fn of(classes: &[LogClass]) -> Self {
        Self(classes.iter().fold(0, |bits, class| bits | 1 << *class as u16))
    }

    /// Whether a class is in it.
    pub const fn has(self, class: LogClass) -> bool {
        self.0 & (1 << class as u16) != 0
    }
}

/// A class of log lines, with the word in front of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the class of its name in BIRD's manual")]
pub enum LogClass {
    Debug,
    Trace,
    Info,
    Remote,
    Warning,
    Error,
    Auth,
    Fatal,
    Bug,
}

impl LogClass {
    /// All classes, with the words of `log` and `echo`.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("debug", Self::Debug),
        ("trace", Self::Trace),
        ("info", Self::Info),
        ("remote", Self::Remote),
        ("warning", Self::Warning),
        ("error", Self::Error),
        ("auth", Self::Auth),
        ("fatal", Self::Fatal),
        ("bug", Self::Bug),
    ];
}
