//! Expressions, from weak to strong.

use super::words::{MATCHES, OPTIONAL, PATTERNS, SHORT, attributes};
use super::{Maker, Node, Sort, Type};

impl Maker<'_> {
    pub(super) fn expr(&mut self, kind: Type) -> Node {
        match kind {
            Type::Bool => self.logic(),
            Type::Int => self.sum(),
            _ => self.primary(kind),
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
                let (a, b) = (self.operand(kind), self.operand(kind));
                node.node(a).text(format!(" {op} ")).node(b)
            }
            6..8 => {
                let kind =
                    // Not masks: BIRD compares memory that it has not set in those with expressions.
                    self.chance_of(&[Type::Path, Type::Clist, Type::Eclist, Type::Lclist, Type::Text]);
                let op = self.chance.pick(&["=", "!="]);
                let (a, b) = (self.operand(kind), self.operand(kind));
                node.node(a).text(format!(" {op} ")).node(b)
            }
            8..17 => {
                let (left, right) = self.chance_of(MATCHES);
                let op = if self.chance.percent(75) { "~" } else { "!~" };
                let a = self.operand(left);
                let b = if right == Type::Text { self.pattern() } else { self.operand(right) };
                node.node(a).text(format!(" {op} ")).node(b)
            }
            _ => self.primary(Type::Bool),
        }
    }

    pub(super) fn operand(&mut self, kind: Type) -> Node {
        // A value of another type is a run-time error, or an answer all the same.
        let kind = if self.route && self.chance.below(100) == 0 { self.any_type() } else { kind };
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
        let fits: Vec<&String> =
            self.names.iter().chain(&self.constants).filter(|(_, k)| *k == kind).map(|(n, _)| n).collect();
        if fits.is_empty() {
            return None;
        }
        let at = self.chance.below(fits.len());
        Some(Node::leaf(Sort::Expr(kind), fits[at].clone()))
    }

    pub(super) fn attribute(&mut self, kind: Type) -> Option<Node> {
        let (always, perhaps) = attributes(kind);
        let from = if self.chance.percent(70) { always } else { perhaps };
        (!from.is_empty()).then(|| Node::leaf(Sort::Expr(kind), self.chance.pick(from)))
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
        match kind {
            Type::Bool => match self.chance.below(5) {
                0 if self.route && self.chance.percent(70) => {
                    node.text(format!("defined({})", self.chance.pick(OPTIONAL)))
                }
                0 => {
                    let kind = self.any_type();
                    node.text("defined(").node(self.expr(kind)).text(")")
                }
                1 => node.text("! ").node(self.primary(Type::Bool)),
                _ => node.text("(").node(self.logic()).text(")"),
            },
            Type::Int => match self.chance.below(6) {
                0 => node.text("(").node(self.sum()).text(")"),
                1 => node.node(self.primary(Type::Path)).text(self.chance.pick(&[
                    ".first",
                    ".last",
                    ".last_nonaggregated",
                    ".len",
                ])),
                2 => node.node(self.primary(Type::Prefix)).text(".len"),
                3 => node.node(self.primary(Type::Clist)).text(".len"),
                4 => {
                    let kind = self.chance_of(&[Type::Eclist, Type::Lclist, Type::Path]);
                    node.node(self.primary(kind)).text(".len")
                }
                _ => node.text("(").node(self.sum()).text(")"),
            },
            Type::Pair => {
                let (a, b) = (self.short(), self.short());
                node.text("(").list(",", [a, b]).text(")")
            }
            Type::Ip => match self.chance.below(2) {
                0 => node.node(self.primary(Type::Prefix)).text(".ip"),
                _ => {
                    let of = self.primary(Type::Ip);
                    // Beyond 128 BIRD reads behind its table of masks.
                    let len = if self.places.longest == 128 || self.chance.percent(80) {
                        self.small()
                    } else {
                        self.expr(Type::Int)
                    };
                    node.node(of).text(".mask(").node(len).text(")")
                }
            },
            Type::Ec => {
                let word = self.chance.pick(&["rt", "ro", "generic", "unknown 0x43", "unknown 5"]);
                let key = if self.chance.percent(20) && word != "generic" {
                    let kind = self.chance_of(&[Type::Ip, Type::Quad]);
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
            // Not `roa_check(roas)`: for an empty path BIRD looks for an AS that it has not set.
            Type::Enum("ROA") => {
                let (net, asn) = (self.expr(Type::Prefix), self.expr(Type::Int));
                node.text("roa_check(roas, ").list(", ", [net, asn]).text(")")
            }
            Type::Eclist => self.edited(kind, Type::Ec, Type::EcSet),
            Type::Lclist => self.edited(kind, Type::Lc, Type::LcSet),
            _ => self.literal(kind),
        }
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
                _ => Node::leaf(Sort::Optional, self.chance.pick(SHORT)),
            });
        }
        // BIRD follows memory that it has not set behind an expression that is the last item.
        let end = if items.iter().any(|item| item.to_string().starts_with('(')) { " *" } else { "" };
        Node::new(Sort::Expr(Type::Mask)).text("[= ").list(" ", items).text(format!("{end} =]"))
    }
}
