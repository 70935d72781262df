//! `debug latency` and `watchdog`: loops that take longer than is allowed are said, and nothing is said by default.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use anyhow::ensure;
use rbird_integration::{Alone, wait_until};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const REST: &str = "router id 192.0.2.1; protocol device { } protocol static { route 10.0.0.0/8 blackhole; }";

#[test]
fn turns_that_last_longer_than_allowed_are_said_with_what_took_so_long() {
    // No turn ends before it has begun, so each is longer than this.
    let limits = "watchdog warning 0 us; debug latency on; debug latency limit 0 us;";
    let daemon = Alone::start("watchdog", &format!("{limits} {REST}")).unwrap();
    let wanted = [
        "<WARN> Event command of supervisor took ",
        "<WARN> I/O loop cycle of supervisor took ",
        "<WARN> Event configuration of supervisor took ",
        "<WARN> Event master of table",
        "<WARN> I/O loop cycle of table",
        "<DBG> Event log:",
        "<DBG>   Event command of supervisor at ",
    ];
    wait_until("all of it in the log", PATIENCE, || {
        daemon.ask("show status")?;
        daemon.ask("configure")?;
        daemon.ask("dump events")?;
        let log = daemon.log()?;
        let missing: Vec<_> = wanted.iter().filter(|line| !log.contains(**line)).collect();
        Ok((missing.is_empty(), format!("missing: {missing:?} in\n{log}")))
    })
    .unwrap();
    // A reload takes the limits away, and a timeout of 0 is none.
    daemon.write(&format!("watchdog timeout 0 s; {REST}")).unwrap();
    wait_until("the reload", PATIENCE, || Ok((daemon.ask("configure")?.contains("Reconfigured"), String::new())))
        .unwrap();
    wait_until("silence", PATIENCE, || {
        let before = daemon.log()?;
        for _ in 0..5 {
            ensure!(daemon.ask("show status")?.contains("Daemon is up"), "it answers");
        }
        Ok((daemon.log()? == before, before))
    })
    .unwrap();
}
