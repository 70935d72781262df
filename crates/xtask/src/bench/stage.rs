//! A stage: the sessions of one measurement, and a clock for its phases.
//!
//! A phase is something that is done (on threads of its own, everything encoded
//! before), and a state that every peer must then be told. The clock stops when
//! the last prefix is right. The daemon's processor time is taken once it rests,
//! so work that it does behind our back is counted too; and what is right must
//! stay right until then.

use super::ears::{Choice, Ears, Mouth, Wanted};
use super::process::{Daemon, Process, idle_seconds, processors};
use super::speaker::{DAEMON_AS, Opening, peer_address};
use super::table::{Family, Sharing, Table, asn};
use super::witness::Witness;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one phase took.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    pub phase: String,
    /// From the first octet sent to the last prefix right at every peer.
    pub wall_seconds: f64,
    /// Processor time of the daemon until it rests.
    pub cpu_seconds: f64,
    /// Resident memory of the daemon once it rests.
    pub rss_mib: f64,
    /// The most that it had.
    pub peak_mib: f64,
    /// UPDATE messages that the daemon sent.
    pub updates: u64,
    /// Octets of these.
    pub octets: u64,
    /// Processors that idled while the clock ran, of all processors, in parts of one.
    pub spare: f64,
    /// Processor time of the load while the clock ran.
    pub load_cpu_seconds: f64,
    /// How much later than due the latest keepalive was.
    pub keepalive_late_ms: f64,
    /// What else a scenario measures, by name and unit.
    pub more: BTreeMap<String, f64>,
}

/// A daemon that does not rest by then has failed: its figures would be too small.
const REST_PATIENCE: Duration = Duration::from_secs(30);
/// How often we look whether it rests.
const REST_STEP: Duration = Duration::from_millis(500);
/// Processor time in a step that still is rest, and what more a session may take for its keepalives.
const REST_CPU: f64 = 0.015;
const REST_CPU_SESSION: f64 = 0.0002;

/// What a measurement needs to know.
#[derive(Clone, Debug)]
pub struct Setting {
    pub family: Family,
    pub routes: usize,
    /// Who announces.
    pub sharing: Sharing,
    /// Peers that only hear.
    pub receivers: usize,
    pub hold_s: u16,
    /// How long phases last that have a length.
    pub seconds: u64,
    /// A phase that takes so much longer has failed.
    pub limit: Duration,
    pub choice: Choice,
    /// Whether one set in as many as there are peers is denied to a peer.
    pub denies: bool,
    /// The community that the import filter adds, and the sets that it rejects.
    pub community: Option<u32>,
    pub rejected: u32,
    /// The daemon leaves AS paths alone.
    pub transparent: bool,
    /// It copies and decides nothing: what follows from a decision cannot be asked of it.
    pub only_copies: bool,
    /// It tells a peer that peer's own path as well, which says nothing to it.
    pub echoes: bool,
    /// The daemon's process and its control socket.
    pub pid: u32,
    pub control: PathBuf,
}

impl Setting {
    pub fn table(&self) -> Table {
        Table::new(self.family, self.routes, self.sharing, self.denies)
    }

    pub const fn sessions(&self) -> usize {
        self.sharing.peers + self.receivers
    }
}

pub struct Stage {
    pub setting: Setting,
    pub table: Table,
    pub wanted: Wanted,
    pub daemon: Daemon,
    /// What was measured so far.
    pub figures: Vec<Figures>,
    pub ears: Ears,
    /// A peer that does not read now; nobody waits for what it is told.
    pub deaf: Option<usize>,
    witness: Option<Witness>,
}

/// The meters before a phase.
struct Meters {
    cpu: f64,
    idle: f64,
    load_cpu: f64,
    start: Instant,
}

impl Stage {
    /// Opens all sessions and waits until the daemon rests.
    pub fn new(setting: Setting) -> Result<Self> {
        let table = setting.table();
        let wanted = Wanted {
            choice: setting.choice,
            up: vec![false; setting.sharing.peers],
            generation: vec![0; table.sets() as usize],
            rejected: setting.rejected,
            community: setting.community,
            lead: (!setting.transparent).then_some(DAEMON_AS),
            echoes: setting.echoes,
        };
        let (daemon, ears) = (Daemon(setting.pid), Ears::new()?);
        let mut stage = Self { setting, table, wanted, daemon, figures: Vec::new(), ears, deaf: None, witness: None };
        for peer in 0..stage.setting.sessions() {
            let mut opening = Opening::new(stage.setting.family, peer, asn(peer), stage.setting.hold_s);
            // The one that stops reading must not have megabytes of room in the kernel.
            if peer > stage.setting.sharing.peers {
                opening.receive_octets = 64 << 10;
            }
            let stream = opening.establish()?;
            stage.ears.add(stream, &stage.table)?;
            stage.ears.listen(&stage.table, &stage.wanted, Duration::ZERO)?;
        }
        if !stage.setting.only_copies {
            stage.witness = Some(Witness::watch(stage.setting.family)?);
        }
        stage.rest()?;
        Ok(stage)
    }

    /// All sets.
    pub const fn all(&self) -> Range<u32> {
        0..self.table.sets()
    }

    /// Every peer's announcement of some sets, by peer.
    pub fn announcements(&self, sets: Range<u32>, generation: u8) -> Vec<Vec<u8>> {
        let of = |peer| {
            let hop = match peer_address(self.setting.family, peer) {
                IpAddr::V4(a) => a.octets().to_vec(),
                IpAddr::V6(a) => a.octets().to_vec(),
            };
            self.table.announce(peer, sets.clone(), generation, &hop)
        };
        (0..self.setting.sharing.peers).map(of).collect()
    }

    /// What is announced from now on.
    pub fn now_is(&mut self, sets: Range<u32>, generation: u8) {
        self.wanted.up.fill(true);
        self.wanted.generation[sets.start as usize..sets.end as usize].fill(generation);
    }

    /// All peers announce all they have.
    pub fn announce_all(&mut self, title: &str, generation: u8) -> Result<&mut Figures> {
        let messages = self.announcements(self.all(), generation);
        self.now_is(self.all(), generation);
        self.phase(title, |mouths| send_all(mouths, &messages))
    }

    /// A peer's connection is closed.
    pub fn lose(&mut self, title: &str, peer: usize) -> Result<()> {
        if self.setting.only_copies && self.setting.sharing.copies > 1 {
            return Ok(());
        }
        self.wanted.up[peer] = false;
        self.ears.let_go(peer);
        self.phase(title, |mouths| {
            mouths[peer].close();
            Ok(())
        })?;
        Ok(())
    }

    /// Does something and waits until every peer holds what it should.
    pub fn phase(
        &mut self,
        title: &str,
        cause: impl FnOnce(&[Arc<Mouth>]) -> Result<()> + Send,
    ) -> Result<&mut Figures> {
        self.phase_until(title, cause, |_| Ok(true))
    }

    /// The same, and until something else is true as well.
    pub fn phase_until(
        &mut self,
        title: &str,
        cause: impl FnOnce(&[Arc<Mouth>]) -> Result<()> + Send,
        mut also: impl FnMut(&Self) -> Result<bool>,
    ) -> Result<&mut Figures> {
        self.ears.want(&self.table, &self.wanted);
        let mouths = self.ears.mouths();
        let meters = self.meters()?;
        std::thread::scope(|scope| {
            let cause = scope.spawn(|| cause(&mouths));
            let heard = loop {
                let heard = self.hear(&meters).and_then(|()| also(self));
                match heard {
                    Ok(false) => {}
                    Ok(true) if self.ears.missing(self.deaf) == 0 => break Ok(()),
                    Ok(true) => {}
                    Err(error) => break Err(error),
                }
            };
            if heard.is_err() {
                // Whoever still sends must not wait for a daemon that reads no more.
                mouths.iter().for_each(|m| m.close());
            }
            let sent = cause.join().map_err(|_| anyhow::anyhow!("a sender failed"))?;
            heard.and(sent)
        })
        .with_context(|| title.to_owned())?;
        self.note(title, &meters)
    }

    fn hear(&mut self, meters: &Meters) -> Result<()> {
        let missing = self.ears.missing(self.deaf);
        let limit = self.setting.limit + Duration::from_secs(self.setting.seconds);
        ensure!(meters.start.elapsed() < limit, "time limit of {} s: {missing} routes are not right", limit.as_secs());
        self.ears.listen(&self.table, &self.wanted, Duration::from_millis(20))
    }

    /// Starts all meters.
    fn meters(&mut self) -> Result<Meters> {
        (self.ears.updates, self.ears.octets) = (0, 0);
        if let Some(witness) = &self.witness {
            witness.late_ms()?;
        }
        let myself = Process(std::process::id());
        Ok(Meters {
            cpu: self.daemon.cpu_seconds()?,
            idle: idle_seconds()?,
            load_cpu: myself.cpu_seconds()?,
            start: Instant::now(),
        })
    }

    /// Stops the clock, waits for rest, and notes the figures.
    fn note(&mut self, title: &str, meters: &Meters) -> Result<&mut Figures> {
        let wall = meters.start.elapsed().as_secs_f64();
        let idle = idle_seconds()? - meters.idle;
        let load_cpu = Process(std::process::id()).cpu_seconds()? - meters.load_cpu;
        self.rest().with_context(|| title.to_owned())?;
        ensure!(self.ears.missing(self.deaf) == 0, "{title}: what was right became wrong again");
        let figures = Figures {
            phase: title.into(),
            wall_seconds: wall,
            cpu_seconds: self.daemon.cpu_seconds()? - meters.cpu,
            rss_mib: self.daemon.rss_mib()?,
            peak_mib: self.daemon.peak_mib()?,
            updates: self.ears.updates,
            octets: self.ears.octets,
            spare: (idle / wall / processors()).clamp(0.0, 1.0),
            load_cpu_seconds: load_cpu,
            keepalive_late_ms: self.witness.as_ref().map_or(Ok(0.0), Witness::late_ms)?,
            more: BTreeMap::new(),
        };
        eprintln!("  {title}: {wall:.2} s, CPU {:.2} s, {:.0} MiB", figures.cpu_seconds, figures.rss_mib);
        self.figures.push(figures);
        self.figures.last_mut().context("a phase")
    }

    /// A phase that ends when `act` has.
    pub fn timed(&mut self, title: &str, act: impl FnOnce(&mut Self) -> Result<()>) -> Result<&mut Figures> {
        let meters = self.meters()?;
        act(self).with_context(|| title.to_owned())?;
        self.note(title, &meters)
    }

    /// Listens until a moment.
    pub fn pass(&mut self, until: Instant) -> Result<()> {
        while Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            self.ears.listen(&self.table, &self.wanted, left.min(Duration::from_millis(20)))?;
        }
        Ok(())
    }

    /// Waits until the daemon does nothing: next to no processor time in half a second.
    pub fn rest(&mut self) -> Result<()> {
        let end = Instant::now() + REST_PATIENCE;
        let enough = REST_CPU + REST_CPU_SESSION * self.setting.sessions() as f64;
        let mut before = self.daemon.cpu_seconds()?;
        while Instant::now() < end {
            self.pass(Instant::now() + REST_STEP)?;
            let now = self.daemon.cpu_seconds()?;
            if now - before < enough {
                return Ok(());
            }
            before = now;
        }
        bail!("time limit of {} s: the daemon does not come to rest", REST_PATIENCE.as_secs())
    }
}

/// Each peer sends its messages, all at once.
pub fn send_all(mouths: &[Arc<Mouth>], messages: &[Vec<u8>]) -> Result<()> {
    std::thread::scope(|scope| {
        let senders: Vec<_> =
            mouths.iter().zip(messages).map(|(mouth, octets)| scope.spawn(|| mouth.send(octets))).collect();
        senders.into_iter().try_for_each(|s| s.join().map_err(|_| anyhow::anyhow!("a sender failed"))?)
    })
}
