//! Two connections at once (RFC 4271 6.8): the one opened by the higher identifier stays, whichever OPEN comes first.

mod script;

use rbird_fsm::{Action, Class, Event, Phase, Which};
use script::*;
use wire::Open;

/// Both connections are open; the neighbour has this identifier, and its OPENs come in this order.
fn collide(peer_id: u32, first: Which) -> Script {
    let mut s = Script::open_sent(config());
    s.send(Event::Offered);
    assert_eq!(s.did.first().map(|a| matches!(a, Action::Accept)), Some(true));
    let open = || Box::new(Open::new(65002, 90, peer_id, Some(caps(65002))));
    s.send(Event::Open(first, open()));
    assert_eq!(s.notifications(), []);
    s.send(Event::Open(first.other(), open()));
    s
}

fn loser(s: &Script) -> Which {
    let lost: Vec<_> = s
        .did
        .iter()
        .filter_map(|a| match a {
            Action::SendNotification(which, n) if (n.code, n.subcode) == (6, 7) => Some(*which),
            _ => None,
        })
        .collect();
    assert_eq!(lost.len(), 1);
    lost[0]
}

#[test]
fn the_connection_of_the_higher_identifier_stays() {
    // collision-peer-rid-{higher,lower}-{in,out}
    for (peer_id, gone) in [(0x0a01_0102, OUT), (0x0909_0909, IN)] {
        for first in [OUT, IN] {
            let mut s = collide(peer_id, first);
            assert_eq!(loser(&s), gone);
            let words = if first == gone { "the other connection" } else { "this connection" };
            assert_eq!(s.lines(Class::Events), [format!("Connection collision, giving up {words}")]);
            assert_eq!(s.shown(), "start OpenConfirm BGP Error: Connection collision resolution");
            s.send(Event::Keepalive(gone.other()));
            assert_eq!(s.shown(), "up Established");
        }
    }
}

#[test]
fn what_becomes_of_each_connection_is_told_in_its_order() {
    let mut s = Script::new(config());
    let turns = |s: &mut Script| -> Vec<(Which, Phase, Phase)> {
        s.machine.take_turns().into_iter().map(|t| (t.which, t.from, t.to)).collect()
    };
    use Phase::{Active, Connect, Established, Idle, OpenConfirm, OpenSent};
    s.send(Event::Start);
    s.pass(2);
    s.send(Event::ConnectFailed("Connection refused".into()));
    let attempt = [(OUT, Idle, Active), (OUT, Active, Connect)];
    assert_eq!(turns(&mut s), [attempt[0], attempt[1], (OUT, Connect, Idle), attempt[0]]);
    s.send(Event::Offered);
    s.send(Event::Open(IN, Box::new(peer_open())));
    s.send(Event::Keepalive(IN));
    assert_eq!(
        turns(&mut s),
        [(IN, Idle, OpenSent), (OUT, Active, Idle), (IN, OpenSent, OpenConfirm), (IN, OpenConfirm, Established)]
    );
    s.send(Event::Closed(IN, None));
    assert_eq!(turns(&mut s), [(IN, Established, Idle), attempt[0]]);
}

#[test]
fn of_equal_identifiers_the_higher_as_decides() {
    // RFC 6286 2.3; the neighbour's 65002 is above our 65001
    assert_eq!(loser(&collide(0x0a01_0101, OUT)), OUT);
}

#[test]
fn the_fate_of_the_loser_is_no_error_of_the_session() {
    let mut s = collide(0x0a01_0102, IN);
    s.send(Event::Keepalive(IN));
    s.send(Event::Closed(OUT, Some("Connection reset by peer".into()))).expect([]);
    assert_eq!(s.shown(), "up Established");
}

#[test]
fn a_connection_still_waiting_for_its_open_goes_when_the_other_is_established() {
    let mut s = Script::open_sent(config());
    s.send(Event::Offered);
    s.send(Event::Open(OUT, Box::new(peer_open())));
    s.send(Event::Keepalive(OUT));
    assert_eq!(loser(&s), IN);
    assert_eq!(s.shown(), "up Established");
}
