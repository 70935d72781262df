//! The life of a session, as `reference/fsm/1.6.8` measured it. The name of its test is named where there is one.

mod script;

use rbird_fsm::{Action, Class, Event, Keep, Life, Phase, Reach, Stop};
use route::Family;
use script::*;
use wire::Notification;

#[test]
fn a_session_comes_up_in_the_steps_of_hold_9() {
    let mut s = Script::new(config());
    s.send(Event::Start).expect([Action::Life(Life::Start)]);
    assert_eq!(s.lines(Class::Events), ["Started", "Connect delayed by 1 seconds"]);
    assert_eq!(s.shown(), "start Active");
    s.pass(1).expect([Action::Connect]);
    assert_eq!(s.shown(), "start Connect");
    s.send(Event::Connected);
    assert_eq!(s.lines(Class::Packets), ["Sending OPEN(ver=4,as=65001,hold=240,id=0a010101)"]);
    let mut open = peer_open();
    open.hold_time_s = 9;
    s.send(Event::Open(OUT, Box::new(open))).expect([Action::SendKeepalive(OUT)]);
    assert_eq!(s.lines(Class::Packets), ["Got OPEN(as=65002,hold=9,id=0a010102)", "Sending KEEPALIVE"]);
    s.send(Event::Keepalive(OUT)).expect([Action::Established(OUT), Action::Life(Life::Up)]);
    assert_eq!(s.lines(Class::Events), ["BGP session established"]);
    assert_eq!(s.shown(), "up Established");
    let timers = (s.machine.hold_timer().unwrap(), s.machine.keepalive_timer().unwrap());
    assert_eq!((timers.0.total_s, timers.1.total_s), (9, 3));
}

#[test]
fn keepalives_leave_every_third_of_the_hold_time() {
    let mut open = peer_open();
    open.hold_time_s = 9;
    let mut s = Script::established(config(), open);
    for _ in 0..10 {
        s.pass(3).expect([Action::SendKeepalive(OUT)]);
        s.send(Event::Keepalive(OUT));
    }
}

#[test]
fn a_configured_keepalive_time_is_lowered_with_the_hold_time() {
    // hold-own-90-keepalive-30-peer-9, where 1.6.8 sends none in time
    let mut own = config();
    own.times.hold_s = 90;
    own.times.keepalive_s = Some(30);
    let mut open = peer_open();
    open.hold_time_s = 9;
    let s = Script::established(own, open);
    assert_eq!(s.machine.keepalive_timer().unwrap().total_s, 3);
}

#[test]
fn with_hold_time_0_nothing_is_ever_due() {
    let mut open = peer_open();
    open.hold_time_s = 0;
    let mut s = Script::established(config(), open);
    assert_eq!(s.machine.next_deadline(), None);
    s.pass(1_000_000).expect([]);
    assert_eq!(s.shown(), "up Established");
}

#[test]
fn hold_timer_expiry_in_established_tells_the_peer_and_drops_the_session() {
    // hold-expiry, without the 2 to 3 seconds by which 1.6.8 is late
    let mut s = Script::established(config(), peer_open());
    s.pass(89);
    assert_eq!(s.notifications(), []);
    s.pass(1).expect([
        Action::SendNotification(OUT, notification(4, 0)),
        Action::Close(OUT),
        Action::Lost(vec![(Family::Ipv4, Keep::Nothing)]),
        Action::Life(Life::Stop),
        Action::Life(Life::Down),
        Action::Life(Life::Start),
    ]);
    assert_eq!(s.lines(Class::Remote), ["Error: Hold timer expired"]);
    assert_eq!(s.shown(), "start Idle BGP Error: Hold timer expired");
}

#[test]
fn unread_octets_of_the_neighbour_keep_the_session() {
    let mut s = Script::established(config(), peer_open());
    let at = s.machine.hold_timer().unwrap().expires;
    s.now = at;
    assert!(s.machine.is_hold_due(OUT, at));
    s.send(Event::OctetsWaiting(OUT));
    s.send(Event::Tick);
    assert_eq!(s.notifications(), []);
    s.pass(9);
    assert_eq!(s.notifications(), []);
    s.pass(1);
    assert_eq!(s.notifications(), [(4, 0)]);
}

#[test]
fn a_silent_neighbour_is_given_up_after_the_startup_hold_time() {
    // no-open-startup6
    let mut own = config();
    own.times.startup_hold_s = 6;
    let mut s = Script::open_sent(own);
    s.pass(6);
    assert_eq!(s.notifications(), [(4, 0)]);
    assert_eq!(s.shown(), "start Idle BGP Error: Hold timer expired");
    assert_eq!(s.machine.error_wait().unwrap().total_s, 60);
}

#[test]
fn a_refused_connection_is_tried_again_after_the_connect_delay_and_never_waits_longer() {
    // connect-refused-default
    let mut own = config();
    own.times.connect_delay_s = 5;
    let mut s = Script::new(own);
    s.send(Event::Start);
    for _ in 0..20 {
        s.pass(5).expect([Action::Connect]);
        s.send(Event::ConnectFailed("Connection refused".into()));
        assert_eq!(s.lines(Class::Events), ["Connection lost (Connection refused)", "Connect delayed by 5 seconds"]);
        assert_eq!(s.shown(), "start Active Socket: Connection refused");
        let wait_ms = s.machine.connect_delay().unwrap().expires.since_ms(s.now);
        assert!((4000..=5000).contains(&wait_ms));
    }
}

#[test]
fn an_unanswered_connection_is_begun_anew_after_the_connect_retry_time() {
    // connect-silent-retry7
    let mut own = config();
    own.times.connect_retry_s = 7;
    let mut s = Script::new(own);
    s.send(Event::Start);
    s.pass(1);
    s.pass(5).expect([]);
    s.pass(2).expect([Action::Close(OUT), Action::Connect]);
    assert_eq!(s.shown(), "start Connect");
}

#[test]
fn a_passive_peer_never_connects_and_takes_what_comes() {
    // passive
    let mut own = config();
    own.passive = true;
    let mut s = Script::new(own);
    s.send(Event::Start);
    assert_eq!(s.shown(), "start Passive");
    s.pass(3600).expect([]);
    s.send(Event::Offered);
    assert!(matches!(s.did[..], [Action::Accept, .., Action::SendOpen(IN, _)]));
    s.send(Event::Open(IN, Box::new(peer_open())));
    s.send(Event::Keepalive(IN));
    assert_eq!(s.shown(), "up Established");
    s.send(Event::Closed(IN, None));
    assert_eq!(s.shown(), "start Passive Socket: Connection closed");
}

#[test]
fn a_second_connection_of_the_neighbour_is_refused() {
    // second-incoming
    let mut own = config();
    own.passive = true;
    let mut s = Script::new(own);
    s.send(Event::Start);
    s.send(Event::Offered);
    s.send(Event::Offered).expect([Action::Refuse]);
    s.send(Event::Open(IN, Box::new(peer_open())));
    s.send(Event::Offered).expect([Action::Refuse]);
    s.send(Event::Keepalive(IN));
    s.send(Event::Offered).expect([Action::Refuse]);
}

#[test]
fn an_incoming_connection_ends_our_own_attempts() {
    // peer-connects-first
    let mut s = Script::new(config());
    s.send(Event::Start);
    s.send(Event::Offered);
    s.send(Event::Open(IN, Box::new(peer_open())));
    s.send(Event::Keepalive(IN));
    assert_eq!(s.shown(), "up Established");
    s.pass(5).expect([]);
    s.send(Event::Closed(IN, None));
    assert_eq!(s.shown(), "start Active Socket: Connection closed");
}

#[test]
fn nobody_is_let_in_while_down_waiting_or_without_a_link() {
    let mut s = Script::new(config());
    s.send(Event::Offered).expect([Action::Refuse]);
    s.send(Event::Reach(Reach::Absent));
    s.send(Event::Start);
    s.send(Event::Offered).expect([Action::Refuse]);
}

#[test]
fn bad_opens_are_answered_as_the_rfc_says() {
    let answer = |change: &dyn Fn(&mut wire::Open)| {
        let mut s = Script::open_sent(config());
        let mut open = peer_open();
        change(&mut open);
        s.send(Event::Open(OUT, Box::new(open)));
        (s.notifications(), s.lines(Class::Remote), s.shown())
    };
    // rx-open-wrong-as
    let (sent, said, shown) = answer(&|o| o.asn = 65003);
    assert_eq!((sent[0], said[0].as_str()), ((2, 2), "Error: Bad peer AS: 65003"));
    assert_eq!(shown, "start Idle BGP Error: Bad peer AS");
    // hold-1, hold-2
    let (sent, said, _) = answer(&|o| o.hold_time_s = 2);
    assert_eq!((sent[0], said[0].as_str()), ((2, 6), "Error: Unacceptable hold time: 0002"));
    // rx-open-rid-zero
    let (sent, said, shown) = answer(&|o| o.router_id = 0);
    assert_eq!((sent[0], said[0].as_str()), ((2, 3), "Error: Bad BGP identifier: 00000000"));
    assert_eq!(shown, "start Idle BGP Error: Bad BGP identifier");
    // rx-open-rid-own: allowed between ASes (RFC 6286)
    assert_eq!(answer(&|o| o.router_id = 0x0a01_0101).2, "start OpenConfirm");
}

#[test]
fn messages_out_of_turn_end_the_session() {
    // rx-open-keepalive-first, rx-update-second-open; an UPDATE in OpenConfirm is refused, too (RFC 4271 8.2.2)
    let mut s = Script::open_sent(config());
    assert!(!s.machine.expects(OUT, wire::Kind::Update));
    s.send(Event::Keepalive(OUT));
    assert_eq!(s.notifications(), [(5, 1)]);
    assert_eq!(s.shown(), "start Idle BGP Error: Unexpected message in OpenSent state");

    let mut s = Script::open_sent(config());
    s.send(Event::Open(OUT, Box::new(peer_open())));
    assert!(!s.machine.expects(OUT, wire::Kind::Update));
    s.send(Event::Unexpected(OUT));
    assert_eq!(s.notifications(), [(5, 2)]);

    let mut s = Script::established(config(), peer_open());
    assert!(s.machine.expects(OUT, wire::Kind::Update));
    s.send(Event::Open(OUT, Box::new(peer_open())));
    assert_eq!(s.notifications(), [(5, 3)]);
}

#[test]
fn errors_wait_2_4_8_10_10_seconds_when_asked_to() {
    // error-wait-2-10
    let mut own = config();
    own.times.error_wait_s = (2, 10);
    let mut s = Script::new(own);
    s.send(Event::Start);
    let mut waits = Vec::new();
    for _ in 0..5 {
        while s.machine.phase() != Phase::Connect {
            s.pass(1);
        }
        s.send(Event::Connected);
        let mut open = peer_open();
        open.asn = 65099;
        s.send(Event::Open(OUT, Box::new(open)));
        s.send(Event::Offered).expect([Action::Refuse]);
        waits.extend(s.machine.error_wait().map(|t| t.total_s));
    }
    assert_eq!(waits, [2, 4, 8, 10, 10]);
}

#[test]
fn disable_after_error_disables() {
    // disable-after-error
    let mut own = config();
    own.disable_after_error = true;
    let mut s = Script::open_sent(own);
    let mut open = peer_open();
    open.asn = 65099;
    s.send(Event::Open(OUT, Box::new(open)));
    assert!(s.did.contains(&Action::Disabled));
    assert_eq!(s.shown(), "down BGP Error: Bad peer AS");
    s.send(Event::Start);
    assert_eq!(s.machine.error_wait(), None);
    assert_eq!(s.machine.phase(), Phase::Active);
}

#[test]
fn a_received_cease_is_no_error_but_others_are() {
    // rx-notification-administrative-shutdown
    let mut s = Script::established(config(), peer_open());
    let n = Notification::with_shutdown_text(2, "maintenance");
    s.send(Event::Notification(OUT, n));
    assert_eq!(s.lines(Class::Remote), ["Received: Administrative shutdown: \"maintenance\""]);
    assert_eq!(s.shown(), "start Active Received: Administrative shutdown");
    // rx-notification-bad-peer-as
    let mut s = Script::established(config(), peer_open());
    s.send(Event::Notification(OUT, notification(2, 2)));
    assert_eq!(s.notifications(), []);
    assert_eq!(s.shown(), "start Idle Received: Bad peer AS");
    assert_eq!(s.machine.error_wait().unwrap().total_s, 60);
}

#[test]
fn disable_after_cease_disables_for_the_chosen_subcodes() {
    let mut own = config();
    own.disable_after_cease = 1 << 2;
    let mut s = Script::established(own.clone(), peer_open());
    s.send(Event::Notification(OUT, notification(6, 4)));
    assert_eq!(s.machine.life(), Life::Start);
    let mut s = Script::established(own, peer_open());
    s.send(Event::Notification(OUT, notification(6, 2)));
    assert_eq!(s.shown(), "down Received: Administrative shutdown");
}

#[test]
fn a_neighbour_that_knows_no_capabilities_gets_an_open_without() {
    // rx-notification-cap-in-opensent, rx-notification-optparam-in-opensent
    for subcode in [4, 7] {
        let mut s = Script::open_sent(config());
        s.send(Event::Notification(OUT, notification(2, subcode)));
        assert_eq!(s.lines(Class::Warning), ["Capability related error received, retry with capabilities disabled"]);
        assert_eq!(s.machine.phase(), Phase::Active);
        s.pass(1);
        s.send(Event::Connected);
        let sent = s.did.iter().find_map(|a| match a {
            Action::SendOpen(_, open) => Some(open.capabilities.clone()),
            _ => None,
        });
        assert_eq!(sent, Some(None));
        // A second such error is one like others.
        s.send(Event::Notification(OUT, notification(2, subcode)));
        assert!(s.machine.error_wait().is_some());
    }
}

#[test]
fn the_operators_stop_is_a_cease_with_the_operators_words() {
    // tx-shutdown-texts
    let mut s = Script::established(config(), peer_open());
    s.send(Event::Stop(Stop::Cease { subcode: 2, text: "planned work".into() }));
    let n = Notification::with_data(6, 2, *b"\x0cplanned work");
    assert!(s.did.contains(&Action::SendNotification(OUT, n)));
    assert_eq!(s.shown(), "down");
    assert_eq!(s.machine.next_deadline(), None);
}

#[test]
fn a_limit_disables_or_waits() {
    // limit-disable, limit-restart
    let mut s = Script::established(config(), peer_open());
    s.send(Event::Limit { subcode: 1, restart: false });
    assert_eq!(s.notifications(), [(6, 1)]);
    assert_eq!(s.shown(), "down Automatic shutdown: Route limit exceeded");
    let mut s = Script::established(config(), peer_open());
    s.send(Event::Limit { subcode: 1, restart: true });
    assert_eq!(s.shown(), "start Idle Automatic shutdown: Route limit exceeded");
    assert!(s.machine.error_wait().is_some());
}

#[test]
fn a_lost_link_ends_the_session_at_once() {
    // interface-down
    let mut s = Script::established(config(), peer_open());
    s.send(Event::Reach(Reach::Absent));
    assert_eq!(s.notifications(), [(6, 0)]);
    assert_eq!(s.shown(), "start Idle Error: Neighbor lost");
    assert_eq!(s.lines(Class::Events).last().unwrap(), "Waiting for 10.1.1.2 to become my neighbor");
    s.send(Event::Reach(Reach::Ready));
    assert_eq!(s.lines(Class::Events), ["Neighbor ready", "Started", "Connect delayed by 1 seconds"]);
    // link-down-check-link
    let mut s = Script::established(config(), peer_open());
    s.send(Event::Reach(Reach::LinkDown("d0".into())));
    assert_eq!(s.shown(), "start Idle Error: Link down");
    assert_eq!(s.lines(Class::Events).last().unwrap(), "Waiting for link on d0");
    s.send(Event::Reach(Reach::Ready));
    assert_eq!(s.lines(Class::Events), ["Neighbor ready", "Startup delayed by 60 seconds due to errors"]);
}

#[test]
fn a_neighbour_on_no_link_is_waited_for_without_an_error() {
    // neighbor-not-on-link
    let mut s = Script::new(config());
    s.send(Event::Reach(Reach::Absent));
    s.send(Event::Start);
    assert_eq!(s.shown(), "start Idle");
    s.pass(3600).expect([]);
}

#[test]
fn a_neighbour_that_takes_no_octet_is_given_up_after_eight_minutes() {
    let mut s = Script::established(config(), peer_open());
    assert_eq!(s.machine.send_hold_s(), Some(480));
    s.send(Event::Stuck(OUT));
    assert_eq!(s.notifications(), [(8, 0)]);
    let mut open = peer_open();
    open.hold_time_s = 0;
    assert_eq!(Script::established(config(), open).machine.send_hold_s(), None);
}

#[test]
fn a_protocol_that_cannot_be_up_goes_down_says_why_and_stays_there_until_the_operator_wants_it_again() {
    let mut s = Script::new(config());
    s.send(Event::Unable("Authentication failed"));
    assert_eq!(s.machine.last_error(), None, "it was down");
    s.send(Event::Start);
    s.send(Event::Unable("Authentication failed"));
    assert!(s.deeds().contains(&Action::Disabled));
    assert_eq!(s.deeds().last(), Some(&Action::Life(Life::Down)));
    assert_eq!(s.machine.last_error().unwrap().to_string(), "Error: Authentication failed");
    s.pass(3600).expect([]);
    s.send(Event::Start).expect([Action::Life(Life::Start)]);
    assert_eq!(s.lines(Class::Events), ["Started", "Connect delayed by 1 seconds"]);
}
