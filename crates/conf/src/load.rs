//! Loading: a path and the files behind it become a [`Config`], or all that is wrong with them.

use crate::config::{Config, Dialect};
use crate::files::Files;
use crate::report;
use filter::Diagnostic;
use filter::span::{SourceFile, Span};
use route::Family;

/// What the command line says about a configuration.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The family of a 1.6 configuration: IPv6 for `bird6` and `--family 6`.
    pub family: Family,
    /// `--dialect`; `None`: found from the text.
    pub dialect: Option<Dialect>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { family: Family::Ipv4, dialect: None }
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
    /// The lines to print or log, one for each warning; BIRD's words, without a place, as BIRD prints them.
    pub fn warning_lines(&self) -> Vec<String> {
        self.warnings.iter().map(|d| d.message.clone()).collect()
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
    let _ = options;
    let why = match files.read(path, crate::files::FILE_OCTETS_MAX) {
        Ok(_) => "The parser of this build is not in yet".to_owned(),
        Err(why) => format!("Unable to open configuration file {path}: {why}"),
    };
    Err(Refused { diagnostics: vec![Diagnostic::error(Span::default(), why)], files: Vec::new() })
}
