//! Two sessions on a virtual wire and clock, and the clauses of RFC 5880 6.8.

#![allow(clippy::unwrap_used, reason = "a test that fails by panic")]

use proptest::prelude::*;
use rbird_bfd::packet::{Packet, State, decode};
use rbird_bfd::session::{Change, Micros, Options, Outgoing, Session};
use rbird_bfd::{Auth, Key, Method, Window};

const MS: Micros = 1000;

/// Things with when they happened.
type Timed<T> = Vec<(Micros, T)>;

fn options(min_rx_ms: u32, min_tx_ms: u32, multiplier: u8) -> Options {
    Options {
        min_rx_us: min_rx_ms * 1000,
        min_tx_us: min_tx_ms * 1000,
        idle_tx_us: 1_000_000,
        multiplier,
        passive: false,
        auth: Auth::default(),
    }
}

fn secret() -> Auth {
    let key = Key { id: 1, secret: (*b"s").into(), generate: Window::default(), accept: Window::default() };
    Auth { method: Method::MeticulousSha1, keys: vec![key] }
}

/// A session whose neighbour is written by the test.
struct Alone {
    session: Session,
    now: Micros,
    /// What the neighbour says by default.
    neighbor: Packet,
}

impl Alone {
    fn new(options: Options) -> Self {
        let session = Session::new(7, options, 42, 0);
        let neighbor = Packet {
            detect_mult: 3,
            my_discriminator: 99,
            your_discriminator: 7,
            desired_min_tx_us: 100_000,
            required_min_rx_us: 100_000,
            ..Packet::default()
        };
        Self { session, now: 0, neighbor }
    }

    /// Up, with its poll sequence ended and nothing due.
    fn up(options: Options) -> Self {
        let mut this = Self::new(options);
        this.says(State::Down);
        this.says(State::Up);
        this.sent();
        this.hears(Packet { state: State::Up, is_final: true, ..this.neighbor });
        this.sent();
        assert_eq!(this.session.state(), State::Up);
        this
    }

    fn hears(&mut self, packet: Packet) -> Option<Change> {
        let mut octets = Vec::new();
        packet.encode(0, &mut octets);
        self.session.receive(&decode(&octets).unwrap(), self.now, 0).unwrap()
    }

    fn says(&mut self, state: State) -> Option<State> {
        self.hears(Packet { state, ..self.neighbor }).map(|c| c.to)
    }

    /// All that is due now.
    fn sent(&mut self) -> Vec<Packet> {
        let mut packets = Vec::new();
        let mut octets = Vec::new();
        while let Some(outgoing) = self.session.transmit(self.now, 0, &mut octets) {
            let Outgoing::Ready(packet) = outgoing else { panic!("{outgoing:?}") };
            packets.push(packet);
        }
        packets
    }

    /// Lets time pass; each packet with when it went, each change with when it came.
    fn until(&mut self, end: Micros) -> (Timed<Packet>, Timed<Change>) {
        let (mut packets, mut changes) = (Vec::new(), Vec::new());
        while let Some(at) = self.session.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            changes.extend(self.session.tick(self.now).map(|c| (self.now, c)));
            let now = self.now;
            packets.extend(self.sent().into_iter().map(|p| (now, p)));
        }
        self.now = end;
        (packets, changes)
    }
}

#[test]
fn two_sessions_come_up_and_settle_on_the_slower_interval() {
    let mut wire = Wire::new(options(10, 50, 3), options(80, 20, 5));
    wire.run(3_000 * MS);
    assert_eq!([wire.ends[0].state(), wire.ends[1].state()], [State::Up, State::Up]);
    assert_eq!(wire.ends[0].tx_interval_us(), 80_000);
    assert_eq!(wire.ends[1].tx_interval_us(), 20_000);
    // 6.8.4: the neighbour's multiplier, and the slower of our receiving and its sending.
    assert_eq!(wire.ends[0].detection_time_us(), 5 * 20_000);
    assert_eq!(wire.ends[1].detection_time_us(), 3 * 80_000);
}

#[test]
fn a_neighbour_that_falls_silent_is_down_when_the_detection_time_is_over() {
    let mut alone = Alone::up(options(50, 50, 3));
    alone.neighbor.desired_min_tx_us = 50_000;
    alone.now = 10_000 * MS;
    alone.says(State::Up);
    let heard = alone.now;
    let (_, changes) = alone.until(heard + 150 * MS - 1);
    assert_eq!(changes, []);
    let (sent, changes) = alone.until(heard + 150 * MS);
    assert_eq!(changes, [(heard + 150 * MS, Change { from: State::Up, to: State::Down })]);
    let told = sent.last().unwrap().1;
    // Diagnostic 1, and bfd.RemoteDiscr forgotten (6.8.1).
    assert_eq!((told.state, told.diagnostic, told.your_discriminator, told.poll), (State::Down, 1, 0, false));
    assert_eq!(alone.session.detection_time_us(), 0);
}

#[test]
fn the_state_machine_is_that_of_6_8_6() {
    use State::{AdminDown, Down, Init, Up};
    let after = |before: State, said: State| {
        let mut alone = Alone::new(options(50, 50, 3));
        match before {
            Init => drop(alone.says(Down)),
            Up => drop((alone.says(Down), alone.says(Init))),
            AdminDown | Down => {}
        }
        assert_eq!(alone.session.state(), before);
        let _ = alone.says(said);
        alone.session.state()
    };
    for (before, said, expected) in [
        (Down, AdminDown, Down),
        (Down, Down, Init),
        (Down, Init, Up),
        (Down, Up, Down),
        (Init, AdminDown, Down),
        (Init, Down, Init),
        (Init, Init, Up),
        (Init, Up, Up),
        (Up, AdminDown, Down),
        (Up, Down, Down),
        (Up, Init, Up),
        (Up, Up, Up),
    ] {
        assert_eq!(after(before, said), expected, "{before} hears {said}");
    }
}

#[test]
fn a_neighbour_that_says_down_is_told_diagnostic_3_at_once() {
    let mut alone = Alone::up(options(50, 50, 3));
    assert_eq!(alone.says(State::Down), Some(State::Down));
    let told = alone.sent();
    assert_eq!((told[0].state, told[0].diagnostic), (State::Down, 3));
    assert_eq!(told[0].desired_min_tx_us, 1_000_000, "at least a second while not up (6.8.3)");
}

#[test]
fn going_up_is_told_by_a_poll_sequence_until_the_neighbour_answers() {
    let mut alone = Alone::new(options(50, 50, 3));
    alone.says(State::Down);
    alone.says(State::Up);
    let told = alone.sent();
    assert!(told[0].poll && told[0].state == State::Up && told[0].desired_min_tx_us == 50_000);
    let (again, _) = alone.until(250 * MS);
    assert!(!again.is_empty() && again.iter().all(|(_, p)| p.poll));
    alone.hears(Packet { state: State::Up, is_final: true, ..alone.neighbor });
    let (after, _) = alone.until(500 * MS);
    assert!(!after.is_empty() && after.iter().all(|(_, p)| !p.poll));
}

#[test]
fn a_poll_is_answered_at_once_and_the_answer_is_no_poll() {
    let mut alone = Alone::up(options(50, 50, 3));
    alone.session.reconfigure(options(60, 60, 3), alone.now);
    alone.hears(Packet { state: State::Up, poll: true, ..alone.neighbor });
    let told = alone.sent();
    assert_eq!(told.iter().filter(|p| p.is_final).count(), 1);
    assert!(told.iter().all(|p| !(p.poll && p.is_final)));
}

/// 6.8.3.
#[test]
fn a_slower_pace_of_ours_waits_for_the_end_of_the_poll_sequence() {
    let mut alone = Alone::up(options(50, 100, 3));
    alone.session.reconfigure(options(50, 400, 3), alone.now);
    assert_eq!(alone.session.tx_interval_us(), 100_000);
    assert_eq!(alone.sent()[0].desired_min_tx_us, 400_000);
    alone.hears(Packet { state: State::Up, is_final: true, ..alone.neighbor });
    assert_eq!(alone.session.tx_interval_us(), 400_000);
}

/// 6.8.3.
#[test]
fn a_shorter_detection_time_waits_for_the_end_of_the_poll_sequence() {
    let mut alone = Alone::up(options(400, 100, 3));
    alone.session.reconfigure(options(100, 100, 3), alone.now);
    assert_eq!(alone.session.detection_time_us(), 3 * 400_000);
    alone.hears(Packet { state: State::Up, is_final: true, ..alone.neighbor });
    assert_eq!(alone.session.detection_time_us(), 3 * 100_000);
}

#[test]
fn who_is_passive_speaks_when_spoken_to() {
    let mut alone = Alone::new(Options { passive: true, ..options(50, 50, 3) });
    assert_eq!(alone.until(60_000 * MS).0, []);
    alone.says(State::Down);
    assert_eq!(alone.sent()[0].state, State::Init);
}

#[test]
fn jitter_takes_up_to_a_quarter_and_at_least_a_tenth_when_no_packet_may_be_lost() {
    for (multiplier, most_us) in [(3, 100_000), (1, 90_000)] {
        let mut alone = Alone::up(options(100, 100, multiplier));
        alone.neighbor.detect_mult = 255;
        alone.says(State::Up);
        let (sent, _) = alone.until(20_000 * MS);
        let gaps: Vec<_> = sent.windows(2).map(|w| w[1].0 - w[0].0).collect();
        let (least, most) = (*gaps.iter().min().unwrap(), *gaps.iter().max().unwrap());
        assert!(least >= 75_000 && most <= most_us, "{least} to {most}");
        assert!(least < 77_000 && most > most_us - 2_000, "{least} to {most}");
    }
}

/// 6.8.7.
#[test]
fn a_neighbour_that_takes_no_packets_or_is_in_demand_mode_gets_answers_only() {
    for silent in [
        Packet { required_min_rx_us: 0, ..Packet::default() },
        Packet { demand: true, required_min_rx_us: 100_000, ..Packet::default() },
    ] {
        let mut alone = Alone::up(options(100, 100, 3));
        alone.neighbor = Packet {
            demand: silent.demand,
            required_min_rx_us: silent.required_min_rx_us,
            detect_mult: 255,
            ..alone.neighbor
        };
        alone.says(State::Up);
        assert_eq!(alone.until(5_000 * MS).0, []);
        alone.hears(Packet { state: State::Up, poll: true, ..alone.neighbor });
        assert!(alone.sent()[0].is_final);
    }
}

#[test]
fn a_neighbour_that_takes_packets_faster_again_is_served_from_the_last_one_on() {
    let mut alone = Alone::up(options(100, 100, 3));
    alone.neighbor.detect_mult = 255;
    alone.neighbor.required_min_rx_us = 10_000_000;
    alone.says(State::Up);
    alone.until(20_000 * MS);
    alone.neighbor.required_min_rx_us = 100_000;
    alone.says(State::Up);
    let (sent, _) = alone.until(alone.now + 101 * MS);
    assert!(!sent.is_empty());
}

/// 6.8.1: bfd.AuthSeqKnown.
#[test]
fn a_neighbour_that_starts_anew_is_believed_after_twice_the_detection_time() {
    let with = Options { auth: secret(), ..options(100, 100, 3) };
    let mut near = Session::new(1, with.clone(), 1, 0);
    let mut from = |far: &mut Session, now: Micros| {
        let mut octets = Vec::new();
        assert!(far.transmit(now, 0, &mut octets).is_some());
        near.tick(now);
        near.receive(&decode(&octets).unwrap(), now, 0).is_ok()
    };
    assert!(from(&mut Session::new(2, with.clone(), 900 << 32, 0), 0));
    let again = |at| Session::new(3, with.clone(), 100 << 32, at);
    // The detection time is three times what the neighbour sends by: a second.
    assert!(!from(&mut again(3_000 * MS), 3_000 * MS));
    assert!(!from(&mut again(5_900 * MS), 5_900 * MS));
    assert!(from(&mut again(6_100 * MS), 6_100 * MS));
}

/// Two sessions and a wire between them that loses what it is told to lose.
struct Wire {
    ends: [Session; 2],
    now: Micros,
    downs: usize,
}

impl Wire {
    fn new(a: Options, b: Options) -> Self {
        Self { ends: [Session::new(1, a, 11, 0), Session::new(2, b, 22, 0)], now: 0, downs: 0 }
    }

    fn run(&mut self, end: Micros) {
        self.run_losing(end, |_, _| false);
    }

    fn run_losing(&mut self, end: Micros, lost: impl Fn(usize, Micros) -> bool) {
        while let Some(at) = self.ends.iter().filter_map(Session::next_deadline).min().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            for n in 0..2 {
                let change = self.ends[n].tick(self.now);
                self.downs += change.iter().filter(|c| c.from == State::Up).count();
                self.deliver(n, &lost);
            }
        }
        self.now = end;
    }

    fn deliver(&mut self, from: usize, lost: &impl Fn(usize, Micros) -> bool) {
        let mut octets = Vec::new();
        while self.ends[from].transmit(self.now, 0, &mut octets).is_some() {
            if !lost(from, self.now) {
                let change = self.ends[1 - from].receive(&decode(&octets).unwrap(), self.now, 0).unwrap();
                self.downs += change.iter().filter(|c| c.from == State::Up).count();
            }
            octets.clear();
        }
    }
}

#[test]
fn a_wire_that_loses_fewer_packets_than_the_multiplier_loses_no_session() {
    let mut wire = Wire::new(options(50, 50, 4), options(50, 50, 4));
    wire.run(5_000 * MS);
    // 100 ms of every second: two packets of each side, or three.
    wire.run_losing(60_000 * MS, |_, now| now % (1000 * MS) < 100 * MS);
    assert_eq!(wire.downs, 0);
}

#[test]
fn a_wire_cut_in_one_direction_brings_both_down_and_both_come_back() {
    let mut wire = Wire::new(options(50, 50, 3), options(50, 50, 3));
    wire.run(5_000 * MS);
    wire.run_losing(5_400 * MS, |from, _| from == 0);
    assert_eq!(wire.downs, 2);
    wire.run(10_000 * MS);
    assert_eq!([wire.ends[0].state(), wire.ends[1].state()], [State::Up, State::Up]);
}

fn any_state() -> impl Strategy<Value = State> {
    (0u8..4).prop_map(State::from_code)
}

prop_compose! {
    fn any_packet()(
        state in any_state(), poll: bool, is_final: bool, demand: bool, detect_mult in 1u8..,
        my_discriminator in 1u32.., known: bool, tx: u32, rx: u32, echo: u32, diagnostic in 0u8..32,
    ) -> Packet {
        Packet {
            diagnostic, state, poll: poll && !is_final, is_final, demand, detect_mult, my_discriminator,
            your_discriminator: if known || matches!(state, State::Init | State::Up) { 7 } else { 0 },
            desired_min_tx_us: tx, required_min_rx_us: rx, required_min_echo_rx_us: echo,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever comes and whenever: it never sends without end, never wants to be woken in the past, and the
    /// changes that it tells are those of its state.
    #[test]
    fn any_sequence_of_packets_is_survived(
        packets in prop::collection::vec((any_packet(), 0u64..3_000_000), 0..60),
        passive: bool, multiplier in 1u8.., min_us in 0u32..2_000_000,
    ) {
        let options = Options { passive, multiplier, min_tx_us: min_us, min_rx_us: min_us, ..options(0, 0, 1) };
        let mut alone = Alone::new(options);
        let mut state = State::Down;
        for (packet, wait_us) in packets {
            let (sent, changes) = alone.until(alone.now + wait_us);
            prop_assert!(sent.len() as u64 <= wait_us / 750 + 2);
            for (_, change) in changes {
                prop_assert_eq!(change.from, state);
                state = change.to;
            }
            if let Some(change) = alone.hears(packet) {
                prop_assert_eq!(change.from, state);
                state = change.to;
            }
            prop_assert_eq!(alone.session.state(), state);
            prop_assert!(alone.sent().len() <= 2);
            prop_assert!(alone.session.next_deadline().is_none_or(|at| at > alone.now));
        }
    }

    #[test]
    fn octets_that_were_read_are_written_again(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut octets = octets;
        // Most random octets have the wrong version.
        if let Some(first) = octets.first_mut() {
            *first = *first & 0x1f | 0x20;
        }
        if let Ok(received) = decode(&octets) {
            let mut again = Vec::new();
            let auth = (received.octets.len() - 24) as u8;
            received.packet.encode(if received.authenticated { auth } else { 0 }, &mut again);
            prop_assert_eq!(decode(&[&again, &received.octets[24..]].concat()).map(|r| r.packet), Ok(received.packet));
        }
    }
}

#[test]
fn what_is_wrong_about_octets_is_told_in_birds_words() {
    let mut good = Vec::new();
    Packet { detect_mult: 3, my_discriminator: 5, ..Packet::default() }.encode(0, &mut good);
    let with = |at: usize, octet: u8| {
        let mut octets = good.clone();
        octets[at] = octet;
        decode(&octets).map(|_| ()).map_err(|f| format!("{} ({})", f.words, f.value))
    };
    assert_eq!(with(8, 1), Ok(()));
    for (at, octet, words) in [
        (0, 0x40, "version mismatch (2)"),
        (3, 23, "packet length mismatch (23)"),
        (3, 25, "packet length mismatch (25)"),
        (2, 0, "invalid detect mult (0)"),
        (1, 0x41, "invalid flags (65)"),
        (7, 0, "invalid my discriminator (0)"),
        (1, 0x80, "invalid init state (2)"),
    ] {
        assert_eq!(with(at, octet), Err(words.to_owned()));
    }
    assert_eq!(decode(&good[..23]).map_err(|f| f.words), Err("too short"));
}
