//! Statements.

use super::words::Presence::Perhaps;
use super::words::{NUMBERS_SMALL, QUADS, WALKED, attributes, constants, optional, own};
use super::{Maker, Node, Sort, Type};
use crate::filters::Dialect;

impl Maker<'_> {
    /// A statement, in a function with the type that it gives.
    pub(super) fn statement(&mut self, depth: usize, result: Option<Type>) -> Node {
        let node = Node::new(Sort::Statement);
        self.left = 2 + self.chance.below(10);
        let simple = depth == 0;
        if self.dialect.is_2() && self.chance.percent(20) {
            return self.of_dialect_2(depth, result);
        }
        match self.chance.below(if simple { 60 } else { 100 }) {
            0..20 => self.print(),
            20..32 => self.assign(),
            32..50 if self.route => self.set_attribute(),
            32..52 => self.assign(),
            52..54 => self.end(70),
            54..60 => match (result, self.chance.below(2)) {
                (Some(kind), 0) => {
                    let value = self.expr(kind);
                    node.text("return ").node(value).text(";\n")
                }
                (None, 0) if self.dialect == Dialect::Two => {
                    let value = self.expr(Type::Bool);
                    node.text("return ").node(value).text(";\n")
                }
                _ => self.print(),
            },
            60..85 => {
                let condition = self.expr(Type::Bool);
                let mut node = node.text("if ").node(condition).text(" then ").node(self.block(depth - 1, result));
                while self.dialect.is_2() && self.chance.percent(20) {
                    let condition = self.expr(Type::Bool);
                    node = node.text("else if ").node(condition).text(" then ").node(self.block(depth - 1, result));
                }
                if self.chance.percent(50) {
                    node = node.text("else ").node(self.block(depth - 1, result));
                }
                node
            }
            _ => self.case(depth - 1, result),
        }
    }

    pub(super) fn block(&mut self, depth: usize, result: Option<Type>) -> Node {
        let node = Node::new(Sort::Fixed).text("{\n");
        let labelled = std::mem::take(&mut self.labelled);
        let block = self.inside(|maker| {
            let mut node = node;
            for _ in 0..1 + maker.chance.below(2) {
                node = node.node(maker.statement(depth, result));
            }
            node.text("}\n")
        });
        self.labelled = labelled;
        block
    }

    /// The end of a filter, `accept` in so many of a hundred cases, now and then with something to say.
    pub(super) fn end(&mut self, percent: usize) -> Node {
        let word = if self.chance.percent(percent) { "accept" } else { "reject" };
        let node = Node::new(Sort::Statement).text(word);
        if !(self.dialect.is_2() && self.chance.percent(20)) {
            return node.text(";\n");
        }
        self.left = 4;
        let said = self.printed();
        node.text(" \"end \", ").node(said).text(";\n")
    }

    /// Makes something whose variables end with it.
    fn inside<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.outer, self.names.len());
        let made = make(self);
        self.crowded |= self.names.len() > self.outer;
        self.names.truncate(self.outer);
        self.outer = outer;
        made
    }

    /// What 1.6 has not: declarations, blocks and calls among statements, loops, `unset`.
    fn of_dialect_2(&mut self, depth: usize, result: Option<Type>) -> Node {
        let node = Node::new(Sort::Statement);
        match self.chance.below(10) {
            0..4 if !self.labelled => self.declare(),
            4 | 5 if depth > 0 && !self.labelled && !self.crowded => self.walk(depth - 1, result),
            6 if depth > 0 => {
                let block = self.block(depth - 1, result);
                node.node(block)
            }
            7 if self.route => {
                let mut names = optional(self.dialect);
                // Taken away they are shown all the same while a filter is only tried.
                names.retain(|name| !matches!(*name, "bgp_origin" | "bgp_aigp"));
                names.retain(|name| self.dialect == Dialect::Later || !name.starts_with("own_"));
                node.text(format!("unset({});\n", self.chance_of(&names)))
            }
            8 if self.dialect == Dialect::Later
                && let Some(edit) = self.edit_variable() =>
            {
                edit
            }
            _ => {
                let kind = self.any_type();
                match self.call(kind) {
                    Some(call) => node.node(call).text(";\n"),
                    None if self.labelled => self.print(),
                    None => self.declare(),
                }
            }
        }
    }

    /// A variable changed in place.
    fn edit_variable(&mut self) -> Option<Node> {
        let seen = self.names.iter().enumerate().filter(|(i, (n, _))| self.names[i + 1..].iter().all(|(m, _)| m != n));
        let of = |kind: Type| {
            Some(match kind {
                Type::Path => ("prepend", Type::Int),
                Type::Clist => ("add", Type::Pair),
                Type::Eclist => ("add", Type::Ec),
                Type::Lclist => ("delete", Type::LcSet),
                Type::Text | Type::Bytes => ("append", kind),
                _ => return None,
            })
        };
        let fits: Vec<_> = seen.filter_map(|(_, (name, kind))| Some((name.clone(), *kind, of(*kind)?))).collect();
        if fits.is_empty() {
            return None;
        }
        let (name, kind, (method, with)) = fits[self.chance.below(fits.len())].clone();
        let node = Node::new(Sort::Statement);
        if self.chance.percent(20) && !matches!(kind, Type::Text | Type::Bytes) {
            return Some(node.text(format!("{name}.empty;\n")));
        }
        let argument = self.expr(with);
        Some(node.text(format!("{name}.{method}(")).node(argument).text(");\n"))
    }

    /// A variable, now and then with the name of one further out.
    fn declare(&mut self) -> Node {
        let (word, kind) = self.declared_type();
        let value = self.expr(kind);
        let shadowed = if self.chance.percent(15) { self.names[..self.outer].last().cloned() } else { None };
        let name = match shadowed {
            Some((name, _)) if self.names[self.outer..].iter().all(|(n, _)| *n != name) => name,
            _ => self.new_name(),
        };
        self.names.push((name.clone(), kind));
        Node::new(Sort::Statement).text(format!("{word} {name} = ")).node(value).text(";\n")
    }

    fn new_name(&mut self) -> String {
        self.declared += 1;
        format!("d{}", self.declared)
    }

    /// A loop.
    fn walk(&mut self, depth: usize, result: Option<Type>) -> Node {
        let (list, word, item) = self.chance_of(WALKED);
        let list = self.primary(list);
        let name = self.new_name();
        let body = self.inside(|maker| {
            maker.names.push((name.clone(), item));
            maker.block(depth, result)
        });
        Node::new(Sort::Statement).text(format!("for {word} {name} in ")).node(list).text(" do ").node(body)
    }

    pub(super) fn print(&mut self) -> Node {
        let word = if self.chance.percent(90) { "print " } else { "printn " };
        let count = 1 + self.chance.below(2);
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.printed());
        }
        Node::new(Sort::Statement).text(word).list(", \" | \", ", items).text(";\n")
    }

    pub(super) fn assign(&mut self) -> Node {
        if self.names.is_empty() {
            return self.print();
        }
        let (name, kind) = self.names[self.chance.below(self.names.len())].clone();
        // One of that name further in is meant.
        let kind = self.names.iter().rfind(|(n, _)| *n == name).map_or(kind, |(_, kind)| *kind);
        let value = self.expr(kind);
        Node::new(Sort::Statement).text(format!("{name} = ")).node(value).text(";\n")
    }

    pub(super) fn set_attribute(&mut self) -> Node {
        let all = if self.dialect.is_2() { 30 } else { 26 };
        let (name, kind, how): (&str, Type, &str) = match self.chance.below(all) {
            0..3 => ("bgp_path", Type::Int, "prepend"),
            3 => ("bgp_path", Type::IntSet, "delete"),
            4 => ("bgp_path", Type::IntSet, "filter"),
            5..8 => ("bgp_community", Type::Pair, "add"),
            8 => ("bgp_community", Type::PairSet, self.chance.pick(&["delete", "filter"])),
            9 => ("bgp_community", Type::Clist, self.chance.pick(&["add", "delete", "filter"])),
            10..12 => ("bgp_ext_community", Type::Ec, "add"),
            12 => ("bgp_ext_community", Type::EcSet, self.chance.pick(&["delete", "filter"])),
            13..15 => ("bgp_large_community", Type::Lc, "add"),
            15 => ("bgp_large_community", Type::LcSet, self.chance.pick(&["delete", "filter"])),
            16 => ("bgp_path", Type::Path, "="),
            17 => ("bgp_community", Type::Clist, "="),
            18 => (
                self.chance.pick(&["bgp_path", "bgp_community", "bgp_ext_community", "bgp_large_community"]),
                Type::Int,
                "empty",
            ),
            19 => (self.chance.pick(&["from", "bgp_next_hop", "krt_prefsrc"]), Type::Ip, "="),
            20 => (self.chance_of(&attributes(Type::Bool, Perhaps, self.dialect)), Type::Bool, "="),
            21 => return self.set_place(),
            26..29 => {
                let (name, kind, _) = self.chance_of(&own(self.dialect));
                (name, kind, "=")
            }
            29 => ("bgp_origin", Type::Enum("ORIGIN"), "="),
            _ => {
                let perhaps = attributes(Type::Int, Perhaps, self.dialect);
                (if self.chance.percent(20) { "preference" } else { self.chance_of(&perhaps) }, Type::Int, "=")
            }
        };
        let node = Node::new(Sort::Statement);
        if how == "empty" {
            return node.text(format!("{name}.empty;\n"));
        }
        let value = self.expr(kind);
        match how {
            "=" if name == "preference" => node.text(format!("preference = {};\n", self.chance.pick(NUMBERS_SMALL))),
            "=" => node.text(format!("{name} = ")).node(value).text(";\n"),
            _ => node.text(format!("{name}.{how}(")).node(value).text(");\n"),
        }
    }

    /// Where a route leads, and what else few values are good for.
    pub(super) fn set_place(&mut self) -> Node {
        let all = if self.dialect.is_2() { 9 } else { 7 };
        // What a route is told of its link stays with it in BIRD 2, wherever it is led then.
        let what = self.chance.below(if self.route { all } else { all.min(8) });
        let text = match what {
            0 => format!("dest = {}", self.chance.pick(&["RTD_BLACKHOLE", "RTD_UNREACHABLE", "RTD_PROHIBIT"])),
            1 => format!("gw = {}", self.chance.pick(self.places.gateways)),
            2 => "ifname = \"d0\"".into(),
            3 => format!("bgp_origin = {}", self.chance.pick(constants("ORIGIN", self.dialect))),
            4 => format!("bgp_originator_id = {}", self.chance.pick(QUADS)),
            5 => format!("from = {}", self.chance.pick(self.places.addresses)),
            6 => format!("scope = {}", self.chance.pick(constants("SCOPE", self.dialect))),
            // Of a next hop that is looked up neither can be set.
            7 => format!(
                "gw = {}; weight = {}; print weight",
                self.chance.pick(self.places.gateways),
                self.chance.pick(&["1", "2", "255", "256", "0", "257"])
            ),
            _ => format!("ifname = \"d0\"; onlink = true; gw = {}", self.chance.pick(self.places.gateways)),
        };
        // Where ROAs lead is shown by BIRD 2, and nothing to rbird.
        let text = match (self.dialect.is_2(), what) {
            (true, 0..3 | 7..) => format!("if net.type ~ [NET_IP4, NET_IP6] then {{ {text}; }}"),
            _ => format!("{text};"),
        };
        Node::leaf(Sort::Statement, text + "\n")
    }

    pub(super) fn case(&mut self, depth: usize, result: Option<Type>) -> Node {
        let kind = match self.chance.below(if self.dialect.is_2() { 9 } else { 5 }) {
            7 => Type::Quad,
            8 => Type::Enum(if self.route { self.chance.pick(&["NET", "ROA", "ORIGIN"]) } else { "NET" }),
            0 | 1 => Type::Int,
            2 => Type::Pair,
            3 => Type::Ip,
            5 => Type::Ec,
            6 => Type::Lc,
            _ => Type::Enum(if self.route { self.chance.pick(&["RTS", "RTD"]) } else { "RTS" }),
        };
        let subject = self.expr(kind);
        let mut node = Node::new(Sort::Statement).text("case ").node(subject).text(" {\n");
        let mut from = 0;
        for arm in 0..1 + self.chance.below(4) {
            let (first, last) = (from + self.chance.below(3), from + 3 + self.chance.below(3));
            // Of labels that overlap BIRD 2.0 finds one or the other.
            from = if self.dialect.is_2() || self.chance.percent(70) { last + 1 } else { 0 };
            let label = match kind {
                Type::Int if self.chance.percent(40) => format!("{first}"),
                Type::Int => format!("{first}..{last}"),
                Type::Pair if self.chance.percent(40) => format!("({first},{last})"),
                Type::Pair if self.chance.percent(50) => format!("({first},*)"),
                Type::Pair => format!("({first},1..5)"),
                Type::Ec if self.chance.percent(50) => format!("(rt,{first},2)"),
                Type::Ec => format!("(rt,{first},*)"),
                Type::Lc if self.chance.percent(50) => format!("({first},1,2)"),
                Type::Lc => format!("({first},*,*)"),
                Type::Quad if self.chance.percent(50) => format!("1.2.3.{first}"),
                Type::Quad => format!("1.2.3.{first}..1.2.3.{last}"),
                Type::Ip if self.chance.percent(50) => self.places.address_label.replace('N', &first.to_string()),
                Type::Ip => self.places.range_label.replace('N', &first.to_string()).replace('M', &last.to_string()),
                Type::Enum(prefix) => match constants(prefix, self.dialect).get(arm) {
                    Some(name) => (*name).into(),
                    None => break,
                },
                _ => break,
            };
            // The blank: a colon at an IPv6 address is of the address.
            let part = Node::new(Sort::Optional).text(format!("{label} : "));
            if self.dialect.is_2() && self.chance.percent(30) {
                node = node.node(part.node(self.block(depth, result)));
                continue;
            }
            let labelled = std::mem::replace(&mut self.labelled, self.dialect.is_2());
            node = node.node(self.inside(|maker| {
                (0..1 + maker.chance.below(2)).fold(part, |part, _| part.node(maker.statement(depth, result)))
            }));
            self.labelled = labelled;
        }
        if self.chance.percent(60) {
            let labelled = std::mem::replace(&mut self.labelled, self.dialect.is_2());
            let statement = self.inside(|maker| maker.statement(depth, result));
            self.labelled = labelled;
            node = node.node(Node::new(Sort::Optional).text("else: ").node(statement));
        }
        node.text("}\n")
    }
}
