//! Sessions of `neighbor range`: made when a neighbour calls, gone when nothing is left of them.
//!
//! A member has the options of its range, a name of `dynamic name` and a number,
//! and stands behind all protocols of the configuration. What a `configure` does
//! to the range it does to its members, but for a restart: they go, and come again
//! when they call. Those that the operator has disabled stay, and their neighbours
//! are refused, until a `configure`.

use super::actions::{is_enabled, untrace_tables};
use super::{Instance, Running, Supervisor};
use crate::instance::Caller;
use conf::config::{Config, DebugMask, ProtocolConf, ProtocolKind};
use route::ProtocolId;
use session::dynamic::{Call, Word};
use session::peer::StopReason;
use std::collections::HashSet;
use std::sync::Arc;

impl Supervisor {
    pub(super) fn hear_dynamic(&mut self, word: Word) {
        match word {
            Word::Called(call) => self.called(*call),
            Word::Over(member) => self.over(member),
        }
    }

    /// A neighbour of a range has called. Who calls while a configuration is taken on calls again.
    fn called(&mut self, call: Call) {
        let Call { range_of, incoming, place } = call;
        if self.stopping || self.reload.in_progress() {
            return;
        }
        let found = self.instances.iter().find(|i| i.id == range_of && i.is_begun());
        let Some(range) = found.map(|i| Arc::clone(&i.conf)) else { return };
        let caller = Caller {
            range_of: Arc::clone(&range.name),
            remote: incoming.remote.ip(),
            local: incoming.local.ip(),
            iface: self.world.deps.ifaces.borrow().get(incoming.link).map(|l| Arc::clone(&l.name)),
        };
        // The last word of one that ends is still on its way, or it called twice: it has to call again.
        if self.instances.iter().any(|i| i.caller.as_ref() == Some(&caller)) {
            return;
        }
        let Some(conf) = member(&range, &caller, self.free_name(&range)) else { return };
        let (name, remote) = (Arc::clone(&conf.name), caller.remote);
        if range.debug.has(DebugMask::EVENTS) {
            tracing::info!(target: "trace", "{}: Spawning BGP instance {name} for neighbor {remote}", range.name);
        }
        self.make_for(conf, Some(caller));
        let Some(made) = self.instances.last_mut().filter(|i| i.conf.name == name) else { return };
        made.held = false;
        if let Running::Bgp(peer) = &made.running {
            peer.adopt(incoming, place);
        }
    }

    /// `dynbgp1`, `dynbgp2`, ...: the first that nobody has.
    fn free_name(&self, range: &ProtocolConf) -> Arc<str> {
        let ProtocolKind::Bgp(bgp) = &range.kind else { return Arc::default() };
        let digits = bgp.dynamic_digits as usize;
        // Thousands may call at once, each after the others have their names.
        let taken: HashSet<&str> = self.instances.iter().map(|i| &*i.conf.name).collect();
        let mut names = (1..=taken.len() + 1).map(|n| format!("{}{n:0digits$}", bgp.dynamic_name));
        names.find(|name| !taken.contains(&**name)).unwrap_or_default().into()
    }

    /// Nothing is left of a member.
    fn over(&mut self, member: ProtocolId) {
        let is_it = |i: &Instance| i.id == member && i.caller.is_some();
        let Some(at) = self.instances.iter().position(|i| is_it(i) && i.enabled) else { return };
        let instance = self.instances.remove(at);
        drop(self.dismiss(instance, StopReason::Deconfigured));
    }

    /// An instance that is listed no more stops, and its channels are forgotten.
    pub(super) fn dismiss(&self, instance: Instance, reason: StopReason) -> tokio::task::JoinHandle<()> {
        for ids in &instance.channels {
            self.world.listeners.remove(ids.channel);
        }
        let world = self.world.clone();
        tokio::spawn(async move {
            instance.running.stop(reason, None).await;
            instance.diary.removed();
            untrace_tables(&world, &instance);
        })
    }
}

/// The options of an instance in a configuration: its own, or those of its range as they are for it. `None`: it is not
/// there any more, or, being a member, has no reason to stay.
pub(super) fn configured(instance: &Instance, config: &Config) -> Option<ProtocolConf> {
    let conf = config.protocols.iter().find(|c| c.name == *instance.configured_name())?;
    let Some(caller) = &instance.caller else { return Some(conf.clone()) };
    let taken = config.protocols.iter().any(|c| c.name == instance.conf.name);
    let stays = !taken && is_enabled(instance);
    stays.then(|| member(conf, caller, Arc::clone(&instance.conf.name)))?
}

/// The options of a range, for one of its members.
fn member(range: &ProtocolConf, caller: &Caller, name: Arc<str>) -> Option<ProtocolConf> {
    let mut conf = range.clone();
    let ProtocolKind::Bgp(bgp) = &mut conf.kind else { return None };
    let range = bgp.range?;
    if !range.contains(caller.remote) || name.is_empty() {
        return None;
    }
    bgp.peer_addr = caller.remote;
    bgp.local_addr = Some(caller.local);
    bgp.iface = caller.iface.clone().or_else(|| bgp.iface.take());
    (conf.name, conf.disabled) = (name, false);
    Some(conf)
}
