//! What is called by its name: functions, and the questions to tables of authorisations.

use super::{Compiled, Compiler, undefined};
use crate::ast::Expr;
use crate::names;
use crate::never;
use crate::program::{Node, NodeOp};
use crate::span::{Diagnostic, Span};
use crate::symbols::SymbolKind;
use crate::value::{Type, Value};
use std::sync::Arc;

/// How long a chain of functions may be of which each calls the next.
const CALLS_MAX: u16 = 128;

impl Compiler<'_> {
    pub(super) fn call(&mut self, name: &str, arguments: &[Expr], span: Span) -> Compiled<NodeOp> {
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
                    None if self.rules.names_tokens && self.local(name).is_none() => undefined(name, ""),
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
    pub(super) fn roa_check(&mut self, name: &Arc<str>, subject: Option<&[Expr; 2]>, span: Span) -> Compiled<NodeOp> {
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

    pub(super) fn aspa_check(&mut self, name: &Arc<str>, sides: &[Expr; 2], span: Span) -> Compiled<NodeOp> {
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
            None if self.rules.names_tokens => undefined(name, ", expecting CF_SYM_KNOWN"),
            _ => format!("{name} is not {noun}"),
        };
        let wrong = Diagnostic::error(span, words);
        Err(match self.symbols.nearest(name, is_it) {
            Some(near) if near != name => wrong.help(format!("there is {noun} `{near}`")),
            _ => wrong.help(format!("{noun} must be defined before it is used")),
        })
    }
}
