#!/usr/bin/env python3
"""lladdr.py DAEMON NEIGHBOUR...: what the neighbours behind these addresses are told of next hops.

The first neighbour (AS 65002) announces 2001:db8:42::/48 with a global next hop alone, then 2001:db8:43::/48
with a link-local one beside it. The others (AS 65003, 65004 ...) print what they are told until the second
route has come; `own` stands for a link-local address that is not the announced one.
"""
import socket, struct, sys

DAEMON, NEIGHBOURS = sys.argv[1], sys.argv[2:]
PATIENCE = 30
LINK_LOCAL = 'fe80::2'

def message(kind, body): return b'\xff' * 16 + struct.pack('!HB', 19 + len(body), kind) + body

def octets(text): return socket.inet_pton(socket.AF_INET6, text)

def open_message(asn):
    caps = bytes([1, 4, 0, 2, 0, 1, 65, 4]) + struct.pack('!I', asn)
    return message(1, struct.pack('!BHHIB', 4, asn, 90, 0x0a000000 + asn, len(caps) + 2) + bytes([2, len(caps)]) + caps)

def update(asn, net, next_hop):
    reach = struct.pack('!HBB', 2, 1, len(next_hop)) + next_hop + b'\0' + bytes([48]) + octets(net)[:6]
    attrs = bytes([0x40, 1, 1, 0, 0x40, 2, 6, 2, 1]) + struct.pack('!I', asn) + bytes([0x80, 14, len(reach)]) + reach
    return message(2, struct.pack('!HH', 0, len(attrs)) + attrs)

def attributes(update):
    """Code and value of each."""
    rest = update[4:4 + struct.unpack('!H', update[2:4])[0]]
    while rest:
        extended = rest[0] & 0x10
        head = 4 if extended else 3
        length = struct.unpack('!H', rest[2:4])[0] if extended else rest[2]
        yield rest[1], rest[head:head + length]
        rest = rest[head + length:]

class Neighbour:
    def __init__(self, address, asn):
        self.asn, self.buffer = asn, b''
        self.socket = socket.create_connection((DAEMON, 179), PATIENCE, (address, 0))
        self.socket.sendall(open_message(asn))
        while self.next()[0] != 1: pass
        self.socket.sendall(message(4, b''))
        while self.next()[0] != 4: pass

    def next(self):
        """Kind and body of the next message."""
        while True:
            if len(self.buffer) >= 19:
                length, kind = struct.unpack('!HB', self.buffer[16:19])
                if len(self.buffer) >= length:
                    body, self.buffer = self.buffer[19:length], self.buffer[length:]
                    return kind, body
            read = self.socket.recv(65536)
            if not read: sys.exit(f'AS {self.asn}: closed')
            self.buffer += read

    def told(self):
        """Prefix and next hops of the next route."""
        while True:
            kind, body = self.next()
            if kind == 3: sys.exit(f'AS {self.asn}: NOTIFICATION {body.hex()}')
            for code, value in attributes(body) if kind == 2 else ():
                if code == 14:
                    hops, net = value[4:4 + value[3]], value[6 + value[3]:]
                    hops = [socket.inet_ntop(socket.AF_INET6, hops[i:i + 16]) for i in range(0, len(hops), 16)]
                    own = [h if h == LINK_LOCAL or not h.startswith('fe80') else 'own' for h in hops]
                    return socket.inet_ntop(socket.AF_INET6, net[:6] + bytes(10)), own

giver, *takers = [Neighbour(address, 65002 + n) for n, address in enumerate(NEIGHBOURS)]
giver.socket.sendall(update(65002, '2001:db8:42::', octets(NEIGHBOURS[0])))
giver.socket.sendall(update(65002, '2001:db8:43::', octets(NEIGHBOURS[0]) + octets(LINK_LOCAL)))
for taker in takers:
    net = ''
    while net != '2001:db8:43::':
        net, hops = taker.told()
        print(f'AS {taker.asn}: {net} {" ".join(hops)}', flush=True)
