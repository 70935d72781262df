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
use crate::socket::{READ_OCTETS, RECEIVE_BUFFER, open, read};
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

/// How long to wait for the end of a burst in which notifications were lost.
const SETTLE: Duration = Duration::from_millis(50);
/// How long to wait after the kernel refused a dump.
const RETRY: Duration = Duration::from_millis(200);

/// Called when a rescan begins.
type Hear = Box<dyn Fn() + Send>;

enum Order {
    Rescan,
    Rules(IfaceRules),
    ScanTime(Option<Duration>),
    Hear(Option<Hear>),
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
        Self::start_with(rules, scan_time, RECEIVE_BUFFER).await
    }

    async fn start_with(rules: IfaceRules, scan_time: Option<Duration>, receive_octets: usize) -> io::Result<Self> {
        let socket = open(&GROUPS, receive_octets)?;
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
            due: Some(Instant::now()),
            scan_time,
            hear: None,
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

    /// Who is told that a rescan begins; it must not wait.
    pub fn hear_scans(&self, hear: Option<Box<dyn Fn() + Send>>) {
        let _ = self.orders.send(Order::Hear(hear));
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
    /// When the next rescan is due, unless one is under way then.
    due: Option<Instant>,
    scan_time: Option<Duration>,
    hear: Option<Hear>,
}

impl Task {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut next_scan = self.scan_time.map(|t| Instant::now() + t);
        loop {
            let deadline = self.rescan.map(|(_, at)| at).or(self.due);
            let deadline = earlier(next_scan, deadline);
            tokio::select! {
                order = orders.recv() => match order {
                    None => return,
                    Some(Order::Rescan) => self.due = Some(Instant::now()),
                    Some(Order::Rules(rules)) => {
                        self.rules = rules;
                        self.publish();
                    }
                    Some(Order::ScanTime(every)) => {
                        self.scan_time = every;
                        next_scan = every.map(|t| Instant::now() + t);
                    }
                    Some(Order::Hear(hear)) => self.hear = hear,
                },
                result = hear(&self.socket, &mut self.buffer) => self.heard(result),
                () = until(deadline) => {
                    let now = Instant::now();
                    if next_scan.is_some_and(|at| at <= now) {
                        next_scan = self.scan_time.map(|t| now + t);
                        self.due = Some(now);
                    }
                }
            }
            self.begin_when_due();
        }
    }

    /// A whole rescan, waited for.
    async fn rescan_now(&mut self) -> io::Result<()> {
        let limit = Instant::now() + RESCAN_MAX;
        while self.rescan.is_some() || self.due.is_some() {
            self.begin_when_due();
            tokio::select! {
                result = hear(&self.socket, &mut self.buffer) => self.heard(result),
                () = until(self.rescan.map(|(_, at)| at).or(self.due)) => {}
                () = tokio::time::sleep_until(limit) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        Ok(())
    }

    fn begin_when_due(&mut self) {
        let now = Instant::now();
        if self.rescan.is_some_and(|(_, at)| at <= now) {
            self.rescan = None;
            self.due = Some(now);
        }
        if self.rescan.is_none() && self.due.is_some_and(|at| at <= now) {
            self.due = None;
            if let Some(hear) = &self.hear {
                hear();
            }
            self.links.rescan_begin();
            self.ask(Stage::Links);
        }
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
                // The answers to a rescan under way may be among what was lost. A new one could not be
                // answered either while the buffer is full: first read what is there.
                self.rescan = None;
                self.due = self.due.or(Some(Instant::now() + SETTLE));
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
                if m.is_interrupted() {
                    self.due = Some(Instant::now());
                }
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

#[cfg(test)]
mod tests {
    use super::*;
    use route::iface::Scope;
    use route::{Family, Iface};
    use std::process::Command;

    const BOTH: IfaceRules = IfaceRules { family: None, needs_address: false };
    const OLD: IfaceRules = IfaceRules { family: Some(Family::Ipv4), needs_address: true };

    /// A namespace for this test's thread; needs root.
    fn lab() {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
        ip("link set lo up");
        ip("link add d0 type veth peer name p0");
        ip("link set d0 up");
        ip("link set p0 up");
        ip("addr add 10.1.1.1/24 dev d0");
    }

    fn ip(arguments: &str) {
        let out = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
        assert!(out.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// Waits until the snapshot shows what is expected.
    async fn see(monitor: &Monitor, what: impl Fn(&Ifaces) -> bool) -> Arc<Ifaces> {
        let mut ifaces = monitor.ifaces();
        let seen = tokio::time::timeout(Duration::from_secs(20), ifaces.wait_for(|i| what(i))).await;
        seen.expect("what is expected is never seen").unwrap().clone()
    }

    fn v4(link: &Iface) -> Vec<String> {
        let addrs = link.addrs.iter().filter(|a| a.addr.is_ipv4());
        addrs.map(|a| format!("{} {} {} {}", a.addr, a.prefix, a.scope.word(), a.secondary)).collect()
    }

    #[tokio::test]
    async fn links_and_addresses_are_there_when_it_starts_and_follow_the_kernel() {
        lab();
        let monitor = Monitor::start(BOTH, None).await.unwrap();
        let first = monitor.ifaces().borrow().clone();
        let d0 = first.by_name("d0").unwrap();
        assert!(d0.flags.admin_up && d0.flags.broadcast && d0.flags.multicast && d0.flags.multi_access);
        assert_eq!((d0.mtu, v4(d0)), (1500, vec!["10.1.1.1 10.1.1.0/24 site false".to_owned()]));
        let lo = first.by_name("lo").unwrap();
        assert!(lo.flags.loopback && lo.flags.multi_access && !lo.flags.multicast);
        assert_eq!((lo.mtu, lo.addrs[0].scope), (65536, Scope::Host));

        ip("addr add 10.1.1.9/24 dev d0");
        ip("addr add 10.1.9.1 peer 10.1.9.2 dev d0");
        let now = see(&monitor, |i| v4(i.by_name("d0").unwrap()).len() == 3).await;
        let d0 = now.by_name("d0").unwrap();
        assert_eq!(v4(d0)[1..], ["10.1.1.9 10.1.1.0/24 site true", "10.1.9.1 10.1.9.2/32 site false"]);
        assert_eq!(d0.addrs.iter().find_map(|a| a.peer), Some("10.1.9.2".parse().unwrap()));

        ip("link set p0 down");
        see(&monitor, |i| i.by_name("d0").is_some_and(|d| d.flags.admin_up && !d.flags.link_up)).await;
        ip("link set d0 down");
        see(&monitor, |i| i.by_name("d0").is_some_and(|d| !d.flags.admin_up && !v4(d).is_empty())).await;
        ip("link set d0 name d7");
        see(&monitor, |i| i.by_name("d0").is_none() && i.by_name("d7").is_some()).await;
        ip("link del d7");
        see(&monitor, |i| i.iter().count() == 1).await;
    }

    #[tokio::test]
    async fn in_1_6_a_link_without_address_of_the_family_is_not_up() {
        lab();
        ip("addr add fd01::1/64 dev d0 nodad");
        let monitor = Monitor::start(OLD, None).await.unwrap();
        assert!(monitor.ifaces().borrow().by_name("d0").unwrap().is_up());
        ip("addr del 10.1.1.1/24 dev d0");
        see(&monitor, |i| i.by_name("d0").is_some_and(|d| d.flags.admin_up && !d.is_up())).await;
        monitor.set_rules(BOTH);
        see(&monitor, |i| i.by_name("d0").is_some_and(|d| d.is_up() && !d.addrs.is_empty())).await;
    }

    #[tokio::test]
    async fn a_bridge_port_that_leaves_its_bridge_stays_a_link() {
        lab();
        ip("link add br0 type bridge");
        ip("link set p0 master br0");
        let monitor = Monitor::start(BOTH, None).await.unwrap();
        let bridge = monitor.ifaces().borrow().by_name("br0").unwrap().index;
        assert_eq!(monitor.ifaces().borrow().by_name("p0").unwrap().master, bridge);
        ip("link set p0 nomaster");
        see(&monitor, |i| i.by_name("p0").is_some_and(|p| p.master.0 == 0)).await;
    }

    #[tokio::test]
    async fn after_lost_notifications_everything_is_read_anew() {
        lab();
        // Room for a few notifications only, and nobody reads them while these commands run.
        let monitor = Monitor::start_with(BOTH, None, 4096).await.unwrap();
        for n in 1..=60 {
            ip(&format!("addr add 10.2.{n}.1/24 dev d0"));
        }
        ip("addr del 10.1.1.1/24 dev d0");
        ip("link add last type veth peer name p9");
        let now = see(&monitor, |i| i.by_name("last").is_some() && v4(i.by_name("d0").unwrap()).len() == 60).await;
        assert!(v4(now.by_name("d0").unwrap()).iter().all(|a| a.starts_with("10.2.")));
    }
}
