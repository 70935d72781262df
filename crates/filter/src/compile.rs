//! From the tree as written to a program: names looked up, sets built, inputs listed.
//!
//! BIRD 1.6 checks types when a filter runs, and a configuration that it starts
//! must start here, so a wrong type is no error. What can be known when the
//! configuration is read is: names, numbers of arguments, ranges of literals, and
//! whatever stands in sets. BIRD 2 checks the types that it knows and computes what
//! is constant, and what fails then is an error of the configuration (`types`).
//!
//! Here are names, variables and expressions; statements are in `steps`, functions
//! that are called in `calls`, what stands in sets in `members`.

mod calls;
mod make;
mod members;
mod steps;

use crate::ast::{Body, Compare, Declaration, Expr, ExprKind, Method, Stmt};
use crate::dialect::{Dialect, Rules};
use crate::memory;
use crate::names::{self, Attr, Field};
use crate::never::{self, Course};
use crate::prefix_set::PrefixSet;
use crate::program::{Function, Node, NodeOp, Program, Ruled, Step, Warned};
use crate::run::Inputs;
use crate::span::{self, Diagnostic, SourceFile, Span};
use crate::symbols::{SymbolKind, Symbols};
use crate::syntax::{UNDEFINED, is_reserved_in};
use crate::value::{Held, Type, Value};
use route::Family;
use std::sync::Arc;

type Compiled<T> = Result<T, Diagnostic>;

/// How many warnings of one filter are kept.
const WARNINGS_MAX: usize = 50;

/// Compiles one filter, function or expression.
pub struct Compiler<'a> {
    symbols: &'a Symbols,
    lines: Lines<'a>,
    pub(crate) rules: &'static Rules,
    /// The variables that can be seen, those of inner blocks last.
    locals: Vec<Local>,
    /// Where in `locals` those of the innermost block begin.
    block: usize,
    /// How many slots the variables need, at most at a time.
    slots: usize,
    /// The function being compiled.
    function: Option<Head>,
    /// How deep the functions called so far call each other.
    depth: u16,
    inputs: Inputs,
    errors: Vec<Diagnostic>,
    warned: Vec<Diagnostic>,
}

/// A variable or argument. Its slot is its place among those that can be seen.
struct Local {
    name: Arc<str>,
    kind: Type,
}

/// What a function looks like from outside.
struct Head {
    name: Arc<str>,
    arguments: Box<[Type]>,
    returns: Option<Type>,
}

/// Finds lines: counts from where it was, forwards or backwards, since places come nearly in order.
struct Lines<'a> {
    files: &'a [SourceFile],
    at: Span,
    line: u32,
}

impl Lines<'_> {
    fn line(&mut self, span: Span) -> u32 {
        if span.file != self.at.file || self.line == 0 {
            (self.at, self.line) = (Span { file: span.file, ..Span::default() }, 1);
        }
        self.line = span::line_from(self.files, self.at, self.line, span);
        self.at = span;
        self.line
    }
}

impl<'a> Compiler<'a> {
    /// A compiler that knows these names.
    pub const fn new(symbols: &'a Symbols, files: &'a [SourceFile], dialect: Dialect) -> Self {
        let nowhere = Span { file: crate::FileId(0), start: 0, end: 0 };
        Self {
            symbols,
            lines: Lines { files, at: nowhere, line: 0 },
            rules: dialect.rules(),
            locals: Vec::new(),
            block: 0,
            slots: 0,
            function: None,
            depth: 0,
            inputs: Inputs {
                net: false,
                resolved: false,
                source: false,
                roa: false,
                aspa: false,
                ifaces: false,
                effects: false,
            },
            errors: Vec::new(),
            warned: Vec::new(),
        }
    }

    /// The same, beginning to count lines at a place whose line is known.
    pub(crate) const fn near(mut self, place: Span, line: u32) -> Self {
        self.lines.at = place;
        self.lines.line = line;
        self
    }

    /// Compiles a filter.
    pub fn filter(mut self, body: &Body) -> Result<(Program, Inputs), Vec<Diagnostic>> {
        self.declare(&body.locals);
        let mut steps = self.steps(&body.statements);
        memory::mark(&mut steps);
        let warned = Warned(std::mem::take(&mut self.warned));
        let program = Program { slots: self.slots as u16, steps, rules: Ruled(self.rules), warned };
        self.finish(program)
    }

    /// Compiles a function.
    pub fn function(mut self, name: &str, body: &Body) -> Result<Function, Vec<Diagnostic>> {
        let name: Arc<str> = name.into();
        let arguments: Box<[Type]> = body.arguments.iter().map(|d| d.kind).collect();
        let returns = body.returns;
        self.function = Some(Head { name: name.clone(), arguments: arguments.clone(), returns });
        self.declare(&body.arguments);
        self.declare(&body.locals);
        let mut steps = self.steps(&body.statements);
        memory::mark(&mut steps);
        let slots = self.slots as u16;
        let depth = self.depth + 1;
        let ends = never::course(&steps) == Course::End;
        let warned = Warned(std::mem::take(&mut self.warned));
        let is_static = self.rules.static_arguments;
        let ((), inputs) = self.finish(())?;
        Ok(Function { name, arguments, returns, is_static, slots, steps, depth, ends, inputs, warned })
    }

    /// Compiles a single expression; with it comes what is surely not meant.
    pub fn expression(mut self, expr: &Expr) -> Result<(Node, Warned), Vec<Diagnostic>> {
        match self.node(expr) {
            Ok(node) => {
                let warned = Warned(std::mem::take(&mut self.warned));
                self.finish((node, warned)).map(|(made, _)| made)
            }
            Err(wrong) => {
                self.errors.push(wrong);
                Err(self.errors)
            }
        }
    }

    /// Compiles an expression that is evaluated for routes.
    pub fn key(mut self, expr: &Expr) -> Result<(Node, Inputs), Vec<Diagnostic>> {
        match self.node(expr) {
            Ok(node) => self.finish(node),
            Err(wrong) => Err(vec![wrong]),
        }
    }

    fn finish<T>(self, made: T) -> Result<(T, Inputs), Vec<Diagnostic>> {
        if self.errors.is_empty() { Ok((made, self.inputs)) } else { Err(self.errors) }
    }

    fn declare(&mut self, all: &[Declaration]) {
        for d in all {
            if let Err(wrong) = self.declare_one(d) {
                self.errors.push(wrong);
            }
        }
    }

    /// Gives a variable its slot.
    fn declare_one(&mut self, d: &Declaration) -> Compiled<u16> {
        if self.locals.iter().skip(self.block).any(|l| l.name == d.name) {
            return Err(Diagnostic::error(d.span, self.symbols.already_defined(&d.name)));
        }
        let slot = u16::try_from(self.locals.len()).map_err(|_| Diagnostic::error(d.span, "Too many variables"))?;
        self.locals.push(Local { name: d.name.clone(), kind: d.kind });
        self.slots = self.slots.max(self.locals.len());
        Ok(slot)
    }

    /// Compiles something whose variables are its own.
    fn inside<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.block, self.locals.len());
        let result = compile(self);
        self.locals.truncate(self.block);
        self.block = outer;
        result
    }

    fn local(&self, name: &str) -> Option<(u16, Type)> {
        let at = self.locals.iter().rposition(|l| &*l.name == name)?;
        Some((at as u16, self.slot_type(at as u16)?))
    }

    /// The type of the variable in a slot.
    pub(crate) fn slot_type(&self, slot: u16) -> Option<Type> {
        self.locals.get(usize::from(slot)).map(|l| l.kind)
    }

    /// What the function being compiled gives, when that is declared.
    pub(crate) fn own_return(&self) -> Option<Type> {
        self.function.as_ref()?.returns
    }

    /// Compiles statements with variables of their own.
    fn block(&mut self, all: &[Stmt]) -> Box<[Step]> {
        self.inside(|c| c.steps(all))
    }

    fn warn(&mut self, warning: Diagnostic) {
        if self.warned.len() < WARNINGS_MAX {
            self.warned.push(warning);
        }
    }

    fn node(&mut self, expr: &Expr) -> Compiled<Node> {
        let line = self.lines.line(expr.span);
        let op = match &expr.kind {
            ExprKind::Literal(value) => NodeOp::Const(value.clone()),
            ExprKind::Name(name) => self.name(name, expr.span)?,
            ExprKind::Attr(attr) => {
                self.reads(*attr);
                NodeOp::Attr(*attr)
            }
            ExprKind::Logic(first, rest) => {
                let first = Box::new(self.node(first)?);
                let rest = rest.iter().map(|(op, e)| Ok((*op, self.node(e)?))).collect::<Compiled<_>>()?;
                NodeOp::Logic(first, rest)
            }
            ExprKind::Arith(first, rest) => {
                let first = Box::new(self.node(first)?);
                let rest = rest.iter().map(|(op, e)| Ok((*op, self.node(e)?))).collect::<Compiled<_>>()?;
                NodeOp::Arith(first, rest)
            }
            ExprKind::Compare(op, sides) => {
                let nodes = self.both(sides)?;
                self.meet(*op, &nodes, expr.span);
                NodeOp::Compare(*op, nodes)
            }
            ExprKind::Not(inner) => NodeOp::Not(Box::new(self.node(inner)?)),
            ExprKind::Defined(inner) => NodeOp::Defined(Box::new(self.node(inner)?)),
            ExprKind::Format(inner) => NodeOp::Format(Box::new(self.node(inner)?)),
            ExprKind::FromHex(inner) => NodeOp::FromHex(Box::new(self.node(inner)?)),
            ExprKind::Pair(sides) => make::pair(self.both(sides)?, self.literal(&**sides, expr.span))?,
            ExprKind::Ec(kind, sides) => make::ec(*kind, self.both(sides)?, self.literal_ec(sides, expr.span))?,
            ExprKind::Lc(parts) => {
                let [a, b, c] = &**parts;
                let nodes = Box::new([self.node(a)?, self.node(b)?, self.node(c)?]);
                make::lc(nodes, self.literal(&**parts, expr.span))?
            }
            ExprKind::Set(items) => NodeOp::Const(Value::Set(Held::Own(Arc::new(self.set(items)?)))),
            ExprKind::PrefixSet(patterns) => {
                let mut set = PrefixSet::new().shown_in(self.rules.dialect);
                for p in patterns {
                    set.add(p.base, p.low, p.high);
                }
                set.finish();
                NodeOp::Const(Value::PrefixSet(Held::Own(Arc::new(Arc::new(set)))))
            }
            ExprKind::Mask(items) => self.mask(items)?,
            ExprKind::Call(name, arguments) => self.call(name, arguments, expr.span)?,
            ExprKind::RoaCheck(name, subject) => self.roa_check(name, subject.as_deref(), expr.span)?,
            ExprKind::Routes => NodeOp::Routes,
            ExprKind::OfRoute(subject, attr) => {
                self.reads(*attr);
                NodeOp::OfRoute(Box::new(self.node(subject)?), *attr)
            }
            ExprKind::AspaCheck(name, sides) => self.aspa_check(name, sides, expr.span)?,
            ExprKind::Method(method, subject, argument) => {
                let subject = Box::new(self.node(subject)?);
                let argument = argument.as_ref().map(|a| self.node(a)).transpose()?.map(Box::new);
                self.method(*method, subject, argument, expr.span)?
            }
        };
        let mut node = Node { op, line };
        if self.rules.typed {
            self.check(&mut node, expr.span)?;
            self.fold(&mut node, expr.span)?;
        }
        Ok(node)
    }

    fn method(&self, method: Method, subject: Box<Node>, argument: Option<Box<Node>>, span: Span) -> Compiled<NodeOp> {
        let mut node = Node { op: NodeOp::Method(method, subject, argument), line: 0 };
        if self.rules.typed {
            self.check(&mut node, span)?;
        }
        Ok(node.op)
    }

    /// The place of a constructor whose parts are all written out: what is wrong with it is an error of the configuration.
    ///
    /// With a name among them it is an error of the run, as in BIRD 1.6. BIRD 2 computes what it knows in either case.
    fn literal(&self, parts: &[Expr], span: Span) -> Option<Span> {
        let is_written_out = |part: &Expr| match &part.kind {
            ExprKind::Literal(Value::Path(_) | Value::Clist(_) | Value::Eclist(_) | Value::Lclist(_)) => false,
            ExprKind::Literal(_) | ExprKind::Set(_) | ExprKind::PrefixSet(_) => true,
            _ => false,
        };
        (!self.rules.typed && parts.iter().all(is_written_out)).then_some(span)
    }

    /// The same of an extended community: BIRD 1.6 for IPv4 knows a constant by its name for the key, if not for the value.
    fn literal_ec(&self, sides: &[Expr; 2], span: Span) -> Option<Span> {
        let [key, value] = sides;
        let is_constant = |name: &str| matches!(self.symbols.get(name).map(|s| &s.kind), Some(SymbolKind::Constant(_)));
        let named = matches!(&key.kind, ExprKind::Name(name) if is_constant(name));
        match named && self.symbols.family() == Some(Family::Ipv4) {
            true => self.literal(std::slice::from_ref(value), span),
            false => self.literal(sides, span),
        }
    }

    /// Warns of a comparison that comes out the same for every route.
    fn meet(&mut self, op: Compare, sides: &[Node; 2], span: Span) {
        // What BIRD 2 can not compare it refuses itself, or the two just differ.
        if self.rules.typed {
            return;
        }
        let local = |slot: u16| self.slot_type(slot).unwrap_or(Type::Void);
        let longest = if self.symbols.family() == Some(Family::Ipv4) { 32 } else { 128 };
        if let Some(why) = never::unmet(op, sides, local, longest) {
            let message = match op {
                Compare::Match | Compare::NotMatch => "this can never match",
                Compare::Equal | Compare::NotEqual => "these are never equal",
                Compare::Less | Compare::LessEqual => "these can not be compared",
            };
            self.warn(never::warning(span, message, why));
        }
    }

    fn both(&mut self, sides: &[Expr; 2]) -> Compiled<Box<[Node; 2]>> {
        let [a, b] = sides;
        Ok(Box::new([self.node(a)?, self.node(b)?]))
    }

    fn name(&mut self, name: &str, span: Span) -> Compiled<NodeOp> {
        if let Some((slot, _)) = self.local(name) {
            return Ok(NodeOp::Local(slot));
        }
        match self.symbols.get(name).map(|s| &s.kind) {
            Some(SymbolKind::Constant(value)) => Ok(NodeOp::Const(value.clone())),
            Some(SymbolKind::Attribute(attr)) => Ok(NodeOp::Attr(*attr)),
            Some(SymbolKind::Broken) => Ok(NodeOp::Const(Value::Void)),
            None if let Some(attr) = names::late_attribute(name, self.rules.dialect) => {
                self.reads(attr);
                Ok(NodeOp::Attr(attr))
            }
            _ => Err(self.no_value(name, span, "variable expected.")),
        }
    }

    fn no_value(&self, name: &str, span: Span, message: &str) -> Diagnostic {
        let words = match self.symbols.get(name) {
            _ if !self.rules.names_tokens => format!("{name}: {message}"),
            Some(_) => format!("Can't get value of symbol {name}"),
            None => undefined(name, ""),
        };
        let mut wrong = Diagnostic::error(span, words);
        wrong.label = names::missing_attribute(name).filter(|_| self.rules.names_tokens).map(Into::into);
        if let Some(symbol) = self.symbols.get(name) {
            return wrong.note(symbol.span, format!("`{name}` is a {}", symbol.kind.word()));
        }
        match self.symbols.nearest(name, |kind| matches!(kind, SymbolKind::Constant(_))) {
            Some(near) => wrong.help(format!("there is a constant `{near}`")),
            None => wrong,
        }
    }

    /// Notes what of a route an attribute asks for.
    fn reads(&mut self, attr: Attr) {
        let i = &mut self.inputs;
        match attr {
            Attr::Field(Field::Net) => i.net = true,
            Attr::Field(Field::Proto) => i.source = true,
            Attr::Field(
                Field::Gw | Field::Dest | Field::DestKind | Field::Weight | Field::Onlink | Field::LocalMetric,
            ) => i.resolved = true,
            Attr::Field(Field::Ifname | Field::Ifindex) => {
                i.resolved = true;
                i.ifaces = true;
            }
            _ => {}
        }
    }

    /// The same of one that is set.
    fn writes(&mut self, attr: Attr) {
        if let Attr::Field(Field::Gw | Field::Ifname) = attr {
            self.inputs.ifaces = true;
        }
    }
}

/// What BIRD 2 says of a name that stands for nothing: a word of the language has a token of its own.
fn undefined(name: &str, behind: &str) -> String {
    match is_reserved_in(name, None, Dialect::V2) {
        true => format!("syntax error, unexpected {}{behind}", name.to_ascii_uppercase()),
        false => format!("syntax error, unexpected {UNDEFINED}{behind}"),
    }
}
