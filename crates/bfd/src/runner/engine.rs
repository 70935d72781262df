//! What the thread does: sessions, their deadlines, and the ports.

use super::deadlines::Deadlines;
use super::limit::Limit;
use super::sockets::{self, Datagram, Place as PortPlace, Port, Sender, TTL};
use super::{Answer, Command, Hearing, Link, Report, SessionId, Spec, Tell, View};
use crate::auth::Forged;
use crate::packet::{self, Fault, Packet, State};
use crate::session::{Change, Micros, Options, Outgoing, Session};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

/// Packets read from one port in one turn.
const READS_MAX: usize = 256;
/// How often a port that could not be opened is tried.
const PORT_RETRY_US: Micros = 1_000_000;
/// Bits of the debug mask.
const EVENTS: u32 = 16;
const PACKETS: u32 = 32;

/// By what a packet that does not know our discriminator is found (RFC 5881 3, RFC 5883 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    OneHop { remote: IpAddr, link: u32 },
    Multihop { remote: IpAddr, local: IpAddr, vrf: u32 },
}

/// A session and what belongs to it.
struct Entry {
    id: SessionId,
    name: Arc<str>,
    debug: Arc<AtomicU32>,
    remote: IpAddr,
    local: IpAddr,
    link: Option<Link>,
    vrf: Option<Link>,
    hearing: Hearing,
    session: Session,
    sender: Option<Sender>,
    downs: u32,
    tell: Tell,
    /// Lines about what a stranger may have sent, and about sockets.
    limit: Limit,
}

/// See the head of this file.
pub(super) struct Engine {
    epoch: Instant,
    commands: Receiver<Command>,
    wake: UnixStream,
    sessions: HashMap<u32, Entry>,
    by_id: HashMap<SessionId, u32>,
    by_place: HashMap<Place, u32>,
    due: Deadlines,
    ports: Vec<Port>,
    /// Ports that could not be opened are tried again then.
    ports_at: Option<Micros>,
    /// Lines about packets of no session.
    limit: Limit,
    random: RandomState,
    drawn: u64,
}

impl Engine {
    pub(super) fn new(commands: Receiver<Command>, wake: UnixStream) -> Self {
        Self {
            epoch: Instant::now(),
            commands,
            wake,
            sessions: HashMap::new(),
            by_id: HashMap::new(),
            by_place: HashMap::new(),
            due: Deadlines::default(),
            ports: Vec::new(),
            ports_at: None,
            limit: Limit::default(),
            random: RandomState::new(),
            drawn: 0,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let deadline = self.due.next().into_iter().chain(self.ports_at).min();
            let most = deadline.map(|at| Duration::from_micros(at.saturating_sub(self.now())));
            sockets::wait(&self.ports, self.wake.as_fd(), most);
            let mut woken = [0; 64];
            while matches!(self.wake.read(&mut woken), Ok(1..)) {}
            self.read_ports();
            loop {
                match self.commands.try_recv() {
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            self.serve_deadlines();
        }
    }

    fn now(&self) -> Micros {
        Micros::try_from(self.epoch.elapsed().as_micros()).unwrap_or(Micros::MAX)
    }

    /// A number that nobody outside can guess (the standard library's keyed hash).
    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.random.hash_one(self.drawn)
    }

    fn obey(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Add(id, spec) => self.add(id, *spec, now),
            Command::Remove(id) => self.remove(id, now),
            Command::Reconfigure(id, options) => self.reconfigure(id, *options, now),
            Command::Views(ids, answer) => self.show(&ids, answer, now),
        }
    }

    fn add(&mut self, id: SessionId, spec: Spec, now: Micros) {
        let discriminator = loop {
            let drawn = self.draw() as u32;
            if drawn != 0 && !self.sessions.contains_key(&drawn) {
                break drawn;
            }
        };
        let session = Session::new(discriminator, spec.options, self.draw(), now);
        let entry = Entry {
            id,
            name: spec.name,
            debug: spec.debug,
            remote: spec.remote,
            local: spec.local,
            link: spec.link,
            vrf: spec.vrf,
            hearing: spec.hearing,
            session,
            sender: None,
            downs: 0,
            tell: spec.tell,
            limit: Limit::default(),
        };
        entry.event(format_args!("Session to {} added", entry.remote));
        self.by_id.insert(id, discriminator);
        self.by_place.insert(entry.place(), discriminator);
        (entry.tell)(Report { state: State::Down, downs: 0 });
        self.sessions.insert(discriminator, entry);
        self.open_ports(now);
        self.arm(discriminator);
    }

    fn remove(&mut self, id: SessionId, now: Micros) {
        let Some(discriminator) = self.by_id.remove(&id) else { return };
        let Some(entry) = self.sessions.remove(&discriminator) else { return };
        self.due.forget(discriminator);
        entry.event(format_args!("Session to {} removed", entry.remote));
        let place = entry.place();
        if self.by_place.get(&place) == Some(&discriminator) {
            self.by_place.remove(&place);
        }
        self.open_ports(now);
    }

    fn reconfigure(&mut self, id: SessionId, options: Options, now: Micros) {
        let Some(&discriminator) = self.by_id.get(&id) else { return };
        let Some(entry) = self.sessions.get_mut(&discriminator) else { return };
        if *entry.session.options() == options {
            return;
        }
        entry.session.reconfigure(options, now);
        entry.event(format_args!("Session to {} reconfigured", entry.remote));
        self.arm(discriminator);
    }

    fn show(&self, ids: &[SessionId], answer: Answer, now: Micros) {
        let entry = |id: &SessionId| self.sessions.get(self.by_id.get(id)?);
        answer(ids.iter().filter_map(entry).map(|e| e.view(now)).collect());
    }

    /// Opens what sessions need and closes what none needs; what fails is tried again later.
    fn open_ports(&mut self, now: Micros) {
        let mut wanted: Vec<PortPlace> = Vec::new();
        for entry in self.sessions.values() {
            let place = entry.port();
            if !wanted.contains(&place) {
                wanted.push(place);
            }
        }
        self.ports.retain(|port| wanted.contains(port.place()));
        self.ports_at = None;
        for place in wanted {
            if self.ports.iter().any(|port| *port.place() == place) {
                continue;
            }
            match Port::open(place, &self.ports) {
                Ok(port) => self.ports.push(port),
                Err(error) => {
                    self.ports_at = Some(now + PORT_RETRY_US);
                    if self.limit.admits(now) {
                        tracing::error!("{}: Socket error: {}", self.some_name(), words(&error));
                    }
                }
            }
        }
    }

    /// The protocol in whose name something is said that belongs to no session.
    fn some_name(&self) -> Arc<str> {
        self.sessions.values().next().map_or_else(|| "bfd".into(), |e| Arc::clone(&e.name))
    }

    fn read_ports(&mut self) {
        let ports = std::mem::take(&mut self.ports);
        let mut buffer = sockets::buffer();
        for port in &ports {
            for _ in 0..READS_MAX {
                match port.read(&mut buffer) {
                    Ok(Some(datagram)) => self.hear(&datagram),
                    Ok(None) => {}
                    // Nothing more, or an error of the link that is not ours to mend.
                    Err(_) => break,
                }
            }
        }
        self.ports = ports;
    }

    /// A packet came (RFC 5880 6.8.6).
    fn hear(&mut self, datagram: &Datagram<'_>) {
        let now = self.now();
        if let Err(fault) = self.take(datagram, now)
            && self.limit.admits(now)
        {
            let (name, from) = (self.some_name(), datagram.from);
            let Fault { words, value } = fault;
            tracing::info!(target: "remote", "{name}: Bad packet from {from} - {words} ({value})");
        }
    }

    fn take(&mut self, datagram: &Datagram<'_>, now: Micros) -> Result<(), Fault> {
        if !datagram.multihop && datagram.ttl != TTL {
            return Err(Fault::new("wrong TTL", u32::from(datagram.ttl)));
        }
        let received = packet::decode(datagram.octets)?;
        let yours = received.packet.your_discriminator;
        let discriminator = if yours == 0 {
            // Nobody asked for a session with this neighbour: nothing to say.
            let Some(found) = self.by_place.get(&place_of(datagram)) else { return Ok(()) };
            *found
        } else {
            yours
        };
        let entry = self.sessions.get_mut(&discriminator);
        let Some(entry) = entry.filter(|e| e.link.is_none() == datagram.multihop) else {
            return Err(Fault::new("unknown session id", yours));
        };
        if entry.debug.load(Ordering::Relaxed) & PACKETS != 0 {
            entry.trace(format_args!("CTL received from {} [{}]", datagram.from, summary(&received.packet)));
        }
        match entry.session.receive(&received, now, unix_s()) {
            Ok(change) => {
                entry.changed(change);
                entry.send_due(now);
            }
            Err(forged) if entry.limit.admits(now) => entry.warn_of(datagram.from, &forged),
            Err(_) => {}
        }
        self.arm(discriminator);
        Ok(())
    }

    /// Sends what is due and takes for dead who is late.
    fn serve_deadlines(&mut self) {
        let now = self.now();
        if self.ports_at.is_some_and(|at| at <= now) {
            self.open_ports(now);
        }
        while let Some(discriminator) = self.due.take_due(now) {
            let Some(entry) = self.sessions.get_mut(&discriminator) else { continue };
            let change = entry.session.tick(now);
            if change.is_some() {
                entry.event(format_args!("Session to {} expired", entry.remote));
            }
            entry.changed(change);
            entry.send_due(now);
            self.arm(discriminator);
        }
    }

    /// Awaits a session's next deadline.
    fn arm(&mut self, discriminator: u32) {
        if let Some(at) = self.sessions.get(&discriminator).and_then(|entry| entry.session.next_deadline()) {
            self.due.arm(discriminator, at);
        }
    }
}

impl Entry {
    fn place(&self) -> Place {
        match &self.link {
            Some(link) => Place::OneHop { remote: self.remote, link: link.index },
            None => Place::Multihop { remote: self.remote, local: self.local, vrf: number(self.vrf.as_ref()) },
        }
    }

    /// Where its packets come.
    fn port(&self) -> PortPlace {
        let Hearing { strict, zero_checksum } = self.hearing;
        let bound = strict.then(|| (self.local, self.link.clone()));
        let vrf = self.vrf.clone();
        PortPlace { v6: self.remote.is_ipv6(), multihop: self.link.is_none(), bound, vrf, zero_checksum }
    }

    fn view(&self, now: Micros) -> View {
        let session = &self.session;
        View {
            id: self.id,
            remote: self.remote,
            link: self.link.as_ref().map(|l| Arc::clone(&l.name)),
            state: session.state(),
            age: Duration::from_micros(now.saturating_sub(session.since())),
            interval_us: session.tx_interval_us(),
            timeout_us: session.detection_time_us(),
            detail: session.detail(now),
        }
    }

    fn changed(&mut self, change: Option<Change>) {
        let Some(Change { from, to }) = change else { return };
        self.event(format_args!("Session to {} changed state from {from} to {to}", self.remote));
        if from == State::Up {
            self.downs = self.downs.wrapping_add(1);
        }
        (self.tell)(Report { state: to, downs: self.downs });
    }

    /// Sends what is due now.
    fn send_due(&mut self, now: Micros) {
        let mut octets = Vec::with_capacity(packet::OCTETS_MAX);
        while let Some(outgoing) = self.session.transmit(now, unix_s(), &mut octets) {
            match outgoing {
                Outgoing::Ready(packet) => self.send(&packet, &octets, now),
                Outgoing::Unsigned if self.limit.admits(now) => {
                    tracing::warn!("{}: No suitable password found for authentication", self.name);
                }
                Outgoing::Unsigned => {}
            }
            octets.clear();
        }
    }

    fn send(&mut self, packet: &Packet, octets: &[u8], now: Micros) {
        if self.debug.load(Ordering::Relaxed) & PACKETS != 0 {
            self.trace(format_args!("Sending CTL to {} [{}]", self.remote, summary(packet)));
        }
        let sender = match self.sender.take() {
            Some(sender) => Ok(sender),
            None => {
                let devices = (self.link.as_ref(), self.vrf.as_ref());
                Sender::open(self.local, self.remote, devices, self.session.discriminator() as u16)
            }
        };
        // A socket that failed may be bound to a link that is gone: the next packet opens another.
        match sender.and_then(|sender| sender.send(octets).map(|()| sender)) {
            Ok(sender) => self.sender = Some(sender),
            Err(error) if self.limit.admits(now) => {
                tracing::error!("{}: Socket error: {}", self.name, words(&error));
            }
            Err(_) => {}
        }
    }

    fn warn_of(&self, from: IpAddr, forged: &Forged) {
        let name = &self.name;
        match forged {
            Forged::Fault(Fault { words, value }) => {
                tracing::warn!(target: "auth", "{name}: Authentication failed for {from} - {words} ({value})");
            }
            Forged::Sequence(came, last) => tracing::warn!(
                target: "auth",
                "{name}: Authentication failed for {from} - wrong sequence number (rcv {came}, old {last})"
            ),
        }
    }

    fn event(&self, text: std::fmt::Arguments<'_>) {
        if self.debug.load(Ordering::Relaxed) & EVENTS != 0 {
            self.trace(text);
        }
    }

    fn trace(&self, text: std::fmt::Arguments<'_>) {
        tracing::info!(target: "trace", "{}: {text}", self.name);
    }
}

/// The number of a VRF's device; 0: of none.
fn number(vrf: Option<&Link>) -> u32 {
    vrf.map_or(0, |device| device.index)
}

fn place_of(datagram: &Datagram<'_>) -> Place {
    let remote = datagram.from;
    if datagram.multihop {
        Place::Multihop { remote, local: datagram.to, vrf: datagram.vrf }
    } else {
        Place::OneHop { remote, link: datagram.link }
    }
}

/// `Up P`, in BIRD's manner.
fn summary(packet: &Packet) -> String {
    let poll = if packet.poll { " P" } else { "" };
    let answer = if packet.is_final { " F" } else { "" };
    format!("{}{poll}{answer}", packet.state)
}

/// The system's words for an error, without the number behind them.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn unix_s() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
