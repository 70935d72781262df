//! Places in source text, and errors that point at them.

use std::sync::Arc;

/// A file among those that make up a configuration: index into the list of its sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A piece of source text, in octets from the beginning of its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First octet.
    pub start: u32,
    /// One past the last octet.
    pub end: u32,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The configuration can not be used.
    Error,
    /// It can, but surely means something else.
    Warning,
}

/// Something wrong at a place: what, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub level: Level,
    /// What is wrong, in BIRD's words where BIRD has some.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands under the caret, when more can be said.
    pub label: Option<String>,
    /// Other places that belong to it, each with its sentence.
    pub notes: Vec<(Span, String)>,
    /// What would be right.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self { level: Level::Error, message: message.into(), span, label: None, notes: Vec::new(), help: None }
    }

    /// Says what would be right.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push((span, text.into()));
        self
    }
}

/// A source file as read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path, as an operator would be shown it.
    pub path: Arc<str>,
    /// Its text; octets that are not UTF-8 are kept as they are.
    pub text: Arc<[u8]>,
}

/// The line of a place, counted from another place in the same file whose line is known.
pub(crate) fn line_from(files: &[SourceFile], from: Span, line: u32, place: Span) -> u32 {
    let text = files.get(place.file.0 as usize).map(|f| &*f.text).unwrap_or_default();
    let (first, last) = (from.start.min(place.start) as usize, from.start.max(place.start) as usize);
    let between = text.get(first..last.min(text.len())).unwrap_or_default();
    let passed = between.iter().filter(|c| **c == b'\n').count() as u32;
    if place.start < from.start { line.saturating_sub(passed) } else { line.saturating_add(passed) }
}
