//! The sockets of RFC 5881 and 5883: two ports on which packets come, and one socket a session from which they go.

use super::Link;
use nix::cmsg_space;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use nix::{setsockopt_impl, sockopt_impl};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

/// Packets of one hop (RFC 5881 4).
pub(super) const PORT_ONE_HOP: u16 = 3784;
/// Packets of several hops (RFC 5883 5).
pub(super) const PORT_MULTIHOP: u16 = 4784;
/// Source ports (RFC 5881 4): MUST be 49152 to 65535.
const SOURCE_PORTS: std::ops::RangeInclusive<u16> = 49152..=65535;
/// A source port in use is passed over so many times.
const PORT_TRIES: u16 = 64;
/// MUST be sent with 255, and taken with nothing else (RFC 5881 5).
pub(super) const TTL: u8 = 255;
/// Internetwork control, as all routing protocols.
const TOS: u32 = 0xc0;
/// Room for what comes while the thread does something else.
const RECEIVE_OCTETS: usize = 256 * 1024;
/// No packet of BFD is longer: its Length has one octet.
const PACKET_OCTETS_MAX: usize = 256;

sockopt_impl!(
    /// Whether datagrams over IPv6 may lack a checksum.
    NoCheck6,
    SetOnly,
    libc::IPPROTO_UDP,
    UDP_NO_CHECK6_RX,
    bool
);

/// `linux/udp.h`; the libc crate has it for other systems only.
const UDP_NO_CHECK6_RX: libc::c_int = 102;

/// Where packets come: a family, a distance, and an address when only it is heard on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) v6: bool,
    pub(super) multihop: bool,
    /// Our address, and the link of neighbours one hop away; `None`: every address.
    pub(super) bound: Option<(IpAddr, Option<Link>)>,
    /// The device of the VRF whose packets come there; `None`: those of no VRF.
    pub(super) vrf: Option<Link>,
    pub(super) zero_checksum: bool,
}

impl Place {
    /// Whether both have the same port of the same family.
    fn has_port_of(&self, other: &Self) -> bool {
        (self.v6, self.multihop) == (other.v6, other.multihop)
    }
}

/// A port on which packets come.
pub(super) struct Port {
    socket: Socket,
    place: Place,
}

/// What was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    pub(super) octets: &'a [u8],
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    pub(super) link: u32,
    pub(super) ttl: u8,
    pub(super) multihop: bool,
    /// The VRF of the port, by its device's number; 0: none.
    pub(super) vrf: u32,
}

impl Port {
    /// Opens it beside those of ours that have the same number, bound to other devices or addresses. Nobody else may
    /// have it.
    pub(super) fn open(place: Place, ours: &[Self]) -> io::Result<Self> {
        let beside: Vec<&Self> = ours.iter().filter(|port| port.place.has_port_of(&place)).collect();
        // The kernel takes what the sockets say at this moment.
        let share = |shared| beside.iter().try_for_each(|port| port.socket.set_reuse_address(shared));
        share(true)?;
        let opened = Self::open_shared(place, !beside.is_empty());
        share(false)?;
        opened
    }

    fn open_shared(place: Place, shared: bool) -> io::Result<Self> {
        let v6 = place.v6;
        let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
        if v6 {
            socket.set_only_v6(true)?;
            setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)?;
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        } else {
            setsockopt(&socket, sockopt::Ipv4RecvTtl, &true)?;
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        }
        let _ = socket.set_recv_buffer_size(RECEIVE_OCTETS);
        if v6 && place.zero_checksum {
            setsockopt(&socket, NoCheck6, &true)?;
        }
        let any: IpAddr = if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        let port = if place.multihop { PORT_MULTIHOP } else { PORT_ONE_HOP };
        let link = place.bound.as_ref().and_then(|(_, link)| link.as_ref());
        if let Some(device) = link.or(place.vrf.as_ref()) {
            socket.bind_device(Some(device.name.as_bytes()))?;
        }
        socket.set_reuse_address(shared)?;
        let local = place.bound.as_ref().map_or(any, |(local, _)| *local);
        socket.bind(&SockAddr::from(with_scope(local, port, link.map_or(0, |link| link.index))))?;
        socket.set_reuse_address(false)?;
        Ok(Self { socket, place })
    }

    /// Where it hears.
    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    /// Reads a datagram; `None`: there is none, or one without what we asked the kernel for.
    pub(super) fn read<'a>(&self, buffer: &'a mut [u8; PACKET_OCTETS_MAX]) -> io::Result<Option<Datagram<'a>>> {
        let mut space = cmsg_space!(libc::in6_pktinfo, libc::c_int);
        let mut slices = [IoSliceMut::new(buffer)];
        let fd = self.socket.as_raw_fd();
        let read = recvmsg::<SockaddrStorage>(fd, &mut slices, Some(&mut space), MsgFlags::MSG_DONTWAIT)?;
        let Some(from) = read.address.as_ref().and_then(ip_of) else { return Ok(None) };
        let (mut ttl, mut place) = (None, None);
        for message in read.cmsgs()? {
            match message {
                ControlMessageOwned::Ipv4Ttl(n) | ControlMessageOwned::Ipv6HopLimit(n) => ttl = u8::try_from(n).ok(),
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    let to = Ipv4Addr::from_bits(u32::from_be(info.ipi_addr.s_addr));
                    place = Some((IpAddr::V4(to), u32::try_from(info.ipi_ifindex).unwrap_or(0)));
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    place = Some((IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr)), info.ipi6_ifindex));
                }
                _ => {}
            }
        }
        let (octets, multihop) = (read.bytes, self.place.multihop);
        let (Some(ttl), Some((to, link))) = (ttl, place) else { return Ok(None) };
        let octets = buffer.get(..octets).unwrap_or_default();
        let vrf = self.place.vrf.as_ref().map_or(0, |device| device.index);
        Ok(Some(Datagram { octets, from, to, link, ttl, multihop, vrf }))
    }
}

/// Where [`Port::read`] reads into.
pub(super) const fn buffer() -> [u8; PACKET_OCTETS_MAX] {
    [0; PACKET_OCTETS_MAX]
}

fn ip_of(addr: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = || addr.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
    let v6 = || addr.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip()));
    v4().or_else(v6)
}

/// Waits until something can be read, or the time is over; `None`: however long it takes.
pub(super) fn wait(ports: &[Port], wake: BorrowedFd<'_>, most: Option<Duration>) {
    let mut watched: Vec<PollFd<'_>> = ports.iter().map(|p| PollFd::new(p.socket.as_fd(), PollFlags::POLLIN)).collect();
    watched.push(PollFd::new(wake, PollFlags::POLLIN));
    // An interruption is a wake-up like any other.
    let _ = ppoll(&mut watched, most.map(TimeSpec::from_duration), None);
}

/// The socket from which the packets of one session go.
pub(super) struct Sender {
    socket: Socket,
    to: SockAddr,
}

impl Sender {
    /// Opens it, from our address, bound to the link when there is one, else to the device of the VRF. `chance` chooses
    /// the source port.
    pub(super) fn open(
        local: IpAddr,
        remote: IpAddr,
        (link, vrf): (Option<&Link>, Option<&Link>),
        chance: u16,
    ) -> io::Result<Self> {
        let v6 = remote.is_ipv6();
        let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
        if v6 {
            socket.set_only_v6(true)?;
            socket.set_unicast_hops_v6(u32::from(TTL))?;
            socket.set_tclass_v6(TOS)?;
        } else {
            socket.set_ttl_v4(u32::from(TTL))?;
            socket.set_tos_v4(TOS)?;
        }
        if let Some(device) = link.or(vrf) {
            socket.bind_device(Some(device.name.as_bytes()))?;
        }
        let scope = link.map_or(0, |link| link.index);
        let span = SOURCE_PORTS.end() - SOURCE_PORTS.start();
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for n in 0..PORT_TRIES {
            let port = SOURCE_PORTS.start() + chance.wrapping_add(n) % span;
            match socket.bind(&SockAddr::from(with_scope(local, port, scope))) {
                Ok(()) => {
                    let port = if link.is_some() { PORT_ONE_HOP } else { PORT_MULTIHOP };
                    return Ok(Self { socket, to: SockAddr::from(with_scope(remote, port, scope)) });
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Sends one packet; what the kernel has no room for now is lost, as on any link.
    pub(super) fn send(&self, octets: &[u8]) -> io::Result<()> {
        match self.socket.send_to(octets, &self.to) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }
}

fn with_scope(addr: IpAddr, port: u16, scope: u32) -> SocketAddr {
    match addr {
        IpAddr::V6(a) if a.is_unicast_link_local() => SocketAddrV6::new(a, port, 0, scope).into(),
        addr => SocketAddr::new(addr, port),
    }
}
