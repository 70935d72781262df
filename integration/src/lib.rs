//! Labs in network namespaces with real peers, for tests.
//!
//! A [`Pair`] is two machines with one link: rbird on one, another daemon on the
//! other. Everything waits for conditions with a deadline; when a condition is
//! not met, the error carries what both daemons said. Dropping a pair ends every
//! process in its namespaces and removes them.

#![allow(missing_docs, reason = "a tool of developers, read as a whole")]

pub mod alone;
pub mod beside;
pub mod calico;
pub mod daemons;
pub mod pair;

pub use alone::Alone;
pub use pair::Pair;

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Asks until the answer is yes; what was said last goes into the error.
pub fn wait_until(what: &str, most: Duration, mut ask: impl FnMut() -> Result<(bool, String)>) -> Result<()> {
    let until = Instant::now() + most;
    loop {
        let (met, said) = match ask() {
            Ok(answer) => answer,
            Err(error) => (false, format!("{error:#}")),
        };
        if met {
            return Ok(());
        }
        if Instant::now() > until {
            bail!("after {most:?}: not {what}; last seen:\n{said}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Where rbird and rbirdc are: the release build, or what `cargo build` made.
pub fn programs() -> std::path::PathBuf {
    let target = rbird_xtask::build::top().join("target");
    let release = target.join("release");
    if release.join("rbird").exists() { release } else { target.join("debug") }
}
