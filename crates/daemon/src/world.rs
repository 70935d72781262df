//! What all protocols of the daemon share: threads, clock, numbers, interfaces.

use netlink::Monitor;
use rib::batch::{Limit, LimitAction, LimitKind, TableEvent};
use route::{ChannelId, Ifaces, ProtocolId, TableId};
use session::clock::Clock;
use session::export::Exports;
use session::link::EventSink;
use session::monitor::Monitors;
use session::mrt::Recorder;
use session::peer::{Deps, Listener, PeerHandle, Recovery};
use session::tables::Tables;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::watch;

use crate::protocols::{Desk, Standing};
use crate::roas::RoaBoard;
use crate::settings::Settings;

/// Who must hear what a table says about a channel.
#[derive(Clone, Default)]
pub struct Listeners(Arc<Ears>);

#[derive(Default)]
struct Ears {
    all: Mutex<HashMap<ChannelId, Listening>>,
    /// Who stops protocols other than BGP when a limit asks for it.
    limits: OnceLock<Box<dyn Fn(Tripped) + Send + Sync>>,
}

/// A route limit that was passed, with an action that stops the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Tripped {
    /// Whose.
    pub whose: Whose,
    /// It goes up again afterwards.
    pub restarts: bool,
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    /// That of a channel to a routing table.
    Channel(ChannelId),
    /// That of a protocol, by a channel to a table of authorisations.
    Protocol(ProtocolId),
}

/// A channel's protocol, as far as tables have to tell it something.
#[derive(Clone)]
struct Listening {
    name: Arc<str>,
    peer: Option<PeerHandle>,
}

impl Listeners {
    /// From now on events of this channel are said in this name, and go to this peer.
    pub fn add(&self, channel: ChannelId, name: &Arc<str>, peer: Option<PeerHandle>) {
        let entry = Listening { name: Arc::clone(name), peer };
        self.lock().insert(channel, entry);
    }

    /// The channel is gone.
    pub fn remove(&self, channel: ChannelId) {
        self.lock().remove(&channel);
    }

    /// Limits whose action stops a protocol go there; the first call counts.
    pub fn on_limit(&self, hear: Box<dyn Fn(Tripped) + Send + Sync>) {
        let _ = self.0.limits.set(hear);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ChannelId, Listening>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, event: TableEvent) {
        let channel = match &event {
            TableEvent::Warning { text } => return tracing::warn!("{text}"),
            TableEvent::Limit { channel, .. }
            | TableEvent::Fed { channel, .. }
            | TableEvent::Log { channel, .. }
            | TableEvent::Printed { channel, .. } => *channel,
        };
        let found = self.lock().get(&channel).cloned();
        let Some(Listening { name, peer }) = found else { return };
        match (&event, peer) {
            (_, Some(peer)) => peer.table_event(event),
            (TableEvent::Fed { .. }, None) => {}
            (TableEvent::Log { text, .. }, None) => tracing::error!("{text}"),
            (TableEvent::Printed { text, .. }, None) => tracing::info!("{text}"),
            (TableEvent::Warning { text }, None) => tracing::warn!("{text}"),
            (TableEvent::Limit { which, limit, .. }, None) => {
                self.passed(Whose::Channel(channel), &name, *which, *limit);
            }
        }
    }

    /// A limit of a protocol that has no session was passed.
    pub fn passed(&self, whose: Whose, name: &str, which: LimitKind, limit: Limit) {
        tracing::warn!(
            "Protocol {name} hits route {} limit ({}), action: {}",
            limit_word(which),
            limit.routes_max,
            action_word(limit.action)
        );
        let restarts = limit.action == LimitAction::Restart;
        if let Some(hear) = self.0.limits.get().filter(|_| restarts || limit.action == LimitAction::Disable) {
            hear(Tripped { whose, restarts });
        }
    }
}

const fn limit_word(which: LimitKind) -> &'static str {
    match which {
        LimitKind::Receive => "receive",
        LimitKind::Import => "import",
        LimitKind::Export => "export",
    }
}

/// BIRD's word for what a limit does.
pub const fn action_word(action: LimitAction) -> &'static str {
    match action {
        LimitAction::Warn => "warn",
        LimitAction::Block => "block",
        LimitAction::Restart => "restart",
        LimitAction::Disable => "disable",
    }
}

/// The numbers that are never given twice.
#[derive(Debug, Default)]
pub struct Numbers {
    protocols: AtomicU32,
    channels: AtomicU32,
    tables: AtomicU32,
}

impl Numbers {
    /// The next protocol.
    pub fn protocol(&self) -> ProtocolId {
        ProtocolId(self.protocols.fetch_add(1, Ordering::Relaxed))
    }

    /// The next channel.
    pub fn channel(&self) -> ChannelId {
        ChannelId(self.channels.fetch_add(1, Ordering::Relaxed))
    }

    /// The next table.
    pub fn table(&self) -> TableId {
        TableId(self.tables.fetch_add(1, Ordering::Relaxed))
    }
}

/// What all protocols share. Cheap to clone.
#[derive(Clone)]
pub struct World {
    /// What a BGP peer needs, which is most of it.
    pub deps: Deps,
    /// Links and addresses; the device protocol sets its pace.
    pub monitor: Monitor,
    /// What protocols see of them: nothing before a device protocol runs.
    pub links: Arc<watch::Sender<Arc<Ifaces>>>,
    /// Which addresses stand for links, as the device protocol has it.
    pub standing: Standing,
    /// ROA tables, as filters see them.
    pub roas: RoaBoard,
    /// Numbers.
    pub numbers: Arc<Numbers>,
    /// Who hears tables.
    pub listeners: Listeners,
    /// Where sessions of BFD are asked for.
    pub bfd: Desk,
}

impl World {
    /// Starts the threads. Must be called inside the runtime.
    pub fn start(settings: &Settings, monitor: Monitor, recovery: Recovery) -> Self {
        let clock = Clock::new();
        let listeners = Listeners::default();
        let ears = listeners.clone();
        let events: EventSink = Arc::new(move |_, event| ears.hear(event));
        let tables = Tables::start(settings.threads.tables, clock, Arc::clone(&events));
        let exports = Exports::start(settings.threads.exports, tables.clone(), clock, events);
        let sources = Arc::new(AtomicU32::new(0));
        let links = watch::Sender::new(Arc::default());
        let roas = RoaBoard::new(tables.clone(), exports.clone(), clock);
        let bfd = Desk::open(links.subscribe());
        let deps = Deps {
            tables,
            exports,
            listener: Listener::new(),
            ifaces: links.subscribe(),
            roas: roas.subscribe(),
            recorder: Recorder::start(),
            monitors: Monitors::default(),
            clock,
            sources,
            recovery,
            watcher: Arc::new(bfd.clone()),
            dynamic: session::dynamic::Ear::default(),
        };
        let links = Arc::new(links);
        let (numbers, standing) = (Arc::default(), Standing::default());
        Self { deps, monitor, links, standing, roas, numbers, listeners, bfd }
    }
}
