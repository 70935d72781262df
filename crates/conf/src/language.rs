//! Where bird.conf and the filter language meet: `define`, `function`, `filter`, and what stands in options.

use crate::names::{Constant, Meaning};
use crate::parser::Parser;
use filter::syntax::{Op, Parsed, Tok};
use filter::{Filter, Inputs, Span};
use std::net::IpAddr;
use std::sync::Arc;

impl Parser<'_> {
    /// `define NAME = EXPRESSION;`
    pub(crate) fn define_statement(&mut self) -> Parsed<()> {
        let (name, span) = self.new_name()?;
        self.at.expect(Op::Equal)?;
        let value = match self.at.peek() {
            Tok::Num(n) => Constant::Number(n),
            Tok::Ip4(a) => Constant::Address(IpAddr::V4(a)),
            Tok::Text => Constant::Text(self.text()?),
            _ => Constant::Other,
        };
        while !self.at.is(Op::Semicolon) && !self.at.at_end() {
            self.at.bump();
        }
        self.names.define(name, Meaning::Constant(value), Some(span));
        Ok(())
    }

    /// `filter NAME { COMMANDS }`
    pub(crate) fn filter_statement(&mut self) -> Parsed<()> {
        let (name, span) = self.new_name()?;
        let filter = self.braces(Some(name.clone()))?;
        self.names.define(name, Meaning::Filter(filter), Some(span));
        Ok(())
    }

    /// `function NAME(PARAMETERS) LOCALS { COMMANDS }`
    pub(crate) fn function_statement(&mut self) -> Parsed<()> {
        let (name, span) = self.new_name()?;
        self.braces(Some(name.clone()))?;
        self.names.define(name, Meaning::Function, Some(span));
        Ok(())
    }

    /// An expression in brackets that is a number.
    pub(crate) fn expression(&mut self) -> Parsed<u32> {
        Err(self.at.error("Number expected"))
    }

    /// The condition behind `where`.
    pub(crate) fn condition(&mut self) -> Parsed<Arc<Filter>> {
        let start = self.at.span();
        while !self.at.is(Op::Semicolon) && !self.at.at_end() {
            self.at.bump();
        }
        Ok(Arc::new(Filter { name: None, inputs: Inputs::default(), span: self.at.since(start), program: Default::default() }))
    }

    /// `{ COMMANDS }`
    pub(crate) fn filter_body(&mut self) -> Parsed<Arc<Filter>> {
        self.braces(None)
    }

    fn braces(&mut self, name: Option<Arc<str>>) -> Parsed<Arc<Filter>> {
        let start: Span = self.at.span();
        while !self.at.is(Op::BraceOpen) {
            if self.at.at_end() {
                return Err(self.at.wanted("`{`"));
            }
            self.at.bump();
        }
        let mut depth = 0u32;
        loop {
            match self.at.peek() {
                Tok::Op(Op::BraceOpen) => depth += 1,
                Tok::Op(Op::BraceClose) => depth -= 1,
                Tok::End => return Err(self.at.wanted("`}`")),
                _ => {}
            }
            self.at.bump();
            if depth == 0 {
                return Ok(Arc::new(Filter { name, inputs: Inputs::default(), span: self.at.since(start), program: Default::default() }));
            }
        }
    }
}
