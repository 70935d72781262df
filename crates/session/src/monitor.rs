//! What monitoring stations hear of sessions (`protocol bmp`): which stand, how they end, which UPDATEs come.
//!
//! Sessions say it to a [`Monitors`] that all share and go on: nobody waits for a
//! station. It remembers the sessions that stand, so a station that comes later
//! is told of them first. While no station listens an UPDATE costs a look at a
//! flag. How much may wait for a station is the [`Ear`]'s affair.
//!
//! Of what a neighbour is told sessions say only how: by which key, and as which
//! member of an export group. A station that wants to hear it becomes a member of
//! its own ([`Exports::mirror`](crate::export::Exports::mirror)), so it is fed, and
//! told changes, as the neighbour is, and a session has nothing to do with it.

use rib::export::{GroupKey, MemberId, MemberSpec};
use route::{ChannelId, Family, ProtocolId, TableId};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A session that stands.
#[derive(Debug)]
pub struct SessionUp {
    /// Whose.
    pub protocol: ProtocolId,
    /// Its name.
    pub name: Arc<str>,
    /// The neighbour's address.
    pub peer_addr: IpAddr,
    /// The neighbour's AS.
    pub peer_as: u32,
    /// The neighbour's BGP identifier.
    pub peer_id: u32,
    /// AS numbers have four octets.
    pub as4: bool,
    /// Our address.
    pub local_addr: IpAddr,
    /// Our port.
    pub local_port: u16,
    /// The neighbour's port.
    pub remote_port: u16,
    /// Our OPEN, a whole message.
    pub sent: Vec<u8>,
    /// The neighbour's OPEN, a whole message.
    pub received: Vec<u8>,
    /// Its channels that are up.
    pub channels: Vec<MonitoredChannel>,
}

/// A channel of a session that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonitoredChannel {
    /// Its family.
    pub family: Family,
    /// Its number.
    pub channel: ChannelId,
    /// Its table.
    pub table: TableId,
    /// The neighbour's prefixes carry path identifiers.
    pub add_path_rx: bool,
}

/// How a neighbour is told routes of a channel.
#[derive(Clone, Debug)]
pub struct MonitoredOut {
    /// From which table.
    pub table: TableId,
    /// By what it is judged, rewritten and encoded.
    pub key: Arc<GroupKey>,
    /// What is the neighbour's own in that; names the channel.
    pub spec: MemberSpec,
    /// The neighbour in its group.
    pub member: MemberId,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// We sent this NOTIFICATION, a whole message.
    Notified(Vec<u8>),
    /// We closed it without a word: the number of the event in RFC 4271 8.1, 0 when there is none.
    Silently(u16),
    /// The neighbour sent this NOTIFICATION.
    WasNotified(Vec<u8>),
    /// The neighbour closed it without a word, or the connection broke.
    Lost,
}

/// What a station hears, in the order in which it happens.
#[derive(Clone, Debug)]
pub enum Heard<'a> {
    /// A session stands. `fresh`: since now; else it stood when the station came.
    Up {
        /// It.
        session: &'a Arc<SessionUp>,
        /// Since now.
        fresh: bool,
    },
    /// From now on the neighbour is told routes of a channel in this way.
    Tells(&'a Arc<SessionUp>, &'a Arc<MonitoredOut>),
    /// An UPDATE came, a whole message.
    Update(&'a Arc<SessionUp>, &'a [u8]),
    /// A session is over.
    Down(&'a Arc<SessionUp>, &'a Ended),
}

/// Hears for a station. Must not block: it is called by sessions.
pub type Ear = Box<dyn Fn(Heard<'_>) + Send + Sync>;

/// A station's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EarId(u64);

/// Where sessions speak and stations listen. Cheap to clone.
#[derive(Clone, Default)]
pub struct Monitors(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Somebody wants the UPDATEs that come.
    updates: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<ProtocolId, Standing>,
    ears: BTreeMap<EarId, (Ear, bool)>,
    last: u64,
}

/// A session that stands, and what it said since.
struct Standing {
    session: Arc<SessionUp>,
    tells: BTreeMap<ChannelId, Arc<MonitoredOut>>,
}

impl Monitors {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A station listens from now on; of the sessions that stand it is told before this returns. `updates`: also what
    /// neighbours send.
    pub fn listen(&self, ear: Ear, updates: bool) -> EarId {
        let mut state = self.lock();
        for Standing { session, tells } in state.sessions.values() {
            ear(Heard::Up { session, fresh: false });
            tells.values().for_each(|out| ear(Heard::Tells(session, out)));
        }
        state.last += 1;
        let id = EarId(state.last);
        state.ears.insert(id, (ear, updates));
        self.follow(&state);
        id
    }

    /// A station listens no more.
    pub fn leave(&self, id: EarId) {
        let mut state = self.lock();
        state.ears.remove(&id);
        self.follow(&state);
    }

    fn follow(&self, state: &State) {
        self.0.updates.store(state.ears.values().any(|(_, updates)| *updates), Ordering::Relaxed);
    }

    /// Whether anybody wants the UPDATEs that come.
    pub(crate) fn wants_updates(&self) -> bool {
        self.0.updates.load(Ordering::Relaxed)
    }

    /// A session stands.
    pub(crate) fn up(&self, session: &Arc<SessionUp>) {
        let mut state = self.lock();
        let standing = Standing { session: Arc::clone(session), tells: BTreeMap::new() };
        state.sessions.insert(session.protocol, standing);
        state.ears.values().for_each(|(ear, _)| ear(Heard::Up { session, fresh: true }));
    }

    /// The neighbour of a session that stands is told routes in a new way.
    pub(crate) fn tells(&self, out: MonitoredOut) {
        let mut state = self.lock();
        let State { sessions, ears, .. } = &mut *state;
        let Some(Standing { session, tells }) = sessions.get_mut(&out.spec.protocol) else { return };
        let out = Arc::new(out);
        ears.values().for_each(|(ear, _)| ear(Heard::Tells(session, &out)));
        tells.insert(out.spec.channel, out);
    }

    /// An UPDATE came.
    pub(crate) fn update(&self, session: &Arc<SessionUp>, message: &[u8]) {
        let state = self.lock();
        let wanting = state.ears.values().filter(|(_, updates)| *updates);
        wanting.for_each(|(ear, _)| ear(Heard::Update(session, message)));
    }

    /// A session is over.
    pub(crate) fn down(&self, session: &Arc<SessionUp>, ended: &Ended) {
        let mut state = self.lock();
        state.sessions.remove(&session.protocol);
        state.ears.values().for_each(|(ear, _)| ear(Heard::Down(session, ended)));
    }
}
