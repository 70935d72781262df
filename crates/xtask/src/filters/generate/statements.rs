//! Statements.

use super::words::{ENUMS, NUMBERS_SMALL, QUADS, attributes, constants};
use super::{Maker, Node, Sort, Type};

impl Maker<'_> {
    /// A statement, in a function with the type that it gives.
    pub(super) fn statement(&mut self, depth: usize, result: Option<Type>) -> Node {
        let node = Node::new(Sort::Statement);
        self.left = 2 + self.chance.below(10);
        let simple = depth == 0;
        match self.chance.below(if simple { 60 } else { 100 }) {
            0..20 => self.print(),
            20..32 => self.assign(),
            32..50 if self.route => self.set_attribute(),
            32..52 => self.assign(),
            52..54 => Node::leaf(Sort::Statement, if self.chance.percent(70) { "accept;\n" } else { "reject;\n" }),
            54..60 => match (result, self.chance.below(2)) {
                (Some(kind), 0) => {
                    let value = self.expr(kind);
                    node.text("return ").node(value).text(";\n")
                }
                _ => self.print(),
            },
            60..85 => {
                let condition = self.expr(Type::Bool);
                let mut node = node.text("if ").node(condition).text(" then ").node(self.block(depth - 1, result));
                if self.chance.percent(50) {
                    node = node.text("else ").node(self.block(depth - 1, result));
                }
                node
            }
            _ => self.case(depth - 1, result),
        }
    }

    pub(super) fn block(&mut self, depth: usize, result: Option<Type>) -> Node {
        let mut node = Node::new(Sort::Fixed).text("{\n");
        for _ in 0..1 + self.chance.below(2) {
            let statement = self.statement(depth, result);
            node = node.node(statement);
        }
        node.text("}\n")
    }

    pub(super) fn print(&mut self) -> Node {
        let word = if self.chance.percent(90) { "print " } else { "printn " };
        let count = 1 + self.chance.below(2);
        let mut items = Vec::new();
        for _ in 0..count {
            let kind = self.any_type();
            items.push(self.expr(kind));
        }
        Node::new(Sort::Statement).text(word).list(", \" | \", ", items).text(";\n")
    }

    pub(super) fn assign(&mut self) -> Node {
        if self.names.is_empty() {
            return self.print();
        }
        let (name, kind) = self.names[self.chance.below(self.names.len())].clone();
        let value = self.expr(kind);
        Node::new(Sort::Statement).text(format!("{name} = ")).node(value).text(";\n")
    }

    pub(super) fn set_attribute(&mut self) -> Node {
        let (name, kind, how): (&str, Type, &str) = match self.chance.below(26) {
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
            20 => (self.chance.pick(attributes(Type::Bool).1), Type::Bool, "="),
            21 => return self.set_place(),
            _ => {
                let (always, perhaps) = attributes(Type::Int);
                let name = if self.chance.percent(20) { self.chance.pick(always) } else { self.chance.pick(perhaps) };
                (name, Type::Int, "=")
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
        let text = match self.chance.below(7) {
            0 => format!("dest = {}", self.chance.pick(&["RTD_BLACKHOLE", "RTD_UNREACHABLE", "RTD_PROHIBIT"])),
            1 => format!("gw = {}", self.chance.pick(self.places.gateways)),
            2 => "ifname = \"d0\"".into(),
            3 => format!("bgp_origin = {}", self.chance.pick(ENUMS[4].1)),
            4 => format!("bgp_originator_id = {}", self.chance.pick(QUADS)),
            5 => format!("from = {}", self.chance.pick(self.places.addresses)),
            _ => format!("scope = {}", self.chance.pick(ENUMS[1].1)),
        };
        Node::leaf(Sort::Statement, format!("{text};\n"))
    }

    pub(super) fn case(&mut self, depth: usize, result: Option<Type>) -> Node {
        let kind = match self.chance.below(5) {
            0 | 1 => Type::Int,
            2 => Type::Pair,
            3 => Type::Ip,
            _ => Type::Enum(if self.route { self.chance.pick(&["RTS", "RTD"]) } else { "RTS" }),
        };
        let subject = self.expr(kind);
        let mut node = Node::new(Sort::Statement).text("case ").node(subject).text(" {\n");
        let mut from = 0;
        for arm in 0..1 + self.chance.below(4) {
            let (first, last) = (from + self.chance.below(3), from + 3 + self.chance.below(3));
            from = if self.chance.percent(70) { last + 1 } else { 0 };
            let label = match kind {
                Type::Int if self.chance.percent(40) => format!("{first}"),
                Type::Int => format!("{first}..{last}"),
                Type::Pair if self.chance.percent(40) => format!("({first},{last})"),
                Type::Pair if self.chance.percent(50) => format!("({first},*)"),
                Type::Pair => format!("({first},1..5)"),
                Type::Ip if self.chance.percent(50) => self.places.address_label.replace('N', &first.to_string()),
                Type::Ip => self.places.range_label.replace('N', &first.to_string()).replace('M', &last.to_string()),
                Type::Enum(prefix) => match constants(prefix).get(arm) {
                    Some(name) => (*name).into(),
                    None => break,
                },
                _ => break,
            };
            // The blank: a colon at an IPv6 address is of the address.
            let mut part = Node::new(Sort::Optional).text(format!("{label} : "));
            for _ in 0..1 + self.chance.below(2) {
                let statement = self.statement(depth, result);
                part = part.node(statement);
            }
            node = node.node(part);
        }
        if self.chance.percent(60) {
            let statement = self.statement(depth, result);
            node = node.node(Node::new(Sort::Optional).text("else: ").node(statement));
        }
        node.text("}\n")
    }
}
