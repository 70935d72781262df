//! Authentication of packets (RFC 5880 4.2 - 4.4 and 6.7).
//!
//! A session has one [`Method`] and a list of [`Key`]s, each with the time in
//! which it is used for sending and the time in which it is taken. Which packets
//! are too old is judged by the sequence number, which [`Sequence`] remembers.
//!
//! The number of an authentic packet alone is remembered: who has no key can
//! not move it. A password of BFD is at most 16 octets (simple and MD5) or 20
//! (SHA1) long; of longer ones the first octets count, as with BIRD.

use crate::packet::{Fault, MANDATORY_OCTETS};
use md5::Digest as _;
use std::sync::Arc;

/// `authentication`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// `none`.
    #[default]
    None,
    /// `simple`: the password in clear.
    Simple,
    /// `keyed md5`.
    KeyedMd5,
    /// `meticulous keyed md5`: each packet has a new sequence number.
    MeticulousMd5,
    /// `keyed sha1`.
    KeyedSha1,
    /// `meticulous keyed sha1`.
    MeticulousSha1,
}

impl Method {
    /// Auth Type (RFC 5880 4.1); 0 is reserved.
    pub const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Simple => 1,
            Self::KeyedMd5 => 2,
            Self::MeticulousMd5 => 3,
            Self::KeyedSha1 => 4,
            Self::MeticulousSha1 => 5,
        }
    }

    const fn is_meticulous(self) -> bool {
        matches!(self, Self::MeticulousMd5 | Self::MeticulousSha1)
    }

    /// The octets of the digest; the key has as many. 0 for methods without.
    const fn digest_octets(self) -> usize {
        match self {
            Self::None | Self::Simple => 0,
            Self::KeyedMd5 | Self::MeticulousMd5 => 16,
            Self::KeyedSha1 | Self::MeticulousSha1 => 20,
        }
    }
}

/// A span of wall-clock time, in seconds of Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first second.
    pub from: i64,
    /// The first second that is too late.
    pub to: i64,
}

impl Default for Window {
    /// Always.
    fn default() -> Self {
        Self { from: i64::MIN, to: i64::MAX }
    }
}

impl Window {
    const fn holds(self, unix_s: i64) -> bool {
        self.from <= unix_s && unix_s < self.to
    }
}

/// `password`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `id`.
    pub id: u8,
    /// The password.
    pub secret: Arc<[u8]>,
    /// `generate from`, `generate to`.
    pub generate: Window,
    /// `accept from`, `accept to`.
    pub accept: Window,
}

/// What a session authenticates with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// How.
    pub method: Method,
    /// With what, in the order of the configuration.
    pub keys: Vec<Key>,
}

/// The longest password of `simple`.
const SIMPLE_OCTETS_MAX: usize = 16;
/// Type, Len, Key ID.
const HEAD_OCTETS: usize = 3;
/// And Reserved and Sequence Number of the keyed methods.
const KEYED_HEAD_OCTETS: usize = 8;

/// bfd.RcvAuthSeq and bfd.AuthSeqKnown: which numbers may still come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence(Option<u32>);

impl Sequence {
    /// Nothing is known any more (RFC 5880 6.8.1: after twice the detection time without packets).
    pub const fn forget(&mut self) {
        self.0 = None;
    }

    /// The last good one, if any is known.
    pub const fn last(&self) -> Option<u32> {
        self.0
    }

    /// Whether a number is none of the past, nor of the far future (RFC 5880 6.7.3): circular, and within
    /// three times the detection multiplier.
    fn admits(self, number: u32, meticulous: bool, detect_mult: u8) -> Result<(), u32> {
        let Some(last) = self.0 else { return Ok(()) };
        let ahead = number.wrapping_sub(last);
        let least = u32::from(meticulous);
        if (least..=3 * u32::from(detect_mult)).contains(&ahead) { Ok(()) } else { Err(last) }
    }
}

/// Why a packet is not authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forged {
    /// In BIRD's words, with the number that is wrong.
    Fault(Fault),
    /// The sequence number that came, and the last good one.
    Sequence(u32, u32),
}

const fn fault<T>(words: &'static str, value: u32) -> Result<T, Forged> {
    Err(Forged::Fault(Fault::new(words, value)))
}

impl Auth {
    /// The key to send with: of those whose time it is, the one that began last.
    fn sending(&self, unix_s: i64) -> Option<&Key> {
        let mut found: Option<&Key> = None;
        for key in self.keys.iter().filter(|key| key.generate.holds(unix_s)) {
            if found.is_none_or(|before| before.generate.from < key.generate.from) {
                found = Some(key);
            }
        }
        found
    }

    /// The key of this number, when its time is.
    fn taking(&self, id: u8, unix_s: i64) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id && key.accept.holds(unix_s))
    }

    /// Writes a whole packet: the mandatory part by `put`, told the octets of authentication that follow, and those.
    ///
    /// False when there is no key to send with now; nothing is written then.
    pub fn seal(&self, sequence: u32, unix_s: i64, out: &mut Vec<u8>, put: impl FnOnce(u8, &mut Vec<u8>)) -> bool {
        if self.method == Method::None {
            put(0, out);
            return true;
        }
        let Some(key) = self.sending(unix_s) else { return false };
        let code = self.method.code();
        if self.method == Method::Simple {
            let secret = clipped(key, SIMPLE_OCTETS_MAX);
            let octets = (HEAD_OCTETS + secret.len()) as u8;
            put(octets, out);
            out.extend([code, octets, key.id]);
            out.extend(secret);
            return true;
        }
        let octets = (KEYED_HEAD_OCTETS + self.method.digest_octets()) as u8;
        put(octets, out);
        out.extend([code, octets, key.id, 0]);
        out.extend(sequence.to_be_bytes());
        let digest = self.digest(out, key);
        out.extend(digest);
        true
    }

    /// Whether a packet is authentic; of one that is the sequence number is remembered.
    pub fn check(
        &self,
        octets: &[u8],
        authenticated: bool,
        detect_mult: u8,
        unix_s: i64,
        seen: &mut Sequence,
    ) -> Result<(), Forged> {
        let section = octets.get(MANDATORY_OCTETS..).filter(|_| authenticated).unwrap_or_default();
        let code = match section.first() {
            None => 0,
            Some(0) => return fault("reserved authentication type", 0),
            Some(code) => *code,
        };
        if code != self.method.code() {
            return fault("authentication method mismatch", u32::from(code));
        }
        if self.method == Method::None {
            return Ok(());
        }
        let [_, len, id, rest @ ..] = section else {
            return fault("wrong authentication length", section.len() as u32);
        };
        if usize::from(*len) != section.len() {
            return fault("wrong authentication length", u32::from(*len));
        }
        let Some(key) = self.taking(*id, unix_s) else {
            return fault("no suitable password found", u32::from(*id));
        };
        if self.method == Method::Simple {
            return match is_same(rest, clipped(key, SIMPLE_OCTETS_MAX)) {
                true => Ok(()),
                false => fault("wrong password", u32::from(*id)),
            };
        }
        let Some(([_reserved, number @ ..], digest)) = rest.split_first_chunk::<5>() else {
            return fault("wrong authentication length", u32::from(*len));
        };
        if digest.len() != self.method.digest_octets() {
            return fault("wrong authentication length", u32::from(*len));
        }
        let number = u32::from_be_bytes(*number);
        seen.admits(number, self.method.is_meticulous(), detect_mult).map_err(|last| Forged::Sequence(number, last))?;
        let signed = octets.get(..octets.len() - digest.len()).unwrap_or_default();
        if !is_same(digest, &self.digest(signed, key)) {
            return fault("wrong authentication code", u32::from(*id));
        }
        seen.0 = Some(number);
        Ok(())
    }

    /// The digest over the packet with the key, padded with zeros, in the place of the digest (RFC 5880 6.7.3, 6.7.4).
    fn digest(&self, before: &[u8], key: &Key) -> Vec<u8> {
        let mut secret = clipped(key, self.method.digest_octets()).to_vec();
        secret.resize(self.method.digest_octets(), 0);
        match self.method {
            Method::KeyedSha1 | Method::MeticulousSha1 => {
                sha1::Sha1::new().chain_update(before).chain_update(secret).finalize().to_vec()
            }
            _ => md5::Md5::new().chain_update(before).chain_update(secret).finalize().to_vec(),
        }
    }

    /// Whether every packet has a sequence number of its own.
    pub const fn is_meticulous(&self) -> bool {
        self.method.is_meticulous()
    }
}

/// The octets of a password that count.
fn clipped(key: &Key, octets_max: usize) -> &[u8] {
    key.secret.get(..octets_max).unwrap_or(&key.secret)
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}
