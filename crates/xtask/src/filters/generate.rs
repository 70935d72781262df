//! Random programs of BIRD 1.6's filter language.
//!
//! Well-typed by construction, but for a few on purpose: BIRD 1.6 checks types
//! when a filter runs, and its errors are results too. Expressions follow the
//! language's own levels (logic, comparison, sum, product, negation, dot), so
//! that they can stand without parentheses and the precedences are tried.
//!
//! What is left out is what docs/differences.md lists under "Filters", and
//! `quitbird`, which ends the other daemon.

use super::tree::{Node, Sort, Type};

/// Numbers by chance: splitmix64, so that a seed gives the same programs everywhere.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below another.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Whether something happens that does in so many of a hundred cases.
    pub fn percent(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    /// One of some.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

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
pub fn program(chance: &mut Chance) -> Program {
    let mut maker =
        Maker { chance, names: Vec::new(), functions: Vec::new(), constants: Vec::new(), route: false, left: 0 };
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
        let kind = maker.any_type();
        let expr = maker.expr(kind);
        if expr.to_string().len() < EVAL_MAX {
            break expr;
        }
    };
    Program { before, filter, expr }
}

/// The import filter of a route of the base configuration: only sets what routes then carry.
pub fn import_filter(chance: &mut Chance) -> String {
    let mut maker =
        Maker { chance, names: Vec::new(), functions: Vec::new(), constants: Vec::new(), route: false, left: 0 };
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
}

/// The types of variables, with the words that declare them.
const DECLARED: &[(&str, Type)] = &[
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("pair", Type::Pair),
    ("ip", Type::Ip),
    ("prefix", Type::Prefix),
    ("ec", Type::Ec),
    ("lc", Type::Lc),
    ("string", Type::Text),
    ("bgpmask", Type::Mask),
    ("bgppath", Type::Path),
    ("clist", Type::Clist),
    ("eclist", Type::Eclist),
    ("lclist", Type::Lclist),
    ("int set", Type::IntSet),
    ("pair set", Type::PairSet),
    ("ip set", Type::IpSet),
    ("prefix set", Type::PrefixSet),
    ("ec set", Type::EcSet),
    ("lc set", Type::LcSet),
];

/// Enumerations, with their constants.
const ENUMS: &[(&str, &[&str])] = &[
    ("RTS", &["RTS_DUMMY", "RTS_STATIC", "RTS_INHERIT", "RTS_DEVICE", "RTS_STATIC_DEVICE", "RTS_BGP", "RTS_PIPE"]),
    ("SCOPE", &["SCOPE_HOST", "SCOPE_LINK", "SCOPE_SITE", "SCOPE_ORGANIZATION", "SCOPE_UNIVERSE"]),
    ("RTD", &["RTD_ROUTER", "RTD_DEVICE", "RTD_BLACKHOLE", "RTD_UNREACHABLE", "RTD_PROHIBIT", "RTD_MULTIPATH"]),
    ("RTC", &["RTC_UNICAST", "RTC_BROADCAST", "RTC_MULTICAST", "RTC_ANYCAST"]),
    ("ORIGIN", &["ORIGIN_IGP", "ORIGIN_EGP", "ORIGIN_INCOMPLETE"]),
    ("ROA", &["ROA_UNKNOWN", "ROA_VALID", "ROA_INVALID"]),
];

/// Attributes that read as a type. Those that a route may lack come behind.
fn attributes(kind: Type) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        Type::Int => (
            &["preference"],
            &[
                "bgp_med",
                "bgp_local_pref",
                "igp_metric",
                "krt_realm",
                "krt_mtu",
                "krt_advmss",
                "krt_scope",
                "krt_hoplimit",
            ],
        ),
        Type::Bool => (&[], &["krt_lock_mtu", "krt_lock_window", "krt_feature_ecn"]),
        Type::Ip => (&["from", "gw"], &["bgp_next_hop", "krt_prefsrc"]),
        Type::Prefix => (&["net"], &[]),
        Type::Text => (&["proto", "ifname"], &[]),
        Type::Path => (&[], &["bgp_path"]),
        Type::Clist => (&["bgp_community"], &[]),
        Type::Eclist => (&["bgp_ext_community"], &[]),
        Type::Lclist => (&["bgp_large_community"], &[]),
        Type::Enum("RTS") => (&["source"], &[]),
        Type::Enum("SCOPE") => (&["scope"], &[]),
        Type::Enum("RTD") => (&["dest"], &[]),
        Type::Enum("RTC") => (&["cast"], &[]),
        _ => (&[], &[]),
    }
}

/// Attributes of which only presence is asked.
const OPTIONAL: &[&str] = &[
    "bgp_path",
    "bgp_med",
    "bgp_local_pref",
    "bgp_origin",
    "bgp_next_hop",
    "bgp_community",
    "bgp_ext_community",
    "bgp_large_community",
    "bgp_aggregator",
    "bgp_atomic_aggr",
    "bgp_originator_id",
    "bgp_cluster_list",
    "igp_metric",
    "krt_metric",
    "krt_realm",
    "krt_mtu",
    "krt_prefsrc",
    "krt_source",
    "ifname",
    "gw",
    "from",
    "krt_lock_mtu",
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "8",
    "10",
    "16",
    "20",
    "24",
    "32",
    "33",
    "100",
    "150",
    "200",
    "255",
    "256",
    "65000",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4200000000",
    "0x10",
    "0xffff",
    "0xFFFFFFFF",
    "007",
];
const SHORT: &[&str] = &["0", "1", "2", "3", "5", "7", "10", "20", "100", "65000", "65535", "0x10"];
const ADDRESSES: &[&str] = &[
    "0.0.0.0",
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.99",
    "10.1.1.1",
    "10.1.1.2",
    "10.1.2.3",
    "127.0.0.1",
    "192.168.0.1",
    "192.168.255.255",
    "224.0.0.5",
    "255.255.255.255",
    "1.2.3.4",
];
const PREFIXES: &[&str] = &[
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/7",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "10.1.2.3/32",
    "10.1.128.0/17",
    "10.20.0.0/16",
    "192.168.0.0/16",
    "192.168.4.0/22",
    "192.0.2.0/24",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "172.16.0.0/12",
    "100.64.0.0/10",
];
const TEXTS: &[&str] = &["", "a", "abc", "abd", "b", "d0", "eth0", "s1", "A", "a*b", "axxb", "static", "x y"];
const PATTERNS: &[&str] = &["*", "a*", "*b", "a?c", "?", "??", "d*", "s?", "[a", "a*b", "*x*", "", "s1", "A*", "a\\*b"];

impl Maker<'_> {
    fn any_type(&mut self) -> Type {
        if self.chance.percent(8) {
            let (prefix, _) = ENUMS[self.chance.below(ENUMS.len())];
            return Type::Enum(prefix);
        }
        DECLARED[self.chance.below(DECLARED.len())].1
    }

    // Definitions.

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
                    let (word, kind) = DECLARED[maker.chance.below(DECLARED.len())];
                    (format!("{prefix}{i}"), kind, word)
                })
                .collect()
        };
        let arguments = declare(self, "a", 4);
        let locals = declare(self, "v", 4);
        let result = self.any_type();
        self.names = arguments.iter().chain(&locals).map(|(n, k, _)| (n.clone(), *k)).collect();
        let said: Vec<String> = arguments.iter().map(|(n, _, w)| format!("{w} {n}")).collect();
        let mut node = Node::new(Sort::Optional).text(format!("function {name}({})", said.join("; ")));
        for (n, _, w) in &locals {
            node = node.node(Node::leaf(Sort::Optional, format!(" {w} {n};")));
        }
        node = node.text("\n{\n");
        let settle = self.settle(&locals);
        node = settle.into_iter().fold(node, Node::node);
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

    /// Gives most of the locals a value.
    fn settle(&mut self, locals: &[(String, Type, &'static str)]) -> Vec<Node> {
        let mut all = Vec::new();
        for (name, kind, _) in locals {
            if self.chance.percent(85) {
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
                let (word, kind) = DECLARED[self.chance.below(DECLARED.len())];
                (format!("v{i}"), kind, word)
            })
            .collect();
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
        let end = if self.chance.percent(90) { "accept;\n" } else { "reject;\n" };
        node.node(Node::leaf(Sort::Statement, end)).text("}\n")
    }

    // Statements.

    /// A statement, in a function with the type that it gives.
    fn statement(&mut self, depth: usize, result: Option<Type>) -> Node {
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

    fn block(&mut self, depth: usize, result: Option<Type>) -> Node {
        let mut node = Node::new(Sort::Fixed).text("{\n");
        for _ in 0..1 + self.chance.below(2) {
            let statement = self.statement(depth, result);
            node = node.node(statement);
        }
        node.text("}\n")
    }

    fn print(&mut self) -> Node {
        let word = if self.chance.percent(90) { "print " } else { "printn " };
        let count = 1 + self.chance.below(2);
        let mut items = Vec::new();
        for _ in 0..count {
            let kind = self.any_type();
            items.push(self.expr(kind));
        }
        Node::new(Sort::Statement).text(word).list(", \" | \", ", items).text(";\n")
    }

    fn assign(&mut self) -> Node {
        if self.names.is_empty() {
            return self.print();
        }
        let (name, kind) = self.names[self.chance.below(self.names.len())].clone();
        let value = self.expr(kind);
        Node::new(Sort::Statement).text(format!("{name} = ")).node(value).text(";\n")
    }

    fn set_attribute(&mut self) -> Node {
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
            20 => (self.chance.pick(&["krt_lock_mtu", "krt_lock_window", "krt_feature_ecn"]), Type::Bool, "="),
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
    fn set_place(&mut self) -> Node {
        let text = match self.chance.below(5) {
            0 => format!("dest = {}", self.chance.pick(&["RTD_BLACKHOLE", "RTD_UNREACHABLE", "RTD_PROHIBIT"])),
            1 => format!("gw = {}", self.chance.pick(&["10.1.1.2", "10.1.1.77", "10.1.1.3"])),
            2 => "ifname = \"d0\"".into(),
            3 => format!("bgp_origin = {}", self.chance.pick(ENUMS[4].1)),
            _ => format!("scope = {}", self.chance.pick(ENUMS[1].1)),
        };
        Node::leaf(Sort::Statement, format!("{text};\n"))
    }

    fn case(&mut self, depth: usize, result: Option<Type>) -> Node {
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
                Type::Ip if self.chance.percent(50) => format!("10.0.0.{first}"),
                Type::Ip => format!("10.0.{first}.0..10.{last}.255.255"),
                Type::Enum(prefix) => match constants(prefix).get(arm) {
                    Some(name) => (*name).into(),
                    None => break,
                },
                _ => break,
            };
            let mut part = Node::new(Sort::Optional).text(format!("{label}: "));
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

    // Expressions, from weak to strong.

    fn expr(&mut self, kind: Type) -> Node {
        match kind {
            Type::Bool => self.logic(),
            Type::Int => self.sum(),
            _ => self.primary(kind),
        }
    }

    fn spend(&mut self) -> bool {
        let some = self.left > 0;
        self.left = self.left.saturating_sub(1);
        some
    }

    fn chain(&mut self, kind: Type, ops: &[&str], percent: usize, part: fn(&mut Self) -> Node) -> Node {
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

    fn logic(&mut self) -> Node {
        self.chain(Type::Bool, &["&&", "||"], 30, Self::comparison)
    }

    fn sum(&mut self) -> Node {
        self.chain(Type::Int, &["+", "-"], 20, Self::product)
    }

    fn product(&mut self) -> Node {
        self.chain(Type::Int, &["*", "/"], 12, |m| m.primary(Type::Int))
    }

    fn comparison(&mut self) -> Node {
        if !self.spend() {
            return self.primary(Type::Bool);
        }
        let node = Node::new(Sort::Expr(Type::Bool));
        match self.chance.below(20) {
            0..6 => {
                let kind = match self.chance.below(8) {
                    0..3 => Type::Int,
                    3 => Type::Ip,
                    4 => Type::Pair,
                    5 => Type::Prefix,
                    6 => Type::Text,
                    _ => self.chance_of(&[Type::Ec, Type::Lc, Type::Enum("RTS"), Type::Bool]),
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

    fn operand(&mut self, kind: Type) -> Node {
        // A value of another type is a run-time error, or an answer all the same.
        let kind = if self.route && self.chance.below(100) == 0 { self.any_type() } else { kind };
        if kind == Type::Int { self.sum() } else { self.primary(kind) }
    }

    fn chance_of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.chance.below(from.len())]
    }

    fn pattern(&mut self) -> Node {
        let text = self.chance.pick(PATTERNS);
        Node::leaf(Sort::Expr(Type::Text), format!("\"{text}\""))
    }

    /// What binds as strongly as a literal.
    fn primary(&mut self, kind: Type) -> Node {
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

    fn named(&mut self, kind: Type) -> Option<Node> {
        let fits: Vec<&String> =
            self.names.iter().chain(&self.constants).filter(|(_, k)| *k == kind).map(|(n, _)| n).collect();
        if fits.is_empty() {
            return None;
        }
        let at = self.chance.below(fits.len());
        Some(Node::leaf(Sort::Expr(kind), fits[at].clone()))
    }

    fn attribute(&mut self, kind: Type) -> Option<Node> {
        let (always, perhaps) = attributes(kind);
        let from = if self.chance.percent(70) { always } else { perhaps };
        (!from.is_empty()).then(|| Node::leaf(Sort::Expr(kind), self.chance.pick(from)))
    }

    fn call(&mut self, kind: Type) -> Option<Node> {
        let fits: Vec<usize> = (0..self.functions.len())
            .filter(|i| self.functions[*i].result == kind && (self.route || !self.functions[*i].route))
            .collect();
        if fits.is_empty() {
            return None;
        }
        self.left /= 2;
        let at = fits[self.chance.below(fits.len())];
        let (name, kinds) = (self.functions[at].name.clone(), self.functions[at].arguments.clone());
        let arguments: Vec<Node> = kinds.into_iter().map(|k| self.expr(k)).collect();
        Some(Node::new(Sort::Expr(kind)).text(format!("{name}(")).list(", ", arguments).text(")"))
    }

    /// A value made of others.
    fn made(&mut self, kind: Type) -> Node {
        let node = Node::new(Sort::Expr(kind));
        let two = |maker: &mut Self, word: &str, a: Type, b: Type| {
            let a = maker.expr(a);
            let b = maker.expr(b);
            Node::new(Sort::Expr(kind)).text(format!("{word}(")).list(", ", [a, b]).text(")")
        };
        match kind {
            Type::Bool => match self.chance.below(5) {
                0 if self.route => node.text(format!("defined({})", self.chance.pick(OPTIONAL))),
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
                    let len = if self.chance.percent(80) { self.small() } else { self.expr(Type::Int) };
                    node.node(of).text(".mask(").node(len).text(")")
                }
            },
            Type::Ec => {
                let word = self.chance.pick(&["rt", "ro", "generic", "unknown 0x43", "unknown 5"]);
                let key = if self.chance.percent(20) && word != "generic" {
                    self.expr(Type::Ip)
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
            Type::Clist => self.edited(kind, Type::Pair, Type::PairSet),
            Type::Eclist => self.edited(kind, Type::Ec, Type::EcSet),
            Type::Lclist => self.edited(kind, Type::Lc, Type::LcSet),
            _ => self.literal(kind),
        }
    }

    fn edited(&mut self, kind: Type, item: Type, set: Type) -> Node {
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
    fn short(&mut self) -> Node {
        if self.chance.percent(12) {
            self.expr(Type::Int)
        } else {
            Node::leaf(Sort::Expr(Type::Int), self.chance.pick(SHORT))
        }
    }

    fn small(&mut self) -> Node {
        Node::leaf(Sort::Expr(Type::Int), self.chance.below(33).to_string())
    }

    fn mask(&mut self) -> Node {
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

    fn literal(&mut self, kind: Type) -> Node {
        let sort = Sort::Expr(kind);
        let text: String = match kind {
            Type::Bool => self.chance.pick(&["true", "false"]).into(),
            Type::Int => self.chance.pick(NUMBERS).into(),
            Type::Pair => format!("({},{})", self.chance.pick(SHORT), self.chance.pick(SHORT)),
            Type::Ip => self.chance.pick(ADDRESSES).into(),
            Type::Prefix => self.chance.pick(PREFIXES).into(),
            Type::Ec => format!("(rt,{},{})", self.chance.pick(NUMBERS), self.chance.pick(SHORT)),
            Type::Lc => {
                format!("({},{},{})", self.chance.pick(NUMBERS), self.chance.pick(SHORT), self.chance.pick(NUMBERS))
            }
            Type::Text => format!("\"{}\"", self.chance.pick(TEXTS)),
            Type::Mask => return self.mask(),
            Type::Path => "+empty+".into(),
            Type::Clist => "-empty-".into(),
            Type::Eclist => "--empty--".into(),
            Type::Lclist => "---empty---".into(),
            Type::Enum(prefix) => self.chance.pick(constants(prefix)).into(),
            _ => return self.set(kind),
        };
        Node::leaf(sort, text)
    }

    fn set(&mut self, kind: Type) -> Node {
        let items: Vec<String> = (0..1 + self.chance.below(4)).map(|_| self.member(kind)).collect();
        Node::leaf(Sort::Expr(kind), format!("[{}]", items.join(", ")))
    }

    fn member(&mut self, kind: Type) -> String {
        let roll = self.chance.below(10);
        let c = &mut *self.chance;
        match kind {
            Type::IntSet if roll < 5 => c.pick(NUMBERS).into(),
            Type::IntSet => format!("{}..{}", c.pick(NUMBERS), c.pick(NUMBERS)),
            Type::PairSet => match roll {
                0..4 => format!("({},{})", c.pick(SHORT), c.pick(SHORT)),
                4 | 5 => format!("({},*)", c.pick(SHORT)),
                6 => format!("({},{}..{})", c.pick(SHORT), c.below(9), 8 + c.below(70)),
                7 => format!("({}..{},{}..{})", c.below(3), 2 + c.below(9), c.below(5), 4 + c.below(5)),
                8 => {
                    let (a, b) = (c.below(9), c.below(9));
                    format!("({a},{b})..({},{})", a + c.below(90), b + c.below(90))
                }
                _ => "(*,*)".into(),
            },
            Type::IpSet if roll < 5 => c.pick(ADDRESSES).into(),
            Type::IpSet => format!("{}..{}", c.pick(ADDRESSES), c.pick(ADDRESSES)),
            Type::PrefixSet => {
                let base = c.pick(PREFIXES);
                match roll {
                    0..3 => base.into(),
                    3..5 => format!("{base}+"),
                    5 | 6 => format!("{base}-"),
                    _ => {
                        let low = c.below(33);
                        format!("{base}{{{low},{}}}", low + c.below(33 - low))
                    }
                }
            }
            Type::EcSet => {
                let word = c.pick(&["rt", "ro", "generic", "unknown 0x43"]);
                match roll {
                    0..4 => format!("({word},{},{})", c.pick(SHORT), c.pick(SHORT)),
                    4..7 => format!("({word},{},*)", c.pick(SHORT)),
                    _ => format!("({word},{},{}..{})", c.pick(SHORT), c.below(9), 8 + c.below(99)),
                }
            }
            Type::LcSet => match roll {
                0..4 => format!("({},{},{})", c.pick(NUMBERS), c.pick(SHORT), c.pick(NUMBERS)),
                4 => format!("({},*,*)", c.pick(NUMBERS)),
                5 => format!("({},{},*)", c.pick(NUMBERS), c.pick(SHORT)),
                6 => format!("({},{}..{},*)", c.pick(NUMBERS), c.below(9), 8 + c.below(99)),
                7 => "(*,*,*)".into(),
                _ => format!("({},{},{}..{})", c.pick(NUMBERS), c.pick(SHORT), c.below(9), 8 + c.below(99)),
            },
            Type::EnumSet(prefix) => c.pick(constants(prefix)).into(),
            _ => "1".into(),
        }
    }
}

const NUMBERS_SMALL: &[&str] = &["0", "1", "100", "200", "65535"];

/// What goes with what around `~`.
const MATCHES: &[(Type, Type)] = &[
    (Type::Int, Type::IntSet),
    (Type::Pair, Type::PairSet),
    (Type::Ip, Type::IpSet),
    (Type::Ip, Type::Prefix),
    (Type::Prefix, Type::Prefix),
    (Type::Prefix, Type::PrefixSet),
    (Type::Prefix, Type::PrefixSet),
    (Type::Ec, Type::EcSet),
    (Type::Lc, Type::LcSet),
    (Type::Text, Type::Text),
    (Type::Path, Type::Mask),
    (Type::Path, Type::Mask),
    (Type::Path, Type::IntSet),
    (Type::Int, Type::Path),
    (Type::Pair, Type::Clist),
    (Type::Clist, Type::PairSet),
    (Type::Ec, Type::Eclist),
    (Type::Eclist, Type::EcSet),
    (Type::Lc, Type::Lclist),
    (Type::Lclist, Type::LcSet),
    (Type::Enum("RTS"), Type::EnumSet("RTS")),
    (Type::Enum("RTD"), Type::EnumSet("RTD")),
];

fn constants(prefix: &str) -> &'static [&'static str] {
    ENUMS.iter().find(|(p, _)| *p == prefix).map_or(&["RTS_BGP"], |(_, all)| all)
}
