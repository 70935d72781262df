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
use std::cell::RefCell;
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
    /// For the format, and for the one for older times.
    remembered: RefCell<[Remembered; 2]>,
}

/// Texts of instants by one pattern.
#[derive(Clone, Debug, Default)]
struct Remembered {
    pattern: String,
    /// Milliseconds that make no difference to the text: 1,000, or 1 when the pattern may show less than a second.
    grain_ms: i64,
    /// Each instant, in grains, has one place.
    places: Vec<(i64, String)>,
}

/// How many instants are remembered: more than an hour has seconds.
const PLACES: usize = 4096;

impl Remembered {
    /// The text of an instant; made only when it is not remembered.
    fn text(&mut self, unix_ms: i64, pattern: &str, make: impl FnOnce() -> String) -> &str {
        if self.pattern != pattern || self.places.is_empty() {
            pattern.clone_into(&mut self.pattern);
            self.grain_ms = if is_of_whole_seconds(pattern) { 1000 } else { 1 };
            self.places = vec![(i64::MIN, String::new()); PLACES];
        }
        let instant = unix_ms.div_euclid(self.grain_ms);
        let at = instant.rem_euclid(PLACES as i64) as usize;
        let Some((of, text)) = self.places.get_mut(at) else { return TOO_LONG };
        if *of != instant {
            (*of, *text) = (instant, make());
        }
        text
    }
}

/// Whether a pattern has only conversions that do not show parts of a second.
fn is_of_whole_seconds(pattern: &str) -> bool {
    let mut conversions = pattern.split('%').skip(1);
    conversions.all(|rest| rest.starts_with(|c| "YCymBbhdejaAuwHIklMSpPTRFDzZs".contains(c)))
}

impl Stamps {
    /// For replies made now, in the machine's zone.
    pub fn new(now: Now) -> Self {
        Self::in_zone(now, TimeZone::system())
    }

    /// In a zone of the caller's.
    pub fn in_zone(now: Now, zone: TimeZone) -> Self {
        Self { now, zone, remembered: RefCell::default() }
    }

    /// The instant for which replies are made.
    pub const fn now(&self) -> Now {
        self.now
    }

    /// The text of a moment: by the format, or by the one for older times when its age is above the limit.
    pub fn text(&self, at: Moment, format: &TimeFormat) -> String {
        let (unix_ms, pattern, _) = self.choose(at, format);
        self.made(unix_ms, pattern)
    }

    /// The same, remembered, for replies with many times.
    pub fn with_text(&self, at: Moment, format: &TimeFormat, then: impl FnOnce(&str)) {
        let (unix_ms, pattern, is_older) = self.choose(at, format);
        let [young, older] = &mut *self.remembered.borrow_mut();
        let remembered = if is_older { older } else { young };
        then(remembered.text(unix_ms, pattern, || self.made(unix_ms, pattern)));
    }

    /// Milliseconds since 1970, the pattern for them, and whether it is the one for older times.
    fn choose<'f>(&self, at: Moment, format: &'f TimeFormat) -> (i64, &'f str, bool) {
        let age_ms = self.now.moment.since_ms(at);
        let unix_ms = self.now.unix_ms.saturating_sub_unsigned(age_ms);
        match &format.older {
            Some(older) if format.limit_s > 0 && age_ms / 1000 > u64::from(format.limit_s) => (unix_ms, older, true),
            _ => (unix_ms, &format.format, false),
        }
    }

    fn made(&self, unix_ms: i64, pattern: &str) -> String {
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
    fn a_text_that_is_remembered_is_the_one_that_would_be_made() {
        let stamps = stamps();
        let now = stamps.now().moment.0;
        for pattern in ["%T", "%F %T", "%H:%M:%S.%3f", "%s", "%T%.3f", "%c", "100%", "%%L"] {
            let format = TimeFormat { format: pattern.into(), limit_s: 3600, older: Some("%d-%m-%Y %k".into()) };
            for ago in [0, 1, 999, 1000, 1001, 4_096_000, 4_096_001, 3_601_000, 86_400_000, 1, 0] {
                let at = Moment(now - ago);
                let mut heard = String::new();
                stamps.with_text(at, &format, |text| text.clone_into(&mut heard));
                assert_eq!(heard, stamps.text(at, &format), "{pattern} {ago}");
            }
        }
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
