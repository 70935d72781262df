//! What is run, and for what: a filter for a route, an expression for a route or for none, a question about a prefix.

use super::{Machine, Scratch, Stop, Walk};
use crate::dialect::{Dialect, Rules};
use crate::memory::Answer;
use crate::program::{Node, Program};
use crate::run::{Env, RouteView, Verdict};
use crate::subject::Subject;
use crate::value::Value;
use route::attrs::AttrSetBuilder;

/// Runs a filter on a route.
pub(crate) fn filter<'a>(
    program: &'a Program,
    scratch: &mut Scratch,
    route: RouteView<'a>,
    env: Env<'a>,
    name: Option<&str>,
    noting: bool,
    merged: &'a [RouteView<'a>],
) -> (Walk<Verdict>, Option<route::AttrSet>) {
    let Scratch { stack, builder, trace } = scratch;
    trace.clear();
    let trace = if noting { Some(trace) } else { None };
    let subject = Subject::new(Some(route), env, builder, program.rules.0).merging(merged);
    let mut machine = Machine::new(program.rules.0, stack, subject, trace);
    machine.stack.resize(usize::from(program.slots), Value::Void);
    let result = match machine.block(&program.steps) {
        Err(Stop::Verdict(verdict)) => Ok(verdict),
        Err(Stop::Error(words)) => Err(words),
        Err(Stop::Return(Value::Bool(accepts))) if program.rules.0.filter_returns => {
            Ok(if accepts { Verdict::Accept } else { Verdict::Reject })
        }
        Ok(_) | Err(Stop::Return(_)) => {
            let name = name.unwrap_or("(unnamed)");
            Err(format!("Filter {name} did not return accept nor reject. Make up your mind"))
        }
    };
    let walk = machine.end(stack, result);
    let attrs = if walk.changed { builder.as_ref().map(AttrSetBuilder::build) } else { None };
    (walk, attrs)
}

/// Evaluates an expression without a route.
pub(crate) fn expression<'a>(node: &'a Node, env: Env<'a>, rules: &'static Rules) -> Walk<Value<'a>> {
    let (mut stack, mut builder) = (Vec::new(), None);
    let mut machine = Machine::new(rules, &mut stack, Subject::new(None, env, &mut builder, rules), None);
    let result = match machine.node(node) {
        Ok(value) | Err(Stop::Return(value)) => Ok(value),
        Err(Stop::Error(words)) => Err(words),
        Err(Stop::Verdict(_)) => Err(String::new()),
    };
    machine.end(&mut stack, result)
}

/// The value of an expression for a route.
pub(crate) fn of_route<'a>(
    node: &'a Node,
    scratch: &mut Scratch,
    route: RouteView<'a>,
    env: Env<'a>,
    rules: &'static Rules,
) -> Result<Value<'a>, String> {
    let Scratch { stack, builder, .. } = scratch;
    let mut machine = Machine::new(rules, stack, Subject::new(Some(route), env, builder, rules), None);
    let result = match machine.node(node) {
        Ok(value) | Err(Stop::Return(value)) => Ok(value),
        Err(Stop::Error(words)) => Err(words),
        Err(Stop::Verdict(_)) => Err(String::new()),
    };
    machine.end(stack, result).result
}

/// The answer to a question about the prefix; `None` when there is none to be kept.
pub(crate) fn answer<'a>(node: &'a Node, scratch: &mut Scratch, route: RouteView<'a>, env: Env<'a>) -> Option<Answer> {
    let Scratch { stack, builder, .. } = scratch;
    // What reads nothing but the prefix has the same value in every dialect, or none.
    let rules = Dialect::V2.rules();
    let mut machine = Machine::new(rules, stack, Subject::new(Some(route), env, builder, rules), None);
    let value = machine.node(node).ok().and_then(|value| Answer::of(&value));
    machine.end(stack, Ok(value)).result.ok().flatten()
}

/// The value of an expression that needs no route and no links, or BIRD's words.
pub(crate) fn evaluate(node: &Node, rules: &'static Rules) -> Result<Value<'static>, String> {
    let ifaces = route::Ifaces::default();
    expression(node, Env { ifaces: &ifaces, roas: route::RoaTables::NONE }, rules).result.map(Value::into_owned)
}
