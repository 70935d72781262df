//! Constructors `(a, b)`, `(rt, a, b)`, `(a, b, c)`: made when the configuration is read, as far as their parts are known then.

use super::Compiled;
use crate::ast::EcKind;
use crate::operate;
use crate::parse::short;
use crate::program::{Node, NodeOp};
use crate::span::{Diagnostic, Span};
use crate::value::Value;
use std::net::IpAddr;

const fn known(node: &Node) -> Option<&Value<'static>> {
    match &node.op {
        NodeOp::Const(value) => Some(value),
        _ => None,
    }
}

/// A pair, made now when both numbers are known.
pub(super) fn pair(sides: Box<[Node; 2]>, literal: Option<Span>) -> Compiled<NodeOp> {
    let [a, b] = &*sides;
    let (Some(a), Some(b)) = (known(a), known(b)) else { return Ok(NodeOp::Pair(sides)) };
    if let (Some(span), Value::Int(a), Value::Int(b)) = (literal, a, b) {
        short(*a, span)?;
        short(*b, span)?;
    }
    made(operate::pair(a, b), literal, || NodeOp::Pair(sides.clone()))
}

pub(super) fn ec(kind: EcKind, sides: Box<[Node; 2]>, literal: Option<Span>) -> Compiled<NodeOp> {
    let [key, value] = &*sides;
    let (Some(key), Some(value)) = (known(key), known(value)) else { return Ok(NodeOp::Ec(kind, sides)) };
    // bird6 does not look at an address when it reads the constructor: it is an error of the run.
    if matches!(key, Value::Ip(IpAddr::V6(_))) {
        return Ok(NodeOp::Ec(kind, sides));
    }
    if let (Some(span), Value::Int(n)) = (literal, value)
        && *n > ec_value_max(kind, key, span)?
    {
        short(*n, span)?;
    }
    made(operate::ec(kind, key, value), literal, || NodeOp::Ec(kind, sides.clone()))
}

pub(super) fn lc(parts: Box<[Node; 3]>, literal: Option<Span>) -> Compiled<NodeOp> {
    let [a, b, c] = &*parts;
    match (known(a), known(b), known(c)) {
        (Some(a), Some(b), Some(c)) => made(operate::lc(a, b, c), literal, || NodeOp::Lc(parts.clone())),
        _ => Ok(NodeOp::Lc(parts)),
    }
}

/// What a constructor of known parts makes; when it makes nothing, its words as an error of the configuration, or the
/// constructor itself, to fail when it runs.
fn made(
    value: Result<Value<'static>, &'static str>,
    literal: Option<Span>,
    later: impl FnOnce() -> NodeOp,
) -> Compiled<NodeOp> {
    match (value, literal) {
        (Ok(value), _) => Ok(NodeOp::Const(value)),
        (Err(words), Some(span)) => Err(Diagnostic::error(span, words)),
        (Err(_), None) => Ok(later()),
    }
}

/// Whether the key of an extended community leaves four octets for the value, or two.
pub(super) fn ec_value_max(kind: EcKind, key: &Value<'_>, span: Span) -> Compiled<u32> {
    match (kind, key) {
        (EcKind::Generic, Value::Int(_)) => Ok(u32::MAX),
        (EcKind::Typed(_), Value::Int(n)) if *n <= u16::MAX.into() => Ok(u32::MAX),
        (EcKind::Typed(_), Value::Int(_) | Value::Quad(_) | Value::Ip(IpAddr::V4(_))) => Ok(u16::MAX.into()),
        _ => Err(Diagnostic::error(span, "Can't operate with key of non-integer/IPv4 type in EC constructor")),
    }
}

pub(super) fn ec_value(kind: EcKind, key: &Value<'_>, value: u32, span: Span) -> Compiled<u64> {
    let max = ec_value_max(kind, key, span)?;
    if value > max {
        short(value, span)?;
    }
    operate::ec_octets(kind, key, value).ok_or_else(|| Diagnostic::error(span, "Set-incompatible type"))
}
