//! Configurations.

use rbird_conf::files::Memory;
use rbird_conf::plan::diff;
use rbird_conf::{LoadOptions, load};
use route::Family;

/// A text of a configuration, which may include itself: it is read or refused with a place. What was read, read once
/// more, is the same: nothing would be done by `configure`.
pub fn configuration(text: &[u8]) {
    let files = Memory::new().with("c", text).with("other", "table t; include \"c\";");
    for family in [Family::Ipv4, Family::Ipv6] {
        let options = LoadOptions { family, dialect: None, before: None };
        match load("c", &files, &options) {
            Ok(loaded) => {
                let again = load("c", &files, &options).map(|again| again.config);
                let again = again.unwrap_or_else(|refused| panic!("refused the second time: {}", refused.line()));
                assert!(diff(&loaded.config, &again).is_empty());
            }
            Err(refused) => {
                assert!(!refused.diagnostics.is_empty());
                assert!(!refused.line().chars().any(char::is_control), "{:?}", refused.line());
                let octets: usize = refused.report(false).iter().map(String::len).sum();
                assert!(octets <= 100_000 + 200 * text.len(), "{octets} octets of report");
            }
        }
    }
}
