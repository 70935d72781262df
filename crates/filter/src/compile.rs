//! From the tree as written to a program: names looked up, sets built, inputs listed.
//!
//! BIRD 1.6 checks types when a filter runs, and a configuration that it starts
//! must start here, so a wrong type is no error. What can be known when the
//! configuration is read is: names, numbers of arguments, ranges of literals, and
//! whatever stands in sets.

use crate::ast::{
    Body, Compare, Declaration, EcKind, Expr, ExprKind, Part, PathItem, SetItem, SetItemKind, Stmt, StmtKind,
};
use crate::mask::{Mask, MaskItem};
use crate::memory;
use crate::names::{Attr, Field};
use crate::never::{self, Course};
use crate::operate;
use crate::parse::short;
use crate::prefix_set::PrefixSet;
use crate::program::{Function, Line, MaskNode, Node, NodeOp, Program, Step, Warned};
use crate::run::Inputs;
use crate::set::{Item, Key, Labels, Range, Rect, Set};
use crate::span::{self, Diagnostic, SourceFile, Span};
use crate::symbols::{SymbolKind, Symbols};
use crate::value::{Held, Type, Value};
use route::Family;
use route::community::LargeCommunity;
use std::net::IpAddr;
use std::sync::Arc;

type Compiled<T> = Result<T, Diagnostic>;

/// How long a chain of functions may be of which each calls the next.
const CALLS_MAX: u16 = 128;
/// How many warnings of one filter are kept.
const WARNINGS_MAX: usize = 50;
const PAIR_RANGE: &str = "From value cannot be higher that To value in pair sets";

/// Compiles one filter, function or expression.
pub struct Compiler<'a> {
    symbols: &'a Symbols,
    lines: Lines<'a>,
    locals: Vec<(Arc<str>, Type)>,
    /// The function being compiled, which can not call itself.
    function: Option<Arc<str>>,
    /// How deep the functions called so far call each other.
    depth: u16,
    inputs: Inputs,
    errors: Vec<Diagnostic>,
    warned: Vec<Diagnostic>,
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
    pub const fn new(symbols: &'a Symbols, files: &'a [SourceFile]) -> Self {
        let nowhere = Span { file: crate::FileId(0), start: 0, end: 0 };
        Self {
            symbols,
            lines: Lines { files, at: nowhere, line: 0 },
            locals: Vec::new(),
            function: None,
            depth: 0,
            inputs: Inputs { net: false, resolved: false, source: false, roa: false, ifaces: false, effects: false },
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
        let program = Program { slots: self.locals.len() as u16, steps, warned };
        self.finish(program)
    }

    /// Compiles a function.
    pub fn function(mut self, name: &str, body: &Body) -> Result<Function, Vec<Diagnostic>> {
        let name: Arc<str> = name.into();
        self.function = Some(name.clone());
        self.declare(&body.arguments);
        self.declare(&body.locals);
        let mut steps = self.steps(&body.statements);
        memory::mark(&mut steps);
        let slots = self.locals.len() as u16;
        let arguments = body.arguments.iter().map(|d| d.kind).collect();
        let depth = self.depth + 1;
        let ends = never::course(&steps) == Course::End;
        let warned = Warned(std::mem::take(&mut self.warned));
        let ((), inputs) = self.finish(())?;
        Ok(Function { name, arguments, is_static: true, slots, steps, depth, ends, inputs, warned })
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

    fn finish<T>(self, made: T) -> Result<(T, Inputs), Vec<Diagnostic>> {
        if self.errors.is_empty() { Ok((made, self.inputs)) } else { Err(self.errors) }
    }

    fn declare(&mut self, all: &[Declaration]) {
        for d in all {
            if self.locals.iter().any(|(name, _)| *name == d.name) {
                self.errors.push(Diagnostic::error(d.span, "Symbol already defined"));
            } else if self.locals.len() >= usize::from(u16::MAX) {
                self.errors.push(Diagnostic::error(d.span, "Too many variables"));
                return;
            } else {
                self.locals.push((d.name.clone(), d.kind));
            }
        }
    }

    fn local(&self, name: &str) -> Option<(u16, Type)> {
        let at = self.locals.iter().position(|(n, _)| &**n == name)?;
        let (_, kind) = self.locals.get(at)?;
        Some((at as u16, *kind))
    }

    fn steps(&mut self, all: &[Stmt]) -> Box<[Step]> {
        let mut steps = Vec::with_capacity(all.len());
        let mut course = Course::On;
        for stmt in all {
            if std::mem::replace(&mut course, Course::On) != Course::On {
                let label = "what stands above always ends here";
                self.warn(never::warning(stmt.span, "these commands are never reached", label));
            }
            match self.step(stmt) {
                Ok(step) => {
                    course = never::course_of(&step);
                    steps.push(step);
                }
                Err(wrong) => self.errors.push(wrong),
            }
        }
        steps.into()
    }

    fn warn(&mut self, warning: Diagnostic) {
        if self.warned.len() < WARNINGS_MAX {
            self.warned.push(warning);
        }
    }

    fn step(&mut self, stmt: &Stmt) -> Compiled<Step> {
        let line = self.lines.line(stmt.span);
        Ok(match &stmt.kind {
            StmtKind::If(arms, otherwise) => {
                let mut compiled = Vec::with_capacity(arms.len());
                for (condition, block) in arms {
                    let condition = self.node(condition)?;
                    compiled.push((condition, self.steps(block)));
                }
                Step::If(compiled.into(), self.steps(otherwise.as_deref().unwrap_or_default()))
            }
            StmtKind::Case(subject, arms, otherwise) => self.case(subject, arms, otherwise.as_deref())?,
            StmtKind::Assign(name, value) => self.assign(name, value, stmt.span)?,
            StmtKind::SetAttr(attr, value) => {
                self.writes(*attr);
                Step::SetAttr { attr: *attr, value: self.node(value)?, line: Line(line) }
            }
            StmtKind::Edit(attr, method, argument) => {
                self.writes(*attr);
                self.reads(*attr);
                let subject = Node { op: NodeOp::Attr(*attr), line };
                let argument = Some(Box::new(self.node(argument)?));
                let value = Node { op: NodeOp::Method(*method, Box::new(subject), argument), line };
                Step::SetAttr { attr: *attr, value, line: Line(line) }
            }
            StmtKind::Empty(attr) => {
                let value = attr.empty().unwrap_or(Value::Void);
                Step::SetAttr { attr: *attr, value: Node { op: NodeOp::Const(value), line }, line: Line(line) }
            }
            StmtKind::Unset(attr) => Step::Unset(*attr),
            StmtKind::Return(value) => Step::Return(self.node(value)?),
            StmtKind::Print(items, ending) => {
                use crate::ast::Ending::{Accept, Reject};
                self.inputs.effects |= !(items.is_empty() && matches!(ending, Accept | Reject));
                let items = items.iter().map(|i| self.node(i)).collect::<Compiled<_>>()?;
                Step::Print(items, *ending, Line(line))
            }
            StmtKind::Call(name, arguments) => {
                let op = self.call(name, arguments, stmt.span)?;
                Step::Call(Node { op, line })
            }
        })
    }

    fn assign(&mut self, name: &str, value: &Expr, span: Span) -> Compiled<Step> {
        let Some((slot, kind)) = self.local(name) else {
            let mut wrong = Diagnostic::error(span, "You may set only variables.");
            wrong.label = Some(match self.symbols.get(name) {
                Some(symbol) => format!("`{name}` is a {}", symbol.kind.word()),
                None => format!("there is no variable `{name}`"),
            });
            return Err(wrong);
        };
        Ok(Step::Assign { slot, kind, value: self.node(value)? })
    }

    fn case(
        &mut self,
        subject: &Expr,
        arms: &[(Vec<SetItem>, Vec<Stmt>)],
        otherwise: Option<&[Stmt]>,
    ) -> Compiled<Step> {
        let subject = self.node(subject)?;
        let mut labels = Vec::new();
        let mut blocks = Vec::with_capacity(arms.len());
        for (at, (items, block)) in arms.iter().enumerate() {
            for item in items {
                labels.push((self.item(item)?, at as u32));
            }
            blocks.push(self.steps(block));
        }
        let has_otherwise = otherwise.is_some();
        let otherwise = self.steps(otherwise.unwrap_or_default());
        Ok(Step::Case(subject, Labels::new(labels, has_otherwise), blocks.into(), otherwise))
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
                NodeOp::Logic(first, rest.iter().map(|(op, e)| Ok((*op, self.node(e)?))).collect::<Compiled<_>>()?)
            }
            ExprKind::Arith(first, rest) => {
                let first = Box::new(self.node(first)?);
                NodeOp::Arith(first, rest.iter().map(|(op, e)| Ok((*op, self.node(e)?))).collect::<Compiled<_>>()?)
            }
            ExprKind::Compare(op, sides) => {
                let nodes = self.both(sides)?;
                self.meet(*op, &nodes, expr.span);
                NodeOp::Compare(*op, nodes)
            }
            ExprKind::Not(inner) => NodeOp::Not(Box::new(self.node(inner)?)),
            ExprKind::Defined(inner) => NodeOp::Defined(Box::new(self.node(inner)?)),
            ExprKind::Pair(sides) => pair(self.both(sides)?, literal(&**sides, expr.span))?,
            ExprKind::Ec(kind, sides) => ec(*kind, self.both(sides)?, literal(&**sides, expr.span))?,
            ExprKind::Lc(parts) => {
                let [a, b, c] = &**parts;
                lc(Box::new([self.node(a)?, self.node(b)?, self.node(c)?]), literal(&**parts, expr.span))?
            }
            ExprKind::Set(items) => {
                let items = items.iter().map(|i| self.item(i)).collect::<Compiled<Vec<_>>>()?;
                NodeOp::Const(Value::Set(Held::Own(Arc::new(Set::new(items)))))
            }
            ExprKind::PrefixSet(patterns) => {
                let mut set = PrefixSet::new();
                for p in patterns {
                    set.add(p.base, p.low, p.high);
                }
                set.finish();
                NodeOp::Const(Value::PrefixSet(Held::Own(Arc::new(Arc::new(set)))))
            }
            ExprKind::Mask(items) => self.mask(items)?,
            ExprKind::Call(name, arguments) => self.call(name, arguments, expr.span)?,
            ExprKind::RoaCheck(name, subject) => self.roa_check(name, subject.as_deref(), expr.span)?,
            ExprKind::Method(method, subject, argument) => {
                let subject = Box::new(self.node(subject)?);
                let argument = argument.as_ref().map(|a| self.node(a)).transpose()?.map(Box::new);
                NodeOp::Method(*method, subject, argument)
            }
        };
        Ok(Node { op, line })
    }

    /// Warns of a comparison that comes out the same for every route.
    fn meet(&mut self, op: Compare, sides: &[Node; 2], span: Span) {
        let local = |slot: u16| self.locals.get(usize::from(slot)).map_or(Type::Void, |(_, kind)| *kind);
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

    fn name(&self, name: &str, span: Span) -> Compiled<NodeOp> {
        if let Some((slot, _)) = self.local(name) {
            return Ok(NodeOp::Local(slot));
        }
        match self.symbols.get(name).map(|s| &s.kind) {
            Some(SymbolKind::Constant(value)) => Ok(NodeOp::Const(value.clone())),
            Some(SymbolKind::Broken) => Ok(NodeOp::Const(Value::Void)),
            _ => Err(self.no_value(name, span, "variable expected.")),
        }
    }

    fn no_value(&self, name: &str, span: Span, message: &str) -> Diagnostic {
        let wrong = Diagnostic::error(span, format!("{name}: {message}"));
        if let Some(symbol) = self.symbols.get(name) {
            return wrong.note(symbol.span, format!("`{name}` is a {}", symbol.kind.word()));
        }
        match self.symbols.nearest(name, |kind| matches!(kind, SymbolKind::Constant(_))) {
            Some(near) => wrong.help(format!("there is a constant `{near}`")),
            None => wrong,
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expr], span: Span) -> Compiled<NodeOp> {
        if self.function.as_deref() == Some(name) {
            return self.call_of_itself(name, arguments, span);
        }
        let function = match self.symbols.get(name).map(|s| &s.kind) {
            Some(SymbolKind::Function(function)) if self.local(name).is_none() => function.clone(),
            Some(SymbolKind::Broken) => return Ok(NodeOp::Const(Value::Void)),
            _ => {
                let wrong = Diagnostic::error(span, "You can't call something which is not a function. Really.");
                let near = self.symbols.nearest(name, |kind| matches!(kind, SymbolKind::Function(_)));
                return Err(match near {
                    Some(near) if near != name => wrong.help(format!("there is a function `{near}`")),
                    _ => wrong,
                });
            }
        };
        if function.arguments.len() != arguments.len() {
            let message = format!("Wrong number of arguments for function {name}.");
            let takes = format!("it takes {}, here are {}", function.arguments.len(), arguments.len());
            return Err(Diagnostic::error(span, message).help(takes));
        }
        if function.depth >= CALLS_MAX {
            return Err(Diagnostic::error(span, "Functions call each other too deep")
                .help(format!("at most {CALLS_MAX} functions may stand in such a chain")));
        }
        self.depth = self.depth.max(function.depth);
        self.inputs = self.inputs.and(function.inputs);
        let arguments = arguments.iter().map(|a| self.node(a)).collect::<Compiled<_>>()?;
        Ok(NodeOp::Call(function, arguments))
    }

    /// BIRD 1.6 knows the name of a function before it knows what the function takes and does: inside it the name stands for
    /// a function that takes nothing, does nothing and gives nothing.
    fn call_of_itself(&mut self, name: &str, arguments: &[Expr], span: Span) -> Compiled<NodeOp> {
        if !arguments.is_empty() {
            let message = format!("Wrong number of arguments for function {name}.");
            return Err(Diagnostic::error(span, message).help("a function can not call itself"));
        }
        let label = "the function that is being defined is not known yet";
        self.warn(never::warning(span, format!("function {name} calls itself, which does nothing"), label));
        Ok(NodeOp::Const(Value::Void))
    }

    /// Without a prefix and an AS it is about the route: its prefix and the last AS of its path.
    fn roa_check(&mut self, name: &Arc<str>, subject: Option<&[Expr; 2]>, span: Span) -> Compiled<NodeOp> {
        match self.symbols.get(name).map(|s| &s.kind) {
            Some(SymbolKind::RoaTable) => {}
            Some(SymbolKind::Broken) => return Ok(NodeOp::Const(Value::Void)),
            _ => {
                let wrong = Diagnostic::error(span, format!("{name} is not a ROA table"));
                return Err(match self.symbols.nearest(name, |kind| matches!(kind, SymbolKind::RoaTable)) {
                    Some(near) if near != &**name => wrong.help(format!("there is a ROA table `{near}`")),
                    _ => wrong.help("a ROA table must be defined before it is used"),
                });
            }
        }
        self.inputs.roa = true;
        let sides = match subject {
            Some(sides) => Some(self.both(sides)?),
            None => {
                self.inputs.net = true;
                None
            }
        };
        Ok(NodeOp::RoaCheck(name.clone(), sides))
    }

    fn mask(&mut self, items: &[PathItem]) -> Compiled<NodeOp> {
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            nodes.push(match item {
                PathItem::Fixed(item) => MaskNode::Fixed(*item),
                PathItem::Expr(expr) => match self.node(expr)? {
                    Node { op: NodeOp::Const(Value::Int(n)), .. } => MaskNode::Fixed(MaskItem::Asn(n)),
                    node => MaskNode::Asn(node),
                },
            });
        }
        let fixed = nodes.iter().map(|n| match n {
            MaskNode::Fixed(item) => Some(*item),
            MaskNode::Asn(_) => None,
        });
        Ok(match fixed.collect::<Option<Vec<_>>>() {
            Some(items) => NodeOp::Const(Value::Mask(Held::Own(Arc::new(Mask(items))))),
            None => NodeOp::Mask(nodes.into()),
        })
    }

    // What stands in sets.

    /// The value of an expression that must be known now.
    fn constant(&mut self, expr: &Expr) -> Compiled<Value<'static>> {
        if let ExprKind::Name(name) = &expr.kind {
            return match self.symbols.get(name).map(|s| &s.kind) {
                Some(SymbolKind::Constant(value)) => Ok(value.clone()),
                Some(SymbolKind::Broken) => Ok(Value::Int(0)),
                _ => Err(self.no_value(name, expr.span, "constant expected")),
            };
        }
        let line = self.lines.line(expr.span);
        let mut inner = Self::new(self.symbols, self.lines.files).near(expr.span, line);
        let node = inner.node(expr)?;
        crate::interpret::evaluate(&node).map_err(|_| Diagnostic::error(expr.span, "Runtime error"))
    }

    /// A member of a set or a label of `case`.
    fn item(&mut self, item: &SetItem) -> Compiled<Item> {
        let made = self.item_of(item)?;
        if let Item::Range(range) = made
            && range.is_backwards()
        {
            let (from, to) = (range.from.value(), range.to.value());
            let message = format!("nothing lies in the range {from}..{to}");
            let warning = never::warning(item.span, message, format!("{from} is above {to}"));
            self.warn(warning.help("the lower end stands in front"));
        }
        Ok(made)
    }

    fn item_of(&mut self, item: &SetItem) -> Compiled<Item> {
        Ok(match &item.kind {
            SetItemKind::Values(from, to) => {
                let first = self.constant(from)?;
                let last = to.as_ref().map(|to| self.constant(to)).transpose()?.unwrap_or_else(|| first.clone());
                if let (Value::Pair(a), Value::Pair(b)) = (&first, &last)
                    && (a >> 16 > b >> 16 || a & 0xffff > b & 0xffff)
                {
                    return Err(Diagnostic::error(item.span, PAIR_RANGE));
                }
                let to = to.as_deref().unwrap_or(from);
                Item::Range(Range { from: key(from, &first)?, to: key(to, &last)? })
            }
            SetItemKind::Pair(high, low) => {
                let (high, low) = (self.short_range(high)?, self.short_range(low)?);
                if high.0 > high.1 || low.0 > low.1 {
                    return Err(Diagnostic::error(item.span, PAIR_RANGE));
                }
                Item::Rect(Rect { high, low })
            }
            SetItemKind::Ec(kind, key, value) => {
                let key = self.constant(key)?;
                let max = ec_value_max(*kind, &key, item.span)?;
                let (from, to) = self.range(value, max)?;
                let make = |n| ec_value(*kind, &key, n, item.span).map(Value::Ec);
                range_of(make(from)?, make(to)?, item.span)?
            }
            SetItemKind::Lc(a, b, c) => {
                let (a, b, c) = (self.range(a, u32::MAX)?, self.range(b, u32::MAX)?, self.range(c, u32::MAX)?);
                let from = Value::Lc(LargeCommunity(a.0, b.0, c.0));
                range_of(from, Value::Lc(LargeCommunity(a.1, b.1, c.1)), item.span)?
            }
        })
    }

    fn number(&mut self, expr: &Expr) -> Compiled<u32> {
        match self.constant(expr)? {
            Value::Int(n) => Ok(n),
            _ => Err(Diagnostic::error(expr.span, "Number expected")),
        }
    }

    fn range(&mut self, part: &Part, max: u32) -> Compiled<(u32, u32)> {
        Ok(match part {
            Part::One(n) => {
                let n = self.number(n)?;
                (n, n)
            }
            Part::Range(from, to) => (self.number(from)?, self.number(to)?),
            Part::Any => (0, max),
        })
    }

    fn short_range(&mut self, part: &Part) -> Compiled<(u16, u16)> {
        let (from, to) = self.range(part, u16::MAX.into())?;
        let span = match part {
            Part::One(e) | Part::Range(e, _) => e.span,
            Part::Any => Span::default(),
        };
        Ok((short(from, span)?, short(to, span)?))
    }

    // What a filter reads.

    fn reads(&mut self, attr: Attr) {
        let i = &mut self.inputs;
        match attr {
            Attr::Field(Field::Net) => i.net = true,
            Attr::Field(Field::Proto) => i.source = true,
            Attr::Field(Field::Gw | Field::Dest) => i.resolved = true,
            Attr::Field(Field::Ifname | Field::Ifindex) => {
                i.resolved = true;
                i.ifaces = true;
            }
            _ => {}
        }
    }

    fn writes(&mut self, attr: Attr) {
        if let Attr::Field(Field::Gw | Field::Ifname) = attr {
            self.inputs.ifaces = true;
        }
    }
}

/// The place of a value in sets.
fn key(expr: &Expr, value: &Value<'_>) -> Compiled<Key> {
    Key::of(value).ok_or_else(|| match &expr.kind {
        ExprKind::Name(name) => Diagnostic::error(expr.span, format!("{name}: set-incompatible type")),
        _ => Diagnostic::error(expr.span, "Set-incompatible type"),
    })
}

fn range_of(from: Value<'_>, to: Value<'_>, span: Span) -> Compiled<Item> {
    match (Key::of(&from), Key::of(&to)) {
        (Some(from), Some(to)) => Ok(Item::Range(Range { from, to })),
        _ => Err(Diagnostic::error(span, "Set-incompatible type")),
    }
}

const fn known(node: &Node) -> Option<&Value<'static>> {
    match &node.op {
        NodeOp::Const(value) => Some(value),
        _ => None,
    }
}

/// The place of a constructor whose parts are all written out: what is wrong with it is an error of the configuration.
///
/// With a name among them it is an error of the run, as in BIRD.
fn literal(parts: &[Expr], span: Span) -> Option<Span> {
    let is_written_out = |part: &Expr| match &part.kind {
        ExprKind::Literal(Value::Path(_) | Value::Clist(_) | Value::Eclist(_) | Value::Lclist(_)) => false,
        ExprKind::Literal(_) | ExprKind::Set(_) | ExprKind::PrefixSet(_) => true,
        _ => false,
    };
    parts.iter().all(is_written_out).then_some(span)
}

/// A pair, made now when both numbers are known.
fn pair(sides: Box<[Node; 2]>, literal: Option<Span>) -> Compiled<NodeOp> {
    let [a, b] = &*sides;
    let (Some(a), Some(b)) = (known(a), known(b)) else { return Ok(NodeOp::Pair(sides)) };
    if let (Some(span), Value::Int(a), Value::Int(b)) = (literal, a, b) {
        short(*a, span)?;
        short(*b, span)?;
    }
    made(operate::pair(a, b), literal, || NodeOp::Pair(sides.clone()))
}

fn ec(kind: EcKind, sides: Box<[Node; 2]>, literal: Option<Span>) -> Compiled<NodeOp> {
    let [key, value] = &*sides;
    let (Some(key), Some(value)) = (known(key), known(value)) else { return Ok(NodeOp::Ec(kind, sides)) };
    if let (Some(span), Value::Int(n)) = (literal, value)
        && *n > ec_value_max(kind, key, span)?
    {
        short(*n, span)?;
    }
    made(operate::ec(kind, key, value), literal, || NodeOp::Ec(kind, sides.clone()))
}

fn lc(parts: Box<[Node; 3]>, literal: Option<Span>) -> Compiled<NodeOp> {
    let [a, b, c] = &*parts;
    match (known(a), known(b), known(c)) {
        (Some(a), Some(b), Some(c)) => made(operate::lc(a, b, c), literal, || NodeOp::Lc(parts.clone())),
        _ => Ok(NodeOp::Lc(parts)),
    }
}

/// What a constructor of known parts makes; when it makes nothing, its words as an error of the configuration, or the
/// constructor itself, to fail when it runs.
fn made(
    value: Result<Value<'static>, &'static str>,
    literal: Option<Span>,
    later: impl FnOnce() -> NodeOp,
) -> Compiled<NodeOp> {
    match (value, literal) {
        (Ok(value), _) => Ok(NodeOp::Const(value)),
        (Err(words), Some(span)) => Err(Diagnostic::error(span, words)),
        (Err(_), None) => Ok(later()),
    }
}

/// Whether the key of an extended community leaves four octets for the value, or two.
fn ec_value_max(kind: EcKind, key: &Value<'_>, span: Span) -> Compiled<u32> {
    match (kind, key) {
        (EcKind::Generic, Value::Int(_)) => Ok(u32::MAX),
        (EcKind::Typed(_), Value::Int(n)) if *n <= u16::MAX.into() => Ok(u32::MAX),
        (EcKind::Typed(_), Value::Int(_) | Value::Quad(_) | Value::Ip(IpAddr::V4(_))) => Ok(u16::MAX.into()),
        _ => Err(Diagnostic::error(span, "Can't operate with key of non-integer/IPv4 type in EC constructor")),
    }
}

fn ec_value(kind: EcKind, key: &Value<'_>, value: u32, span: Span) -> Compiled<u64> {
    let max = ec_value_max(kind, key, span)?;
    if value > max {
        short(value, span)?;
    }
    operate::ec_octets(kind, key, value).ok_or_else(|| Diagnostic::error(span, "Set-incompatible type"))
}
