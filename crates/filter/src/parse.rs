//! The grammar of filters: from tokens to the tree of [`crate::ast`].
//!
//! Descends by hand, one function a rule. An error ends its statement only; the
//! rest of the block is read on, so that one run finds all. Nesting is bounded,
//! since whoever nests deeper wants the parser's stack and no filter.

mod expr;
pub(crate) use expr::short;
mod set;

use crate::ast::{Body, Declaration, Ending, Expr, Method, SetItem, Stmt, StmtKind};
use crate::dialect::{Dialect, Rules};
use crate::names::{self, Attr};
use crate::span::{Diagnostic, Span};
use crate::suggest;
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
    rules: &'static Rules,
    depth: u32,
    /// `routes` and their attributes may be named (`merge by`).
    pub(crate) merging: bool,
    /// What was wrong in statements that were passed over.
    pub errors: Vec<Diagnostic>,
}

impl<'c, 'a> Parser<'c, 'a> {
    /// Reads on from where the cursor is.
    pub const fn new(cursor: &'c mut Cursor<'a>) -> Self {
        let rules = cursor.dialect().rules();
        Self { cursor, rules, depth: 0, merging: false, errors: Vec::new() }
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
        let mut returns = None;
        if self.rules.blocks && self.cursor.eat(Op::Arrow) {
            returns = Some(self.type_name()?);
        }
        while !self.cursor.is(Op::BraceOpen) {
            if !self.at_type() {
                return Err(self.cursor.wanted("`{`"));
            }
            locals.push(self.declaration()?);
            self.cursor.expect(Op::Semicolon)?;
        }
        let statements = self.braces()?;
        Ok(Body { arguments, locals, returns, statements })
    }

    /// The attribute whose name comes next.
    fn attribute_ahead(&self) -> Option<Attr> {
        names::attribute(self.cursor.word()?, self.dialect())
    }

    /// Whether a type comes next.
    fn at_type(&self) -> bool {
        let Some(word) = self.cursor.word() else { return false };
        if self.merging && word == "route" {
            return true;
        }
        names::value_type(word, self.dialect()).is_some()
            || self.rules.blocks && matches!(word, "enum" | "rd" | "mac") && self.cursor.ahead(1).tok == Tok::Word
    }

    /// Reads a type: `int`, `int set`, `enum rts`.
    pub fn type_name(&mut self) -> Parsed<Type> {
        let start = self.cursor.span();
        let word = self.cursor.word().unwrap_or_default();
        if self.merging && self.cursor.eat_word("route") {
            return Ok(Type::Route);
        }
        let mut kind = match names::value_type(word, self.dialect()) {
            Some(kind) => {
                self.cursor.bump();
                kind
            }
            None if self.at_type() && word == "enum" => {
                self.cursor.bump();
                let kind = self.cursor.word().and_then(names::enum_kind);
                let Some(kind) = kind else { return Err(self.cursor.wanted("an enumeration such as `rts`")) };
                self.cursor.bump();
                Type::Enum(kind)
            }
            None if self.at_type() => return Err(self.unsupported(word)),
            None => return Err(self.cursor.wanted("a type")),
        };
        if self.cursor.eat_word("set") {
            kind = match kind {
                Type::Int | Type::Pair | Type::Quad | Type::Ip | Type::Ec | Type::Lc => Type::Set,
                Type::Enum(_) => Type::Set,
                Type::Prefix => Type::PrefixSet,
                _ => {
                    let span = self.cursor.since(start);
                    return Err(Diagnostic::error(span, "You can't create sets of this type."));
                }
            };
        }
        Ok(kind)
    }

    fn declaration(&mut self) -> Parsed<Declaration> {
        let kind = self.type_name()?;
        let (name, span) = self.cursor.name()?;
        Ok(Declaration { kind, name: name.into(), span })
    }

    const fn dialect(&self) -> Dialect {
        self.cursor.dialect()
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
        let open = self.cursor.expect(Op::BraceOpen)?;
        let all = self.deeper(|p| Ok(p.statements(|p| p.cursor.is(Op::BraceClose))))?;
        match self.cursor.expect(Op::BraceClose) {
            Err(wrong) if self.cursor.at_end() => Err(wrong.note(open, "this `{` is not closed")),
            closed => closed.map(|_| all),
        }
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
        if self.rules.blocks && self.cursor.is(Op::BraceOpen) {
            let kind = StmtKind::Block(self.braces()?);
            return Ok(Stmt { kind, span: self.cursor.since(start) });
        }
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
            "for" if self.rules.blocks => self.repeat()?,
            _ if self.rules.blocks && self.at_type() => self.variable()?,
            _ => {
                if let Some(ending) = ending(word) {
                    self.cursor.bump();
                    self.print(ending)?
                } else if let Some(attr) = self.attribute_ahead() {
                    self.attribute(attr)?
                } else if self.cursor.is_any_name() {
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

    /// `int a;`, `int a = 5;`
    fn variable(&mut self) -> Parsed<StmtKind> {
        let declared = self.declaration()?;
        let value = if self.cursor.eat(Op::Equal) { Some(self.expr()?) } else { None };
        self.semicolon()?;
        Ok(StmtKind::Declare(declared, value))
    }

    /// `for int a in b do c`
    fn repeat(&mut self) -> Parsed<StmtKind> {
        self.cursor.bump();
        if !self.at_type() {
            let wrong = self.cursor.wanted("a type");
            return Err(wrong.help("a loop declares its variable: `for int a in bgp_path do ...`"));
        }
        let item = self.declaration()?;
        self.cursor.expect_word("in")?;
        let list = self.expr()?;
        self.cursor.expect_word("do")?;
        Ok(StmtKind::For(item, list, self.block()?))
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
            if self.cursor.at_end() {
                return Err(self.cursor.wanted("`}`"));
            }
            match self.labels() {
                Ok(Some(labels)) => arms.push((labels, self.arm()?)),
                Ok(None) => otherwise = Some(self.arm()?),
                Err(wrong) => {
                    self.errors.push(wrong);
                    self.cursor.skip_statement();
                }
            }
        }
        Ok(StmtKind::Case(subject, arms, otherwise))
    }

    /// Reads the labels in front of an arm of `case`; `None`: `else`.
    fn labels(&mut self) -> Parsed<Option<Vec<SetItem>>> {
        let labels = if self.cursor.eat_word("else") { None } else { Some(self.set_items()?) };
        self.cursor.expect(Op::Colon)?;
        Ok(labels)
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
        let kind = match self.attribute_ahead() {
            Some(attr) if attr.is_optional() || self.rules.blocks && attr.is_forgettable() => {
                self.cursor.bump();
                StmtKind::Unset(attr)
            }
            None if self.rules.blocks && self.cursor.is_any_name() => StmtKind::UnsetName(self.cursor.name()?.0.into()),
            None if self.cursor.word().is_some_and(names::is_foreign_attribute) => return Err(self.foreign()),
            _ => return Err(self.cursor.wanted("an attribute that a route may be without")),
        };
        self.cursor.expect(Op::ParenClose)?;
        self.semicolon()?;
        Ok(kind)
    }

    fn print(&mut self, ending: Ending) -> Parsed<StmtKind> {
        let mut items = Vec::new();
        // Behind the last comma there may be nothing, and in later releases of 2.x before the first.
        if self.rules.blocks {
            self.cursor.eat(Op::Comma);
        }
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
        let (method, argument) = self.editing()?;
        self.semicolon()?;
        Ok(StmtKind::Edit(attr, method, argument))
    }

    /// Reads `prepend(a)` and its like, behind the dot of a statement.
    fn editing(&mut self) -> Parsed<(Method, Expr)> {
        let Some(method) = self.cursor.word().and_then(|word| names::function(word, self.dialect())) else {
            let is_editing = |name: &str| name == "empty" || names::function(name, self.dialect()).is_some();
            return Err(match self.rules.blocks {
                true => self.no_method(is_editing),
                false => self.cursor.wanted("`empty`, `prepend`, `add`, `delete` or `filter`"),
            });
        };
        self.cursor.bump();
        Ok((method, self.in_parens(Self::expr)?))
    }

    /// A statement that begins with a name: `x = 5;`, `f(5);`.
    fn named(&mut self) -> Parsed<StmtKind> {
        let (name, _) = self.cursor.name()?;
        let name: Arc<str> = name.into();
        let kind = if self.cursor.is(Op::ParenOpen) {
            StmtKind::Call(name, self.call_arguments()?)
        } else if self.rules.blocks && self.cursor.eat(Op::Dot) {
            if self.cursor.eat_word("empty") {
                StmtKind::EditName(name, Method::Empty, None)
            } else {
                let (method, argument) = self.editing()?;
                StmtKind::EditName(name, method, Some(argument))
            }
        } else {
            if !self.cursor.eat(Op::Equal) {
                let near = suggest::nearest(
                    &name,
                    ENDINGS.iter().map(|(word, _)| *word).chain(["if", "case", "return", "unset"]),
                );
                let wrong = self.cursor.wanted("`=` or `(`");
                return Err(match near {
                    Some(near) => wrong.help(format!("did you mean `{near}`?")),
                    None => wrong,
                });
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

    /// A kind of value that only families have which rbird does not carry.
    fn unsupported(&self, what: &str) -> Diagnostic {
        let mut wrong = Diagnostic::error(self.cursor.span(), format!("`{what}` is not supported by rbird"));
        wrong.label = Some("VPN, flowspec, EVPN, Ethernet and MPLS are families that rbird does not carry".into());
        wrong
    }

    /// An attribute of a protocol that rbird does not have.
    fn foreign(&self) -> Diagnostic {
        let span = self.cursor.span();
        let name = self.cursor.word().unwrap_or_default();
        let mut wrong = Diagnostic::error(span, format!("The attribute {name} is not supported"));
        wrong.label = Some(match name.split('_').next().unwrap_or_default() {
            "mpls" | "gw" => "rbird does not carry MPLS, so no route has this attribute".into(),
            protocol => format!("rbird has no protocol {protocol}, so no route has this attribute"),
        });
        wrong
    }
}

/// From a place to the end of another.
fn join(from: Span, to: Span) -> Span {
    Span { end: to.end.max(from.end), ..from }
}

/// The words that end a line of printing, and what they do then.
const ENDINGS: &[(&str, Ending)] = &[
    ("print", Ending::Print),
    ("printn", Ending::Printn),
    ("accept", Ending::Accept),
    ("reject", Ending::Reject),
    ("error", Ending::Error),
    ("quitbird", Ending::Quitbird),
];

fn ending(word: &str) -> Option<Ending> {
    ENDINGS.iter().find(|(name, _)| *name == word).map(|(_, ending)| *ending)
}
