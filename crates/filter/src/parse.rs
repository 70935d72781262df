//! The grammar of filters: from tokens to the tree of [`crate::ast`].
//!
//! Descends by hand, one function a rule. An error ends its statement only; the
//! rest of the block is read on, so that one run finds all. Nesting is bounded,
//! since whoever nests deeper wants the parser's stack and no filter.

mod expr;
pub(crate) use expr::short;
mod set;

use crate::ast::{Body, Declaration, Ending, Expr, Method, Stmt, StmtKind};
use crate::names::{self, Attr};
use crate::span::{Diagnostic, Span};
use crate::syntax::{Cursor, Op, Parsed, Tok};
use crate::value::Type;
use std::sync::Arc;

/// How deep expressions and blocks may nest together.
const DEPTH_MAX: u32 = 128;
/// How many errors of one filter are said.
const ERRORS_MAX: usize = 50;

/// Reads filters from a cursor.
pub struct Parser<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    depth: u32,
    /// What was wrong in statements that were passed over.
    pub errors: Vec<Diagnostic>,
}

impl<'c, 'a> Parser<'c, 'a> {
    /// Reads on from where the cursor is.
    pub const fn new(cursor: &'c mut Cursor<'a>) -> Self {
        Self { cursor, depth: 0, errors: Vec::new() }
    }

    /// Reads `(int a; prefix b)`, if there is one.
    pub fn arguments(&mut self) -> Parsed<Vec<Declaration>> {
        self.cursor.expect(Op::ParenOpen)?;
        let mut all = Vec::new();
        while !self.cursor.eat(Op::ParenClose) {
            all.push(self.declaration()?);
            if !self.cursor.is(Op::ParenClose) {
                self.cursor.expect(Op::Semicolon)?;
            }
        }
        Ok(all)
    }

    /// Reads `int a; { statements }`.
    pub fn body(&mut self, arguments: Vec<Declaration>) -> Parsed<Body> {
        let mut locals = Vec::new();
        while !self.cursor.is(Op::BraceOpen) {
            if self.type_word().is_none() {
                return Err(self.cursor.wanted("`{`"));
            }
            locals.push(self.declaration()?);
            self.cursor.expect(Op::Semicolon)?;
        }
        let statements = self.braces()?;
        Ok(Body { arguments, locals, statements })
    }

    fn type_word(&self) -> Option<Type> {
        let word = self.cursor.word()?;
        names::TYPES.iter().find(|(w, _)| *w == word).map(|(_, t)| *t)
    }

    fn declaration(&mut self) -> Parsed<Declaration> {
        let Some(mut kind) = self.type_word() else { return Err(self.cursor.wanted("a type")) };
        let start = self.cursor.bump().span;
        if self.cursor.eat_word("set") {
            kind = match kind {
                Type::Int | Type::Pair | Type::Quad | Type::Ip | Type::Ec | Type::Lc => Type::Set,
                Type::Prefix => Type::PrefixSet,
                _ => {
                    let span = self.cursor.since(start);
                    return Err(Diagnostic::error(span, "You can't create sets of this type."));
                }
            };
        }
        let (name, span) = self.cursor.name()?;
        Ok(Declaration { kind, name: name.into(), span })
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            let wrong = Diagnostic::error(self.cursor.span(), "Nested too deep");
            return Err(wrong.help(format!("expressions and blocks nest at most {DEPTH_MAX} levels")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads `{ statements }`.
    fn braces(&mut self) -> Parsed<Vec<Stmt>> {
        self.cursor.expect(Op::BraceOpen)?;
        let all = self.deeper(|p| Ok(p.statements(|p| p.cursor.is(Op::BraceClose))))?;
        self.cursor.expect(Op::BraceClose)?;
        Ok(all)
    }

    /// Reads statements up to where `end` says so, passing over wrong ones.
    fn statements(&mut self, end: impl Fn(&Self) -> bool) -> Vec<Stmt> {
        let mut all = Vec::new();
        while !end(self) && !self.cursor.at_end() && !self.cursor.is(Op::BraceClose) {
            match self.statement() {
                Ok(stmt) => all.push(stmt),
                Err(wrong) => {
                    self.errors.push(wrong);
                    self.pass_over();
                    if self.errors.len() >= ERRORS_MAX {
                        while !self.cursor.at_end() {
                            self.cursor.bump();
                        }
                    }
                }
            }
        }
        all
    }

    /// Passes the rest of a wrong statement, with the `else` that belongs to it.
    fn pass_over(&mut self) {
        self.cursor.skip_statement();
        while self.is_else() {
            self.cursor.bump();
            self.cursor.skip_statement();
        }
    }

    /// An `else` of `if`; `else:` is a label of `case`.
    fn is_else(&self) -> bool {
        self.cursor.is_word("else") && self.cursor.ahead(1).tok != Tok::Op(Op::Colon)
    }

    /// Reads `{ statements }` or one statement.
    fn block(&mut self) -> Parsed<Vec<Stmt>> {
        if self.cursor.is(Op::BraceOpen) {
            return self.braces();
        }
        self.deeper(|p| Ok(vec![p.statement()?]))
    }

    fn statement(&mut self) -> Parsed<Stmt> {
        let start = self.cursor.span();
        let Some(word) = self.cursor.word() else { return Err(self.cursor.wanted("a statement")) };
        let kind = match word {
            "if" => self.conditional()?,
            "case" => self.case()?,
            "return" => {
                self.cursor.bump();
                let value = self.expr()?;
                self.semicolon()?;
                StmtKind::Return(value)
            }
            "unset" => self.unset()?,
            _ => {
                if let Some(ending) = ending(word) {
                    self.cursor.bump();
                    self.print(ending)?
                } else if let Some(attr) = names::attribute(word) {
                    self.attribute(attr)?
                } else if self.cursor.is_name() {
                    self.named()?
                } else if names::is_foreign_attribute(word) {
                    return Err(self.foreign());
                } else {
                    return Err(self.cursor.wanted("a statement"));
                }
            }
        };
        Ok(Stmt { kind, span: self.cursor.since(start) })
    }

    fn semicolon(&mut self) -> Parsed<()> {
        self.cursor.expect(Op::Semicolon).map(drop)
    }

    fn conditional(&mut self) -> Parsed<StmtKind> {
        let mut arms = Vec::new();
        let mut otherwise = None;
        while self.cursor.eat_word("if") {
            let condition = self.expr()?;
            self.cursor.expect_word("then")?;
            arms.push((condition, self.block()?));
            if !self.is_else() {
                break;
            }
            self.cursor.bump();
            if !self.cursor.is_word("if") {
                otherwise = Some(self.block()?);
                break;
            }
        }
        Ok(StmtKind::If(arms, otherwise))
    }

    fn case(&mut self) -> Parsed<StmtKind> {
        self.cursor.bump();
        let subject = self.expr()?;
        self.cursor.expect(Op::BraceOpen)?;
        let (mut arms, mut otherwise) = (Vec::new(), None);
        while !self.cursor.eat(Op::BraceClose) {
            if self.cursor.eat_word("else") {
                self.cursor.expect(Op::Colon)?;
                otherwise = Some(self.arm()?);
            } else {
                let labels = self.set_items()?;
                self.cursor.expect(Op::Colon)?;
                arms.push((labels, self.arm()?));
            }
        }
        Ok(StmtKind::Case(subject, arms, otherwise))
    }

    fn arm(&mut self) -> Parsed<Vec<Stmt>> {
        self.deeper(|p| Ok(p.statements(Self::at_label)))
    }

    /// Whether a label of `case` comes next, not a statement.
    fn at_label(&self) -> bool {
        let behind = self.cursor.ahead(1).tok;
        match self.cursor.peek() {
            Tok::Num(_) | Tok::Ip4(_) | Tok::Ip6(_) | Tok::Op(Op::ParenOpen | Op::BraceClose) => true,
            Tok::Word => matches!(behind, Tok::Op(Op::Colon | Op::Comma | Op::Range)),
            _ => false,
        }
    }

    fn unset(&mut self) -> Parsed<StmtKind> {
        self.cursor.bump();
        self.cursor.expect(Op::ParenOpen)?;
        let attr = match self.cursor.word().and_then(names::attribute) {
            Some(attr) if attr.is_optional() => attr,
            _ => return Err(self.cursor.wanted("an attribute that a route may be without")),
        };
        self.cursor.bump();
        self.cursor.expect(Op::ParenClose)?;
        self.semicolon()?;
        Ok(StmtKind::Unset(attr))
    }

    fn print(&mut self, ending: Ending) -> Parsed<StmtKind> {
        let mut items = Vec::new();
        // Behind the last comma there may be nothing.
        while !self.cursor.is(Op::Semicolon) {
            items.push(self.expr()?);
            if !self.cursor.eat(Op::Comma) {
                break;
            }
        }
        self.semicolon()?;
        Ok(StmtKind::Print(items, ending))
    }

    /// A statement that begins with an attribute: `bgp_med = 5;`, `bgp_path.prepend(5);`.
    fn attribute(&mut self, attr: Attr) -> Parsed<StmtKind> {
        let name = self.cursor.bump().span;
        if self.cursor.eat(Op::Equal) {
            let value = self.expr()?;
            if !attr.is_settable() {
                return Err(Diagnostic::error(name, "This static attribute is read-only."));
            }
            self.semicolon()?;
            return Ok(StmtKind::SetAttr(attr, value));
        }
        if !self.cursor.is(Op::Dot) || !attr.is_optional() {
            return Err(self.cursor.wanted("`=`"));
        }
        self.cursor.bump();
        if self.cursor.eat_word("empty") {
            if attr.empty().is_none() {
                return Err(Diagnostic::error(name, "Can't empty that attribute"));
            }
            self.semicolon()?;
            return Ok(StmtKind::Empty(attr));
        }
        let Some(method) = self.cursor.word().and_then(editing) else {
            return Err(self.cursor.wanted("`empty`, `prepend`, `add`, `delete` or `filter`"));
        };
        self.cursor.bump();
        let argument = self.in_parens(Self::expr)?;
        self.semicolon()?;
        Ok(StmtKind::Edit(attr, method, argument))
    }

    /// A statement that begins with a name: `x = 5;`, `f(5);`.
    fn named(&mut self) -> Parsed<StmtKind> {
        let (name, _) = self.cursor.name()?;
        let name: Arc<str> = name.into();
        let kind = if self.cursor.is(Op::ParenOpen) {
            StmtKind::Call(name, self.call_arguments()?)
        } else {
            if !self.cursor.eat(Op::Equal) {
                return Err(self.cursor.wanted("`=` or `(`"));
            }
            StmtKind::Assign(name, self.expr()?)
        };
        self.semicolon()?;
        Ok(kind)
    }

    fn call_arguments(&mut self) -> Parsed<Vec<Expr>> {
        self.cursor.expect(Op::ParenOpen)?;
        let mut all = Vec::new();
        if self.cursor.eat(Op::ParenClose) {
            return Ok(all);
        }
        loop {
            all.push(self.expr()?);
            if self.cursor.eat(Op::ParenClose) {
                return Ok(all);
            }
            self.cursor.expect(Op::Comma)?;
        }
    }

    fn in_parens<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.cursor.expect(Op::ParenOpen)?;
        let inner = read(self)?;
        self.cursor.expect(Op::ParenClose)?;
        Ok(inner)
    }

    /// An attribute of a protocol that rbird does not have.
    fn foreign(&self) -> Diagnostic {
        let span = self.cursor.span();
        let name = self.cursor.word().unwrap_or_default();
        let protocol = name.split('_').next().unwrap_or_default();
        let mut wrong = Diagnostic::error(span, format!("The attribute {name} is not supported"));
        wrong.label = Some(format!("rbird has no protocol {protocol}, so no route has this attribute"));
        wrong
    }
}

/// From a place to the end of another.
fn join(from: Span, to: Span) -> Span {
    Span { end: to.end.max(from.end), ..from }
}

fn ending(word: &str) -> Option<Ending> {
    Some(match word {
        "print" => Ending::Print,
        "printn" => Ending::Printn,
        "accept" => Ending::Accept,
        "reject" => Ending::Reject,
        "error" => Ending::Error,
        "quitbird" => Ending::Quitbird,
        _ => return None,
    })
}

/// The methods that change a list, as statements and as functions.
fn editing(word: &str) -> Option<Method> {
    Some(match word {
        "prepend" => Method::Prepend,
        "add" => Method::Add,
        "delete" => Method::Delete,
        "filter" => Method::Filter,
        _ => return None,
    })
}
