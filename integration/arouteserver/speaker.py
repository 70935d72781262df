"""Clients of a route server: a thousand announcements by seed, sent by a plain BGP speaker that keeps what it is told."""

import ipaddress
import random
import selectors
import socket
import struct
import time

RS = {4: "192.0.2.2", 6: "2001:db8:1::2"}
CLIENTS = [(3333, "11"), (10745, "22"), (10745, "23"), (131073, "33"), (174, "44")]
# One that announces both families on a session over IPv6 (RFC 8950); with both families in one daemon only.
BOTH = (196615, "55")
# Who says that it is the client of a route server (RFC 9234), of those that speak with both families in one daemon.
ROLES = {"11": 2, "33": 2, "55": 2}
ENDS = [end for _, end in CLIENTS + [BOTH]]
MARKER = b"\xff" * 16


def address(family, end):
    return f"192.0.2.{end}" if family == 4 else f"2001:db8:1::{end}"


def prefix_bytes(prefix):
    net = ipaddress.ip_network(prefix)
    return bytes([net.prefixlen]) + net.network_address.packed[: (net.prefixlen + 7) // 8]


def attribute(flags, code, value):
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return struct.pack("!BBB", flags, code, len(value)) + value


def message(kind, body):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def opening(asn, end, carries, role):
    caps = b"".join(struct.pack("!BBHBB", 1, 4, 1 if family == 4 else 2, 0, 1) for family in carries)
    if role is not None:
        caps += struct.pack("!BBB", 9, 1, role)
    if len(carries) == 2:
        caps += struct.pack("!BBHHH", 5, 6, 1, 1, 2)
    caps += struct.pack("!BBI", 65, 4, asn) + b"\x02\x00"
    body = struct.pack("!BHH4sBB", 4, min(asn, 23456) if asn > 65535 else asn, 240,
                       bytes([192, 0, 2, int(end)]), len(caps) + 2, 2) + bytes([len(caps)]) + caps
    return message(1, body)


class Announcements:
    """What the clients say, by seed: mostly right, wrong in each way a route server looks for."""

    GOOD = {
        4: {3333: ["193.0.0.0/21", "193.0.24.0/21", "193.0.26.0/23", "84.205.65.0/24", "5.1.{}.0/24", "5.2.0.0/16",
                   "5.2.{}.0/24", "5.3.0.0/16", "5.{}.0.0/16", "5.4.{}.128/28"],
            10745: ["199.5.26.0/23", "199.5.27.0/24", "5.{}.0.0/16", "5.33.{}.0/24", "5.34.{}.0/22"],
            131073: ["94.142.240.0/21", "5.{}.0.0/16", "5.65.{}.0/24", "5.66.{}.0/25"],
            174: ["4.{}.0.0/16", "5.{}.0.0/16", "38.0.0.0/8", "38.{}.1.64/26"],
            # Nobody else announces these: of two paths rbird tells the one that it can tell (docs/differences.md).
            196615: ["94.142.248.0/21", "5.{}.192.0/20", "5.67.{}.0/24"]},
        6: {3333: ["2001:67c:2e8::/48", "2a00:1:{:x}00::/40", "2a00:2::/32", "2a00:1:{:x}::/48", "2a00:{:x}::/32"],
            10745: ["2620:0:870::/48", "2a00:80{:02x}::/32", "2a00:8001:{:x}::/48"],
            131073: ["2a02:898:{:x}::/48", "2a00:40{:02x}::/32", "2a00:4001:{:x}::/48", "2a00:4002:{:x}00::/56"],
            174: ["2001:4{:02x}::/32", "2600:{:x}::/32", "2a00:{:x}::/32"],
            196615: ["2a02:898:{:x}::/48", "2a00:40{:02x}::/32", "2a00:4001:{:x}::/48"]},
    }
    BAD = {
        4: ["0.0.0.0/0", "10.{}.0.0/16", "192.168.{}.0/24", "192.0.2.{}/32", "5.8.{}.0/24", "5.9.{}.0/24", "4.0.0.0/7",
            "8.8.8.0/24", "8.8.4.0/24", "9.9.{}.0/22", "77.{}.0.0/16", "100.64.{}.0/24", "5.1.2.{}/32", "198.51.100.0/24"],
        6: ["::/0", "2001:db8:{:x}::/48", "fc00:{:x}::/32", "2001:db8:1::/64", "2a00:8:{:x}::/48", "2a00:9:{:x}::/48",
            "2404:6800:{:x}::/48", "2620:fe::/48", "2a00:1:2:{:x}::/64", "3ffe::/16", "4000::/16", "2000::/8",
            "2a00:1:1::{:x}/128"],
    }
    OWN = {3333: [3333, 2121, 12654, 42, 15169], 10745: [10745, 3856], 131073: [131073, 8283, 196615], 174: [174, 3356, 13335, 2914],
           196615: [196615, 8283, 131073]}
    INVALID = [23456, 64500, 64512, 65535, 65536, 131071, 4200000000, 4294967295]

    def __init__(self, seed, family):
        self.random = random.Random(seed)
        self.family = family

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def prefix(self, asn):
        which = self.GOOD[self.family][asn] if self.chance(75) else self.BAD[self.family]
        if self.chance(6):
            which = self.GOOD[self.family][self.random.choice([other for other in self.GOOD[self.family] if other != BOTH[0]])]
        text = self.random.choice(which).format(self.random.randrange(0, 128))
        return str(ipaddress.ip_network(text, strict=False))

    def path(self, asn):
        r = self.random
        first = asn if not self.chance(4) else r.choice([3333, 65000, 1])
        middle = [r.choice([3320, 6830, 9002, 20940, 33891, 199524]) for _ in range(r.choice([0, 0, 0, 1, 1, 2, 3]))]
        if self.chance(5):
            middle += [9002] * r.choice([3, 4, 5, 29, 30, 31, 60])
        if self.chance(5):
            middle.append(r.choice(self.INVALID))
        if self.chance(5):
            middle.append(r.choice([174, 3356, 6939, 701]))
        last = [r.choice(self.OWN[asn])] if not self.chance(12) else [r.choice([1234, 3333, 8283, 10745])]
        segments = [(2, [first] + middle + last)]
        if self.chance(6):
            segments.append((1, r.sample([3333, 2121, 100, 64512, 8283], r.choice([1, 2, 3]))))
            if self.chance(30):
                segments.append((2, [r.choice(self.OWN[asn])]))
        if self.chance(2):
            segments = [(2, [asn] * r.choice([1, 200, 255]))]
        return b"".join(struct.pack("!BB", kind, len(n)) + b"".join(struct.pack("!I", a) for a in n)
                        for kind, n in segments)

    def communities(self):
        r = self.random
        peers = [3333, 10745, 64600, 174, 999]
        wide = [3333, 10745, 131073, 174, 0]
        rtts = [5, 10, 15, 16, 20, 50, 100, 200, 1000]
        std, ext, large = [], [], []
        for _ in range(r.choice([0, 0, 1, 1, 2, 3, 5])):
            kind = r.randrange(14)
            peer, rtt, n = r.choice(peers), r.choice(rtts), r.randrange(3)
            if kind < 4:
                std.append((r.choice([0, 999, 65501 + n, 65511 + n, 65507, 65508, 65509, 65510]), peer))
            elif kind == 4:
                std.append((r.choice([64531, 64532, 64533, 64534, 64536, 64538]), rtt))
            elif kind == 5:
                std.append(r.choice([(65535, 65281), (65535, 65282), (65535, 65283), (65535, 0), (64512, 10), (64512, 51), (65520, 7)]))
            elif kind == 6:
                std.append((r.randrange(1, 60000), r.randrange(65536)))
            elif kind < 10:
                large.append((999, r.choice([0, 1, 101, 102, 103, 107, 108, 109, 110, 111, 112, 113]), r.choice(wide)))
            elif kind == 10:
                large.append((999, r.choice([64531, 64532, 64533, 64534, 64536, 64538]), rtt))
            elif kind == 11:
                large.append(r.choice([(999, 64512, 10), (999, 65520, 5), (999, 65000, 23), (4200000001, 2, 4294967295)]))
            elif kind == 12:
                ext.append((2, r.choice([0, 999, 65501, 65509, 65511, 64531, 64533]), r.choice(wide + rtts)))
            else:
                ext.append(r.choice([(2, 64512, 10), (3, 100, 200), (0x4300, 0, n), (0x0202, 200000, 5), (0x0103, 0x0a000001, 9)]))
        if self.chance(5):
            std.append(r.choice([(65535, 666), (65534, 666)]))
        if self.chance(2):
            large.append((999, 666, 0))
        if self.chance(2):
            ext.append((2, 65534, 666))
        return std, ext, large

    def update(self, client):
        """One announcement of a client: the message, and the network it is of."""
        r, asn, end = self.random, client.asn, client.end
        # IPv4 on a session over IPv6 goes as IPv6 does, with a next hop of IPv6.
        over = 6 if client.family == 6 else self.family
        prefix = self.prefix(asn)
        std, ext, large = self.communities()
        if any(c in [(65535, 666), (65534, 666)] for c in std) and self.chance(60):
            host = ipaddress.ip_network(prefix).network_address
            prefix = f"{host}/{32 if self.family == 4 else 128}"
        hop = address(over, end)
        # Not of the client that has two addresses: a route that leads to the client itself is taken back from it by
        # rbird, and by BIRD left there as it was (docs/differences.md).
        if self.chance(5):
            hop = address(over, r.choice(["11", "33", "34", "44", "99"]))
        parts = [attribute(0x40, 1, bytes([r.choice([0, 0, 0, 1, 2])])), attribute(0x40, 2, self.path(asn))]
        if over == 4:
            parts.append(attribute(0x40, 3, ipaddress.ip_address(hop).packed))
        if self.chance(30):
            parts.append(attribute(0x80, 4, struct.pack("!I", r.choice([0, 1, 100, 4294967295]))))
        if self.chance(5):
            parts.append(attribute(0x40, 6, b""))
        if self.chance(5):
            parts.append(attribute(0xC0, 7, struct.pack("!I4s", r.choice([3333, 131073]), bytes([10, 0, 0, 1]))))
        if std:
            parts.append(attribute(0xC0, 8, b"".join(struct.pack("!HH", *c) for c in std)))
        if over == 6:
            nexts = ipaddress.ip_address(hop).packed
            if self.chance(40):
                nexts += ipaddress.ip_address(f"fe80::{end}").packed
            parts.append(attribute(0x80, 14, struct.pack("!HBB", 1 if self.family == 4 else 2, 1, len(nexts)) + nexts + b"\0" + prefix_bytes(prefix)))
        if ext:
            packed = b""
            for kind, key, value in ext:
                if kind == 0x4300:
                    packed += struct.pack("!HIH", kind, 0, value)
                elif kind > 0xFF:
                    packed += struct.pack("!HIH", kind, key, value)
                else:
                    packed += struct.pack("!HHI", kind, key, value)
            parts.append(attribute(0xC0, 16, packed))
        if large:
            parts.append(attribute(0xC0, 32, b"".join(struct.pack("!III", *c) for c in large)))
        if client.role is not None and self.chance(10):
            parts.append(attribute(0xC0, 35, struct.pack("!I", r.choice([asn, 3320, 999]))))
        if self.chance(3):
            # Partial already: rbird marks unknown attributes so, as RFC 4271 asks, and BIRD does not.
            parts.append(attribute(0xE0, 77, b"unknown"))
        attributes = b"".join(parts)
        nlri = prefix_bytes(prefix) if over == 4 else b""
        return message(2, struct.pack("!HH", 0, len(attributes)) + attributes + nlri), prefix

    def withdrawal(self, prefix, client):
        packed = prefix_bytes(prefix)
        if client.family == 4:
            return message(2, struct.pack("!H", len(packed)) + packed + b"\0\0")
        parts = attribute(0x80, 15, struct.pack("!HB", 1 if self.family == 4 else 2, 1) + packed)
        return message(2, struct.pack("!HH", 0, len(parts)) + parts)


class Client:
    """One session: what it was told stands in `told`, network by network."""

    def __init__(self, family, asn, end, carries, name, role=None):
        self.family, self.asn, self.end, self.carries, self.name = family, asn, end, carries, name
        self.role = role
        self.told, self.changes, self.buffer, self.up, self.last = {}, 0, b"", False, time.time()
        self.socket = self.connected()
        self.socket.sendall(opening(asn, end, carries, role))

    def connected(self, patience=60):
        """A connection, as soon as the daemon takes one: on a busy machine it may listen late."""
        end = time.time() + patience
        while True:
            line = socket.socket(socket.AF_INET if self.family == 4 else socket.AF_INET6)
            line.bind((address(self.family, self.end), 0))
            line.settimeout(patience)
            try:
                line.connect((RS[self.family], 179))
                return line
            except ConnectionRefusedError:
                line.close()
                if time.time() > end:
                    raise
                time.sleep(0.1)

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(f"{self.end}: closed")
        self.buffer += data
        while len(self.buffer) >= 19:
            length, kind = struct.unpack("!HB", self.buffer[16:19])
            if len(self.buffer) < length:
                return
            body, self.buffer = self.buffer[19:length], self.buffer[length:]
            if kind == 1:
                self.socket.sendall(message(4, b""))
            elif kind == 4:
                self.up = True
            elif kind == 3:
                raise ConnectionError(f"{self.end}: notification {body.hex()}")
            elif kind == 2:
                self.last = time.time()
                self.hear(body)

    def hear(self, body):
        gone = struct.unpack("!H", body[:2])[0]
        withdrawn, rest = body[2 : 2 + gone], body[2 + gone :]
        size = struct.unpack("!H", rest[:2])[0]
        attributes, nlri = rest[2 : 2 + size], rest[2 + size :]
        kept, at = {}, 0
        reached, hop = self.nets(nlri, 4), None
        withdrawn = self.nets(withdrawn, 4)
        while at < len(attributes):
            flags, code = attributes[at], attributes[at + 1]
            wide = flags & 0x10
            length = struct.unpack("!H", attributes[at + 2 : at + 4])[0] if wide else attributes[at + 2]
            start = at + (4 if wide else 3)
            value = attributes[start : start + length]
            at = start + length
            if code == 14:
                long = value[3]
                hop = value[4 : 4 + long].hex()
                reached += self.nets(value[5 + long :], 4 if value[1] == 1 else 6)
                # An IPv4 next hop may stand here (RFC 8950) or in an attribute of its own, and says the same.
                if long == 4:
                    kept[3] = f"40 {hop}"
                else:
                    kept[14] = f"{flags & 0xEF:02x} {hop}"
            elif code == 15:
                withdrawn += self.nets(value[3:], 4 if value[1] == 1 else 6)
            else:
                kept[code] = f"{flags & 0xEF:02x} {value.hex()}"
        for net in withdrawn:
            self.told.pop(net, None)
        for net in reached:
            self.told[net] = kept
        self.changes += len(withdrawn) + len(reached)

    @staticmethod
    def nets(data, family):
        at, found = 0, []
        while at < len(data):
            length = data[at]
            octets = (length + 7) // 8
            packed = data[at + 1 : at + 1 + octets].ljust(4 if family == 4 else 16, b"\0")
            found.append(f"{ipaddress.ip_address(packed)}/{length}")
            at += 1 + octets
        return found


def clients(families):
    """A session for each client and family, and with both families in one daemon one for both."""
    single = len(families) == 1
    if single:
        return [Client(families[0], asn, end, families, end) for asn, end in CLIENTS]
    found = [Client(family, asn, end, [family], f"{end}/{family}", ROLES.get(end))
             for family in families for asn, end in CLIENTS]
    return found + [Client(6, *BOTH, [4, 6], BOTH[1], ROLES.get(BOTH[1]))]


def settle(clients, quiet=0.7, patience=120):
    """Reads until nobody has been told anything for a while."""
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.last = time.time()
    end = time.time() + patience
    while time.time() < end and any(not c.up or time.time() - c.last < quiet for c in clients):
        for key, _ in selector.select(0.05):
            key.data.read()
    selector.close()
    assert all(c.up for c in clients), "a session does not come up"
