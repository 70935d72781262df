//! Packets of BFD, from whoever can send UDP.

use ::bfd::packet::decode;
use ::bfd::session::{Micros, Options, Outgoing, Session};
use ::bfd::{Auth, Key, Method, State, Window};

const METHODS: [Method; 6] =
    [Method::None, Method::Simple, Method::KeyedMd5, Method::MeticulousMd5, Method::KeyedSha1, Method::MeticulousSha1];

/// An octet of options, then packets, each behind its length and the milliseconds before it. What was read is
/// written and read the same; a session never sends without end, nor wants to be woken in the past; its changes
/// follow from one another.
pub fn session(octets: &[u8]) {
    let Some((first, mut rest)) = octets.split_first() else { return };
    let key = Key { id: 7, secret: b"secret"[..].into(), generate: Window::default(), accept: Window::default() };
    let auth = Auth { method: METHODS[usize::from(first & 7) % METHODS.len()], keys: vec![key] };
    let options = Options {
        min_rx_us: 50_000,
        min_tx_us: 50_000,
        idle_tx_us: 1_000_000,
        multiplier: 3,
        passive: first & 8 != 0,
        auth,
    };
    let mut now: Micros = 0;
    let mut session = Session::new(7, options, 42, now);
    let mut state = State::Down;
    while let [length, wait_ms, behind @ ..] = rest {
        let (packet, next) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = next;
        now += Micros::from(*wait_ms) * 1000;
        if let Some(change) = session.tick(now) {
            assert_eq!(change.from, state);
            state = change.to;
        }
        if let Ok(received) = decode(packet) {
            let section = &received.octets[24..];
            let mut again = Vec::new();
            received.packet.encode(if received.authenticated { section.len() as u8 } else { 0 }, &mut again);
            if received.authenticated || section.is_empty() {
                again.extend(section);
                assert_eq!(decode(&again).map(|r| r.packet), Ok(received.packet));
            }
            if let Ok(Some(change)) = session.receive(&received, now, 0) {
                assert_eq!(change.from, state);
                state = change.to;
            }
        }
        assert_eq!(session.state(), state);
        let mut out = Vec::new();
        for sent in 0.. {
            assert!(sent <= 2);
            out.clear();
            match session.transmit(now, 0, &mut out) {
                Some(Outgoing::Ready(packet)) => assert_eq!(decode(&out).map(|r| r.packet), Ok(packet)),
                Some(Outgoing::Unsigned) => panic!("there is a key"),
                None => break,
            }
        }
        assert!(session.next_deadline().is_none_or(|at| at > now));
    }
}
