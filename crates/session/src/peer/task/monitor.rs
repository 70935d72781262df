//! What monitoring stations are told of a session: that it stands, what comes, how it ended.

use super::Task;
use crate::monitor::{Ended, MonitoredChannel, SessionUp};
use fsm::{Action, Event, Negotiated, Which};
use std::sync::Arc;
use wire::Kind;

/// ManualStop and AutomaticStop, by the numbers of RFC 4271 8.1.
const MANUAL_STOP: u16 = 2;
const AUTOMATIC_STOP: u16 = 8;

impl Task {
    /// Keeps an OPEN, and tells stations of an UPDATE, as it came.
    pub(super) fn monitor_message(&mut self, which: Which, kind: Kind, message: &[u8]) {
        match kind {
            Kind::Update if self.deps.monitors.wants_updates() => {
                if let Some(session) = &self.monitored {
                    self.deps.monitors.update(session, message);
                }
            }
            Kind::Open => {
                if let Some(conn) = self.slot(which) {
                    conn.opens.received = message.to_vec();
                }
            }
            _ => {}
        }
    }

    /// The session stands.
    pub(super) fn monitor_up(&mut self, which: Which, negotiated: &Negotiated) {
        let Some(conn) = self.conn(which) else { return };
        let up = self.channels.iter().filter(|c| c.up);
        let channels = up.map(|c| MonitoredChannel {
            family: c.family(),
            channel: c.spec.channel,
            table: c.spec.table,
            add_path_rx: negotiated.add_path_rx.contains(&c.family()),
        });
        let session = Arc::new(SessionUp {
            protocol: self.spec.protocol,
            name: Arc::clone(&self.spec.name),
            peer_addr: conn.remote.ip(),
            peer_as: self.spec.peer_as,
            peer_id: negotiated.peer.router_id,
            as4: negotiated.as4,
            local_addr: conn.local.ip(),
            local_port: conn.local.port(),
            remote_port: conn.remote.port(),
            sent: conn.opens.sent.clone(),
            received: conn.opens.received.clone(),
            channels: channels.collect(),
        });
        self.deps.monitors.up(&session);
        self.monitored = Some(session);
    }

    /// What an event says of the end that it may bring.
    pub(super) fn ending(event: &Event) -> Ended {
        match event {
            Event::Notification(_, notification) => {
                let mut message = Vec::new();
                notification.encode(&mut message);
                Ended::WasNotified(message)
            }
            Event::Closed(..) => Ended::Lost,
            Event::Stop(_) => Ended::Silently(MANUAL_STOP),
            Event::Limit { .. } => Ended::Silently(AUTOMATIC_STOP),
            _ => Ended::Silently(0),
        }
    }

    /// The session is over when one of the actions says so; a NOTIFICATION among them is the reason.
    pub(super) fn monitor_end(&mut self, ending: Ended, actions: &[Action]) {
        if !actions.iter().any(|action| matches!(action, Action::Lost(_))) {
            return;
        }
        let Some(session) = self.monitored.take() else { return };
        let which = self.session.as_ref().map(|s| s.which);
        let sent = actions.iter().find_map(|action| match action {
            Action::SendNotification(on, notification) if Some(*on) == which => {
                let mut message = Vec::new();
                notification.encode(&mut message);
                Some(Ended::Notified(message))
            }
            _ => None,
        });
        self.deps.monitors.down(&session, &sent.unwrap_or(ending));
    }
}
