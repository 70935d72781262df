//! Sets and the labels of `case`.
//!
//! The members of a set are known when the configuration is read: numbers,
//! addresses, constants, and expressions in parentheses, but no variables.

use super::Parser;
use crate::ast::{Atom, Expr, ExprKind, Part, SetItem, SetItemKind};
use crate::dialect::Dialect;
use crate::names;
use crate::set::Pattern;
use crate::span::{Diagnostic, Span};
use crate::syntax::{Op, Parsed, Tok};
use crate::value::Value;

impl Parser<'_, '_> {
    /// Reads `[ ... ]`: a set of prefixes, or one of anything else.
    pub(super) fn set(&mut self) -> Parsed<ExprKind> {
        self.cursor.bump();
        let kind = if self.at_prefix() {
            let mut all = vec![self.pattern()?];
            while self.cursor.eat(Op::Comma) {
                let next = self.pattern()?;
                let first = all.first().map(|p| p.base.family());
                if self.rules.blocks && first.is_some_and(|family| family != next.base.family()) {
                    let wrong = Diagnostic::error(self.cursor.last_span(), "Mixed IPv4/IPv6 prefixes in prefix set");
                    return Err(wrong.help("make one set of each family"));
                }
                all.push(next);
            }
            ExprKind::PrefixSet(all)
        } else if self.rules.blocks && self.cursor.is(Op::BracketClose) {
            ExprKind::Set(Vec::new())
        } else {
            let items = self.set_items()?;
            if !self.cursor.is(Op::BracketClose) {
                return Err(self.cursor.wanted_one_of("`]`", &["DDOT", "','", "']'"]));
            }
            ExprKind::Set(items)
        };
        self.cursor.expect(Op::BracketClose)?;
        Ok(kind)
    }

    /// Reads `10.0.0.0/8`, `10.0.0.0/8+`, `10.0.0.0/8-`, `10.0.0.0/8{16,24}`.
    fn pattern(&mut self) -> Parsed<Pattern> {
        if !self.at_prefix() {
            return Err(self.cursor.wanted("a prefix"));
        }
        let base = self.prefix()?;
        let bits = base.family().bits();
        let (low, high) = match self.cursor.peek() {
            Tok::Op(Op::Plus) => (base.len(), bits),
            Tok::Op(Op::Minus) => (0, base.len()),
            Tok::Op(Op::BraceOpen) => return self.lengths(base, bits),
            _ => return Ok(Pattern { base, low: base.len(), high: base.len() }),
        };
        self.cursor.bump();
        Ok(Pattern { base, low, high })
    }

    fn lengths(&mut self, base: route::Prefix, bits: u8) -> Parsed<Pattern> {
        let start = self.cursor.bump().span;
        let low = self.cursor.number()?;
        self.cursor.expect(Op::Comma)?;
        let high = self.cursor.number()?;
        self.cursor.expect(Op::BraceClose)?;
        match (u8::try_from(low), u8::try_from(high)) {
            (Ok(low), Ok(high)) if low <= high && high <= bits => Ok(Pattern { base, low, high }),
            _ => {
                let span = self.cursor.since(start);
                let end = if self.dialect() == Dialect::V1 { "." } else { "" };
                let wrong = Diagnostic::error(span, format!("Invalid prefix pattern range: {{{low}, {high}}}{end}"));
                Err(wrong.help(format!("the first is the shortest length, the second the longest, at most {bits}")))
            }
        }
    }

    /// Reads members up to what is none.
    pub(super) fn set_items(&mut self) -> Parsed<Vec<SetItem>> {
        let mut all = vec![self.set_item()?];
        while self.cursor.eat(Op::Comma) {
            all.push(self.set_item()?);
        }
        Ok(all)
    }

    fn set_item(&mut self) -> Parsed<SetItem> {
        let start = self.cursor.span();
        let kind = match self.cursor.peek() {
            Tok::Op(Op::ParenOpen) => self.deeper(Self::tuple)?,
            _ => SetItemKind::Values(self.atom()?, None),
        };
        let kind = match kind {
            SetItemKind::Values(from, None) if self.cursor.is(Op::Range) && !matches!(from.kind, ExprKind::Ec(..)) => {
                self.cursor.bump();
                let to = self.range_end(&from)?;
                SetItemKind::Values(from, Some(to))
            }
            other => other,
        };
        Ok(SetItem { kind, span: self.cursor.since(start) })
    }

    /// The end of a range that begins with a value: of the same shape, without wildcards.
    fn range_end(&mut self, from: &Expr) -> Parsed<Atom> {
        let wrong = self.cursor.wanted("the end of the range");
        match (&from.kind, self.cursor.peek()) {
            (ExprKind::Pair(_) | ExprKind::Lc(_), Tok::Op(Op::ParenOpen)) => {
                match (&from.kind, self.deeper(Self::tuple)?) {
                    (ExprKind::Pair(_), SetItemKind::Values(to, _)) if matches!(to.kind, ExprKind::Pair(_)) => Ok(to),
                    (ExprKind::Lc(_), SetItemKind::Values(to, _)) if matches!(to.kind, ExprKind::Lc(_)) => Ok(to),
                    _ => Err(wrong),
                }
            }
            (ExprKind::Pair(_) | ExprKind::Lc(_), _) => Err(wrong),
            _ => self.atom(),
        }
    }

    /// A number, an address, a constant.
    fn atom(&mut self) -> Parsed<Atom> {
        let start = self.cursor.span();
        let kind = match self.cursor.peek() {
            Tok::Num(n) => {
                self.cursor.bump();
                ExprKind::Literal(Value::Int(n))
            }
            Tok::Ip4(_) | Tok::Ip6(_) => ExprKind::Literal(self.address_value()?),
            Tok::Word => match self.cursor.word().and_then(|word| names::constant(word, self.dialect())) {
                Some(value) => {
                    self.cursor.bump();
                    ExprKind::Literal(value)
                }
                None if self.cursor.is_any_name() => ExprKind::Name(self.cursor.name()?.0.into()),
                None => return Err(self.cursor.wanted("a value")),
            },
            Tok::Op(Op::ParenOpen) => return self.in_parens(Self::expr).map(Box::new),
            _ => return Err(self.cursor.wanted("a value")),
        };
        Ok(Box::new(Expr { kind, span: self.cursor.since(start) }))
    }

    /// What begins with `(` in a set: a value in parentheses, a pair, a community, each perhaps with ranges.
    fn tuple(&mut self) -> Parsed<SetItemKind> {
        let start = self.cursor.bump().span;
        if let Some(kind) = self.ec_kind()? {
            self.cursor.expect(Op::Comma)?;
            let key = self.tuple_atom()?;
            self.cursor.expect(Op::Comma)?;
            let value = self.part()?;
            self.cursor.expect(Op::ParenClose)?;
            let span = self.cursor.since(start);
            return Ok(match value {
                Part::One(value) => single(ExprKind::Ec(kind, Box::new([*key, *value])), span),
                value => SetItemKind::Ec(kind, key, value),
            });
        }
        let first = if self.cursor.is(Op::Star) {
            self.part()?
        } else {
            let value = Box::new(self.expr()?);
            if self.cursor.eat(Op::ParenClose) {
                return Ok(SetItemKind::Values(value, None));
            }
            self.part_from(value)?
        };
        self.cursor.expect(Op::Comma)?;
        let second = self.part()?;
        let third = if self.cursor.eat(Op::Comma) { Some(self.part()?) } else { None };
        self.cursor.expect(Op::ParenClose)?;
        let span = self.cursor.since(start);
        let behind = |a: &Part, b: &Part| matches!((a, b), (Part::One(_), _) | (_, Part::Any));
        if let Some(third) = &third
            && !(behind(&first, &second) && behind(&second, third))
        {
            return Err(Diagnostic::error(span, "syntax error").help("behind a range or `*` only `*` may stand"));
        }
        Ok(match (first, second, third) {
            (Part::One(a), Part::One(b), None) => single(ExprKind::Pair(Box::new([*a, *b])), span),
            (Part::One(a), Part::One(b), Some(Part::One(c))) => single(ExprKind::Lc(Box::new([*a, *b, *c])), span),
            (a, b, None) => SetItemKind::Pair(a, b),
            (a, b, Some(c)) => SetItemKind::Lc(a, b, c),
        })
    }

    fn part(&mut self) -> Parsed<Part> {
        if self.cursor.eat(Op::Star) {
            return Ok(Part::Any);
        }
        let from = self.tuple_atom()?;
        self.part_from(from)
    }

    /// A number inside parentheses: in dialect 2 any expression.
    fn tuple_atom(&mut self) -> Parsed<Atom> {
        if self.rules.blocks { self.expr().map(Box::new) } else { self.atom() }
    }

    fn part_from(&mut self, from: Atom) -> Parsed<Part> {
        if !self.cursor.eat(Op::Range) {
            return Ok(Part::One(from));
        }
        Ok(Part::Range(from, self.tuple_atom()?))
    }
}

fn single(kind: ExprKind, span: Span) -> SetItemKind {
    SetItemKind::Values(Box::new(Expr { kind, span }), None)
}
