//! What a filter came to for one attribute set, kept by what it asked of the prefix on the way.
//!
//! Most filters that read `net` ask little of it: whether it is in a set, how long
//! it is, what a ROA table says of it. Between two such questions a filter is a
//! function of what prefixes of one attribute set have in common. So it takes the
//! same way for two of them until a question is answered differently, and comes to
//! the same when none is. A run notes its questions and their answers in a
//! [`Trace`]; a [`Memory`] keeps the traces of one attribute set as a tree. For the
//! next prefix only the questions on one way through that tree are asked.
//!
//! A run is not kept when it prints or fails, when it takes the prefix itself into
//! its hands (`net.ip`, a variable), or when it asks without end. A memory holds
//! for one attribute set, source, next hop, list of interfaces, ROA tables and
//! address family; the caller forgets it when one of them changes.

use crate::ast::Compare;
use crate::interpret::{Scratch, answer};
use crate::names::{Attr, Field};
use crate::prefix_set::PrefixSet;
use crate::program::{MaskNode, Node, NodeOp, Step};
use crate::run::{Env, RouteView};
use crate::value::{EnumKind, Value};
use std::sync::Arc;

/// Questions of one run; a run that asks more is not kept.
const QUESTIONS_MAX: usize = 64;
/// Runs that one memory keeps.
const ENDS_MAX: usize = 16;

/// Something that a filter asks of a prefix.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// Whether it is in a set.
    In(Arc<PrefixSet>),
    /// The value of an expression that reads nothing but `net`.
    Expr(Arc<Node>),
    /// What a ROA table says of it with an origin.
    Roa(Arc<str>, u32),
}

impl Question {
    /// Asks it; `None` when there is no answer to be kept.
    fn ask(&self, scratch: &mut Scratch, route: RouteView<'_>, env: Env<'_>) -> Option<Answer> {
        match self {
            Self::In(set) => Some(Answer::Bool(set.contains(&route.net))),
            Self::Expr(node) => answer(node, scratch, route, env),
            Self::Roa(table, asn) => {
                let state = env.roas.get(table)?.check(route.net, *asn);
                Some(Answer::Enum(EnumKind::Roa, state as u32))
            }
        }
    }
}

/// A value of few octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Bool(bool),
    Int(u32),
    Enum(EnumKind, u32),
}

impl Answer {
    /// The value as an answer, when prefixes may well share it.
    pub(crate) const fn of(value: &Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(n) => Self::Int(*n),
            Value::Enum(kind, n) => Self::Enum(*kind, *n),
            _ => return None,
        })
    }
}

/// What one run asked, in turn.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    asked: Vec<(Question, Answer)>,
    /// The run holds for its prefix only.
    sole: bool,
}

impl Trace {
    pub(crate) fn clear(&mut self) {
        self.asked.clear();
        self.sole = false;
    }

    /// The run holds for its prefix only.
    pub(crate) fn is_sole(&mut self) {
        self.sole = true;
    }

    /// Notes a question and its answer.
    pub(crate) fn note(&mut self, question: impl FnOnce() -> Question, answer: Option<Answer>) {
        match answer {
            Some(answer) if self.asked.len() < QUESTIONS_MAX => self.asked.push((question(), answer)),
            _ => self.sole = true,
        }
    }
}

/// Where a way through the tree goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Nowhere,
    Asked(u32),
    End(u32),
}

/// A question with one of its answers.
#[derive(Clone, Debug)]
struct Asked {
    question: Question,
    answer: Answer,
    /// With this answer.
    same: Next,
    /// With another: the same question again, with that one.
    other: Next,
}

/// What a filter came to for one attribute set; see the head of the file.
#[derive(Clone, Debug)]
pub struct Memory<T> {
    begin: Next,
    asked: Vec<Asked>,
    /// What most memories have only one of.
    first: Option<T>,
    rest: Vec<T>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { begin: Next::Nowhere, asked: Vec::new(), first: None, rest: Vec::new() }
    }
}

impl<T> Memory<T> {
    /// What holds for every prefix.
    pub const fn of(value: T) -> Self {
        Self { begin: Next::End(0), asked: Vec::new(), first: Some(value), rest: Vec::new() }
    }

    /// Whether what is kept is one answer, for every prefix.
    pub const fn holds_for_all(&self) -> bool {
        matches!(self.begin, Next::End(0))
    }

    /// Whether nothing is kept.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// What was kept of a run that asked nothing: it holds for every prefix.
    #[inline]
    pub fn always(&mut self) -> Option<&mut T> {
        match self.begin {
            Next::End(0) => self.first.as_mut(),
            _ => None,
        }
    }

    /// All that is kept.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.rest)
    }

    /// What it takes beside itself and beside what the kept values hold.
    pub const fn octets(&self) -> usize {
        self.asked.len() * size_of::<Asked>() + self.rest.len() * size_of::<T>()
    }

    /// What was kept of an earlier run, if all that it asked has the same answers for this route.
    pub fn find(&mut self, scratch: &mut Scratch, route: RouteView<'_>, env: Env<'_>) -> Option<&mut T> {
        let mut at = self.begin;
        let mut answered = None;
        loop {
            match at {
                Next::Nowhere => return None,
                Next::End(0) => return self.first.as_mut(),
                Next::End(n) => return self.rest.get_mut(n as usize - 1),
                Next::Asked(n) => {
                    let asked = self.asked.get(n as usize)?;
                    let answer = match answered {
                        Some(answer) => answer,
                        None => asked.question.ask(scratch, route, env)?,
                    };
                    (at, answered) =
                        if answer == asked.answer { (asked.same, None) } else { (asked.other, Some(answer)) };
                }
            }
        }
    }

    /// Keeps what the last run with this scratch came to ([`Filter::run_noting`](crate::Filter::run_noting)). Gives
    /// it back when it may not be kept, or there is no room.
    pub fn keep(&mut self, scratch: &mut Scratch, value: T) -> Result<&mut T, T> {
        let end = usize::from(self.first.is_some()) + self.rest.len();
        if scratch.trace.sole || end >= ENDS_MAX {
            return Err(value);
        }
        let mut last = None;
        for (question, answer) in scratch.trace.asked.drain(..) {
            loop {
                match self.next(last) {
                    Next::Nowhere => {
                        let new = self.asked.len();
                        let (same, other) = (Next::Nowhere, Next::Nowhere);
                        self.asked.push(Asked { question, answer, same, other });
                        self.lead(last, Next::Asked(new as u32));
                        last = Some((new, true));
                        break;
                    }
                    Next::Asked(n) => {
                        let same = self.asked.get(n as usize).is_some_and(|a| a.answer == answer);
                        last = Some((n as usize, same));
                        if same {
                            break;
                        }
                    }
                    // The same answers, and yet it asked on: no filter does that.
                    Next::End(_) => return Err(value),
                }
            }
        }
        if self.next(last) != Next::Nowhere {
            return Err(value);
        }
        self.lead(last, Next::End(end as u32));
        if end == 0 {
            return Ok(self.first.insert(value));
        }
        self.rest.push(value);
        match self.rest.last_mut() {
            Some(kept) => Ok(kept),
            None => unreachable!("a value was pushed"),
        }
    }

    /// Where one goes behind a question, with its answer or another.
    fn next(&self, behind: Option<(usize, bool)>) -> Next {
        match behind {
            None => self.begin,
            Some((at, same)) => {
                self.asked.get(at).map_or(Next::Nowhere, |asked| if same { asked.same } else { asked.other })
            }
        }
    }

    fn lead(&mut self, behind: Option<(usize, bool)>, next: Next) {
        let place = match behind {
            None => Some(&mut self.begin),
            Some((at, same)) => {
                self.asked.get_mut(at).map(|asked| if same { &mut asked.same } else { &mut asked.other })
            }
        };
        if let Some(place) = place {
            *place = next;
        }
    }
}

// Finding the questions in a program.

/// What an expression reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reads {
    Nothing,
    Net,
    More,
}

/// Makes a question of each greatest expression that reads nothing but `net`.
pub(crate) fn mark(steps: &mut [Step]) {
    for step in steps {
        match step {
            Step::If(arms, otherwise) => {
                for (condition, block) in arms {
                    mark_whole(condition);
                    mark(block);
                }
                mark(otherwise);
            }
            Step::Case(subject, _, arms, otherwise) => {
                mark_whole(subject);
                arms.iter_mut().for_each(|arm| mark(arm));
                mark(otherwise);
            }
            Step::Assign { value, .. } | Step::SetAttr { value, .. } | Step::Return(value) | Step::Call(value) => {
                mark_whole(value);
            }
            Step::Block(block) => mark(block),
            Step::For { list, body, .. } => {
                mark_whole(list);
                mark(body);
            }
            Step::Print(items, ..) => items.iter_mut().for_each(mark_whole),
            Step::Unset(_) => {}
        }
    }
}

fn mark_whole(node: &mut Node) {
    if read(node) == Reads::Net {
        wrap(node);
    }
}

const NET: NodeOp = NodeOp::Attr(Attr::Field(Field::Net));

fn wrap(node: &mut Node) {
    if node.op != NET {
        let inner = Node { op: std::mem::replace(&mut node.op, NET), line: node.line };
        node.op = NodeOp::Ask(Arc::new(inner));
    }
}

/// What a node reads; questions inside one that reads more are marked.
fn read(node: &mut Node) -> Reads {
    match &mut node.op {
        NodeOp::Const(_) => Reads::Nothing,
        NodeOp::Attr(Attr::Field(Field::Net)) => Reads::Net,
        NodeOp::Local(_) | NodeOp::Routes | NodeOp::Attr(_) | NodeOp::Ask(_) | NodeOp::NetIn(..) => Reads::More,
        NodeOp::Logic(first, rest) => together(&mut children(first, rest)),
        NodeOp::Arith(first, rest) => together(&mut children(first, rest)),
        NodeOp::Compare(op @ (Compare::Match | Compare::NotMatch), sides) if sides[0].op == NET => {
            let [_, right] = &mut **sides;
            if read(right) == Reads::Net || matches!(right.op, NodeOp::Const(Value::Prefix(_))) {
                return Reads::Net;
            }
            let set = Node { op: std::mem::replace(&mut right.op, NET), line: right.line };
            node.op = NodeOp::NetIn(*op, Box::new(set));
            Reads::More
        }
        NodeOp::Compare(_, sides) | NodeOp::Pair(sides) | NodeOp::Ec(_, sides) => {
            together(&mut sides.iter_mut().collect::<Vec<_>>())
        }
        NodeOp::Lc(parts) => together(&mut parts.iter_mut().collect::<Vec<_>>()),
        NodeOp::Not(inner) | NodeOp::Defined(inner) | NodeOp::Format(inner) | NodeOp::FromHex(inner) => read(inner),
        NodeOp::Method(_, subject, argument) => {
            together(&mut std::iter::once(subject).chain(argument).map(|b| &mut **b).collect::<Vec<_>>())
        }
        NodeOp::Mask(items) => {
            for item in items {
                if let MaskNode::Asn(node) = item {
                    mark_whole(node);
                }
            }
            Reads::More
        }
        NodeOp::Call(_, arguments) | NodeOp::Recurse(arguments) => {
            arguments.iter_mut().for_each(mark_whole);
            Reads::More
        }
        NodeOp::OfRoute(subject, _) => {
            mark_whole(subject);
            Reads::More
        }
        NodeOp::AspaCheck(_, sides) => {
            sides.iter_mut().for_each(mark_whole);
            Reads::More
        }
        NodeOp::RoaCheck(_, sides) => {
            sides.iter_mut().flat_map(|s| s.iter_mut()).for_each(mark_whole);
            Reads::More
        }
    }
}

fn children<'a, O>(first: &'a mut Node, rest: &'a mut [(O, Node)]) -> Vec<&'a mut Node> {
    std::iter::once(first).chain(rest.iter_mut().map(|(_, node)| node)).collect()
}

/// What some nodes of one expression read. Those that read `net` beside one that reads more are questions.
fn together(nodes: &mut [&mut Node]) -> Reads {
    let reads: Vec<Reads> = nodes.iter_mut().map(|n| read(n)).collect();
    let most = reads.iter().copied().max().unwrap_or(Reads::Nothing);
    if most == Reads::More {
        let asking = nodes.iter_mut().zip(reads).filter(|(_, reads)| *reads == Reads::Net);
        asking.for_each(|(node, _)| wrap(node));
    }
    most
}
