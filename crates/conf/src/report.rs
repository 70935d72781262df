//! Diagnostics as an operator reads them.
//!
//! The first line is BIRD's, `FILE:LINE:COL message`, because programs look for
//! it; then the line of source with a caret, then what would be right. Further
//! errors have a colon behind the column (the form of GNU tools), so a program
//! that looks for BIRD's form finds the error that BIRD would have found.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use filter::span::SourceFile;
use filter::{Diagnostic, Span};

/// A place as operators count: lines and columns (in octets, as BIRD) from 1.
///
/// The end of the last file read, where BIRD has no place any more, is its 1:0.
fn line_and_column(file: &SourceFile, at: u32) -> (usize, usize) {
    let at = (at as usize).min(file.text.len());
    let before = file.text.get(..at).unwrap_or_default();
    let line = 1 + before.iter().filter(|&&octet| octet == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|&&octet| octet != b'\n').count();
    (line, column)
}

/// `FILE:LINE:COL`, or `None` when the diagnostic lies in no file (the main file can not be read).
pub fn place(span: Span, files: &[SourceFile]) -> Option<String> {
    let file = files.get(span.file.0 as usize)?;
    let (line, column) = if is_end(span, file) { (1, 0) } else { line_and_column(file, span.start) };
    Some(format!("{}:{line}:{column}", file.path))
}

/// Whether a span is the end of its file and nothing else.
fn is_end(span: Span, file: &SourceFile) -> bool {
    span.start == span.end && span.start as usize == file.text.len()
}

/// The one line that BIRD would print: for the control socket and the log.
pub fn line(diagnostic: &Diagnostic, files: &[SourceFile]) -> String {
    match place(diagnostic.span, files) {
        Some(place) => format!("{place} {}", diagnostic.message),
        None => diagnostic.message.clone(),
    }
}

/// A diagnostic in full, without a line end behind it: its line, the source with carets, and the help.
pub fn full(diagnostic: &Diagnostic, files: &[SourceFile], color: bool) -> String {
    let mut text = line(diagnostic, files);
    if let Some(snippet) = snippet(diagnostic, files, color) {
        text.push('\n');
        text.push_str(&snippet);
    }
    text
}

/// All errors, each in full; the first in BIRD's form. One string for each, without line ends behind.
pub fn all(diagnostics: &[Diagnostic], files: &[SourceFile], color: bool) -> Vec<String> {
    diagnostics
        .iter()
        .enumerate()
        .map(|(i, d)| match (i, place(d.span, files)) {
            (0, _) | (_, None) => full(d, files, color),
            (_, Some(place)) => {
                let mut text = format!("{place}: {}", d.message);
                if let Some(snippet) = snippet(d, files, color) {
                    text.push('\n');
                    text.push_str(&snippet);
                }
                text
            }
        })
        .collect()
}

/// The source lines with carets, the notes and the help.
fn snippet(diagnostic: &Diagnostic, files: &[SourceFile], color: bool) -> Option<String> {
    let mut group = Group::with_level(Level::ERROR);
    let mut empty = true;
    let places = std::iter::once((diagnostic.span, diagnostic.label.as_deref().unwrap_or(""), AnnotationKind::Primary))
        .chain(diagnostic.notes.iter().map(|(span, text)| (*span, text.as_str(), AnnotationKind::Context)));
    for (span, label, kind) in places {
        let Some(window) = Window::of(span, files) else {
            continue;
        };
        group = group.element(
            Snippet::source(window.text)
                .line_start(window.first_line)
                .annotation(kind.span(window.span).label(label.to_owned())),
        );
        empty = false;
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.clone()));
        empty = false;
    }
    if empty {
        return None;
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    Some(renderer.render(&[group]).trim_end().to_owned())
}

/// The lines that a span touches, cut to a size that a terminal can show.
struct Window {
    text: String,
    first_line: usize,
    span: std::ops::Range<usize>,
}

impl Window {
    /// No more octets of source are shown for a place.
    const OCTETS_MAX: usize = 400;

    fn of(span: Span, files: &[SourceFile]) -> Option<Self> {
        if span == Span::default() {
            // What the system defined stands in no file.
            return None;
        }
        let file = files.get(span.file.0 as usize)?;
        let octets: &[u8] = &file.text;
        if octets.is_empty() || is_end(span, file) {
            return None;
        }
        let start = (span.start as usize).min(octets.len());
        let line_start = octets.get(..start)?.iter().rposition(|&o| o == b'\n').map_or(0, |at| at + 1);
        let from = line_start.max(start.saturating_sub(Self::OCTETS_MAX / 2));
        let line_end = octets.get(start..)?.iter().position(|&o| o == b'\n').map_or(octets.len(), |at| start + at);
        let to = line_end.min(start + Self::OCTETS_MAX / 2);
        let end = (span.end as usize).clamp(start, to);
        // Octets that are no text are shown as such; lengths are those of the text shown.
        let before = String::from_utf8_lossy(octets.get(from..start)?).replace('\t', " ");
        let marked = String::from_utf8_lossy(octets.get(start..end)?).replace('\t', " ");
        let after = String::from_utf8_lossy(octets.get(end..to)?).replace('\t', " ");
        let span = before.len()..before.len() + marked.len();
        Some(Self {
            text: format!("{before}{marked}{after}"),
            first_line: line_and_column(file, span_first(from)).0,
            span,
        })
    }
}

/// Offsets of files fit 32 bits: no file is longer than [`crate::files::FILE_OCTETS_MAX`].
fn span_first(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
