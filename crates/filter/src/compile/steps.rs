//! Statements: what each is to do, and where what it sets is kept.

use super::{Compiled, Compiler, Head, undefined};
use crate::ast::{Declaration, Expr, Method, SetItem, Stmt, StmtKind};
use crate::names::{self, Attr, AttrKind};
use crate::never::{self, Course};
use crate::program::{Line, Node, NodeOp, Step};
use crate::set::Labels;
use crate::span::{Diagnostic, Span};
use crate::symbols::SymbolKind;
use crate::value::{EnumKind, Type, Value};

/// What a statement sets.
#[derive(Clone, Copy)]
enum Target {
    Slot(u16, Type),
    Attr(Attr),
}

impl Compiler<'_> {
    pub(super) fn steps(&mut self, all: &[Stmt]) -> Box<[Step]> {
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
            None => undefined(name, ""),
        };
        let mut wrong = Diagnostic::error(span, words);
        wrong.label = Some(match symbol {
            Some(symbol) => format!("`{name}` is a {}", symbol.kind.word()),
            None if let Some(why) = names::missing_attribute(name).filter(|_| self.rules.names_tokens) => why.into(),
            None if names::late_attribute(name, self.rules.dialect).is_some() => {
                "what resolves next hops sets it".into()
            }
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
                if let Attr::Local(_, AttrKind::Never(kind)) = attr {
                    let words = format!("Setting an attribute of type {} is not allowed", names::type_name(kind));
                    let wrong = Diagnostic::error(span, words);
                    return Err(wrong.help("an attribute holds a single value, a path or a list"));
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
}
