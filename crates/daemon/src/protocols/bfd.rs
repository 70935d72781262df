//! `protocol bfd`: the neighbours of the configuration, and the options of all sessions.
//!
//! Sessions are asked for at the [`Desk`], by BGP, by static routes and by the
//! `neighbor` lines here; while a protocol of this kind is up, the desk has them
//! run. What runs, in `crates/bfd`, knows neither bird.conf nor links.

mod desk;

pub use desk::{Asked, Desk};

use super::Start;
use super::diary::Diary;
use super::follow::{Follower, Following};
use conf::config::{BfdConf, BfdNeighbor, BfdOptions, BfdSaid, CivilTime, ProtocolConf, ProtocolKind};
use control::view::{BfdDetail, BfdPace, BfdSessionView};
use desk::Keeper;
use route::{IfIndex, Iface, Ifaces, ProtocolId, Within};
use session::clock::Clock;
use session::peer::Wanted;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A running `bfd` protocol. Cheap to clone.
#[derive(Clone)]
pub struct BfdHandle {
    following: Following<Neighbors>,
    desk: Desk,
    id: ProtocolId,
    clock: Clock,
}

impl BfdHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start) -> Self {
        let desk = start.world.bfd.clone();
        let state = Neighbors {
            id: start.id,
            conf: Arc::clone(&start.conf),
            desk: desk.clone(),
            diary: start.diary.clone(),
            asked: Vec::new(),
            up: false,
        };
        let following = Following::spawn(state, &start);
        Self { following, desk, id: start.id, clock: start.world.deps.clock }
    }

    /// Goes up; nothing happens when it is up already.
    pub fn begin(&self) {
        self.following.begin();
    }

    /// Goes down with its sessions, without a word to the neighbours. The future ends when that is done.
    #[expect(clippy::unused_async, reason = "all protocols stop alike")]
    pub async fn stop(&self) {
        self.following.lock().end();
    }

    /// Takes over new options; sessions stay.
    #[expect(clippy::unused_async, reason = "all protocols reconfigure alike")]
    pub async fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        self.following.reconfigure(conf);
    }

    /// Its sessions, in the order in which they were asked for.
    pub fn views(&self, answer: oneshot::Sender<Option<Vec<BfdSessionView>>>) {
        let now = self.clock.now();
        let view = move |view: ::bfd::runner::View| BfdSessionView {
            remote: view.remote,
            iface: view.link,
            state: view.state.word(),
            since: route::Moment(now.0.saturating_sub(u64::try_from(view.age.as_millis()).unwrap_or(0))),
            interval_us: view.interval_us.into(),
            timeout_us: view.timeout_us,
            detail: detail(view.detail),
        };
        let told = Box::new(move |views: Vec<::bfd::runner::View>| {
            drop(answer.send(Some(views.into_iter().map(view).collect())));
        });
        self.desk.views(self.id, told);
    }
}

fn detail(seen: ::bfd::session::Detail) -> BfdDetail {
    let pace = |pace: ::bfd::session::Pace| BfdPace {
        min_tx_us: pace.min_tx_us,
        min_rx_us: pace.min_rx_us,
        demand: pace.demand,
        multiplier: pace.multiplier,
    };
    BfdDetail {
        remote_state: seen.remote_state.word(),
        diagnostic: seen.diagnostic,
        remote_diagnostic: seen.remote_diagnostic,
        discriminator: seen.discriminator,
        remote_discriminator: seen.remote_discriminator,
        send_in_us: seen.send_in_us,
        expires_in_us: seen.expires_in_us,
        ours: pace(seen.ours),
        theirs: pace(seen.theirs),
        auth: seen.auth,
        seen_sequence: seen.seen_sequence,
        sent_sequence: seen.sent_sequence,
    }
}

/// The `neighbor` lines.
struct Neighbors {
    id: ProtocolId,
    conf: Arc<ProtocolConf>,
    desk: Desk,
    diary: Diary,
    /// In the order of the configuration.
    asked: Vec<Line>,
    up: bool,
}

/// One of them.
struct Line {
    neighbor: BfdNeighbor,
    /// What was asked for in its name; `None` while the neighbour is on no link.
    asked: Option<(Wanted, Asked)>,
}

impl Neighbors {
    fn bfd(&self) -> Option<&BfdConf> {
        match &self.conf.kind {
            ProtocolKind::Bfd(conf) => Some(conf),
            _ => None,
        }
    }

    fn keeper(&self) -> Keeper {
        Keeper {
            id: self.id,
            name: Arc::clone(&self.conf.name),
            debug: Arc::clone(self.diary.mask()),
            vrf: self.conf.vrf.clone(),
            conf: self.bfd().cloned().unwrap_or_default(),
        }
    }

    /// Makes the lines those of the configuration; the sessions of lines that stay, stay.
    fn take_over(&mut self) {
        let mut before = std::mem::take(&mut self.asked);
        let wanted = self.bfd().map(|c| c.neighbors.clone()).unwrap_or_default();
        for neighbor in wanted {
            if self.asked.iter().any(|line| line.neighbor == neighbor) {
                tracing::error!("{}: Duplicate neighbor {}", self.conf.name, neighbor.addr);
                continue;
            }
            let known = before.iter().position(|line| line.neighbor == neighbor);
            let line = known.map_or(Line { neighbor, asked: None }, |at| before.swap_remove(at));
            self.asked.push(line);
        }
    }

    fn ask(&mut self, ifaces: &Ifaces, first: bool) {
        for line in &mut self.asked {
            let wanted = wanted(&line.neighbor, ifaces);
            if line.asked.as_ref().map(|(wanted, _)| *wanted) == wanted && !first {
                continue;
            }
            line.asked = wanted.map(|wanted| (wanted, self.desk.ask(wanted, None, Arc::new(|_, _| {}))));
            if line.asked.is_none() {
                self.diary.event(format_args!("Waiting for {} to become my neighbor", line.neighbor.addr));
            }
        }
    }
}

impl Follower for Neighbors {
    fn begin(&mut self, ifaces: &Arc<Ifaces>) {
        if std::mem::replace(&mut self.up, true) {
            return;
        }
        self.diary.starting();
        self.desk.begin(self.keeper());
        self.take_over();
        self.ask(ifaces, true);
        self.diary.fed();
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.up, false) {
            self.diary.shutting_down();
            self.asked.clear();
            self.desk.end(self.id);
            self.diary.down();
        }
    }

    fn reconfigure(&mut self, conf: Arc<ProtocolConf>, ifaces: &Arc<Ifaces>) {
        self.conf = conf;
        if self.up {
            self.desk.reconfigure(self.keeper());
            self.take_over();
            self.ask(ifaces, false);
        }
    }

    fn look(&mut self, ifaces: &Arc<Ifaces>) {
        if self.up {
            self.ask(ifaces, false);
        }
    }
}

/// The session that a line means; `None` while its neighbour is on no link.
fn wanted(neighbor: &BfdNeighbor, ifaces: &Ifaces) -> Option<Wanted> {
    let (remote, vrf) = (neighbor.addr, ifaces.within().device());
    if neighbor.multihop {
        let is_there = ifaces.within() != Within::Nowhere;
        return Some(Wanted { remote, local: neighbor.local.filter(|_| is_there)?, link: None, vrf });
    }
    let (link, ours) = match &neighbor.iface {
        Some(name) => {
            let link = ifaces.by_name(name).filter(|link| link.is_up())?;
            (link.index, on_link(link, remote))
        }
        None => ifaces.neighbor(remote).map(|(link, ours)| (link.index, Some(ours.addr)))?,
    };
    Some(Wanted { remote, local: neighbor.local.or(ours)?, link: Some(link), vrf })
}

/// Our address towards a neighbour on a link.
pub fn on_link(link: &Iface, neighbor: IpAddr) -> Option<IpAddr> {
    let near = |a: &&route::IfaceAddr| a.addr != neighbor && (a.prefix.contains(neighbor) || a.peer == Some(neighbor));
    link.addrs.iter().filter(near).max_by_key(|a| a.prefix.len()).map(|a| a.addr)
}

/// What a session runs with, from the words of the configuration; `said`: by who asks for it.
fn options(conf: &BfdConf, link: Option<&str>, said: Option<&BfdSaid>) -> ::bfd::Options {
    let options = link.map_or_else(|| conf.multihop.clone(), |link| conf.of_link(link));
    let options = match said {
        Some(said) => said.over(options),
        None => options,
    };
    let BfdOptions { min_rx_us, min_tx_us, idle_tx_us, multiplier, passive, auth, passwords } = options;
    let keys = passwords.iter().map(|p| ::bfd::Key {
        id: p.id,
        secret: Arc::clone(&p.secret),
        generate: window(p.generate),
        accept: window(p.accept),
    });
    let auth = ::bfd::Auth { method: method(auth), keys: keys.collect() };
    ::bfd::Options { min_rx_us, min_tx_us, idle_tx_us, multiplier, passive, auth }
}

const fn method(auth: conf::config::BfdAuth) -> ::bfd::Method {
    use conf::config::BfdAuth;
    match auth {
        BfdAuth::None => ::bfd::Method::None,
        BfdAuth::Simple => ::bfd::Method::Simple,
        BfdAuth::KeyedMd5 => ::bfd::Method::KeyedMd5,
        BfdAuth::MeticulousMd5 => ::bfd::Method::MeticulousMd5,
        BfdAuth::KeyedSha1 => ::bfd::Method::KeyedSha1,
        BfdAuth::MeticulousSha1 => ::bfd::Method::MeticulousSha1,
    }
}

fn window((from, to): (Option<CivilTime>, Option<CivilTime>)) -> ::bfd::Window {
    let always = ::bfd::Window::default();
    ::bfd::Window { from: from.and_then(unix_s).unwrap_or(always.from), to: to.and_then(unix_s).unwrap_or(always.to) }
}

/// A time of the operator's zone in seconds of Unix time; `None` for a time that there is not.
fn unix_s(time: CivilTime) -> Option<i64> {
    let CivilTime { year, month, day, hour, minute, second } = time;
    let part = |n: u8| i8::try_from(n).ok();
    let civil = jiff::civil::DateTime::new(
        year,
        part(month)?,
        part(day)?,
        part(hour)?,
        part(minute)?,
        part(second.min(59))?,
        0,
    );
    Some(civil.ok()?.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp().as_second())
}

/// The name of a link, for what needs it by name.
fn name_of(ifaces: &Ifaces, link: IfIndex) -> Option<Arc<str>> {
    ifaces.get(link).map(|l| Arc::clone(&l.name))
}
