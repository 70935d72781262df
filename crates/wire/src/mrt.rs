//! Records of the MRT format (RFC 6396): messages and states of sessions, dumps of tables.
//!
//! Octets only: when something is recorded and where it is written is others'
//! business. A record is appended whole to a buffer; its length, which stands in
//! front, is filled in last. The times are seconds since 1970.

use route::{Family, Prefix, attr::code, attrs::Records};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const TABLE_DUMP_V2: u16 = 13;
const BGP4MP: u16 = 16;
/// AS_TRANS (RFC 6793 9): stands where a number has no room.
const AS_TRANS: u16 = 23456;

/// Both ends of a session, as records about it name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The neighbour's AS.
    pub peer_as: u32,
    /// Ours.
    pub local_as: u32,
    /// The neighbour's address; unspecified while there is no connection, as BIRD does.
    pub peer_addr: IpAddr,
    /// Ours, of the same family.
    pub local_addr: IpAddr,
    /// The link on which the neighbour lies; 0: none, or a number that has no room.
    pub link: u16,
}

/// Appends a record: its header, and a body whose length is then known.
fn record(out: &mut Vec<u8>, time_s: u32, kind: u16, subtype: u16, body: impl FnOnce(&mut Vec<u8>)) {
    out.extend(time_s.to_be_bytes());
    out.extend(kind.to_be_bytes());
    out.extend(subtype.to_be_bytes());
    with_length::<4>(out, body);
}

/// Appends a length of N octets and what it counts.
fn with_length<const N: usize>(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.resize(at + N, 0);
    body(out);
    let octets = (out.len() - at - N) as u64;
    if let (Some(place), Some(length)) = (out.get_mut(at..at + N), octets.to_be_bytes().get(8 - N..)) {
        place.copy_from_slice(length);
    }
}

fn put_addr(out: &mut Vec<u8>, addr: IpAddr) {
    match addr {
        IpAddr::V4(a) => out.extend(a.octets()),
        IpAddr::V6(a) => out.extend(a.octets()),
    }
}

fn put_ends(out: &mut Vec<u8>, ends: &Ends, as4: bool) {
    for asn in [ends.peer_as, ends.local_as] {
        match as4 {
            true => out.extend(asn.to_be_bytes()),
            false => out.extend(u16::try_from(asn).unwrap_or(AS_TRANS).to_be_bytes()),
        }
    }
    out.extend(ends.link.to_be_bytes());
    out.extend(Family::of(ends.peer_addr).afi().to_be_bytes());
    put_addr(out, ends.peer_addr);
    put_addr(out, ends.local_addr);
}

/// Appends BGP4MP_STATE_CHANGE_AS4 (4.4.4). The states have the numbers of the RFC: Idle is 1, Established 6.
pub fn put_state_change(out: &mut Vec<u8>, time_s: u32, ends: &Ends, from: u16, to: u16) {
    record(out, time_s, BGP4MP, 5, |out| {
        put_ends(out, ends, true);
        out.extend(from.to_be_bytes());
        out.extend(to.to_be_bytes());
    });
}

/// Appends BGP4MP_MESSAGE, or BGP4MP_MESSAGE_AS4 for a session of four-octet ASs (4.4.2, 4.4.3); of an UPDATE whose NLRI
/// carry path identifiers their siblings of RFC 8050 3. `message` is a whole one.
pub fn put_message(out: &mut Vec<u8>, time_s: u32, ends: &Ends, as4: bool, path_ids: bool, message: &[u8]) {
    let subtype = match (path_ids, as4) {
        (false, false) => 1,
        (false, true) => 4,
        (true, false) => 8,
        (true, true) => 9,
    };
    record(out, time_s, BGP4MP, subtype, |out| {
        put_ends(out, ends, as4);
        out.extend(message);
    });
}

/// A peer in the index of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its BGP identifier.
    pub router_id: u32,
    /// Its address.
    pub addr: IpAddr,
    /// Its AS.
    pub asn: u32,
}

impl Peer {
    /// Stands first in every index, for routes that no peer gave.
    pub const fn none(family: Family) -> Self {
        let addr = match family {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self { router_id: 0, addr, asn: 0 }
    }
}

/// Appends PEER_INDEX_TABLE (4.3.1); `view` is the name of the table.
pub fn put_peer_index(out: &mut Vec<u8>, time_s: u32, collector: u32, view: &str, peers: &[Peer]) {
    record(out, time_s, TABLE_DUMP_V2, 1, |out| {
        out.extend(collector.to_be_bytes());
        with_length::<2>(out, |out| out.extend(view.bytes().take(usize::from(u16::MAX))));
        let peers = peers.get(..usize::from(u16::MAX)).unwrap_or(peers);
        out.extend((peers.len() as u16).to_be_bytes());
        for peer in peers {
            // Bit 1: a four-octet AS; bit 0: an IPv6 address.
            out.push(2 | u8::from(peer.addr.is_ipv6()));
            out.extend(peer.router_id.to_be_bytes());
            put_addr(out, peer.addr);
            out.extend(peer.asn.to_be_bytes());
        }
    });
}

/// A path in a dump.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Who gave it: a place in the index.
    pub peer: u16,
    /// Since when it stands.
    pub since_s: u32,
    /// Its path identifier (RFC 7911); 0: it has none.
    pub path_id: u32,
    /// Its attributes, canonical: AS numbers of four octets.
    pub attrs: &'a [u8],
}

/// Appends the record of a prefix (4.3.2), or its form with path identifiers (RFC 8050 4). At most 65535 entries count.
pub fn put_rib(out: &mut Vec<u8>, time_s: u32, sequence: u32, net: Prefix, add_path: bool, entries: &[Entry<'_>]) {
    let subtype = match (net.family(), add_path) {
        (Family::Ipv4, false) => 2,
        (Family::Ipv6, false) => 4,
        (Family::Ipv4, true) => 8,
        (Family::Ipv6, true) => 10,
    };
    record(out, time_s, TABLE_DUMP_V2, subtype, |out| {
        out.extend(sequence.to_be_bytes());
        out.push(net.len());
        let octets = usize::from(net.len()).div_ceil(8);
        match net.addr() {
            IpAddr::V4(a) => out.extend(a.octets().into_iter().take(octets)),
            IpAddr::V6(a) => out.extend(a.octets().into_iter().take(octets)),
        }
        let entries = entries.get(..usize::from(u16::MAX)).unwrap_or(entries);
        out.extend((entries.len() as u16).to_be_bytes());
        for entry in entries {
            out.extend(entry.peer.to_be_bytes());
            out.extend(entry.since_s.to_be_bytes());
            if add_path {
                out.extend(entry.path_id.to_be_bytes());
            }
            with_length::<2>(out, |out| put_attrs(out, net.family(), entry.attrs));
        }
    });
}

/// Appends attributes as dumps have them: an IPv6 next hop stands in a short MP_REACH_NLRI of its length and itself (4.3.4).
fn put_attrs(out: &mut Vec<u8>, family: Family, attrs: &[u8]) {
    const MP_REACH_NLRI: u8 = 14;
    const OPTIONAL: u8 = 0x80;
    const EXTENDED: u8 = 0x10;
    let mut mp_reach: Option<&[u8]> = None;
    let put = |out: &mut Vec<u8>, flags: u8, code: u8, value: &[u8]| {
        match u8::try_from(value.len()) {
            Ok(length) => out.extend([flags & !EXTENDED, code, length]),
            Err(_) => {
                out.extend([flags | EXTENDED, code]);
                out.extend((value.len() as u16).to_be_bytes());
            }
        }
        out.extend(value);
    };
    let hop = |value: &[u8]| [&[value.len() as u8][..], value].concat();
    for record in Records::new(attrs) {
        if family == Family::Ipv6 && record.code == code::NEXT_HOP {
            mp_reach = Some(record.value);
            continue;
        }
        if let Some(value) = mp_reach.take_if(|_| record.code > MP_REACH_NLRI) {
            put(out, OPTIONAL, MP_REACH_NLRI, &hop(value));
        }
        put(out, record.flags, record.code, record.value);
    }
    if let Some(value) = mp_reach {
        put(out, OPTIONAL, MP_REACH_NLRI, &hop(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
    }

    /// Attributes as on the wire, made canonical: lengths of two octets.
    fn attrs(hex: &str) -> Vec<u8> {
        let wire = octets(hex);
        let (mut rest, mut out) = (&wire[..], Vec::new());
        while let [flags, code, len, ..] = rest {
            out.extend([*flags, *code, 0, *len]);
            out.extend(&rest[3..3 + usize::from(*len)]);
            rest = &rest[3 + usize::from(*len)..];
        }
        out
    }

    fn ends(peer: &str, local: &str) -> Ends {
        let (peer_addr, local_addr) = (peer.parse().unwrap(), local.parse().unwrap());
        Ends { peer_as: 65002, local_as: 65001, peer_addr, local_addr, link: 0 }
    }

    /// Written by BIRD 1.6.8 with `mrtdump protocols all` on 127.0.0.1, its neighbour being 127.0.0.2.
    #[test]
    fn states_and_messages_are_recorded_as_bird_does() {
        let mut out = Vec::new();
        put_state_change(&mut out, 0x6b03_4d94, &ends("0.0.0.0", "0.0.0.0"), 1, 3);
        put_state_change(&mut out, 0x6b03_4d98, &ends("127.0.0.2", "127.0.0.1"), 3, 2);
        let open = octets(
            "ffffffffffffffffffffffffffffffff 0035 01 04 fdea 00f0 02020202 18 02 16 01 04 00010001 02 00 40 02 0000 41 04 \
             0000fdea 46 00 47 00",
        );
        put_message(&mut out, 0x6b03_4d98, &ends("127.0.0.2", "127.0.0.1"), false, false, &open);
        let keepalive = octets("ffffffffffffffffffffffffffffffff 0013 04");
        put_message(&mut out, 0x6b03_4d98, &ends("127.0.0.2", "127.0.0.1"), true, false, &keepalive);
        let bird = octets(
            "6b034d94 0010 0005 00000018 0000fdea 0000fde9 0000 0001 00000000 00000000 0001 0003
             6b034d98 0010 0005 00000018 0000fdea 0000fde9 0000 0001 7f000002 7f000001 0003 0002
             6b034d98 0010 0001 00000045 fdea fde9 0000 0001 7f000002 7f000001 ffffffffffffffffffffffffffffffff 0035
             01 04 fdea 00f0 02020202 18 0216 0104 00010001 0200 4002 0000 4104 0000fdea 4600 4700
             6b034d98 0010 0004 00000027 0000fdea 0000fde9 0000 0001 7f000002 7f000001 ffffffffffffffffffffffffffffffff
             0013 04",
        );
        assert_eq!(out, bird);
    }

    /// Written by BIRD 1.6.8 by `mrt dump table master to "cli.mrt"`.
    #[test]
    fn a_table_is_dumped_as_bird_does() {
        let peer = Peer { router_id: 0x0202_0202, addr: "127.0.0.2".parse().unwrap(), asn: 65002 };
        let mut out = Vec::new();
        let time_s = 0x6b03_4d9c;
        put_peer_index(&mut out, time_s, 0x0101_0101, "master", &[Peer::none(Family::Ipv4), peer]);
        let fixed = Entry { peer: 0, since_s: 0x6b03_4d94, path_id: 0, attrs: &[] };
        put_rib(&mut out, time_s, 0, "10.1.2.0/24".parse().unwrap(), false, &[fixed]);
        let attrs = attrs("40010100 40020602010000fdea 4003047f000002 40050400000064");
        let learned = Entry { peer: 1, since_s: 0x6b03_4d98, path_id: 0, attrs: &attrs };
        put_rib(&mut out, time_s, 2, "30.0.0.0/8".parse().unwrap(), false, &[learned]);
        let bird = octets(
            "6b034d9c 000d 0001 00000028 01010101 0006 6d6173746572 0002 02 00000000 00000000 00000000
             02 02020202 7f000002 0000fdea
             6b034d9c 000d 0002 00000012 00000000 18 0a0102 0001 0000 6b034d94 0000
             6b034d9c 000d 0002 0000002b 00000002 08 1e 0001 0001 6b034d98 001b 40010100 40020602010000fdea
             4003047f000002 40050400000064",
        );
        assert_eq!(out, bird);
    }

    /// Written by BIRD 1.6.8 with `always add path`.
    #[test]
    fn messages_with_path_identifiers_are_of_another_subtype() {
        for (as4, subtype) in [(false, 8), (true, 9)] {
            let mut out = Vec::new();
            put_message(&mut out, 0, &ends("127.0.0.2", "127.0.0.1"), as4, true, &[]);
            assert_eq!(out[4..8], [0, 16, 0, subtype]);
        }
    }

    #[test]
    fn with_path_identifiers_another_record_is_written() {
        let mut out = Vec::new();
        let entry = Entry { peer: 0, since_s: 0x6b03_4db7, path_id: 0, attrs: &[] };
        put_rib(&mut out, 0x6b03_4db9, 2, "10.9.0.0/16".parse().unwrap(), true, &[entry]);
        assert_eq!(out, octets("6b034db9 000d 0008 00000015 00000002 10 0a09 0001 0000 6b034db7 00000000 0000"));
    }

    #[test]
    fn an_ipv6_next_hop_stands_in_a_short_mp_reach_nlri() {
        let mut out = Vec::new();
        let hop = "40 03 10 20010db8000000000000000000000001";
        let attrs = attrs(&format!("40010100 {hop} c0080400010002 c0200c000000010000000200000003"));
        let entry = Entry { peer: 1, since_s: 1, path_id: 0, attrs: &attrs };
        put_rib(&mut out, 2, 3, "2001:db8::/32".parse().unwrap(), false, &[entry]);
        let expected = octets(
            "00000002 000d 0004 00000041 00000003 20 20010db8 0001 0001 00000001 002e 40010100 c0080400010002
             800e11 10 20010db8000000000000000000000001 c0200c000000010000000200000003",
        );
        assert_eq!(out, expected);
    }

    #[test]
    fn an_as_without_room_is_as_trans() {
        let mut out = Vec::new();
        put_message(&mut out, 0, &Ends { peer_as: 70000, ..ends("::1", "::2") }, false, false, &[]);
        assert_eq!(out[12..20], octets("5ba0 fde9 0000 0002")[..]);
    }
}
