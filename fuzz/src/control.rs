//! Lines of the control socket.

use control::order::Order;
use rbird_conf::config::Config;
use rbird_conf::files::Memory;
use rbird_conf::{LoadOptions, load};
use std::sync::OnceLock;

/// The configuration whose names the lines may use: that of a router of the lab.
fn running() -> &'static Config {
    static RUNNING: OnceLock<Config> = OnceLock::new();
    RUNNING.get_or_init(|| {
        let files = Memory::new().with("c", include_str!("../../config/router1.conf"));
        load("c", &files, &LoadOptions::default())
            .map(|loaded| loaded.config)
            .unwrap_or_else(|e| panic!("{}", e.line()))
    })
}

/// A line: it is an order or refused with an error code and one line of text.
pub fn control(line: &[u8]) {
    if let Err(refusal) = Order::parse(line, running()) {
        assert!((8000..10000).contains(&refusal.code), "{}", refusal.code);
        assert!(!refusal.text.contains('\n'), "{:?}", refusal.text);
        assert!(refusal.text.len() <= 1000 + 4 * line.len(), "{} octets of answer", refusal.text.len());
    }
}
