//! `timeformat`: how times are written, by their age.

use super::Dialect;
use std::sync::Arc;

/// A `timeformat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormat {
    /// strftime, with `%f` for milliseconds (`%3f`).
    pub format: Arc<str>,
    /// Age in seconds above which the other is used.
    pub limit_s: u32,
    /// The format of older times.
    pub older: Option<Arc<str>>,
}

impl TimeFormats {
    /// One format for all uses: what a client of the control socket asks for.
    pub fn all(format: &TimeFormat) -> Self {
        let [base, log, protocol, route] = [(); 4].map(|()| format.clone());
        Self { base, log, protocol, route }
    }
}

/// The four formats of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormats {
    /// `timeformat route`.
    pub route: TimeFormat,
    /// `timeformat protocol`.
    pub protocol: TimeFormat,
    /// `timeformat base`.
    pub base: TimeFormat,
    /// `timeformat log`.
    pub log: TimeFormat,
}

impl TimeFormat {
    /// Ages up to this are shown by the first format of `iso short`, in seconds.
    pub const SHORT_LIMIT_S: u32 = 20 * 3600;

    /// `iso short`: the time of young ones, the date of old ones.
    pub fn iso_short() -> Self {
        Self { format: "%T".into(), limit_s: Self::SHORT_LIMIT_S, older: Some("%F".into()) }
    }

    /// `iso short ms`, `iso short us`: with so many digits of the second's fraction.
    pub fn iso_short_to(digits: u8) -> Self {
        Self { format: format!("%T.%{digits}f").into(), ..Self::iso_short() }
    }

    /// `iso long ms`, `iso long us`.
    pub fn iso_long_to(digits: u8) -> Self {
        Self::plain(&format!("%F %T.%{digits}f"))
    }

    /// `old short`: hours and minutes of young ones, month and day of old ones.
    ///
    /// BIRD writes the year alone above 360 days; here month and day stay.
    pub fn old_short() -> Self {
        Self { format: "%R".into(), limit_s: Self::SHORT_LIMIT_S, older: Some("%b%d".into()) }
    }

    /// One format for all ages.
    pub fn plain(format: &str) -> Self {
        Self { format: format.into(), limit_s: 0, older: None }
    }
}

impl TimeFormats {
    /// The defaults of a dialect: whole seconds in 1.6, milliseconds in 2.
    pub fn of(dialect: Dialect) -> Self {
        let (short, long) = match dialect {
            Dialect::V1 => (TimeFormat::iso_short(), TimeFormat::plain("%F %T")),
            Dialect::V2 => (TimeFormat::iso_short_to(3), TimeFormat::iso_long_to(3)),
        };
        Self { route: short.clone(), protocol: short, base: long.clone(), log: long }
    }
}

impl Default for TimeFormats {
    fn default() -> Self {
        Self::of(Dialect::V1)
    }
}
