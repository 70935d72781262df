//! A neighbour that restarts gracefully: its routes stay, for a while (RFC 4724 4.2, RFC 9494 4.2).

mod script;

use rbird_fsm::{Action, Class, Event, Keep, Life};
use route::Family;
use script::*;
use wire::capability::LongLivedFamily;

const V4: Family = Family::Ipv4;

fn reconnect(s: &mut Script, open: wire::Open) {
    s.pass(1);
    s.send(Event::Connected);
    s.send(Event::Open(OUT, Box::new(open)));
    s.send(Event::Keepalive(OUT));
    assert_eq!(s.machine.life(), Life::Up);
}

#[test]
fn routes_stay_until_the_neighbour_has_told_everything_again() {
    // graceful-restart-helper
    let mut s = Script::established(config(), restarting_open(8, true));
    s.send(Event::Closed(OUT, None)).expect([
        Action::Life(Life::Start),
        Action::Close(OUT),
        Action::Lost(vec![(V4, Keep::Stale)]),
    ]);
    assert_eq!(
        s.lines(Class::Events),
        [
            "Connection closed",
            "Neighbor graceful restart detected",
            "BGP session closed",
            "Connect delayed by 1 seconds"
        ]
    );
    assert_eq!(s.machine.restart_timer().unwrap().total_s, 8);
    reconnect(&mut s, restarting_open(8, true));
    s.expect([Action::Established(OUT), Action::Life(Life::Up)]);
    assert!(s.machine.is_restarting());
    assert_eq!(s.machine.restart_timer(), None);
    s.send(Event::EndOfRib(V4)).expect([Action::Sweep(V4)]);
    assert_eq!(s.lines(Class::Events), ["Neighbor graceful restart done"]);
    s.send(Event::EndOfRib(V4)).expect([]);
}

#[test]
fn a_neighbour_that_does_not_come_back_in_time_loses_its_routes() {
    let mut s = Script::established(config(), restarting_open(8, true));
    s.send(Event::Closed(OUT, None));
    s.pass(7);
    assert!(!s.did.contains(&Action::Drop(V4)));
    s.pass(1);
    assert!(s.did.contains(&Action::Drop(V4)));
    assert!(s.lines(Class::Events).contains(&"Neighbor graceful restart timeout".into()));
    assert!(!s.machine.is_restarting());
}

#[test]
fn a_neighbour_that_kept_no_forwarding_state_loses_its_routes_when_it_is_back() {
    let mut s = Script::established(config(), restarting_open(8, true));
    s.send(Event::Closed(OUT, None));
    reconnect(&mut s, restarting_open(8, false));
    s.expect([Action::Established(OUT), Action::Life(Life::Up), Action::Sweep(V4)]);
}

#[test]
fn a_notification_ends_everything_at_once() {
    let mut s = Script::established(config(), restarting_open(8, true));
    s.send(Event::Notification(OUT, notification(6, 4)));
    assert!(s.did.contains(&Action::Lost(vec![(V4, Keep::Nothing)])));
}

#[test]
fn a_new_connection_while_the_session_stands_is_a_restart() {
    let mut s = Script::established(config(), restarting_open(8, true));
    s.send(Event::Offered);
    assert!(s.did.contains(&Action::Lost(vec![(V4, Keep::Stale)])));
    assert!(s.did.contains(&Action::Accept));
}

#[test]
fn an_error_of_the_next_connection_ends_the_waiting() {
    let mut s = Script::established(config(), restarting_open(8, true));
    s.send(Event::Closed(OUT, None));
    s.pass(1);
    s.send(Event::Connected);
    s.send(Event::Keepalive(OUT));
    assert!(s.did.contains(&Action::Drop(V4)));
}

#[test]
fn long_lived_routes_outlive_the_restart_time_and_the_hold_timer() {
    let mut open = restarting_open(8, true);
    let family = LongLivedFamily { family: V4, forwarding: true, stale_time_s: 100 };
    open.capabilities.as_mut().unwrap().long_lived = Some(vec![family]);
    let mut s = Script::established(config(), open);
    s.pass(90);
    assert_eq!(s.notifications(), [(4, 0)]);
    assert!(s.did.contains(&Action::Lost(vec![(V4, Keep::Stale)])));
    s.pass(8);
    assert!(s.did.contains(&Action::LongLived(V4)));
    assert_eq!(s.machine.stale_timer().unwrap().total_s, 100);
    s.pass(99);
    assert!(!s.did.contains(&Action::Drop(V4)));
    s.pass(1);
    assert!(s.did.contains(&Action::Drop(V4)));
}
