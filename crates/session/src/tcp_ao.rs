//! The socket options of Linux (6.7 and later) for TCP-AO (RFC 5925).
//!
//! Each key (RFC 5925 3.1: a master key tuple) is put on the listening socket for
//! the neighbour's address, and on our own socket before it connects. An accepted
//! connection has those that the listening socket had. Of a connection's keys two
//! are marked: with the *current* one we sign, because the neighbour has asked for
//! it; the *rnext* one is what we ask the neighbour to sign with. So a key changes
//! without a word of ours: who prefers another one asks for it, and the other side's
//! kernel follows. Which to ask for is decided by [`preferred`](route::tcp_ao::preferred).
//!
//! Unsafe here: `getsockopt` into structures of plain integers.

use crate::sockopt::{self, set, storage};
use route::Prefix;
use route::tcp_ao::{Algorithm, Key, SECRET_OCTETS_MAX};
use std::io;
use std::mem;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};

/// The kernel's name. It derives the key of `cmac(aes128)` from a secret of any length (RFC 5926 3.1.1.2).
const fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HmacMd5 => "hmac(md5)",
        Algorithm::HmacSha1 => "hmac(sha1)",
        Algorithm::HmacSha224 => "hmac(sha224)",
        Algorithm::HmacSha256 => "hmac(sha256)",
        Algorithm::HmacSha384 => "hmac(sha384)",
        Algorithm::HmacSha512 => "hmac(sha512)",
        Algorithm::CmacAes128 => "cmac(aes128)",
    }
}

/// What the kernel says of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The `send id` of the key with which we sign.
    pub current: Option<u8>,
    /// The `recv id` of the key that we ask for.
    pub rnext: Option<u8>,
    /// Segments whose signature was right.
    pub good: u64,
    /// Segments whose signature was wrong.
    pub bad: u64,
}

const TCP_AO_ADD_KEY: libc::c_int = 38;
const TCP_AO_DEL_KEY: libc::c_int = 39;
const TCP_AO_INFO: libc::c_int = 40;
const TCP_AO_GET_KEYS: libc::c_int = 41;

/// Bit fields of C begin at the least bit on little-endian machines, and at the greatest on others.
const fn bit_of_32(n: u32) -> u32 {
    if cfg!(target_endian = "little") { 1 << n } else { 1 << (31 - n) }
}
const SET_CURRENT: u32 = bit_of_32(0);
const SET_RNEXT: u32 = bit_of_32(1);
/// `get_all`, the third of a field of sixteen bits.
const GET_ALL: u16 = if cfg!(target_endian = "little") { 1 << 2 } else { 1 << 13 };

/// `struct tcp_ao_add` of `linux/tcp.h`.
#[repr(C, align(8))]
struct Add {
    addr: socket2::SockAddrStorage,
    algorithm: [u8; 64],
    ifindex: i32,
    flags: u32,
    reserved: u16,
    prefix_len: u8,
    send_id: u8,
    recv_id: u8,
    mac_octets: u8,
    key_flags: u8,
    secret_octets: u8,
    secret: [u8; SECRET_OCTETS_MAX],
}

/// `struct tcp_ao_del`.
#[repr(C, align(8))]
struct Delete {
    addr: socket2::SockAddrStorage,
    ifindex: i32,
    flags: u32,
    reserved: u16,
    prefix_len: u8,
    send_id: u8,
    recv_id: u8,
    current: u8,
    rnext: u8,
    key_flags: u8,
}

/// `struct tcp_ao_info_opt`.
#[repr(C, align(8))]
#[derive(Clone, Copy, Default)]
struct Info {
    flags: u32,
    reserved: u16,
    current: u8,
    rnext: u8,
    good: u64,
    bad: u64,
    key_not_found: u64,
    unsigned: u64,
    dropped_icmp: u64,
}

/// `struct tcp_ao_getsockopt`.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Listed {
    addr: [u8; 128],
    algorithm: [u8; 64],
    secret: [u8; SECRET_OCTETS_MAX],
    count: u32,
    flags: u16,
    send_id: u8,
    recv_id: u8,
    prefix_len: u8,
    mac_octets: u8,
    key_flags: u8,
    secret_octets: u8,
    ifindex: i32,
    good: u64,
    bad: u64,
}

impl Listed {
    const BLANK: Self = Self {
        addr: [0; 128],
        algorithm: [0; 64],
        secret: [0; SECRET_OCTETS_MAX],
        count: 0,
        flags: 0,
        send_id: 0,
        recv_id: 0,
        prefix_len: 0,
        mac_octets: 0,
        key_flags: 0,
        secret_octets: 0,
        ifindex: 0,
        good: 0,
        bad: 0,
    };
}

/// Puts a key for a neighbour on a socket that listens, or has not connected yet, or has keys. `marked`: it is both
/// current and rnext; no listening socket has such.
pub fn add(socket: &impl AsFd, peer: IpAddr, key: &Key, marked: bool) -> io::Result<()> {
    let mut add = Add {
        addr: storage(peer),
        algorithm: [0; 64],
        ifindex: 0,
        flags: if marked { SET_CURRENT | SET_RNEXT } else { 0 },
        reserved: 0,
        prefix_len: Prefix::host(peer).len(),
        send_id: key.send_id,
        recv_id: key.recv_id,
        // The default of twelve octets, RFC 5926 3.2.
        mac_octets: 0,
        key_flags: 0,
        secret_octets: 0,
        secret: [0; SECRET_OCTETS_MAX],
    };
    let name = name(key.algorithm).as_bytes();
    let places = (add.algorithm.get_mut(..name.len()), add.secret.get_mut(..key.secret.len()));
    let (Some(algorithm), Some(secret)) = places else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "secret is longer than 80 octets"));
    };
    algorithm.copy_from_slice(name);
    secret.copy_from_slice(&key.secret);
    add.secret_octets = key.secret.len() as u8;
    set(socket, libc::IPPROTO_TCP, TCP_AO_ADD_KEY, &add)
}

/// Takes a key of a neighbour from a socket. Where it is current or rnext, another one must take its place: see
/// [`Instead`].
pub fn delete(socket: &impl AsFd, peer: IpAddr, key: &Key, instead: Instead) -> io::Result<()> {
    let Instead { current, rnext } = instead;
    let flag = |bit: u32, of: Option<u8>| if of.is_some() { bit } else { 0 };
    let delete = Delete {
        addr: storage(peer),
        ifindex: 0,
        flags: flag(SET_CURRENT, current) | flag(SET_RNEXT, rnext),
        reserved: 0,
        prefix_len: Prefix::host(peer).len(),
        send_id: key.send_id,
        recv_id: key.recv_id,
        current: current.unwrap_or(0),
        rnext: rnext.unwrap_or(0),
        key_flags: 0,
    };
    set(socket, libc::IPPROTO_TCP, TCP_AO_DEL_KEY, &delete)
}

/// Which keys take the places of one that goes; `None`: what is there stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instead {
    /// The `send id` of the one with which we sign from now on.
    pub current: Option<u8>,
    /// The `recv id` of the one that we ask for.
    pub rnext: Option<u8>,
}

/// Asks the neighbour of a connection to sign with a key that is on the socket.
pub fn set_rnext(socket: &impl AsFd, key: &Key) -> io::Result<()> {
    let info = Info { flags: SET_RNEXT, rnext: key.recv_id, ..Info::default() };
    set(socket, libc::IPPROTO_TCP, TCP_AO_INFO, &info)
}

/// What the kernel says of a connection. An error: it is not signed.
pub fn seen(socket: &impl AsFd) -> io::Result<Seen> {
    let mut info = [Info::default()];
    ask(socket, TCP_AO_INFO, &mut info)?;
    let [Info { flags, current, rnext, good, bad, .. }] = info;
    let marked = |bit: u32, id: u8| (flags & bit != 0).then_some(id);
    Ok(Seen { current: marked(SET_CURRENT, current), rnext: marked(SET_RNEXT, rnext), good, bad })
}

/// The `send id` and `recv id` of every key on a socket that has those of one neighbour.
pub fn ids(socket: &impl AsFd) -> io::Result<Vec<(u8, u8)>> {
    // A neighbour has no more: no two have the same `send id`.
    const KEYS_MAX: u32 = 256;
    let mut listed = vec![Listed::BLANK; KEYS_MAX as usize];
    if let Some(first) = listed.first_mut() {
        (first.count, first.flags) = (KEYS_MAX, GET_ALL);
    }
    ask(socket, TCP_AO_GET_KEYS, &mut listed)?;
    let count = listed.first().map_or(0, |first| first.count.min(KEYS_MAX));
    Ok(listed.iter().take(count as usize).map(|key| (key.send_id, key.recv_id)).collect())
}

/// A structure of plain integers, all of whose octets may have any value.
trait Plain: Copy {}
impl Plain for Info {}
impl Plain for Listed {}

/// Has the kernel answer one of `TCP_AO_INFO` and `TCP_AO_GET_KEYS`; the question stands where the answer comes to stand.
fn ask<T: Plain>(socket: &impl AsFd, name: libc::c_int, answer: &mut [T]) -> io::Result<()> {
    let mut octets = mem::size_of::<T>() as libc::socklen_t;
    #[expect(unsafe_code, reason = "no safe crate reads TCP_AO_INFO or TCP_AO_GET_KEYS")]
    // SAFETY: the descriptor is open as long as `socket` is borrowed. The kernel writes one `T` for TCP_AO_INFO, and for
    // TCP_AO_GET_KEYS at most as many as `count` of the first says, which `ids` makes the length of `answer`; `octets`
    // is the size of one of them, as both options want it. Any octets are a `Plain`. Both pointers outlive the call.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            name,
            answer.as_mut_ptr().cast(),
            std::ptr::from_mut(&mut octets),
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// What the log says of a failed call, BIRD's words.
pub fn words(call: &str, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOPROTOOPT) => "Kernel does not support TCP-AO signatures".to_owned(),
        _ => format!("{call}: {}", sockopt::words(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::tcp_ao::Preference;
    use std::mem::{align_of, offset_of, size_of};

    /// `include/uapi/linux/tcp.h`, as a C compiler lays it out on machines of 64 bits.
    #[test]
    fn the_structures_are_those_of_the_kernel() {
        assert_eq!((size_of::<socket2::SockAddrStorage>(), size_of::<Add>(), align_of::<Add>()), (128, 288, 8));
        assert_eq!((offset_of!(Add, algorithm), offset_of!(Add, ifindex), offset_of!(Add, flags)), (128, 192, 196));
        assert_eq!((offset_of!(Add, prefix_len), offset_of!(Add, send_id), offset_of!(Add, recv_id)), (202, 203, 204));
        assert_eq!((offset_of!(Add, secret_octets), offset_of!(Add, secret)), (207, 208));

        assert_eq!((size_of::<Delete>(), align_of::<Delete>()), (144, 8));
        assert_eq!((offset_of!(Delete, flags), offset_of!(Delete, prefix_len)), (132, 138));
        assert_eq!((offset_of!(Delete, current), offset_of!(Delete, rnext)), (141, 142));

        assert_eq!((size_of::<Info>(), align_of::<Info>()), (48, 8));
        assert_eq!((offset_of!(Info, current), offset_of!(Info, rnext), offset_of!(Info, good)), (6, 7, 8));
        assert_eq!((offset_of!(Info, bad), offset_of!(Info, dropped_icmp)), (16, 40));

        assert_eq!((size_of::<Listed>(), align_of::<Listed>()), (304, 8));
        assert_eq!((offset_of!(Listed, secret), offset_of!(Listed, count), offset_of!(Listed, flags)), (192, 272, 276));
        assert_eq!((offset_of!(Listed, send_id), offset_of!(Listed, recv_id)), (278, 279));
        assert_eq!((offset_of!(Listed, ifindex), offset_of!(Listed, good), offset_of!(Listed, bad)), (284, 288, 296));
    }

    #[test]
    fn a_kernel_without_it_is_named_in_the_words_of_bird() {
        let said = |errno| words("TCP_AO_ADD_KEY", &io::Error::from_raw_os_error(errno));
        assert_eq!(said(libc::ENOPROTOOPT), "Kernel does not support TCP-AO signatures");
        assert_eq!(said(libc::EEXIST), "TCP_AO_ADD_KEY: File exists");
    }

    #[test]
    fn a_secret_that_the_kernel_cannot_hold_is_refused_before_it_is_asked() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let long = Key {
            send_id: 1,
            recv_id: 1,
            secret: vec![1; 81].into(),
            algorithm: Algorithm::HmacSha1,
            preference: Preference::Plain,
        };
        let error = add(&socket, IpAddr::from([127, 0, 0, 1]), &long, false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
