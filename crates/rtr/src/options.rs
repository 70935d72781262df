//! What the operator wants of a session: how often to ask, how long data count, and which versions are spoken.

use crate::pdu::Times;

/// A time that the server may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// In seconds.
    pub seconds: u32,
    /// What the server says does not count.
    pub keep: bool,
}

/// See the head of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long to wait before asking for news.
    pub refresh: Interval,
    /// How long to wait after a failure.
    pub retry: Interval,
    /// How long data count that are not renewed.
    pub expire: Interval,
    /// Authorisations are taken up to the greatest length.
    pub ignore_max_length: bool,
    /// The oldest version that is spoken.
    pub min_version: u8,
    /// The newest one.
    pub max_version: u8,
}

impl Options {
    /// The times that count until the server has said others.
    pub(crate) const fn times(&self) -> Times {
        Times { refresh: self.refresh.seconds, retry: self.retry.seconds, expire: self.expire.seconds }
    }
}

/// Whether a time makes sense (RFC 8210 6); BIRD's words when it does not.
pub fn check_interval(which: &str, seconds: u32) -> Result<(), String> {
    let (least, most) = match which {
        "refresh" => (1, 86_400),
        "retry" => (1, 7200),
        _ => (600, 172_800),
    };
    match seconds {
        s if s < least => {
            let unit = if least == 1 { "second" } else { "seconds" };
            Err(format!("Minimum allowed {which} interval is {least} {unit}"))
        }
        s if s > most => Err(format!("Maximum allowed {which} interval is {most} seconds")),
        _ => Ok(()),
    }
}
