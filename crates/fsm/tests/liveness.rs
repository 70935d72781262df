//! BFD says that the neighbour is down (RFC 5882 4.3), as BIRD 1.6.8 acts on it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod script;

use rbird_fsm::{Action, Class, Event, Keep, Life};
use route::Family;
use script::*;

const LOST: Event = Event::LivenessLost { graceful: false };
const LOST_GRACEFULLY: Event = Event::LivenessLost { graceful: true };

#[test]
fn an_established_session_ends_with_a_cease_and_waits_as_after_an_error() {
    let mut s = Script::established(config(), peer_open());
    s.send(LOST);
    assert_eq!(s.notifications(), [(6, 0)]);
    assert_eq!(
        s.lines(Class::Events),
        ["BFD session down", "BGP session closed", "Down", "Startup delayed by 60 seconds due to errors"]
    );
    assert_eq!(s.machine.last_error().unwrap().to_string(), "Error: BFD session down");
}

#[test]
fn an_attempt_is_begun_anew_without_a_wait() {
    let mut s = Script::open_sent(config());
    s.send(LOST);
    assert_eq!(s.notifications(), [(6, 0)]);
    assert!(s.lines(Class::Events).contains(&"Started".into()));
}

#[test]
fn with_graceful_the_routes_of_a_neighbour_that_can_restart_stay() {
    let mut s = Script::established(config(), restarting_open(8, true));
    s.send(LOST_GRACEFULLY).expect([
        Action::Life(Life::Start),
        Action::Close(OUT),
        Action::Lost(vec![(Family::Ipv4, Keep::Stale)]),
    ]);
    assert_eq!(
        s.lines(Class::Events),
        [
            "BFD session down",
            "Neighbor graceful restart detected",
            "BGP session closed",
            "Connect delayed by 1 seconds"
        ]
    );
}

#[test]
fn with_graceful_the_routes_of_any_other_neighbour_go() {
    let mut s = Script::established(config(), peer_open());
    s.send(LOST_GRACEFULLY);
    assert!(s.did.contains(&Action::Lost(vec![(Family::Ipv4, Keep::Nothing)])));
    assert_eq!(s.machine.life(), Life::Start);
}

#[test]
fn a_protocol_that_is_down_or_waits_after_an_error_does_not_care() {
    let mut s = Script::new(config());
    s.send(LOST).expect([]);
    let mut s = Script::established(config(), peer_open());
    s.send(LOST);
    let wait = s.machine.error_wait();
    s.send(LOST).expect([]);
    assert_eq!(s.machine.error_wait(), wait);
}
