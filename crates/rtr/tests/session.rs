//! What a router says to a cache server, and what it makes of the answers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;
use rbird_rtr::{Act, Interval, Options, Session, State, decode};
use route::{Customer, Moment, Roa};

const OPTIONS: Options = Options {
    refresh: Interval { seconds: 3600, keep: false },
    retry: Interval { seconds: 600, keep: false },
    expire: Interval { seconds: 7200, keep: false },
    ignore_max_length: false,
    min_version: 0,
    max_version: 2,
};

/// A message in octets.
fn message(version: u8, number: u8, field: u16, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![version, number];
    octets.extend(field.to_be_bytes());
    octets.extend((8 + body.len() as u32).to_be_bytes());
    octets.extend(body);
    octets
}

fn response(version: u8, session: u16) -> Vec<u8> {
    message(version, 3, session, &[])
}

fn prefix(version: u8, announced: bool, roa: &str) -> Vec<u8> {
    let roa = roa_of(roa);
    let flags = [u8::from(announced), roa.prefix.len(), roa.max_len, 0];
    match roa.prefix.addr() {
        std::net::IpAddr::V4(a) => message(version, 4, 0, &[&flags[..], &a.octets(), &roa.asn.to_be_bytes()].concat()),
        std::net::IpAddr::V6(a) => message(version, 6, 0, &[&flags[..], &a.octets(), &roa.asn.to_be_bytes()].concat()),
    }
}

/// Who carries on the routes of an AS (8210bis 5.12).
fn aspa(version: u8, announced: bool, customer: u32, providers: &[u32]) -> Vec<u8> {
    let body: Vec<u8> = [&[customer], providers].concat().iter().flat_map(|n| n.to_be_bytes()).collect();
    message(version, 11, u16::from(announced) << 8, &body)
}

fn end(version: u8, session: u16, serial: u32, times: [u32; 3]) -> Vec<u8> {
    let numbers: Vec<u32> = match version {
        0 => vec![serial],
        _ => [serial].into_iter().chain(times).collect(),
    };
    message(version, 7, session, &numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>())
}

fn error(version: u8, code: u16, text: &str) -> Vec<u8> {
    let body = [&0_u32.to_be_bytes()[..], &(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
    message(version, 10, code, &body)
}

/// `10.0.0.0/8-24 AS1`.
fn roa_of(text: &str) -> Roa {
    let (net, asn) = text.split_once(" AS").unwrap();
    let (prefix, max_len) = net.rsplit_once('-').unwrap();
    Roa { prefix: prefix.parse().unwrap(), max_len: max_len.parse().unwrap(), asn: asn.parse().unwrap() }
}

/// A session with a clock, and what it does in words.
struct Story {
    session: Session,
    now: Moment,
}

impl Story {
    fn new(options: Options) -> Self {
        let mut session = Session::new(options);
        session.start(Moment(0));
        Self { session, now: Moment(0) }
    }

    /// Connected, and asked for everything.
    fn asked(options: Options) -> Self {
        let mut story = Self::new(options);
        assert_eq!(story.did(), ["open"]);
        story.session.connected(story.now);
        story
    }

    /// Knows `10.0.0.0/8-24 AS1` by serial number 5 of session 7.
    fn synced() -> Self {
        let mut story = Self::asked(OPTIONS);
        story.did();
        story.hear(&[response(2, 7), prefix(2, true, "10.0.0.0/8-24 AS1"), end(2, 7, 5, [3600, 600, 7200])]);
        assert_eq!(story.did(), ["apply whole +10.0.0.0/8-24 AS1"]);
        assert_eq!(story.session.state(), State::Established);
        story
    }

    fn hear(&mut self, messages: &[Vec<u8>]) {
        self.session.received(&messages.concat(), self.now);
    }

    /// Time passes up to there, as deadlines come.
    fn until(&mut self, seconds: u64) {
        let end = Moment(0).plus_s(seconds);
        while let Some(at) = self.session.deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.session.tick(self.now);
        }
        self.now = end;
    }

    fn did(&mut self) -> Vec<String> {
        let roas = |sign: char, all: &[Roa]| {
            all.iter().map(|r| format!(" {sign}{}-{} AS{}", r.prefix, r.max_len, r.asn)).collect::<String>()
        };
        let words = |act: Act| match act {
            Act::Open => Some("open".to_owned()),
            Act::Close => Some("close".to_owned()),
            Act::Send(octets) => Some(match (octets[1], u16::from_be_bytes([octets[2], octets[3]])) {
                (1, session) => format!("serial query v{} {session} {}", octets[0], octets[11]),
                (2, _) => format!("reset query v{}", octets[0]),
                (10, code) => format!("error {code}"),
                other => panic!("{other:?}"),
            }),
            Act::Apply { whole, gone, come, aspas } => {
                let whole = if whole { " whole" } else { "" };
                let aspa = |(customer, providers): &(Customer, Option<Vec<u32>>)| match providers {
                    Some(providers) => format!(" +{customer} {providers:?}"),
                    None => format!(" -{customer}"),
                };
                let aspas: String = aspas.iter().map(aspa).collect();
                Some(format!("apply{whole}{}{}{aspas}", roas('-', &gone), roas('+', &come)))
            }
            Act::Expire => Some("expire".to_owned()),
            Act::Trace(..) | Act::Warn(_) => None,
        };
        self.session.take_acts().into_iter().filter_map(words).collect()
    }
}

#[test]
fn everything_is_asked_for_first_and_then_what_is_new() {
    let mut story = Story::synced();
    story.until(3600);
    assert_eq!(story.did(), ["serial query v2 7 5"]);
    story.hear(&[response(2, 7), prefix(2, false, "10.0.0.0/8-24 AS1"), prefix(2, true, "2001:db8::/32-48 AS2")]);
    assert_eq!(story.did(), [""; 0], "nothing counts before End of Data");
    story.hear(&[end(2, 7, 6, [3600, 600, 7200])]);
    assert_eq!(story.did(), ["apply -10.0.0.0/8-24 AS1 +2001:db8::/32-48 AS2"]);
    story.hear(&[message(2, 0, 7, &9_u32.to_be_bytes())]);
    assert_eq!(story.did(), ["serial query v2 7 6"]);
}

#[test]
fn providers_are_told_with_the_answer_and_of_one_customer_the_last_counts() {
    let mut story = Story::asked(OPTIONS);
    story.did();
    let (first, second) = (aspa(2, true, 65001, &[65002, 65003]), aspa(2, true, 65001, &[65004]));
    story.hear(&[response(2, 7), first, aspa(2, true, 65009, &[]), second]);
    assert_eq!(story.did(), [""; 0], "nothing counts before End of Data");
    story.hear(&[end(2, 7, 5, [3600, 600, 7200])]);
    assert_eq!(story.did(), ["apply whole +65001 [65004] +65009 []"]);
    story.hear(&[message(2, 0, 7, &6_u32.to_be_bytes())]);
    assert_eq!(story.did(), ["serial query v2 7 5"]);
    story.hear(&[response(2, 7), aspa(2, false, 65001, &[]), end(2, 7, 6, [3600, 600, 7200])]);
    assert_eq!(story.did(), ["apply -65001"]);
}

#[test]
fn providers_that_make_no_sense_end_the_connection() {
    let early = aspa(2, true, 65001, &[65002]);
    let halves = message(2, 11, 1 << 8, &[0, 0, 0, 1, 0, 0]);
    let short = message(2, 11, 1 << 8, &[0, 0]);
    for (octets, code) in [(vec![early], 0), (vec![response(2, 7), halves], 0), (vec![response(2, 7), short], 0)] {
        let mut story = Story::asked(OPTIONS);
        story.did();
        story.hear(&octets);
        assert_eq!(story.did(), [format!("error {code}"), "close".to_owned()], "{octets:?}");
    }
    // Version 1 has no such message.
    let mut story = Story::asked(Options { max_version: 1, ..OPTIONS });
    story.did();
    story.hear(&[response(1, 7), aspa(1, true, 65001, &[65002])]);
    assert_eq!(story.did(), ["error 5", "close"]);
}

#[test]
fn octets_may_come_in_any_pieces() {
    let mut story = Story::asked(OPTIONS);
    story.did();
    let all = [response(2, 7), prefix(2, true, "10.0.0.0/8-24 AS1"), end(2, 7, 5, [3600, 600, 7200])].concat();
    for octet in all {
        story.session.received(&[octet], story.now);
    }
    assert_eq!(story.did(), ["apply whole +10.0.0.0/8-24 AS1"]);
}

#[test]
fn an_older_server_is_obeyed() {
    // It answers in its version.
    let mut story = Story::asked(OPTIONS);
    assert_eq!(story.did(), ["reset query v2"]);
    story.hear(&[response(1, 7), end(1, 7, 5, [3600, 600, 7200])]);
    assert_eq!((story.did(), story.session.version()), (vec!["apply whole".to_owned()], 1));
    // It says in which it would.
    let mut story = Story::asked(OPTIONS);
    story.did();
    story.hear(&[error(0, 4, "only 0")]);
    assert_eq!(story.did(), ["close", "open"]);
    story.session.connected(story.now);
    assert_eq!(story.did(), ["reset query v0"]);
    story.hear(&[response(0, 7), end(0, 7, 5, [0; 3])]);
    assert_eq!(story.did(), ["apply whole"]);
    // The operator does not want it.
    let mut story = Story::asked(Options { min_version: 1, ..OPTIONS });
    story.did();
    story.hear(&[response(0, 7)]);
    assert_eq!(story.did(), ["error 4", "close"]);
    assert_eq!(story.session.state(), State::Fatal);
}

#[test]
fn a_server_that_cannot_say_what_is_new_is_asked_for_everything() {
    let mut story = Story::synced();
    story.until(3600);
    story.hear(&[message(2, 8, 0, &[])]);
    assert_eq!(story.did(), ["serial query v2 7 5", "reset query v2"]);
    story.hear(&[response(2, 9), prefix(2, true, "11.0.0.0/8-8 AS3"), end(2, 9, 1, [3600, 600, 7200])]);
    assert_eq!(story.did(), ["apply whole +11.0.0.0/8-8 AS3"]);
}

#[test]
fn data_of_a_server_that_is_lost_count_until_they_expire() {
    let mut story = Story::synced();
    story.session.lost(None, story.now);
    assert_eq!(story.did(), ["close"]);
    for attempt in 1..12 {
        story.until(600 * attempt);
        assert_eq!(story.did(), ["open"], "attempt {attempt}");
        story.session.lost(Some("Connection refused"), story.now);
        assert_eq!(story.did(), ["close"]);
    }
    story.until(7200);
    assert_eq!(story.did(), ["expire", "close", "open"]);
    story.session.connected(story.now);
    assert_eq!(story.did(), ["reset query v2"]);
}

/// As StayRTR does that was started anew: it closes the connection, or says Corrupt Data.
#[test]
fn a_server_that_does_not_know_the_session_any_more_is_asked_for_everything_at_once() {
    for says in [false, true] {
        let mut story = Story::synced();
        story.until(3600);
        assert_eq!(story.did(), ["serial query v2 7 5"]);
        match says {
            true => story.hear(&[error(2, 0, "Session ID mismatch")]),
            false => story.session.lost(None, story.now),
        }
        assert_eq!(story.did(), ["close", "open"]);
        story.session.connected(story.now);
        assert_eq!(story.did(), ["reset query v2"]);
        story.session.lost(None, story.now);
        assert_eq!((story.did(), story.session.state()), (vec!["close".to_owned()], State::Transport));
    }
}

#[test]
fn what_a_lost_connection_had_begun_to_tell_is_asked_for_again() {
    let mut story = Story::synced();
    story.until(3600);
    story.hear(&[response(2, 7), prefix(2, true, "11.0.0.0/8-8 AS3")]);
    story.session.lost(None, story.now);
    story.did();
    story.until(4200);
    story.session.connected(story.now);
    assert_eq!(story.did(), ["open", "serial query v2 7 5"]);
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let mut story = Story::asked(OPTIONS);
    story.did();
    story.until(600);
    assert_eq!(story.did(), ["close"]);
    assert_eq!(story.session.state(), State::Transport);
}

#[test]
fn times_that_make_no_sense_and_those_that_are_kept_do_not_count() {
    let keep = Options { retry: Interval { seconds: 77, keep: true }, ..OPTIONS };
    let mut story = Story::asked(keep);
    story.hear(&[response(2, 7), end(2, 7, 5, [0, 100, 900])]);
    assert_eq!(story.session.timers().map(|(_, total_s)| total_s), [3600, 77, 900]);
}

/// RFC 8210 12: each ends the connection with its code; what is known counts on.
#[test]
fn what_makes_no_sense_is_answered_with_an_error() {
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("a prefix that was not asked for", prefix(2, true, "10.0.0.0/8-24 AS1"), "error 0"),
        ("a length that no message has", vec![2, 4, 0, 0, 0, 0, 0, 3], "error 0"),
        ("a length that nobody would wait for", vec![2, 4, 0, 0, 255, 255, 255, 255], "error 0"),
        ("an unknown message", message(2, 77, 0, &[]), "error 5"),
        ("a message that is too short", message(2, 0, 7, &[]), "error 0"),
        ("a message that is too long", message(2, 8, 0, &[0]), "error 0"),
        ("an End of Data of nothing", end(2, 7, 5, [1, 1, 1]), "error 0"),
        ("another version", message(1, 0, 7, &5_u32.to_be_bytes()), "error 8"),
        ("a response to no question", response(2, 7), "error 0"),
    ];
    for (what, octets, answer) in cases {
        let mut story = Story::synced();
        story.hear(&[octets]);
        assert_eq!(story.did(), [answer, "close"], "{what}");
        assert_eq!(story.session.state(), State::Fatal, "{what}");
    }
    let faulty = [("10.0.0.0/8-7 AS1", 9), ("10.0.0.0/8-24 AS1", 33)];
    for (roa, longest) in faulty {
        let mut story = Story::asked(OPTIONS);
        story.did();
        let mut wrong = prefix(2, true, roa);
        wrong[10] = if longest == 33 { 33 } else { wrong[10] };
        story.hear(&[response(2, 7), wrong]);
        assert_eq!(story.did(), ["error 0", "close"], "{roa}");
    }
}

#[test]
fn an_error_is_never_answered_by_another() {
    let mut story = Story::synced();
    story.hear(&[message(9, 10, 3, &[0; 8])]);
    assert_eq!(story.did(), ["close"]);
}

#[test]
fn of_what_is_said_twice_the_last_counts() {
    let mut story = Story::asked(OPTIONS);
    story.did();
    let one = "10.0.0.0/8-24 AS1";
    story.hear(&[response(2, 7), prefix(2, true, one), prefix(2, false, one), end(2, 7, 5, [3600, 600, 7200])]);
    assert_eq!(story.did(), ["apply whole -10.0.0.0/8-24 AS1"]);
}

#[test]
fn max_lengths_may_be_ignored() {
    let mut story = Story::asked(Options { ignore_max_length: true, ..OPTIONS });
    story.did();
    story.hear(&[response(2, 7), prefix(2, true, "10.0.0.0/8-24 AS1"), end(2, 7, 5, [3600, 600, 7200])]);
    assert_eq!(story.did(), ["apply whole +10.0.0.0/8-32 AS1"]);
}

proptest! {
    /// No octets stop it, and whatever comes it says when it wants to hear of time again.
    #[test]
    fn any_octets_are_survived(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..16)) {
        let mut story = Story::asked(OPTIONS);
        for piece in pieces {
            story.session.received(&piece, story.now);
            prop_assert!(story.session.deadline().is_some());
            let _ = decode(&piece);
        }
    }

    /// Likewise of heads that look right.
    #[test]
    fn any_message_is_survived(
        all in proptest::collection::vec((0_u8..4, 0_u8..13, any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
    ) {
        let mut story = Story::asked(OPTIONS);
        for (version, number, field, body) in all {
            story.hear(&[message(version, number, field, &body)]);
            prop_assert!(story.session.deadline().is_some());
        }
    }
}
