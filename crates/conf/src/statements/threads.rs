//! `threads`, and the groups of threads of BIRD 3.
//!
//! BIRD 3 puts each protocol and each table on a group of threads. rbird has one
//! set of threads for all sessions; how many it has is what counts here, so the
//! groups count together. Who works on which, and how long at a time, is rbird's
//! own affair: that it does nothing is said.

use crate::parser::Parser;
use filter::syntax::{Op, Parsed};
use filter::{Diagnostic, Span};

const THREADS_MAX: u32 = 256;

/// One of the groups is that of all who name none.
pub(super) fn finish(parser: &mut Parser<'_>) {
    if has_groups(parser) && parser.default_group.is_none() {
        let wrong = Diagnostic::error(parser.at.span(), "No default thread group configured");
        parser.fail(wrong.help("write `default;` in the braces of one"));
    }
}

/// BIRD's word for a group in `show symbols`.
const GROUP: &str = "thread group";

/// `threads N`: how many threads sessions have.
pub(super) fn threads(parser: &mut Parser<'_>) -> Parsed<()> {
    let start = parser.at.span();
    let threads = parser.number()?;
    at_least_one(parser, start, threads)?;
    if has_groups(parser) {
        return Err(parser.refusal(start, MIXED, "the groups have theirs"));
    }
    parser.config.threads = Some(at_most(parser, start, threads));
    Ok(())
}

fn at_least_one(parser: &Parser<'_>, start: Span, threads: u32) -> Parsed<()> {
    if threads > 0 { Ok(()) } else { Err(parser.refusal(start, "Number of threads must be at least one.", "0")) }
}

const MIXED: &str = "Mixing of `threads NUM` and `thread group` is not allowed.";

fn has_groups(parser: &Parser<'_>) -> bool {
    parser.symbols.iter().any(|(_, symbol)| symbol.kind.word() == GROUP)
}

fn at_most(parser: &mut Parser<'_>, start: Span, threads: u32) -> u32 {
    if threads > THREADS_MAX {
        parser.warn_of(start, format!("threads {threads}: {THREADS_MAX} are started"), "more help nobody");
    }
    threads.min(THREADS_MAX)
}

pub(super) const GRAMMAR_OF_GROUP: &str =
    "NAME [{ threads number; default [switch]; max latency time; max time time; min time time; wakeup time time; }]";

/// `thread group NAME { OPTIONS }`.
pub(super) fn group(parser: &mut Parser<'_>) -> Parsed<()> {
    let (name, span) = parser.new_name()?;
    if !has_groups(parser) && parser.config.threads.is_some() {
        return Err(parser.refusal(span, MIXED, "`threads` stands above"));
    }
    parser.define(&name, span, GROUP)?;
    let (mut threads, mut default) = (1, false);
    if parser.at.eat(Op::BraceOpen) {
        while !parser.at.eat(Op::BraceClose) {
            if !parser.at.eat(Op::Semicolon) {
                option(parser, &mut threads, &mut default)?;
                parser.end_of_statement()?;
            }
        }
    }
    if default {
        if let Some(first) = &parser.default_group {
            let message = format!("Too many default thread groups, already have {first}");
            return Err(parser.refusal(span, message, "one is the default of all that name none"));
        }
        parser.default_group = Some(name);
    }
    let all = parser.config.threads.unwrap_or(0).saturating_add(threads);
    parser.config.threads = Some(at_most(parser, span, all));
    Ok(())
}

#[derive(Clone, Copy)]
enum Word {
    Threads,
    Default,
    Pace(&'static str),
}

static WORDS: &[(&str, Word)] = &[
    ("threads", Word::Threads),
    ("default", Word::Default),
    ("max latency", Word::Pace("max latency")),
    ("max time", Word::Pace("max time")),
    ("min time", Word::Pace("min time")),
    ("wakeup time", Word::Pace("wakeup time")),
];

fn option(parser: &mut Parser<'_>, threads: &mut u32, default: &mut bool) -> Parsed<()> {
    let start = parser.at.span();
    match parser.one_of(WORDS)? {
        Word::Threads => {
            *threads = parser.number()?;
            at_least_one(parser, start, *threads)?;
        }
        Word::Default => *default = parser.switch()?,
        Word::Pace(what) => {
            parser.duration()?;
            let label = "who works gives way to others by itself";
            parser.warn_of(start, format!("{what} of a thread group does nothing"), label);
        }
    }
    Ok(())
}

impl Parser<'_> {
    /// The name behind `thread group` of a protocol or table: it must be one, and means nothing here.
    pub(crate) fn thread_group(&mut self) -> Parsed<()> {
        let start = self.at.span();
        let name = self.at.word().unwrap_or_default();
        let is_group = self.symbols.get(name).is_some_and(|symbol| symbol.kind.word() == GROUP);
        let label = self.what_is(name, "is defined nowhere above");
        let (name, _) = self.at.name()?;
        if !is_group {
            let message = format!("Unexpected symbol {name} as a thread group name");
            return Err(self.refusal(start, message, label));
        }
        Ok(())
    }
}
