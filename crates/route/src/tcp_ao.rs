//! Keys of TCP-AO (RFC 5925) and which of several is asked for.

use std::fmt;
use std::sync::Arc;

/// The longest secret that Linux takes, octets.
pub const SECRET_OCTETS_MAX: usize = 80;

/// A key that both ends of a session know (RFC 5925 3.1: a master key tuple).
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Its number in what we sign.
    pub send_id: u8,
    /// Its number in what the neighbour signs.
    pub recv_id: u8,
    /// One octet at least, [`SECRET_OCTETS_MAX`] at most.
    pub secret: Arc<[u8]>,
    /// How a segment is signed.
    pub algorithm: Algorithm,
    /// Whether the neighbour is asked for it.
    pub preference: Preference,
}

impl Key {
    /// Whether it signs and verifies alike: all but the preference.
    pub fn signs_as(&self, other: &Self) -> bool {
        let material = |key: &Self| (key.ids(), key.algorithm);
        material(self) == material(other) && self.secret == other.secret
    }

    /// `send id` and `recv id`.
    pub const fn ids(&self) -> (u8, u8) {
        (self.send_id, self.recv_id)
    }

    /// As it would be written in `key { }`, but for the secret.
    pub fn said(&self) -> String {
        let Self { send_id, recv_id, algorithm, .. } = self;
        let ids = match send_id == recv_id {
            true => format!("id {send_id};"),
            false => format!("send id {send_id}; recv id {recv_id};"),
        };
        let preference = match self.preference {
            Preference::Preferred => " preferred;",
            Preference::Plain => "",
            Preference::Deprecated => " deprecated;",
        };
        format!("{ids} algorithm {};{preference}", algorithm.words())
    }
}

/// `send/recv`, as BIRD names a key.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.send_id, self.recv_id)
    }
}

/// Without the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.said())
    }
}

/// `algorithm`: how a segment is signed. RFC 5926 has two of them, the default and the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the algorithm of its name")]
pub enum Algorithm {
    HmacMd5,
    #[default]
    HmacSha1,
    HmacSha224,
    HmacSha256,
    HmacSha384,
    HmacSha512,
    CmacAes128,
}

impl Algorithm {
    /// All of them, as they are written.
    pub const WORDS: &[(&str, Self)] = &[
        ("hmac md5", Self::HmacMd5),
        ("hmac sha1", Self::HmacSha1),
        ("hmac sha224", Self::HmacSha224),
        ("hmac sha256", Self::HmacSha256),
        ("hmac sha384", Self::HmacSha384),
        ("hmac sha512", Self::HmacSha512),
        ("cmac aes128", Self::CmacAes128),
    ];

    fn words(self) -> &'static str {
        Self::WORDS.iter().find(|(_, algorithm)| *algorithm == self).map_or("", |(words, _)| words)
    }
}

/// Whether the neighbour is asked for a key, from least to most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Preference {
    /// `deprecated`: never; but we sign with it when the neighbour asks for it.
    Deprecated,
    /// Nothing is said: if there is no better one.
    #[default]
    Plain,
    /// `preferred`: before others.
    Preferred,
}

/// The key that the neighbour is asked to sign with: the first of those with the greatest preference. `None`: all are
/// deprecated.
pub fn preferred<'k>(keys: impl DoubleEndedIterator<Item = &'k Key>) -> Option<&'k Key> {
    keys.rev().filter(|key| key.preference != Preference::Deprecated).max_by_key(|key| key.preference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(send_id: u8, preference: Preference) -> Key {
        let secret = b"secret".as_slice().into();
        Key { send_id, recv_id: send_id, secret, algorithm: Algorithm::HmacSha1, preference }
    }

    #[test]
    fn the_first_of_the_most_preferred_keys_is_asked_for_and_a_deprecated_one_never() {
        use Preference::{Deprecated, Plain, Preferred};
        let chosen = |preferences: &[Preference]| {
            let keys: Vec<_> = (0..).zip(preferences).map(|(id, preference)| key(id, *preference)).collect();
            preferred(keys.iter()).map(|key| key.send_id)
        };
        assert_eq!(chosen(&[Plain, Plain]), Some(0));
        assert_eq!(chosen(&[Plain, Preferred, Preferred]), Some(1));
        assert_eq!(chosen(&[Deprecated, Plain]), Some(1));
        assert_eq!(chosen(&[Deprecated]), None);
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn a_key_of_another_preference_is_the_same_key_and_one_of_another_secret_is_not() {
        let plain = key(1, Preference::Plain);
        assert!(plain.signs_as(&key(1, Preference::Deprecated)));
        assert!(!plain.signs_as(&key(2, Preference::Plain)));
        let other = Key { secret: b"other".as_slice().into(), ..plain.clone() };
        assert!(!plain.signs_as(&other));
        assert_eq!(format!("{plain} {plain:?}"), "1/1 Key(id 1; algorithm hmac sha1;)");
    }
}
