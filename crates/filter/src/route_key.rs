//! By what routes are told apart that an aggregator merges.

use crate::ast::{Expr, ExprKind};
use crate::dialect::Rules;
use crate::interpret::{self, Scratch};
use crate::language::{Rule, compiler, parse};
use crate::names::{self, Attr};
use crate::program::Node;
use crate::run::{Env, Inputs, RouteView};
use crate::span::Diagnostic;
use crate::symbols::{SymbolKind, Symbols};
use crate::syntax::{Cursor, Op};
use crate::value::Value;

/// Something by whose value routes are told apart: an expression in parentheses, or an attribute.
#[derive(Debug)]
pub struct RouteKey {
    /// The attribute, when it is one.
    pub attr: Option<Attr>,
    /// What it reads.
    pub inputs: Inputs,
    node: Node,
    rules: &'static Rules,
}

/// By what they compute.
impl PartialEq for RouteKey {
    fn eq(&self, other: &Self) -> bool {
        self.attr == other.attr && self.node == other.node
    }
}

impl RouteKey {
    /// Reads one.
    pub fn read(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<Self> {
        let rules = cursor.dialect().rules();
        if cursor.is(Op::ParenOpen) {
            let expr = parse(cursor, symbols, |parser| parser.expr())?;
            let (node, inputs) = compiler(cursor, symbols).key(&expr)?;
            return Ok(Self { attr: None, inputs, node, rules });
        }
        let start = cursor.span();
        let word = cursor.word().unwrap_or_default();
        let own = match symbols.get(word).map(|s| &s.kind) {
            Some(SymbolKind::Attribute(attr)) => Some(*attr),
            Some(other) => {
                let words = format!("Can't aggregate on symbol type {}.", other.word());
                return Err(vec![Diagnostic::error(start, words)]);
            }
            None => None,
        };
        let Some(attr) = own.or_else(|| names::attribute(word, cursor.dialect())) else {
            return Err(vec![cursor.wanted("an attribute, or an expression in parentheses")]);
        };
        cursor.bump();
        let expr = Expr { kind: ExprKind::Attr(attr), span: start };
        let (node, inputs) = compiler(cursor, symbols).key(&expr)?;
        Ok(Self { attr: Some(attr), inputs, node, rules })
    }

    /// Its value for a route, or BIRD's words for the log, class error.
    pub fn value<'r>(&'r self, scratch: &mut Scratch, route: RouteView<'r>, env: Env<'r>) -> Result<Value<'r>, String> {
        interpret::of_route(&self.node, scratch, route, env, self.rules)
    }
}
