//! Expressions, from weak to strong.

use super::words::Presence::{Always, Perhaps};
use super::words::{ASKED, HEX, MATCHES, PATTERNS, SHORT, attributes, methods, optional};
use super::{Maker, Node, Sort, Type};
use crate::filters::Dialect;

impl Maker<'_> {
    pub(super) fn expr(&mut self, kind: Type) -> Node {
        match kind {
            Type::Bool => self.logic(),
            Type::Int => self.sum(),
            _ => self.primary(kind),
        }
    }

    /// Something whose text is shown.
    pub(super) fn printed(&mut self) -> Node {
        // BIRD 2.0 prints when all is computed, others what is computed first.
        let functions = match self.dialect {
            Dialect::Two => std::mem::take(&mut self.functions),
            _ => Vec::new(),
        };
        let node = self.shown();
        if self.dialect == Dialect::Two {
            self.functions = functions;
        }
        node
    }

    fn shown(&mut self) -> Node {
        match self.any_type() {
            // BIRD 2 shows patterns, too, that others make needless.
            Type::PrefixSet if self.dialect.is_2() => {
                let member = self.member(Type::PrefixSet);
                Node::leaf(Sort::Expr(Type::PrefixSet), format!("[{member}]"))
            }
            kind => self.expr(kind),
        }
    }

    pub(super) fn spend(&mut self) -> bool {
        let some = self.left > 0;
        self.left = self.left.saturating_sub(1);
        some
    }

    pub(super) fn chain(&mut self, kind: Type, ops: &[&str], percent: usize, part: fn(&mut Self) -> Node) -> Node {
        let first = part(self);
        if !(self.chance.percent(percent) && self.spend()) {
            return first;
        }
        let mut node = Node::new(Sort::Expr(kind)).node(first);
        for _ in 0..1 + self.chance.below(3) {
            let op = self.chance.pick(ops);
            node = node.text(format!(" {op} ")).node(part(self));
        }
        node
    }

    pub(super) fn logic(&mut self) -> Node {
        self.chain(Type::Bool, &["&&", "||"], 30, Self::comparison)
    }

    pub(super) fn sum(&mut self) -> Node {
        self.chain(Type::Int, &["+", "-"], 20, Self::product)
    }

    pub(super) fn product(&mut self) -> Node {
        self.chain(Type::Int, &["*", "/"], 12, |m| m.primary(Type::Int))
    }

    pub(super) fn comparison(&mut self) -> Node {
        if !self.spend() {
            return self.primary(Type::Bool);
        }
        let node = Node::new(Sort::Expr(Type::Bool));
        match self.chance.below(20) {
            0..6 => {
                let kind = match self.chance.below(8) {
                    0..3 => Type::Int,
                    3 => Type::Ip,
                    4 => self.chance_of(&[Type::Pair, Type::Quad]),
                    5 => Type::Prefix,
                    6 => Type::Text,
                    _ => self.chance_of(&[Type::Ec, Type::Lc, Type::Enum("RTS"), Type::Enum("ROA"), Type::Bool]),
                };
                let ops: &[&str] = if kind == Type::Text { &["=", "!="] } else { &["=", "!=", "<", "<=", ">", ">="] };
                let op = self.chance.pick(ops);
                let (a, b) = self.operands(kind);
                node.node(a).text(format!(" {op} ")).node(b)
            }
            6..8 => {
                // Not masks in 1.6: it compares memory that it has not set in those with expressions.
                let kinds = &[Type::Path, Type::Clist, Type::Eclist, Type::Lclist, Type::Text, Type::Mask];
                let kind = match self.dialect {
                    Dialect::One => self.chance_of(&kinds[..5]),
                    Dialect::Later if self.chance.percent(20) => Type::Bytes,
                    _ => self.chance_of(kinds),
                };
                let op = self.chance.pick(&["=", "!="]);
                let (a, b) = self.operands(kind);
                node.node(a).text(format!(" {op} ")).node(b)
            }
            8..17 => {
                let (left, right) = self.chance_of(MATCHES);
                let op = if self.chance.percent(75) { "~" } else { "!~" };
                let (left, right) = match (self.astray(left), self.astray(right)) {
                    // BIRD searches whatever stands in a set for numbers, and may find some.
                    (Type::Path, Type::PairSet | Type::QuadSet | Type::IpSet | Type::EcSet | Type::LcSet) => {
                        (left, right)
                    }
                    pair => pair,
                };
                let a = self.expr_beside(left);
                let b = if right == Type::Text { self.pattern() } else { self.expr_beside(right) };
                node.node(a).text(format!(" {op} ")).node(b)
            }
            _ => self.primary(Type::Bool),
        }
    }

    /// What stands around an operator that compares.
    fn operands(&mut self, kind: Type) -> (Node, Node) {
        loop {
            let kinds = [self.astray(kind), self.astray(kind)];
            let nodes = kinds.map(|kind| self.expr_beside(kind));
            // Of the least and the greatest of a list BIRD 2.0 does not know the type before it runs.
            let has_extreme = |node: &Node| [".min", ".max"].iter().any(|name| node.to_string().contains(name));
            if self.dialect != Dialect::Two || kinds == [kind; 2] || !nodes.iter().any(has_extreme) {
                let [a, b] = nodes;
                return (a, b);
            }
        }
    }

    /// A type, or seldom another: a value of another type is a run-time error, or an answer all the same. What BIRD 2
    /// knows to be of another type it refuses, so that is seldom there.
    fn astray(&mut self, kind: Type) -> Type {
        let one_in = if self.dialect == Dialect::One { 100 } else { 500 };
        if self.route && self.chance.below(one_in) == 0 { self.any_type() } else { kind }
    }

    /// What can stand beside an operator that compares.
    fn expr_beside(&mut self, kind: Type) -> Node {
        if self.dialect.is_2() && self.route && self.chance.below(100) == 0 {
            // What a function gives has no type before it runs.
            let other = self.any_type();
            if let Some(call) = self.call(other) {
                return call;
            }
        }
        if kind == Type::Int { self.sum() } else { self.primary(kind) }
    }

    pub(super) fn chance_of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.chance.below(from.len())]
    }

    pub(super) fn pattern(&mut self) -> Node {
        let text = self.chance.pick(PATTERNS);
        Node::leaf(Sort::Expr(Type::Text), format!("\"{text}\""))
    }

    /// What binds as strongly as a literal.
    pub(super) fn primary(&mut self, kind: Type) -> Node {
        let roll = self.chance.below(100);
        if roll < 30
            && let Some(node) = self.named(kind)
        {
            return node;
        }
        if self.route
            && roll < 50
            && let Some(node) = self.attribute(kind)
        {
            return node;
        }
        if roll < 60
            && self.left > 0
            && let Some(node) = self.call(kind)
        {
            return node;
        }
        if roll < 85 && self.spend() {
            return self.made(kind);
        }
        self.literal(kind)
    }

    pub(super) fn named(&mut self, kind: Type) -> Option<Node> {
        // Of variables with one name the one furthest in is meant.
        let seen = self.names.iter().enumerate().filter(|(i, (n, _))| self.names[i + 1..].iter().all(|(m, _)| m != n));
        let known = seen.map(|(_, name)| name).chain(&self.constants);
        let fits: Vec<&String> = known.filter(|(_, k)| *k == kind).map(|(name, _)| name).collect();
        if fits.is_empty() {
            return None;
        }
        let at = self.chance.below(fits.len());
        Some(Node::leaf(Sort::Expr(kind), fits[at].clone()))
    }

    pub(super) fn attribute(&mut self, kind: Type) -> Option<Node> {
        let presence = if self.chance.percent(70) { Always } else { Perhaps };
        let from = attributes(kind, presence, self.dialect);
        (!from.is_empty()).then(|| Node::leaf(Sort::Expr(kind), self.chance_of(&from)))
    }

    pub(super) fn call(&mut self, kind: Type) -> Option<Node> {
        let fits: Vec<usize> = (0..self.functions.len())
            .filter(|i| self.functions[*i].result == kind && (self.route || !self.functions[*i].route))
            .collect();
        if fits.is_empty() {
            return None;
        }
        // A function within its own arguments is not rare in programs, and its arguments are one place.
        self.left = if self.chance.percent(30) { self.left } else { self.left / 2 };
        let at = fits[self.chance.below(fits.len())];
        let (name, kinds) = (self.functions[at].name.clone(), self.functions[at].arguments.clone());
        let arguments: Vec<Node> = kinds.into_iter().map(|k| self.expr(k)).collect();
        Some(Node::new(Sort::Expr(kind)).text(format!("{name}(")).list(", ", arguments).text(")"))
    }

    /// A value made of others.
    pub(super) fn made(&mut self, kind: Type) -> Node {
        let node = Node::new(Sort::Expr(kind));
        let two = |maker: &mut Self, word: &str, a: Type, b: Type| {
            let a = maker.expr(a);
            let b = maker.expr(b);
            Node::new(Sort::Expr(kind)).text(format!("{word}(")).list(", ", [a, b]).text(")")
        };
        let methods = methods(kind, self.dialect);
        if !methods.is_empty() && self.chance.percent(if kind == Type::Int { 65 } else { 25 }) {
            let (of, name) = self.chance_of(&methods);
            return node.node(self.primary(of)).text(format!(".{name}"));
        }
        if self.dialect == Dialect::Later
            && self.chance.percent(30)
            && let Some(node) = self.later(kind)
        {
            return node;
        }
        match kind {
            Type::Bool => match self.chance.below(5) {
                0 if self.route && self.chance.percent(70) => {
                    let mut names = optional(self.dialect);
                    names.extend(ASKED);
                    // A list that has become empty is there in BIRD 2, an empty one is not.
                    let lists = [
                        "bgp_path",
                        "bgp_community",
                        "bgp_ext_community",
                        "bgp_large_community",
                        "bgp_cluster_list",
                        "own_clist",
                        "own_path",
                    ];
                    names.retain(|name| !self.dialect.is_2() || !lists.contains(name));
                    node.text(format!("defined({})", self.chance_of(&names)))
                }
                0 if self.dialect.is_2() => {
                    let kind = self.any_type();
                    node.text("defined(").node(self.literal(kind)).text(")")
                }
                0 => {
                    let kind = self.any_type();
                    node.text("defined(").node(self.expr(kind)).text(")")
                }
                1 => node.text("! ").node(self.primary(Type::Bool)),
                _ => node.text("(").node(self.logic()).text(")"),
            },
            Type::Int => node.text("(").node(self.sum()).text(")"),
            Type::Pair => {
                let (a, b) = (self.short(), self.short());
                node.text("(").list(",", [a, b]).text(")")
            }
            Type::Ip => {
                let of = self.primary(Type::Ip);
                let len = if !self.places.masks_beyond || self.chance.percent(80) {
                    self.small()
                } else {
                    self.expr(Type::Int)
                };
                node.node(of).text(".mask(").node(len).text(")")
            }
            Type::Text if self.dialect == Dialect::Later && self.chance.percent(30) => {
                let (a, b) = (self.primary(kind), self.primary(kind));
                node.text("(").list(" ++ ", [a, b]).text(")")
            }
            Type::Bytes => match self.chance.below(3) {
                0 => node.text(format!("from_hex(\"{}\")", self.chance.pick(HEX))),
                1 => two(self, "append", kind, kind),
                _ => {
                    let (a, b) = (self.primary(kind), self.primary(kind));
                    node.text("(").list(" ++ ", [a, b]).text(")")
                }
            },
            Type::Enum("ASPA") => {
                if self.route && self.chance.percent(50) {
                    let name = self.chance.pick(&["aspa_check_upstream", "aspa_check_downstream"]);
                    return node.text(format!("{name}(aspas)"));
                }
                let (path, upstream) = (self.expr(Type::Path), self.expr(Type::Bool));
                node.text("aspa_check(aspas, ").list(", ", [path, upstream]).text(")")
            }
            Type::Text if self.dialect.is_2() => node.text("format(").node(self.printed()).text(")"),
            Type::Ec => {
                let word = self.chance.pick(&["rt", "ro", "generic", "unknown 0x43", "unknown 5"]);
                let key = if self.chance.percent(20) && word != "generic" {
                    let kinds: &[Type] =
                        if self.dialect == Dialect::One { &[Type::Ip, Type::Quad] } else { &[Type::Quad] };
                    let kind = self.chance_of(kinds);
                    self.expr(kind)
                } else {
                    self.expr(Type::Int)
                };
                let value = self.short();
                node.text(format!("({word}, ")).list(", ", [key, value]).text(")")
            }
            Type::Lc => {
                let parts: Vec<Node> = (0..3).map(|_| self.expr(Type::Int)).collect();
                node.text("(").list(", ", parts).text(")")
            }
            Type::Mask => self.mask(),
            Type::Path => match self.chance.below(6) {
                0 => two(self, "delete", Type::Path, Type::Int),
                1 => two(self, "delete", Type::Path, Type::IntSet),
                2 => two(self, "filter", Type::Path, Type::IntSet),
                _ => two(self, "prepend", Type::Path, Type::Int),
            },
            Type::Clist => {
                let (item, set) = self.chance_of(&[
                    (Type::Pair, Type::PairSet),
                    (Type::Pair, Type::PairSet),
                    (Type::Quad, Type::QuadSet),
                ]);
                self.edited(kind, item, set)
            }
            Type::Enum("ROA") => {
                let table = match self.dialect {
                    Dialect::One => "roas",
                    _ => self.chance.pick(&["roas4", "roas6"]),
                };
                // Not in 1.6: for an empty path it looks for an AS that it has not set.
                if self.dialect.is_2() && self.route && self.chance.percent(40) {
                    return node.text(format!("roa_check({table})"));
                }
                let (net, asn) = (self.expr(Type::Prefix), self.expr(Type::Int));
                node.text(format!("roa_check({table}, ")).list(", ", [net, asn]).text(")")
            }
            Type::Eclist => self.edited(kind, Type::Ec, Type::EcSet),
            Type::Lclist => self.edited(kind, Type::Lc, Type::LcSet),
            _ => self.literal(kind),
        }
    }

    /// What later releases of 2.x write as methods.
    fn later(&mut self, kind: Type) -> Option<Node> {
        let (name, with): (&str, Type) = match kind {
            Type::Path => self.chance_of(&[("prepend", Type::Int), ("delete", Type::IntSet), ("filter", Type::IntSet)]),
            Type::Clist => self.chance_of(&[("add", Type::Pair), ("delete", Type::PairSet), ("filter", kind)]),
            Type::Eclist => self.chance_of(&[("add", Type::Ec), ("delete", Type::EcSet), ("filter", kind)]),
            Type::Lclist => self.chance_of(&[("add", Type::Lc), ("delete", Type::LcSet), ("filter", kind)]),
            Type::Text | Type::Bytes => ("append", kind),
            _ => return None,
        };
        let (subject, argument) = (self.primary(kind), self.expr(with));
        Some(Node::new(Sort::Expr(kind)).node(subject).text(format!(".{name}(")).node(argument).text(")"))
    }

    pub(super) fn edited(&mut self, kind: Type, item: Type, set: Type) -> Node {
        let (word, with) = match self.chance.below(10) {
            0..5 => ("add", item),
            5 => ("add", kind),
            6 => ("delete", item),
            7 => ("delete", set),
            8 => ("filter", set),
            _ => (self.chance.pick(&["delete", "filter"]), kind),
        };
        let (a, b) = (self.expr(kind), self.expr(with));
        Node::new(Sort::Expr(kind)).text(format!("{word}(")).list(", ", [a, b]).text(")")
    }

    /// A number that most likely has 16 bits.
    pub(super) fn short(&mut self) -> Node {
        if self.chance.percent(12) {
            self.expr(Type::Int)
        } else {
            Node::leaf(Sort::Expr(Type::Int), self.chance.pick(SHORT))
        }
    }

    pub(super) fn small(&mut self) -> Node {
        Node::leaf(Sort::Expr(Type::Int), self.chance.below(self.places.longest + 1).to_string())
    }

    pub(super) fn mask(&mut self) -> Node {
        let mut items = Vec::new();
        for _ in 0..self.chance.below(6) {
            items.push(match self.chance.below(10) {
                0..3 => Node::leaf(Sort::Optional, "*"),
                3 | 4 => Node::leaf(Sort::Optional, "?"),
                5 => Node::leaf(Sort::Optional, format!("{}..{}", self.chance.pick(SHORT), self.chance.pick(SHORT))),
                6 => Node::new(Sort::Optional).text("(").node(self.expr(Type::Int)).text(")"),
                8 if let Some(name) = self.named(Type::Int).filter(|_| self.dialect.is_2()) => name,
                7 if self.dialect.is_2() => {
                    let set = Node::new(Sort::Optional).node(self.set(Type::IntSet));
                    if self.chance.percent(50) { set } else { set.text(" +") }
                }
                _ => Node::leaf(Sort::Optional, self.chance.pick(SHORT)),
            });
        }
        // BIRD 1.6 follows memory that it has not set behind an expression that is the last item.
        let computed = items.iter().any(|item| item.to_string().starts_with('('));
        let end = if computed && self.dialect == Dialect::One { " *" } else { "" };
        Node::new(Sort::Expr(Type::Mask)).text("[= ").list(" ", items).text(format!("{end} =]"))
    }
}
