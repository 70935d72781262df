//! Random programs of BIRD's filter language.
//!
//! One generator makes those of both dialects: what only one of them has stands
//! in tables (`words`), or is asked for where it would be made. Well-typed by
//! construction, but for a few on purpose: BIRD 1.6 checks types when a filter
//! runs, BIRD 2 what it can not know before, and their errors are results too. Expressions follow the
//! language's own levels (logic, comparison, sum, product, negation, dot), so
//! that they can stand without parentheses and the precedences are tried.
//!
//! What is left out is what docs/differences.md lists under "Filters", and
//! `quitbird`, which ends the other daemon.

mod expressions;
mod literals;
mod sets;
mod statements;
mod words;

use super::chance::Chance;
use super::tree::{Node, Sort, Type};
use super::{Dialect, Scene};
use crate::bench::table::Family;
pub use words::own;
use words::{BOTH_FAMILIES, IPV4, IPV6, Places, declared};

/// One program: its functions and its filter, and an expression for `eval`.
#[derive(Clone, Debug)]
pub struct Program {
    /// Constants and functions.
    pub before: Node,
    /// What stands in the braces of the filter.
    pub filter: Node,
    /// An expression without a route.
    pub expr: Node,
}

impl Program {
    /// As it stands in the configuration: the names of the program are its own (`@` stands for the mark).
    pub fn text(&self, mark: &str) -> String {
        format!("{}\n{}", self.before, self.filter).replace('@', mark)
    }

    /// The expression for `eval`.
    pub fn eval(&self, mark: &str) -> String {
        self.expr.to_string().replace('@', mark)
    }

    /// How many nodes it is.
    pub fn size(&self) -> usize {
        self.before.size() + self.filter.size() + self.expr.size()
    }

    /// Those that are one step smaller.
    pub fn smaller(&self) -> Vec<Self> {
        let filters = self.filter.smaller().into_iter().map(|filter| Self { filter, ..self.clone() });
        let exprs = self.expr.smaller().into_iter().map(|expr| Self { expr, ..self.clone() });
        let befores = self.before.smaller().into_iter().map(|before| Self { before, ..self.clone() });
        befores.chain(filters).chain(exprs).collect()
    }
}

/// What a filter prints first, with the route.
pub const ROUTE_MARK: &str = "route ";

/// How long the expression for `eval` may be: BIRD reads commands into 1,024 octets.
const EVAL_MAX: usize = 600;

/// Makes a program.
pub fn program(chance: &mut Chance, scene: Scene) -> Program {
    let mut maker = Maker::new(chance, scene);
    let mut before = Node::new(Sort::Fixed);
    for _ in 0..maker.chance.below(4) {
        before = before.node(maker.constant());
    }
    for _ in 0..maker.chance.below(4) {
        before = before.node(maker.function());
    }
    maker.names.clear();
    maker.route = true;
    let filter = maker.filter();
    maker.names.clear();
    maker.route = false;
    let expr = loop {
        maker.left = 12;
        let expr = maker.printed();
        if expr.to_string().len() < EVAL_MAX {
            break expr;
        }
    };
    Program { before, filter, expr }
}

/// The import filter of a route of the base configuration: only sets what routes then carry.
pub fn import_filter(chance: &mut Chance, scene: Scene) -> String {
    let mut maker = Maker::new(chance, scene);
    let count = 2 + maker.chance.below(9);
    let mut body = Node::new(Sort::Fixed);
    for _ in 0..count {
        maker.left = 0;
        let statement = maker.set_attribute();
        body = body.node(statement);
    }
    format!("filter {{ {body} accept; }}")
}

struct Function {
    name: String,
    arguments: Vec<Type>,
    result: Type,
    /// Whether it reads or sets attributes of a route.
    route: bool,
}

struct Maker<'c> {
    chance: &'c mut Chance,
    /// Variables that can be read and set here.
    names: Vec<(String, Type)>,
    constants: Vec<(String, Type)>,
    functions: Vec<Function>,
    /// Whether there is a route here.
    route: bool,
    /// How much an expression may still grow.
    left: usize,
    dialect: Dialect,
    places: &'static Places,
    /// How many variables have been declared among statements.
    declared: usize,
    /// How many of the variables stand further out than the block that is made.
    outer: usize,
    /// The commands of a label of `case` are made, outside of braces: BIRD 2 miscounts the memory of variables that are
    /// declared there.
    labelled: bool,
    /// A block that is closed has declared variables: BIRD 2 begins loops behind it wherever their memory says.
    crowded: bool,
}

impl<'c> Maker<'c> {
    fn new(chance: &'c mut Chance, scene: Scene) -> Self {
        let places = match scene {
            Scene { dialect: Dialect::One, family: Family::Ipv4 } => &IPV4,
            Scene { dialect: Dialect::One, family: Family::Ipv6 } => &IPV6,
            _ => &BOTH_FAMILIES,
        };
        let (names, functions, constants) = Default::default();
        let dialect = scene.dialect;
        let (route, left) = (false, 0);
        Self {
            chance,
            names,
            functions,
            constants,
            route,
            left,
            dialect,
            places,
            declared: 0,
            outer: 0,
            labelled: false,
            crowded: false,
        }
    }
}

impl Maker<'_> {
    fn constant(&mut self) -> Node {
        let kind = self.any_type();
        let name = format!("c@_{}", self.constants.len());
        self.left = 3;
        let value = self.expr(kind);
        self.constants.push((name.clone(), kind));
        Node::new(Sort::Optional).text(format!("define {name} = ")).node(value).text(";\n")
    }

    fn function(&mut self) -> Node {
        let name = format!("f@_{}", self.functions.len());
        self.route = self.chance.percent(30);
        let declare = |maker: &mut Self, prefix: &str, most: usize| -> Vec<(String, Type, &'static str)> {
            (0..maker.chance.below(most))
                .map(|i| {
                    let (word, kind) = maker.declared_type();
                    (format!("{prefix}{i}"), kind, word)
                })
                .collect()
        };
        let arguments = declare(self, "a", 4);
        let locals = declare(self, "l", 4);
        let (word, result) = match self.dialect {
            // An address that is written out is none to a function that gives quads, nor `[]` to one of prefix sets.
            Dialect::Later => match self.declared_type() {
                (_, Type::Quad | Type::PrefixSet) => ("int", Type::Int),
                other => other,
            },
            _ => ("", self.any_type()),
        };
        self.crowded = false;
        self.names = arguments.iter().chain(&locals).map(|(n, k, _)| (n.clone(), *k)).collect();
        let said: Vec<String> = arguments.iter().map(|(n, _, w)| format!("{w} {n}")).collect();
        let gives = if word.is_empty() { String::new() } else { format!(" -> {word}") };
        let mut node = Node::new(Sort::Optional).text(format!("function {name}({}){gives}", said.join("; ")));
        for (n, _, w) in &locals {
            node = node.node(Node::leaf(Sort::Optional, format!(" {w} {n};")));
        }
        node = node.text("\n{\n");
        let settle = self.settle(&locals);
        node = settle.into_iter().fold(node, Node::node);
        if let Some(again) = self.again(&name, &arguments) {
            node = node.node(again);
        }
        for _ in 0..self.chance.below(4) {
            let statement = self.statement(2, Some(result));
            node = node.node(statement);
        }
        self.left = 8;
        let value = self.expr(result);
        node = node.node(Node::new(Sort::Statement).text("return ").node(value).text(";\n")).text("}\n");
        let arguments = arguments.into_iter().map(|(_, k, _)| k).collect();
        self.functions.push(Function { name, arguments, result, route: self.route });
        node
    }

    /// A function that calls itself, a few times: the first argument says how often.
    fn again(&mut self, name: &str, arguments: &[(String, Type, &str)]) -> Option<Node> {
        let ([(count, Type::Int, _), others @ ..], true) = (arguments, self.dialect.is_2()) else { return None };
        if !self.chance.percent(40) {
            return None;
        }
        self.left = 3;
        let others: Vec<Node> = others.iter().map(|(_, kind, _)| self.expr(*kind)).collect();
        let call =
            others.into_iter().fold(Node::new(Sort::Fixed).text(format!("{name}({count} - 1")), |call, other| {
                call.text(", ").node(other)
            });
        let node = Node::new(Sort::Statement).text(format!("if {count} ~ [1..4] then {{ print {count}; return "));
        Some(node.node(call).text("); }\n"))
    }

    /// The type of a variable, with the word that declares it.
    fn declared_type(&mut self) -> (&'static str, Type) {
        let all = declared(self.dialect);
        self.chance_of(&all)
    }

    /// Gives most of the locals a value.
    fn settle(&mut self, locals: &[(String, Type, &'static str)]) -> Vec<Node> {
        let mut all = Vec::new();
        for (name, kind, _) in locals {
            // What was not set is void in BIRD 2, an empty list, or refused, by release.
            if self.dialect.is_2() || self.chance.percent(85) {
                self.left = 4;
                let value = self.expr(*kind);
                all.push(Node::new(Sort::Statement).text(format!("{name} = ")).node(value).text(";\n"));
            }
        }
        all
    }

    fn filter(&mut self) -> Node {
        let locals: Vec<_> = (0..self.chance.below(5))
            .map(|i| {
                let (word, kind) = self.declared_type();
                (format!("l{i}"), kind, word)
            })
            .collect();
        self.crowded = false;
        self.names = locals.iter().map(|(n, k, _)| (n.clone(), *k)).collect();
        let mut node = Node::new(Sort::Fixed).text("filter p@\n");
        for (n, _, w) in &locals {
            node = node.node(Node::leaf(Sort::Optional, format!("{w} {n};\n")));
        }
        node = node.text(format!("{{\nprint \"{ROUTE_MARK}\", net, \" \", proto;\n"));
        let settle = self.settle(&locals);
        node = settle.into_iter().fold(node, Node::node);
        for _ in 0..1 + self.chance.below(6) {
            let statement = self.statement(3, None);
            node = node.node(statement);
        }
        let end = self.end(90);
        node.node(end).text("}\n")
    }
}
