//! A quiet peer that watches the clock: how late the daemon's keepalives come.
//!
//! It is told no route: by an export filter, or by speaking only the other family,
//! where a filter would be asked about every route. Its hold time is three seconds, so a KEEPALIVE is due
//! every second; what a gap between two exceeds that by is its lateness. A daemon
//! that is silent for three seconds has lost it.

use super::speaker::{KEEPALIVE, NOTIFICATION, Opening, frames, keepalive};
use super::table::Family;
use anyhow::{Result, bail, ensure};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Its number among the peers, and its AS.
pub const PEER: usize = 2000;
pub const ASN: u32 = 65534;
const HOLD_S: u16 = 3;
/// A third of the hold time (RFC 4271 10).
const DUE: Duration = Duration::from_secs(1);

/// What a witness has seen; the watching itself is a thread.
pub struct Witness {
    stream: TcpStream,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    late_us: AtomicU64,
    lost: AtomicBool,
}

impl Witness {
    /// Opens its session and watches until it is dropped.
    pub fn watch(family: Family) -> Result<Self> {
        let stream = Opening { both: true, ..Opening::new(family, PEER, ASN, HOLD_S) }.establish()?;
        let seen = Arc::new(Seen::default());
        std::thread::spawn({
            let (stream, seen) = (stream.try_clone()?, seen.clone());
            move || {
                let _ = listen(stream, &seen.late_us);
                seen.lost.store(true, Ordering::Release);
            }
        });
        Ok(Self { stream, seen })
    }

    /// The worst lateness since it was last asked, in milliseconds.
    pub fn late_ms(&self) -> Result<f64> {
        ensure!(!self.seen.lost.load(Ordering::Acquire), "the witness lost its session: keepalives were too late");
        Ok(self.seen.late_us.swap(0, Ordering::AcqRel) as f64 / 1000.0)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn listen(mut stream: TcpStream, late_us: &AtomicU64) -> Result<()> {
    stream.set_read_timeout(Some(DUE / 3))?;
    let (mut heard, mut said) = (Instant::now(), Instant::now());
    let mut room = [0; 65536];
    let mut filled = 0;
    loop {
        if said.elapsed() > DUE / 2 {
            stream.write_all(&keepalive())?;
            said = Instant::now();
        }
        match stream.read(&mut room[filled..]) {
            Ok(0) => return Ok(()),
            Ok(octets) => filled += octets,
            Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(e) => return Err(e.into()),
        }
        let read = frames(&room[..filled], |kind, _| {
            if kind == NOTIFICATION {
                bail!("the session has ended");
            }
            if kind == KEEPALIVE {
                late_us.fetch_max(heard.elapsed().saturating_sub(DUE).as_micros() as u64, Ordering::AcqRel);
                heard = Instant::now();
            }
            Ok(())
        })?;
        // What is late and has not come yet counts as well.
        late_us.fetch_max(heard.elapsed().saturating_sub(DUE).as_micros() as u64, Ordering::AcqRel);
        room.copy_within(read..filled, 0);
        filled -= read;
    }
}
