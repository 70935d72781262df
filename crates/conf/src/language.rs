//! Where bird.conf and the filter language meet: `define`, `attribute`, `function`, `filter`, and what stands in options.
//!
//! The filter room finds many errors at once and has often read its rule to the
//! end all the same. Then the errors are kept and reading goes on behind the
//! rule, so an error in a filter hides none behind it.

use crate::parser::Parser;
use filter::language::{self, Rule};
use filter::syntax::{Cursor, Op, Parsed, Tok};
use filter::{Diagnostic, Filter, Policy, SymbolKind, Symbols, Value};
use route::Prefix;
use std::sync::Arc;

impl<'a> Parser<'a> {
    /// `define NAME = EXPRESSION;`
    pub(crate) fn define_statement(&mut self) -> Parsed<()> {
        let name = self.at.word().unwrap_or_default();
        let rule = self.definition(language::define_constant);
        if let (Ok(()), Some(before)) = (&rule, &self.before) {
            Arc::make_mut(&mut self.symbols).share_constant(name, &before.meanings);
        }
        let complete = self.is_behind(Op::Semicolon);
        self.keep(rule, complete, ())
    }

    /// `attribute bgp NUMBER TYPE NAME;`, behind `bgp`.
    pub(crate) fn bgp_attribute_statement(&mut self) -> Parsed<()> {
        let rule = self.definition(language::define_bgp_attribute);
        let complete = self.is_behind(Op::Semicolon);
        self.keep(rule, complete, ())
    }

    /// `attribute TYPE NAME;`: it keeps its number from the configuration that runs, so routes that carry it mean the same.
    pub(crate) fn attribute_statement(&mut self) -> Parsed<()> {
        let before = self.before.as_ref().map(|b| Arc::clone(&b.meanings));
        let symbols = Arc::make_mut(&mut self.symbols);
        let rule = language::define_attribute(&mut self.at, symbols, before.as_deref());
        let complete = self.is_behind(Op::Semicolon);
        self.keep(rule, complete, ())
    }

    /// `filter NAME { COMMANDS }`
    pub(crate) fn filter_statement(&mut self) -> Parsed<()> {
        let rule = self.definition(language::define_filter);
        let complete = self.is_behind(Op::BraceClose);
        self.keep(rule, complete, ())
    }

    /// `function NAME(PARAMETERS) LOCALS { COMMANDS }`
    pub(crate) fn function_statement(&mut self) -> Parsed<()> {
        let rule = self.definition(language::define_function);
        let complete = self.is_behind(Op::BraceClose);
        self.keep(rule, complete, ())
    }

    fn definition(&mut self, rule: fn(&mut Cursor<'_>, &mut Symbols) -> Rule<()>) -> Rule<()> {
        rule(&mut self.at, Arc::make_mut(&mut self.symbols))
    }

    /// `eval EXPRESSION`: BIRD computes it and forgets it; what counts is that it is a number.
    pub(crate) fn eval_statement(&mut self) -> Parsed<()> {
        let start = self.at.span();
        let rule = language::evaluate(&mut self.at, &self.symbols);
        match self.keep(rule, false, Value::Void)? {
            Value::Int(_) => Ok(()),
            other => {
                let label = format!("this is a value of another type: {other}");
                Err(self.refusal(start, "Integer expression expected", label))
            }
        }
    }

    /// An expression in brackets that is a number.
    pub(crate) fn expression(&mut self) -> Parsed<u32> {
        let rule = language::number(&mut self.at, &self.symbols);
        self.keep(rule, false, 0)
    }

    /// `all`, `none`, `filter NAME`, `filter { }`, `where EXPRESSION`.
    pub(crate) fn policy(&mut self) -> Parsed<Policy> {
        let rule = language::policy(&mut self.at, &self.symbols);
        let complete = self.is_behind(Op::BraceClose) || self.at.is(Op::Semicolon);
        self.keep(rule, complete, Policy::Reject)
    }

    /// A policy for what lies in a network; all else is rejected.
    pub(crate) fn policy_within(&mut self, net: Prefix) -> Parsed<Policy> {
        let rule = language::policy_within(&mut self.at, &self.symbols, net);
        let complete = self.is_behind(Op::BraceClose) || self.at.is(Op::Semicolon);
        self.keep(rule, complete, Policy::Reject)
    }

    /// A filter's name or a filter, behind `filter` that was read.
    pub(crate) fn named_filter(&mut self) -> Parsed<Policy> {
        let rule = language::filter(&mut self.at, &self.symbols).map(Policy::Filter);
        let complete = self.is_behind(Op::BraceClose) || self.at.is(Op::Semicolon);
        self.keep(rule, complete, Policy::Reject)
    }

    /// A condition, behind `where` that was read.
    pub(crate) fn condition(&mut self) -> Parsed<Policy> {
        let rule = language::where_clause(&mut self.at, &self.symbols).map(Policy::Filter);
        let complete = self.at.is(Op::Semicolon);
        self.keep(rule, complete, Policy::Reject)
    }

    /// `{ COMMANDS }` behind a static route.
    pub(crate) fn filter_body(&mut self) -> Parsed<Option<Arc<Filter>>> {
        let rule = language::attributes(&mut self.at, &self.symbols).map(Some);
        let complete = self.is_behind(Op::BraceClose);
        self.keep(rule, complete, None)
    }

    /// Whether the last token read was this one.
    pub(crate) fn is_behind(&self, op: Op) -> bool {
        self.at.octets(self.at.last_span()) == op.text().as_bytes()
    }

    /// Keeps the errors of a rule. One that was read to its end goes on with `instead`.
    pub(crate) fn keep<T>(&mut self, rule: Rule<T>, complete: bool, instead: T) -> Parsed<T> {
        match rule {
            Ok(value) => Ok(value),
            Err(mut wrong) => {
                let last = wrong.pop().unwrap_or_else(said);
                self.errors.append(&mut wrong);
                if !complete {
                    return Err(last);
                }
                self.fail(last);
                Ok(instead)
            }
        }
    }

    /// A constant, seen as what is expected.
    pub(crate) fn constant<T>(&mut self, expected: &str, view: impl Fn(&Value<'_>) -> Option<T>) -> Parsed<T> {
        let name = self.at.word().unwrap_or_default();
        match self.symbols.get(name).map(|s| &s.kind) {
            Some(SymbolKind::Broken) => return Err(said()),
            Some(SymbolKind::Constant(value)) => {
                if let Some(value) = view(value) {
                    self.at.bump();
                    return Ok(value);
                }
            }
            _ => {}
        }
        let mut wrong = self.at.error(expected);
        if wrong.label.is_none() && self.at.peek() == Tok::Word {
            wrong.label = Some(self.what_is(name, "is not defined"));
        }
        Err(match self.symbols.nearest(name, |kind| matches!(kind, SymbolKind::Constant(_))) {
            Some(near) if near != name => wrong.help(format!("did you mean the constant `{near}`?")),
            _ => wrong,
        })
    }

    /// A sentence on a name that does not mean what it should.
    pub(crate) fn what_is(&self, name: &str, unknown: &str) -> String {
        match self.symbols.get(name) {
            Some(symbol) => format!("`{name}` is a {}", symbol.kind.word()),
            None => format!("`{name}` {unknown}"),
        }
    }
}

/// Stands for an error that was told where it arose; it is not told again.
pub(crate) fn said() -> Diagnostic {
    Diagnostic::error(filter::Span::default(), "")
}
