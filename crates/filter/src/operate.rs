//! Operators on values, with BIRD's results and BIRD's words when there is none.
//!
//! Types are checked here, when a filter runs, since BIRD 1.6 does so: `1 = "1"`
//! is FALSE and `1 < 1.2.3.4` is an error of the route at hand.

use crate::ast::{Arith, EcKind, Method};
use crate::dialect::Rules;
use crate::set::Set;
use crate::syntax::hexadecimal;
use crate::value::{EnumKind, Held, Type, Value};
use route::aspath::segment;
use route::community::LargeCommunity;
use route::{AsPath, Prefix};
use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A result, or BIRD's words for why there is none.
pub type Operated<T> = Result<T, &'static str>;

/// The order of two values of one type; `None` when they have none.
pub fn compare(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    Some(match (a, b) {
        // What is not there is less than anything.
        (Value::Void, Value::Void) => Ordering::Equal,
        (Value::Void, _) => Ordering::Less,
        (_, Value::Void) => Ordering::Greater,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) | (Value::Pair(a), Value::Pair(b)) | (Value::Quad(a), Value::Quad(b)) => {
            a.cmp(b)
        }
        (Value::Enum(ka, a), Value::Enum(kb, b)) if ka == kb => a.cmp(b),
        (Value::Ec(a), Value::Ec(b)) => a.cmp(b),
        (Value::Lc(a), Value::Lc(b)) => a.cmp(b),
        // An IPv4 address stands where its mapped one does.
        (Value::Ip(a), Value::Ip(b)) if a.is_ipv4() != b.is_ipv4() => mapped(*a).cmp(&mapped(*b)),
        (Value::Ip(a), Value::Ip(b)) => a.cmp(b),
        (Value::Prefix(a), Value::Prefix(b)) => a.cmp(b),
        (Value::Roa(a), Value::Roa(b)) if a.prefix.addr().is_ipv4() == b.prefix.addr().is_ipv4() => {
            (a.prefix, a.max_len, a.asn).cmp(&(b.prefix, b.max_len, b.asn))
        }
        (Value::Customer(a), Value::Customer(b)) => a.cmp(b),
        (a, b) if a.kind() == Type::Prefix && b.kind() == Type::Prefix => net_type(a).cmp(&net_type(b)),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Quad(a), Value::Ip(IpAddr::V4(b))) => a.cmp(&b.to_bits()),
        (Value::Ip(IpAddr::V4(a)), Value::Quad(b)) => a.to_bits().cmp(b),
        _ => return None,
    })
}

/// The number of what kind of network it is (NET_*); `None` of what is none.
fn net_type(value: &Value<'_>) -> Option<u32> {
    Some(match value {
        Value::Prefix(p) => 2 - u32::from(p.addr().is_ipv4()),
        Value::Roa(roa) => 6 - u32::from(roa.prefix.addr().is_ipv4()),
        Value::Customer(_) => 12,
        _ => return None,
    })
}

const fn mapped(addr: IpAddr) -> Ipv6Addr {
    match addr {
        IpAddr::V4(a) => a.to_ipv6_mapped(),
        IpAddr::V6(a) => a,
    }
}

/// Whether two values are the same; values of different types never are.
pub fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match compare(a, b) {
        Some(order) => order == Ordering::Equal,
        None => a == b,
    }
}

/// `a < b`, or with `or_equal` `a <= b`.
pub fn less(a: &Value<'_>, b: &Value<'_>, or_equal: bool) -> Operated<bool> {
    let order = compare(a, b).ok_or("Can't compare values of incompatible types")?;
    Ok(order == Ordering::Less || or_equal && order == Ordering::Equal)
}

/// `a ~ b`; `None` when the two types do not go together.
pub fn matches(a: &Value<'_>, b: &Value<'_>, rules: &Rules) -> Option<bool> {
    Some(match (a, b) {
        (Value::Int(n), Value::Clist(list)) if rules.loose_lists => chunks::<4>(list).any(|c| c == n.to_be_bytes()),
        (Value::Quad(n), Value::Set(set)) if rules.loose_lists && set.is_of(Type::Ip) => {
            set.contains_value(&quad_ip(*n))
        }
        (Value::Clist(list), Value::Set(set)) if has_loose(set, rules) => {
            chunks::<4>(list).any(|c| has_community(set, c, rules))
        }
        (Value::Roa(roa), Value::PrefixSet(set)) => set.contains(&roa.prefix),
        (Value::Customer(_), Value::PrefixSet(_)) | (Value::Ip(_), Value::Customer(_)) => false,
        (Value::Ip(addr), Value::Roa(roa)) => roa.prefix.contains(*addr),
        (Value::Roa(inner), Value::Roa(outer)) => outer.prefix.covers(&inner.prefix),
        (a, b) if a.kind() == Type::Prefix && b.kind() == Type::Prefix && net_type(a) != net_type(b) => false,
        (Value::Path(path), Value::Mask(mask)) => mask.matches(AsPath::new(path), rules.loose_sets),
        (Value::Int(asn), Value::Path(path)) => AsPath::new(path).asns().any(|a| a == *asn),
        (Value::Pair(n) | Value::Quad(n), Value::Clist(list)) => chunks::<4>(list).any(|c| c == n.to_be_bytes()),
        (Value::Ip(IpAddr::V4(a)), Value::Clist(list)) => chunks::<4>(list).any(|c| c == a.octets()),
        (Value::Ec(n), Value::Eclist(list)) => chunks::<8>(list).any(|c| c == n.to_be_bytes()),
        (Value::Lc(n), Value::Lclist(list)) => chunks::<12>(list).any(|c| c == lc_octets(*n)),
        (Value::Text(text), Value::Text(pattern)) => glob(pattern, text),
        (Value::Ip(addr), Value::Prefix(prefix)) => prefix.contains(*addr),
        (Value::Prefix(inner), Value::Prefix(outer)) => outer.covers(inner),
        (Value::Prefix(prefix), Value::PrefixSet(set)) => set.contains(prefix),
        (Value::Path(path), Value::Set(set)) if set.is_of(Type::Int) => set.contains_one(AsPath::new(path).asns()),
        // A set of something else is searched for numbers all the same, and has none.
        (Value::Path(_), Value::Set(_)) => false,
        (Value::Clist(list), Value::Set(set)) if set.is_of(Type::Pair) => {
            chunks::<4>(list).any(|c| has_community(set, c, rules))
        }
        (Value::Eclist(list), Value::Set(set)) if set.is_of(Type::Ec) => {
            chunks::<8>(list).any(|c| set.contains_value(&ec_of(c)))
        }
        (Value::Lclist(list), Value::Set(set)) if set.is_of(Type::Lc) => {
            chunks::<12>(list).any(|c| set.contains_value(&lc_of(&c)))
        }
        // A literal quad is an address in IPv4.
        (Value::Quad(n), Value::Set(set)) => {
            return set.find(a).or_else(|| set.find(&quad_ip(*n)));
        }
        (_, Value::Set(set)) => return set.find(a),
        _ => return None,
    })
}

/// `a + b` and its like: numbers of 32 bits that wrap.
pub fn arith(op: Arith, a: &Value<'_>, b: &Value<'_>) -> Operated<Value<'static>> {
    if a.kind() != b.kind() {
        return Err("Can't operate with values of incompatible types");
    }
    let (Value::Int(a), Value::Int(b)) = (a, b) else {
        return Err(match a {
            Value::Void => "Can't operate with values of type void",
            _ => "Usage of unknown type",
        });
    };
    Ok(Value::Int(match op {
        Arith::Add => a.wrapping_add(*b),
        Arith::Subtract => a.wrapping_sub(*b),
        Arith::Multiply => a.wrapping_mul(*b),
        Arith::Divide => a.checked_div(*b).ok_or("Mother told me not to divide by 0")?,
        Arith::BitAnd => a & b,
        Arith::BitOr => a | b,
    }))
}

/// `(a,b)`.
pub fn pair(a: &Value<'_>, b: &Value<'_>) -> Operated<Value<'static>> {
    let (Value::Int(a), Value::Int(b)) = (a, b) else {
        return Err("Can't operate with value of non-integer type in pair constructor");
    };
    match (u16::try_from(*a), u16::try_from(*b)) {
        (Ok(a), Ok(b)) => Ok(Value::Pair((u32::from(a) << 16) | u32::from(b))),
        _ => Err("Can't operate with value out of bounds in pair constructor"),
    }
}

/// `(rt, a, b)`.
pub fn ec(kind: EcKind, key: &Value<'_>, value: &Value<'_>) -> Operated<Value<'static>> {
    let Value::Int(value) = value else {
        return Err("Can't operate with value of non-integer type in EC constructor");
    };
    if !matches!(key, Value::Int(_) | Value::Quad(_) | Value::Ip(IpAddr::V4(_))) {
        return Err("Can't operate with key of non-integer/IPv4 type in EC constructor");
    }
    let made = ec_octets(kind, key, *value);
    made.map(Value::Ec).ok_or(EC_BOUNDS)
}

/// What BIRD 1.6 says of a value that does not fit beside its key.
pub const EC_BOUNDS: &str = "Can't operate with value out of bounds in EC constructor";

/// What BIRD 2 says of it.
pub fn ec_bounds(key: &Value<'_>, value: &Value<'_>) -> String {
    let key = if matches!(key, Value::Int(_)) { "4-byte ASN" } else { "IP-address key" };
    format!("4-byte value {value} can't be used with {key} in extended community")
}

/// The eight octets of an extended community (RFC 4360 3, RFC 5668 2); `None` when the value does not fit.
pub fn ec_octets(kind: EcKind, key: &Value<'_>, value: u32) -> Option<u64> {
    let low16 = || u16::try_from(value).ok();
    let long = |form: u64, typed: u16, key: u32| {
        Some((form << 56) | (u64::from(typed) << 48) | (u64::from(key) << 16) | u64::from(low16()?))
    };
    match (kind, key) {
        (EcKind::Generic, Value::Int(key)) => Some((u64::from(*key) << 32) | u64::from(value)),
        (EcKind::Typed(typed), Value::Int(key)) => match u16::try_from(*key) {
            Ok(key) => Some((u64::from(typed) << 48) | (u64::from(key) << 32) | u64::from(value)),
            Err(_) => long(2, typed, *key),
        },
        (EcKind::Typed(typed), Value::Quad(key)) => long(1, typed, *key),
        (EcKind::Typed(typed), Value::Ip(IpAddr::V4(key))) => long(1, typed, key.to_bits()),
        _ => None,
    }
}

/// `(a, b, c)`.
pub fn lc(a: &Value<'_>, b: &Value<'_>, c: &Value<'_>) -> Operated<Value<'static>> {
    match (a, b, c) {
        (Value::Int(a), Value::Int(b), Value::Int(c)) => Ok(Value::Lc(LargeCommunity(*a, *b, *c))),
        _ => Err("LC - Can't operate with value of non-integer type in tuple constructor"),
    }
}

/// What stands behind a dot.
pub fn member<'a>(
    method: Method,
    subject: Value<'a>,
    argument: Option<Value<'a>>,
    rules: &Rules,
) -> Operated<Value<'a>> {
    let path = || match &subject {
        Value::Path(octets) => Ok(AsPath::new(octets)),
        _ => Err("AS path expected"),
    };
    Ok(match method {
        Method::Len => Value::Int(match &subject {
            Value::Prefix(p) => p.len().into(),
            Value::Roa(roa) => roa.prefix.len().into(),
            Value::Customer(_) => 32,
            Value::Path(octets) => AsPath::new(octets).hop_count(),
            Value::Clist(octets) => (octets.len() / 4) as u32,
            Value::Eclist(octets) => (octets.len() / 8) as u32,
            Value::Lclist(octets) => (octets.len() / 12) as u32,
            _ => return Err("Prefix, path, clist or eclist expected"),
        }),
        Method::Ip => match subject {
            Value::Prefix(p) => Value::Ip(p.addr()),
            Value::Roa(roa) => Value::Ip(roa.prefix.addr()),
            Value::Customer(_) => Value::Ip(Ipv6Addr::UNSPECIFIED.into()),
            _ => return Err("Prefix expected"),
        },
        Method::Asn => Value::Int(match subject {
            Value::Pair(n) => n >> 16,
            Value::Lc(LargeCommunity(asn, ..)) => asn,
            Value::Roa(roa) => roa.asn,
            Value::Customer(asn) => asn,
            Value::Prefix(_) => return Err("ROA expected"),
            _ => return Err("Net, pair or lc expected"),
        }),
        Method::Data => match subject {
            Value::Pair(n) => Value::Int(n & 0xffff),
            _ => return Err("Pair expected"),
        },
        Method::Data1 | Method::Data2 => match subject {
            Value::Lc(LargeCommunity(_, one, two)) => Value::Int(if method == Method::Data1 { one } else { two }),
            _ => return Err("Large community expected"),
        },
        Method::Maxlen => match subject {
            Value::Roa(roa) => Value::Int(roa.max_len.into()),
            _ => return Err("ROA expected"),
        },
        Method::Src | Method::Dst => return Err("Flow or SADR expected"),
        Method::Type => Value::Enum(EnumKind::NetType, net_type(&subject).ok_or("Can't determine type of this item")?),
        Method::IsV4 => match subject {
            Value::Ip(addr) => Value::Bool(addr.is_ipv4()),
            _ => return Err("IP address expected"),
        },
        Method::Min | Method::Max => extreme(&subject, method == Method::Max)?,
        Method::Empty => subject.kind().empty().ok_or("Path or list expected")?,
        Method::Append => match (subject, argument) {
            (Value::Text(a), Some(Value::Text(b))) => Value::Text(sendable([&*a, &*b].concat())?),
            (Value::Bytes(a), Some(Value::Bytes(b))) => Value::Bytes(sendable([&*a, &*b].concat())?),
            _ => return Err("Only strings and bytestrings can be appended"),
        },
        Method::First => Value::Int(path()?.first().unwrap_or(0)),
        Method::Last => Value::Int(path()?.last().unwrap_or(0)),
        Method::LastNonaggregated => Value::Int(last_nonaggregated(path()?)),
        Method::Mask => mask(&subject, argument.as_ref())?,
        Method::Prepend => match (&subject, argument) {
            (Value::Path(octets), Some(Value::Int(asn))) => {
                Value::Path(sendable(AsPath::new(octets).prepended(segment::AS_SEQUENCE, asn))?)
            }
            (Value::Path(_), _) => return Err("Can't prepend non-integer"),
            _ => return Err("Can't prepend to non-path"),
        },
        Method::Add | Method::Delete | Method::Filter => {
            return edit(method, subject, &argument.unwrap_or(Value::Void), rules);
        }
    })
}

/// The longest list that an attribute holds.
pub(crate) const OCTETS_MAX: usize = u16::MAX as usize;
/// BIRD's words for one that is longer.
pub(crate) const TOO_LONG: &str = "List too long";

/// Octets of our own, unless no message could carry them.
fn sendable<'a>(octets: Vec<u8>) -> Operated<Held<'a, [u8]>> {
    if octets.len() > OCTETS_MAX { Err(TOO_LONG) } else { Ok(Held::own(octets)) }
}

/// The last AS before the first set.
fn last_nonaggregated(path: AsPath<'_>) -> u32 {
    let sequences = path.segments().take_while(|s| s.kind != segment::AS_SET && s.kind != segment::AS_CONFED_SET);
    sequences.filter_map(|s| s.asns().next_back()).last().unwrap_or(0)
}

fn mask(subject: &Value<'_>, len: Option<&Value<'_>>) -> Operated<Value<'static>> {
    let Some(Value::Int(len)) = len else { return Err("Integer expected") };
    let Value::Ip(addr) = subject else { return Err("You can mask only IP addresses") };
    Ok(Value::Ip(match addr {
        // BIRD shifts by what the processor makes of the length: by its last five bits.
        IpAddr::V4(a) => {
            let mask = if *len == 0 { 0 } else { !((1u32 << (32u32.wrapping_sub(*len) & 31)) - 1) };
            Ipv4Addr::from_bits(a.to_bits() & mask).into()
        }
        // A length beyond the address masks all of it.
        IpAddr::V6(_) => match u8::try_from(*len).ok().and_then(|len| Prefix::new(*addr, len)) {
            Some(p) => p.addr(),
            None => Ipv6Addr::UNSPECIFIED.into(),
        },
    }))
}

/// A list with one item more, unless it is there: one allocation, or none.
fn with_item<'a, const N: usize>(list: Held<'a, [u8]>, item: [u8; N]) -> Operated<Held<'a, [u8]>> {
    if chunks::<N>(&list).any(|o| o == item) {
        return Ok(list);
    }
    if list.len() + N > OCTETS_MAX {
        return Err(TOO_LONG);
    }
    Ok(Held::Own(list.iter().chain(&item).copied().collect()))
}

/// `add`, `delete`, `filter` of paths and lists.
fn edit<'a>(method: Method, subject: Value<'a>, argument: &Value<'_>, rules: &Rules) -> Operated<Value<'a>> {
    let subject = match (method, subject, argument) {
        (Method::Add, Value::Clist(list), Value::Pair(n)) => return with_item(list, n.to_be_bytes()).map(Value::Clist),
        (Method::Add, Value::Eclist(list), Value::Ec(n)) => return with_item(list, n.to_be_bytes()).map(Value::Eclist),
        (Method::Add, Value::Lclist(list), Value::Lc(n)) => return with_item(list, lc_octets(*n)).map(Value::Lclist),
        (_, subject, _) => subject,
    };
    match subject {
        Value::Path(octets) => edit_path(method, &octets, argument).and_then(sendable).map(Value::Path),
        Value::Clist(octets) => {
            let item = match argument {
                Value::Pair(n) | Value::Quad(n) => Edit::One(n.to_be_bytes()),
                Value::Ip(IpAddr::V4(a)) => Edit::One(a.octets()),
                Value::Int(n) if rules.loose_lists => Edit::One(n.to_be_bytes()),
                Value::Set(set) if set.is_of(Type::Pair) || has_loose(set, rules) => Edit::Set(set),
                Value::Clist(list) => Edit::List(list),
                _ => return Err("Can't add/delete non-pair"),
            };
            edit_list(method, &octets, &item, |set, c| has_community(set, c, rules), "Can't filter pair")
                .and_then(sendable)
                .map(Value::Clist)
        }
        Value::Eclist(octets) => {
            let item = match argument {
                Value::Ec(n) => Edit::One(n.to_be_bytes()),
                Value::Set(set) if set.is_of(Type::Ec) => Edit::Set(set),
                Value::Eclist(list) => Edit::List(list),
                _ => return Err("Can't add/delete non-ec"),
            };
            let has = |set: &Set, c| set.contains_value(&ec_of(c));
            edit_list(method, &octets, &item, has, "Can't filter ec").and_then(sendable).map(Value::Eclist)
        }
        Value::Lclist(octets) => {
            let item = match argument {
                Value::Lc(n) => Edit::One(lc_octets(*n)),
                Value::Set(set) if set.is_of(Type::Lc) => Edit::Set(set),
                Value::Lclist(list) => Edit::List(list),
                _ => return Err("Can't add/delete non-lc"),
            };
            let has = |set: &Set, c: [u8; 12]| set.contains_value(&lc_of(&c));
            edit_list(method, &octets, &item, has, "Can't filter lc").and_then(sendable).map(Value::Lclist)
        }
        _ => Err("Can't add/delete to non-[e|l]clist"),
    }
}

enum Edit<'a, const N: usize> {
    One([u8; N]),
    Set(&'a Set),
    List(&'a [u8]),
}

fn edit_list<const N: usize>(
    method: Method,
    octets: &[u8],
    item: &Edit<'_, N>,
    in_set: impl Fn(&Set, [u8; N]) -> bool,
    no_filter: &'static str,
) -> Operated<Vec<u8>> {
    let has = |list: &[u8], c: [u8; N]| chunks::<N>(list).any(|o| o == c);
    if method == Method::Add {
        let mut out = octets.to_vec();
        match item {
            Edit::One(c) if !has(octets, *c) => out.extend_from_slice(c),
            Edit::One(_) => {}
            Edit::List(list) => chunks::<N>(list).filter(|c| !has(octets, *c)).for_each(|c| out.extend_from_slice(&c)),
            Edit::Set(_) => return Err("Can't add set"),
        }
        return Ok(out);
    }
    let keep = method == Method::Filter;
    if keep && matches!(item, Edit::One(_)) {
        return Err(no_filter);
    }
    let named = |c: &[u8; N]| match item {
        Edit::One(one) => c == one,
        Edit::Set(set) => in_set(set, *c),
        Edit::List(list) => has(list, *c),
    };
    Ok(chunks::<N>(octets).filter(|c| named(c) == keep).flatten().collect())
}

/// Takes ASes out of a path, or all others. Segments that become empty go.
fn edit_path(method: Method, octets: &[u8], argument: &Value<'_>) -> Operated<Vec<u8>> {
    let named = |asn: u32| match argument {
        Value::Int(n) => asn == *n,
        Value::Set(set) => set.contains_value(&Value::Int(asn)),
        _ => false,
    };
    match (method, argument) {
        (Method::Add, _) => return Err("Can't add to path"),
        (Method::Filter, Value::Int(_)) => return Err("Can't filter integer"),
        (_, Value::Int(_)) => {}
        (_, Value::Set(set)) if set.is_of(Type::Int) => {}
        _ => return Err("Can't delete non-integer (set)"),
    }
    let keep = method == Method::Filter;
    let mut out = Vec::with_capacity(octets.len());
    for s in AsPath::new(octets).segments() {
        let start = out.len();
        out.extend_from_slice(&[s.kind, 0]);
        let mut count = 0u8;
        for asn in s.asns().filter(|a| named(*a) == keep) {
            out.extend_from_slice(&asn.to_be_bytes());
            count = count.saturating_add(1);
        }
        match out.get_mut(start + 1) {
            Some(place) if count > 0 => *place = count,
            _ => out.truncate(start),
        }
    }
    Ok(out)
}

fn chunks<const N: usize>(octets: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    octets.as_chunks::<N>().0.iter().copied()
}

/// Communities in sets are written as pairs or as quads, which in IPv4 are addresses; in dialect 2 also as numbers.
fn has_community(set: &Set, octets: [u8; 4], rules: &Rules) -> bool {
    let n = u32::from_be_bytes(octets);
    set.contains_value(&Value::Pair(n))
        || set.contains_value(&Value::Quad(n))
        || set.contains_value(&quad_ip(n))
        || has_loose(set, rules) && set.contains_value(&Value::Int(n))
}

/// Whether a set is one of numbers or of IPv4 addresses, and those are communities too.
fn has_loose(set: &Set, rules: &Rules) -> bool {
    rules.loose_lists && !set.is_empty() && (set.is_of(Type::Int) || set.is_of(Type::Ip))
}

/// The address of the octets of a quad.
fn quad_ip(quad: u32) -> Value<'static> {
    Value::Ip(Ipv4Addr::from_bits(quad).into())
}

/// A value as it is looked for among labels of `case`.
pub fn as_member<'a>(value: Value<'a>, rules: &Rules) -> Value<'a> {
    match value {
        Value::Quad(n) if rules.loose_lists => quad_ip(n),
        value => value,
    }
}

/// Whether a value is a list without members.
pub fn is_empty_list(value: &Value<'_>) -> bool {
    matches!(value, Value::Path(o) | Value::Clist(o) | Value::Eclist(o) | Value::Lclist(o) if o.is_empty())
}

/// The text of a value, as `format` of the later releases of 2.x gives it.
pub fn format(value: &Value<'_>, rules: &Rules) -> String {
    match value {
        Value::Set(set) => set.without_overlaps().to_string(),
        value => value.written(rules.brackets).to_string(),
    }
}

/// The octets of a text: two digits each, between them anything that is neither letter nor digit.
pub fn from_hex(text: &[u8]) -> Operated<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|c| !matches!(c, b' ' | b'\t' | b':' | b'-' | b'.')).collect();
    hexadecimal(&digits).ok_or("Invalid hex string")
}

/// What a loop over a value takes in turn.
pub fn items<'a>(value: &Value<'_>) -> Option<Vec<Value<'a>>> {
    Some(match value {
        Value::Path(octets) => AsPath::new(octets).asns().map(Value::Int).collect(),
        Value::Clist(octets) => chunks::<4>(octets).map(|c| Value::Pair(u32::from_be_bytes(c))).collect(),
        Value::Eclist(octets) => chunks::<8>(octets).map(ec_of).collect(),
        Value::Lclist(octets) => chunks::<12>(octets).map(|c| lc_of(&c)).collect(),
        Value::Routes(count) => (0..*count).map(Value::Route).collect(),
        _ => return None,
    })
}

/// The least or the greatest member of a list; zero of an empty one.
fn extreme(list: &Value<'_>, greatest: bool) -> Operated<Value<'static>> {
    const NOT_ONE: &str = "Clist or lclist expected";
    let none = match list {
        Value::Clist(_) => Value::Pair(0),
        Value::Eclist(_) => Value::Ec(0),
        Value::Lclist(_) => Value::Lc(LargeCommunity(0, 0, 0)),
        _ => return Err(NOT_ONE),
    };
    let all = items(list).ok_or(NOT_ONE)?.into_iter();
    let order = |a: &Value<'_>, b: &Value<'_>| compare(a, b).unwrap_or(Ordering::Equal);
    Ok(if greatest { all.max_by(order) } else { all.min_by(order) }.unwrap_or(none))
}

fn ec_of(octets: [u8; 8]) -> Value<'static> {
    Value::Ec(u64::from_be_bytes(octets))
}

pub(crate) fn lc_of(octets: &[u8]) -> Value<'static> {
    let lc = route::community::large_communities(octets).next();
    lc.map_or(Value::Void, Value::Lc)
}

pub(crate) fn lc_octets(LargeCommunity(a, b, c): LargeCommunity) -> [u8; 12] {
    let mut octets = [0; 12];
    for (place, part) in octets.as_chunks_mut::<4>().0.iter_mut().zip([a, b, c]) {
        *place = part.to_be_bytes();
    }
    octets
}

/// Shell patterns: `*` any text, `?` any octet, `\` takes the next octet as it is.
///
/// Remembers the last star only, so the cost is at most length of pattern times length of text.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            None => None,
            Some(b'?') => text.get(t).map(|_| 1),
            Some(b'\\') if p + 1 < pattern.len() => (text.get(t) == pattern.get(p + 1)).then_some(2),
            c => (text.get(t) == c).then_some(1),
        };
        match (step, &mut star) {
            (Some(len), _) => {
                p += len;
                t += 1;
            }
            (None, Some((at, from))) if *from < text.len() => {
                *from += 1;
                (p, t) = (*at + 1, *from);
            }
            (None, _) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_pattern_matches_the_whole_text() {
        let yes = [("h*", "hello"), ("h?llo", "hello"), ("*", ""), ("a\\*b", "a*b"), ("*a*b", "xxaxxab"), ("", "")];
        let no = [("ell", "hello"), ("H*", "hello"), ("a\\*b", "axb"), ("?", ""), ("*a", "ab"), ("", "a")];
        assert!(yes.iter().all(|(p, t)| glob(p.as_bytes(), t.as_bytes())));
        assert!(!no.iter().any(|(p, t)| glob(p.as_bytes(), t.as_bytes())));
    }

    #[test]
    fn four_octet_keys_of_extended_communities_leave_two_for_the_value() {
        let rt = EcKind::Typed(2);
        assert_eq!(ec_octets(rt, &Value::Int(1), 70_000), Some(0x0002_0001_0001_1170));
        assert_eq!(ec_octets(rt, &Value::Int(70_000), 5), Some(0x0202_0001_1170_0005));
        assert_eq!(ec_octets(rt, &Value::Ip("10.0.0.1".parse().unwrap()), 5), Some(0x0102_0a00_0001_0005));
        assert_eq!(ec_octets(rt, &Value::Int(70_000), 70_000), None);
    }
}
