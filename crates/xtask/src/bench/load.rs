//! The load: a feeder, a receiver, and the clock; run in a namespace of its own.
//!
//! All messages are encoded before the clock starts. The clock stops when the
//! receiver holds every prefix with exactly the path that the feeder sent in this
//! phase, the daemon's AS in front; what else arrives is an error. The daemon's
//! processor time is taken once it rests, so work that it does behind our back
//! is counted too.

use super::speaker::{Messages, NOTIFICATION, UPDATE, establish, keepalive};
use super::table::{FEEDER_AS, NONE, Table};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

#[derive(Args, Debug)]
pub struct Options {
    /// The daemon's process.
    #[arg(long)]
    pub pid: u32,
    /// Routes in the table.
    #[arg(long)]
    pub routes: usize,
}

/// What one phase took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    pub phase: String,
    /// From the first octet sent to the last prefix right at the receiver.
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
}

const DAEMON_AS: u32 = 65000;
const RECEIVER_AS: u32 = 65002;
const FEEDER: Ipv4Addr = Ipv4Addr::new(10, 99, 1, 2);
const RECEIVER: Ipv4Addr = Ipv4Addr::new(10, 99, 2, 2);
/// A phase that lasts longer has failed.
const PATIENCE: Duration = Duration::from_secs(180);
/// Octets of AS_PATH's only segment before the AS numbers.
const SEGMENT_HEAD: usize = 2;

/// Runs all phases and prints their figures as JSON.
pub fn run(options: &Options) -> Result<()> {
    let table = Table::new(options.routes);
    let first = table.encode(1, FEEDER.octets());
    let second = table.encode(2, FEEDER.octets());
    let feeder = establish(FEEDER, Ipv4Addr::new(10, 99, 1, 1), FEEDER_AS)?;
    let receiver = establish(RECEIVER, Ipv4Addr::new(10, 99, 2, 1), RECEIVER_AS)?;
    let feeder = Feeder::new(feeder)?;
    let mut receiver = Receiver::new(receiver, &table)?;
    let process = Process(options.pid);
    process.rest()?;
    let mut all = Vec::new();
    for (name, generation, messages) in [("load", 1, &first.0), ("churn", 2, &second.0)] {
        all.push(phase(name, &process, &mut receiver, generation, || feeder.send(messages))?);
        feeder.is_alive()?;
    }
    all.push(phase("peer lost", &process, &mut receiver, 0, || feeder.close())?);
    println!("{}", serde_json::to_string(&all)?);
    Ok(())
}

/// Does something on a thread of its own and waits until all routes are of a generation.
fn phase(
    name: &str,
    process: &Process,
    receiver: &mut Receiver<'_>,
    generation: u32,
    cause: impl FnOnce() -> Result<()> + Send,
) -> Result<Figures> {
    receiver.begin(generation)?;
    let cpu = process.cpu_seconds()?;
    let start = Instant::now();
    let wall = std::thread::scope(|scope| {
        let cause = scope.spawn(cause);
        let wall = receiver.wait(start).with_context(|| name.to_owned())?;
        cause.join().map_err(|_| anyhow::anyhow!("the feeder failed"))??;
        anyhow::Ok(wall)
    })?;
    process.rest()?;
    Ok(Figures {
        phase: name.into(),
        wall_seconds: wall.as_secs_f64(),
        cpu_seconds: process.cpu_seconds()? - cpu,
        rss_mib: process.mib("VmRSS:")?,
        peak_mib: process.mib("VmHWM:")?,
        updates: receiver.updates,
        octets: receiver.octets,
    })
}

/// The neighbour that has all routes.
struct Feeder {
    stream: TcpStream,
    /// What the daemon says to it is read by a thread; `true` once the daemon has ended the session.
    lost: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

impl Feeder {
    fn new(stream: TcpStream) -> Result<Self> {
        let (lost, ends) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let mut messages = Messages::new(stream.try_clone()?);
        let reader = std::thread::spawn({
            let (lost, ends) = (lost.clone(), ends.clone());
            move || {
                let whole = |kind, _: &[u8]| {
                    ensure!(kind != NOTIFICATION);
                    Ok(())
                };
                while messages.read(whole).unwrap_or(false) {}
                lost.store(!ends.load(Ordering::Acquire), Ordering::Release);
            }
        });
        Ok(Self { stream, lost, ends, reader })
    }

    fn send(&self, messages: &[u8]) -> Result<()> {
        (&self.stream).write_all(messages)?;
        (&self.stream).write_all(&keepalive())?;
        Ok(())
    }

    fn is_alive(&self) -> Result<()> {
        ensure!(!self.lost.load(Ordering::Acquire) && !self.reader.is_finished(), "the feeder's session was lost");
        Ok(())
    }

    fn close(&self) -> Result<()> {
        self.ends.store(true, Ordering::Release);
        Ok(self.stream.shutdown(Shutdown::Both)?)
    }
}

/// The neighbour that is told all routes.
struct Receiver<'a> {
    stream: TcpStream,
    messages: Messages,
    table: &'a Table,
    /// The generation of each numbered prefix here; 0: it is not here.
    held: Vec<u8>,
    generation: u32,
    /// Prefixes that are not of the generation yet.
    missing: usize,
    updates: u64,
    octets: u64,
}

impl<'a> Receiver<'a> {
    fn new(stream: TcpStream, table: &'a Table) -> Result<Self> {
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        let messages = Messages::new(stream.try_clone()?);
        let held = vec![0; table.numbers()];
        Ok(Self { stream, messages, table, held, generation: 0, missing: 0, updates: 0, octets: 0 })
    }

    fn begin(&mut self, generation: u32) -> Result<()> {
        (self.generation, self.missing) = (generation, self.table.routes());
        (self.updates, self.octets) = (0, 0);
        Ok((&self.stream).write_all(&keepalive())?)
    }

    /// Reads until nothing is missing; how long after `start` that was.
    fn wait(&mut self, start: Instant) -> Result<Duration> {
        while self.missing > 0 {
            ensure!(start.elapsed() < PATIENCE, "{} routes have not arrived", self.missing);
            let Self { messages, table, held, generation, missing, updates, octets, .. } = self;
            let mut take = |kind: u8, body: &[u8]| {
                match kind {
                    UPDATE => {
                        *updates += 1;
                        *octets += body.len() as u64 + 19;
                        *missing -= read_update(body, table, held, *generation)?;
                    }
                    NOTIFICATION => bail!("the daemon ended the session: {body:?}"),
                    _ => {}
                }
                Ok(())
            };
            ensure!(messages.read(&mut take)?, "the daemon closed the receiver's session");
        }
        Ok(start.elapsed())
    }
}

/// Notes what an UPDATE tells; how many prefixes have come to the generation by it.
fn read_update(body: &[u8], table: &Table, held: &mut [u8], generation: u32) -> Result<usize> {
    let (withdrawn, rest) = part(body)?;
    let (attributes, announced) = part(rest)?;
    let mut done = 0;
    for number in prefixes(withdrawn, table) {
        let held = &mut held[number?];
        done += usize::from(generation == 0 && *held != 0);
        *held = 0;
    }
    if announced.is_empty() {
        return Ok(done);
    }
    let path = path(attributes).context("an UPDATE without a path")?;
    let mut known = NONE;
    for number in prefixes(announced, table) {
        let number = number?;
        let set = table.set_of(number);
        if set != known {
            let wanted = table.path_told(set, generation, DAEMON_AS);
            ensure!(wanted.is_some_and(|w| w == path), "a wrong path for route {number}: {path:?}");
            known = set;
        }
        done += usize::from(u32::from(held[number]) != generation);
        held[number] = generation as u8;
    }
    Ok(done)
}

/// A row of octets behind its length, and what follows it.
fn part(octets: &[u8]) -> Result<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>().context("an UPDATE is cut")?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).context("an UPDATE is cut")
}

/// The AS numbers of AS_PATH's first segment.
fn path(mut attributes: &[u8]) -> Option<&[u8]> {
    const AS_PATH: u8 = 2;
    const EXTENDED: u8 = 0x10;
    loop {
        let ([flags, code], rest) = attributes.split_first_chunk::<2>()?;
        let (octets, rest) = if flags & EXTENDED == 0 {
            let (length, rest) = rest.split_first()?;
            (usize::from(*length), rest)
        } else {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        };
        let (value, rest) = rest.split_at_checked(octets)?;
        if *code == AS_PATH {
            return value.get(SEGMENT_HEAD..);
        }
        attributes = rest;
    }
}

/// The numbers of prefixes on the wire; each must be one of the table's.
fn prefixes<'a>(mut octets: &'a [u8], table: &'a Table) -> impl Iterator<Item = Result<usize>> + 'a {
    std::iter::from_fn(move || {
        let (length, rest) = octets.split_first()?;
        let Some((upper, rest)) = rest.split_at_checked(usize::from(length.div_ceil(8))) else {
            octets = &[];
            return Some(Err(anyhow::anyhow!("a prefix is cut")));
        };
        octets = rest;
        let address = upper.iter().take(4).fold((0, 24), |(a, shift), o| (a | u32::from(*o) << shift, shift - 8)).0;
        let number = table.number(address, *length).filter(|n| table.set_of(*n) != NONE);
        Some(number.with_context(|| format!("{}/{length} is no route of ours", Ipv4Addr::from(address))))
    })
}

/// A daemon, seen through `/proc`.
struct Process(u32);

impl Process {
    /// User and system time of all its threads.
    fn cpu_seconds(&self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).context("the daemon is gone")?;
        // The second field is the name, in brackets, and may hold anything: fields are counted behind it.
        let behind = text.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = behind.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
        let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.context("no clock ticks")?;
        Ok(ticks as f64 / per_second as f64)
    }

    /// A size in its status.
    fn mib(&self, field: &str) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.0)).context("the daemon is gone")?;
        let line = text.lines().find_map(|l| l.strip_prefix(field)).with_context(|| field.to_owned())?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Waits until it does nothing: next to no processor time in half a second.
    fn rest(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let mut before = self.cpu_seconds()?;
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.cpu_seconds()?;
            if now - before < 0.015 {
                return Ok(());
            }
            before = now;
        }
        bail!("the daemon does not come to rest")
    }
}
