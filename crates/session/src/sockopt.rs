//! Socket options that no safe crate offers: TCP MD5 keys and the least TTL. Those of TCP-AO stand in `tcp_ao`.
//!
//! Unsafe here: `setsockopt` with a plain value that lives across the call.
//! Everything else is `socket2`.

use route::Prefix;
use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

/// The longest key of TCP MD5 (RFC 2385), octets.
pub const MD5_KEY_OCTETS_MAX: usize = 80;

/// `struct tcp_md5sig` of Linux (`linux/tcp.h`).
#[repr(C)]
struct TcpMd5Sig {
    addr: socket2::SockAddrStorage,
    flags: u8,
    prefix_len: u8,
    key_len: u16,
    ifindex: i32,
    key: [u8; MD5_KEY_OCTETS_MAX],
}

/// Sets one option to a plain value.
pub(crate) fn set<T>(socket: &impl AsFd, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    #[expect(unsafe_code, reason = "no safe crate sets TCP_MD5SIG, TCP_AO_ADD_KEY, IP_MINTTL or IPV6_MINHOPCOUNT")]
    // SAFETY: the descriptor is open as long as `socket` is borrowed; the pointer and the length are those of
    // `value`, which outlives the call, and the kernel only reads it.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast(),
            mem::size_of::<T>() as libc::socklen_t,
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `TCP_MD5SIG_FLAG_PREFIX`: the key is that of a whole prefix. It counts with `TCP_MD5SIG_EXT`.
const FLAG_PREFIX: u8 = 1;

/// Sets the key for packets from and to a peer or a range of peers, or removes it. To remove a key that is not there
/// is no error.
pub fn set_md5_key(socket: &impl AsFd, peers: Prefix, key: Option<&str>) -> io::Result<()> {
    let is_range = peers.len() < peers.family().bits();
    let octets = key.unwrap_or_default().as_bytes();
    let mut sig = TcpMd5Sig {
        addr: storage(peers.addr()),
        flags: if is_range { FLAG_PREFIX } else { 0 },
        prefix_len: if is_range { peers.len() } else { 0 },
        key_len: 0,
        ifindex: 0,
        key: [0; MD5_KEY_OCTETS_MAX],
    };
    let Some(place) = sig.key.get_mut(..octets.len()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "password is longer than 80 octets"));
    };
    place.copy_from_slice(octets);
    sig.key_len = octets.len() as u16;
    let name = if is_range { libc::TCP_MD5SIG_EXT } else { libc::TCP_MD5SIG };
    match set(socket, libc::IPPROTO_TCP, name, &sig) {
        Err(e) if key.is_none() && e.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        outcome => outcome,
    }
}

/// The address as the kernel's structure, port 0.
pub(crate) fn storage(addr: IpAddr) -> socket2::SockAddrStorage {
    socket2::SockAddr::from(SocketAddr::new(addr, 0)).as_storage()
}

/// Packets with a lower TTL (hop limit) are dropped (RFC 5082).
pub fn set_min_ttl(socket: &impl AsFd, peer: IpAddr, ttl: u8) -> io::Result<()> {
    let ttl = libc::c_int::from(ttl);
    match peer {
        IpAddr::V4(_) => set(socket, libc::IPPROTO_IP, libc::IP_MINTTL, &ttl),
        IpAddr::V6(_) => set(socket, libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT, &ttl),
    }
}

/// The TTL (hop limit) of packets that are sent.
pub fn set_ttl(socket: &impl AsFd, peer: IpAddr, ttl: u8) -> io::Result<()> {
    let socket = socket2::SockRef::from(socket);
    match peer {
        IpAddr::V4(_) => socket.set_ttl_v4(u32::from(ttl)),
        IpAddr::V6(_) => socket.set_unicast_hops_v6(u32::from(ttl)),
    }
}

/// Routing traffic has precedence (RFC 4271 appendix E: internetwork control).
pub fn set_precedence(socket: &impl AsFd, peer: IpAddr) -> io::Result<()> {
    const INTERNETWORK_CONTROL: u32 = 0xc0;
    let socket = socket2::SockRef::from(socket);
    match peer {
        IpAddr::V4(_) => socket.set_tos_v4(INTERNETWORK_CONTROL),
        IpAddr::V6(_) => socket.set_tclass_v6(INTERNETWORK_CONTROL),
    }
}

/// The address that the socket is bound to need not be ours (IP_FREEBIND, which counts for IPv6 as well).
pub fn set_free_bind(socket: &impl AsFd, local: IpAddr) -> io::Result<()> {
    let socket = socket2::SockRef::from(socket);
    match local {
        IpAddr::V4(_) => socket.set_freebind_v4(true),
        IpAddr::V6(_) => socket.set_freebind_v6(true),
    }
}

/// Whether octets have come that nobody has read.
pub fn has_unread(socket: &impl AsFd) -> bool {
    let mut one = [mem::MaybeUninit::uninit()];
    matches!(socket2::SockRef::from(socket).peek(&mut one), Ok(1..))
}

/// The system's words for an error, as BIRD prints them: `Connection refused`.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
