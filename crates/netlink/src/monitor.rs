//! A task that keeps a snapshot of links and addresses.
//!
//! It hears the kernel's notifications and reads everything anew at its start,
//! when the caller says so (the device protocol's `scan time`), and after
//! notifications were lost. A snapshot is published only when it differs from
//! the one before.
//!
//! A rescan asks on the socket that hears the notifications: the kernel puts
//! answers and notifications into one order there, so no change can hide
//! between the two.

use crate::links::{IfaceRules, LinkTable};
use crate::message::{Writer, messages};
use crate::readiness::register;
use crate::socket::{READ_OCTETS, open, read};
use netlink_sys::Socket;
use route::Ifaces;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR.
const GROUPS: [u32; 3] = [1, 5, 9];
/// A rescan that has not ended after this time is begun again.
const RESCAN_MAX: Duration = Duration::from_secs(10);

/// How long to wait after the kernel refused a dump.
const RETRY: Duration = Duration::from_millis(200);

enum Order {
    Rescan,
    Rules(IfaceRules),
    ScanTime(Option<Duration>),
}

/// A handle to the task; the task ends when all handles are gone.
#[derive(Clone, Debug)]
pub struct Monitor {
    ifaces: watch::Receiver<Arc<Ifaces>>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Monitor {
    /// Opens the socket in the network namespace of the calling thread, reads everything once, and starts the task.
    pub async fn start(rules: IfaceRules, scan_time: Option<Duration>) -> io::Result<Self> {
        let socket = open(&GROUPS)?;
        let (publish, ifaces) = watch::channel(Arc::default());
        let (orders, heard) = mpsc::unbounded_channel();
        let mut task = Task {
            socket: register(socket)?,
            buffer: vec![0; READ_OCTETS],
            links: LinkTable::default(),
            rules,
            publish,
            sequence: 0,
            rescan: None,
            wanted: false,
            scan_time,
        };
        task.rescan_now().await?;
        tokio::spawn(task.run(heard));
        Ok(Self { ifaces, orders })
    }

    /// The snapshots.
    pub fn ifaces(&self) -> watch::Receiver<Arc<Ifaces>> {
        self.ifaces.clone()
    }

    /// Has everything read anew.
    pub fn rescan(&self) {
        let _ = self.orders.send(Order::Rescan);
    }

    /// Changes what counts as up and which addresses are seen.
    pub fn set_rules(&self, rules: IfaceRules) {
        let _ = self.orders.send(Order::Rules(rules));
    }

    /// Changes how often everything is read anew; `None`: only when notifications were lost.
    pub fn set_scan_time(&self, every: Option<Duration>) {
        let _ = self.orders.send(Order::ScanTime(every));
    }
}

/// The two dumps of a rescan, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Links,
    Addresses,
}

struct Task {
    socket: AsyncFd<Socket>,
    buffer: Vec<u8>,
    links: LinkTable,
    rules: IfaceRules,
    publish: watch::Sender<Arc<Ifaces>>,
    sequence: u32,
    /// The rescan under way, and when it is given up.
    rescan: Option<(Stage, Instant)>,
    /// A rescan is due when the one under way has ended.
    wanted: bool,
    scan_time: Option<Duration>,
}

impl Task {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut next_scan = self.scan_time.map(|t| Instant::now() + t);
        loop {
            let deadline = earlier(next_scan, self.rescan.map(|(_, at)| at));
            tokio::select! {
                order = orders.recv() => match order {
                    None => return,
                    Some(Order::Rescan) => self.wanted = true,
                    Some(Order::Rules(rules)) => {
                        self.rules = rules;
                        self.publish();
                    }
                    Some(Order::ScanTime(every)) => {
                        self.scan_time = every;
                        next_scan = every.map(|t| Instant::now() + t);
                    }
                },
                result = hear(&self.socket, &mut self.buffer) => self.heard(result),
                () = until(deadline) => {
                    let now = Instant::now();
                    if next_scan.is_some_and(|at| at <= now) {
                        next_scan = self.scan_time.map(|t| now + t);
                        self.wanted = true;
                    }
                    if self.rescan.is_some_and(|(_, at)| at <= now) {
                        self.rescan = None;
                        self.wanted = true;
                    }
                }
            }
            if self.wanted && self.rescan.is_none() {
                self.begin();
            }
        }
    }

    /// A whole rescan, waited for.
    async fn rescan_now(&mut self) -> io::Result<()> {
        self.begin();
        while let Some((_, limit)) = self.rescan {
            let result = tokio::time::timeout_at(limit, hear(&self.socket, &mut self.buffer)).await;
            self.heard(result.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?);
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.wanted = false;
        self.links.rescan_begin();
        self.ask(Stage::Links);
    }

    fn ask(&mut self, stage: Stage) {
        self.sequence = self.sequence.wrapping_add(1);
        let (kind, fixed): (u16, &[u8]) = match stage {
            Stage::Links => (libc::RTM_GETLINK, &[0; 16]),
            Stage::Addresses => (libc::RTM_GETADDR, &[0; 8]),
        };
        let mut w = Writer::default();
        w.begin(kind, (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16, self.sequence, fixed);
        w.end();
        match self.socket.get_ref().send(w.octets(), 0) {
            Ok(_) => {
                let limit = self.rescan.map_or_else(|| Instant::now() + RESCAN_MAX, |(_, at)| at);
                self.rescan = Some((stage, limit));
            }
            // Begun again when the time has run out.
            Err(error) => {
                tracing::warn!("Netlink: {error}");
                self.rescan = Some((stage, Instant::now() + RESCAN_MAX));
            }
        }
    }

    fn heard(&mut self, result: io::Result<usize>) {
        let len = match result {
            Ok(len) => len,
            Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => {
                // The answers to a rescan under way may be among what was lost.
                self.rescan = None;
                self.wanted = true;
                return;
            }
            Err(e) => {
                tracing::warn!("Netlink: {e}");
                return;
            }
        };
        let datagram = std::mem::take(&mut self.buffer);
        let mut done = None;
        for m in messages(datagram.get(..len).unwrap_or_default()) {
            self.links.hear(&m);
            if self.rescan.is_some() && m.sequence == self.sequence {
                self.wanted |= m.is_interrupted();
                done = done.or(m.result());
            }
        }
        self.buffer = datagram;
        match (done, self.rescan) {
            (Some(0), Some((Stage::Links, _))) => self.ask(Stage::Addresses),
            (Some(0), Some((Stage::Addresses, _))) => {
                self.rescan = None;
                self.links.rescan_end();
            }
            // An earlier dump is still under way (EBUSY), or memory is short.
            (Some(_), Some((stage, _))) => self.rescan = Some((stage, Instant::now() + RETRY)),
            _ => {}
        }
        if self.rescan.is_none() {
            self.publish();
        }
    }

    fn publish(&self) {
        let now = self.links.snapshot(self.rules);
        self.publish.send_if_modified(|old| {
            let changed = **old != now;
            if changed {
                *old = Arc::new(now);
            }
            changed
        });
    }
}

async fn hear(socket: &AsyncFd<Socket>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let mut ready = socket.readable().await?;
        match ready.try_io(|socket| read(socket.get_ref(), buffer).map(|d| d.map_or(0, <[u8]>::len))) {
            Ok(result) => return result,
            Err(_) => continue,
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
