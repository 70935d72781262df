//! Members of sets, labels of `case`, items of path masks: values that are known when the configuration is read.
//!
//! Their errors are errors of the configuration in both releases; a range without
//! a value is none, and is warned of.

use super::{Compiled, Compiler, make};
use crate::ast::{Expr, ExprKind, Part, PathItem, SetItem, SetItemKind};
use crate::dialect::Dialect;
use crate::mask::{Mask, MaskItem};
use crate::never;
use crate::parse::short;
use crate::program::{MaskNode, Node, NodeOp};
use crate::set::{Item, Key, Range, Rect, Set};
use crate::span::{Diagnostic, Span};
use crate::symbols::SymbolKind;
use crate::value::{Held, Type, Value};
use route::community::LargeCommunity;
use std::sync::Arc;

const PAIR_RANGE: &str = "From value cannot be higher that To value in pair sets";

impl Compiler<'_> {
    /// A set with its members in order.
    pub(super) fn set(&mut self, items: &[SetItem]) -> Compiled<Set> {
        let items = items.iter().map(|i| self.item(i)).collect::<Compiled<Vec<_>>>()?;
        Ok(Set::new(items, self.rules.merges))
    }

    /// A path mask, made now when all its items are known.
    pub(super) fn mask(&mut self, items: &[PathItem]) -> Compiled<NodeOp> {
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            nodes.push(match item {
                PathItem::Fixed(item) => MaskNode::Fixed(item.clone()),
                PathItem::Set(items, span) => {
                    let set = self.set(items)?;
                    if !set.is_of(Type::Int) {
                        return Err(Diagnostic::error(*span, "Only integer sets allowed in path mask"));
                    }
                    MaskNode::Fixed(MaskItem::Set(Arc::new(set)))
                }
                PathItem::Expr(expr) => match self.node(expr)? {
                    Node { op: NodeOp::Const(Value::Int(n)), .. } => MaskNode::Fixed(MaskItem::Asn(n)),
                    Node { op: NodeOp::Const(Value::Set(Held::Own(set))), .. }
                        if self.rules.typed && set.is_of(Type::Int) =>
                    {
                        MaskNode::Fixed(MaskItem::Set(set))
                    }
                    node => MaskNode::Asn(node),
                },
            });
        }
        let fixed = nodes.iter().map(|n| match n {
            MaskNode::Fixed(item) => Some(item.clone()),
            MaskNode::Asn(_) => None,
        });
        Ok(match fixed.collect::<Option<Vec<_>>>() {
            Some(items) => NodeOp::Const(Value::Mask(Held::Own(Arc::new(Mask(items))))),
            None => NodeOp::Mask(nodes.into()),
        })
    }

    /// The value of an expression that must be known now.
    pub(super) fn constant(&mut self, expr: &Expr) -> Compiled<Value<'static>> {
        if let ExprKind::Name(name) = &expr.kind {
            return match self.symbols.get(name).map(|s| &s.kind) {
                Some(SymbolKind::Constant(value)) => Ok(value.clone()),
                Some(SymbolKind::Broken) => Ok(Value::Int(0)),
                _ => Err(self.no_value(name, expr.span, "constant expected")),
            };
        }
        let line = self.lines.line(expr.span);
        let mut inner = Self { rules: self.rules, ..Self::new(self.symbols, self.lines.files, Dialect::V1) };
        inner = inner.near(expr.span, line);
        let node = inner.node(expr)?;
        crate::interpret::evaluate(&node, self.rules).map_err(|_| Diagnostic::error(expr.span, "Runtime error"))
    }

    /// A member of a set or a label of `case`.
    pub(super) fn item(&mut self, item: &SetItem) -> Compiled<Item> {
        let made = self.item_of(item)?;
        if let Item::Range(range) = made
            && range.is_backwards()
        {
            let (from, to) = (range.from.value(), range.to.value());
            let message = format!("nothing lies in the range {from}..{to}");
            let warning = never::warning(item.span, message, format!("{from} is above {to}"));
            self.warn(warning.help("the lower end stands in front"));
        }
        Ok(made)
    }

    fn item_of(&mut self, item: &SetItem) -> Compiled<Item> {
        Ok(match &item.kind {
            SetItemKind::Values(from, to) => {
                let first = self.constant(from)?;
                let last = to.as_ref().map(|to| self.constant(to)).transpose()?.unwrap_or_else(|| first.clone());
                if let (Value::Pair(a), Value::Pair(b)) = (&first, &last)
                    && (a >> 16 > b >> 16 || a & 0xffff > b & 0xffff)
                {
                    return Err(Diagnostic::error(item.span, PAIR_RANGE));
                }
                let to = to.as_deref().unwrap_or(from);
                Item::Range(Range { from: key(from, &first)?, to: key(to, &last)? })
            }
            SetItemKind::Pair(high, low) => {
                let (high, low) = (self.short_range(high)?, self.short_range(low)?);
                if high.0 > high.1 || low.0 > low.1 {
                    return Err(Diagnostic::error(item.span, PAIR_RANGE));
                }
                Item::Rect(Rect { high, low })
            }
            SetItemKind::Ec(kind, key, value) => {
                let key = self.constant(key)?;
                let max = make::ec_value_max(*kind, &key, item.span)?;
                let (from, to) = self.range(value, max)?;
                let make = |n| make::ec_value(*kind, &key, n, item.span).map(Value::Ec);
                range_of(make(from)?, make(to)?, item.span)?
            }
            SetItemKind::Lc(a, b, c) => {
                let (a, b, c) = (self.range(a, u32::MAX)?, self.range(b, u32::MAX)?, self.range(c, u32::MAX)?);
                let from = Value::Lc(LargeCommunity(a.0, b.0, c.0));
                range_of(from, Value::Lc(LargeCommunity(a.1, b.1, c.1)), item.span)?
            }
        })
    }

    fn number(&mut self, expr: &Expr) -> Compiled<u32> {
        match self.constant(expr)? {
            Value::Int(n) => Ok(n),
            _ => Err(Diagnostic::error(expr.span, "Number expected")),
        }
    }

    fn range(&mut self, part: &Part, max: u32) -> Compiled<(u32, u32)> {
        Ok(match part {
            Part::One(n) => {
                let n = self.number(n)?;
                (n, n)
            }
            Part::Range(from, to) => (self.number(from)?, self.number(to)?),
            Part::Any => (0, max),
        })
    }

    fn short_range(&mut self, part: &Part) -> Compiled<(u16, u16)> {
        let (from, to) = self.range(part, u16::MAX.into())?;
        let span = match part {
            Part::One(e) | Part::Range(e, _) => e.span,
            Part::Any => Span::default(),
        };
        Ok((short(from, span)?, short(to, span)?))
    }
}

/// The place of a value in sets.
fn key(expr: &Expr, value: &Value<'_>) -> Compiled<Key> {
    Key::of(value).ok_or_else(|| match &expr.kind {
        ExprKind::Name(name) => Diagnostic::error(expr.span, format!("{name}: set-incompatible type")),
        _ => Diagnostic::error(expr.span, "Set-incompatible type"),
    })
}

fn range_of(from: Value<'_>, to: Value<'_>, span: Span) -> Compiled<Item> {
    match (Key::of(&from), Key::of(&to)) {
        (Some(from), Some(to)) => Ok(Item::Range(Range { from, to })),
        _ => Err(Diagnostic::error(span, "Set-incompatible type")),
    }
}
