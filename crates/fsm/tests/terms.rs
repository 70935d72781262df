//! What the operator asks of a neighbour's OPEN. The name of its test in `reference/fsm/2.0.12` is named where there is one.

mod script;

use rbird_fsm::{Action, Class, Config, Event, Needed, Phase, Required, Terms};
use route::options::SessionTimes;
use route::{Family, Role};
use script::*;
use wire::capability::GracefulRestart;
use wire::notification::Numbers;
use wire::{Capabilities, Open};

/// What is answered to an OPEN: the NOTIFICATION and the state, or nothing.
fn answer(own: Config, open: Open) -> (Vec<(u8, u8)>, String) {
    let mut s = Script::open_sent(own);
    s.send(Event::Open(OUT, Box::new(open)));
    (s.notifications(), s.shown())
}

fn accepted() -> (Vec<(u8, u8)>, String) {
    (vec![], "start OpenConfirm".into())
}

fn refused(subcode: u8, words: &str) -> (Vec<(u8, u8)>, String) {
    (vec![(2, subcode)], format!("start Idle BGP Error: {words}"))
}

fn with_terms(terms: Terms) -> Config {
    Config { terms, ..config() }
}

fn open_with(hold_time_s: u16, caps: Option<Capabilities>) -> Open {
    Open::new(65002, hold_time_s, 0x0a01_0102, caps)
}

#[test]
fn each_capability_that_is_needed_must_be_announced() {
    let restart = |caps| Capabilities { graceful_restart: Some(GracefulRestart::default()), ..caps };
    type Give = fn(&mut Capabilities);
    let has: [(Needed, Give); 7] = [
        (Needed::Hostname, |c| c.hostname = Some("r2".into())),
        (Needed::RouteRefresh, |c| c.route_refresh = true),
        (Needed::EnhancedRefresh, |c| c.enhanced_refresh = true),
        (Needed::As4, |c| c.as4 = Some(65002)),
        (Needed::ExtendedMessages, |c| c.extended_messages = true),
        (Needed::GracefulRestart, |c| c.graceful_restart = Some(GracefulRestart::default())),
        (Needed::LongLived, |c| c.long_lived = Some(Vec::new())),
    ];
    let bare = Capabilities { families: vec![Family::Ipv4], multiprotocol: true, ..Capabilities::default() };
    for (needed, give) in has {
        let own = || with_terms(Terms { needed: vec![needed], ..Terms::default() });
        let mut able = if needed == Needed::LongLived { restart(bare.clone()) } else { bare.clone() };
        assert_eq!(answer(own(), open_with(90, Some(able.clone()))), refused(7, MISSING), "{needed:?}");
        assert_eq!(answer(own(), open_with(90, None)), refused(7, MISSING), "{needed:?}");
        give(&mut able);
        assert_eq!(answer(own(), open_with(90, Some(able))), accepted(), "{needed:?}");
    }
}

#[test]
fn a_neighbour_is_told_which_capabilities_it_lacks() {
    let needed = vec![Needed::As4, Needed::EnhancedRefresh];
    let own = Config {
        required: Required { families: vec![Family::Ipv6], ..Required::default() },
        ..with_terms(Terms { needed, strict_families: true, ..Terms::default() })
    };
    let announced = Capabilities { as4: None, ..caps(65002) };
    let mut s = Script::open_sent(own);
    s.send(Event::Open(OUT, Box::new(open_with(90, Some(announced)))));
    let told = s.did.iter().find_map(|a| if let Action::SendNotification(_, n) = a { Some(&n.data[..]) } else { None });
    assert_eq!(told, Some(&[1, 4, 0, 2, 0, 1, 65, 4, 0, 0, 0, 0, 70, 0][..]));
    assert_eq!(s.lines(Class::Remote), ["Error: Required capability missing"]);
}

const MISSING: &str = "Required capability missing";

#[test]
fn long_lived_restart_without_the_other_one_does_not_count() {
    let own = with_terms(Terms { needed: vec![Needed::LongLived], ..Terms::default() });
    let caps = Capabilities { long_lived: Some(Vec::new()), ..caps(65002) };
    assert_eq!(answer(own, open_with(90, Some(caps))), refused(7, MISSING));
}

#[test]
fn who_announces_nothing_can_be_asked_for_nothing() {
    let own = Config { capabilities: None, ..with_terms(Terms { needed: vec![Needed::As4], ..Terms::default() }) };
    assert_eq!(answer(own, open_with(90, None)), accepted());
}

#[test]
fn a_session_without_a_common_family_is_none() {
    // rx-open-only-ipv6, rx-open-no-mp-cap, rx-open-no-capabilities
    let strict = || with_terms(Terms { strict_families: true, ..Terms::default() });
    let only_ipv6 = Capabilities { families: vec![Family::Ipv6], multiprotocol: true, ..caps(65002) };
    let none = Capabilities { families: vec![], multiprotocol: false, ..caps(65002) };
    for caps in [only_ipv6.clone(), none.clone()] {
        assert_eq!(answer(strict(), open_with(90, Some(caps))), refused(7, MISSING));
    }
    for silent in [None, Some(Capabilities::default())] {
        assert_eq!(answer(strict(), open_with(90, silent)), accepted(), "it speaks IPv4");
    }
    for caps in [only_ipv6, none] {
        assert_eq!(answer(config(), open_with(90, Some(caps))), accepted(), "1.6 takes it");
    }
}

#[test]
fn times_that_are_too_short_are_refused_with_what_was_offered() {
    let own = || with_terms(Terms { least_hold_s: 30, least_keepalive_s: 12, ..Terms::default() });
    let open = |hold_s| open_with(hold_s, Some(caps(65002)));
    for hold_s in [0, 9, 29, 35] {
        assert_eq!(answer(own(), open(hold_s)), refused(6, "Unacceptable hold time"), "{hold_s}");
    }
    assert_eq!(answer(own(), open(36)), accepted());
    let mut s = Script::open_sent(own());
    s.send(Event::Open(OUT, Box::new(open(29))));
    assert_eq!(s.lines(Class::Remote), ["Error: Unacceptable hold time: 001d"]);
    let mut s = Script::open_sent(with_terms(Terms { numbers: Numbers::OF_2, ..own().terms }));
    s.send(Event::Open(OUT, Box::new(open(29))));
    assert_eq!(s.lines(Class::Remote), ["Error: Unacceptable hold time: 29"], "as 2.0.12: hold-1, hold-2");
    // A configured keepalive time is lowered with the hold time, and it is that which counts.
    let own = || Config { times: SessionTimes { keepalive_s: Some(24), ..own().times }, ..own() };
    assert_eq!(answer(own(), open(110)).0, [(2, 6)]);
    assert_eq!(answer(own(), open(120)), accepted());
}

#[test]
fn the_first_of_several_errors_is_told_in_birds_order() {
    let own = || with_terms(Terms { needed: vec![Needed::EnhancedRefresh], ..Terms::default() });
    let open = |hold_s, id| Open::new(65099, hold_s, id, Some(caps(65099)));
    assert_eq!(answer(own(), open(2, 0)).0, [(2, 6)]);
    assert_eq!(answer(own(), open(90, 0)).0, [(2, 3)]);
    assert_eq!(answer(own(), open(90, 5)).0, [(2, 7)]);
    assert_eq!(answer(config(), open(90, 5)).0, [(2, 2)]);
}

#[test]
fn the_send_hold_time_is_lowered_with_the_hold_time() {
    let send_hold = |asked, hold_s| {
        let own = with_terms(Terms { send_hold_s: asked, ..Terms::default() });
        Script::established(own, open_with(hold_s, Some(caps(65002)))).machine.send_hold_s()
    };
    assert_eq!(send_hold(Some(480), 240), Some(480));
    assert_eq!(send_hold(Some(480), 60), Some(120));
    assert_eq!(send_hold(Some(0), 60), None);
    assert_eq!(send_hold(Some(480), 0), None);
    assert_eq!(send_hold(None, 60), Some(480));
}

#[test]
fn a_restart_time_counts_within_bounds() {
    let restart_s = |bounds, announced_s| {
        let own = with_terms(Terms { restart_bounds_s: bounds, ..Terms::default() });
        let mut s = Script::established(own, restarting_open(announced_s, true));
        s.send(Event::Closed(OUT, None));
        s.machine.restart_timer().map(|t| t.total_s)
    };
    assert_eq!(restart_s((0, u32::MAX), 120), Some(120));
    assert_eq!(restart_s((0, 60), 120), Some(60));
    assert_eq!(restart_s((30, 60), 10), Some(30));
}

#[test]
fn dialect_2_does_not_try_again_without_capabilities() {
    // rx-notification-cap-in-opensent
    let mut s = Script::open_sent(with_terms(Terms { retries_bare: false, ..Terms::default() }));
    s.send(Event::Notification(OUT, notification(2, 7)));
    assert_eq!(s.lines(Class::Warning), [""; 0]);
    assert_eq!(s.shown(), "start Idle Received: Required capability missing");
    assert_eq!(s.machine.error_wait().unwrap().total_s, 60);
}

#[test]
fn a_cease_of_no_known_kind_disables_as_one_without_a_kind() {
    for (mask, subcode, stays) in
        [(1, 10, false), (1, 0, false), (1, 2, true), (!(1 << 7), 7, true), (1 << 8, 8, false)]
    {
        let mut s = Script::established(Config { disable_after_cease: mask, ..config() }, peer_open());
        s.send(Event::Notification(OUT, notification(6, subcode)));
        assert_eq!(s.machine.phase() != Phase::Down, stays, "{subcode}");
        let said: &[&str] = if stays { &[] } else { &["Disabled after Cease notification"] };
        assert_eq!(s.lines(Class::Info), said);
    }
}

#[test]
fn roles_must_fit_and_be_there_where_they_are_needed() {
    let own = |role, role_needed| with_terms(Terms { role: Some(role), role_needed, ..Terms::default() });
    let open = |roles: &[u8]| open_with(90, Some(Capabilities { roles: roles.to_vec(), ..caps(65002) }));
    let said = |own: Config, open| {
        let mut s = Script::open_sent(own);
        s.send(Event::Open(OUT, Box::new(open)));
        (s.notifications(), s.lines(Class::Remote))
    };
    let mismatch = |word: &str| (vec![(2, 11)], vec![format!("Error: Role mismatch ({word})")]);
    let fits = (vec![], vec![]);
    assert_eq!(said(own(Role::Customer, false), open(&[0])), fits);
    assert_eq!(said(own(Role::Customer, false), open(&[3])), mismatch("customer"));
    assert_eq!(said(own(Role::Peer, false), open(&[9])), mismatch("?"));
    assert_eq!(said(own(Role::Peer, false), open(&[])), fits);
    assert_eq!(said(own(Role::Peer, true), open(&[])), mismatch("undefined"));
    assert_eq!(said(own(Role::Peer, true), open_with(90, None)), mismatch("undefined"));
    assert_eq!(said(own(Role::Peer, false), open(&[255])), mismatch("undefined"));
    assert_eq!(said(own(Role::Peer, false), open(&[4, 0])), mismatch("several"));
    assert_eq!(said(config(), open(&[4, 0])), fits, "who has no role asks for none");
}
