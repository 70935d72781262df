//! A program as a tree of text, which can be made smaller without knowing the language.
//!
//! Each node says what could stand in its place ([`Sort`]); the text is the
//! leaves one after the other. So taking a statement out, or putting a part of
//! an expression in the place of the whole, needs no grammar: what the result
//! means is for the daemons to say.

use std::fmt;

/// The types of the language, as far as an expression can have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int,
    Pair,
    Quad,
    Ip,
    Prefix,
    Ec,
    Lc,
    Text,
    Bytes,
    Mask,
    Path,
    Clist,
    Eclist,
    Lclist,
    Enum(&'static str),
    IntSet,
    PairSet,
    QuadSet,
    IpSet,
    PrefixSet,
    EcSet,
    LcSet,
    EnumSet(&'static str),
}

/// What can stand in the place of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Nothing else.
    Fixed,
    /// Nothing at all, or another statement.
    Statement,
    /// Nothing at all: a function that is perhaps not called, a member of a list.
    Optional,
    /// Another expression of the type.
    Expr(Type),
}

/// A node, with what stands in it.
#[derive(Clone, Debug)]
pub struct Node {
    /// What could stand here.
    pub sort: Sort,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Node(Node),
}

impl Node {
    /// An empty node.
    pub const fn new(sort: Sort) -> Self {
        Self { sort, parts: Vec::new() }
    }

    /// A node of text alone.
    pub fn leaf(sort: Sort, text: impl Into<String>) -> Self {
        Self::new(sort).text(text)
    }

    /// The node with text behind it.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// The node with another behind it.
    #[must_use]
    pub fn node(mut self, node: Self) -> Self {
        self.parts.push(Part::Node(node));
        self
    }

    /// The node with some others behind it, with text between them.
    #[must_use]
    pub fn list(mut self, between: &str, nodes: impl IntoIterator<Item = Self>) -> Self {
        for (i, node) in nodes.into_iter().enumerate() {
            self = if i > 0 { self.text(between) } else { self };
            self = self.node(node);
        }
        self
    }

    /// How many nodes it is, itself included.
    pub fn size(&self) -> usize {
        1 + self.children().map(Self::size).sum::<usize>()
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        self.parts.iter().filter_map(|p| match p {
            Part::Node(node) => Some(node),
            Part::Text(_) => None,
        })
    }

    /// The programs that are this one with one node made smaller, boldest first.
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        self.each(&mut Vec::new(), &mut |path, node| {
            let mut put = |with: Self| {
                if with.size() < node.size() || with.to_string().len() < node.to_string().len() {
                    all.push((node.size(), self.replaced(path, &with)));
                }
            };
            match node.sort {
                Sort::Fixed => {}
                Sort::Optional => put(Self::new(Sort::Fixed)),
                Sort::Statement => {
                    put(Self::new(Sort::Fixed));
                    node.inner(Sort::Statement).for_each(|n| put(n.clone()));
                }
                Sort::Expr(kind) => {
                    put(Self::leaf(node.sort, simplest(kind)));
                    node.inner(node.sort).for_each(|n| put(n.clone()));
                }
            }
        });
        all.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
        all.into_iter().map(|(_, node)| node).collect()
    }

    /// The nodes of a sort inside this one that are in no other such.
    fn inner(&self, sort: Sort) -> Box<dyn Iterator<Item = &Self> + '_> {
        Box::new(self.children().flat_map(
            move |n| {
                if n.sort == sort { Box::new(std::iter::once(n)) } else { n.inner(sort) }
            },
        ))
    }

    fn each(&self, path: &mut Vec<usize>, visit: &mut impl FnMut(&[usize], &Self)) {
        visit(path, self);
        for (i, part) in self.parts.iter().enumerate() {
            if let Part::Node(node) = part {
                path.push(i);
                node.each(path, visit);
                path.pop();
            }
        }
    }

    fn replaced(&self, path: &[usize], with: &Self) -> Self {
        let Some((first, rest)) = path.split_first() else { return with.clone() };
        let parts = self.parts.iter().enumerate().map(|(i, part)| match part {
            Part::Node(node) if i == *first => Part::Node(node.replaced(rest, with)),
            other => other.clone(),
        });
        Self { sort: self.sort, parts: parts.collect() }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Node(node) => node.fmt(f),
        })
    }
}

/// The shortest expression of a type.
const fn simplest(kind: Type) -> &'static str {
    match kind {
        Type::Bool => "true",
        Type::Int => "1",
        Type::Pair => "(1,2)",
        Type::Quad => "1.2.3.4",
        // Of the other family the daemons refuse them, and the whole is not made smaller here.
        Type::Ip => "10.0.0.1",
        Type::Prefix => "10.0.0.0/8",
        Type::Ec => "(rt,1,2)",
        Type::Lc => "(1,2,3)",
        Type::Text => "\"a\"",
        Type::Bytes => "hex:01",
        Type::Mask => "[= * =]",
        Type::Path => "+empty+",
        Type::Clist => "-empty-",
        Type::Eclist => "--empty--",
        Type::Lclist => "---empty---",
        Type::Enum(prefix) | Type::EnumSet(prefix) => match prefix.as_bytes() {
            b"RTS" => "RTS_BGP",
            b"RTD" => "RTD_BLACKHOLE",
            b"SCOPE" => "SCOPE_HOST",
            b"RTC" => "RTC_UNICAST",
            b"ROA" => "ROA_VALID",
            b"NET" => "NET_IP4",
            b"AF" => "AF_IPV4",
            b"ASPA" => "ASPA_VALID",
            _ => "ORIGIN_IGP",
        },
        Type::IntSet => "[1]",
        Type::PairSet => "[(1,2)]",
        Type::QuadSet => "[1.2.3.4]",
        Type::IpSet => "[10.0.0.1]",
        Type::PrefixSet => "[10.0.0.0/8]",
        Type::EcSet => "[(rt,1,2)]",
        Type::LcSet => "[(1,2,3)]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_becomes_smaller_by_statements_and_by_parts_of_expressions() {
        let int = Sort::Expr(Type::Int);
        let sum = Node::new(int).list(" + ", [Node::leaf(int, "7"), Node::leaf(int, "8")]);
        let program = Node::new(Sort::Fixed)
            .text("{ ")
            .node(Node::new(Sort::Statement).text("x = ").node(sum).text(";"))
            .text(" }");
        let smaller: Vec<String> = program.smaller().iter().map(ToString::to_string).collect();
        assert_eq!(smaller, ["{  }", "{ x = 1; }", "{ x = 7; }", "{ x = 8; }"]);
    }
}
