//! Walking a program for one route.
//!
//! The machine borrows route and program and makes values that borrow from them;
//! the route's attributes are copied when the first of them is set. No program
//! runs for ever: a budget of steps ends those that would take too long, and a
//! bound on the depth guards the stack, from functions that call themselves, too.

mod runs;

pub(crate) use runs::{answer, evaluate, expression, filter, of_route};

use crate::ast::{Compare, Ending, Logic, Method};
use crate::dialect::Rules;
use crate::mask::{Mask, MaskItem};
use crate::memory::{Answer, Question, Trace};
use crate::names::{Attr, AttrKind, Field};
use crate::operate::{self, Operated};
use crate::program::{Function, MaskNode, Node, NodeOp, Step};
use crate::run::{Verdict, Written};
use crate::set::Key;
use crate::subject::Subject;
use crate::symbols::fit;
use crate::value::{EnumKind, Held, Type, Value};
use route::RoaState;
use route::attrs::AttrSetBuilder;
use std::fmt::Write;
use std::sync::Arc;

/// How many statements and expressions one run may take, long values counting more: far more than filters need, less
/// than a second.
const STEPS_MAX: u32 = 1 << 23;
/// How many octets one run may print.
const PRINTED_MAX: usize = 1 << 20;
/// How deep the walk may nest: about a megabyte of stack.
const DEPTH_MAX: u32 = 768;

const TOO_DEEP: &str = "Filter nests too deep";
const WRONG_VARIABLE: &str = "Assigning to variable of incompatible type";

/// What the interpreter reuses from run to run.
#[derive(Debug, Default)]
pub struct Scratch {
    stack: Vec<Value<'static>>,
    builder: Option<AttrSetBuilder>,
    pub(crate) trace: Trace,
}

impl Scratch {
    /// Empty; grows to what the filters need.
    pub fn new() -> Self {
        Self::default()
    }

    /// No run has been noted: what is kept next holds for every prefix.
    pub fn forget(&mut self) {
        self.trace.clear();
    }
}

/// Why a walk ends before its last statement.
enum Stop<'a> {
    Verdict(Verdict),
    Return(Value<'a>),
    Error(String),
}

type Walked<'a, T> = Result<T, Stop<'a>>;

/// A machine at work on one route.
pub(crate) struct Machine<'a, 's> {
    rules: &'static Rules,
    subject: Subject<'a, 's>,
    /// The function at work.
    function: Option<&'a Function>,
    stack: Vec<Value<'a>>,
    base: usize,
    steps: u32,
    depth: u32,
    /// Calls whose arguments are being evaluated, when they have a place of their own for them.
    calling: Vec<Calling<'a>>,
    printed: Vec<String>,
    line: String,
    octets_printed: usize,
    /// Where questions about the prefix are noted, if anywhere.
    trace: Option<&'s mut Trace>,
}

/// A call whose arguments are being evaluated.
struct Calling<'a> {
    function: &'a Function,
    /// Where its arguments stand on the stack.
    base: usize,
    /// How many of them have their value.
    given: usize,
}

/// What came of a walk.
pub(crate) struct Walk<T> {
    /// The verdict or value.
    pub result: Result<T, String>,
    /// What was printed.
    pub printed: Vec<String>,
    /// The attributes were changed, and stand in the builder.
    pub changed: bool,
    /// Which of them.
    pub written: Written,
}

impl<'a, 's> Machine<'a, 's> {
    fn new(
        rules: &'static Rules,
        stack: &mut Vec<Value<'static>>,
        subject: Subject<'a, 's>,
        trace: Option<&'s mut Trace>,
    ) -> Self {
        Self {
            rules,
            subject,
            function: None,
            stack: recycle(std::mem::take(stack)),
            base: 0,
            steps: STEPS_MAX,
            depth: 0,
            calling: Vec::new(),
            printed: Vec::new(),
            line: String::new(),
            octets_printed: 0,
            trace,
        }
    }

    fn end<T>(mut self, stack: &mut Vec<Value<'static>>, result: Result<T, String>) -> Walk<T> {
        *stack = recycle(std::mem::take(&mut self.stack));
        let (changed, written) = (self.subject.changed(), self.subject.written());
        Walk { result, printed: self.printed, changed, written }
    }

    fn block(&mut self, steps: &'a [Step]) -> Walked<'a, Value<'a>> {
        let mut last = Value::Void;
        for step in steps {
            last = self.step(step)?;
        }
        Ok(last)
    }

    fn spend(&mut self, steps: u32, line: u32) -> Walked<'a, ()> {
        self.steps = self.steps.saturating_sub(steps);
        if self.steps == 0 {
            return Err(error("Filter takes too long", line));
        }
        Ok(())
    }

    fn deeper<T>(&mut self, line: u32, walk: impl FnOnce(&mut Self) -> Walked<'a, T>) -> Walked<'a, T> {
        if self.depth >= DEPTH_MAX {
            return Err(error(TOO_DEEP, line));
        }
        self.depth += 1;
        let result = walk(self);
        self.depth -= 1;
        result
    }

    /// Does one statement. Its value is what a function gives that ends with it.
    fn step(&mut self, step: &'a Step) -> Walked<'a, Value<'a>> {
        self.spend(1, 0)?;
        match step {
            Step::If(arms, otherwise) => self.conditional(arms, otherwise),
            Step::Case(subject, labels, arms, otherwise) => {
                let value = operate::as_member(self.node(subject)?, self.rules);
                let arm = Key::of(&value).and_then(|key| labels.find(key)).and_then(|at| arms.get(at as usize));
                let block = arm.unwrap_or(otherwise);
                self.deeper(subject.line, |m| m.block(block))
            }
            Step::Assign { slot, kind, value: node } => {
                let value = self.node(node)?;
                let value = match &node.op {
                    // Declared without a value.
                    NodeOp::Const(Value::Void) => Some(value),
                    _ if self.rules.typed => (value.kind() == *kind).then_some(value),
                    _ => fit(*kind, value),
                };
                self.put(*slot, value.ok_or_else(|| error(WRONG_VARIABLE, node.line))?);
                Ok(Value::Void)
            }
            Step::SetAttr { attr, value, line } => {
                if let Some((code, item)) = addition(*attr, value) {
                    self.spend(2 + self.subject.pieces(), line.0)?;
                    self.subject.add(code, item.octets()).map_err(|e| error(e, line.0))?;
                    return Ok(Value::Void);
                }
                let value = self.node(value)?;
                if self.rules.typed && value.kind() != attr.value_type() {
                    return Err(error("Attempt to set an attribute to a value of another type", line.0));
                }
                self.spend(self.subject.pieces(), line.0)?;
                self.subject.set(*attr, value).map_err(|e| error(e, line.0))?;
                Ok(Value::Void)
            }
            Step::Unset(attr) => {
                self.subject.unset(*attr).map_err(|e| error(e, 0))?;
                Ok(Value::Void)
            }
            Step::Return(value) => Err(Stop::Return(self.node(value)?)),
            Step::Print(items, ending, line) => self.print(items, *ending, line.0),
            Step::Call(call) => self.node(call),
            Step::Block(steps) => self.deeper(0, |m| m.block(steps)),
            Step::For { slot, kind, list, body } => self.repeat(*slot, *kind, list, body),
        }
    }

    fn put(&mut self, slot: u16, value: Value<'a>) {
        if let Some(place) = self.stack.get_mut(self.base + usize::from(slot)) {
            *place = value;
        }
    }

    /// `for int a in b do c`
    fn repeat(&mut self, slot: u16, kind: Type, list: &'a Node, body: &'a [Step]) -> Walked<'a, Value<'a>> {
        let value = self.node(list)?;
        let items = operate::items(&value).ok_or_else(|| error("Mismatched argument and variable type", list.line))?;
        for item in items {
            if item.kind() != kind {
                return Err(error("Mismatched argument and variable type", list.line));
            }
            self.put(slot, item);
            self.deeper(list.line, |m| m.block(body))?;
            self.spend(1, list.line)?;
        }
        Ok(Value::Void)
    }

    /// Its value, for a function that ends with it, is BIRD's: whether what stands last was passed over.
    fn conditional(&mut self, arms: &'a [(Node, Box<[Step]>)], otherwise: &'a [Step]) -> Walked<'a, Value<'a>> {
        let simple = arms.len() == 1 && otherwise.is_empty();
        for (at, (condition, block)) in arms.iter().enumerate() {
            match self.decide(condition)? {
                Some(true) => {
                    self.deeper(condition.line, |m| m.block(block))?;
                    return Ok(Value::Bool(at == 0 && !simple));
                }
                Some(false) => {}
                None => return Err(error("If requires boolean expression", condition.line)),
            }
        }
        self.deeper(0, |m| m.block(otherwise))?;
        Ok(Value::Bool(simple))
    }

    fn print(&mut self, items: &'a [Node], ending: Ending, line: u32) -> Walked<'a, Value<'a>> {
        for item in items {
            let value = self.node(item)?;
            self.spend(value.pieces(), line)?;
            let before = self.line.len();
            // Writing to a String does not fail.
            let _ = match &value {
                Value::Route(_) | Value::Routes(_) => write!(self.line, "{}", self.subject.merged_words(&value)),
                _ => write!(self.line, "{}", value.written(self.rules.brackets)),
            };
            self.octets_printed += self.line.len() - before;
            if self.octets_printed > PRINTED_MAX {
                return Err(error("Filter prints too much", line));
            }
        }
        if ending == Ending::Print || !(items.is_empty() || ending == Ending::Printn) {
            self.printed.push(std::mem::take(&mut self.line));
        }
        match ending {
            Ending::Print | Ending::Printn => Ok(Value::Void),
            Ending::Accept => Err(Stop::Verdict(Verdict::Accept)),
            Ending::Reject => Err(Stop::Verdict(Verdict::Reject)),
            Ending::Error => Err(Stop::Verdict(Verdict::Reject)),
            Ending::Quitbird => Err(error("quitbird is not obeyed", line)),
        }
    }

    /// Here is what most operands are.
    #[inline]
    fn node(&mut self, node: &'a Node) -> Walked<'a, Value<'a>> {
        self.spend(1, node.line)?;
        match &node.op {
            NodeOp::Const(value) => Ok(value.borrowed()),
            NodeOp::Attr(attr) => self.attribute(*attr, node.line),
            _ => self.deep(node),
        }
    }

    fn attribute(&mut self, attr: Attr, line: u32) -> Walked<'a, Value<'a>> {
        if let (Attr::Field(Field::Net), Some(trace)) = (attr, &mut self.trace) {
            trace.is_sole();
        }
        let value = self.subject.get(attr).map_err(|e| error(e, line))?;
        self.spend(value.pieces(), line)?;
        match value {
            // In BIRD 2 a path that is not there reads as an empty one, as other lists do.
            Value::Void if self.rules.empty_is_undefined => Ok(attr.empty().unwrap_or(Value::Void)),
            value => Ok(value),
        }
    }

    #[inline(never)]
    fn deep(&mut self, node: &'a Node) -> Walked<'a, Value<'a>> {
        if let NodeOp::Local(slot) = &node.op {
            return Ok(self.stack.get(self.base + usize::from(*slot)).cloned().unwrap_or(Value::Void));
        }
        // As `deeper`, with fewer calls to one level of an expression.
        if self.depth >= DEPTH_MAX {
            return Err(error(TOO_DEEP, node.line));
        }
        self.depth += 1;
        let result = self.inner(node);
        self.depth -= 1;
        result
    }

    /// The truth value of a condition; `None` when it has another value.
    fn decide(&mut self, node: &'a Node) -> Walked<'a, Option<bool>> {
        match &node.op {
            NodeOp::Compare(op, sides) => {
                self.spend(1, node.line)?;
                self.compared(*op, sides, node.line).map(Some)
            }
            NodeOp::NetIn(op, set) => {
                self.spend(1, node.line)?;
                self.net_in(*op, set, node.line).map(Some)
            }
            _ => match self.node(node)? {
                Value::Bool(b) => Ok(Some(b)),
                _ => Ok(None),
            },
        }
    }

    fn compared(&mut self, op: Compare, [a, b]: &'a [Node; 2], line: u32) -> Walked<'a, bool> {
        let (a, b) = (self.node(a)?, self.node(b)?);
        self.spend(comparing(op, &a, &b), line)?;
        compare(op, &a, &b, self.rules).map_err(|e| error(e, line))
    }

    /// Expressions with expressions in them.
    fn inner(&mut self, node: &'a Node) -> Walked<'a, Value<'a>> {
        let fail = |e| error(e, node.line);
        Ok(match &node.op {
            NodeOp::Logic(first, rest) => return self.logic(first, rest),
            NodeOp::Arith(first, rest) => {
                let mut value = self.node(first)?;
                for (op, next) in rest {
                    let next = self.node(next)?;
                    value = operate::arith(*op, &value, &next).map_err(fail)?;
                }
                value
            }
            NodeOp::Compare(op, sides) => Value::Bool(self.compared(*op, sides, node.line)?),
            NodeOp::Not(inner) => match self.node(inner)? {
                Value::Bool(b) => Value::Bool(!b),
                _ => return Err(fail("Not applied to non-boolean")),
            },
            NodeOp::Defined(inner) => {
                let value = self.node(inner)?;
                let is_empty = self.rules.empty_is_undefined && operate::is_empty_list(&value);
                Value::Bool(value != Value::Void && !is_empty)
            }
            NodeOp::Format(inner) => {
                let value = self.node(inner)?;
                self.spend(value.pieces(), node.line)?;
                Value::Text(Held::own(operate::format(&value, self.rules).into_bytes()))
            }
            NodeOp::FromHex(inner) => match self.node(inner)? {
                Value::Text(text) => Value::Bytes(Held::own(operate::from_hex(&text).map_err(fail)?)),
                _ => return Err(fail("Invalid hex string")),
            },
            NodeOp::Pair(sides) => {
                let [a, b] = &**sides;
                let (a, b) = (self.node(a)?, self.node(b)?);
                operate::pair(&a, &b).map_err(fail)?
            }
            NodeOp::Ec(kind, sides) => {
                let [a, b] = &**sides;
                let (a, b) = (self.node(a)?, self.node(b)?);
                match operate::ec(*kind, &a, &b) {
                    Err(operate::EC_BOUNDS) if self.rules.typed => {
                        return Err(error(&operate::ec_bounds(&a, &b), node.line));
                    }
                    made => made.map_err(fail)?,
                }
            }
            NodeOp::Lc(parts) => {
                let [a, b, c] = &**parts;
                let (a, b, c) = (self.node(a)?, self.node(b)?, self.node(c)?);
                operate::lc(&a, &b, &c).map_err(fail)?
            }
            NodeOp::Mask(items) => self.mask(items, node.line)?,
            NodeOp::Call(function, arguments) => return self.call(function, arguments, node.line),
            NodeOp::Recurse(arguments) => {
                let function = self.function.ok_or_else(|| fail("No function to call"))?;
                return self.call(function, arguments, node.line);
            }
            NodeOp::RoaCheck(table, sides) => self.roa_check(table, sides.as_deref(), node.line)?,
            NodeOp::Routes => Value::Routes(self.subject.merged().len() as u32),
            NodeOp::OfRoute(subject, attr) => match self.node(subject)? {
                Value::Route(place) => self.subject.of_merged(place, *attr).map_err(fail)?,
                _ => return Err(fail("Route expected")),
            },
            NodeOp::AspaCheck(table, sides) => {
                let [path, upstream] = &**sides;
                let (path, upstream) = (self.node(path)?, self.node(upstream)?);
                self.spend(path.pieces(), node.line)?;
                self.subject.aspa_check(table, &path, &upstream).map_err(fail)?
            }
            NodeOp::Method(method, subject, argument) => {
                let subject = self.node(subject)?;
                let argument = argument.as_deref().map(|a| self.node(a)).transpose()?;
                let both = argument.as_ref().map_or(1, |a| matching(&subject, a));
                self.spend(both, node.line)?;
                operate::member(*method, subject, argument, self.rules).map_err(fail)?
            }
            NodeOp::Ask(inner) => self.ask(inner)?,
            NodeOp::NetIn(op, set) => Value::Bool(self.net_in(*op, set, node.line)?),
            NodeOp::Const(_) | NodeOp::Local(_) | NodeOp::Attr(_) => Value::Void,
        })
    }

    /// An expression that reads nothing but `net`: its value is noted, and not that it read.
    fn ask(&mut self, inner: &'a Arc<Node>) -> Walked<'a, Value<'a>> {
        let trace = self.trace.take();
        let value = self.node(inner);
        self.trace = trace;
        let value = value?;
        if let Some(trace) = &mut self.trace {
            trace.note(|| Question::Expr(inner.clone()), Answer::of(&value));
        }
        Ok(value)
    }

    /// `net ~ set`.
    fn net_in(&mut self, op: Compare, set: &'a Node, line: u32) -> Walked<'a, bool> {
        let set = self.node(set)?;
        let net = self.subject.net().map_err(|e| error(e, line))?;
        let Value::PrefixSet(set) = &set else {
            if let Some(trace) = &mut self.trace {
                trace.is_sole();
            }
            return compare(op, &Value::Prefix(net), &set, self.rules).map_err(|e| error(e, line));
        };
        let is_in = set.contains(&net) && !self.subject.is_customer();
        if let Some(trace) = &mut self.trace {
            trace.note(|| Question::In(Arc::clone(set)), Some(Answer::Bool(is_in)));
        }
        Ok(is_in == (op == Compare::Match))
    }

    /// What a ROA table says of two values; of the route when there are none, or when the first is `net`.
    fn roa_check(&mut self, table: &'a Arc<str>, sides: Option<&'a [Node; 2]>, line: u32) -> Walked<'a, Value<'a>> {
        let fail = |e| error(e, line);
        let (net, asn) = match sides {
            None => (None, self.subject.origin().map_err(fail)?),
            Some([net, asn]) => {
                let net = match &net.op {
                    NodeOp::Attr(Attr::Field(Field::Net)) => None,
                    _ => Some(self.node(net)?),
                };
                match (net, self.node(asn)?) {
                    (None, Value::Int(asn)) => (None, asn),
                    (Some(Value::Prefix(net)), Value::Int(asn)) => (Some(net), asn),
                    // Nobody authorises these.
                    (Some(Value::Roa(_) | Value::Customer(_)), Value::Int(_)) => {
                        return Ok(Value::Enum(EnumKind::Roa, RoaState::Unknown as u32));
                    }
                    _ => return Err(fail("Invalid argument to roa_check()")),
                }
            }
        };
        let about = match net {
            Some(net) => net,
            None => self.subject.net().map_err(fail)?,
        };
        let value = match net {
            None if self.subject.is_authority() => Value::Enum(EnumKind::Roa, RoaState::Unknown as u32),
            _ => self.subject.roa_check(table, about, asn).map_err(fail)?,
        };
        if let (None, Some(trace)) = (net, &mut self.trace) {
            trace.note(|| Question::Roa(table.clone(), asn), Answer::of(&value));
        }
        Ok(value)
    }

    fn logic(&mut self, first: &'a Node, rest: &'a [(Logic, Node)]) -> Walked<'a, Value<'a>> {
        let mut value = self.truth(first)?;
        for (at, (op, next)) in rest.iter().enumerate() {
            if value != (*op == Logic::And) {
                continue;
            }
            if self.rules.typed && at + 1 == rest.len() {
                // It is the value of the whole, of whatever type.
                return self.node(next);
            }
            value = self.truth(next)?;
        }
        Ok(Value::Bool(value))
    }

    fn truth(&mut self, node: &'a Node) -> Walked<'a, bool> {
        let decided = self.decide(node)?;
        decided.ok_or_else(|| error("Can't do boolean operation on non-booleans", node.line))
    }

    fn mask(&mut self, items: &'a [MaskNode], line: u32) -> Walked<'a, Value<'a>> {
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            made.push(match item {
                MaskNode::Fixed(item) => item.clone(),
                MaskNode::Asn(node) => match self.node(node) {
                    Ok(Value::Int(asn)) => MaskItem::Asn(asn),
                    Ok(Value::Set(set)) if self.rules.typed && set.is_of(Type::Int) => {
                        self.spend(Value::Set(set.clone()).pieces(), line)?;
                        MaskItem::Set(match set {
                            Held::Own(set) => set,
                            Held::Ref(set) => Arc::new(set.clone()),
                        })
                    }
                    // In 1.6 a function that accepts or rejects the route gives no number either.
                    Err(stop) if self.rules.typed || matches!(stop, Stop::Error(_)) => return Err(stop),
                    _ => return Err(error("Error resolving path mask template: value not an integer", line)),
                },
            });
        }
        Ok(Value::Mask(Held::Own(Arc::new(Mask(made)))))
    }

    fn call(&mut self, function: &'a Function, arguments: &'a [Node], line: u32) -> Walked<'a, Value<'a>> {
        let base = self.stack.len();
        if function.is_static && arguments.len() > 1 {
            self.calling.push(Calling { function, base, given: 0 });
            for (kind, argument) in function.arguments.iter().zip(arguments) {
                self.argument(*kind, argument, line)?;
                if let Some(calling) = self.calling.last_mut() {
                    calling.given += 1;
                }
            }
            self.calling.pop();
        } else {
            for (kind, argument) in function.arguments.iter().zip(arguments) {
                self.argument(*kind, argument, line)?;
            }
        }
        self.stack.resize(base + usize::from(function.slots), Value::Void);
        let caller = std::mem::replace(&mut self.base, base);
        let caller_function = self.function.replace(function);
        let result = self.block(&function.steps);
        self.function = caller_function;
        self.base = caller;
        self.leave_arguments(function, base);
        self.stack.truncate(base);
        match result {
            Err(Stop::Return(value)) => Ok(value),
            Ok(_) if !self.rules.last_is_value => Ok(Value::Void),
            other => other,
        }
    }

    fn argument(&mut self, kind: Type, argument: &'a Node, line: u32) -> Walked<'a, ()> {
        let value = self.node(argument)?;
        // What was not known to be of another type is passed as it is where types are checked before.
        let fitted = if self.rules.typed { Some(value) } else { fit(kind, value) };
        self.stack.push(fitted.ok_or_else(|| error(WRONG_VARIABLE, line))?);
        Ok(())
    }

    /// What a call leaves in the arguments of its function is what another call of it finds there, among whose later
    /// arguments this one stands: in `f(1, f(2, 3))` the outer call begins with 2, or what the inner one made of it.
    fn leave_arguments(&mut self, function: &Function, base: usize) {
        let outer = self.calling.iter().rev().find(|calling| std::ptr::eq(calling.function, function));
        if let Some(Calling { base: outer, given, .. }) = outer {
            for at in 0..*given {
                self.stack.swap(outer + at, base + at);
            }
        }
    }
}

/// An item of a list in octets.
enum Item {
    Pair([u8; 4]),
    Ec([u8; 8]),
    Lc([u8; 12]),
}

impl Item {
    const fn octets(&self) -> &[u8] {
        match self {
            Self::Pair(o) => o,
            Self::Ec(o) => o,
            Self::Lc(o) => o,
        }
    }
}

/// Whether a value for an attribute is its own with a known item added: the attribute and the item. It is what filters
/// do most.
fn addition(attr: Attr, value: &Node) -> Option<(u8, Item)> {
    let (NodeOp::Method(Method::Add, subject, Some(argument)), Attr::Bgp(code, kind)) = (&value.op, attr) else {
        return None;
    };
    let (NodeOp::Attr(read), NodeOp::Const(item)) = (&subject.op, &argument.op) else { return None };
    let item = match (kind, item) {
        (AttrKind::Clist, Value::Pair(n)) => Item::Pair(n.to_be_bytes()),
        (AttrKind::Eclist, Value::Ec(n)) => Item::Ec(n.to_be_bytes()),
        (AttrKind::Lclist, Value::Lc(n)) => Item::Lc(operate::lc_octets(*n)),
        _ => return None,
    };
    (*read == attr).then_some((code, item))
}

/// What a comparison costs.
fn comparing(op: Compare, a: &Value<'_>, b: &Value<'_>) -> u32 {
    match op {
        Compare::Match | Compare::NotMatch => matching(a, b),
        _ => a.pieces().min(b.pieces()),
    }
}

/// What it costs to look for each piece of one value in another; sets are searched fast.
fn matching(a: &Value<'_>, b: &Value<'_>) -> u32 {
    match b {
        Value::Set(_) | Value::PrefixSet(_) => a.pieces(),
        _ => a.pieces().saturating_mul(b.pieces()),
    }
}

fn compare(op: Compare, a: &Value<'_>, b: &Value<'_>, rules: &Rules) -> Operated<bool> {
    match op {
        Compare::Equal => Ok(operate::same(a, b)),
        Compare::NotEqual => Ok(!operate::same(a, b)),
        Compare::Less => operate::less(a, b, false),
        Compare::LessEqual => operate::less(a, b, true),
        Compare::Match => operate::matches(a, b, rules).ok_or("~ applied on unknown type pair"),
        Compare::NotMatch => operate::matches(a, b, rules).map(|m| !m).ok_or("!~ applied on unknown type pair"),
    }
}

#[cold]
#[inline(never)]
fn error<'a>(words: &str, line: u32) -> Stop<'a> {
    Stop::Error(format!("filters, line {line}: {words}"))
}

/// The same allocation for values of another lifetime.
#[expect(clippy::unnecessary_filter_map, reason = "the type of the items changes, though none is left")]
fn recycle<'b>(mut stack: Vec<Value<'_>>) -> Vec<Value<'b>> {
    if stack.capacity() == 0 {
        return Vec::new();
    }
    stack.clear();
    stack.into_iter().filter_map(|_| None).collect()
}
