//! `keys { key { ... }; ... }`: what `authentication ao` signs with (TCP-AO, RFC 5925).

use crate::config::BgpConf;
use crate::parser::Parser;
use filter::syntax::Parsed;
use filter::{Diagnostic, Span};
use route::tcp_ao::{Algorithm, Key, Preference, SECRET_OCTETS_MAX};
use std::sync::Arc;

/// A key, and where its identifiers stand.
struct Placed {
    key: Key,
    send: Span,
    recv: Span,
}

/// What was said of a key so far.
#[derive(Default)]
struct Draft {
    send: Option<(u8, Span)>,
    recv: Option<(u8, Span)>,
    secret: Option<Arc<[u8]>>,
    algorithm: Algorithm,
    preference: Preference,
}

/// What may be said of a key.
#[derive(Clone, Copy)]
enum Detail {
    Id,
    SendId,
    RecvId,
    Secret,
    Algorithm,
    Preference(Preference),
}

static DETAILS: &[(&str, Detail)] = &[
    ("id", Detail::Id),
    ("send id", Detail::SendId),
    ("recv id", Detail::RecvId),
    ("secret", Detail::Secret),
    ("algorithm", Detail::Algorithm),
    ("preferred", Detail::Preference(Preference::Preferred)),
    ("deprecated", Detail::Preference(Preference::Deprecated)),
];

/// `{ key { ... }; ... }`. A list without a key leaves what was there before, as in BIRD.
pub(super) fn keys(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    let mut all: Vec<Placed> = Vec::new();
    parser.braced(|parser| {
        parser.at.expect_word("key")?;
        if let Some(key) = key(parser)? {
            differs(&all, &key)?;
            all.push(key);
        }
        Ok(())
    })?;
    if !all.is_empty() {
        conf.ao_keys = all.into_iter().map(|placed| placed.key).collect();
    }
    Ok(())
}

/// As it would be written, but for the secrets.
pub(super) fn shown(conf: &BgpConf) -> String {
    if conf.ao_keys.is_empty() {
        return String::new();
    }
    let all: Vec<_> = conf.ao_keys.iter().map(|key| format!("key {{ {} }};", key.said())).collect();
    format!("{{ {} }}", all.join(" "))
}

/// RFC 5925 3.1: "The IDs of MKTs MUST NOT overlap where their TCP connection identifiers overlap."
fn differs(all: &[Placed], new: &Placed) -> Parsed<()> {
    type Of<T> = fn(&Placed) -> T;
    let ways: [(&str, Of<u8>, Of<Span>); 2] =
        [("Send", |k| k.key.send_id, |k| k.send), ("Recv", |k| k.key.recv_id, |k| k.recv)];
    for (way, id, place) in ways {
        if let Some(first) = all.iter().find(|k| id(k) == id(new)) {
            let wrong = Diagnostic::error(place(new), format!("Multiple keys with {way} ID {}", id(new)));
            return Err(wrong.note(place(first), "another key has it"));
        }
    }
    Ok(())
}

/// `{ id 1; secret "text"; }`; `None`: it is wrong, and that was said.
fn key(parser: &mut Parser<'_>) -> Parsed<Option<Placed>> {
    let errors = parser.errors.len();
    let mut draft = Draft::default();
    let close = parser.braced(|parser| draft.detail(parser))?;
    if parser.errors.len() > errors {
        return Ok(None);
    }
    draft.finish(close).map(Some)
}

impl Draft {
    fn detail(&mut self, parser: &mut Parser<'_>) -> Parsed<()> {
        let start = parser.at.span();
        match parser.one_of(DETAILS)? {
            Detail::Id => {
                let id = id(parser, "Key")?;
                (self.send, self.recv) = (Some(id), Some(id));
            }
            Detail::SendId => self.send = Some(id(parser, "Send")?),
            Detail::RecvId => self.recv = Some(id(parser, "Recv")?),
            Detail::Secret => self.secret = Some(secret(parser)?),
            Detail::Algorithm => self.algorithm = algorithm(parser)?,
            Detail::Preference(asked) => {
                if self.preference != Preference::Plain && self.preference != asked {
                    let message = "Key cannot be both preferred and deprecated";
                    return Err(parser.refusal(start, message, "the other one was said before"));
                }
                self.preference = asked;
            }
        }
        Ok(())
    }

    fn finish(self, close: Span) -> Parsed<Placed> {
        let missing = |message: &str, help: &str| Diagnostic::error(close, message).help(help);
        let (send_id, send) = self.send.ok_or_else(|| missing("No key Send ID", "add `id NUMBER;`"))?;
        let (recv_id, recv) = self.recv.ok_or_else(|| missing("No key Recv ID", "add `recv id NUMBER;`"))?;
        let secret = self.secret.filter(|secret| !secret.is_empty()).ok_or_else(|| {
            missing(&format!("No secret defined for key {send_id}/{recv_id}"), "add `secret \"TEXT\";`")
        })?;
        let Self { algorithm, preference, .. } = self;
        Ok(Placed { key: Key { send_id, recv_id, secret, algorithm, preference }, send, recv })
    }
}

/// A number, and its place.
fn id(parser: &mut Parser<'_>, whose: &str) -> Parsed<(u8, Span)> {
    let start = parser.at.span();
    let number = parser.number()?;
    match u8::try_from(number) {
        Ok(id) => Ok((id, parser.at.since(start))),
        Err(_) => {
            let message = format!("{whose} ID must be in range 0-255");
            Err(parser.refusal(start, message, format!("{number} is not")))
        }
    }
}

/// `"text"`, `hex:01:02`, or a constant that is one of them.
fn secret(parser: &mut Parser<'_>) -> Parsed<Arc<[u8]>> {
    let start = parser.at.span();
    let secret = parser.secret()?;
    if secret.len() > SECRET_OCTETS_MAX {
        let label = format!("{} octets; Linux takes {} at most", secret.len(), SECRET_OCTETS_MAX);
        return Err(parser.refusal(start, "TCP-AO secret too long", label));
    }
    Ok(secret)
}

/// Algorithms of passwords of other protocols, which TCP has not.
static UNFIT: &[&[&str]] = &[
    &["keyed", "md5"],
    &["keyed", "sha1"],
    &["keyed", "sha256"],
    &["keyed", "sha384"],
    &["keyed", "sha512"],
    &["blake2s128"],
    &["blake2s256"],
    &["blake2b256"],
    &["blake2b512"],
];

fn algorithm(parser: &mut Parser<'_>) -> Parsed<Algorithm> {
    let start = parser.at.span();
    let ahead = parser.words_ahead();
    if let Some(words) = UNFIT.iter().find(|words| ahead.starts_with(words)) {
        parser.skip(words.len());
        return Err(parser.refusal(start, "Unknown algorithm for TCP-AO", "use `hmac sha1`, or `cmac aes128`"));
    }
    parser.one_of(Algorithm::WORDS)
}
