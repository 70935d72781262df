//! A table with a few peers, for tests: short words for what peers do and for what can be seen.

#![allow(dead_code, reason = "each test file uses its part")]

use filter::run::Policy;
use rib::batch::{Act, ChangeBatch, ChannelSpec, Deed, Generation, ImportBatch, ImportRow, TableEvent, What};
use rib::batch::{Limit, NetId, Reading};
use rib::export::{Advance, Group, GroupKey, MemberId, MemberSpec, Part, Slot};
use rib::table::{Order, Reason, Table, TableSpec};
use rib::trace::Tracing;
use route::attr::code;
use route::attrs::Local;
use route::hop::Recursive;
use route::iface::{IfaceFlags, Scope};
use route::{
    AttrSet, AttrSetBuilder, BgpSource, ChannelId, Dest, Family, Hop, IfIndex, Iface, IfaceAddr, Ifaces, Moment,
    Prefix, ProtocolId, Resolved, Source, SourceId, SourceKind, Speaker, TableId,
};
use std::collections::HashMap;
use std::sync::Arc;

/// A table, its clock, and the generation of each channel. Channel n brings source n.
pub struct Lab {
    pub table: Table,
    pub now: Moment,
    pub events: Vec<TableEvent>,
    generations: HashMap<u32, u32>,
}

pub fn net(text: &str) -> Prefix {
    text.parse().expect("a prefix")
}

pub fn spec() -> ChannelSpec {
    ChannelSpec {
        family: Family::Ipv4,
        late_filter: None,
        keep_filtered: false,
        receive_limit: None,
        import_limit: None,
    }
}

pub trait Spec {
    fn keeping_filtered(self) -> Self;
}

impl Spec for ChannelSpec {
    fn keeping_filtered(self) -> Self {
        Self { keep_filtered: true, ..self }
    }
}

/// A BGP source as most sessions are: external, peer 10.0.0.n, router ID n.
pub fn bgp_source(n: u32) -> BgpSource {
    BgpSource::between(
        Speaker { addr: "10.0.0.254".parse().expect("an address"), asn: 65000, id: 254 },
        Speaker { addr: std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into(), asn: 65000 + n, id: n },
    )
}

pub fn source(n: u32, kind: SourceKind, bgp: Option<BgpSource>) -> Arc<Source> {
    Arc::new(Source {
        id: SourceId(n),
        protocol: ProtocolId(n),
        protocol_name: format!("p{n}").into(),
        kind,
        path_id: 0,
        bgp,
    })
}

/// eth0, number 2, with 192.168.0.254/24.
pub fn links() -> Ifaces {
    let flags = IfaceFlags { admin_up: true, link_up: true, ..Default::default() };
    let addr = IfaceAddr {
        addr: "192.168.0.254".parse().expect("an address"),
        prefix: net("192.168.0.0/24"),
        broadcast: None,
        peer: None,
        scope: Scope::Site,
        secondary: false,
    };
    let link =
        Iface { index: IfIndex(2), name: "eth0".into(), flags, mtu: 1500, master: IfIndex(0), addrs: vec![addr] };
    Ifaces::new(vec![link])
}

pub fn via(gateway: &str) -> Dest {
    Dest::Via(Hop::via(gateway.parse().expect("an address"), IfIndex(2)))
}

pub fn local(kind: SourceKind, preference: u32, dest: Dest) -> AttrSet {
    AttrSet::local_only(Local::new(kind, preference, dest))
}

/// A set of BGP attributes, built word by word.
pub struct Set(AttrSetBuilder);

pub fn bgp() -> Set {
    let mut b = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, via("192.168.0.1")));
    b.set(code::ORIGIN, &[0]);
    Set(b)
}

impl Set {
    pub fn path(mut self, asns: &[u32]) -> Self {
        let mut value = vec![2, asns.len() as u8];
        asns.iter().for_each(|a| value.extend_from_slice(&a.to_be_bytes()));
        self.0.set(code::AS_PATH, &value);
        self
    }

    pub fn local_pref(self, value: u32) -> Self {
        self.number(code::LOCAL_PREF, value)
    }

    pub fn med(self, value: u32) -> Self {
        self.number(code::MED, value)
    }

    pub fn number(mut self, code: u8, value: u32) -> Self {
        self.0.set_u32(code, value);
        self
    }

    pub fn octets(mut self, code: u8, value: &[u8]) -> Self {
        self.0.set(code, value);
        self
    }

    pub fn community(self, value: u32) -> Self {
        self.number(code::COMMUNITY, value)
    }

    pub fn preference(mut self, value: u32) -> Self {
        self.0.local.preference = value;
        self
    }

    pub fn dest(mut self, dest: Dest) -> Self {
        self.0.local.dest = dest;
        self
    }

    pub fn recursive(self, gateway: &str) -> Self {
        let gateway = gateway.parse().expect("an address");
        self.dest(Dest::Recursive(Recursive { gateway, table: TableId(0), link_local: None }))
    }

    pub fn build(self) -> AttrSet {
        self.0.build()
    }
}

impl Lab {
    pub fn new(family: Family) -> Self {
        Self::with(family, false)
    }

    pub fn sorted(family: Family) -> Self {
        Self::with(family, true)
    }

    /// A table of another number than 0.
    pub fn numbered(id: u32, family: Family) -> Self {
        Self::of(TableId(id), family, Order::Newest)
    }

    pub fn with(family: Family, sorted: bool) -> Self {
        Self::of(TableId(0), family, if sorted { Order::Sorted } else { Order::Newest })
    }

    fn of(id: TableId, family: Family, order: Order) -> Self {
        let spec = TableSpec { id, name: "master".into(), family, order };
        Self { table: Table::new(spec), now: Moment(0), events: Vec::new(), generations: HashMap::new() }
    }

    /// Channel n comes up; its BGP source n is [`bgp_source`].
    pub fn up(&mut self, n: u32, spec: ChannelSpec) {
        self.up_with(n, spec, source(n, SourceKind::Bgp, Some(bgp_source(n))));
    }

    pub fn up_as(&mut self, n: u32, kind: SourceKind, spec: ChannelSpec) {
        self.up_with(n, spec, source(n, kind, None));
    }

    /// Channel n comes up and brings what source `from` gives.
    pub fn up_from(&mut self, n: u32, from: u32, spec: ChannelSpec) {
        self.up_with(n, spec, source(from, SourceKind::Bgp, Some(bgp_source(from))));
    }

    pub fn up_with(&mut self, n: u32, spec: ChannelSpec, source: Arc<Source>) {
        *self.generations.entry(n).or_insert(0) += 1;
        self.act(n, Deed::Up(Box::new(spec)));
        self.act(n, Deed::Source(source));
    }

    pub fn act(&mut self, n: u32, deed: Deed) {
        let generation = Generation(self.generations.get(&n).copied().unwrap_or(0));
        let act = Act { channel: ChannelId(n), generation, deed };
        self.table.apply(act, self.now, &mut self.events);
    }

    pub fn row_from(&mut self, n: u32, from: u32, prefix: &str, what: What, set: Option<AttrSet>) {
        let row = ImportRow { net: net(prefix), source: SourceId(from), what };
        self.act(n, Deed::Import(ImportBatch { palette: set.into_iter().collect(), rows: vec![row] }));
    }

    pub fn row(&mut self, n: u32, prefix: &str, what: What, set: Option<AttrSet>) {
        self.row_from(n, n, prefix, what, set);
    }

    pub fn announce(&mut self, n: u32, prefix: &str, set: AttrSet) {
        self.row(n, prefix, What::Announce(0), Some(set));
    }

    pub fn announce_from(&mut self, n: u32, from: u32, prefix: &str, set: AttrSet) {
        self.row_from(n, from, prefix, What::Announce(0), Some(set));
    }

    pub fn withdraw(&mut self, n: u32, prefix: &str) {
        self.row(n, prefix, What::Withdraw, None);
    }

    pub fn withdraw_from(&mut self, n: u32, from: u32, prefix: &str) {
        self.row_from(n, from, prefix, What::Withdraw, None);
    }

    /// Works until nothing is left, in small slices.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            if !self.table.work(self.now, 7) {
                return;
            }
        }
        panic!("work has no end");
    }

    /// The paths of a prefix in their order: source, `*` for the best, `f` for filtered.
    pub fn paths(&self, prefix: &str) -> Vec<String> {
        let view = self.table.find(&net(prefix)).and_then(|id| self.table.show(id));
        let paths = view.map(|v| v.paths).unwrap_or_default();
        let flags = |p: &rib::table::PathView| match (p.best, p.filtered) {
            (true, _) => "*",
            (_, true) => "f",
            _ => "",
        };
        paths.iter().map(|p| format!("{}{}", p.source.id.0, flags(p))).collect()
    }

    pub fn reasons(&self, prefix: &str) -> Vec<Reason> {
        self.table.explain(self.table.find(&net(prefix)).expect("the prefix is there"))
    }

    pub fn hop(&self, prefix: &str) -> (Resolved, Option<u32>) {
        let id = self.table.find(&net(prefix)).expect("the prefix is there");
        let view = self.table.show(id).expect("the prefix is there");
        (view.paths[0].hop.to.clone(), view.paths[0].hop.igp_metric)
    }
}

/// The rows of a batch as text.
pub fn told(batch: &ChangeBatch) -> Vec<String> {
    let row = |row: &rib::batch::ChangeRow| {
        let paths: String =
            batch.paths_of(row).iter().map(|p| format!(" {}", batch.sources[p.source as usize].id.0)).collect();
        format!("{}{}{paths}", row.net, if paths.is_empty() { "" } else { " by" })
    };
    batch.rows.iter().map(row).collect()
}

/// A route as a neighbour gives it: through 192.168.0.1, which is its next hop.
pub fn given(path: &[u32]) -> AttrSet {
    bgp().path(path).octets(route::attr::code::NEXT_HOP, &[192, 168, 0, 1]).build()
}

/// Lines of both classes.
pub const ALL: Tracing = Tracing { routes: true, filters: true, channel: None };

/// External neighbours on eth0.
pub fn key(policy: Policy) -> GroupKey {
    GroupKey {
        policy,
        link: IfIndex(2),
        cluster_id: 1,
        ..GroupKey::external(Family::Ipv4, 65000, "192.168.0.254".parse().expect("an address"))
    }
}

/// A group, and what its members hear. Member n is protocol n at 192.168.0.n.
pub struct Told {
    pub group: Group,
    pub advance: Advance,
    said: Vec<String>,
}

impl Told {
    pub fn new(key: GroupKey) -> Self {
        let group = Group::new(Arc::new(key), Arc::new(links()));
        Self { group, advance: Advance::default(), said: Vec::new() }
    }

    pub fn join(&mut self, n: u32, tracing: Tracing, export_limit: Option<Limit>) -> Slot {
        let spec = MemberSpec {
            protocol: ProtocolId(n),
            name: format!("p{n}").into(),
            channel: ChannelId(n),
            generation: Generation(1),
            peer_addr: std::net::Ipv4Addr::new(192, 168, 0, n as u8).into(),
            export_limit,
            tracing,
        };
        self.group.join(MemberId(n), spec, None, None)
    }

    pub fn changes(&mut self, t: &mut Lab) {
        let batch = t.table.seal().expect("a change");
        self.group.take(&batch, Part::Changes, &mut self.advance);
        self.hear();
    }

    pub fn feed(&mut self, t: &Lab) {
        let (batch, next) = t.table.page(NetId(0), 1000, Reading::All);
        self.group.take(&batch, Part::Page { from: NetId(0), next }, &mut self.advance);
        self.hear();
    }

    fn hear(&mut self) {
        self.said.extend(self.advance.traces.take().0.iter().map(ToString::to_string));
    }

    pub fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }
}
