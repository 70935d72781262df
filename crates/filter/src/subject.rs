//! The route that a filter runs on: reading its attributes and changing them.
//!
//! Read straight from the received set until something is set; from then on from
//! a copy. Values borrowed from the set stay good, since the set itself never
//! changes.

use crate::dialect::Rules;
use crate::names::{Attr, AttrKind, Field};
use crate::operate::{self, Operated};
use crate::run::{Authorised, Env, RouteView, Written};
use crate::value::{EnumKind, Held, Value};
use route::attr::{code, origin};
use route::attrs::{AttrSetBuilder, Local, LocalAttr, LocalValue};
use route::iface::Scope;
use route::{AsPath, Dest, Hop, IfIndex, Prefix, Resolved, SourceKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// BIRD's highest preference.
const PREFERENCE_MAX: u32 = 0xffff;

/// A route under a filter; without one every access fails.
pub(crate) struct Subject<'a, 's> {
    route: Option<RouteView<'a>>,
    env: Env<'a>,
    builder: &'s mut Option<AttrSetBuilder>,
    changed: bool,
    written: Written,
    /// The filter has set where packets go: what was resolved counts no more.
    redirected: bool,
    /// The routes of which this one is made (`merge by`).
    merged: &'a [RouteView<'a>],
    rules: &'static Rules,
}

const NO_ROUTE: &str = "No route to access";

impl<'a, 's> Subject<'a, 's> {
    pub(crate) const fn new(
        route: Option<RouteView<'a>>,
        env: Env<'a>,
        builder: &'s mut Option<AttrSetBuilder>,
        rules: &'static Rules,
    ) -> Self {
        let (changed, redirected) = (false, false);
        Self { route, env, builder, changed, written: Written::NOTHING, redirected, merged: &[], rules }
    }

    /// The same, of a route that is made of these.
    pub(crate) const fn merging(self, merged: &'a [RouteView<'a>]) -> Self {
        Self { merged, ..self }
    }

    /// The routes of which this one is made.
    pub(crate) const fn merged(&self) -> &'a [RouteView<'a>] {
        self.merged
    }

    /// An attribute of one of them.
    pub(crate) fn of_merged(&self, place: u32, attr: Attr) -> Operated<Value<'a>> {
        let route = *self.merged.get(place as usize).ok_or(NO_ROUTE)?;
        let mut nothing = None;
        Subject::new(Some(route), self.env, &mut nothing, self.rules).get(attr)
    }

    /// One of them, or all of them, as BIRD prints them.
    pub(crate) fn merged_words(&self, value: &Value<'_>) -> String {
        let words = |route: &RouteView<'_>| {
            let (source, word) = (route.source, route.net.family().word());
            let name = &source.protocol_name;
            format!("Route [{}] to {} from {name}.{word} via {name}", source.id.0, route.net)
        };
        match value {
            Value::Route(place) => self.merged.get(*place as usize).map(words).unwrap_or_default(),
            _ => {
                let each = self.merged.iter().enumerate().map(|(at, route)| format!("{at}: {}", words(route)));
                format!("Block of routes: {}", each.collect::<Vec<_>>().join("; "))
            }
        }
    }

    pub(crate) const fn changed(&self) -> bool {
        self.changed
    }

    /// The attributes that were set, added to or taken away, whatever stood there.
    pub(crate) const fn written(&self) -> Written {
        self.written
    }

    /// The attributes as they are now, to be changed.
    fn edit(&mut self) -> Operated<&mut AttrSetBuilder> {
        let route = self.route.ok_or(NO_ROUTE)?;
        let fresh = !std::mem::replace(&mut self.changed, true);
        let builder = self.builder.get_or_insert_with(|| AttrSetBuilder::from_set(route.attrs));
        if fresh {
            builder.reset_to(route.attrs);
        }
        Ok(builder)
    }

    fn edited(&self) -> Option<&AttrSetBuilder> {
        if self.changed { self.builder.as_ref() } else { None }
    }

    /// The value of an attribute; void when the route is without it.
    pub(crate) fn get(&self, attr: Attr) -> Operated<Value<'a>> {
        let route = self.route.ok_or(NO_ROUTE)?;
        match attr {
            Attr::Field(field) => Ok(self.field(&route, field)),
            Attr::Bgp(code, kind) => Ok(match self.edited() {
                // Copied, since the next assignment changes the octets.
                Some(builder) => bgp_value(kind, builder.get(code)).into_owned(),
                None => bgp_value(kind, route.attrs.get(code)),
            }),
            Attr::Local(name, kind) => {
                let local = self.edited().map_or(route.attrs.local(), |b| &b.local);
                Ok(local_value(kind, local.extra(name)))
            }
        }
    }

    /// The prefix.
    pub(crate) fn net(&self) -> Operated<Prefix> {
        Ok(self.route.ok_or(NO_ROUTE)?.net)
    }

    /// Whether the route authorises others: it is of a ROA or ASPA table.
    pub(crate) fn is_authority(&self) -> bool {
        self.route.is_some_and(|route| route.roa.is_some())
    }

    /// Whether the net of the route is no prefix but an AS: it is of an ASPA table.
    pub(crate) fn is_customer(&self) -> bool {
        self.route.is_some_and(|route| matches!(route.roa, Some(Authorised::Customer(_))))
    }

    /// The last AS of the path as it is now, 0 when it is empty.
    pub(crate) fn origin(&self) -> Operated<u32> {
        let route = self.route.ok_or(NO_ROUTE)?;
        let path = match self.edited() {
            Some(builder) => builder.get(code::AS_PATH),
            None => route.attrs.get(code::AS_PATH),
        };
        Ok(AsPath::new(path.ok_or("Missing AS_PATH attribute")?).last().unwrap_or(0))
    }

    /// What a ROA table says of a prefix and an AS.
    pub(crate) fn roa_check(&self, table: &str, net: Prefix, asn: u32) -> Operated<Value<'a>> {
        let table = self.env.roas.get(table).ok_or("Missing ROA table")?;
        Ok(Value::Enum(EnumKind::Roa, table.check(net, asn) as u32))
    }

    /// What an ASPA table says of a path.
    pub(crate) fn aspa_check(&self, table: &str, path: &Value<'_>, upstream: &Value<'_>) -> Operated<Value<'static>> {
        let table = self.env.roas.aspas(table).ok_or("Missing ASPA table")?;
        let path = match path {
            Value::Path(octets) => AsPath::new(octets),
            Value::Void => AsPath::new(&[]),
            _ => return Err("Argument 1 of ASPA_CHECK_EXPLICIT must be of type bgppath"),
        };
        let Value::Bool(upstream) = upstream else {
            return Err("Argument 2 of ASPA_CHECK_EXPLICIT must be of type bool");
        };
        Ok(Value::Enum(EnumKind::Aspa, table.check(path, *upstream) as u32))
    }

    fn field(&self, route: &RouteView<'a>, field: Field) -> Value<'a> {
        let local = self.edited().map_or(route.attrs.local(), |b| &b.local);
        match field {
            Field::Net => match route.roa {
                None => Value::Prefix(route.net),
                Some(Authorised::Origin(roa)) => Value::Roa(Held::Ref(roa)),
                Some(Authorised::Customer(customer)) => Value::Customer(customer.0),
            },
            Field::Scope => Value::Enum(EnumKind::Scope, local.scope as u32),
            Field::Preference => Value::Int(local.preference),
            Field::From => Value::Ip(local.from.unwrap_or_else(|| self.no_address())),
            Field::Proto => Value::Text(Held::Ref(route.source.protocol_name.as_bytes())),
            Field::Source => Value::Enum(EnumKind::Source, local.kind as u32),
            Field::Cast => Value::Enum(EnumKind::Cast, 0),
            Field::Gw => {
                let gateway = self.way_out(local).and_then(|h| h.gateway);
                Value::Ip(gateway.unwrap_or_else(|| self.no_address()))
            }
            Field::Dest => Value::Enum(EnumKind::Dest, self.way(local).kind),
            // ROAs lead nowhere, not even to the end.
            Field::DestKind if self.is_authority() && !self.redirected => Value::Enum(EnumKind::Dest, 0),
            Field::DestKind => Value::Enum(EnumKind::Dest, self.way(local).kind_of_2()),
            Field::Weight => Value::Int(self.way(local).first.map_or(1, |hop| u32::from(hop.weight) + 1)),
            Field::Onlink => Value::Bool(self.way(local).first.is_some_and(|hop| hop.onlink)),
            Field::LocalMetric => route.igp_metric.map_or(Value::Void, Value::Int),
            Field::Ifindex => Value::Int(self.iface(local).0),
            Field::Ifname => {
                let link = self.env.ifaces.get(self.iface(local));
                Value::Text(Held::Ref(link.map_or(b"".as_slice(), |l| l.name.as_bytes())))
            }
        }
    }

    /// The way out whose gateway and link are read.
    fn way_out(&self, local: &Local) -> Option<Hop> {
        let way = self.way(local);
        if self.rules.first_way_counts { way.first } else { way.hop }
    }

    /// The address that stands for none: in the route's family, or where both are in one daemon that of IPv6.
    fn no_address(&self) -> IpAddr {
        match self.route.map(|r| r.net) {
            _ if self.rules.unmaps => Ipv6Addr::UNSPECIFIED.into(),
            Some(Prefix::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        }
    }

    /// Where packets go: what the destination resolved to, or what it says itself.
    fn way(&self, local: &Local) -> Way {
        let resolved = self.route.and_then(|r| r.resolved).filter(|_| !self.redirected);
        let carried = match &local.dest {
            Dest::Carried(carried) => Some(&carried.to),
            _ => None,
        };
        match (resolved.or(carried), &local.dest) {
            (Some(Resolved::Unicast(hop)), _) | (None, Dest::Via(hop)) => Way::unicast(*hop),
            (Some(Resolved::Multipath(hops)), _) | (None, Dest::Multipath(hops)) => {
                Way { kind: RTD_MULTIPATH, hop: None, first: hops.first().copied() }
            }
            (Some(Resolved::Blackhole), _) | (None, Dest::Blackhole) => Way::nowhere(2),
            (Some(Resolved::Prohibit), _) | (None, Dest::Prohibit) => Way::nowhere(4),
            (Some(Resolved::Unreachable), _) | (None, Dest::Unreachable | Dest::Recursive(_) | Dest::Carried(_)) => {
                Way::nowhere(3)
            }
        }
    }

    fn iface(&self, local: &Local) -> IfIndex {
        match self.way_out(local) {
            Some(Hop { iface: IfIndex(0), gateway: Some(gateway), .. }) => {
                self.env.ifaces.neighbor(gateway).map_or(IfIndex(0), |(link, _)| link.index)
            }
            Some(hop) => hop.iface,
            None => IfIndex(0),
        }
    }

    /// What changing the attributes costs, in pieces of 64 octets.
    pub(crate) fn pieces(&self) -> u32 {
        let octets = self.edited().map_or(0, |b| b.octets().len());
        u32::try_from(octets / 64 + 1).unwrap_or(u32::MAX)
    }

    /// Sets an attribute.
    pub(crate) fn set(&mut self, attr: Attr, value: Value<'_>) -> Operated<()> {
        self.route.ok_or(NO_ROUTE)?;
        match attr {
            Attr::Field(field) => self.set_field(field, &value),
            Attr::Bgp(code, kind) => self.set_bgp(code, kind, &value),
            Attr::Local(name, kind) => self.set_local(name, kind, &value),
        }
    }

    fn set_field(&mut self, field: Field, value: &Value<'_>) -> Operated<()> {
        const WRONG_TYPE: &str = "Attempt to set static attribute to incompatible type";
        self.written.add_field();
        match (field, value) {
            (Field::Preference, Value::Int(n)) if *n > PREFERENCE_MAX => {
                return Err("Setting preference value out of bounds");
            }
            (Field::Preference, Value::Int(n)) => self.edit()?.local.preference = *n,
            (Field::Preference, _) => return Err("Can't set preference to non-integer"),
            (Field::From, Value::Ip(a)) => self.edit()?.local.from = Some(*a),
            (Field::Scope, Value::Enum(EnumKind::Scope, n)) => self.edit()?.local.scope = scope(*n),
            (Field::Gw, Value::Ip(gateway)) => {
                let stays = |old: &Hop| old.onlink || (self.rules.first_way_counts && is_link_local(*gateway));
                let hop = match self.local()?.dest {
                    Dest::Via(old) if old.iface != IfIndex(0) && stays(&old) => Hop { gateway: Some(*gateway), ..old },
                    _ => {
                        let (link, _) = self.env.ifaces.neighbor(*gateway).ok_or("Invalid gw address")?;
                        Hop { weight: self.kept_weight()?, ..Hop::via(*gateway, link.index) }
                    }
                };
                self.redirect(Dest::Via(hop))?;
            }
            (Field::Weight, Value::Int(n)) => {
                let weight = n.checked_sub(1).and_then(|n| u8::try_from(n).ok());
                let weight = weight.ok_or("Setting weight value out of bounds")?;
                let dest = match self.local()?.dest.clone() {
                    Dest::Via(hop) => Dest::Via(Hop { weight, ..hop }),
                    Dest::Multipath(hops) => Dest::Multipath(hops.iter().map(|hop| Hop { weight, ..*hop }).collect()),
                    _ => return Err("Setting weight needs regular nexthop"),
                };
                self.redirect(dest)?;
            }
            (Field::Onlink, Value::Bool(onlink)) => {
                let Dest::Via(hop) = self.local()?.dest else { return Err("Setting onlink needs regular nexthop") };
                self.redirect(Dest::Via(Hop { onlink: *onlink, ..hop }))?;
            }
            (Field::Dest | Field::DestKind, Value::Enum(EnumKind::Dest, n)) => self.redirect(match n {
                2 => Dest::Blackhole,
                3 => Dest::Unreachable,
                4 => Dest::Prohibit,
                _ => return Err("Destination can be changed only to blackhole, unreachable or prohibit"),
            })?,
            (Field::Ifname, Value::Text(name)) => {
                let link = std::str::from_utf8(name).ok().and_then(|n| self.env.ifaces.by_name(n));
                let index = link.ok_or("Invalid iface name")?.index;
                let first = self.way(self.local()?).first.filter(|_| self.rules.first_way_counts);
                let kept = first.unwrap_or(Hop::dev(index));
                self.redirect(Dest::Via(Hop { gateway: None, iface: index, ..kept }))?;
            }
            _ => return Err(WRONG_TYPE),
        }
        Ok(())
    }

    /// The weight of a way that takes the place of those that there are.
    fn kept_weight(&self) -> Operated<u8> {
        let first = self.way(self.local()?).first.filter(|_| self.rules.first_way_counts);
        Ok(first.map_or(0, |hop| hop.weight))
    }

    /// The part beside BGP as it is now.
    fn local(&self) -> Operated<&Local> {
        let route = self.route.ok_or(NO_ROUTE)?;
        Ok(self.edited().map_or(route.attrs.local(), |b| &b.local))
    }

    fn redirect(&mut self, dest: Dest) -> Operated<()> {
        self.edit()?.local.dest = dest;
        self.redirected = true;
        Ok(())
    }

    fn set_bgp(&mut self, code: u8, kind: AttrKind, value: &Value<'_>) -> Operated<()> {
        self.written.add(code);
        let builder = self.edit()?;
        match (kind, value) {
            (AttrKind::Int, Value::Int(n) | Value::Enum(_, n)) => builder.set_u32(code, *n),
            (AttrKind::Enum(_) | AttrKind::Octet, Value::Int(n) | Value::Enum(_, n)) => match u8::try_from(*n) {
                Ok(n) if n <= origin::INCOMPLETE => builder.set(code, &[n]),
                _ => return Err("Invalid origin"),
            },
            (AttrKind::Quad, Value::Quad(n) | Value::Int(n)) => builder.set_u32(code, *n),
            (AttrKind::Quad, Value::Ip(IpAddr::V4(a))) => builder.set(code, &a.octets()),
            (AttrKind::Ip, Value::Ip(IpAddr::V4(a))) => builder.set(code, &a.octets()),
            (AttrKind::Ip, Value::Ip(IpAddr::V6(a))) => builder.set(code, &a.octets()),
            (AttrKind::Path, Value::Path(o))
            | (AttrKind::Clist, Value::Clist(o))
            | (AttrKind::Eclist, Value::Eclist(o))
            | (AttrKind::Lclist, Value::Lclist(o))
                if builder.local.kind == SourceKind::Bgp =>
            {
                builder.attach(code, o)
            }
            (AttrKind::Path, Value::Path(o))
            | (AttrKind::Clist, Value::Clist(o))
            | (AttrKind::Eclist, Value::Eclist(o))
            | (AttrKind::Lclist, Value::Lclist(o)) => builder.set(code, o),
            (AttrKind::Bytes, Value::Bytes(o)) if o.len() > operate::OCTETS_MAX => return Err(operate::TOO_LONG),
            (AttrKind::Bytes, Value::Bytes(o)) if builder.local.kind == SourceKind::Bgp => builder.attach(code, o),
            (AttrKind::Bytes, Value::Bytes(o)) => builder.set(code, o),
            _ => return Err(wrong_kind(kind)),
        }
        Ok(())
    }

    /// Adds an item to a list of such items, unless it is there: what `add` makes of the list, without making it.
    pub(crate) fn add(&mut self, code: u8, item: &[u8]) -> Operated<()> {
        let route = self.route.ok_or(NO_ROUTE)?;
        let list = match self.edited() {
            Some(builder) => builder.get(code),
            None => route.attrs.get(code),
        };
        let list = list.unwrap_or_default();
        let more = if list.chunks_exact(item.len()).any(|known| known == item) { &[] } else { item };
        if list.len() + more.len() > operate::OCTETS_MAX {
            return Err(operate::TOO_LONG);
        }
        self.written.add(code);
        let builder = self.edit()?;
        builder.extend(code, more, builder.local.kind == SourceKind::Bgp);
        Ok(())
    }

    fn set_local(&mut self, name: LocalAttr, kind: AttrKind, value: &Value<'_>) -> Operated<()> {
        let builder = self.edit()?;
        let value = match (kind, value) {
            (AttrKind::Bit(bit), Value::Bool(on)) => {
                let old = match builder.local.extra(name) {
                    Some(LocalValue::Int(n)) => *n,
                    _ => 0,
                };
                Some(LocalValue::Int(if *on { old | (1 << bit) } else { old & !(1 << bit) }))
            }
            (AttrKind::Int, Value::Int(n) | Value::Enum(_, n)) => Some(LocalValue::Int(*n)),
            (AttrKind::Quad, Value::Quad(n)) => Some(LocalValue::Int(*n)),
            (AttrKind::Quad, Value::Ip(IpAddr::V4(a))) => Some(LocalValue::Int(a.to_bits())),
            (AttrKind::Path, Value::Path(o))
            | (AttrKind::Clist, Value::Clist(o))
            | (AttrKind::Eclist, Value::Eclist(o))
            | (AttrKind::Lclist, Value::Lclist(o))
            | (AttrKind::Bytes, Value::Bytes(o)) => Some(LocalValue::Octets(Arc::from(&**o))),
            (AttrKind::Ip, Value::Ip(a)) => Some(LocalValue::Ip(*a)),
            (AttrKind::Text, Value::Text(t)) => Some(LocalValue::Text(Arc::from(&*String::from_utf8_lossy(t)))),
            (AttrKind::Bool, Value::Bool(on)) => Some(LocalValue::Int((*on).into())),
            (AttrKind::Pair, Value::Pair(n)) => Some(LocalValue::Int(*n)),
            (AttrKind::Enum(of), Value::Enum(kind, n)) if of == *kind => Some(LocalValue::Int(*n)),
            (AttrKind::Prefix, Value::Prefix(prefix)) => Some(LocalValue::Octets(prefix_octets(*prefix).into())),
            (AttrKind::Ec, Value::Ec(n)) => Some(LocalValue::Octets(Arc::new(n.to_be_bytes()))),
            (AttrKind::Lc, Value::Lc(n)) => Some(LocalValue::Octets(Arc::new(operate::lc_octets(*n)))),
            _ => return Err(wrong_kind(kind)),
        };
        builder.local.set_extra(name, value);
        Ok(())
    }

    /// Takes an attribute away; nothing happens when the route is without it.
    pub(crate) fn unset(&mut self, attr: Attr) -> Operated<()> {
        match attr {
            Attr::Bgp(code, _) => self.written.add(code),
            Attr::Field(_) => self.written.add_field(),
            Attr::Local(..) => {}
        }
        let builder = self.edit()?;
        match attr {
            Attr::Bgp(code, _) => builder.unset(code),
            // One bit of a number cannot be absent alone: the number goes, as in BIRD.
            Attr::Local(name, _) => builder.local.set_extra(name, None),
            Attr::Field(Field::Preference) => builder.local.preference = 0,
            Attr::Field(Field::From) => builder.local.from = None,
            Attr::Field(_) => {}
        }
        Ok(())
    }
}

/// RTD_MULTIPATH of 1.6.
const RTD_MULTIPATH: u32 = 5;

struct Way {
    /// RTD_* of 1.6.
    kind: u32,
    /// The only way out.
    hop: Option<Hop>,
    /// The first of one or several ways out.
    first: Option<Hop>,
}

impl Way {
    fn unicast(hop: Hop) -> Self {
        Self { kind: u32::from(hop.gateway.is_none()), hop: Some(hop), first: Some(hop) }
    }

    const fn nowhere(kind: u32) -> Self {
        Self { kind, hop: None, first: None }
    }

    /// RTD_* of 2, where all that leads out is unicast.
    const fn kind_of_2(&self) -> u32 {
        const UNICAST: u32 = 1;
        if self.first.is_some() { UNICAST } else { self.kind }
    }
}

const fn scope(number: u32) -> Scope {
    match number {
        0 => Scope::Host,
        1 => Scope::Link,
        2 => Scope::Site,
        3 => Scope::Organization,
        _ => Scope::Universe,
    }
}

/// fe80::/10.
fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(a) if a.is_unicast_link_local())
}

/// Octets as a value. Lists that are not there read as empty, as in BIRD; everything else as void.
fn bgp_value(kind: AttrKind, octets: Option<&[u8]>) -> Value<'_> {
    let number = |o: &[u8]| o.try_into().ok().map(u32::from_be_bytes);
    let list = Held::Ref(octets.unwrap_or_default());
    let value = match (kind, octets) {
        (AttrKind::Clist, _) => Some(Value::Clist(list)),
        (AttrKind::Eclist, _) => Some(Value::Eclist(list)),
        (AttrKind::Lclist, _) => Some(Value::Lclist(list)),
        (_, None) => None,
        (AttrKind::Path, Some(_)) => Some(Value::Path(list)),
        (AttrKind::Int, Some(o)) => number(o).map(Value::Int),
        (AttrKind::Octet, Some(o)) => o.first().map(|n| Value::Int((*n).into())),
        (AttrKind::Quad, Some(o)) => number(o).map(Value::Quad),
        (AttrKind::Enum(kind), Some(o)) => o.first().map(|n| Value::Enum(kind, (*n).into())),
        (AttrKind::Ip, Some(o)) => route::attrs::next_hop(o).map(|(a, _)| Value::Ip(a)),
        (AttrKind::Opaque, Some(_)) => Some(Value::Enum(EnumKind::Opaque, 0)),
        (AttrKind::Bytes, Some(_)) => Some(Value::Bytes(list)),
        (
            AttrKind::Text
            | AttrKind::Bit(_)
            | AttrKind::Bool
            | AttrKind::Pair
            | AttrKind::Prefix
            | AttrKind::Ec
            | AttrKind::Lc
            | AttrKind::Never(_),
            Some(_),
        ) => None,
    };
    value.unwrap_or(Value::Void)
}

/// A prefix as octets: its length, and its address.
fn prefix_octets(prefix: Prefix) -> Vec<u8> {
    let mut octets = vec![prefix.len()];
    match prefix.addr() {
        IpAddr::V4(a) => octets.extend(a.octets()),
        IpAddr::V6(a) => octets.extend(a.octets()),
    }
    octets
}

fn prefix_of(octets: &[u8]) -> Option<Prefix> {
    let (len, addr) = octets.split_first()?;
    let addr = match <[u8; 4]>::try_from(addr) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(addr).ok()?),
    };
    Prefix::new(addr, *len)
}

/// The value of an attribute that is not BGP's; void when the route is without it.
pub(crate) fn local_value(kind: AttrKind, value: Option<&LocalValue>) -> Value<'static> {
    match (kind, value) {
        (AttrKind::Bit(bit), Some(LocalValue::Int(n))) => Value::Bool(n >> bit & 1 == 1),
        (AttrKind::Bool, Some(LocalValue::Int(n))) => Value::Bool(*n != 0),
        (AttrKind::Pair, Some(LocalValue::Int(n))) => Value::Pair(*n),
        (AttrKind::Enum(kind), Some(LocalValue::Int(n))) => Value::Enum(kind, *n),
        (AttrKind::Quad, Some(LocalValue::Int(n))) => Value::Quad(*n),
        (AttrKind::Prefix, Some(LocalValue::Octets(o))) => prefix_of(o).map_or(Value::Void, Value::Prefix),
        (AttrKind::Ec, Some(LocalValue::Octets(o))) => {
            <[u8; 8]>::try_from(&**o).map_or(Value::Void, |o| Value::Ec(u64::from_be_bytes(o)))
        }
        (AttrKind::Lc, Some(LocalValue::Octets(o))) => operate::lc_of(o),
        (_, Some(LocalValue::Octets(o))) => {
            let octets = Held::own(o.to_vec());
            match kind {
                AttrKind::Path => Value::Path(octets),
                AttrKind::Clist => Value::Clist(octets),
                AttrKind::Eclist => Value::Eclist(octets),
                AttrKind::Lclist => Value::Lclist(octets),
                _ => Value::Bytes(octets),
            }
        }
        (_, Some(LocalValue::Int(n))) => Value::Int(*n),
        (_, Some(LocalValue::Ip(a))) => Value::Ip(*a),
        (_, Some(LocalValue::Text(t))) => Value::Text(Held::own(t.as_bytes().to_vec())),
        (_, None) => Value::Void,
    }
}

const fn wrong_kind(kind: AttrKind) -> &'static str {
    match kind {
        AttrKind::Int | AttrKind::Octet | AttrKind::Enum(_) => "Setting int attribute to non-int value",
        AttrKind::Quad => "Setting quad attribute to non-quad value",
        AttrKind::Ip => "Setting ip attribute to non-ip value",
        AttrKind::Text => "Setting string attribute to non-string value",
        AttrKind::Path => "Setting path attribute to non-path value",
        AttrKind::Clist => "Setting clist attribute to non-clist value",
        AttrKind::Eclist => "Setting eclist attribute to non-eclist value",
        AttrKind::Lclist => "Setting lclist attribute to non-lclist value",
        AttrKind::Bit(_) => "Setting bit in bitfield attribute to non-bool value",
        AttrKind::Bytes => "Setting bytestring attribute to non-bytestring value",
        AttrKind::Bool => "Setting bool attribute to non-bool value",
        AttrKind::Pair => "Setting pair attribute to non-pair value",
        AttrKind::Prefix => "Setting prefix attribute to what is no IP prefix",
        AttrKind::Ec => "Setting ec attribute to non-ec value",
        AttrKind::Never(_) => "Setting an attribute of a type that no attribute holds",
        AttrKind::Lc => "Setting lc attribute to non-lc value",
        AttrKind::Opaque => "Setting opaque attribute is not allowed",
    }
}
