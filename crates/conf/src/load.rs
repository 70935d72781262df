//! Loading: a path and the files behind it become a [`Config`], or all that is wrong with them.

use crate::config::{Config, Dialect, Symbols};
use crate::dialect;
use crate::files::Files;
use crate::iproute;
use crate::mentions;
use crate::parser::{ERRORS_MAX, Parser};
use crate::report;
use crate::source::Source;
use crate::statements::TABLE;
use filter::Diagnostic;
use filter::span::{SourceFile, Span};
use route::Family;
use std::sync::Arc;

/// What the command line says about a configuration.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The family of a 1.6 configuration: IPv6 for `bird6` and `--family 6`.
    pub family: Family,
    /// `--dialect`; `None`: found from the text.
    pub dialect: Option<Dialect>,
    /// The names of the configuration that runs: constants that are equal are shared, so that a large set is kept once,
    /// and what uses it is known to be unchanged without a look at its members.
    pub before: Option<Arc<Symbols>>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { family: Family::Ipv4, dialect: None, before: None }
    }
}

/// A configuration that can be used.
#[derive(Debug)]
pub struct Loaded {
    /// It.
    pub config: Config,
    /// What the operator should hear all the same; the places are in `config.files`.
    pub warnings: Vec<Diagnostic>,
}

impl Loaded {
    /// The lines to print or log, one for each warning: in BIRD's words without a place, as BIRD prints them; our own
    /// with the place behind, because what begins with a place is taken for an error.
    pub fn warning_lines(&self) -> Vec<String> {
        let place = |d: &Diagnostic| report::place(d.span, &self.config.files).filter(|_| d.label.is_some());
        let line = |d: &Diagnostic| match place(d) {
            Some(place) => format!("{}, at {place}", d.message),
            None => d.message.clone(),
        };
        self.warnings.iter().map(line).collect()
    }
}

/// A configuration that can not be used: every error, in the order of the text.
#[derive(Debug)]
pub struct Refused {
    /// At least one.
    pub diagnostics: Vec<Diagnostic>,
    /// The files in which they lie; empty when the main file could not be opened.
    pub files: Vec<SourceFile>,
}

impl Refused {
    /// A refusal that lies in no file.
    pub fn because(message: impl Into<String>) -> Self {
        Self { diagnostics: vec![Diagnostic::error(Span::default(), message)], files: Vec::new() }
    }

    /// Every error in one line, for the log; each in BIRD's form.
    pub fn lines(&self) -> Vec<String> {
        self.diagnostics.iter().map(|d| report::line(d, &self.files)).collect()
    }

    /// The first error in one line, `FILE:LINE:COL message`: what BIRD would say on the control socket and in the log.
    pub fn line(&self) -> String {
        self.diagnostics.first().map(|d| report::line(d, &self.files)).unwrap_or_default()
    }

    /// Every error with its source line, caret and help; the program puts `bird: ` in front of each.
    pub fn report(&self, color: bool) -> Vec<String> {
        report::all(&self.diagnostics, &self.files, color)
    }
}

/// Reads the configuration at `path` and whatever it includes.
pub fn load(path: &str, files: &dyn Files, options: &LoadOptions) -> Result<Loaded, Refused> {
    let source = Source::read(path, files).map_err(|why| Refused::because(format!("{path}: {why}")))?;
    let (mut loaded, errors) = read(&source, files, options);
    if errors.is_empty() {
        loaded.config.files = source.files;
        return Ok(loaded);
    }
    Err(Refused { diagnostics: errors, files: source.files })
}

/// All statements of a text, with all errors in the order in which BIRD would meet them.
fn read(source: &Source, disk: &dyn Files, options: &LoadOptions) -> (Loaded, Vec<Diagnostic>) {
    let dialect = match options.dialect.map_or_else(|| dialect::look(source).dialect(), Ok) {
        Ok(dialect) => dialect,
        Err(mixed) => {
            let config = Config::empty(Dialect::V1, options.family);
            return (Loaded { config, warnings: Vec::new() }, vec![*mixed]);
        }
    };
    let mut parser = Parser::new(source, disk, &LoadOptions { dialect: Some(dialect), ..options.clone() });
    iproute::define(Arc::make_mut(&mut parser.symbols), disk);
    let tables: Vec<_> = parser.config.tables.iter().map(|t| Arc::clone(&t.name)).collect();
    for table in tables {
        if let Err(wrong) = parser.define(&table, Span::default(), TABLE) {
            parser.fail(wrong);
        }
    }
    parser.statements();
    let Parser { at, mut config, symbols, mut mentioned, mut errors, warnings, .. } = parser;
    if dialect == Dialect::V2 {
        mentioned.append(&mut mentions::of(&source.tokens, &at));
    }
    // What stands in files is told in the order of the text; what the end of the text brings, last.
    let end = source.tokens.last().map(|t| t.span);
    errors.sort_by_key(|e| (Some(e.span) == end, order_of(e.span, source)));
    errors.truncate(ERRORS_MAX);
    config.symbols = Arc::new(Symbols::new(symbols, mentioned));
    (Loaded { config, warnings }, errors)
}

/// The position of a place in the order of reading, in which an included file stands where it is included.
fn order_of(span: Span, source: &Source) -> usize {
    // Tokens of a file follow each other; the first that does not lie before the place stands for it.
    let behind = |t: &filter::syntax::Token| t.span.file == span.file && t.span.end >= span.end;
    source.tokens.iter().position(behind).unwrap_or(source.tokens.len())
}
