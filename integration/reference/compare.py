#!/usr/bin/env python3
"""compare.py - put another daemon in BIRD's place, rerun the reference suites and count the differences to the stored results.

    compare.py --flavor 1.6|2.0 --bird PATH --birdc PATH [--suite lab,commands,...] [--jobs 2] [--list]
               [--only PATTERN] [--show N] [--json FILE] [--node-bird PATH --node-birdc PATH] [--keep DIR | --from DIR]

See the section "Scoreboard" of README.md for what is compared and what is not."""
import argparse, difflib, fnmatch, glob, json, os, re, shlex, shutil, signal, subprocess, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor

H = os.path.dirname(os.path.abspath(__file__))
VERSION = {'1.6': '1.6.8', '2.0': '2.0.12'}
SUITES = {  # name: (usual seconds, limit in seconds, what it is)
    'lab': (25, 240, 'article/up.sh + check.sh: tables of all machines, plain BGP routing, VXLAN'),
    'commands': (40, 300, 'read-only commands on router1 and router2, Established; socket transcripts and client output'),
    'states': (130, 700, 'disable, enable, restart, reload, configure, filters, tables, timeformat, echo, restrict, down (40..72)'),
    'fsm': (220, 600, 'scripted BGP peer: NOTIFICATIONs, states, error column, routes'),
    'kernel': (30, 240, 'kernel route synchronisation: ip route, show route'),
    'config': (35, 240, 'wrong and right configuration files; what a daemon with the right ones shows'),
    'filter': (5, 120, 'expressions through eval'),
}
# rows of the table that do not count in the verdict
WEAK = ('log', 'text', 'order', 'stats', 'wire', 'control')


# ---------------------------------------------------------------- normalisation
def times(s):
    """Digits of times and dates become letters, so that format and column width still count."""
    s = re.sub(r'\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b', 'MAC', s)
    s = re.sub(r'\b\d{4}-\d\d-\d\d\b', 'yyyy-mm-dd', s)
    s = re.sub(r'\b\d\d-\d\d-\d{4}\b', 'dd-mm-yyyy', s)
    s = re.sub(r'\b\d\d\.\d\d\.20\d\d\b', 'dd.mm.yyyy', s)
    s = re.sub(r'\b\d\d:\d\d:\d\d\.\d{6}\b', 'hh:mm:ss.uuuuuu', s)
    s = re.sub(r'\b\d\d:\d\d:\d\d\.\d{3}\b', 'hh:mm:ss.mmm', s)
    s = re.sub(r'\b\d\d:\d\d:\d\d\b', 'hh:mm:ss', s)
    return re.sub(r'(?<![\w:.])\d\d:\d\d(?![\w:.])', 'hh:mm', s)

TIMER = re.compile(r'((?:Hold timer|Keepalive timer|Connect delay|Error wait|Restart timer|Start timer|Stale timer|LL stale timer):\s+|Wait timer is )([\d.]+|-)/')
STAT = re.compile(r'^\s*(Routes: .*\d+ imported|Import updates:|Import withdraws:|Export updates:|Export withdraws:)')

def line(s):
    """One line of daemon output, without what differs from run to run."""
    s = times(s.rstrip())
    s = TIMER.sub(lambda m: m[1].rstrip() + ' ' + re.sub(r'\d+', 'N', m[2]) + '/', s)
    s = re.sub(r'\(port \d+\)', '(port N)', s)
    s = re.sub(r'\b(pid|PID) \d+', r'\1 N', s)
    return s.rstrip()

def stat_mask(s):
    if STAT.match(s):
        return re.sub(r' +', ' ', re.sub(r'\d+', 'N', s))
    return s

NET = re.compile(r'^(\d+)\.(\d+)\.(\d+)\.(\d+)/(\d+)\b')

def sort_nets(items):
    """items: (key text, payload). A line that begins with a prefix starts a net; the following indented lines belong to it.
    Every uninterrupted run of nets is sorted by prefix (stable: the paths of a net keep their order)."""
    out, run = [], []
    def flush():
        run.sort(key=lambda g: g[0])
        for _, g in run: out.extend(g)
        run.clear()
    for t, p in items:
        m = NET.match(t)
        if m: run.append(([int(x) for x in m.groups()], [(t, p)]))
        elif run and (t[:1] in ' \t') and t.strip(): run[-1][1].append((t, p))
        else: flush(); out.append((t, p))
    flush()
    return out

ROUTE_CODES = ('1007', '1008', '1012', '1019')
SYMBOL = re.compile(r'^\S+\s*\t\S')

def reply(cmd, raw):
    """Lines of one reply (with or without codes) -> (comparable lines, the same in the order received, statistics)."""
    res, stats, last, cur = [], [], None, ''
    coded = any(re.match(r'\d{4}([ -]|$)', l) for l in raw)
    for l in raw:
        m = re.match(r'(\d{4})([ -]|$)(.*)', l) if coded else None
        if m:
            code, t = m[1], m[3]
            tag = code + ('=' if m[2] == ' ' or not m[2] else '-')
            if code == last and tag[-1] == '-': t = '<code repeated> ' + t
            last = code if tag[-1] == '-' else None
        elif coded and l[:1] == ' ' or (coded and not l):
            code, t = last or '????', l[1:]
            tag = code + '-'
        elif coded: code, tag, t = 'log', '', l
        else: code, tag, t = '', '', l
        if code == '0001' or (not coded and re.match(r'\S+ \S+ ready\.$', t)): t = 'BANNER'
        elif code == '1000' or (cmd.startswith('show status') and re.match(r'BIRD \S+$', t)): t = 'VERSION'
        elif code == '1018' or (cmd.startswith('show mem') and re.search(r'\d +k?M?B\b', t)):
            t = re.sub(r' +', ' ', re.sub(r'[\d.]+ +[kMG]?B', 'SIZE', t))
        t = line(t)
        n = re.match(r'(\S+) +(?:BGP|Kernel|Device|Direct|Static|Pipe|RPKI|OSPF|RIP|BFD|RAdv|Babel|MRT)\b', t)
        if n: cur = n[1]
        if STAT.match(t): stats.append(f'{cur}: {t.strip()}'); t = stat_mask(t)
        res.append((code, tag, t))
    plain = [f'{a} {t}'.strip() if a else t for c, a, t in res]
    # order of nets and symbols
    srt, i = [], 0
    while i < len(res):
        j = i
        fam = lambda c: 'r' if c in ROUTE_CODES else c
        while j < len(res) and fam(res[j][0]) == fam(res[i][0]): j += 1
        blk = [(t, a) for c, a, t in res[i:j]]
        if fam(res[i][0]) in ('r', '') and not cmd.startswith('show static'): blk = sort_nets(blk)
        if res[i][0] == '1010' or (not coded and cmd.startswith('show sym')):
            k = [x for x in blk if SYMBOL.match(x[0])]; k.sort(); it = iter(k)
            blk = [next(it) if SYMBOL.match(x[0]) else x for x in blk]
            tags = [a for a in sorted(x[1] for x in blk)]      # the tag of the last line stays where it is
            blk = [(x[0], tags[n]) for n, x in enumerate(blk)]
        srt += blk; i = j
    # after sorting, a final mark may have moved with its net
    return [f'{a} {t}'.strip() if a else t for t, a in srt], plain, stats

def transcript(text):
    """A socket log ('C: ' / 'S: ' lines) -> list of (command, raw reply lines); the greeting belongs to command ''."""
    out, cmd, cur = [], '', []
    for l in text.split('\n'):
        if l.startswith('C: ') or l == 'C:':
            if cur or cmd: out.append((cmd, cur))
            cmd, cur = l[3:], []
        elif l.startswith('S: '): cur.append(l[3:])
        elif l: cur.append(l)
    out.append((cmd, cur))
    return out

class Doc:
    """Comparable parts of one result: main plus the weak ones, each a list of lines."""
    def __init__(d): d.main, d.order, d.stats, d.log, d.text, d.wire, d.control = [], [], [], [], [], [], []
    def reply(d, cmd, raw):
        a, b, c = reply(cmd, raw)
        d.main.append('> ' + cmd); d.main += a
        d.order.append('> ' + cmd); d.order += b
        if c: d.stats.append('> ' + cmd); d.stats += c
    def parts(d):
        yield 'main', d.main
        for w in WEAK:
            if getattr(d, w): yield w, getattr(d, w)

def doc_sock(text):
    d = Doc()
    for cmd, raw in transcript(text): d.reply(cmd, raw)
    return d

REFUSALS = False     # the client under test exits with 1 when the daemon refuses, which birdc does not

def doc_birdc(text):
    if REFUSALS: text = re.sub(r'(?m)^\[exit 1\]$', '[exit 0]', text)
    d = Doc(); L = text.rstrip('\n').split('\n'); cmd = ''
    if L[0].startswith('$ birdc '): cmd = L[0][8:]; L = L[1:]
    d.reply(cmd, [re.sub(r'\x1b\[[?\d;]*[a-zA-Z]', '', l) for l in L])
    return d

def doc_plain(text):
    d = Doc(); d.main = [line(l) for l in text.rstrip('\n').split('\n')]
    return d

def doc_table(text, cmd='show route'):
    d = Doc(); d.reply(cmd, text.rstrip('\n').split('\n'))
    return d

def doc_named(path, text):
    b = os.path.basename(path)
    if b == '70-down.sock' and text:     # what is written to a socket that is being closed is taken or refused: a matter of microseconds
        text = re.sub(r'(?s)(C: show protocols\n).*', r'\1<closed>\n', text)
    if path.endswith('.sock'): return doc_sock(text)
    if path.endswith('.birdc'):
        if not text.startswith('$ birdc '): text = '$ birdc ' + b[:-6].replace('-', ' ') + '\n' + text
        return doc_birdc(text)
    return doc_plain(text)

def read(f):
    try:
        with open(f, encoding='utf-8', errors='backslashreplace', newline='') as x: return x.read()
    except OSError: return None


# ---------------------------------------------------------------- running
class Env:
    """Own namespaces and own processes of one unit of work."""
    def __init__(e, cfg, tag):
        e.cfg, e.tag, e.pfx = cfg, tag, f'cm{os.getpid() % 1000000}{tag}-'
        e.out, e.tmp = os.path.join(cfg.raw, tag), os.path.join(cfg.tmp, tag)      # short paths for sockets
        os.makedirs(e.out, exist_ok=True); os.makedirs(e.tmp, exist_ok=True)
        e.notes, e.procs = [], []
        LIVE.append(e)
    def run(e, argv, limit, env=None, name=''):
        """Run one script with a time limit; the whole process group ends with it."""
        x = dict(os.environ, NSPFX=e.pfx, PYTHONDONTWRITEBYTECODE='1', TMPDIR=e.tmp, **(env or {}))
        with open(f'{e.out}/{name or os.path.basename(argv[0])}.log', 'ab') as f:
            try: p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=f, stderr=f, env=x, start_new_session=True)
            except OSError as err: e.notes.append(f'{argv[0]}: {err}'); return None
            e.procs.append(p)
            try: rc = p.wait(limit)
            except subprocess.TimeoutExpired:
                rc = None; e.notes.append(f'{name or argv[0]} did not end within {limit} s and was stopped')
                e.killpg(p)
            e.procs.remove(p)
        if rc not in (0, None): e.notes.append(f'{name or os.path.basename(argv[0])} ended with status {rc}: {last_line(f.name)}')
        return rc
    @staticmethod
    def killpg(p):
        for s in (signal.SIGTERM, signal.SIGKILL):
            try: os.killpg(p.pid, s)
            except OSError: break
            try: p.wait(2); 
            except subprocess.TimeoutExpired: pass
    def ns(e, *a): return subprocess.run(['ip', *a], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()
    def clean(e):
        for p in list(e.procs): e.killpg(p)
        try: names = [n for n in os.listdir('/var/run/netns') if n.startswith(e.pfx)]
        except OSError: names = []
        for n in names:
            for pid in e.ns('netns', 'pids', n).split():
                try: os.kill(int(pid), signal.SIGKILL)
                except (OSError, ValueError): pass
        for n in names: e.ns('netns', 'del', n)
        if e in LIVE: LIVE.remove(e)

LIVE = []

def last_line(f):
    t = (read(f) or '').strip().split('\n')
    return t[-1][:200]

def lab_env(cfg):
    return dict(FLAVOR=cfg.flavor, NODE_FLAVOR=cfg.flavor, ROUTER_BIRD=cfg.bird, ROUTER_BIRDC=cfg.birdc,
                NODE_BIRD=cfg.node_bird, NODE_BIRDC=cfg.node_birdc)

def down(e, d): e.run([f'{H}/article/down.sh', d], 60, name='down')

def run_lab(cfg):
    e = Env(cfg, 'lab')
    try:
        d = e.tmp + '/run'
        e.run([f'{H}/article/up.sh', d], 60, lab_env(cfg), 'up')
        if os.path.exists(d + '/env'): e.run([f'{H}/article/check.sh', d, e.out + '/check'], 170, dict(SKIP_COMPARE='1'), 'check')
        down(e, d)
    finally: e.clean()
    return e.notes

def run_commands(cfg):
    e = Env(cfg, 'commands')
    try:
        d = e.tmp + '/run'
        if e.run([f'{H}/article/up.sh', d], 60, dict(lab_env(cfg), START=''), 'up') == 0:
            e.run([sys.executable, f'{H}/tools/run_article.py', d, e.out + '/out', cfg.birdc, cfg.flavor], 230, name='run_article')
        down(e, d)
    finally: e.clean()
    return e.notes

def run_states(cfg):
    e = Env(cfg, 'states')
    try:
        # the counters shown later depend on all that went before: the same history as in the reference
        d = e.tmp + '/run'
        if e.run([f'{H}/article/up.sh', d], 60, dict(lab_env(cfg), START=''), 'up') == 0 and \
           e.run([sys.executable, f'{H}/tools/run_article.py', d, e.out + '/out', cfg.birdc, cfg.flavor], 230, name='run_article') == 0:
            e.run([sys.executable, f'{H}/tools/run_states.py', d, e.out + '/out', cfg.birdc, cfg.flavor], 400, name='run_states')
        down(e, d)
    finally: e.clean()
    return e.notes

def run_ext(cfg):
    e = Env(cfg, 'ext')
    try:
        d = e.tmp + '/run'
        if e.run([f'{H}/article/up.sh', d], 60, lab_env(cfg), 'up') == 0 and settle(e, d):
            e.run([sys.executable, f'{H}/tools/run_ext.py', d, e.out + '/out', cfg.birdc, cfg.flavor], 200, name='run_ext')
        down(e, d)
    finally: e.clean()
    return e.notes

def settle(e, d):
    """Both sessions of router1 and router2 Established, then a few seconds more."""
    sys.path.insert(0, H + '/tools')
    import ctl
    end = time.time() + 60
    while time.time() < end:
        try: n = sum(ctl.transcript(f'{d}/{r}.ctl', ['show protocols']).decode(errors='replace').count('Established') for r in ('router1', 'router2'))
        except OSError: n = 0
        if n == 4: time.sleep(6); return True
        time.sleep(0.3)
    e.notes.append('the sessions of the article lab did not come up within 60 s')
    return False

def own_ns(e):
    """A namespace with d0 10.1.1.1/24 (a veth whose other end lies beside it)."""
    n = e.pfx + 'n'
    e.ns('netns', 'add', n)
    for c in ('link set lo up', 'link add d0 type veth peer name d0p', 'link set d0 up', 'link set d0p up', 'addr add 10.1.1.1/24 dev d0'):
        e.ns('-n', n, *c.split())
    return ['ip', 'netns', 'exec', n]

def speaking(cfg, e):
    """The daemon under test. rbird finds the dialect from the file; most files of the suite are too short to show one,
    so there it is told, by a script of its name."""
    if cfg.flavor == '1.6' or not os.path.basename(cfg.bird).startswith('rbird'): return cfg.bird
    p = f'{e.tmp}/{os.path.basename(cfg.bird)}'
    with open(p, 'w') as f: f.write(f'#!/bin/sh\nexec {shlex.quote(cfg.bird)} --dialect 2 "$@"\n')
    os.chmod(p, 0o755)
    return p

def run_config(cfg):
    e = Env(cfg, 'config')
    try: e.run(own_ns(e) + [sys.executable, f'{H}/config/run.py', cfg.flavor, speaking(cfg, e), cfg.birdc, e.out + '/out'], SUITES['config'][1], name='config')
    finally: e.clean()
    return e.notes

def run_filter(cfg):
    e = Env(cfg, 'filter')
    try: e.run(own_ns(e) + [sys.executable, f'{H}/filter/run.py', cfg.bird, f'{H}/filter/base-{cfg.flavor}.conf', e.out + '/eval.tsv'], SUITES['filter'][1], name='filter')
    finally: e.clean()
    return e.notes

def run_kernel(cfg):
    e = Env(cfg, 'kernel'); names = [n[7:] for n in ref_names(cfg, 'kernel') if cfg.wanted(n)] if cfg.only else []
    try: e.run([sys.executable, f'{H}/kernel/run.py', cfg.version, cfg.bird, e.out + '/out', *names], SUITES['kernel'][1], name='kernel')
    finally: e.clean()
    return e.notes

def run_fsm(cfg):
    e = Env(cfg, 'fsm'); names = [n[4:] for n in ref_names(cfg, 'fsm') if cfg.wanted(n)] if cfg.only else []
    try: e.run([sys.executable, f'{H}/fsm/tests.py', cfg.version, cfg.bird, e.out + '/out', *names], SUITES['fsm'][1], name='fsm')
    finally: e.clean()
    return e.notes

def run_again(cfg, rows):
    """What differs is run once more, and counts when it differs again: what a busy machine did goes away, a fault stays.
    Of fsm and kernel these cases alone, of the others the part that they are in. Yields the suites to be judged anew."""
    differ = {}
    for case, sc, v, _, _ in rows:
        if sc == 'main' and v == 'differs': differ.setdefault(case.partition('/')[0], []).append(case.partition('/')[2])
    units = []
    for suite, names in differ.items():
        print(f'{suite}: once more: {" ".join(names)}', flush=True)
        if suite in ('fsm', 'kernel'):
            e = Env(cfg, suite)
            try: e.run([sys.executable, f'{H}/{suite}/{"tests" if suite == "fsm" else "run"}.py', cfg.version, cfg.bird, e.out + '/out', *names], 300 if suite == 'fsm' else 120, name=suite)
            finally: e.clean()
        elif suite == 'states': units += [run_ext if n.startswith('60-ext/') else run_states for n in names]
        else: units += UNITS[suite] or UNITS['states'][:1]
    for f in dict.fromkeys(units):
        for note in f(cfg): print(f'          note: {note}', flush=True)
    yield from differ

UNITS = {'fsm': [run_fsm], 'states': [run_states, run_ext], 'config': [run_config], 'kernel': [run_kernel],
         'commands': [run_commands], 'lab': [run_lab], 'filter': [run_filter]}


# ---------------------------------------------------------------- results: {case name: Doc or None}
LABFILES = ['router1-show-route', 'router2-show-route', 'router1-show-protocols', 'router2-show-protocols',
            'router1-ip-route-grep-bird', 'router2-ip-route-grep-bird', 'kubeadm1-ip-route', 'kubeadm2-ip-route',
            'case4-curl', 'case4-traceroute', 'case5-curl', 'case5-traceroute', 'case5-kubeadm1-ip-route', 'case5-kubeadm2-ip-route']

def lab_results(cfg, d, log, ref):
    res = {}
    for n in LABFILES:
        t = read(f'{d}/{n}.txt')
        if t is None: res['lab/' + n] = None; continue
        if 'show' in n: x = doc_table(t, n.split('-', 1)[1].replace('-', ' '))
        else: x = doc_plain(re.sub(r' +[\d.]+ ms', ' T ms', t))
        res['lab/' + n] = x
        if ref and cfg.flavor == '1.6' and n + '.txt' in os.listdir(f'{H}/article/expected'):
            res[f'lab/article-{n}'] = doc_table(read(f'{H}/article/expected/{n}.txt')) if 'show' in n else doc_plain(read(f'{H}/article/expected/{n}.txt'))
        elif not ref and cfg.flavor == '1.6' and n + '.txt' in os.listdir(f'{H}/article/expected'):
            res[f'lab/article-{n}'] = doc_table(t) if 'show' in n else doc_plain(t)
    t = read(log)
    for m in re.findall(r'(?m)^ok: (case .*)', read(f'{REFLAB(cfg)}/check-output.txt')):
        x = None
        if t is not None:
            # nothing was seen where nothing went: without the page fetched, no such check is good
            x = Doc(); x.main = ['ok' if ('ok: ' + m) in t and (read(f'{d}/{m[:6].replace(" ", "")}-curl.txt') or '').strip() else 'not ok']
        res['lab/' + re.sub(r'\W+', '-', m)] = x
    return res

def REFLAB(cfg): return f'{H}/captures/{cfg.version}/80-article-check'

def tree(d, suite, states, want):
    """Files below the state folders; sequences are split into one case for each command."""
    res = {}
    for s in states:
        for root, _, files in os.walk(f'{d}/{s}'):
            for f in sorted(files):
                p = os.path.join(root, f); r = os.path.relpath(p, d)
                if not want(r): continue
                t = read(p)
                if f.startswith('sequence.'): continue
                res[f'{suite}/{r}'] = doc_named(p, t)
    return res

def seq_cases(suite, s, text, ext):
    """The concatenated transcripts of a sequence -> one case for each request, numbered."""
    res, n = {}, {}
    if ext == 'sock':
        blocks = re.split(r'(?m)^(?=S: 0001 )', text)
        for b in blocks:
            if not b.strip(): continue
            cmd = next((l[3:] for l in b.split('\n') if l.startswith('C: ')), '')
            add_seq(res, n, suite, s, ext, cmd, doc_sock(b))
    else:
        for b in re.split(r'(?m)^(?=\$ birdc )', text):
            if b.strip(): add_seq(res, n, suite, s, ext, b.split('\n')[0][8:], doc_birdc(b))
    return res

def add_seq(res, n, suite, s, ext, cmd, d):
    n['i'] = n.get('i', -1) + 1
    res[f'{suite}/{s}.{ext}/{n["i"]:02d} {cmd.replace("DIR/", "")}'] = d

def cat_seq(d, s, ext, pre=''):
    """What the reference stores as one file: the pieces in the order of their numbers."""
    return ''.join(read(f) or '' for f in sorted(glob.glob(f'{d}/{s}/router1/{pre}*.{ext}')) if re.match(r'\d\d-', os.path.basename(f)[len(pre):]))

def want_commands(cfg):
    return lambda r: r.endswith(('.sock', '.birdc')) and r.split('/')[1] in ('router1', 'router2')

STATES = ['40-disable', '41-enable', '42-restart', '43-reload', '44-all', '50-configure-peer-removed', '60-ext', '70-before-down', '71-router2-gone', '72-router2-gone-6s']
LOOSE = ['62-echo-and-log-lines.sock', '63-restrict.sock', '64-birdc-r-disable.birdc', '65-birdc-v-show-protocols.birdc', '66-birdc-piped.birdc', '67-birdc-no-socket.birdc', '70-down.sock']
TFKEYS = ['iso-short', 'iso-long', 'old-short', 'old-long', 'strftime', 'two', 'iso-short-ms', 'iso-long-ms', 'iso-short-us', 'iso-long-us']

def want_states(r): return r.endswith(('.sock', '.birdc', '.txt')) and not re.match(r'(44-all|61-[^/]*)/router1/\d\d-', r)

def states_ref(cfg):
    d = f'{H}/captures/{cfg.version}'
    res = tree(d, 'states', STATES, want_states)
    for s in ('44-all', '50-configure'):
        for ext in ('sock', 'birdc'):
            t = read(f'{d}/{s}/sequence.{ext}')
            if t: res.update(seq_cases('states', s, t, ext))
    for k in TFKEYS:
        t = read(f'{d}/61-timeformat/{k}.sock')
        if t: res.update(seq_cases('states', '61-timeformat/' + k, t, 'sock'))
    for f in LOOSE: res['states/' + f] = doc_named(f, read(f'{d}/{f}'))
    res['states/notes'] = notes_doc(read(f'{d}/notes.txt'))
    return res

def states_new(cfg):
    a, b = f'{cfg.raw}/states/out', f'{cfg.raw}/ext/out'
    res = tree(a, 'states', [s for s in STATES if s != '60-ext'], want_states)
    res.update(tree(b, 'states', ['60-ext'], want_states))
    for s in ('44-all', '50-configure'):
        for ext in ('sock', 'birdc'): res.update(seq_cases('states', s, cat_seq(a, s, ext), ext))
    for k in TFKEYS: res.update(seq_cases('states', '61-timeformat/' + k, cat_seq(a, '61-timeformat', 'sock', k + '-'), 'sock'))
    for f in LOOSE + ['notes.txt']:
        t = read(f'{a}/{f}')
        if t is not None: res['states/' + f.replace('.txt', '')] = notes_doc(t) if f == 'notes.txt' else doc_named(f, t)
    return res

def notes_doc(t):
    d = Doc(); d.main = [re.sub(r': [\d.]+$', ': N', l) for l in t.strip().split('\n')]
    return d

def fsm_doc(t):
    d = Doc()
    body = t.split('--- timeline', 1)[-1]; tl, _, rest = body.partition('--- daemon log\n'); log = rest.split('--- TCP SYN', 1)[0]
    ev = re.split(r'(?m)^ *-?\d+\.\d{3} (?=\S)', tl)[1:]
    # every test ends with "show protocols all p1" while its connections are being closed: what it shows is left to chance
    ctrl = [i for i, x in enumerate(ev) if x.startswith('control: ')]
    if ctrl and ev[ctrl[-1]].startswith('control: show protocols all p1\n'): del ev[ctrl[-1]]
    prev = None; states, routes = [], []
    for x in ev:
        m = re.search(r'<- NOTIFICATION (\w*)', x)
        if m:
            h = m[1]; n = f'NOTIFICATION {int(h[:2], 16)}/{int(h[2:4], 16)} {h[4:]}'.strip() if len(h) >= 4 else 'NOTIFICATION ' + h
            if n != prev: d.main.append(n)
            prev = n
        m = re.match(r'((?:\S+: |\[\S+\] )?)<- (\S+) ?(\S*)', x)
        if m and m[2] != 'KEEPALIVE':
            w = f'{m[1]}{m[2]} {m[3]}'.strip()
            if not d.wire or d.wire[-1] != w: d.wire.append(w)
        m = re.match(r'control: (.*)\n', x)
        if m:
            raw = [l[6:] for l in x.split('\n')[1:]]
            while raw and not raw[-1]: raw.pop()
            c = m[1]
            if c.startswith('show route'): routes.append((c, raw))
            elif c.startswith('show protocols'):
                for l in raw:
                    q = re.match(r'(?:1002-| )p1 +BGP +\S+ +(.*)', l)
                    if q:
                        # asked in the moment in which it comes up: what stands is still being told, or has been
                        s = re.sub(r'^feed (?=Established)', 'up ', ' '.join(re.sub(r'\d\d:\d\d:\d\d(\.\d+)?', '', q[1]).split()))
                        if not states or states[-1] != s: states.append(s)
            a, _, st = reply(c, raw)
            d.control += ['> ' + c] + a
            if st: d.stats += ['> ' + c] + st
    d.main += ['state: ' + s for s in states]
    for c, raw in routes:
        a, b, _ = reply(c, raw); d.main += ['> ' + c] + a; d.order += ['> ' + c] + b
    d.main.append('daemon log: ' + ('present' if log.strip() else 'empty'))
    if t.rstrip().find('TEST SCRIPT ENDED') >= 0: d.main += re.findall(r'TEST SCRIPT ENDED: .*', t)
    seen = []
    for lv, s in re.findall(r'(?m)^\S+ \S+ <(?!TRACE)(\w+)> (.*)', log):
        x = line(f'{lv} {s}')
        if x not in seen: seen.append(x)
    d.log = seen
    return d

def kernel_doc(t):
    d = Doc(); body, _, log = t.partition('--- daemon log\n')
    started = 'daemon log: ' + ('present' if log.strip() else 'empty')
    for l in log.strip().split('\n'):        # how often a warning comes depends on the number of scans
        if not d.log or d.log[-1] != line(l): d.log.append(line(l))
    cur, L, conf = None, [], False
    def flush():
        if cur is not None: d.reply(cur, L)
        else: d.main.extend(line(l) for l in L)
    for l in body.rstrip('\n').split('\n')[1:]:
        if l.startswith('--- configuration'): conf = True
        if conf:
            if l == '---': conf = False
            continue
        if l.startswith(('$ ', '# ', 'birdc> ')):
            flush(); L = []
            cur = l[7:] if l.startswith('birdc> ') else None
            if cur is None: d.main.append(l)
        else: L.append(l)
    flush()
    d.main = [l for l in d.main if l != ''] + [started]
    return d

def argv0(s, cfg):
    """The name the daemon was started under, in front of its messages and in its usage text."""
    b = re.escape(os.path.basename(cfg.bird))
    return re.sub(r'(?m)^(Usage: )?(?:/\S*/)?(?:' + b + r'|bird)(?=: | \[)', r'\1bird', s)

def config_rows(f):
    rows = {}
    for l in (read(f) or '').split('\n'):
        m = re.match(r'\| (\S+) \| (-?\d+) \| (.*) \|$', l)
        if m: rows[m[1]] = (int(m[2]), m[3].replace('\\|', '|').replace('(none)', ''))
    return rows

def config_doc(rc, msg, cfg):
    d = Doc(); msg = argv0(msg, cfg)
    d.main = [f'exit status {rc}'] + [f'file {a} line {b}' for a, b in re.findall(r'([\w./-]+):(\d+):\d+ ', msg)]
    d.text = [line(l) for l in msg.split(' / ')] if msg else []
    if not d.text: d.text = ['(no message)']
    return d

def show_doc(t):
    d = Doc(); a, _, rest = t.partition('--- stderr of the daemon\n'); log, _, k = rest.partition('--- kernel routes of proto bird left after the daemon ended\n')
    for cmd, raw in transcript(a): d.reply(cmd, raw)
    d.main += ['kernel routes left:'] + [line(l) for l in k.strip().split('\n') if l]
    d.log = [line(l) for l in log.strip().split('\n') if l] or ['(nothing)']
    return d

def config_results(cfg, d):
    res = {}
    for kind in ('bad', 'good'):
        for n, (rc, msg) in config_rows(f'{d}/{kind}.md').items(): res[f'config/{kind}/{n}'] = config_doc(rc, msg, cfg)
        for f in sorted(glob.glob(f'{d}/{kind}/*.show')): res[f'config/show/{os.path.basename(f)[:-5]}'] = show_doc(read(f))
    return res

def filter_results(f):
    res = {}
    for l in (read(f) or '').rstrip('\n').split('\n'):
        p = l.split('\t')
        if len(p) < 3: continue
        # an expression may hold no TAB; reply text may
        d = Doc(); d.main = [f'code {p[1]}', 'text ' + line('\t'.join(p[2:-1] if len(p) > 3 else p[2:]))]
        d.log = [line(p[-1])] if len(p) > 3 and p[-1] else ['(nothing)']
        n = 'filter/' + p[0]; k = 2
        while n in res: n = f'filter/{p[0]} #{k}'; k += 1
        res[n] = d
    return res

_cache = {}
def ref_results(cfg, suite):
    k = (cfg.flavor, suite)
    if k not in _cache: _cache[k] = _ref(cfg, suite)
    return _cache[k]

def _ref(cfg, suite):
    v = cfg.version
    if suite == 'lab': return lab_results(cfg, REFLAB(cfg), REFLAB(cfg) + '/check-output.txt', True)
    if suite == 'commands': return tree(f'{H}/captures/{v}', 'commands', ['30-established'], want_commands(cfg))
    if suite == 'states': return states_ref(cfg)
    if suite == 'fsm': return {'fsm/' + os.path.basename(f)[:-4]: fsm_doc(read(f)) for f in sorted(glob.glob(f'{H}/fsm/{v}/*.txt')) if (read(f) or '').startswith('# ')}
    if suite == 'kernel': return {'kernel/' + os.path.basename(f)[:-4]: kernel_doc(argv0(read(f), argparse.Namespace(bird='bird'))) for f in sorted(glob.glob(f'{H}/kernel/{v}/*.txt'))}
    if suite == 'config': return config_results(argparse.Namespace(bird='bird'), f'{H}/config/{v}')
    if suite == 'filter': return filter_results(f'{H}/filter/eval-{v}.tsv')

def new_results(cfg, suite):
    r = cfg.raw
    if suite == 'lab': return lab_results(cfg, f'{r}/lab/check', f'{r}/lab/check.log', False)
    if suite == 'commands': return tree(f'{r}/commands/out' if os.path.isdir(f'{r}/commands') else f'{r}/states/out', 'commands', ['30-established'], want_commands(cfg))
    if suite == 'states': return states_new(cfg)
    if suite == 'fsm': return {'fsm/' + os.path.basename(f)[:-4]: fsm_doc(read(f)) for f in glob.glob(f'{r}/fsm/out/*.txt')}
    if suite == 'kernel': return {'kernel/' + os.path.basename(f)[:-4]: kernel_doc(argv0(read(f), cfg)) for f in glob.glob(f'{r}/kernel/out/*.txt')}
    if suite == 'config': return config_results(cfg, f'{r}/config/out')
    if suite == 'filter': return filter_results(f'{r}/filter/eval.tsv')

def ref_names(cfg, suite): return list(ref_results(cfg, suite))


# ---------------------------------------------------------------- verdict
def known(flavor):
    """compare-known.txt: flavor <TAB> case[@score] <TAB> reason. '*' as the flavor means both; '*' in a case any text.
    With @race or @fin the case is excused only when it agrees after merge()."""
    L = []
    for l in (read(f'{H}/compare-known.txt') or '').split('\n'):
        if not l.strip() or l.startswith('#'): continue
        p = l.split('\t')
        if len(p) >= 3 and p[0] in ('*', flavor): L.append((p[1], p[2]))
    def look(case, score):
        for n, why in L:
            pat, _, sc = n.partition('@')
            if (sc or 'main') != score and sc != '*': continue
            if pat == case or re.fullmatch(re.escape(pat).replace(r'\*', '.*'), case): return why
        return None
    return look

def accepted():
    """known-differences.txt: where rbird differs, in the same format; the whole case is accepted, and an entry that is no longer needed is an error.
    A case that ends with @sometimes need not differ in every run."""
    L = []
    for l in (read(f'{H}/known-differences.txt') or '').split('\n'):
        p = l.split('\t')
        if l.strip() and not l.startswith('#') and len(p) >= 3: L.append((p[0], *p[1].partition('@')[::2], p[2]))
    return L

def fits(pat, case): return pat == case or re.fullmatch(re.escape(pat).replace(r'\*', '.*'), case) is not None

def accept(cfg, rows):
    """Marks the accepted differences in rows -> entries that fit cases of these rows but excused none."""
    used, seen, L = set(), set(), [e for e in accepted() if e[0] in ('*', cfg.flavor)]
    out = []
    for case, sc, v, why, df in rows:
        for e in L if sc == 'main' else ():
            if not fits(e[1], case): continue
            seen.add(e)
            if v == 'differs': v, why = 'accepted', e[3]
            if v == 'accepted': used.add(e); break
        out.append((case, sc, v, why, df))
    return out, [e for e in L if e in seen and e not in used and e[2] != 'sometimes']

CONN = 'Idle|Active|Connect|OpenSent|OpenConfirm|Close'

PROTO = re.compile(r'^(?:\d{4}[-=] +)?(\S+) +(?:BGP|Kernel|Device|Direct|Static|Pipe|RPKI|OSPF|RIP|BFD|RAdv|Babel|MRT) +\S+ +(?:up|start|stop|down|flush|feed|wait)\b')

def sort_protocols(L):
    """Protocols that were restarted or put back change places in the list by chance: every run of rows, with their details, is sorted by name."""
    out, run = [], []
    def flush():
        run.sort(key=lambda b: b[0])
        for _, b in run:
            while not b[-1]: b.pop()        # the empty line after the last block of a client's output is cut off
            out.extend(b)
        run.clear()
    for l in L:
        m = PROTO.match(l)
        if m: run.append((m[1], [l]))
        elif run and (l.startswith('1006-') or not l or l[0] == ' '): run[-1][1].append(l)
        else: flush(); out.append(l)
    flush()
    return out

def merge(L, kind):
    """fin: the two ways a TCP connection can end are taken for one; race: so are the states of a session under construction or being closed."""
    out = []
    for l in L:
        if kind == 'race':
            l = re.sub(r'^(\S+ +\S+ +BGP +\S+ +)(?:start|stop|flush|down) +(hh:mm:ss\S*)(?: +(?:%s)\b)? *' % CONN, r'\1(not up) \2 ', l).rstrip()
            l = re.sub(r'\bstart +(?:%s)\b *' % CONN, 'start (connecting) ', l)
        l = re.sub(r'Socket: Connection (closed|reset by peer)', 'Socket: Connection (ended)', l).rstrip()
        if kind == 'race' and l == 'state: start (connecting) Socket: Connection (ended)': continue      # the next attempt ended before the sample, or after
        if not out or out[-1] != l: out.append(l)
    return out

def judge(cfg, suite, look):
    """List of (case, score, verdict, reason, diff lines)."""
    out = []
    try: new = new_results(cfg, suite)
    except Exception as x: new = {}; print(f'{suite}: results cannot be read: {type(x).__name__}: {x}')
    for case, ref in ref_results(cfg, suite).items():
        if not cfg.wanted(case) or ref is None: continue
        got = new.get(case)
        if got is None: out.append((case, 'main', 'differs', '', ['no result'])); continue
        main_ok = True
        for score, a in ref.parts():
            b = getattr(got, score)
            if suite == 'states' and score in ('main', 'stats'):
                f = sort_protocols if score == 'main' else sorted
                a, b = f(a), f(b)
            if a == b: out.append((case, score, 'equal', '', [])); continue
            if score == 'order' and ref.main != got.main and suite != 'states': continue     # counted in main already
            why = look(case, score) or (score == 'control' and main_ok and (look(case, 'race') or ref.main != got.main and look(case, 'fin'))) or (score == 'main' and next((w for k in ('fin', 'race') for w in [merge(a, k) == merge(b, k) and look(case, k)] if w), None))
            df = [l for l in difflib.unified_diff(a, b, 'reference', 'this daemon', n=1, lineterm='')][2:]
            if score == 'main' and not why: main_ok = False
            out.append((case, score, 'unstable' if why else 'differs', why or '', df))
    return out

def executable(p):
    q = shutil.which(p)
    return os.path.abspath(q) if q else os.path.abspath(p) if '/' in p else p

def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--flavor', choices=['1.6', '2.0'], default='1.6')
    ap.add_argument('--bird', default='bird', help='the daemon under test'); ap.add_argument('--birdc', default='birdc', help='its client')
    ap.add_argument('--suite', default=','.join(SUITES)); ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('--list', action='store_true'); ap.add_argument('--only', default='', help='part of a case name, or a pattern with *')
    ap.add_argument('--show', type=int, default=8, metavar='N', help='lines of each diff (0: none)'); ap.add_argument('--json', metavar='FILE')
    ap.add_argument('--weak', action='store_true', help='print the differences of the weaker scores, too')
    ap.add_argument('--node-bird', help='daemon of the two nodes in the lab (default: bird, when it is the release of the flavor; else the daemon under test)')
    ap.add_argument('--node-birdc'); ap.add_argument('--keep', metavar='DIR', help='keep the raw results there'); ap.add_argument('--from', dest='src', metavar='DIR', help='judge the results kept there instead of running anything')
    cfg = ap.parse_args(); cfg.version = VERSION[cfg.flavor]
    suites = [s.strip() for s in cfg.suite.split(',') if s.strip()]
    for s in suites:
        if s not in SUITES: ap.error(f'no such suite: {s}')
    suites = [s for s in SUITES if s in suites]
    o = cfg.only
    cfg.wanted = lambda n: not o or (re.fullmatch(re.escape(o).replace(r'\*', '.*'), n) is not None if '*' in o else o in n)
    if cfg.list:
        print(f'flavor {cfg.flavor} (reference: BIRD {cfg.version})\n{"suite":10}{"cases":>6}{"usual":>8}{"limit":>8}  what')
        for s in suites: print(f'{s:10}{sum(cfg.wanted(n) for n in ref_names(cfg, s)):6}{SUITES[s][0]:6} s{SUITES[s][1]:6} s  {SUITES[s][2]}')
        if o or len(suites) == 1:
            for s in suites:
                for n in ref_names(cfg, s):
                    if cfg.wanted(n): print('  ' + n)
        return 0
    global REFUSALS
    cfg.bird, cfg.birdc = executable(cfg.bird), executable(cfg.birdc)
    REFUSALS = os.path.basename(cfg.birdc).startswith('rbirdc')
    _cache.clear()
    if not cfg.src: choose_nodes(cfg)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cfg.tmp = tmp = tempfile.mkdtemp(prefix='cm-')
    if cfg.src: cfg.raw = os.path.abspath(cfg.src)
    elif cfg.keep: cfg.raw = os.path.abspath(cfg.keep); os.makedirs(cfg.raw, exist_ok=True)
    else: cfg.raw = tmp + '/raw'
    t0 = time.time(); look = known(cfg.flavor); rows, lock = [], threading.Lock()
    suites = [s for s in suites if any(cfg.wanted(n) for n in ref_names(cfg, s))]
    def work(u):
        s, f = u; t = time.time()
        if cfg.src: return
        with lock: print(f'[{t - t0:5.0f} s] {f.__name__[4:]}: started, usually {SUITES[s][0]} s', flush=True)
        try: notes = f(cfg)
        except Exception as x: notes = [f'{type(x).__name__}: {x}']
        with lock:
            print(f'[{time.time() - t0:5.0f} s] {f.__name__[4:]}: ended after {time.time() - t:.0f} s', flush=True)
            for n in notes: print(f'          note: {n}', flush=True)
    if 'states' in suites: UNITS['commands'] = []      # the states lab goes through the commands first
    units = [(s, f) for s in sorted(suites, key=lambda s: -SUITES[s][0]) for f in UNITS[s]]
    stop = threading.Event()
    def progress():
        while not stop.wait(20):
            if os.path.isdir(f'{cfg.raw}/fsm/out') and any(e.tag == 'fsm' for e in LIVE):
                with lock: print(f'[{time.time() - t0:5.0f} s] fsm: {len(glob.glob(cfg.raw + "/fsm/out/*.txt"))} tests done', flush=True)
    try:
        threading.Thread(target=progress, daemon=True).start()
        with ThreadPoolExecutor(max(1, cfg.jobs)) as ex: list(ex.map(work, units))
        for s in suites: rows += judge(cfg, s, look)
        left = [r for r in accept(cfg, rows)[0] if r[2] == 'differs']
        for s in list(run_again(cfg, left)) if not cfg.src else ():
            first = {r[:2] for r in left}
            rows = [r for r in rows if r[:2] not in first or not r[0].startswith(s + '/')] + [r for r in judge(cfg, s, look) if r[:2] in first]
        rows, needless = accept(cfg, rows)
    finally:
        stop.set()
        for e in list(LIVE): e.clean()
        shutil.rmtree(tmp, ignore_errors=True)
    report(cfg, suites, rows, time.time() - t0)
    for e in needless if not o else (): print(f'known-differences.txt: {e[1]} differs no longer, remove the entry')
    return 1 if (needless and not o) or any(v == 'differs' and sc == 'main' for _, sc, v, _, _ in rows) or not rows else 0

def choose_nodes(cfg):
    def release(b):
        try: p = subprocess.run([b, '--version'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=5)
        except (OSError, subprocess.TimeoutExpired): return ''
        return (re.findall(r'BIRD version (\S+)', p.stdout.decode(errors='replace')) or [''])[0]
    if cfg.node_bird: cfg.node_bird = executable(cfg.node_bird); cfg.node_birdc = executable(cfg.node_birdc or cfg.birdc)
    elif release('bird') == cfg.version: cfg.node_bird, cfg.node_birdc = executable('bird'), executable('birdc')
    else:
        cfg.node_bird, cfg.node_birdc = cfg.bird, cfg.birdc
        print(f'BIRD {cfg.version} is not installed: the nodes of the lab run the daemon under test, too (--node-bird, --node-birdc)')

def report(cfg, suites, rows, secs):
    for case, score, v, why, df in rows:
        if v in ('equal', 'accepted') or (score != 'main' and not cfg.weak): continue
        print(f'{v.upper() if v == "differs" else v} {case}{"" if score == "main" else " @" + score}{" (" + why + ")" if why else ""}{": no result" if df == ["no result"] else ""}')
        if df == ['no result']: continue
        for l in df[:cfg.show]: print('    ' + l[:200])
        if cfg.show and len(df) > cfg.show: print(f'    ... {len(df) - cfg.show} lines more')
    table, js = [], []
    for s in suites:
        for sc in ('main',) + WEAK:
            c = {k: sum(1 for case, q, v, _, _ in rows if case.startswith(s + '/') and q == sc and v == k) for k in ('equal', 'differs', 'accepted', 'unstable')}
            if any(c.values()): table.append((s if sc == 'main' else f'  {s} @{sc}', c))
    print(f'\n{"suite":22} | {"equal":>6} | {"differs":>7} | {"accepted":>8} | {"unstable":>8}\n{"-" * 22}-+-{"-" * 6}-+-{"-" * 7}-+-{"-" * 8}-+-{"-" * 8}')
    for n, c in table: print(f'{n:22} | {c["equal"]:6} | {c["differs"]:7} | {c["accepted"]:8} | {c["unstable"]:8}')
    print(f'rows with @ are weaker scores (see README.md) and do not count below; {secs:.0f} s')
    if cfg.json:
        with open(cfg.json, 'w') as f:
            json.dump(dict(flavor=cfg.flavor, seconds=round(secs, 1), table=[dict(row=n.strip(), **c) for n, c in table],
                           cases=[dict(case=a, score=b, verdict=v, reason=w, diff=d) for a, b, v, w, d in rows]), f, indent=1); f.write('\n')
    p = sum(v == 'equal' for _, sc, v, _, _ in rows if sc == 'main'); q = sum(v == 'differs' for _, sc, v, _, _ in rows if sc == 'main')
    print(f'{p} passed, {q} failed')

if __name__ == '__main__':
    try: sys.exit(main())
    except KeyboardInterrupt:
        for e in list(LIVE): e.clean()
        sys.exit(130)
