//! Expressions.
//!
//! From weak to strong: `&& ||` (equal, from left to right), comparisons (which do
//! not chain), `& |` (dialect 2), `+ -`, `* /`, `!`, the dot. So `true || true && false` is FALSE and
//! `! 1 = 2` is `(!1) = 2`, as in BIRD 1.6.

use super::{Parser, join};
use crate::ast::{Arith, Compare, EcKind, Expr, ExprKind, Logic, Method, PathItem};
use crate::dialect::Dialect;
use crate::mask::{MASK_LEN_MAX, MaskItem};
use crate::names::{self, Attr, AttrKind};
use crate::span::{Diagnostic, Span};
use crate::suggest;
use crate::syntax::{Op, Parsed, Tok};
use crate::value::{Held, Value};
use route::attr::code;
use route::{Family, Prefix, Roa, Written};
use std::sync::Arc;

impl Parser<'_, '_> {
    /// Reads an expression.
    pub fn expr(&mut self) -> Parsed<Expr> {
        self.deeper(Self::logic)
    }

    fn logic(&mut self) -> Parsed<Expr> {
        let first = self.comparison()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.cursor.peek() {
                Tok::Op(Op::And) => Logic::And,
                Tok::Op(Op::Or) => Logic::Or,
                _ => break,
            };
            self.cursor.bump();
            rest.push((op, self.comparison()?));
        }
        Ok(self.chain(first, rest, ExprKind::Logic))
    }

    fn chain<O>(&self, first: Expr, rest: Vec<(O, Expr)>, kind: fn(Box<Expr>, Vec<(O, Expr)>) -> ExprKind) -> Expr {
        if rest.is_empty() {
            return first;
        }
        let span = self.cursor.since(first.span);
        Expr { kind: kind(Box::new(first), rest), span }
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let left = self.bits()?;
        let (op, swap) = match self.cursor.peek() {
            Tok::Op(Op::Equal) => (Compare::Equal, false),
            Tok::Op(Op::NotEqual) => (Compare::NotEqual, false),
            Tok::Op(Op::Less) => (Compare::Less, false),
            Tok::Op(Op::LessEqual) => (Compare::LessEqual, false),
            Tok::Op(Op::Greater) => (Compare::Less, true),
            Tok::Op(Op::GreaterEqual) => (Compare::LessEqual, true),
            Tok::Op(Op::Match) => (Compare::Match, false),
            Tok::Op(Op::NotMatch) => (Compare::NotMatch, false),
            _ => return Ok(left),
        };
        self.cursor.bump();
        let right = self.bits()?;
        let span = join(left.span, right.span);
        let sides = if swap { [right, left] } else { [left, right] };
        Ok(Expr { kind: ExprKind::Compare(op, Box::new(sides)), span })
    }

    fn bits(&mut self) -> Parsed<Expr> {
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.cursor.peek() {
                Tok::Op(Op::Ampersand) if self.rules.blocks => Arith::BitAnd,
                Tok::Op(Op::Bar) if self.rules.blocks => Arith::BitOr,
                _ => break,
            };
            self.cursor.bump();
            rest.push((op, self.sum()?));
        }
        Ok(self.chain(first, rest, ExprKind::Arith))
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let mut first = self.product()?;
        let mut rest = Vec::new();
        let depth = self.depth;
        loop {
            let op = match self.cursor.peek() {
                Tok::Op(Op::Plus) => Arith::Add,
                Tok::Op(Op::Minus) => Arith::Subtract,
                Tok::Op(Op::Append) if self.rules.blocks => {
                    self.cursor.bump();
                    self.depth += 1;
                    let left = self.chain(first, std::mem::take(&mut rest), ExprKind::Arith);
                    let right = self.deeper(Self::product)?;
                    let span = join(left.span, right.span);
                    let kind = ExprKind::Method(Method::Append, Box::new(left), Some(Box::new(right)));
                    first = Expr { kind, span };
                    continue;
                }
                _ => break,
            };
            self.cursor.bump();
            rest.push((op, self.product()?));
        }
        self.depth = depth;
        Ok(self.chain(first, rest, ExprKind::Arith))
    }

    fn product(&mut self) -> Parsed<Expr> {
        let first = self.negation()?;
        let mut rest = Vec::new();
        loop {
            let op = match self.cursor.peek() {
                Tok::Op(Op::Star) => Arith::Multiply,
                Tok::Op(Op::Slash) => Arith::Divide,
                _ => break,
            };
            self.cursor.bump();
            rest.push((op, self.negation()?));
        }
        Ok(self.chain(first, rest, ExprKind::Arith))
    }

    fn negation(&mut self) -> Parsed<Expr> {
        let start = self.cursor.span();
        if !self.cursor.eat(Op::Not) {
            return self.dotted();
        }
        let inner = self.deeper(Self::negation)?;
        Ok(Expr { span: join(start, inner.span), kind: ExprKind::Not(Box::new(inner)) })
    }

    fn dotted(&mut self) -> Parsed<Expr> {
        let mut subject = self.primary()?;
        let depth = self.depth;
        while self.cursor.is(Op::Dot) {
            self.cursor.bump();
            self.depth += 1;
            subject = self.deeper(|p| p.method(subject))?;
        }
        self.depth = depth;
        Ok(subject)
    }

    fn method(&mut self, subject: Expr) -> Parsed<Expr> {
        if let Some(attr) = self.attribute_ahead().filter(|_| self.merging) {
            self.cursor.bump();
            let span = self.cursor.since(subject.span);
            return Ok(Expr { kind: ExprKind::OfRoute(Box::new(subject), attr), span });
        }
        let Some((method, takes)) = self.cursor.word().and_then(|word| names::method(word, self.dialect())) else {
            let foreign = ["rd", "mac", "vlan_id", "evpn_type", "evpn_tag", "evpn_esi", "router_ip"];
            if let Some(word) = self.cursor.word().filter(|word| self.rules.blocks && foreign.contains(word)) {
                return Err(self.unsupported(word));
            }
            return Err(self.no_method(|_| true));
        };
        self.cursor.bump();
        let argument = if takes { Some(Box::new(self.in_parens(Self::expr)?)) } else { None };
        let span = self.cursor.since(subject.span);
        Ok(Expr { kind: ExprKind::Method(method, Box::new(subject), argument), span })
    }

    /// What is said of a word behind a dot that is none of these.
    pub(super) fn no_method(&self, is_one: impl Fn(&str) -> bool) -> Diagnostic {
        let all: Vec<&str> = names::methods(self.dialect()).filter(|name| is_one(name)).collect();
        let (last, others) = all.split_last().map_or(("", &[][..]), |(last, others)| (*last, others));
        let wrong = self.cursor.wanted(&format!("`{}` or `{last}`", others.join("`, `")));
        match self.cursor.word().and_then(|word| suggest::nearest(word, all.iter().copied())) {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong,
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let start = self.cursor.span();
        let kind = match self.cursor.peek() {
            Tok::Num(n) => {
                if self.rules.blocks && self.cursor.ahead(1).tok == Tok::Op(Op::Colon) && self.touches_next() {
                    return Err(self.unsupported("a route distinguisher"));
                }
                self.literal(Value::Int(n))
            }
            Tok::Bytes if self.rules.blocks => ExprKind::Literal(Value::Bytes(Held::Own(self.cursor.bytes()?.into()))),
            Tok::Text => {
                let text = self.cursor.string()?;
                ExprKind::Literal(Value::Text(Held::Own(text.into())))
            }
            Tok::Ip4(_) | Tok::Ip6(_) => self.address_or_prefix()?,
            Tok::Word if self.at_no_octets() => {
                self.cursor.bump();
                self.literal(Value::Bytes(Held::Ref(&[])))
            }
            Tok::Word => self.word()?,
            Tok::Op(Op::ParenOpen) => return self.parens(),
            Tok::Op(Op::BracketOpen) => self.set()?,
            Tok::Op(Op::MaskOpen) => self.mask(Op::MaskClose)?,
            Tok::Op(Op::Slash) if self.rules.slash_masks => self.mask(Op::Slash)?,
            Tok::Op(Op::Plus | Op::Minus) => self.empty()?,
            _ => return Err(self.cursor.wanted("an expression")),
        };
        Ok(Expr { kind, span: self.cursor.since(start) })
    }

    /// Whether `hex:` comes next, which in front of some words looks like a label of `case`.
    fn at_no_octets(&self) -> bool {
        let is_colon = self.cursor.ahead(1).tok == Tok::Op(Op::Colon);
        self.rules.blocks && self.cursor.is_word("hex") && is_colon && self.touches_next()
    }

    /// Whether nothing stands between the next token and the one behind it.
    fn touches_next(&self) -> bool {
        self.cursor.span().end == self.cursor.ahead(1).span.start
    }

    fn literal(&mut self, value: Value<'static>) -> ExprKind {
        self.cursor.bump();
        ExprKind::Literal(value)
    }

    /// A single address: in a language of IPv6 alone four numbers with dots are a quad.
    pub(super) fn address_value(&mut self) -> Parsed<Value<'static>> {
        if let (Tok::Ip4(a), Some(Family::Ipv6)) = (self.cursor.peek(), self.cursor.family()) {
            self.cursor.bump();
            return Ok(Value::Quad(a.to_bits()));
        }
        Ok(Value::Ip(self.cursor.address()?))
    }

    fn address_or_prefix(&mut self) -> Parsed<ExprKind> {
        if self.at_prefix() {
            let prefix = self.prefix()?;
            return Ok(ExprKind::Literal(self.roa(prefix)?));
        }
        Ok(ExprKind::Literal(self.address_value()?))
    }

    /// Reads `max LENGTH as NUMBER` behind a prefix, if it comes next.
    fn roa(&mut self, prefix: Prefix) -> Parsed<Value<'static>> {
        if self.rules.blocks && self.cursor.is_word("from") {
            return Err(self.unsupported("a prefix with `from`"));
        }
        if !(self.rules.blocks && self.cursor.is_word("max")) {
            return Ok(Value::Prefix(prefix));
        }
        self.cursor.bump();
        let span = self.cursor.span();
        let max = self.cursor.number()?;
        self.cursor.expect_word("as")?;
        let asn = self.cursor.number()?;
        match u8::try_from(max).ok().filter(|max| (prefix.len()..=prefix.family().bits()).contains(max)) {
            Some(max_len) => Ok(Value::Roa(Held::Own(Arc::new(Roa { prefix, max_len, asn })))),
            None => Err(Diagnostic::error(span, format!("Invalid max prefix length {max}"))),
        }
    }

    /// Whether `ADDRESS/` comes next.
    pub(super) fn at_prefix(&self) -> bool {
        matches!(self.cursor.peek(), Tok::Ip4(_) | Tok::Ip6(_)) && self.cursor.ahead(1).tok == Tok::Op(Op::Slash)
    }

    /// Reads `ADDRESS/LENGTH`.
    pub(super) fn prefix(&mut self) -> Parsed<Prefix> {
        let start = self.cursor.span();
        let addr = self.cursor.address()?;
        self.cursor.expect(Op::Slash)?;
        let len = self.cursor.number()?;
        let span = self.cursor.since(start);
        let made = u8::try_from(len).ok().and_then(|len| Prefix::new(addr, len));
        match made.filter(|p| p.addr() == addr) {
            Some(prefix) => Ok(prefix),
            None => {
                let family = if addr.is_ipv4() { "IPv4" } else { "IPv6" };
                let said = Written(addr);
                let words = match (self.dialect(), made) {
                    (Dialect::V1, _) => format!("Invalid network prefix: {said}/{len}."),
                    (Dialect::V2, None) => format!("Invalid prefix length {len}"),
                    (Dialect::V2, Some(p)) => format!("Invalid {family} prefix {said}/{len}, maybe you wanted {p}"),
                };
                let wrong = Diagnostic::error(span, words);
                Err(match made {
                    Some(p) if p.addr() != addr => wrong.help(format!("the network is {p}")),
                    _ => wrong,
                })
            }
        }
    }

    fn word(&mut self) -> Parsed<ExprKind> {
        if let Some(attr) = self.attribute_ahead() {
            self.cursor.bump();
            return Ok(ExprKind::Attr(attr));
        }
        let word = self.cursor.word().unwrap_or_default();
        if let Some(value) = names::constant(word, self.dialect()) {
            return Ok(self.literal(value));
        }
        match word {
            "true" => return Ok(self.literal(Value::Bool(true))),
            "false" => return Ok(self.literal(Value::Bool(false))),
            "defined" => {
                self.cursor.bump();
                return Ok(ExprKind::Defined(Box::new(self.in_parens(Self::expr)?)));
            }
            "roa_check" => {
                self.cursor.bump();
                return self.in_parens(Self::roa_check);
            }
            "routes" if self.merging => {
                self.cursor.bump();
                return Ok(ExprKind::Routes);
            }
            "aspa_check" | "aspa_check_upstream" | "aspa_check_downstream" if self.rules.blocks => {
                let word = self.cursor.word().unwrap_or_default();
                let upstream = word.strip_prefix("aspa_check_").map(|which| which == "upstream");
                self.cursor.bump();
                return self.in_parens(|p| p.aspa_check(upstream));
            }
            "aspa" if self.rules.blocks && matches!(self.cursor.ahead(1).tok, Tok::Num(_)) => {
                self.cursor.bump();
                return Ok(ExprKind::Literal(Value::Customer(self.cursor.number()?)));
            }
            "format" if self.rules.blocks => {
                self.cursor.bump();
                return Ok(ExprKind::Format(Box::new(self.in_parens(Self::expr)?)));
            }
            "from_hex" if self.rules.blocks => {
                self.cursor.bump();
                return Ok(ExprKind::FromHex(Box::new(self.in_parens(Self::expr)?)));
            }
            "flow4" | "flow6" | "eth" | "evpn" | "aspa" | "neighbor"
                if self.rules.blocks && self.cursor.ahead(1).tok != Tok::Op(Op::ParenOpen) && self.at_net() =>
            {
                return Err(self.unsupported(word));
            }
            _ => {}
        }
        if let Some(method) = names::function(word, self.dialect()) {
            self.cursor.bump();
            return self.in_parens(|p| {
                let subject = p.expr()?;
                p.cursor.expect(Op::Comma)?;
                Ok(ExprKind::Method(method, Box::new(subject), Some(Box::new(p.expr()?))))
            });
        }
        if names::is_foreign_attribute(word) {
            return Err(self.foreign());
        }
        if !self.cursor.is_any_name() {
            return Err(self.cursor.wanted("an expression"));
        }
        let name: Arc<str> = self.cursor.name()?.0.into();
        if self.cursor.is(Op::ParenOpen) {
            return Ok(ExprKind::Call(name, self.call_arguments()?));
        }
        Ok(ExprKind::Name(name))
    }

    /// Whether behind the next word something stands that could only be a prefix of another kind.
    fn at_net(&self) -> bool {
        matches!(
            self.cursor.ahead(1).tok,
            Tok::Num(_) | Tok::Word | Tok::Ip4(_) | Tok::Ip6(_) | Tok::Bytes | Tok::Wrong(_) | Tok::Op(Op::BraceOpen)
        )
    }

    /// Reads `TABLE` or `TABLE, PREFIX, ASN`.
    fn roa_check(&mut self) -> Parsed<ExprKind> {
        let name: Arc<str> = self.cursor.name()?.0.into();
        if !self.cursor.eat(Op::Comma) {
            return Ok(ExprKind::RoaCheck(name, None));
        }
        let net = self.expr()?;
        self.cursor.expect(Op::Comma)?;
        Ok(ExprKind::RoaCheck(name, Some(Box::new([net, self.expr()?]))))
    }

    /// Reads `TABLE, PATH, UPSTREAM`, or `TABLE` where the name of the function says the rest.
    fn aspa_check(&mut self, upstream: Option<bool>) -> Parsed<ExprKind> {
        let name: Arc<str> = self.cursor.name()?.0.into();
        let sides = match upstream {
            Some(upstream) => {
                let span = self.cursor.last_span();
                let path = Attr::Bgp(code::AS_PATH, AttrKind::Path);
                let expr = |kind| Expr { kind, span };
                [expr(ExprKind::Attr(path)), expr(ExprKind::Literal(Value::Bool(upstream)))]
            }
            None => {
                self.cursor.expect(Op::Comma)?;
                let path = self.expr()?;
                self.cursor.expect(Op::Comma)?;
                [path, self.expr()?]
            }
        };
        Ok(ExprKind::AspaCheck(name, Box::new(sides)))
    }

    /// What begins with `(`: an expression in parentheses, a pair, a community.
    fn parens(&mut self) -> Parsed<Expr> {
        let start = self.cursor.bump().span;
        let kind = if let Some(kind) = self.ec_kind()? {
            self.cursor.expect(Op::Comma)?;
            let key = self.expr()?;
            self.cursor.expect(Op::Comma)?;
            ExprKind::Ec(kind, Box::new([key, self.expr()?]))
        } else {
            let first = self.expr()?;
            if self.cursor.eat(Op::ParenClose) {
                return Ok(Expr { span: self.cursor.since(start), ..first });
            }
            self.cursor.expect(Op::Comma)?;
            let second = self.expr()?;
            if self.cursor.eat(Op::Comma) {
                ExprKind::Lc(Box::new([first, second, self.expr()?]))
            } else {
                ExprKind::Pair(Box::new([first, second]))
            }
        };
        self.cursor.expect(Op::ParenClose)?;
        Ok(Expr { kind, span: self.cursor.since(start) })
    }

    /// Reads `rt`, `ro`, `generic` or `unknown N`, if one comes next.
    pub(super) fn ec_kind(&mut self) -> Parsed<Option<EcKind>> {
        let kind = match self.cursor.word() {
            Some("rt") => EcKind::Typed(0x0002),
            Some("ro") => EcKind::Typed(0x0003),
            Some("generic") => EcKind::Generic,
            Some("unknown") => {
                self.cursor.bump();
                let span = self.cursor.span();
                let number = self.cursor.number()?;
                return Ok(Some(EcKind::Typed(short(number, span)?)));
            }
            _ => return Ok(None),
        };
        self.cursor.bump();
        Ok(Some(kind))
    }

    /// Reads `+empty+`, `-empty-`, `--empty--`, `---empty---`.
    fn empty(&mut self) -> Parsed<ExprKind> {
        let nothing = || Held::Ref(&[] as &[u8]);
        let (sign, count, value) = if self.cursor.is(Op::Plus) {
            (Op::Plus, 1, Value::Path(nothing()))
        } else {
            let is_minus = |n: &usize| self.cursor.ahead(*n).tok == Tok::Op(Op::Minus);
            match (1..4).take_while(is_minus).count() {
                0 => (Op::Minus, 1, Value::Clist(nothing())),
                1 => (Op::Minus, 2, Value::Eclist(nothing())),
                _ => (Op::Minus, 3, Value::Lclist(nothing())),
            }
        };
        let is_empty =
            self.cursor.ahead(count).tok == Tok::Word && self.cursor.name_at(self.cursor.ahead(count)) == "empty";
        if !(is_empty || self.rules.names_tokens) {
            return Err(self.cursor.wanted("an expression"));
        }
        for _ in 0..count {
            self.cursor.expect(sign)?;
        }
        if !is_empty {
            let expected: &[&str] = if sign == Op::Minus && count < 3 { &["'-'", "EMPTY"] } else { &["EMPTY"] };
            return Err(self.cursor.wanted_one_of("`empty`", expected));
        }
        self.cursor.expect_word("empty")?;
        for _ in 0..count {
            self.cursor.expect(sign)?;
        }
        Ok(ExprKind::Literal(value))
    }

    /// Reads a pattern of paths up to `close`. The old form, between slashes, has no `*` and no ranges.
    fn mask(&mut self, close: Op) -> Parsed<ExprKind> {
        self.cursor.bump();
        let mut items = Vec::new();
        while !self.cursor.eat(close) {
            items.push(match self.cursor.peek() {
                Tok::Num(_) => PathItem::Fixed(self.mask_number(close)?),
                Tok::Op(Op::Question) => self.fixed(MaskItem::Question),
                Tok::Op(Op::Star) if close == Op::MaskClose => self.fixed(MaskItem::Star),
                Tok::Op(Op::ParenOpen) => PathItem::Expr(self.in_parens(Self::expr)?),
                Tok::Op(Op::Plus) if self.rules.blocks => {
                    if items.is_empty() {
                        return Err(self.cursor.error("Path mask iterator '+' cannot be first"));
                    }
                    self.fixed(MaskItem::Again)
                }
                Tok::Op(Op::BracketOpen) if self.rules.blocks => {
                    let start = self.cursor.bump().span;
                    let set = if self.cursor.is(Op::BracketClose) { Vec::new() } else { self.set_items()? };
                    self.cursor.expect(Op::BracketClose)?;
                    PathItem::Set(set, self.cursor.since(start))
                }
                Tok::Word if self.rules.blocks && self.attribute_ahead().is_some() => PathItem::Expr(self.primary()?),
                Tok::Word if self.cursor.is_any_name() => {
                    let (name, span) = self.cursor.name()?;
                    PathItem::Expr(Expr { kind: ExprKind::Name(name.into()), span })
                }
                _ => return Err(self.cursor.wanted("an AS number, `?`, `*` or the end of the pattern")),
            });
            if items.len() > MASK_LEN_MAX {
                return Err(Diagnostic::error(self.cursor.last_span(), "Path mask too long"));
            }
        }
        Ok(ExprKind::Mask(items))
    }

    fn fixed(&mut self, item: MaskItem) -> PathItem {
        self.cursor.bump();
        PathItem::Fixed(item)
    }

    fn mask_number(&mut self, close: Op) -> Parsed<MaskItem> {
        let from = self.cursor.number()?;
        if close != Op::MaskClose || !self.cursor.eat(Op::Range) {
            return Ok(MaskItem::Asn(from));
        }
        Ok(MaskItem::Range(from, self.cursor.number()?))
    }
}

/// A number of 16 bits.
pub(crate) fn short(number: u32, span: Span) -> Parsed<u16> {
    u16::try_from(number).map_err(|_| Diagnostic::error(span, format!("Value {number} out of range (0-65535)")))
}
