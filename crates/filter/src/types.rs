//! Types, where they are known before a filter runs, and what is constant.
//!
//! BIRD 2 knows the type of most expressions when it reads them, refuses those
//! that can not work, and computes those whose parts are constant: what fails
//! then is an error of the configuration. An expression whose type is not known
//! (the result of a function without `->`, what `add` makes of it) is checked when
//! it runs, by the same code as in 1.6 (`operate`).

use crate::ast::{Arith, Compare, Logic, Method};
use crate::compile::Compiler;
use crate::interpret;
use crate::names;
use crate::program::{MaskNode, Node, NodeOp};
use crate::span::{Diagnostic, Span};
use crate::symbols::fit;
use crate::value::{EnumKind, Type, Value};

type Checked = Result<(), Diagnostic>;

impl Compiler<'_> {
    /// The type of what an expression gives, when it is known.
    pub(crate) fn type_of(&self, node: &Node) -> Option<Type> {
        let kind = match &node.op {
            NodeOp::Const(value) => value.kind(),
            NodeOp::Local(slot) => self.slot_type(*slot)?,
            NodeOp::Attr(attr) => attr.value_type(),
            NodeOp::Logic(..) | NodeOp::Compare(..) | NodeOp::Not(_) | NodeOp::Defined(_) | NodeOp::NetIn(..) => {
                Type::Bool
            }
            NodeOp::Arith(..) => Type::Int,
            NodeOp::Pair(_) => Type::Pair,
            NodeOp::Ec(..) => Type::Ec,
            NodeOp::Lc(_) => Type::Lc,
            NodeOp::Mask(_) => Type::Mask,
            NodeOp::Format(_) => Type::Text,
            NodeOp::FromHex(_) => Type::Bytes,
            NodeOp::Call(function, _) => function.returns?,
            NodeOp::Recurse(_) => self.own_return()?,
            NodeOp::RoaCheck(..) => Type::Enum(EnumKind::Roa),
            NodeOp::AspaCheck(..) => Type::Enum(EnumKind::Aspa),
            NodeOp::Routes => Type::Routes,
            NodeOp::OfRoute(_, attr) => attr.value_type(),
            NodeOp::Ask(inner) => return self.type_of(inner),
            NodeOp::Method(method, subject, _) => match method {
                Method::Len | Method::First | Method::Last | Method::LastNonaggregated => Type::Int,
                Method::Asn | Method::Data | Method::Data1 | Method::Data2 | Method::Maxlen => Type::Int,
                Method::Ip | Method::Mask => Type::Ip,
                Method::Src | Method::Dst => Type::Prefix,
                Method::Type => Type::Enum(EnumKind::NetType),
                Method::IsV4 => Type::Bool,
                Method::Prepend => Type::Path,
                Method::Min | Method::Max => return self.type_of(subject)?.items(),
                Method::Add | Method::Delete | Method::Filter | Method::Append | Method::Empty => {
                    return self.type_of(subject);
                }
            },
        };
        (kind != Type::Void).then_some(kind)
    }

    /// Refuses an expression whose parts have types that it can not take.
    pub(crate) fn check(&self, node: &mut Node, span: Span) -> Checked {
        match &mut node.op {
            NodeOp::Logic(first, rest) => {
                let mut left = Some(&mut **first);
                for (op, right) in rest {
                    let name = match op {
                        Logic::And => "AND",
                        Logic::Or => "OR",
                    };
                    self.require_all(name, left.take(), right, Type::Bool, span)?;
                }
                Ok(())
            }
            NodeOp::Arith(first, rest) => {
                let mut left = Some(&mut **first);
                for (op, right) in rest {
                    let name = match op {
                        Arith::Add => "ADD",
                        Arith::Subtract => "SUBTRACT",
                        Arith::Multiply => "MULTIPLY",
                        Arith::Divide => "DIVIDE",
                        Arith::BitAnd => "BITAND",
                        Arith::BitOr => "BITOR",
                    };
                    self.require_all(name, left.take(), right, Type::Int, span)?;
                }
                Ok(())
            }
            NodeOp::Compare(op, sides) => self.check_sides(*op, sides, span),
            NodeOp::Not(inner) => self.require("NOT", 1, inner, Type::Bool, span),
            NodeOp::FromHex(inner) => self.require("FROM_HEX", 1, inner, Type::Text, span),
            NodeOp::Pair(sides) => {
                let [a, b] = &mut **sides;
                self.require_all("PAIR_CONSTRUCT", Some(a), b, Type::Int, span)
            }
            NodeOp::Ec(_, sides) => self.require("EC_CONSTRUCT", 2, &mut sides[1], Type::Int, span),
            NodeOp::Lc(parts) => {
                let mut all = parts.iter_mut().enumerate();
                all.try_for_each(|(at, part)| self.require("LC_CONSTRUCT", at + 1, part, Type::Int, span))
            }
            NodeOp::RoaCheck(_, Some(sides)) => {
                let [net, asn] = &mut **sides;
                self.require("ROA_CHECK_EXPLICIT", 1, net, Type::Prefix, span)?;
                self.require("ROA_CHECK_EXPLICIT", 2, asn, Type::Int, span)
            }
            NodeOp::OfRoute(subject, _) => self.require("ROUTE_ATTR", 1, subject, Type::Route, span),
            NodeOp::AspaCheck(_, sides) => {
                let [path, upstream] = &mut **sides;
                self.require("ASPA_CHECK_EXPLICIT", 1, path, Type::Path, span)?;
                self.require("ASPA_CHECK_EXPLICIT", 2, upstream, Type::Bool, span)
            }
            NodeOp::Method(method, subject, argument) => {
                let (name, of, with) = match method {
                    Method::Ip => ("IP", Type::Prefix, None),
                    Method::Maxlen => ("ROA_MAXLEN", Type::Prefix, None),
                    Method::Src => ("NET_SRC", Type::Prefix, None),
                    Method::Dst => ("NET_DST", Type::Prefix, None),
                    Method::First => ("AS_PATH_FIRST", Type::Path, None),
                    Method::Last => ("AS_PATH_LAST", Type::Path, None),
                    Method::LastNonaggregated => ("AS_PATH_LAST_NAG", Type::Path, None),
                    Method::Data => ("PAIR_DATA", Type::Pair, None),
                    Method::Data1 => ("LC_DATA1", Type::Lc, None),
                    Method::Data2 => ("LC_DATA2", Type::Lc, None),
                    Method::IsV4 => ("IS_V4", Type::Ip, None),
                    Method::Mask => ("IP_MASK", Type::Ip, Some(Type::Int)),
                    Method::Prepend => ("PATH_PREPEND", Type::Path, Some(Type::Int)),
                    // Of several types: found out when they run.
                    _ => return Ok(()),
                };
                self.require(name, 1, subject, of, span)?;
                match (with, argument) {
                    (Some(with), Some(argument)) => self.require(name, 2, argument, with, span),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn check_sides(&self, op: Compare, sides: &mut [Node; 2], span: Span) -> Checked {
        if matches!(op, Compare::Match | Compare::NotMatch) {
            return Ok(());
        }
        let [a, b] = sides;
        let (Some(left), Some(right)) = (self.type_of(a), self.type_of(b)) else { return Ok(()) };
        let alike = left == right || self.mismatch(a, right).is_none() || self.mismatch(b, left).is_none();
        let name = match op {
            Compare::Less => "LT",
            Compare::LessEqual => "LTE",
            _ => return Ok(()),
        };
        if alike {
            return Ok(());
        }
        Err(Diagnostic::error(span, format!("Arguments 1 and 2 of {name} must be of the same type")))
    }

    /// Both operands of an operator; the left one is done when it is what the operator before gives.
    fn require_all(
        &self,
        instruction: &str,
        left: Option<&mut Node>,
        right: &mut Node,
        wanted: Type,
        span: Span,
    ) -> Checked {
        if let Some(left) = left {
            self.require(instruction, 1, left, wanted, span)?;
        }
        self.require(instruction, 2, right, wanted, span)
    }

    /// Refuses an operand whose type is known to be another. `instruction` is BIRD's name for what takes it.
    pub(crate) fn require(&self, instruction: &str, at: usize, node: &mut Node, wanted: Type, span: Span) -> Checked {
        let Some(got) = self.mismatch(node, wanted) else { return Ok(()) };
        let (wanted, got) = (names::type_name(wanted), names::type_name(got));
        let words = format!("Argument {at} of {instruction} must be of type {wanted}, got type {got}");
        Err(Diagnostic::error(span, words))
    }

    /// The type of an expression when it is known to be another than the one that is wanted. A constant that can be of
    /// that type becomes so.
    pub(crate) fn mismatch(&self, node: &mut Node, wanted: Type) -> Option<Type> {
        if !self.rules.typed {
            return None;
        }
        let got = self.type_of(node).filter(|got| *got != wanted)?;
        if let NodeOp::Const(value) = &mut node.op
            && let Some(fitted) = fit(wanted, value.clone())
        {
            *value = fitted;
            return None;
        }
        Some(got)
    }

    /// Computes what is constant in front of what is not, since that is one operand of the operator behind it.
    fn fold_front(&self, first: &mut Box<Node>, rest: &mut Box<[(Arith, Node)]>, line: u32, span: Span) -> Checked {
        let known = |node: &Node| matches!(node.op, NodeOp::Const(_));
        let count = rest.iter().take_while(|(_, node)| known(node)).count();
        if !known(first) || count == 0 || count == rest.len() {
            return Ok(());
        }
        let mut all = std::mem::take(rest).into_vec();
        *rest = all.split_off(count).into();
        let front = std::mem::replace(&mut **first, Node { op: NodeOp::Const(Value::Void), line });
        **first = Node { op: NodeOp::Arith(Box::new(front), all.into()), line };
        self.fold(first, span)
    }

    /// Computes what is constant.
    pub(crate) fn fold(&self, node: &mut Node, span: Span) -> Checked {
        if !self.rules.typed {
            return Ok(());
        }
        if let NodeOp::Arith(first, rest) = &mut node.op {
            self.fold_front(first, rest, node.line, span)?;
        }
        if !is_constant(node) {
            return Ok(());
        }
        match interpret::evaluate(node, self.rules) {
            Ok(value) => {
                node.op = NodeOp::Const(value);
                Ok(())
            }
            Err(words) => {
                let words = words.strip_prefix("filters, ").unwrap_or(&words);
                Err(Diagnostic::error(span, format!("filter preevaluation, {words}")))
            }
        }
    }
}

/// Whether an expression reads nothing but constants, and is none yet.
fn is_constant(node: &Node) -> bool {
    let known = |node: &Node| matches!(node.op, NodeOp::Const(_));
    match &node.op {
        NodeOp::Logic(first, rest) => known(first) && rest.iter().all(|(_, node)| known(node)),
        NodeOp::Arith(first, rest) => known(first) && rest.iter().all(|(_, node)| known(node)),
        NodeOp::Compare(_, sides) | NodeOp::Pair(sides) | NodeOp::Ec(_, sides) => sides.iter().all(known),
        NodeOp::Lc(parts) => parts.iter().all(known),
        NodeOp::Not(inner) | NodeOp::Defined(inner) | NodeOp::Format(inner) | NodeOp::FromHex(inner) => known(inner),
        NodeOp::Mask(items) => items.iter().all(|item| match item {
            MaskNode::Fixed(_) => true,
            MaskNode::Asn(node) => known(node),
        }),
        NodeOp::Method(_, subject, argument) => known(subject) && argument.as_deref().is_none_or(known),
        NodeOp::Const(_)
        | NodeOp::Local(_)
        | NodeOp::Attr(_)
        | NodeOp::Call(..)
        | NodeOp::Recurse(_)
        | NodeOp::RoaCheck(..)
        | NodeOp::AspaCheck(..)
        | NodeOp::Routes
        | NodeOp::OfRoute(..)
        | NodeOp::Ask(_)
        | NodeOp::NetIn(..) => false,
    }
}
