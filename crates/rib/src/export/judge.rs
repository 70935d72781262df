//! Judging one path for one kind of neighbour: veto, rewrite, filter, in the order that the key says.
//!
//! What reads a route for a neighbour reads it here: the group that tells, and
//! `show route export`, `preexport` and `noexport`. There is no second way.
//!
//! In BIRD 1.6 the rewrite for the neighbour stands before the export filter,
//! which so sees our own AS, next hop and MED; in BIRD 2 it stands after it. The
//! order is a pair of steps picked by [`GroupKey::rewrite_before_filter`].
//!
//! Nothing of a single member is read here: that its own routes are not told back
//! to it, nor routes whose next hop it is, is the group's business.

use super::key::{GroupKey, MissingLladdr};
use super::rewrite;
use super::{ExportVerdict, Judged};
use crate::batch::ResolvedHop;
use filter::run::{Env, Policy, RouteView, Verdict, Written};
use filter::{Filter, Memory, Scratch};
use route::attr::code;
use route::attrs::{Local, SharedLocal};
use route::community::{self, communities};
use route::{
    AttrSet, AttrSetBuilder, Dest, Family, IfIndex, Iface, IfaceAddr, Ifaces, Prefix, RoaTables, Role, Source,
    SourceKind, Within,
};
use std::sync::Arc;

/// A path that is offered to a neighbour.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The prefix.
    pub net: Prefix,
    /// As it stands in the table.
    pub attrs: &'a AttrSet,
    /// Who gave it.
    pub source: &'a Source,
    /// Where packets go.
    pub hop: &'a ResolvedHop,
}

impl<'a> Offer<'a> {
    /// As a filter sees it, with the attributes that it has come to.
    fn view<'v>(&'v self, attrs: &'v AttrSet) -> RouteView<'v>
    where
        'a: 'v,
    {
        RouteView {
            roa: None,
            net: self.net,
            attrs,
            source: self.source,
            resolved: Some(&self.hop.to),
            igp_metric: self.hop.igp_metric,
        }
    }
}

/// A line for the log that judging leads to. Where BIRD names the protocol, the owner of the group puts the name in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// `print` in a filter; class info, no name.
    Printed(String),
    /// A run-time error of a filter; class error, no name.
    Failed(String),
    /// The route cannot be told; class error, with the name of the protocol.
    Untold(String),
}

/// What judging reads of links and addresses; comparable.
#[derive(PartialEq, Eq)]
pub(super) enum Read<'a> {
    Nothing,
    Networks(Vec<(IfIndex, &'a IfaceAddr)>),
    All(&'a Ifaces),
}

/// The second and third step of judging; the veto is always the first.
#[derive(Clone, Copy)]
enum Step {
    Rewrite,
    Filter,
}

const REWRITE_FIRST: [Step; 2] = [Step::Rewrite, Step::Filter];
const FILTER_FIRST: [Step; 2] = [Step::Filter, Step::Rewrite];

/// Judges paths for the neighbours of one group. Keeps its allocations from path to path.
pub struct Judge {
    key: Arc<GroupKey>,
    ifaces: Arc<Ifaces>,
    roas: Arc<RoaTables>,
    work: AttrSetBuilder,
    /// The local part of all that is sent.
    nothing: SharedLocal,
    scratch: Scratch,
    /// What the export filter has set of the path that is judged.
    written: Written,
    remarks: Vec<Remark>,
}

impl Judge {
    /// A judge by this key.
    pub fn new(key: Arc<GroupKey>, ifaces: Arc<Ifaces>) -> Self {
        let work = AttrSetBuilder::new(nothing_local());
        let nothing = nothing_local().into();
        let (scratch, written) = (Scratch::new(), Written::NOTHING);
        Self { key, ifaces, roas: Arc::default(), work, nothing, scratch, written, remarks: Vec::new() }
    }

    /// By what it judges.
    pub fn key(&self) -> &Arc<GroupKey> {
        &self.key
    }

    /// Links and addresses.
    pub fn ifaces(&self) -> &Ifaces {
        &self.ifaces
    }

    /// New links and addresses. Earlier judgements may be wrong from now on.
    pub fn set_ifaces(&mut self, ifaces: Arc<Ifaces>) {
        self.ifaces = ifaces;
    }

    /// New ROA tables. Earlier judgements may be wrong from now on.
    pub fn set_roas(&mut self, roas: Arc<RoaTables>) {
        self.roas = roas;
    }

    /// Judges by other ROA tables from now on; gives back those by which it has judged.
    pub(super) fn exchange_roas(&mut self, roas: Arc<RoaTables>) -> Arc<RoaTables> {
        std::mem::replace(&mut self.roas, roas)
    }

    /// What judging reads of links and addresses: for filters that ask for them all of it, for an internal neighbour in
    /// a VRF too, for IPv6 next hops which addresses lie on which link. Otherwise nothing.
    pub(super) fn reads_of<'a>(&self, ifaces: &'a Ifaces) -> Read<'a> {
        let asks = |f: &Filter| f.inputs.ifaces || f.inputs.resolved;
        let asks_vrf = self.key.within != Within::Machine && self.key.is_interior();
        if asks_vrf || matches!(&self.key.policy, Policy::Filter(f) if asks(f)) {
            return Read::All(ifaces);
        }
        let asks = self.key.family == Family::Ipv6 && self.key.missing_lladdr != MissingLladdr::Untouched;
        if !asks || self.key.link == IfIndex(0) {
            return Read::Nothing;
        }
        let networks = |l: &'a Iface| l.addrs.iter().map(move |a| (l.index, a)).filter(|(_, a)| a.addr.is_ipv6());
        Read::Networks(ifaces.iter().filter(|l| l.is_up()).flat_map(networks).collect())
    }

    /// Whether the same path comes to the same at any time, until a walk judges all paths again.
    pub(super) fn is_steady(&self) -> bool {
        !self.asks_roas()
    }

    /// Whether its filter asks a ROA or ASPA table.
    pub(super) fn asks_roas(&self) -> bool {
        matches!(&self.key.policy, Policy::Filter(f) if f.inputs.authorities())
    }

    /// What there is to log since the last call.
    pub fn take_remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }

    /// What was kept of an earlier judgement, if it holds for this path. `memory` is that of one attribute set, source and
    /// next hop.
    pub(super) fn recall<'m, T>(&mut self, memory: &'m mut Memory<T>, offer: &Offer<'_>) -> Option<&'m mut T> {
        memory.find(&mut self.scratch, offer.view(offer.attrs), Env { ifaces: &self.ifaces, roas: &self.roas })
    }

    /// Keeps what the last judgement came to, unless it holds for its path only.
    pub(super) fn keep<T>(&mut self, memory: &mut Memory<T>, result: T) {
        // What is given back is not kept, and judged again.
        let _ = memory.keep(&mut self.scratch, result);
    }

    /// What is sent for a path: canonical octets without a local part. `Err`: why nothing is.
    pub fn outgoing(&mut self, offer: &Offer<'_>) -> Result<AttrSet, ExportVerdict> {
        self.scratch.forget();
        if is_vetoed(&self.key, offer) {
            return Err(ExportVerdict::Vetoed);
        }
        match &self.key.policy {
            Policy::Reject => return Err(ExportVerdict::Filtered),
            Policy::Accept => self.work.reset_octets(offer.attrs.octets()),
            Policy::Filter(_) => self.work.reset_to(offer.attrs),
        }
        match self.pass(offer, |_, _| ()) {
            ExportVerdict::Accepted => {}
            refused => return Err(refused),
        }
        let untold = |why: &str| Remark::Untold(format!("{why} in route {}", offer.net));
        match rewrite::finish(&mut self.work, &self.key, &self.ifaces) {
            Ok(skipped) => self.remarks.extend(skipped.map(untold)),
            Err(why) => {
                self.remarks.push(untold(&why));
                return Err(ExportVerdict::Vetoed);
            }
        }
        Ok(AttrSet::from_canonical(self.work.octets(), self.nothing.clone()))
    }

    /// A path as the control socket shows it on its way to the neighbour.
    pub fn explain(&mut self, offer: &Offer<'_>) -> Judged {
        let (mut before_filter, mut before_rewrite) = (None, None);
        let rewrites_last = !self.key.rewrite_before_filter;
        self.work.reset_to(offer.attrs);
        self.scratch.forget();
        let verdict = match is_vetoed(&self.key, offer) {
            true => ExportVerdict::Vetoed,
            false => self.pass(offer, |step, work| match step {
                Step::Filter => before_filter = Some(work.build()),
                Step::Rewrite if rewrites_last => before_rewrite = Some(work.build()),
                Step::Rewrite => {}
            }),
        };
        // BIRD 2 shows what the filter made of it, not what is written into the message.
        let attrs = before_rewrite.unwrap_or_else(|| self.work.build());
        let (before_filter, anew) = (before_filter.unwrap_or_else(|| attrs.clone()), self.written.has_field());
        Judged { verdict, before_filter, anew, told: false, attrs }
    }

    /// The two steps in their order, behind the veto; `self.work` holds the attributes, and what comes of them.
    fn pass(&mut self, offer: &Offer<'_>, mut before: impl FnMut(Step, &AttrSetBuilder)) -> ExportVerdict {
        self.written = Written::NOTHING;
        let steps = if self.key.rewrite_before_filter { REWRITE_FIRST } else { FILTER_FIRST };
        for step in steps {
            before(step, &self.work);
            match step {
                Step::Rewrite => rewrite::rewrite(&mut self.work, &self.key, offer, self.written, &self.ifaces),
                Step::Filter => {
                    if self.filter(offer) == Verdict::Reject {
                        return ExportVerdict::Filtered;
                    }
                }
            }
        }
        ExportVerdict::Accepted
    }

    fn filter(&mut self, offer: &Offer<'_>) -> Verdict {
        let filter = match &self.key.policy {
            Policy::Accept => return Verdict::Accept,
            Policy::Reject => return Verdict::Reject,
            Policy::Filter(filter) => filter,
        };
        let attrs = self.work.build();
        let outcome =
            filter.run_noting(&mut self.scratch, offer.view(&attrs), Env { ifaces: &self.ifaces, roas: &self.roas });
        self.written = outcome.written;
        self.remarks.extend(outcome.printed.into_iter().map(Remark::Printed));
        self.remarks.extend(outcome.error.map(Remark::Failed));
        if let Some(changed) = &outcome.attrs {
            self.work.reset_to(changed);
        }
        outcome.verdict
    }
}

/// The local part of what is sent: none of it goes onto the wire, so it is the same for all.
fn nothing_local() -> Local {
    Local::new(SourceKind::Bgp, 0, Dest::Unreachable)
}

/// What the protocol keeps back before any filter is asked.
fn is_vetoed(key: &GroupKey, offer: &Offer<'_>) -> bool {
    // RFC 9234 5: what is for customers only goes neither up nor to peers.
    if key.role.is_some_and(Role::looks_up) && offer.attrs.get(code::ONLY_TO_CUSTOMER).is_some() {
        return true;
    }
    let Some(from) = &offer.source.bgp else {
        return false;
    };
    // RFC 4456 8: a router SHOULD ignore a route with its own CLUSTER_ID; the client is spared the octets.
    if key.internal && key.rr_client && has_cluster(offer.attrs, key.cluster_id) {
        return true;
    }
    if (key.interpret_communities || !key.llgr_aware) && is_forbidden_by_community(key, offer.attrs) {
        return true;
    }
    // RFC 4271 9.2: not from one internal peer to another, unless one of them is a client (RFC 4456 6).
    key.internal && from.internal && key.local_as == from.local_as && !key.rr_client && !from.rr_client
}

fn has_cluster(attrs: &AttrSet, cluster_id: u32) -> bool {
    let list = attrs.get(code::CLUSTER_LIST).unwrap_or_default();
    list.as_chunks::<4>().0.iter().any(|c| u32::from_be_bytes(*c) == cluster_id)
}

fn is_forbidden_by_community(key: &GroupKey, attrs: &AttrSet) -> bool {
    communities(attrs.get(code::COMMUNITY).unwrap_or_default()).any(|c| match c {
        community::NO_ADVERTISE => key.interpret_communities,
        community::NO_EXPORT => key.interpret_communities && !key.is_interior(),
        community::NO_EXPORT_SUBCONFED => key.interpret_communities && !key.internal,
        // RFC 9494 4.3: stale routes are not told to those who would take them for fresh.
        community::LLGR_STALE => !key.llgr_aware,
        _ => false,
    })
}
