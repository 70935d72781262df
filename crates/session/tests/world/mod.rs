//! A daemon in small: tables, export groups, a listener, one table, and peers on 127/8.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(dead_code, reason = "each test file uses its part of the world")]

use rbird_session as session;
use rib::batch::{Act, ChannelSpec, Deed, Generation, ImportBatch, ImportRow, Limit, TableEvent, What};
use rib::table::{Order, TableSpec};
use route::attr::code;
use route::attrs::{AttrSetBuilder, Local};
use route::hop::Dest;
use route::iface::{IfaceFlags, Scope};
use route::*;
use session::clock::Clock;
use session::dynamic::Ear;
use session::export::Exports;
use session::link::TableMsg;
use session::listen::Listener;
use session::peer::*;
use session::tables::Tables;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

pub const TABLE: TableId = TableId(1);
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct World {
    pub deps: Deps,
    pub ifaces: watch::Sender<Arc<Ifaces>>,
    pub peers: Arc<Mutex<Vec<PeerHandle>>>,
}

pub fn lo() -> Ifaces {
    let addr = |addr: &str, prefix: &str| IfaceAddr {
        addr: addr.parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        broadcast: None,
        peer: None,
        scope: Scope::Host,
        secondary: false,
    };
    Ifaces::new(vec![Iface {
        index: IfIndex(1),
        name: "lo".into(),
        flags: IfaceFlags { admin_up: true, link_up: true, loopback: true, ..IfaceFlags::default() },
        mtu: 65536,
        master: IfIndex(0),
        // 192.0.2/24 is there in name only: next hops in 127/8 are malformed (RFC 4271 6.3).
        addrs: vec![addr("127.0.0.1", "127.0.0.0/8"), addr("192.0.2.1", "192.0.2.0/24"), addr("::1", "::1/128")],
    }])
}

impl World {
    pub fn new() -> Self {
        let clock = Clock::new();
        let peers: Arc<Mutex<Vec<PeerHandle>>> = Arc::default();
        let told = Arc::clone(&peers);
        let events: session::link::EventSink = Arc::new(move |_, event: TableEvent| {
            for peer in told.lock().unwrap().iter() {
                peer.table_event(event.clone());
            }
        });
        let tables = Tables::start(1, clock, Arc::clone(&events));
        let ifaces = watch::Sender::new(Arc::new(lo()));
        tables.add(TableSpec { id: TABLE, name: "master".into(), family: Family::Ipv4, order: Order::default() });
        tables.send(TABLE, TableMsg::Ifaces(Arc::new(lo())));
        let exports = Exports::start(1, tables.clone(), clock, events);
        exports.set_ifaces(Arc::new(lo()));
        let deps = Deps {
            tables,
            exports,
            listener: Listener::new(),
            ifaces: ifaces.subscribe(),
            roas: watch::Sender::new(Arc::default()).subscribe(),
            recorder: rbird_session::mrt::Recorder::start(),
            monitors: rbird_session::monitor::Monitors::default(),
            clock,
            sources: Arc::new(AtomicU32::new(100)),
            recovery: Recovery::none(),
            watcher: Arc::new(Nobody),
            dynamic: Ear::default(),
        };
        Self { deps, ifaces, peers }
    }

    pub fn peer(&self, spec: PeerSpec) -> PeerHandle {
        let peer = spawn(spec, self.deps.clone());
        self.peers.lock().unwrap().push(peer.clone());
        peer
    }

    /// Routes of a protocol like `static`: `first`.0.0/24, `first`.1.0/24 ...
    pub fn announce(&self, first: [u8; 2], count: u32) {
        let source = Source::of_protocol(SourceId(1), ProtocolId(1), "static1".into(), SourceKind::Static);
        let spec = ChannelSpec {
            family: Family::Ipv4,
            late_filter: None,
            keep_filtered: false,
            receive_limit: None,
            import_limit: None,
        };
        self.act(Deed::Up(Box::new(spec)));
        self.act(Deed::Source(Arc::new(source)));
        self.announce_more(first, count);
    }

    /// Further routes of it.
    pub fn announce_more(&self, first: [u8; 2], count: u32) {
        let gateway = Hop::via(IpAddr::from([192, 0, 2, 9]), IfIndex(1));
        let local = Local::new(SourceKind::Static, 200, Dest::Via(gateway));
        let rows = rows(first, count, What::Announce(0));
        self.act(Deed::Import(ImportBatch { palette: vec![AttrSetBuilder::new(local).build()], rows }));
    }

    /// They are gone.
    pub fn withdraw(&self, first: [u8; 2], count: u32) {
        let rows = rows(first, count, What::Withdraw);
        self.act(Deed::Import(ImportBatch { palette: Vec::new(), rows }));
    }

    fn act(&self, deed: Deed) {
        let act = Act { channel: ChannelId(1), generation: Generation(1), deed };
        self.deps.tables.send(TABLE, TableMsg::Act(act, None));
    }

    pub async fn counts(&self, channel: ChannelId) -> rib::stats::RouteCounts {
        self.deps.tables.query(TABLE, move |t| t.counts(channel)).await.unwrap()
    }

    pub async fn imported(&self, channel: ChannelId, count: u32) {
        let work = async {
            while self.counts(channel).await.imported != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, work).await.is_err() {
            panic!("{count} awaited, there are {:?}", self.counts(channel).await);
        }
    }

    pub async fn has(&self, net: &str) -> bool {
        let net: Prefix = net.parse().unwrap();
        self.deps.tables.query(TABLE, move |t| t.find(&net).and_then(|id| t.show(id)).is_some()).await.unwrap()
    }
}

/// An address of loopback that no other test of this process uses, and a port that is free there.
fn rows(first: [u8; 2], count: u32, what: What) -> Vec<ImportRow> {
    let [a, b] = first;
    let base = u32::from_be_bytes([a, b, 0, 0]);
    let net = |i| Prefix::V4(net::Prefix4::new(base + (i << 8), 24).unwrap());
    (0..count).map(|i| ImportRow { net: net(i), source: SourceId(1), what }).collect()
}

pub fn address() -> SocketAddr {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed) as u8;
    let ip = IpAddr::from([127, 9, (std::process::id() % 250) as u8, n]);
    let socket = std::net::TcpListener::bind((ip, 0)).unwrap();
    socket.local_addr().unwrap()
}

pub fn spec(name: &str, asn: (u32, u32), ours: SocketAddr, theirs: SocketAddr) -> PeerSpec {
    PeerSpec {
        debug: if std::env::var_os("TRACE").is_some() { DebugMask::ALL } else { DebugMask::default() },
        listen: Some(ours),
        local_addr: Some(ours.ip()),
        peer_port: theirs.port(),
        cluster_id: 1,
        times: SessionTimes { connect_delay_s: 1, ..SessionTimes::default() },
        channels: vec![PeerChannel::new(Family::Ipv4, ChannelId(2), TABLE)],
        ..PeerSpec::new(
            name.into(),
            ProtocolId(2),
            (
                asn.0,
                match ours.ip() {
                    IpAddr::V4(a) => a.to_bits(),
                    IpAddr::V6(_) => 1,
                },
            ),
            (theirs.ip(), asn.1),
        )
    }
}

pub fn limit(routes_max: u32, action: rib::batch::LimitAction) -> Option<Limit> {
    Some(Limit { routes_max, action })
}

/// The state and info columns.
pub fn shown(status: &PeerStatus) -> String {
    let error = status.last_error.as_ref().map_or(String::new(), |e| format!(" {e}"));
    match status.proto {
        ProtoState::Down => format!("down{error}"),
        proto => format!("{} {}{error}", proto.word(), status.bgp_state),
    }
}

pub async fn until(peer: &PeerHandle, wanted: &str) {
    let mut status = peer.status.clone();
    let waited = tokio::time::timeout(PATIENCE, status.wait_for(|s| shown(s) == wanted)).await.is_ok();
    assert!(waited, "awaited {wanted:?}, is {:?}", shown(&peer.status.borrow()));
}

pub fn origin_as(set: &AttrSet) -> Option<u32> {
    AsPath::new(set.get(code::AS_PATH)?).last()
}
