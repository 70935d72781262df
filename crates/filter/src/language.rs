//! The rules of bird.conf that are of the filter language: what `conf` calls where its own grammar meets them.
//!
//! Each reads from a cursor that stands behind the word which chose the rule, and
//! leaves it behind the last token of the rule. Where several errors can be said
//! at once, all come back; the names concerned are then defined as
//! [`SymbolKind::Broken`], so that their uses are not errors too.

use crate::ast::{Body, Compare, Ending, Expr, ExprKind, Stmt, StmtKind};
use crate::compile::Compiler;
use crate::dialect::Rules;
use crate::interpret;
use crate::names::{self, Attr, AttrKind, Field};
use crate::never::noun;
use crate::parse::Parser;
use crate::program::{Line, Node, Program, Step, Warned};
use crate::run::{Env, Filter, Inputs, Policy};
use crate::set::Pattern;
use crate::span::{Diagnostic, Span};
use crate::symbols::{SymbolKind, Symbols};
use crate::syntax::{Cursor, Op, Tok, UNDEFINED};
use crate::value::{Type, Value};
use route::Prefix;
use std::net::IpAddr;
use std::sync::Arc;

/// All that was wrong with a rule.
pub type Rule<T> = Result<T, Vec<Diagnostic>>;

/// Reads `NAME body` behind `filter`, and defines the name.
pub fn define_filter(cursor: &mut Cursor<'_>, symbols: &mut Symbols) -> Rule<()> {
    define(cursor, symbols, |cursor, symbols, name, span| {
        let filter = filter_body(cursor, symbols, Some(name.into()), span)?;
        Ok((SymbolKind::Filter(Arc::new(filter)), Vec::new()))
    })
}

/// Reads `NAME(arguments) body` behind `function`, and defines the name.
pub fn define_function(cursor: &mut Cursor<'_>, symbols: &mut Symbols) -> Rule<()> {
    define(cursor, symbols, |cursor, symbols, name, _| {
        let body = parse(cursor, symbols, |parser| {
            let arguments = parser.arguments()?;
            parser.body(arguments)
        })?;
        let function = compiler(cursor, symbols).function(name, &body)?;
        Ok((SymbolKind::Function(Arc::new(function)), Vec::new()))
    })
}

/// Reads `NAME = expression;` behind `define`, and defines the name.
pub fn define_constant(cursor: &mut Cursor<'_>, symbols: &mut Symbols) -> Rule<()> {
    define(cursor, symbols, |cursor, symbols, _, _| {
        cursor.expect(Op::Equal).map_err(one)?;
        let (value, warned) = evaluate_warning(cursor, symbols, "Runtime error")?;
        cursor.expect(Op::Semicolon).map_err(one)?;
        Ok((SymbolKind::Constant(value), warned))
    })
}

/// Reads `TYPE NAME;` behind `attribute`, and defines the name. `before`: the names of the configuration that runs, in
/// which an attribute of this name keeps its number.
pub fn define_attribute(cursor: &mut Cursor<'_>, symbols: &mut Symbols, before: Option<&Symbols>) -> Rule<()> {
    let start = cursor.span();
    let kind = parse(cursor, symbols, |parser| parser.type_name())?;
    let place = cursor.since(start);
    let known = cursor.word().and_then(|name| Some((name, names::attribute(name, cursor.dialect())?)));
    if let Some((name, known)) = known {
        return declare_known(cursor, name, known, kind, place);
    }
    define(cursor, symbols, |cursor, symbols, name, _| {
        let refused = |words| vec![Diagnostic::error(place, words)];
        let kind = AttrKind::declared(kind).ok_or_else(|| refused("Custom route attribute of unsupported type"))?;
        let attr = symbols.own_attribute(name, kind, before).ok_or_else(|| refused("Too many custom attributes."))?;
        cursor.expect(Op::Semicolon).map_err(one)?;
        Ok((SymbolKind::Attribute(attr), Vec::new()))
    })
}

/// Reads on behind the type where an attribute is declared that is known without: it stays what it is.
fn declare_known(cursor: &mut Cursor<'_>, name: &str, known: Attr, kind: Type, place: Span) -> Rule<()> {
    if kind != known.value_type() {
        let words = format!("Attribute {name} is {}, not {}.", noun(known.value_type()), noun(kind));
        return Err(vec![Diagnostic::error(place, words)]);
    }
    cursor.bump();
    cursor.expect(Op::Semicolon).map(drop).map_err(one)
}

/// Reads `NUMBER TYPE NAME;` behind `attribute bgp`, and defines the name: a path attribute by its code.
pub fn define_bgp_attribute(cursor: &mut Cursor<'_>, symbols: &mut Symbols) -> Rule<()> {
    let start = cursor.span();
    let code = number(cursor, symbols)?;
    let place = cursor.since(start);
    let refused = |place, words: String| vec![Diagnostic::error(place, words)];
    let Some(code) = u8::try_from(code).ok().filter(|code| *code != 0) else {
        return Err(refused(place, format!("Invalid attribute number. (Given {code}, must be 1-255.)")));
    };
    let Some(attr) = names::bgp_attribute(code) else {
        return Err(refused(place, format!("Attribute {code} stands in messages only")));
    };
    let start = cursor.span();
    let kind = parse(cursor, symbols, |parser| parser.type_name())?;
    let place = cursor.since(start);
    define(cursor, symbols, |cursor, _, _, _| {
        if kind != attr.value_type() {
            let words = format!("Attribute {code} is {}, not {}.", noun(attr.value_type()), noun(kind));
            return Err(refused(place, words));
        }
        cursor.expect(Op::Semicolon).map_err(one)?;
        Ok((SymbolKind::Attribute(attr), Vec::new()))
    })
}

/// Reads a name and what it stands for, with what is surely not meant where the symbol itself has no room for it. A wrong
/// meaning makes the name broken.
fn define<'a>(
    cursor: &mut Cursor<'a>,
    symbols: &mut Symbols,
    meaning: impl FnOnce(&mut Cursor<'a>, &Symbols, &str, Span) -> Rule<(SymbolKind, Vec<Diagnostic>)>,
) -> Rule<()> {
    let (name, span) = cursor.name().map_err(one)?;
    let taken = symbols.check_new(name, span);
    let kind = meaning(cursor, symbols, name, span);
    match (taken, kind) {
        (Ok(()), Ok((kind, warned))) => {
            symbols.warned.extend(warned);
            symbols.define(name, span, kind).map_err(one)
        }
        (Ok(()), Err(wrong)) => {
            symbols.define(name, span, SymbolKind::Broken).map_err(one)?;
            Err(wrong)
        }
        (Err(taken), Ok(_)) => Err(vec![taken]),
        (Err(taken), Err(mut wrong)) => {
            wrong.insert(0, taken);
            Err(wrong)
        }
    }
}

/// Reads a policy behind `import` or `export`: `all`, `none`, `filter F`, `filter { ... }`, `where E`.
pub fn policy(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<Policy> {
    match cursor.word() {
        Some("all") => {
            cursor.bump();
            Ok(Policy::Accept)
        }
        Some("none") => {
            cursor.bump();
            Ok(Policy::Reject)
        }
        Some("filter") => {
            cursor.bump();
            filter(cursor, symbols).map(Policy::Filter)
        }
        Some("where") => {
            cursor.bump();
            where_clause(cursor, symbols).map(Policy::Filter)
        }
        _ => Err(vec![cursor.wanted("`all`, `none`, `filter` or `where`")]),
    }
}

/// Reads a policy behind `export in NET`: what lies outside is rejected before it is asked.
pub fn policy_within(cursor: &mut Cursor<'_>, symbols: &Symbols, net: Prefix) -> Rule<Policy> {
    let span = cursor.span();
    let inner = policy(cursor, symbols)?;
    let gate = outside_rejected(cursor, symbols, net, span)?;
    let accept = Step::Print(Box::default(), Ending::Accept, Line(0));
    let (name, slots, steps, inputs) = match &inner {
        Policy::Reject => return Ok(Policy::Reject),
        Policy::Accept => (Some(inner.name().into()), 0, vec![accept], Inputs::default()),
        Policy::Filter(f) => (f.name.clone(), f.program.slots, f.program.steps.to_vec(), f.inputs),
    };
    let (program, reads_net) = gate;
    let steps = program.steps.into_iter().chain(steps).collect();
    let program = Program { slots, steps, warned: Warned::default(), rules: program.rules };
    let inputs = inputs.and(reads_net);
    Ok(Policy::Filter(Arc::new(Filter { name, inputs, span, program: program.into(), transient: &[] })))
}

/// `if net !~ [NET+] then reject;`
fn outside_rejected(cursor: &mut Cursor<'_>, symbols: &Symbols, net: Prefix, span: Span) -> Rule<(Program, Inputs)> {
    let within = Pattern { base: net, low: net.len(), high: net.family().bits() };
    let sides = [ExprKind::Attr(Attr::Field(Field::Net)), ExprKind::PrefixSet(vec![within])];
    let sides = sides.map(|kind| Expr { kind, span });
    let condition = Expr { kind: ExprKind::Compare(Compare::NotMatch, Box::new(sides)), span };
    let reject = Stmt { kind: StmtKind::Print(Vec::new(), Ending::Reject), span };
    let kind = StmtKind::If(vec![(condition, vec![reject])], None);
    let body = Body { statements: vec![Stmt { kind, span }], ..Body::default() };
    compiler(cursor, symbols).filter(&body)
}

/// Reads a filter's name, or a filter itself, behind `filter`.
pub fn filter(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<Arc<Filter>> {
    if !cursor.is_any_name() {
        let span = cursor.span();
        return filter_body(cursor, symbols, None, span).map(Arc::new);
    }
    let unexpected = cursor.unexpected();
    let (name, span) = cursor.name().map_err(one)?;
    match symbols.get(name).map(|s| &s.kind) {
        Some(SymbolKind::Filter(filter)) => Ok(filter.clone()),
        Some(SymbolKind::Broken) => Ok(Arc::new(rejecting(span))),
        other => {
            let is_no_name = other.is_none() && cursor.dialect().rules().names_tokens;
            let wrong = match is_no_name {
                true => Diagnostic { label: Some("no filter has this name".into()), ..unexpected },
                false => Diagnostic::error(span, "No such filter."),
            };
            Err(vec![match (other, symbols.nearest(name, |k| matches!(k, SymbolKind::Filter(_)))) {
                (Some(kind), _) => wrong.help(format!("`{name}` is a {}", kind.word())),
                (None, Some(near)) => wrong.help(format!("there is a filter `{near}`")),
                (None, None) => wrong.help("a filter must be defined before it is used"),
            }])
        }
    }
}

/// Reads the expression behind `where`: a filter that accepts when it is true.
pub fn where_clause(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<Arc<Filter>> {
    let condition = parse(cursor, symbols, |parser| parser.expr())?;
    let span = condition.span;
    let end = |ending| vec![Stmt { kind: StmtKind::Print(Vec::new(), ending), span }];
    let kind = StmtKind::If(vec![(condition, end(Ending::Accept))], Some(end(Ending::Reject)));
    let body = Body { statements: vec![Stmt { kind, span }], ..Body::default() };
    let (program, inputs) = compiler(cursor, symbols).filter(&body)?;
    Ok(Arc::new(Filter { name: None, inputs, span, program: program.into(), transient: &[] }))
}

/// Reads the `{ statements }` behind a route that is configured: a filter that accepts, so that what counts is what it
/// sets.
pub fn attributes(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<Arc<Filter>> {
    let span = cursor.span();
    let body = parse(cursor, symbols, |parser| parser.body(Vec::new()))?;
    let (mut program, inputs) = Compiler::new(symbols, cursor.files(), cursor.dialect()).filter(&body)?;
    let accept = Step::Print(Box::default(), Ending::Accept, Line(0));
    program.steps = program.steps.into_iter().chain([accept]).collect();
    Ok(Arc::new(Filter { name: None, inputs, span, program: program.into(), transient: &[] }))
}

/// Reads the `{ statements }` behind `merge by`: a filter that has `routes` beside the route that it makes.
pub fn merging(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<Arc<Filter>> {
    let span = cursor.span();
    let body = parse(cursor, symbols, |parser| {
        parser.merging = true;
        parser.body(Vec::new())
    })?;
    let (program, inputs) = compiler(cursor, symbols).filter(&body)?;
    Ok(Arc::new(Filter { name: None, inputs, span, program: program.into(), transient: &[] }))
}

/// Reads `variables { statements }`.
fn filter_body(cursor: &mut Cursor<'_>, symbols: &Symbols, name: Option<Arc<str>>, span: Span) -> Rule<Filter> {
    let body = parse(cursor, symbols, |parser| parser.body(Vec::new()))?;
    let (program, inputs) = compiler(cursor, symbols).filter(&body)?;
    Ok(Filter { name, inputs, span, program: program.into(), transient: &[] })
}

/// Stands in for a filter whose definition was wrong.
fn rejecting(span: Span) -> Filter {
    Filter { name: None, inputs: Inputs::default(), span, program: Program::default().into(), transient: &[] }
}

/// A compiled expression, for `eval` and for values of options.
#[derive(Debug)]
pub struct Expression {
    node: Node,
    warned: Warned,
    rules: &'static Rules,
}

impl Expression {
    /// Reads an expression.
    pub fn read(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<Self> {
        let expr = parse(cursor, symbols, |parser| parser.expr())?;
        let (node, warned) = compiler(cursor, symbols).expression(&expr)?;
        Ok(Self { node, warned, rules: cursor.dialect().rules() })
    }

    /// Its value without a route.
    pub fn run(&self, env: Env<'_>) -> Evaluated {
        let walk = interpret::expression(&self.node, env, self.rules);
        Evaluated { value: walk.result.map(Value::into_owned), printed: walk.printed }
    }
}

/// What came of an expression.
#[derive(Debug)]
pub struct Evaluated {
    /// Its value, whose `Display` is BIRD's text, or BIRD's words for the log, class error: none when it ended with
    /// `accept` or `reject`.
    pub value: Result<Value<'static>, String>,
    /// Lines that it printed, for the log, class info.
    pub printed: Vec<String>,
}

/// Reads an expression and computes it where a number is wanted: behind `eval`, and in parentheses.
pub fn evaluate(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<Value<'static>> {
    let failed = cursor.dialect().rules().no_number;
    evaluate_warning(cursor, symbols, failed).map(|(value, _)| value)
}

/// Reads an expression and computes it: its value, with what is surely not meant. `failed`: what is said when it can
/// not be computed.
fn evaluate_warning(
    cursor: &mut Cursor<'_>,
    symbols: &Symbols,
    failed: &str,
) -> Rule<(Value<'static>, Vec<Diagnostic>)> {
    let start = cursor.span();
    let expression = Expression::read(cursor, symbols)?;
    let span = cursor.since(start);
    match interpret::evaluate(&expression.node, expression.rules) {
        Ok(value) => Ok((value, expression.warned.0)),
        Err(words) => {
            let mut wrong = Diagnostic::error(span, failed);
            wrong.label = Some(words);
            Err(vec![wrong])
        }
    }
}

/// Reads the value of an option: a literal, a constant, or an expression in parentheses.
///
/// `wanted` is BIRD's word for anything else, such as `Number expected`.
pub fn evaluate_term(cursor: &mut Cursor<'_>, symbols: &Symbols, wanted: &str) -> Rule<Value<'static>> {
    let token = cursor.token();
    match token.tok {
        Tok::Op(Op::ParenOpen) => {
            cursor.bump();
            let value = evaluate(cursor, symbols)?;
            cursor.expect(Op::ParenClose).map_err(one)?;
            Ok(value)
        }
        Tok::Num(n) => {
            cursor.bump();
            Ok(Value::Int(n))
        }
        Tok::Ip4(_) | Tok::Ip6(_) => cursor.address().map(Value::Ip).map_err(one),
        Tok::Word => match symbols.get(cursor.name_at(token)).map(|s| &s.kind) {
            Some(SymbolKind::Constant(value)) => {
                cursor.bump();
                Ok(value.clone())
            }
            _ => Err(vec![cursor.error(wanted)]),
        },
        _ => Err(vec![cursor.error(wanted)]),
    }
}

/// Reads a number: a literal, a constant, or an expression in parentheses.
pub fn number(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<u32> {
    let start = cursor.span();
    match evaluate_term(cursor, symbols, "Number expected")? {
        Value::Int(n) => Ok(n),
        _ => {
            let words = if cursor.octets(start) == b"(" { "Integer expression expected" } else { "Number expected" };
            Err(vec![Diagnostic::error(cursor.since(start), words)])
        }
    }
}

/// Reads an address: a literal or a constant.
pub fn address(cursor: &mut Cursor<'_>, symbols: &Symbols) -> Rule<IpAddr> {
    let start = cursor.span();
    match evaluate_term(cursor, symbols, "IP address expected")? {
        Value::Ip(addr) => Ok(addr),
        _ => Err(vec![Diagnostic::error(cursor.since(start), "IP address expected")]),
    }
}

/// A compiler for what was read just now.
pub(crate) fn compiler<'s, 'a: 's>(cursor: &mut Cursor<'a>, symbols: &'s Symbols) -> Compiler<'s> {
    let (place, line) = cursor.last_line();
    Compiler::new(symbols, cursor.files(), cursor.dialect()).near(place, line)
}

/// In an error of dialect 2 that was met at a name: says whether the name is known, as BIRD does.
///
/// The cursor, which words such errors, knows no names.
pub fn name_known(cursor: &Cursor<'_>, symbols: &Symbols, wrong: &mut Diagnostic) {
    let name = std::str::from_utf8(cursor.octets(wrong.span)).unwrap_or_default();
    if wrong.message.contains(UNDEFINED) && symbols.get(name.trim_matches('\'')).is_some() {
        wrong.message = wrong.message.replacen(UNDEFINED, "CF_SYM_KNOWN", 1);
    }
}

fn one(wrong: Diagnostic) -> Vec<Diagnostic> {
    vec![wrong]
}

/// Reads with a parser; errors that it passed over come first.
pub(crate) fn parse<'a, T>(
    cursor: &mut Cursor<'a>,
    symbols: &Symbols,
    read: impl FnOnce(&mut Parser<'_, 'a>) -> Result<T, Diagnostic>,
) -> Rule<T> {
    let mut parser = Parser::new(cursor);
    let mut result = read(&mut parser);
    let mut errors = parser.errors;
    for wrong in errors.iter_mut().chain(result.as_mut().err()) {
        name_known(cursor, symbols, wrong);
    }
    match result {
        Ok(read) if errors.is_empty() => Ok(read),
        Ok(_) => Err(errors),
        Err(wrong) => {
            // Where the text ends too early all that is open is wrong in the same place.
            errors.pop_if(|last| last.span == wrong.span && last.message == wrong.message);
            errors.push(wrong);
            Err(errors)
        }
    }
}
