//! What an RPKI cache server says, whoever it is.

use ::route::Moment;
use ::rtr::{Act, Interval, Options, ROAS_MAX, Session, State};

/// An octet of options, then pieces of a stream, each behind its length and the seconds before it. A session always
/// says when it wants to hear of time, unless it has nothing to wait for; what it sends is a message; it applies only
/// what makes sense.
pub fn session(octets: &[u8]) {
    let Some((first, mut rest)) = octets.split_first() else { return };
    let interval = |seconds| Interval { seconds, keep: first & 8 != 0 };
    let options = Options {
        refresh: interval(3600),
        retry: interval(600),
        expire: interval(7200),
        ignore_max_length: first & 4 != 0,
        min_version: 0,
        max_version: (first & 3).min(2),
    };
    let mut now = Moment(0);
    let mut session = Session::new(options);
    session.trace(true, true);
    session.start(now);
    while let [length, wait_s, behind @ ..] = rest {
        let (piece, next) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = next;
        now = now.plus_s((*wait_s).into());
        if session.deadline().is_some_and(|at| at <= now) {
            session.tick(now);
        }
        for act in session.take_acts() {
            match act {
                Act::Open => session.connected(now),
                Act::Send(sent) => assert_eq!(u32::from_be_bytes(sent[4..8].try_into().unwrap()) as usize, sent.len()),
                Act::Apply { gone, come, .. } => {
                    assert!(gone.len() + come.len() <= ROAS_MAX);
                    assert!(come.iter().all(|r| r.prefix.len() <= r.max_len && r.max_len <= r.prefix.family().bits()));
                }
                _ => {}
            }
        }
        session.received(piece, now);
        assert!(session.deadline().is_some() && session.state() != State::Down);
    }
}
