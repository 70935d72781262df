//! From the tree as written to a program: names looked up, sets built, inputs listed.
//!
//! BIRD 1.6 checks types when a filter runs, and a configuration that it starts
//! must start here, so a wrong type is no error. What can be known when the
//! configuration is read is: names, numbers of arguments, ranges of literals, and
//! whatever stands in sets. BIRD 2 checks the types that it knows and computes what
//! is constant, and what fails then is an error of the configuration (`types`).

mod make;
mod members;

use crate::ast::{Body, Compare, Declaration, Expr, ExprKind, Method, SetItem, Stmt, StmtKind};
use crate::dialect::{Dialect, Rules};
use crate::memory;
use crate::names::{self, Attr, Field};
use crate::never::{self, Course};
use crate::prefix_set::PrefixSet;
use crate::program::{Function, Line, Node, NodeOp, Program, Ruled, Step, Warned};
use crate::run::Inputs;
use crate::set::Labels;
use crate::span::{self, Diagnostic, SourceFile, Span};
use crate::symbols::{SymbolKind, Symbols};
use crate::syntax::UNDEFINED;
use crate::value::{EnumKind, Held, Type, Value};
use route::Family;
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
            return Err(Diagnostic::error(d.span, "Symbol already defined"));
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
                    let mut node = self.node(condition)?;
                    self.require("CONDITION", 1, &mut node, Type::Bool, condition.span)?;
                    compiled.push((node, self.block(block)));
                }
                Step::If(compiled.into(), self.block(otherwise.as_deref().unwrap_or_default()))
            }
            StmtKind::Case(subject, arms, otherwise) => self.case(subject, arms, otherwise.as_deref())?,
            StmtKind::Assign(name, value) => {
                let value_span = value.span;
                let value = self.node(value)?;
                let target = self.target(name, stmt.span)?;
                self.store(target, value, "VAR_SET", value_span, line)?
            }
            StmtKind::SetAttr(attr, value) => {
                let node = self.node(value)?;
                self.store(Target::Attr(*attr), node, "", value.span, line)?
            }
            StmtKind::Edit(attr, method, argument) => {
                self.reads(*attr);
                self.edit(Target::Attr(*attr), *method, Some(argument), stmt.span, line)?
            }
            StmtKind::EditName(name, method, argument) => {
                let target = self.target(name, stmt.span)?;
                self.edit(target, *method, argument.as_ref(), stmt.span, line)?
            }
            StmtKind::Empty(attr) => self.edit(Target::Attr(*attr), Method::Empty, None, stmt.span, line)?,
            StmtKind::Unset(attr) => Step::Unset(*attr),
            StmtKind::UnsetName(name) => match self.target(name, stmt.span)? {
                Target::Attr(attr) => Step::Unset(attr),
                Target::Slot(..) => {
                    return Err(Diagnostic::error(stmt.span, format!("Can't unset symbol {name}")));
                }
            },
            StmtKind::Declare(declared, value) => {
                let empty = Node { op: NodeOp::Const(declared.kind.empty().unwrap_or(Value::Void)), line };
                let node = value.as_ref().map(|v| self.node(v)).transpose()?.unwrap_or(empty);
                let slot = self.declare_one(declared)?;
                let span = value.as_ref().map_or(stmt.span, |v| v.span);
                self.store(Target::Slot(slot, declared.kind), node, "VAR_INIT", span, line)?
            }
            StmtKind::Block(statements) => Step::Block(self.block(statements)),
            StmtKind::For(item, list, body) => self.repeat(item, list, body)?,
            StmtKind::Return(value) => {
                let mut node = self.node(value)?;
                self.check_return(&mut node, value.span)?;
                Step::Return(node)
            }
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

    /// What a name is that a statement sets.
    fn target(&self, name: &str, span: Span) -> Compiled<Target> {
        if let Some((slot, kind)) = self.local(name) {
            return Ok(Target::Slot(slot, kind));
        }
        let symbol = self.symbols.get(name);
        if let Some(SymbolKind::Attribute(attr)) = symbol.map(|s| &s.kind) {
            return Ok(Target::Attr(*attr));
        }
        let words = match symbol {
            _ if !self.rules.names_tokens => "You may set only variables.".into(),
            Some(_) => format!("Can't assign to symbol {name}"),
            None => undefined(""),
        };
        let mut wrong = Diagnostic::error(span, words);
        wrong.label = Some(match symbol {
            Some(symbol) => format!("`{name}` is a {}", symbol.kind.word()),
            None => format!("there is no variable `{name}`"),
        });
        Err(wrong)
    }

    /// Puts a value where a statement wants it. `instruction` is BIRD's name for that where it is a variable.
    fn store(&mut self, target: Target, mut value: Node, instruction: &str, span: Span, line: u32) -> Compiled<Step> {
        Ok(match target {
            Target::Slot(slot, kind) => {
                self.require(instruction, 1, &mut value, kind, span)?;
                Step::Assign { slot, kind, value }
            }
            Target::Attr(attr) => {
                self.writes(attr);
                if self.rules.typed && attr.value_type() == Type::Enum(EnumKind::Opaque) {
                    return Err(Diagnostic::error(span, "Setting opaque attribute is not allowed"));
                }
                let instruction = if attr.is_optional() { "EA_SET" } else { "RTA_SET" };
                self.require(instruction, 1, &mut value, attr.value_type(), span)?;
                Step::SetAttr { attr, value, line: Line(line) }
            }
        })
    }

    /// `x.prepend(a);`
    fn edit(
        &mut self,
        target: Target,
        method: Method,
        argument: Option<&Expr>,
        span: Span,
        line: u32,
    ) -> Compiled<Step> {
        let (op, kind) = match target {
            Target::Slot(slot, kind) => (NodeOp::Local(slot), kind),
            Target::Attr(attr) => (NodeOp::Attr(attr), attr.value_type()),
        };
        let op = match (method, kind.empty()) {
            (Method::Empty, Some(empty)) => NodeOp::Const(empty),
            (Method::Empty, None) => return Err(Diagnostic::error(span, "Can't empty that attribute")),
            _ => {
                let argument = argument.map(|a| self.node(a)).transpose()?.map(Box::new);
                self.method(method, Box::new(Node { op, line }), argument, span)?
            }
        };
        let mut node = Node { op, line };
        self.fold(&mut node, span)?;
        self.store(target, node, "VAR_SET", span, line)
    }

    /// `for int a in b do c`
    fn repeat(&mut self, item: &Declaration, list: &Expr, body: &[Stmt]) -> Compiled<Step> {
        let node = self.node(list)?;
        match self.type_of(&node).map(|kind| (kind, kind.items())) {
            Some((kind, None)) => {
                let words = format!("Type {} is not iterable, can't be used in FOR", names::type_name(kind));
                return Err(Diagnostic::error(list.span, words));
            }
            Some((_, Some(items))) if items != item.kind => {
                let (wanted, got) = (names::type_name(items), names::type_name(item.kind));
                let words = format!("Loop variable '{}' in FOR must be of type {wanted}, got {got}", item.name);
                return Err(Diagnostic::error(item.span, words));
            }
            _ => {}
        }
        self.inside(|c| {
            let slot = c.declare_one(item)?;
            let body = c.block(body);
            Ok(Step::For { slot, kind: item.kind, list: node, body })
        })
    }

    fn check_return(&self, value: &mut Node, span: Span) -> Compiled<()> {
        let Some(Head { name, returns: Some(wanted), .. }) = &self.function else { return Ok(()) };
        let Some(got) = self.mismatch(value, *wanted) else { return Ok(()) };
        let (got, wanted) = (names::type_name(got), names::type_name(*wanted));
        let words = format!("Can't return type {got} from function {name}, expected {wanted}");
        Err(Diagnostic::error(span, words))
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
            blocks.push(self.block(block));
        }
        let has_otherwise = otherwise.is_some();
        let otherwise = self.block(otherwise.unwrap_or_default());
        let labels = Labels::new(labels, has_otherwise, self.rules.merges);
        Ok(Step::Case(subject, labels, blocks.into(), otherwise))
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
            _ => Err(self.no_value(name, span, "variable expected.")),
        }
    }

    fn no_value(&self, name: &str, span: Span, message: &str) -> Diagnostic {
        let words = match self.symbols.get(name) {
            _ if !self.rules.names_tokens => format!("{name}: {message}"),
            Some(_) => format!("Can't get value of symbol {name}"),
            None => undefined(""),
        };
        let wrong = Diagnostic::error(span, words);
        if let Some(symbol) = self.symbols.get(name) {
            return wrong.note(symbol.span, format!("`{name}` is a {}", symbol.kind.word()));
        }
        match self.symbols.nearest(name, |kind| matches!(kind, SymbolKind::Constant(_))) {
            Some(near) => wrong.help(format!("there is a constant `{near}`")),
            None => wrong,
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expr], span: Span) -> Compiled<NodeOp> {
        if let Some(own) = self.function.as_ref().filter(|f| &*f.name == name) {
            if !self.rules.recursion {
                return self.call_of_itself(name, arguments, span);
            }
            let own = own.arguments.clone();
            return Ok(NodeOp::Recurse(self.arguments(name, &own, arguments, span)?));
        }
        let function = match self.symbols.get(name).map(|s| &s.kind) {
            Some(SymbolKind::Function(function)) if self.local(name).is_none() => function.clone(),
            Some(SymbolKind::Broken) => return Ok(NodeOp::Const(Value::Void)),
            other => {
                let words = match other {
                    None if self.rules.names_tokens && self.local(name).is_none() => undefined(""),
                    _ => "You can't call something which is not a function. Really.".into(),
                };
                let wrong = Diagnostic::error(span, words);
                let near = self.symbols.nearest(name, |kind| matches!(kind, SymbolKind::Function(_)));
                return Err(match near {
                    Some(near) if near != name => wrong.help(format!("there is a function `{near}`")),
                    _ => wrong,
                });
            }
        };
        let arguments = self.arguments(name, &function.arguments, arguments, span)?;
        if function.depth >= CALLS_MAX {
            return Err(Diagnostic::error(span, "Functions call each other too deep")
                .help(format!("at most {CALLS_MAX} functions may stand in such a chain")));
        }
        self.depth = self.depth.max(function.depth);
        self.inputs = self.inputs.and(function.inputs);
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

    /// What a function is called with: as many values as it takes, of its types where those are known.
    fn arguments(&mut self, name: &str, wanted: &[Type], given: &[Expr], span: Span) -> Compiled<Box<[Node]>> {
        if wanted.len() != given.len() {
            let message = if self.rules.typed {
                format!("Function '{name}' expects {} arguments, got {} arguments", wanted.len(), given.len())
            } else {
                format!("Wrong number of arguments for function {name}.")
            };
            let takes = format!("it takes {}, here are {}", wanted.len(), given.len());
            return Err(Diagnostic::error(span, message).help(takes));
        }
        let mut nodes = Vec::with_capacity(given.len());
        for (at, (wanted, expr)) in wanted.iter().zip(given).enumerate() {
            let mut node = self.node(expr)?;
            if let Some(got) = self.mismatch(&mut node, *wanted) {
                let (wanted, got) = (names::type_name(*wanted), names::type_name(got));
                let message = format!("Argument {} of '{name}' must be {wanted}, got {got}", at + 1);
                return Err(Diagnostic::error(expr.span, message));
            }
            nodes.push(node);
        }
        Ok(nodes.into())
    }

    /// Without a prefix and an AS it is about the route: its prefix and the last AS of its path.
    fn roa_check(&mut self, name: &Arc<str>, subject: Option<&[Expr; 2]>, span: Span) -> Compiled<NodeOp> {
        if !self.is_table(name, "a ROA table", |kind| matches!(kind, SymbolKind::RoaTable(_)), span)? {
            return Ok(NodeOp::Const(Value::Void));
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

    fn aspa_check(&mut self, name: &Arc<str>, sides: &[Expr; 2], span: Span) -> Compiled<NodeOp> {
        if !self.is_table(name, "an ASPA table", |kind| matches!(kind, SymbolKind::AspaTable(_)), span)? {
            return Ok(NodeOp::Const(Value::Void));
        }
        self.inputs.aspa = true;
        Ok(NodeOp::AspaCheck(name.clone(), self.both(sides)?))
    }

    /// Whether a name stands for a table of authorisations of some sort; `false`: its definition was wrong.
    fn is_table(&self, name: &str, noun: &str, is_it: fn(&SymbolKind) -> bool, span: Span) -> Compiled<bool> {
        let words = match self.symbols.get(name).map(|s| &s.kind) {
            Some(kind) if is_it(kind) => return Ok(true),
            Some(SymbolKind::Broken) => return Ok(false),
            None if self.rules.names_tokens => undefined(", expecting CF_SYM_KNOWN"),
            _ => format!("{name} is not {noun}"),
        };
        let wrong = Diagnostic::error(span, words);
        Err(match self.symbols.nearest(name, is_it) {
            Some(near) if near != name => wrong.help(format!("there is {noun} `{near}`")),
            _ => wrong.help(format!("{noun} must be defined before it is used")),
        })
    }

    // What a filter reads.

    fn reads(&mut self, attr: Attr) {
        let i = &mut self.inputs;
        match attr {
            Attr::Field(Field::Net) => i.net = true,
            Attr::Field(Field::Proto) => i.source = true,
            Attr::Field(Field::Gw | Field::Dest | Field::DestKind | Field::Weight | Field::Onlink) => i.resolved = true,
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

/// What a statement sets.
#[derive(Clone, Copy)]
enum Target {
    Slot(u16, Type),
    Attr(Attr),
}

/// What BIRD 2 says of a name that stands for nothing.
fn undefined(behind: &str) -> String {
    format!("syntax error, unexpected {UNDEFINED}{behind}")
}
