#!/usr/bin/env python3
"""Route-server configurations that arouteserver generates, run by BIRD 1.6 and rbird, told the same.

    integration/arouteserver/lab.py --arouteserver VENV/bin/arouteserver --rbird target/debug/rbird

Generates two variants for both families from the files beside this one (no server is asked), starts each
configuration in BIRD and in rbird, each in network namespaces of its own, has five clients announce some
hundred networks each, withdraw and change some, and compares what is accepted, rejected and logged, and what
each client was told, octet by octet. Needs root and BIRD 1.6. Ends with 1 when something differs.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import generate
import speaker

HERE = pathlib.Path(__file__).resolve().parent


def ask(control, command):
    """The rows of the reply to a command, without codes."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(120)
        line.connect(str(control))
        stream = line.makefile("rb")
        reply(stream)
        line.sendall(command.encode() + b"\n")
        return reply(stream)


def reply(stream):
    rows = []
    while True:
        row = stream.readline().decode()
        assert row, "the daemon closed the line"
        coded = re.match(r"\d{4}([ -])(.*)", row)
        rows.append(coded.group(2) if coded else row[1:].rstrip("\n"))
        if coded and coded.group(1) == " ":
            return rows


def routes(rows):
    """Network -> its paths with their attributes, without times."""
    nets, net = {}, None
    for row in rows:
        # The tables of 2.x have a head each; their networks differ by themselves.
        if not row or row.startswith("Table "):
            continue
        if row[0] not in " \t":
            net = row.split()[0]
        if net is None:
            continue
        row = re.sub(r"^\S+", "", row) if row[0] not in " \t" else row
        nets.setdefault(net, []).append(re.sub(r"\[(\S+) \d\S*( \d\S*)?( from \S+)?\]", r"[\1\3]", row.strip()))
    return {net: "\n".join(rows) for net, rows in nets.items()}


def protocols(rows):
    """`show protocols all` without times and what the clock decides."""
    # With both families BIRD counts as told what it finds it cannot tell, its next hop being of the other one.
    counts = r", \d+ exported(?=, \d+ preferred)|" if any("Channel ipv" in row for row in rows) else ""
    return [re.sub(counts + r"\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?|\s+$", "", row) for row in rows
            if not re.search(r"timer|Export updates|Export withdraws|Import updates|Import withdraws", row)]


def said(log, families):
    """What the filters said, and errors, in the order of their text."""
    rows = []
    for row in pathlib.Path(log).read_text(errors="replace").splitlines():
        found = re.match(r".*?<(INFO|WARN|ERR|RMT|BUG|AUTH)> (.*)", row)
        # How often an export filter runs is not compared: BIRD runs it on what goes away, too, and rbird for a group.
        if found and not re.search(r"^(Started|Reconfig|Shutdown|Chosen)|NOT ANNOUNCING|Invalid NEXT_HOP|Invalid route .* withdrawn|Automatic RPKI reload", found.group(2)):
            rows.append(f"<{found.group(1)}> {found.group(2)}")
    # With an import table BIRD runs no filter on what is announced again unchanged, so there each line counts once.
    return sorted(rows if len(families) == 1 else set(rows))


def play(families, control, log, seed, announcements):
    """Runs in the clients' namespace: the whole play against one daemon; its result as JSON."""
    clients = speaker.clients(families)
    speaker.settle(clients)
    talks = {family: speaker.Announcements(seed, family) for family in families}
    states = []

    def state():
        speaker.settle(clients)
        states.append({
            "routes": routes(ask(control, "show route all")),
            "filtered": routes(ask(control, "show route filtered all")),
            "protocols": protocols(ask(control, "show protocols all")),
            "told": {client.name: client.told for client in clients}})
        states[-1] = json.loads(json.dumps(states[-1]))

    sides = [(client, talks[family]) for client in clients for family in client.carries]
    each = announcements // len(sides)
    announced = []
    for client, talk in sides:
        announced.append([])
        for _ in range(each):
            octets, prefix = talk.update(client)
            client.socket.sendall(octets)
            announced[-1].append(prefix)
        speaker.settle(clients, quiet=0.4)
    state()
    for (client, talk), before in zip(sides, announced):
        for prefix in before:
            if talk.chance(20):
                client.socket.sendall(talk.withdrawal(prefix, client))
        for _ in range(each // 4):
            octets, prefix = talk.update(client)
            client.socket.sendall(octets)
        speaker.settle(clients, quiet=0.4)
    state()
    gone = clients.pop(0)
    gone.socket.close()
    state()
    json.dump({"states": states, "said": said(log, families)}, sys.stdout)


class Daemon:
    """One daemon with a configuration in a namespace, its clients in another."""

    def __init__(self, program, name, families, conf, work):
        self.rs, self.clients = f"aro{os.getpid()}{name}r", f"aro{os.getpid()}{name}c"
        self.dir = work / f"run-{conf.stem}-{name}"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir()
        self.families = families
        ip = lambda *words: subprocess.run(["ip", *words], check=True)
        for ns in (self.rs, self.clients):
            ip("netns", "add", ns)
            ip("-n", ns, "link", "set", "lo", "up")
            # Link-local addresses stand before the daemon does.
            quiet = "for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done"
            ip("netns", "exec", ns, "sh", "-c", quiet)
        # Both daemons live on links with the same address, so what they print and tell of it is the same.
        ip("-n", self.rs, "link", "add", "ixp", "address", "02:00:00:00:00:02", "type", "veth",
           "peer", "name", "ixp", "netns", self.clients)
        for ns, ends in ((self.rs, ["2"]), (self.clients, speaker.ENDS)):
            ip("-n", ns, "link", "set", "ixp", "up")
            for end in ends:
                ip("-n", ns, "addr", "add", f"192.0.2.{end}/24", "dev", "ixp")
                ip("-n", ns, "addr", "add", f"2001:db8:1::{end}/64", "dev", "ixp", "nodad")
        text = conf.read_text().replace('log "/var/log/bird.log" all;', f'log "{self.dir}/log" {{ info, warning, error, remote, auth, bug }};')
        (self.dir / "bird.conf").write_text(text.replace("log syslog all;\n", ""))
        self.control = self.dir / "ctl"
        # BIRD 1.6 has a program for each family; rbird knows by its name which it is.
        link = self.dir / ("bird6" if families == [6] else "bird")
        link.symlink_to(pathlib.Path(shutil.which(str(program)) or program).resolve())
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.rs, link, "-f", "-c", self.dir / "bird.conf", "-s", self.control, "-P", self.dir / "pid"],
            stdout=subprocess.DEVNULL, stderr=(self.dir / "stderr").open("w"))
        end = time.time() + 60
        while not self.control.exists():
            assert self.process.poll() is None and time.time() < end, (self.dir / "stderr").read_text()
            time.sleep(0.05)
        time.sleep(1)

    def play(self, seed, announcements):
        return subprocess.Popen(
            ["ip", "netns", "exec", self.clients, sys.executable, HERE / "lab.py", "--play",
             json.dumps([self.families, str(self.control), str(self.dir / "log"), seed, announcements])],
            stdout=(self.dir / "result").open("w"), stderr=(self.dir / "play").open("w"))

    def result(self, player):
        assert player.wait(300) == 0, f"{self.dir}: {(self.dir / 'play').read_text()}"
        return json.loads((self.dir / "result").read_text())

    def end(self):
        self.process.terminate()
        self.process.wait(60)
        for ns in (self.rs, self.clients):
            subprocess.run(["ip", "netns", "del", ns])


def differences(bird, rbird, at=""):
    """Where two values part: (place, BIRD's, rbird's)."""
    if isinstance(bird, dict) and isinstance(rbird, dict):
        for key in sorted(set(bird) | set(rbird)):
            yield from differences(bird.get(key), rbird.get(key), f"{at}/{key}")
    elif isinstance(bird, list) and isinstance(rbird, list):
        if bird and isinstance(bird[0], dict):
            for i, (a, b) in enumerate(zip(bird, rbird)):
                yield from differences(a, b, f"{at}/{i}")
        elif bird != rbird:
            left, right = list(bird), list(rbird)
            for row in bird:
                if row in right:
                    left.remove(row)
                    right.remove(row)
            yield at, "\n".join(left), "\n".join(right)
    elif bird != rbird:
        yield at, bird, rbird


def shorter(value):
    rows = str(value).splitlines()
    return "\n         ".join(rows[:12] + [f"... {len(rows) - 12} more"] * (len(rows) > 12))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arouteserver", help="the program; without it the configurations in --work are taken")
    parser.add_argument("--rbird", default="target/debug/rbird")
    parser.add_argument("--dialect", type=int, choices=(1, 2), default=1, help="BIRD 1.6's files, one for each family, or 2's")
    parser.add_argument("--bird", help="the BIRD beside; else `bird` or `bird6`")
    parser.add_argument("--newer", help="with --dialect 2 the BIRD beside for files of 2.14 and later; without it they are left out")
    parser.add_argument("--work", type=pathlib.Path, help="where configurations, logs and results are kept")
    parser.add_argument("--conf", type=pathlib.Path, help="this configuration alone; of dialect 1 its name ends with its family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--announcements", type=int, default=1000)
    parser.add_argument("--only", help="one configuration, by its name without .conf")
    parser.add_argument("--show", type=int, default=2, help="how many differences of each sort are printed")
    parser.add_argument("--play", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        return play(*json.loads(options.play))
    work = (options.work or pathlib.Path(tempfile.mkdtemp(prefix="rbird-arouteserver-"))).resolve()
    work.mkdir(exist_ok=True, parents=True)
    if options.arouteserver:
        generate.generate(options.arouteserver, work, options.dialect)
    bad = 0
    chosen = generate.configurations(work, options.dialect)
    if options.conf:
        families = [4, 6] if options.dialect == 2 else [int(options.conf.stem[-1])]
        chosen = [(options.conf, families, generate.TARGETS[options.dialect][0])]
    for conf, families, target in chosen:
        if options.only and options.only != conf.stem:
            continue
        bird = options.bird or ("bird6" if families == [6] else "bird")
        if options.dialect == 2 and not target.startswith("2.0"):
            bird = options.newer
            if bird is None:
                continue
        daemons = []
        try:
            daemons.append(Daemon(bird, "b", families, conf, work))
            daemons.append(Daemon(options.rbird, "r", families, conf, work))
            players = [daemon.play(options.seed, options.announcements) for daemon in daemons]
            bird, rbird = [daemon.result(player) for daemon, player in zip(daemons, players)]
        finally:
            for daemon in daemons:
                daemon.end()
        found = list(differences(bird, rbird))
        first = bird["states"][0]
        print(f"{conf.stem}: {len(first['routes'])} networks accepted, {len(first['filtered'])} filtered, "
              f"{sum(len(told) for told in first['told'].values())} told to clients, {len(bird['said'])} lines said: "
              f"{len(found)} differences")
        shown = collections.Counter()
        for at, a, b in found:
            kind = re.sub(r"^(/states/\d+/\w+).*", r"\1", at)
            shown[kind] += 1
            if shown[kind] <= options.show:
                print(f"--- {at}\n  bird:  {shorter(a)}\n  rbird: {shorter(b)}")
        print("".join(f"{count:6} {kind}\n" for kind, count in shown.items()), end="")
        bad += bool(found)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
