//! What BIRD takes and no route ever meets: comparisons whose sides have nothing in common, ranges without a value,
//! commands behind the end of a filter.
//!
//! Only what is so for every route is said. A variable or an attribute may be
//! without a value, which is no reason to say anything: what is compared has then
//! still the type that it is declared with.

use crate::ast::{Compare, Ending, Method};
use crate::names::{Attr, Field};
use crate::program::{Node, NodeOp, Step};
use crate::set::Set;
use crate::span::{Diagnostic, Level, Span};
use crate::value::{EnumKind, Type, Value};

/// A warning about a place; `label` stands under the caret.
pub(crate) fn warning(span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
    let mut warning = Diagnostic::error(span, format!("warning: {}", message.into()));
    warning.level = Level::Warning;
    warning.label = Some(label.into());
    warning
}

// Commands that no route reaches.

/// How a route leaves some commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Course {
    /// It may go on behind them.
    On,
    /// It always leaves the filter or function.
    Back,
    /// It is always accepted or rejected.
    End,
}

/// How a route leaves a block.
pub(crate) fn course(steps: &[Step]) -> Course {
    steps.iter().map(course_of).find(|course| *course != Course::On).unwrap_or(Course::On)
}

/// How a route leaves one command.
pub(crate) fn course_of(step: &Step) -> Course {
    match step {
        Step::Return(value) => of_node(value).max(Course::Back),
        Step::Print(_, Ending::Print | Ending::Printn, _) => Course::On,
        Step::Print(..) => Course::End,
        Step::Call(value) | Step::Assign { value, .. } | Step::SetAttr { value, .. } => of_node(value),
        Step::If(arms, otherwise) => {
            let blocks = arms.iter().map(|(_, block)| course(block)).min().unwrap_or(Course::On);
            blocks.min(course(otherwise))
        }
        Step::Case(_, _, arms, otherwise) => {
            arms.iter().map(|block| course(block)).min().unwrap_or(Course::End).min(course(otherwise))
        }
        Step::Block(steps) => course(steps),
        // Perhaps there is nothing to go through.
        Step::For { .. } | Step::Unset(_) => Course::On,
    }
}

/// A call of a function that always accepts or rejects ends the filter.
fn of_node(node: &Node) -> Course {
    match &node.op {
        NodeOp::Call(function, _) if function.ends => Course::End,
        _ => Course::On,
    }
}

// Comparisons that come out the same for every route.

/// Why `a op b` is never true, or never a value at all; `None` when it may be.
///
/// `local` gives the types of variables, `longest` is the length of the longest prefix.
pub(crate) fn unmet(op: Compare, sides: &[Node; 2], local: impl Fn(u16) -> Type, longest: u8) -> Option<String> {
    let [left, right] = sides;
    let (a, b) = (kind(left, &local)?, kind(right, &local)?);
    match op {
        Compare::Match | Compare::NotMatch => match constant(right) {
            Some(Value::Set(set)) => unmet_set(left, a, set, longest),
            _ => (!goes_with(a, b)?).then(|| format!("{} on the left, {} on the right", noun(a), noun(b))),
        },
        Compare::Equal | Compare::NotEqual => {
            if !is_comparable(a, b) {
                return Some(format!("{} on the left, {} on the right", noun(a), noun(b)));
            }
            [(left, right), (right, left)].into_iter().find_map(|(asked, given)| match constant(given) {
                Some(Value::Int(n)) => above(asked, longest).filter(|(_, most)| n > most).map(beyond),
                _ => None,
            })
        }
        Compare::Less | Compare::LessEqual => {
            (!is_comparable(a, b)).then(|| format!("{} cannot be compared with {}", noun(a), noun(b)))
        }
    }
}

/// Why nothing on the left is in a set.
fn unmet_set(left: &Node, a: Type, set: &Set, longest: u8) -> Option<String> {
    let items = match a {
        Type::Path => &[Type::Int][..],
        Type::Clist => &[Type::Pair, Type::Quad, Type::Ip],
        Type::Quad => &[Type::Quad, Type::Ip],
        Type::Eclist => &[Type::Ec],
        Type::Lclist => &[Type::Lc],
        Type::Set | Type::Void => return None,
        _ => &[a],
    };
    if !items.iter().any(|item| set.has(*item)) {
        return Some(format!("{} on the left, and each member of the set is {}", noun(a), set.nouns()));
    }
    let (what, most) = above(left, longest)?;
    (!set.has_up_to(most)).then(|| beyond((what, most)))
}

fn beyond((what, most): (&'static str, u32)) -> String {
    format!("{what} is at most {most}")
}

/// The largest value of a number that is bounded by what it is.
fn above(node: &Node, longest: u8) -> Option<(&'static str, u32)> {
    match &node.op {
        NodeOp::Attr(Attr::Field(Field::Preference)) => Some(("preference", 0xffff)),
        NodeOp::Method(Method::Len, subject, _) if is_net(subject) => Some(("the length of a prefix", longest.into())),
        _ => None,
    }
}

fn is_net(node: &Node) -> bool {
    node.op == NodeOp::Attr(Attr::Field(Field::Net))
}

const fn constant(node: &Node) -> Option<&Value<'static>> {
    match &node.op {
        NodeOp::Const(value) => Some(value),
        _ => None,
    }
}

/// The type of an expression, when it is known before it is evaluated.
fn kind(node: &Node, local: &impl Fn(u16) -> Type) -> Option<Type> {
    Some(match &node.op {
        NodeOp::Const(value) => match value.kind() {
            Type::Void => return None,
            kind => kind,
        },
        NodeOp::Local(slot) => local(*slot),
        NodeOp::Attr(attr) => attr.value_type(),
        NodeOp::Logic(..) | NodeOp::Compare(..) | NodeOp::Not(_) | NodeOp::Defined(_) | NodeOp::NetIn(..) => Type::Bool,
        NodeOp::Arith(..) => Type::Int,
        NodeOp::Pair(_) => Type::Pair,
        NodeOp::Ec(..) => Type::Ec,
        NodeOp::Lc(_) => Type::Lc,
        NodeOp::Mask(_) => Type::Mask,
        NodeOp::RoaCheck(..) => Type::Enum(EnumKind::Roa),
        NodeOp::AspaCheck(..) => Type::Enum(EnumKind::Aspa),
        NodeOp::Method(Method::Ip | Method::Mask, ..) => Type::Ip,
        NodeOp::Method(Method::Len | Method::First | Method::Last | Method::LastNonaggregated, ..) => Type::Int,
        NodeOp::Method(Method::Prepend | Method::Add | Method::Delete | Method::Filter, subject, _) => {
            return kind(subject, local);
        }
        // The rest is of dialect 2.
        _ => return None,
    })
}

/// Whether `a ~ b` has a value; `None` when that depends on what is in `b`.
const fn goes_with(a: Type, b: Type) -> Option<bool> {
    Some(match b {
        Type::Set => return None,
        Type::Mask => matches!(a, Type::Path),
        Type::Path => matches!(a, Type::Int),
        Type::Clist => matches!(a, Type::Pair | Type::Quad | Type::Ip),
        Type::Eclist => matches!(a, Type::Ec),
        Type::Lclist => matches!(a, Type::Lc),
        Type::Text => matches!(a, Type::Text),
        Type::Prefix => matches!(a, Type::Ip | Type::Prefix),
        Type::PrefixSet => matches!(a, Type::Prefix),
        _ => false,
    })
}

/// Whether `a = b` is ever true.
fn is_comparable(a: Type, b: Type) -> bool {
    let either = |x, y| (a, b) == (x, y) || (a, b) == (y, x);
    a == b || either(Type::Quad, Type::Ip)
}

/// A type with its article, as operators name it.
pub(crate) const fn noun(kind: Type) -> &'static str {
    match kind {
        Type::Void => "nothing",
        Type::Bool => "a bool",
        Type::Int => "an int",
        Type::Pair => "a pair",
        Type::Quad => "a quad",
        Type::Enum(EnumKind::Source) => "an RTS_ constant",
        Type::Enum(EnumKind::Origin) => "an ORIGIN_ constant",
        Type::Enum(EnumKind::Scope) => "a SCOPE_ constant",
        Type::Enum(EnumKind::Cast) => "an RTC_ constant",
        Type::Enum(EnumKind::Dest) => "an RTD_ constant",
        Type::Enum(EnumKind::Roa) => "a ROA_ constant",
        Type::Enum(EnumKind::Opaque) => "an attribute that is there or not",
        Type::Ip => "an address",
        Type::Prefix => "a prefix",
        Type::Ec => "an extended community",
        Type::Lc => "a large community",
        Type::Text => "a string",
        Type::Path => "an AS path",
        Type::Clist => "a list of communities",
        Type::Eclist => "a list of extended communities",
        Type::Lclist => "a list of large communities",
        Type::Mask => "a path mask",
        Type::Bytes => "a bytestring",
        Type::Enum(_) => "a constant",
        Type::Route => "a route",
        Type::Routes => "routes",
        Type::Set => "a set",
        Type::PrefixSet => "a set of prefixes",
    }
}
