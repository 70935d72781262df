//! A machine on a virtual clock: `send`, `expect`, `nothing until`. Nothing sleeps.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(dead_code, reason = "each test file uses its part of the script")]

use rbird_fsm::{Action, Class, Config, Event, Life, Machine, Phase, Required, Terms, Which};
use route::options::SessionTimes;
use route::{Family, Moment};
use wire::capability::GracefulRestart;
use wire::{Capabilities, Notification, Open, PerFamily};

pub const OUT: Which = Which::Outgoing;
pub const IN: Which = Which::Incoming;

pub struct Script {
    pub machine: Machine,
    pub now: Moment,
    pub did: Vec<Action>,
}

pub fn config() -> Config {
    Config {
        peer_addr: "10.1.1.2".parse().unwrap(),
        local_as: 65001,
        peer_as: 65002,
        router_id: 0x0a01_0101,
        capabilities: Some(caps(65001)),
        passive: false,
        times: SessionTimes { connect_delay_s: 1, ..SessionTimes::default() },
        disable_after_error: false,
        disable_after_cease: 0,
        restart_helper: true,
        long_lived_helper: true,
        long_lived_bounds_s: PerFamily { ipv4: (0, u32::MAX), ipv6: (0, u32::MAX) },
        required: Required::default(),
        terms: Terms::default(),
    }
}

pub fn caps(asn: u32) -> Capabilities {
    Capabilities {
        families: vec![Family::Ipv4],
        multiprotocol: true,
        route_refresh: true,
        as4: Some(asn),
        ..Capabilities::default()
    }
}

pub fn peer_open() -> Open {
    Open::new(65002, 90, 0x0a01_0102, Some(caps(65002)))
}

/// An OPEN that announces graceful restart for IPv4.
pub fn restarting_open(time_s: u16, kept: bool) -> Open {
    let mut caps = caps(65002);
    let families = vec![(Family::Ipv4, kept)];
    caps.graceful_restart = Some(GracefulRestart { restarting: false, time_s, families });
    Open::new(65002, 90, 0x0a01_0102, Some(caps))
}

impl Script {
    pub fn new(config: Config) -> Self {
        Self { machine: Machine::new(config, 1), now: Moment(1000), did: Vec::new() }
    }

    /// Started, and connected to the neighbour: our OPEN is out.
    pub fn open_sent(config: Config) -> Self {
        let mut s = Self::new(config);
        s.send(Event::Start);
        s.pass(2);
        s.send(Event::Connected);
        assert_eq!(s.machine.phase(), Phase::OpenSent);
        s
    }

    /// Established with this OPEN of the neighbour.
    pub fn established(config: Config, open: Open) -> Self {
        let mut s = Self::open_sent(config);
        s.send(Event::Open(OUT, Box::new(open)));
        s.send(Event::Keepalive(OUT));
        assert_eq!(s.machine.life(), Life::Up);
        s.did.clear();
        s
    }

    pub fn send(&mut self, event: Event) -> &mut Self {
        self.did = self.machine.handle(self.now, event);
        self
    }

    /// Lets seconds pass, timer by timer; what was done in all that time is kept.
    pub fn pass(&mut self, seconds: u64) -> &mut Self {
        let end = self.now.plus_s(seconds);
        self.did.clear();
        while let Some(at) = self.machine.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let did = self.machine.handle(self.now, Event::Tick);
            self.did.extend(did);
        }
        self.now = end;
        self
    }

    /// What was done, without log lines.
    pub fn deeds(&self) -> Vec<Action> {
        self.did.iter().filter(|a| !matches!(a, Action::Say(..))).cloned().collect()
    }

    pub fn expect(&self, deeds: impl IntoIterator<Item = Action>) -> &Self {
        assert_eq!(self.deeds(), deeds.into_iter().collect::<Vec<_>>());
        self
    }

    pub fn lines(&self, class: Class) -> Vec<String> {
        let line = |a: &Action| match a {
            Action::Say(c, text) if *c == class => Some(text.to_string()),
            _ => None,
        };
        self.did.iter().filter_map(line).collect()
    }

    pub fn notifications(&self) -> Vec<(u8, u8)> {
        let code = |a: &Action| match a {
            Action::SendNotification(_, n) => Some((n.code, n.subcode)),
            _ => None,
        };
        self.did.iter().filter_map(code).collect()
    }

    /// The state and info columns of `show protocols`.
    pub fn shown(&self) -> String {
        let life = match self.machine.life() {
            Life::Down => "down",
            Life::Start => "start",
            Life::Up => "up",
            Life::Stop => "stop",
        };
        let error = self.machine.last_error().map_or(String::new(), |e| format!(" {e}"));
        match self.machine.phase() {
            Phase::Down => format!("{life}{error}"),
            phase => format!("{life} {}{error}", phase.word()),
        }
    }
}

pub fn notification(code: u8, subcode: u8) -> Notification {
    Notification::new(code, subcode)
}
