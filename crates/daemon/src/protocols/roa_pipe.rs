//! `protocol pipe` between ROA or ASPA tables: authorisations of one in the other, and back.
//!
//! What runs of it are two ways on the board (`roas`); here are its options, and
//! what the operator sees of it.

use super::Start;
use super::diary::Diary;
use crate::roas::{InletSpec, RoaBoard, WaySpec};
use crate::world::Listeners;
use conf::channel_word;
use conf::config::{ChannelConf, Limit, PipeConf, ProtocolConf, ProtocolKind};
use control::request::Passage;
use control::view::{ChannelView, LimitView, PipeView, PipeWay};
use filter::Policy;
use route::{Ifaces, ProtocolId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// See the head of the file. Cheap to clone.
#[derive(Clone)]
pub struct RoaPipeHandle(Arc<Mutex<RoaPipe>>);

struct RoaPipe {
    id: ProtocolId,
    name: Arc<str>,
    sides: Sides,
    board: RoaBoard,
    ifaces: watch::Receiver<Arc<Ifaces>>,
    listeners: Listeners,
    diary: Diary,
    up: bool,
    /// Whether its limits had been passed when it went down: `import limit`, `export limit`.
    hits: (bool, bool),
}

/// Its options.
struct Sides {
    channel: ChannelConf,
    peer_table: Arc<str>,
}

impl Sides {
    fn of(conf: &ProtocolConf) -> Option<Self> {
        match (&conf.kind, conf.roa_channels.first()) {
            (ProtocolKind::Pipe(PipeConf { peer_table: Some(peer), .. }), Some(channel)) => {
                Some(Self { channel: channel.clone(), peer_table: Arc::clone(peer) })
            }
            _ => None,
        }
    }
}

impl RoaPipeHandle {
    /// Makes it; it is down until [`begin`](Self::begin). `None` when the configuration is no such pipe's.
    pub fn new(start: &Start) -> Option<Self> {
        let Start { id, conf, diary, world, .. } = start;
        Some(Self(Arc::new(Mutex::new(RoaPipe {
            id: *id,
            name: Arc::clone(&conf.name),
            sides: Sides::of(conf)?,
            board: world.roas.clone(),
            ifaces: world.deps.ifaces.clone(),
            listeners: world.listeners.clone(),
            diary: diary.clone(),
            up: false,
            hits: (false, false),
        }))))
    }

    fn lock(&self) -> MutexGuard<'_, RoaPipe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes up; nothing happens when it is up already. Both tables have what they shall when this returns.
    pub fn begin(&self) {
        let mut pipe = self.lock();
        if std::mem::replace(&mut pipe.up, true) {
            return;
        }
        pipe.diary.starting();
        pipe.board.open([pipe.export(), pipe.import()]);
        pipe.diary.fed();
    }

    /// Goes down and takes back what it has brought.
    #[expect(clippy::unused_async, reason = "all protocols stop alike")]
    pub async fn stop(&self) {
        let mut pipe = self.lock();
        if std::mem::replace(&mut pipe.up, false) {
            pipe.hits = pipe.hits();
            pipe.diary.shutting_down();
            pipe.board.close(pipe.id);
            pipe.diary.down();
        }
    }

    /// Takes over new options; the directions that are named are judged anew.
    pub fn reconfigure(&self, conf: Arc<ProtocolConf>, import: bool, export: bool) {
        let mut pipe = self.lock();
        if let Some(sides) = Sides::of(&conf) {
            pipe.sides = sides;
        }
        if pipe.up {
            pipe.board.respec([(pipe.export(), export), (pipe.import(), import)]);
        }
    }

    /// `reload`: limits open again, and all is judged anew.
    pub fn reload(&self) {
        let pipe = self.lock();
        if pipe.up {
            pipe.diary.reloading();
            pipe.diary.feeding_again();
            pipe.board.respec([(pipe.export(), true), (pipe.import(), true)]);
            pipe.diary.fed();
        }
    }

    /// What it lets out of one of its tables; `None` while it is down.
    pub fn passage(&self, from: &str) -> Option<Passage> {
        let pipe = self.lock();
        let Sides { channel, peer_table } = &pipe.sides;
        let policy = match from {
            _ if !pipe.up => return None,
            _ if *from == *channel.table => channel.export.clone(),
            _ if *from == **peer_table => channel.import.clone(),
            _ => return None,
        };
        Some(Passage { by: pipe.id, policy })
    }

    /// As `show protocols all` shows it.
    pub fn view(&self) -> ChannelView {
        let pipe = self.lock();
        let Sides { channel, peer_table } = &pipe.sides;
        let (import, export) = (pipe.way(&channel.table).0, pipe.way(peer_table).0);
        let (import_hit, export_hit) = if pipe.up { pipe.hits() } else { pipe.hits };
        ChannelView {
            name: channel_word(channel.family, channel.carries),
            table: Arc::clone(&channel.table),
            peer_table: Some(Arc::clone(peer_table)),
            state: if pipe.up { "UP" } else { "DOWN" },
            preference: channel.preference,
            import: channel.import.clone(),
            export: channel.export.clone(),
            recovery: None,
            receive_limit: None,
            import_limit: LimitView::of(channel.import_limit, import_hit),
            export_limit: LimitView::of(channel.export_limit, export_hit),
            routes: None,
            pipe: pipe.up.then_some(PipeView { import, export }),
            restart: None,
            next_hop: None,
            igp_tables: Vec::new(),
        }
    }
}

impl RoaPipe {
    /// What the direction into a table has done, and whether its limit was passed.
    fn way(&self, into: &str) -> (PipeWay, bool) {
        self.board.way(self.id, into).unwrap_or_default()
    }

    /// Whether the limits were passed: `import limit`, `export limit`.
    fn hits(&self) -> (bool, bool) {
        (self.way(&self.sides.channel.table).1, self.way(&self.sides.peer_table).1)
    }

    /// From the peer table into its own.
    fn import(&self) -> WaySpec {
        let Sides { channel, peer_table } = &self.sides;
        self.spec((peer_table, "sec"), (&channel.table, "pri"), &channel.import, channel.import_limit)
    }

    /// The other way.
    fn export(&self) -> WaySpec {
        let Sides { channel, peer_table } = &self.sides;
        self.spec((&channel.table, "pri"), (peer_table, "sec"), &channel.export, channel.export_limit)
    }

    /// From one end, a table and the channel to it, to the other.
    fn spec(
        &self,
        (from, channel): (&Arc<str>, &'static str),
        (into, to_channel): (&Arc<str>, &'static str),
        policy: &Policy,
        most: Option<Limit>,
    ) -> WaySpec {
        let to = InletSpec {
            protocol: self.id,
            name: Arc::clone(&self.name),
            into: Arc::clone(into),
            channel: to_channel,
            keep_filtered: false,
            receive: None,
            import: most,
            listeners: self.listeners.clone(),
            diary: self.diary.clone(),
        };
        WaySpec { from: Arc::clone(from), channel, policy: policy.clone(), ifaces: self.ifaces.clone(), to }
    }
}
