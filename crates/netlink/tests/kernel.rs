//! Reconciler and socket against a real kernel, each test in a network namespace of its own. Needs root.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests and their helpers")]
use rbird_netlink::kernel_route::{PROTO_BIRD, TABLE_MAIN};
use rbird_netlink::{
    Errno, KernelRoute, Learned, Metrics, Notice, Reconciler, Request, RouteNotices, RouteSocket, SeenRoute,
};
use route::{Family, Hop, IfIndex, Prefix, Resolved};
use std::process::Command;

/// A namespace with d0 (10.1.1.1/24, fd01::1/64) and d1 (10.1.2.1/24, fd02::1/64), each the end of a veth pair.
fn lab() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a network namespace needs root");
    for (i, n) in [("0", "1"), ("1", "2")] {
        ip(&format!("link add d{i} type veth peer name p{i}"));
        ip(&format!("link set d{i} up"));
        ip(&format!("link set p{i} up"));
        ip(&format!("addr add 10.1.{n}.1/24 dev d{i}"));
        ip(&format!("addr add fd0{n}::1/64 dev d{i} nodad"));
    }
}

/// Runs `ip`; a child of this thread is in its namespace.
fn ip(arguments: &str) -> String {
    let out = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
    assert!(out.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|l| l.trim_end().to_owned() + "\n").collect()
}

fn index(name: &str) -> IfIndex {
    let text = ip(&format!("-o link show {name}"));
    IfIndex(text.split(':').next().unwrap().parse().unwrap())
}

fn net(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn via(gateway: &str, link: &str) -> KernelRoute {
    KernelRoute::new(Resolved::Unicast(Hop::via(gateway.parse().unwrap(), index(link))))
}

/// A reconciler with its socket, and what it sent and heard.
struct Sync {
    reconciler: Reconciler,
    socket: RouteSocket,
    requests: usize,
    log: Vec<String>,
}

impl Sync {
    fn new(family: Family) -> Self {
        let reconciler = Reconciler::new(family, TABLE_MAIN);
        Self { reconciler, socket: RouteSocket::open().unwrap(), requests: 0, log: Vec::new() }
    }

    fn want(&mut self, prefix: &str, route: impl Into<Option<KernelRoute>>) {
        self.reconciler.want(net(prefix), route.into().as_ref());
    }

    fn scan(&mut self) {
        self.reconciler.scan_begin();
        let whole = self.socket.dump(self.reconciler.family(), TABLE_MAIN, |seen| self.reconciler.scan_saw(&seen));
        self.reconciler.scan_end(whole.unwrap());
        self.work();
    }

    fn work(&mut self) {
        let mut batch: Vec<Request> = Vec::new();
        loop {
            batch.clear();
            self.reconciler.take(1000, &mut batch);
            if batch.is_empty() {
                return;
            }
            self.requests += batch.len();
            let result = self.socket.carry_out(TABLE_MAIN, self.reconciler.palette(), &batch).unwrap();
            assert!(!result.lost);
            let mut errors = result.errors.into_iter().peekable();
            for (at, request) in batch.iter().enumerate() {
                let error = errors.next_if(|(i, _)| *i == at).map(|(_, e)| e);
                let said = self.reconciler.settle(request, error.map_or(Ok(()), Err));
                self.log.extend(said.map(|e| format!("{}: {e}", request.net)));
            }
        }
    }

    /// The requests that this takes.
    fn cost(&mut self, of: impl FnOnce(&mut Self)) -> usize {
        let before = self.requests;
        of(self);
        self.requests - before
    }

    fn start(&mut self) {
        self.scan();
        self.reconciler.told_all();
        self.work();
    }
}

#[test]
fn routes_of_every_kind_are_installed_replaced_and_removed() {
    lab();
    let mut s = Sync::new(Family::Ipv4);
    s.want("20.0.1.0/24", via("10.1.1.2", "d0"));
    s.want("20.0.2.0/24", KernelRoute::new(Resolved::Unicast(Hop::dev(index("d0")))));
    s.want("20.0.3.0/24", KernelRoute::new(Resolved::Blackhole));
    s.want("20.0.4.0/24", KernelRoute::new(Resolved::Unreachable));
    s.want("20.0.5.0/24", KernelRoute::new(Resolved::Prohibit));
    let hop = |gateway: &str, link, weight| Hop { weight, ..Hop::via(gateway.parse().unwrap(), index(link)) };
    let hops = [hop("10.1.2.2", "d1", 2), hop("10.1.1.2", "d0", 0)];
    s.want("20.0.6.0/24", KernelRoute::new(Resolved::Multipath(hops.into())));
    let onlink = Hop { onlink: true, ..hop("192.0.2.1", "d1", 0) };
    s.want("20.0.7.0/24", KernelRoute::new(Resolved::Unicast(onlink)));
    let dressed = KernelRoute {
        prefsrc: Some("10.1.2.1".parse().unwrap()),
        metric: 55,
        metrics: Metrics::new(vec![(2, 1300)], None),
        ..via("10.1.1.2", "d0")
    };
    s.want("20.0.8.0/24", dressed);
    s.want("0.0.0.0/0", via("10.1.1.2", "d0"));
    s.start();
    assert_eq!(s.log, [""; 0]);
    let expected = "default via 10.1.1.2 dev d0
20.0.1.0/24 via 10.1.1.2 dev d0
20.0.2.0/24 dev d0 scope link
blackhole 20.0.3.0/24
unreachable 20.0.4.0/24
prohibit 20.0.5.0/24
20.0.6.0/24
\tnexthop via 10.1.2.2 dev d1 weight 3
\tnexthop via 10.1.1.2 dev d0 weight 1
20.0.7.0/24 via 192.0.2.1 dev d1 onlink
20.0.8.0/24 via 10.1.1.2 dev d0 src 10.1.2.1 metric 55 mtu 1300
";
    assert_eq!(ip("route show proto bird"), expected);
    assert_eq!(s.cost(Sync::scan), 0, "a second scan of an unchanged table sends no request");

    s.want("20.0.1.0/24", via("10.1.2.2", "d1"));
    s.want("20.0.3.0/24", via("10.1.2.2", "d1"));
    s.want("20.0.6.0/24", KernelRoute::new(Resolved::Blackhole));
    s.want("20.0.7.0/24", None);
    assert_eq!(s.cost(Sync::work), 4);
    let now = ip("route show proto bird");
    assert!(now.contains("\n20.0.1.0/24 via 10.1.2.2 dev d1\n"), "{now}");
    assert!(now.contains("\n20.0.3.0/24 via 10.1.2.2 dev d1\n"), "{now}");
    assert!(now.contains("\nblackhole 20.0.6.0/24\n"), "{now}");
    assert!(!now.contains("20.0.7.0/24"), "{now}");

    s.reconciler.retire();
    s.work();
    assert_eq!(ip("route show proto bird"), "");
    assert_eq!(s.reconciler.count(), 0);
    assert_eq!(s.reconciler.palette().count(), 0, "nothing holds a route any more");
    assert_eq!(s.log, [""; 0]);
}

#[test]
fn ipv6_routes_of_every_kind_are_installed_replaced_and_removed() {
    lab();
    let mut s = Sync::new(Family::Ipv6);
    let hop = |gateway: &str, link, weight| Hop { weight, ..Hop::via(gateway.parse().unwrap(), index(link)) };
    s.want("2001:db8:1::/48", via("fd01::2", "d0"));
    s.want("2001:db8:2::/48", via("fe80::2", "d1"));
    s.want("2001:db8:3::/48", KernelRoute::new(Resolved::Blackhole));
    s.want("2001:db8:4::/48", KernelRoute::new(Resolved::Unreachable));
    let hops: [Hop; 2] = [hop("fd02::2", "d1", 2), hop("fd01::2", "d0", 0)];
    s.want("2001:db8:5::/48", KernelRoute::new(Resolved::Multipath(hops.into())));
    s.want("2001:db8:6::/48", KernelRoute { metric: 7, ..KernelRoute::new(Resolved::Unicast(Hop::dev(index("d1")))) });
    s.start();
    assert_eq!(s.log, [""; 0]);
    let text = ip("-6 route show proto bird");
    for line in [
        "2001:db8:1::/48 via fd01::2 dev d0 metric 1024 pref medium",
        "2001:db8:2::/48 via fe80::2 dev d1 metric 1024 pref medium",
        "blackhole 2001:db8:3::/48 dev lo metric 1024 pref medium",
        "unreachable 2001:db8:4::/48 dev lo metric 1024 pref medium",
        "2001:db8:6::/48 dev d1 metric 7 pref medium",
        "nexthop via fd02::2 dev d1 weight 3",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
    assert_eq!(s.cost(Sync::scan), 0, "a second scan of an unchanged table sends no request");

    s.want("2001:db8:1::/48", KernelRoute::new(Resolved::Multipath(hops.into())));
    s.want("2001:db8:5::/48", via("fd01::2", "d0"));
    s.want("2001:db8:3::/48", via("fd01::2", "d0"));
    s.work();
    assert_eq!(s.log, [""; 0]);
    assert_eq!(s.cost(Sync::scan), 0, "{}", ip("-6 route show proto bird"));
    s.reconciler.retire();
    s.work();
    assert_eq!(ip("-6 route show proto bird"), "");
    assert_eq!(s.log, [""; 0]);
}

#[test]
fn routes_of_an_earlier_run_are_adopted_replaced_or_removed() {
    lab();
    ip("route add 20.0.1.0/24 via 10.1.1.3 proto bird");
    ip("route add 20.0.2.0/24 via 10.1.1.2 proto bird");
    ip("route add 30.0.1.0/24 via 10.1.1.2 proto bird");
    ip("route add 30.0.2.0/24 via 10.1.1.2 proto bird metric 77");
    ip("route add 20.0.2.0/24 via 10.1.1.2 proto bird metric 77");
    ip("route add 30.0.3.0/24 via 10.1.1.2 proto bird table 99");
    let mut s = Sync::new(Family::Ipv4);
    s.want("20.0.1.0/24", via("10.1.1.2", "d0"));
    s.want("20.0.2.0/24", via("10.1.1.2", "d0"));
    s.scan();
    assert_eq!(s.requests, 0, "nothing is touched before all wishes have been told");
    s.reconciler.told_all();
    // One replaced, two stale ones and a second metric removed; the equal one is adopted.
    assert_eq!(s.cost(Sync::work), 4);
    let expected = "20.0.1.0/24 via 10.1.1.2 dev d0\n20.0.2.0/24 via 10.1.1.2 dev d0\n";
    assert_eq!(ip("route show proto bird"), expected);
    assert_eq!(ip("route show proto bird table 99"), "30.0.3.0/24 via 10.1.1.2 dev d0\n");
}

#[test]
fn an_alien_route_wins_the_error_is_kept_and_the_next_scan_tries_again() {
    lab();
    ip("route add 20.0.1.0/24 via 10.1.2.2");
    let mut s = Sync::new(Family::Ipv4);
    s.want("20.0.1.0/24", via("10.1.1.2", "d0"));
    s.want("20.0.2.0/24", KernelRoute { prefsrc: Some("1.2.3.4".parse().unwrap()), ..via("10.1.1.2", "d0") });
    s.want("20.0.3.0/24", via("10.1.1.2", "d0"));
    s.start();
    let file_exists = "20.0.1.0/24: File exists".to_owned();
    let invalid = "20.0.2.0/24: Invalid argument".to_owned();
    s.log.sort();
    assert_eq!(s.log, [file_exists.clone(), invalid.clone()]);
    assert_eq!(s.reconciler.error(&net("20.0.1.0/24")), Some(Errno(17)));
    assert_eq!(s.reconciler.error(&net("20.0.3.0/24")), None);
    assert_eq!(ip("route show proto bird"), "20.0.3.0/24 via 10.1.1.2 dev d0\n");

    s.log.clear();
    s.scan();
    s.log.sort();
    assert_eq!(s.log, [file_exists, invalid]);

    s.log.clear();
    ip("route del 20.0.1.0/24 via 10.1.2.2");
    s.work();
    assert_eq!(ip("route show 20.0.1.0/24"), "", "taken over at a scan, not before");
    s.want("20.0.2.0/24", via("10.1.1.2", "d0"));
    s.scan();
    assert_eq!(s.log, [""; 0]);
    assert_eq!(ip("route show 20.0.1.0/24"), "20.0.1.0/24 via 10.1.1.2 dev d0 proto bird\n");
    assert_eq!(s.reconciler.errors().count(), 0);
}

#[test]
fn what_is_done_to_our_routes_by_hand_stands_until_the_next_scan() {
    lab();
    let mut s = Sync::new(Family::Ipv4);
    s.want("20.0.1.0/24", via("10.1.1.2", "d0"));
    s.want("20.0.2.0/24", via("10.1.1.2", "d0"));
    s.start();
    ip("route del 20.0.1.0/24");
    ip("route change 20.0.2.0/24 via 10.1.2.2 proto bird");
    ip("route add 31.0.0.0/24 via 10.1.1.2 proto bird");
    assert_eq!(s.cost(Sync::work), 0);
    assert_eq!(s.cost(Sync::scan), 3);
    let expected = "20.0.1.0/24 via 10.1.1.2 dev d0\n20.0.2.0/24 via 10.1.1.2 dev d0\n";
    assert_eq!(ip("route show proto bird"), expected);
}

#[test]
fn a_route_that_the_kernel_refuses_leaves_nothing_of_the_old_one() {
    lab();
    let mut s = Sync::new(Family::Ipv4);
    s.want("20.0.1.0/24", via("10.1.1.2", "d0"));
    s.start();
    s.want("20.0.1.0/24", KernelRoute { prefsrc: Some("1.2.3.4".parse().unwrap()), ..via("10.1.2.2", "d1") });
    s.work();
    assert_eq!(ip("route show proto bird"), "");
    assert_eq!(s.log, ["20.0.1.0/24: Invalid argument"]);
}

#[test]
fn a_change_of_metric_adds_before_it_deletes() {
    lab();
    let mut s = Sync::new(Family::Ipv4);
    s.want("20.0.1.0/24", via("10.1.1.2", "d0"));
    s.start();
    s.want("20.0.1.0/24", KernelRoute { metric: 99, ..via("10.1.1.2", "d0") });
    let mut batch = Vec::new();
    s.reconciler.take(10, &mut batch);
    assert_eq!(
        batch.iter().map(|r| r.verb).collect::<Vec<_>>(),
        [rbird_netlink::Verb::Add, rbird_netlink::Verb::Remove]
    );
    s.socket.carry_out(TABLE_MAIN, s.reconciler.palette(), &batch).unwrap();
    for request in &batch {
        assert_eq!(s.reconciler.settle(request, Ok(())), None);
    }
    assert_eq!(ip("route show proto bird"), "20.0.1.0/24 via 10.1.1.2 dev d0 metric 99\n");
    assert_eq!(s.cost(Sync::scan), 0);
    // And back, from a metric to none.
    s.want("20.0.1.0/24", via("10.1.1.2", "d0"));
    s.work();
    assert_eq!(ip("route show proto bird"), "20.0.1.0/24 via 10.1.1.2 dev d0\n");
    assert_eq!(s.cost(Sync::scan), 0);
}

#[test]
fn a_value_that_the_kernel_caps_is_not_asked_for_again() {
    lab();
    let mut s = Sync::new(Family::Ipv4);
    s.want("20.0.1.0/24", KernelRoute { metrics: Metrics::new(vec![(2, 1_000_000)], None), ..via("10.1.1.2", "d0") });
    s.start();
    assert!(!ip("route show proto bird").contains("1000000"), "the kernel caps it");
    assert_eq!(s.cost(Sync::scan), 0);
    assert_eq!(s.cost(Sync::scan), 0);
}

#[test]
fn a_hundred_thousand_routes_go_in_and_out_in_batches() {
    lab();
    let mut s = Sync::new(Family::Ipv4);
    let route = via("10.1.1.2", "d0");
    for i in 0..100_000_u32 {
        let addr = std::net::Ipv4Addr::from_bits((20 << 24) + (i << 4)).into();
        s.reconciler.want(Prefix::new(addr, 28).unwrap(), Some(&route));
    }
    let begin = std::time::Instant::now();
    s.start();
    let in_s = begin.elapsed().as_secs_f64();
    let begin = std::time::Instant::now();
    assert_eq!(s.cost(Sync::scan), 0);
    let scan_s = begin.elapsed().as_secs_f64();
    let mut ours = 0;
    assert!(s.socket.dump(Family::Ipv4, TABLE_MAIN, |seen| ours += usize::from(seen.is_ours())).unwrap());
    assert_eq!(ours, 100_000);
    assert_eq!(s.reconciler.palette().count(), 1);
    s.reconciler.retire();
    let begin = std::time::Instant::now();
    s.work();
    println!("100,000 routes: in {in_s:.3} s, scan {scan_s:.3} s, out {:.3} s", begin.elapsed().as_secs_f64());
    assert_eq!(s.log, [""; 0]);
    assert_eq!(ip("route show proto bird"), "");
}

#[test]
fn a_table_that_does_not_exist_is_empty() {
    lab();
    let mut socket = RouteSocket::open().unwrap();
    for family in [Family::Ipv4, Family::Ipv6] {
        assert!(socket.dump(family, 900, |_| panic!("no route")).unwrap());
    }
}

#[test]
fn a_failing_batch_tells_of_every_route_by_itself() {
    lab();
    let mut s = Sync::new(Family::Ipv4);
    // Gateways on no link: each is refused.
    for i in 0..1000_u32 {
        let addr = std::net::Ipv4Addr::from_bits((20 << 24) + (i << 8)).into();
        let gateway = if i % 2 == 0 { "192.0.2.1" } else { "10.1.1.2" };
        s.reconciler.want(Prefix::new(addr, 24).unwrap(), Some(&via(gateway, "d0")));
    }
    s.start();
    assert_eq!(s.log.len(), 500);
    assert_eq!(s.reconciler.errors().count(), 500);
    assert!(
        s.reconciler.errors().all(|(n, _)| n.to_string().split('.').nth(2).unwrap().parse::<u32>().unwrap() % 2 == 0)
    );
    assert_eq!(ip("route show proto bird").lines().count(), 500);
}

#[tokio::test]
async fn notices_tell_of_other_programs_and_not_of_ourselves() {
    lab();
    let mut notices = RouteNotices::open(Family::Ipv4, 8 << 20).unwrap();
    let mut s = Sync::new(Family::Ipv4);
    s.want("20.0.1.0/24", via("10.1.1.2", "d0"));
    s.start();
    ip("route del 20.0.1.0/24");
    ip("route add 20.0.1.0/24 via 10.1.1.2 proto bird");
    ip("route add 40.0.1.0/24 via 10.1.1.2 proto zebra");
    let mut heard = Vec::new();
    notices.next(&mut heard).await.unwrap();
    let zebra =
        SeenRoute { net: net("40.0.1.0/24"), protocol: 11, table: TABLE_MAIN, tos: 0, route: via("10.1.1.2", "d0") };
    assert_eq!(heard, [Notice::Added(zebra.clone())]);

    heard.clear();
    ip("route replace 20.0.1.0/24 via 10.1.2.2");
    notices.next(&mut heard).await.unwrap();
    let [Notice::Replaced(by)] = &heard[..] else { panic!("{heard:?}") };
    assert_ne!(by.protocol, PROTO_BIRD);
    s.reconciler.was_replaced(by);
    // The alien stays: withdrawing ours touches nothing.
    s.want("20.0.1.0/24", None);
    assert_eq!(s.cost(Sync::work), 0);
    assert_eq!(ip("route show 20.0.1.0/24"), "20.0.1.0/24 via 10.1.2.2 dev d1\n");

    heard.clear();
    ip("route del 40.0.1.0/24");
    notices.next(&mut heard).await.unwrap();
    assert_eq!(heard, [Notice::Gone(zebra)]);

    heard.clear();
    let d1 = index("d1");
    ip("link set d1 down");
    while !heard.contains(&Notice::Unsettled(d1)) {
        notices.next(&mut heard).await.unwrap();
    }
}

#[test]
fn alien_routes_are_learned_from_a_dump_with_all_that_they_carry() {
    lab();
    ip("route add 40.0.1.0/24 via 10.1.1.2");
    ip("route add 40.0.1.0/24 via 10.1.2.2 metric 9");
    ip("route add 40.0.5.0/24 nexthop via 10.1.1.2 nexthop via 10.1.2.2 weight 3");
    ip("route add 40.0.7.0/24 via 10.1.1.2 mtu 1400 src 10.1.2.1");
    ip("route add 40.0.10.0/24 via 10.1.1.2 tos 0x10");
    let mut learned = Learned::new(TABLE_MAIN, false);
    let mut socket = RouteSocket::open().unwrap();
    socket.dump(Family::Ipv4, TABLE_MAIN, |seen| learned.saw(&seen)).unwrap();
    let mut all = Vec::new();
    learned.take(|net, best| all.push((net.to_string(), best.unwrap().route.clone())));
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(all.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["40.0.1.0/24", "40.0.5.0/24", "40.0.7.0/24"]);
    assert_eq!(all[0].1, via("10.1.1.2", "d0"));
    assert_eq!(all[1].1.hops().iter().map(|h| h.weight).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(all[2].1.metrics, Metrics::new(vec![(2, 1400)], None));
}
