//! A compiled filter: names are slots, constants are values, sets are built.
//!
//! A tree that is walked. Where something can go wrong at run time the node
//! knows its line, for BIRD's message.

use crate::ast::{Arith, Compare, EcKind, Ending, Logic, Method};
use crate::dialect::{Dialect, Rules};
use crate::mask::MaskItem;
use crate::names::Attr;
use crate::set::Labels;
use crate::span::Diagnostic;
use crate::value::{Type, Value};
use std::sync::Arc;

/// A line, from 1, for messages. All are equal: where a filter stands is nothing that it does.
#[derive(Clone, Copy, Debug)]
pub struct Line(pub u32);

impl PartialEq for Line {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What is surely a mistake although BIRD takes it, in the order of the text. All are equal, as lines are.
#[derive(Clone, Debug, Default)]
pub struct Warned(pub Vec<Diagnostic>);

impl PartialEq for Warned {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The rules of the dialect that a program is written in.
#[derive(Clone, Copy, Debug)]
pub struct Ruled(pub &'static Rules);

impl Default for Ruled {
    fn default() -> Self {
        Self(Dialect::V1.rules())
    }
}

impl PartialEq for Ruled {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub op: NodeOp,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// By what they do; see [`Line`].
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op
    }
}

/// Kinds of expression.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the expression of its name in `ast`")]
pub enum NodeOp {
    Const(Value<'static>),
    Local(u16),
    Attr(Attr),
    Logic(Box<Node>, Box<[(Logic, Node)]>),
    Arith(Box<Node>, Box<[(Arith, Node)]>),
    Compare(Compare, Box<[Node; 2]>),
    Not(Box<Node>),
    Defined(Box<Node>),
    Pair(Box<[Node; 2]>),
    Ec(EcKind, Box<[Node; 2]>),
    Lc(Box<[Node; 3]>),
    Mask(Box<[MaskNode]>),
    Call(Arc<Function>, Box<[Node]>),
    /// A call of the function in which it stands.
    Recurse(Box<[Node]>),
    Format(Box<Node>),
    FromHex(Box<Node>),
    RoaCheck(Arc<str>, Option<Box<[Node; 2]>>),
    AspaCheck(Arc<str>, Box<[Node; 2]>),
    Routes,
    OfRoute(Box<Node>, Attr),
    Method(Method, Box<Node>, Option<Box<Node>>),
    /// An expression that reads nothing but `net`; see `memory`.
    Ask(Arc<Node>),
    /// `net ~ SET`, or with `NotMatch` its opposite.
    NetIn(Compare, Box<Node>),
}

/// One item of a path pattern that has an expression in it somewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum MaskNode {
    /// Known as written.
    Fixed(MaskItem),
    /// An AS number to be computed.
    Asn(Node),
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the statement of its name in `ast`")]
pub enum Step {
    If(Box<[(Node, Box<[Step]>)]>, Box<[Step]>),
    Case(Node, Labels, Box<[Box<[Step]>]>, Box<[Step]>),
    Assign { slot: u16, kind: Type, value: Node },
    SetAttr { attr: Attr, value: Node, line: Line },
    Unset(Attr),
    Return(Node),
    Print(Box<[Node]>, Ending, Line),
    Call(Node),
    Block(Box<[Step]>),
    For { slot: u16, kind: Type, list: Node, body: Box<[Step]> },
}

/// A function.
#[derive(Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: Arc<str>,
    /// The types of its arguments, which are the first slots.
    pub arguments: Box<[Type]>,
    /// Its arguments are one place for all its calls, as in BIRD 1.6: a call in the arguments of another overwrites those
    /// that the other has.
    pub is_static: bool,
    /// What it gives, when that is declared.
    pub returns: Option<Type>,
    /// How many slots it has, arguments and variables.
    pub slots: u16,
    /// What it does.
    pub steps: Box<[Step]>,
    /// How many functions call each other in it, itself included.
    pub depth: u16,
    /// Every route that comes into it is accepted or rejected there.
    pub ends: bool,
    /// What it reads, with the functions that it calls.
    pub inputs: crate::run::Inputs,
    /// What it surely does not mean.
    pub warned: Warned,
}

/// What a filter does.
#[derive(Debug, Default, PartialEq)]
pub struct Program {
    /// How many variables it has.
    pub slots: u16,
    /// Its statements.
    pub steps: Box<[Step]>,
    /// What it surely does not mean.
    pub warned: Warned,
    /// The rules by which it runs.
    pub rules: Ruled,
}
