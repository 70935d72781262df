//! `enable`, `disable`, `restart`, `reload`, `debug`, and the end of the daemon.

use super::{Instance, Order, Running, Supervisor};
use crate::world::{Tripped, Whose, World};
use conf::Dialect;
use conf::config::{DebugMask, MrtMask, ProtocolKind, RestartMode};
use control::request::{Action, Choice, Direction, Farewell};
use control::view::{ActionRow, Did};
use filter::prefix_set::PrefixSet;
use rib::trace::Tracing;
use route::ProtocolId;
use session::link::TableMsg;
use session::peer::{PeerHandle, ProtoState, StopReason};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long a protocol may take to say good-bye when the daemon ends.
const GOODBYE: Duration = Duration::from_secs(5);

/// A protocol that a limit restarts stops so much later, as in BIRD, lest it turn round without pause.
const LIMIT_RESTART: Duration = Duration::from_secs(2);

/// How long an answer waits for what was disabled, so that the next question finds it down.
const SOON: Duration = Duration::from_millis(200);

/// Ends when all have stopped, or soon.
pub(super) async fn stopped_or_soon(goodbyes: Vec<JoinHandle<()>>) {
    let all = async {
        for done in goodbyes {
            let _ = done.await;
        }
    };
    let _ = tokio::time::timeout(SOON, all).await;
}

impl Supervisor {
    /// Carries an action out on the chosen protocols, in their order. What was disabled may still be saying good-bye.
    pub(super) fn act(
        &mut self,
        action: Action,
        choice: &Choice,
        message: Option<&Arc<str>>,
    ) -> (Vec<ActionRow>, Vec<JoinHandle<()>>) {
        let now = self.world.deps.clock.now();
        let (mut rows, mut goodbyes) = (Vec::new(), Vec::new());
        let dialect = self.current.config.dialect;
        for i in 0..self.instances.len() {
            let Some(mut instance) = self.instances.get(i).filter(|x| choice.takes(&x.conf.name)).cloned() else {
                continue;
            };
            let did = match action {
                Action::Restart if is_enabled(&instance) => self.restart(&instance, message.cloned()),
                action => act_on(&mut instance, action, dialect, message, &mut goodbyes),
            };
            if matches!(did, Did::Enabled | Did::Disabled | Did::Restarted) {
                instance.message = message.cloned();
                instance.since = now;
            }
            rows.push(ActionRow { name: Arc::clone(&instance.conf.name), did });
            if let Some(place) = self.instances.get_mut(i) {
                *place = instance;
            }
        }
        self.look_at_links();
        (rows, goodbyes)
    }

    /// `reload filters ... partial`: what import tables have kept of these prefixes is judged again. Nothing else can be
    /// reloaded in part, and each channel that was meant and cannot has a line that says so.
    pub(super) fn reload_within(&self, action: Action, choice: &Choice, nets: &Arc<PrefixSet>) -> Vec<ActionRow> {
        let mut rows = Vec::new();
        for instance in self.instances.iter().filter(|i| choice.takes(&i.conf.name)) {
            let mut say = |name: Arc<str>, did| rows.push(ActionRow { name, did });
            let name = Arc::clone(&instance.conf.name);
            if !is_enabled(instance) {
                say(name, Did::AlreadyDisabled);
                continue;
            }
            if !is_up(instance) {
                say(name, Did::NotUp);
                continue;
            }
            let mut is_done = false;
            for channel in instance.conf.channels.iter().chain(&instance.conf.roa_channels) {
                let is_kept = channel.bgp.as_ref().is_some_and(|own| own.import_table);
                let is_import = action != Action::Reload(Direction::Out);
                if let (Running::Bgp(peer), true, true) = (&instance.running, is_kept, is_import) {
                    peer.reload_kept(channel.family, Arc::clone(nets));
                    is_done = true;
                }
                if !is_kept || action != Action::Reload(Direction::In) {
                    let word = conf::channel_word(channel.family, channel.carries);
                    say(format!("{name}.{word}").into(), Did::PartialRefused);
                }
            }
            if is_done {
                tracing::info!("Reloading protocol {name}");
                say(name, Did::Reloading);
            }
        }
        rows
    }

    /// A route limit of a protocol other than BGP was passed, and its action is to stop it.
    pub(super) fn trip(&mut self, tripped: Tripped) {
        let now = self.world.deps.clock.now();
        let is_of = |i: &Instance| match tripped.whose {
            Whose::Channel(channel) => i.channels.iter().any(|c| c.channel == channel),
            Whose::Protocol(protocol) => i.id == protocol,
        };
        let has = |i: &&mut Instance| i.enabled && is_of(i);
        let Some(instance) = self.instances.iter_mut().find(has) else { return };
        instance.since = now;
        let least_ms = instance.conf.restart_least_ms();
        if tripped.restarts && instance.restarts.may(now, least_ms, &instance.conf.name) {
            let (orders, id) = (self.orders.clone(), instance.id);
            tokio::spawn(async move {
                tokio::time::sleep(LIMIT_RESTART).await;
                let _ = orders.send(Order::LimitRestart(id));
            });
        } else {
            instance.enabled = false;
            drop(instance.running.stop_soon(StopReason::Disable, None));
        }
    }

    /// It is time for the restart that a limit asked for, if the protocol is still to run.
    pub(super) fn restart_limited(&self, protocol: ProtocolId) {
        if let Some(instance) = self.begun(protocol) {
            self.restart_soon(instance, None);
        }
    }

    /// A protocol that was to restart has stopped: it goes up, unless that was called off meanwhile. A peer that was
    /// told to restart goes up by itself; for it this does nothing.
    pub(super) fn begin_again(&self, protocol: ProtocolId) {
        if let Some(instance) = self.begun(protocol) {
            instance.running.begin();
        }
    }

    /// A session starts anew, with its new options, unless it was stopped meanwhile.
    pub(super) fn renew(&self, protocol: ProtocolId) {
        if let Some(instance) = self.begun(protocol) {
            tracing::info!("Restarting protocol {}", instance.conf.name);
            drop(instance.running.stop_soon(StopReason::Renew, None));
        }
    }

    fn begun(&self, protocol: ProtocolId) -> Option<&Instance> {
        self.instances.iter().find(|i| i.id == protocol && i.is_begun())
    }

    fn restart(&self, instance: &Instance, message: Option<Arc<str>>) -> Did {
        tracing::info!("Restarting protocol {}", instance.conf.name);
        if instance.is_begun() {
            self.restart_soon(instance, message);
        }
        Did::Restarted
    }

    /// Begins to stop a protocol; when that is done, its going up is another order.
    fn restart_soon(&self, instance: &Instance, message: Option<Arc<str>>) {
        let stopped = instance.running.stop_soon(StopReason::Restart, message);
        let (orders, id) = (self.orders.clone(), instance.id);
        tokio::spawn(async move {
            let _ = stopped.await;
            let _ = orders.send(Order::BeginAgain(id));
        });
    }

    /// `debug`: how many protocols were meant.
    pub(super) fn debug(&mut self, choice: &Choice, mask: DebugMask) -> usize {
        let mut count = 0;
        for instance in self.instances.iter_mut().filter(|i| choice.takes(&i.conf.name)) {
            Arc::make_mut(&mut instance.conf).debug = mask;
            instance.debug(mask);
            trace_tables(&self.world, instance);
            count += 1;
        }
        count
    }

    /// `debug PROTOCOL.CHANNEL`: how many protocols were meant. What the protocol itself asks for is told beside.
    pub(super) fn debug_channel(&mut self, choice: &Choice, channel: &'static str, mask: DebugMask) -> usize {
        let mut count = 0;
        for instance in self.instances.iter_mut().filter(|i| choice.takes(&i.conf.name)) {
            count += 1;
            let whole = instance.conf.debug;
            if let Running::Pipe(_) | Running::RoaPipe(_) = instance.running {
                // Channels of pipes have no options of their own; `debug PIPE` takes both back.
                instance.diary.set_channel_mask(channel, mask);
                trace_tables(&self.world, instance);
                continue;
            }
            let conf = Arc::make_mut(&mut instance.conf);
            let all = conf.channels.iter_mut().chain(&mut conf.roa_channels);
            for own in all.filter(|c| conf::channel_word(c.family, c.carries) == channel) {
                own.debug = mask;
            }
            instance.debug(whole);
            trace_tables(&self.world, instance);
        }
        count
    }

    /// `mrtdump`: how many protocols are chosen.
    pub(super) fn mrtdump(&mut self, choice: &Choice, mask: MrtMask) -> usize {
        let chosen = self.instances.iter_mut().filter(|i| choice.takes(&i.conf.name));
        chosen
            .map(|instance| {
                Arc::make_mut(&mut instance.conf).mrtdump = mask;
                instance.running.mrtdump(mask);
            })
            .count()
    }

    /// The orderly end: sessions say good-bye, then the kernel's routes go unless they shall persist.
    pub(super) async fn stop_all(mut self) {
        self.stopping = true;
        tracing::info!("Shutting down");
        let (kernels, others): (Vec<_>, Vec<_>) =
            self.instances.drain(..).partition(|i| matches!(i.running, Running::Kernel(_)));
        // The kernel protocols go first: with `persist` their routes must not follow the sessions' end.
        for group in [kernels, others] {
            let goodbyes: Vec<_> = group
                .into_iter()
                .map(|i| {
                    let reason = farewell_to(&i, self.farewell);
                    tokio::spawn(async move {
                        i.running.stop(reason, None).await;
                        i.diary.removed();
                    })
                })
                .collect();
            for done in goodbyes {
                let _ = tokio::time::timeout(GOODBYE, done).await;
            }
        }
    }
}

/// How an instance is stopped when the daemon ends. Only a neighbour that may keep our routes is left without a word.
fn farewell_to(instance: &Instance, farewell: Farewell) -> StopReason {
    let keeps = match &instance.conf.kind {
        ProtocolKind::Bgp(bgp) => {
            bgp.offer.graceful_restart == RestartMode::On || bgp.offer.long_lived == RestartMode::On
        }
        _ => true,
    };
    if farewell == Farewell::GracefulRestart && keeps { StopReason::GracefulRestart } else { StopReason::Down }
}

/// Tells the tables that no lines are wanted of an instance that is gone.
pub(super) fn untrace_tables(world: &World, instance: &Instance) {
    for ids in &instance.channels {
        world.deps.tables.send(ids.table, TableMsg::Trace(ids.channel, Tracing::default()));
    }
}

/// Tells the tables which lines are wanted of an instance: what it asks for, and what its channels do beside.
pub(super) fn trace_tables(world: &World, instance: &Instance) {
    for (n, ids) in instance.channels.iter().enumerate() {
        world.deps.tables.send(ids.table, TableMsg::Trace(ids.channel, instance.diary.inwards(n)));
    }
}

/// What an action does to a protocol, but for a restart of one that is enabled.
fn act_on(
    instance: &mut Instance,
    action: Action,
    dialect: Dialect,
    message: Option<&Arc<str>>,
    goodbyes: &mut Vec<JoinHandle<()>>,
) -> Did {
    let name = Arc::clone(&instance.conf.name);
    let enabled = is_enabled(instance);
    match action {
        Action::Enable if enabled => Did::AlreadyEnabled,
        Action::Enable => {
            tracing::info!("Enabling protocol {name}");
            instance.enabled = true;
            if instance.is_begun() {
                instance.running.begin();
            }
            Did::Enabled
        }
        Action::Disable if !enabled => Did::AlreadyDisabled,
        Action::Disable => {
            tracing::info!("Disabling protocol {name}");
            instance.enabled = false;
            goodbyes.push(instance.running.stop_soon(StopReason::Disable, message.cloned()));
            Did::Disabled
        }
        Action::Restart => Did::AlreadyDisabled,
        Action::Reload(_) if !enabled => Did::AlreadyDisabled,
        Action::Reload(direction) => {
            if !is_up(instance) {
                return Did::NotUp;
            }
            let can = reload(instance, direction, dialect);
            // BIRD 1.6 says so before it knows whether it can.
            if can || dialect == Dialect::V1 {
                tracing::info!("Reloading protocol {name}");
            }
            if can { Did::Reloading } else { Did::ReloadFailed }
        }
    }
}

/// Whether the operator's will and the protocol's own (a limit, an error) both want it up.
pub(super) fn is_enabled(instance: &Instance) -> bool {
    let gave_up = |peer: &PeerHandle| {
        let status = peer.status.borrow();
        status.disabled && status.proto == ProtoState::Down
    };
    instance.enabled
        && match &instance.running {
            Running::Bgp(peer) => !gave_up(peer),
            Running::Kernel(kernel) => kernel.limited().is_none_or(|l| !l.is_down),
            _ => true,
        }
}

/// Whether it has routes that could be told again.
fn is_up(instance: &Instance) -> bool {
    instance.is_begun()
        && match &instance.running {
            Running::Bgp(peer) => {
                matches!(peer.status.borrow().proto, ProtoState::Up | ProtoState::Feed | ProtoState::Wait)
            }
            Running::Rpki(rpki) => rpki.row().0 == "up",
            _ => true,
        }
}

/// `reload`: false where it can not be done. 1.6 cannot reload device, direct and static, 2 of these only direct.
fn reload(instance: &Instance, direction: Direction, dialect: Dialect) -> bool {
    match &instance.running {
        Running::Bgp(peer) => {
            let asked = direction == Direction::Out || peer.reload_in();
            if asked && direction != Direction::In {
                peer.reload_out();
            }
            asked
        }
        Running::Kernel(kernel) => {
            kernel.reload();
            true
        }
        Running::Pipe(pipe) => {
            pipe.reload();
            true
        }
        Running::RoaPipe(pipe) => {
            pipe.reload();
            true
        }
        Running::Aggregator(aggregator) => {
            aggregator.reload();
            true
        }
        // They read nobody's routes, so there is nothing to be told anew: done.
        Running::Direct(_) => direction == Direction::Out,
        Running::Device(_)
        | Running::Static(_)
        | Running::Bfd(_)
        | Running::Mrt(_)
        | Running::Rpki(_)
        | Running::Bmp(_) => direction == Direction::Out || dialect == Dialect::V2,
    }
}
