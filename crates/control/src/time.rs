//! Moments as wall-clock text: the four `timeformat`s.
//!
//! A moment counts from the start of the daemon on a clock that never jumps. Its
//! wall-clock time is found backwards from now, as BIRD does it, so text follows
//! when somebody sets the clock. The log of the daemon prints by the same rules.

use conf::config::TimeFormat;
use jiff::Timestamp;
use jiff::fmt::strtime::{BrokenDownTime, Config};
use jiff::tz::TimeZone;
use route::Moment;
use std::sync::Arc;

/// One instant on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// On the daemon's clock.
    pub moment: Moment,
    /// Milliseconds since 1970, UTC.
    pub unix_ms: i64,
}

/// Reads both clocks; the daemon gives it, tests make their own.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// The longest text of a time; longer ones become [`TOO_LONG`], as in BIRD.
const LEN_MAX: usize = 31;
const TOO_LONG: &str = "<too-long>";

/// Turns moments into text for one reply: now and the zone are the same for all its lines.
#[derive(Clone, Debug)]
pub struct Stamps {
    now: Now,
    zone: TimeZone,
}

impl Stamps {
    /// For replies made now, in the machine's zone.
    pub fn new(now: Now) -> Self {
        Self { now, zone: TimeZone::system() }
    }

    /// In a zone of the caller's.
    pub const fn in_zone(now: Now, zone: TimeZone) -> Self {
        Self { now, zone }
    }

    /// The instant for which replies are made.
    pub const fn now(&self) -> Now {
        self.now
    }

    /// The text of a moment: by the format, or by the one for older times when its age is above the limit.
    pub fn text(&self, at: Moment, format: &TimeFormat) -> String {
        let age_ms = self.now.moment.since_ms(at);
        let pattern = match &format.older {
            Some(older) if format.limit_s > 0 && age_ms / 1000 > u64::from(format.limit_s) => older,
            _ => &format.format,
        };
        let unix_ms = self.now.unix_ms.saturating_sub_unsigned(age_ms);
        self.strftime(unix_ms, pattern).filter(|t| t.len() <= LEN_MAX).unwrap_or_else(|| TOO_LONG.to_owned())
    }

    /// The name of a file of now; a conversion that is none stays as it is written. `None`: it can not be.
    pub fn file_name(&self, pattern: &str) -> Option<String> {
        self.strftime(self.now.unix_ms, pattern)
    }

    fn strftime(&self, unix_ms: i64, pattern: &str) -> Option<String> {
        let zoned = Timestamp::from_millisecond(unix_ms).ok()?.to_zoned(self.zone.clone());
        let mut text = String::new();
        let lenient = Config::new().lenient(true);
        BrokenDownTime::from(&zoned).format_with_config(&lenient, pattern, &mut text).ok()?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso_short() -> TimeFormat {
        TimeFormat { format: "%T".into(), limit_s: 72_000, older: Some("%F".into()) }
    }

    /// 2026-11-22 12:09:40 UTC, an hour and a day after the start of the daemon.
    fn stamps() -> Stamps {
        let now = Now { moment: Moment(90_000_000), unix_ms: 1_795_349_380_000 };
        Stamps::in_zone(now, TimeZone::UTC)
    }

    #[test]
    fn a_time_younger_than_the_limit_has_no_date_and_an_older_one_no_time() {
        let now = stamps().now().moment.0;
        assert_eq!(stamps().text(Moment(now), &iso_short()), "12:09:40");
        assert_eq!(stamps().text(Moment(now - 72_000_000), &iso_short()), "16:09:40");
        assert_eq!(stamps().text(Moment(now - 72_001_000), &iso_short()), "2026-11-21");
    }

    #[test]
    fn text_above_31_characters_is_said_to_be_too_long() {
        let format = |n: usize| TimeFormat { format: "x".repeat(n).into(), limit_s: 0, older: None };
        assert_eq!(stamps().text(Moment(0), &format(31)).len(), 31);
        assert_eq!(stamps().text(Moment(0), &format(32)), "<too-long>");
        assert_eq!(stamps().text(Moment(0), &format(0)), "");
    }

    #[test]
    fn conversions_that_do_not_exist_do_no_harm() {
        for odd in ["%", "%!", "%99999999999d", "%1000000Y", "\u{0}%\u{ff}"] {
            let format = TimeFormat { format: odd.into(), limit_s: 0, older: None };
            assert!(stamps().text(Moment(0), &format).len() <= 31, "{odd:?}");
        }
    }
}
