//! Filters as written: the tree between parser and compiler.
//!
//! Names are not looked up yet. Operators of one strength that stand in a row are
//! one node with a list, and so are `else if`s, so that a long filter is a wide
//! tree and not a deep one.

use crate::mask::MaskItem;
use crate::names::Attr;
use crate::set::Pattern;
use crate::span::Span;
use crate::value::{Type, Value};
use std::sync::Arc;

/// An expression with its place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// Kinds of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A value as such.
    Literal(Value<'static>),
    /// A constant or variable.
    Name(Arc<str>),
    /// An attribute of the route.
    Attr(Attr),
    /// `a && b || c`: from left to right, both of one strength.
    Logic(Box<Expr>, Vec<(Logic, Expr)>),
    /// `a + b - c`, `a * b / c`, `a | b & c`: from left to right.
    Arith(Box<Expr>, Vec<(Arith, Expr)>),
    /// `a < b`.
    Compare(Compare, Box<[Expr; 2]>),
    /// `! a`.
    Not(Box<Expr>),
    /// `defined(a)`.
    Defined(Box<Expr>),
    /// `(1,2)`.
    Pair(Box<[Expr; 2]>),
    /// `(rt, 1, 2)`.
    Ec(EcKind, Box<[Expr; 2]>),
    /// `(1, 2, 3)`.
    Lc(Box<[Expr; 3]>),
    /// `[1, 2..3]`.
    Set(Vec<SetItem>),
    /// `[10.0.0.0/8+]`.
    PrefixSet(Vec<Pattern>),
    /// `[= 1 * =]`.
    Mask(Vec<PathItem>),
    /// `f(a, b)`.
    Call(Arc<str>, Vec<Expr>),
    /// `format(a)`: the text of a value.
    Format(Box<Expr>),
    /// `from_hex(a)`: the octets of a text.
    FromHex(Box<Expr>),
    /// `roa_check(t)`, `roa_check(t, net, asn)`.
    RoaCheck(Arc<str>, Option<Box<[Expr; 2]>>),
    /// `aspa_check(t, path, upstream)`.
    AspaCheck(Arc<str>, Box<[Expr; 2]>),
    /// `routes`, those that are merged.
    Routes,
    /// `r.bgp_path`: an attribute of one of them.
    OfRoute(Box<Expr>, Attr),
    /// `a.len`, `add(a, b)`.
    Method(Method, Box<Expr>, Option<Box<Expr>>),
}

/// Operators between truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operator of its name")]
pub enum Logic {
    And,
    Or,
}

/// Operators between numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operator of its name")]
pub enum Arith {
    Add,
    Subtract,
    Multiply,
    Divide,
    BitAnd,
    BitOr,
}

/// Operators that compare. `>` and `>=` are `<` and `<=` with the sides changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operator of its name")]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Match,
    NotMatch,
}

/// What stands behind a dot, and the functions `add`, `delete`, `filter`, `prepend`, which mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the word of its name")]
pub enum Method {
    Len,
    Ip,
    Asn,
    Data,
    Data1,
    Data2,
    Src,
    Dst,
    Maxlen,
    Type,
    IsV4,
    Min,
    Max,
    Empty,
    Append,
    First,
    Last,
    LastNonaggregated,
    Mask,
    Prepend,
    Add,
    Delete,
    Filter,
}

/// The first part of an extended community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EcKind {
    /// `rt`, `ro` or `unknown N`: the two octets of type and subtype.
    Typed(u16),
    /// `generic`.
    Generic,
}

/// A number or another single value in a set: a literal, a constant, or an expression in parentheses.
pub type Atom = Box<Expr>;

/// One member of a set, or one label of `case`.
#[derive(Clone, Debug)]
pub struct SetItem {
    /// What it is.
    pub kind: SetItemKind,
    /// Where it stands.
    pub span: Span,
}

/// Kinds of members.
#[derive(Clone, Debug)]
pub enum SetItemKind {
    /// `1`, `1..2`, `(1,2)..(1,5)`.
    Values(Atom, Option<Atom>),
    /// `(1,*)`, `(1..2,3)`.
    Pair(Part, Part),
    /// `(rt, 1, 2..3)`.
    Ec(EcKind, Atom, Part),
    /// `(1, 2..3, *)`.
    Lc(Part, Part, Part),
}

/// A number, a range or a wildcard inside parentheses.
#[derive(Clone, Debug)]
pub enum Part {
    /// One number.
    One(Atom),
    /// Both ends included.
    Range(Atom, Atom),
    /// `*`.
    Any,
}

/// One item of a pattern of paths.
#[derive(Clone, Debug)]
pub enum PathItem {
    /// Known as written.
    Fixed(MaskItem),
    /// A name or an expression in parentheses.
    Expr(Expr),
    /// `[1, 2..3]`.
    Set(Vec<SetItem>, Span),
}

/// A statement with its place.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// Kinds of statement.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// `if a then b else if c then d else e`.
    If(Vec<(Expr, Vec<Stmt>)>, Option<Vec<Stmt>>),
    /// `case a { 1: b; else: c; }`.
    Case(Expr, Vec<(Vec<SetItem>, Vec<Stmt>)>, Option<Vec<Stmt>>),
    /// `x = a;`.
    Assign(Arc<str>, Expr),
    /// `net = a;`.
    SetAttr(Attr, Expr),
    /// `bgp_path.prepend(a);`.
    Edit(Attr, Method, Expr),
    /// `x.prepend(a);`.
    EditName(Arc<str>, Method, Option<Expr>),
    /// `bgp_path.empty;`.
    Empty(Attr),
    /// `unset(a);`.
    Unset(Attr),
    /// `unset(x);`.
    UnsetName(Arc<str>),
    /// `int a;`, `int a = 5;`.
    Declare(Declaration, Option<Expr>),
    /// `{ statements }`.
    Block(Vec<Stmt>),
    /// `for int a in b do c`.
    For(Declaration, Expr, Vec<Stmt>),
    /// `return a;`.
    Return(Expr),
    /// `print a, b;`, `accept a;` and its like.
    Print(Vec<Expr>, Ending),
    /// `f(a);`.
    Call(Arc<str>, Vec<Expr>),
}

/// What follows what a statement prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the word of its name")]
pub enum Ending {
    Print,
    Printn,
    Accept,
    Reject,
    Error,
    Quitbird,
}

/// A variable or argument.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its type.
    pub kind: Type,
    /// Its name.
    pub name: Arc<str>,
    /// Where the name stands.
    pub span: Span,
}

/// What stands behind `filter NAME` or `function NAME`.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Arguments; none for filters.
    pub arguments: Vec<Declaration>,
    /// Variables.
    pub locals: Vec<Declaration>,
    /// What it gives, when that is declared.
    pub returns: Option<Type>,
    /// What it does.
    pub statements: Vec<Stmt>,
}
