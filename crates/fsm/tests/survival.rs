//! Any sequence of events is survived, and whatever happens some things stay true.

mod script;

use proptest::prelude::*;
use rbird_fsm::{Action, Event, Life, Machine, Reach, Stop, Which};
use route::{Family, Moment};
use script::*;
use std::collections::HashSet;
use wire::{Notification, Open};

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![Just(Which::Outgoing), Just(Which::Incoming)]
}

fn open() -> impl Strategy<Value = Box<Open>> {
    let asn = prop_oneof![4 => Just(65002u32), 1 => any::<u32>()];
    let hold = prop_oneof![Just(0u16), Just(2), Just(3), Just(90), any::<u16>()];
    let id = prop_oneof![Just(0x0a01_0102u32), Just(1), any::<u32>()];
    (asn, hold, id, any::<bool>(), any::<bool>()).prop_map(|(asn, hold, id, restarts, kept)| {
        let mut open = if restarts { restarting_open(8, kept) } else { peer_open() };
        (open.asn, open.hold_time_s, open.router_id) = (asn, hold, id);
        Box::new(open)
    })
}

fn event() -> impl Strategy<Value = Event> {
    let notification = (0u8..9, 0u8..12).prop_map(|(c, s)| Notification::new(c, s));
    prop_oneof![
        4 => Just(Event::Start),
        1 => Just(Event::Stop(Stop::Silent)),
        1 => (0u8..9).prop_map(|subcode| Event::Stop(Stop::Cease { subcode, text: "x".into() })),
        1 => (1u8..3, any::<bool>()).prop_map(|(subcode, restart)| Event::Limit { subcode, restart }),
        1 => Just(Event::Unable("Authentication failed")),
        1 => Just(Event::Reach(Reach::Absent)),
        1 => Just(Event::Reach(Reach::LinkDown("d0".into()))),
        3 => Just(Event::Reach(Reach::Ready)),
        6 => Just(Event::Connected),
        2 => Just(Event::ConnectFailed("Connection refused".into())),
        6 => Just(Event::Offered),
        12 => (which(), open()).prop_map(|(w, o)| Event::Open(w, o)),
        12 => which().prop_map(Event::Keepalive),
        4 => which().prop_map(Event::Routes),
        2 => (which(), notification.clone()).prop_map(|(w, n)| Event::Notification(w, n)),
        2 => (which(), notification).prop_map(|(w, n)| Event::Malformed(w, n)),
        1 => which().prop_map(Event::Unexpected),
        3 => which().prop_map(|w| Event::Closed(w, None)),
        1 => which().prop_map(Event::OctetsWaiting),
        1 => which().prop_map(Event::Stuck),
        3 => Just(Event::EndOfRib(Family::Ipv4)),
        8 => Just(Event::Tick),
    ]
}

/// What an owner of the machine would believe, from its actions alone.
#[derive(Default)]
struct Owner {
    open: HashSet<Which>,
    up: Option<Which>,
    retained: bool,
}

impl Owner {
    fn carry_out(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Connect => {
                    assert!(self.open.insert(Which::Outgoing), "one attempt at a time");
                }
                Action::Accept => {
                    assert!(self.open.insert(Which::Incoming), "one incoming connection at a time");
                }
                Action::Close(which) => {
                    self.open.remove(which);
                }
                Action::SendOpen(which, _) | Action::SendKeepalive(which) | Action::SendNotification(which, _) => {
                    assert!(self.open.contains(which), "only open connections are written to");
                }
                Action::Established(which) => {
                    assert_eq!(self.up, None, "one session at a time");
                    self.up = Some(*which);
                }
                Action::Lost(fates) => {
                    assert!(self.up.take().is_some(), "only a session can be lost");
                    self.retained = fates.iter().any(|(_, k)| *k == rbird_fsm::Keep::Stale);
                }
                Action::Drop(_) | Action::Sweep(_) => {
                    assert!(self.retained, "only what was retained can have had its time");
                    self.retained = false;
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn any_sequence_of_events_is_survived(
        seed in any::<u64>(),
        passive in any::<bool>(),
        steps in prop::collection::vec((event(), 0u64..200_000), 0..200),
    ) {
        let mut own = config();
        own.passive = passive;
        let mut machine = Machine::new(own, seed);
        let mut owner = Owner::default();
        let mut now = Moment(0);
        for (event, ms) in steps {
            // An owner tells only of connections that it has.
            let about = match &event {
                Event::Closed(w, _) | Event::Notification(w, _) | Event::Malformed(w, _) => Some(*w),
                Event::Connected | Event::ConnectFailed(_) => Some(Which::Outgoing),
                _ => None,
            };
            if about.is_some_and(|w| !owner.open.contains(&w)) {
                continue;
            }
            owner.carry_out(&machine.handle(now, event));
            prop_assert_eq!(owner.up, machine.established());
            if machine.life() == Life::Down {
                prop_assert!(owner.open.is_empty());
                prop_assert_eq!(machine.next_deadline(), None);
            }
            now = now.plus_ms(ms);
            // Time is told in the order of the timers, and a told timer is over.
            for _ in 0..1000 {
                let Some(at) = machine.next_deadline().filter(|at| *at <= now) else { break };
                owner.carry_out(&machine.handle(at, Event::Tick));
            }
            prop_assert!(machine.next_deadline().is_none_or(|at| at > now));
        }
    }
}
