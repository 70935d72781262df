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
/// The end of the last file read is in line 1, as in BIRD, which counts lines anew there.
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
    let (line, column) =
        if is_end(span, file) { (1, column_at_end(&file.text)) } else { line_and_column(file, span.start) };
    Some(format!("{}:{line}:{column}", file.path))
}

/// The octets behind the last line end; in an empty file BIRD says 1.
fn column_at_end(text: &[u8]) -> usize {
    let last = text.iter().rev().take_while(|&&octet| octet != b'\n').count();
    if text.is_empty() { 1 } else { last }
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
    let main = (diagnostic.span, diagnostic.label.clone().unwrap_or_default(), AnnotationKind::Primary);
    let notes = diagnostic.notes.iter().map(|(span, text)| {
        // A note in another file says in which.
        let other = files.get(span.file.0 as usize).filter(|_| span.file != diagnostic.span.file);
        let text = other.map_or_else(|| text.clone(), |file| format!("{text} (in {})", file.path));
        (*span, text, AnnotationKind::Context)
    });
    let places: Vec<_> = std::iter::once(main).chain(notes).collect();
    let group = match Page::of(diagnostic.span, files) {
        Some(page) if places.iter().all(|(span, ..)| page.holds(*span)) => {
            let marks =
                places.iter().filter_map(|(span, label, kind)| Some(kind.span(page.range(*span)?).label(label)));
            Group::with_level(Level::ERROR).element(
                marks.fold(Snippet::source(page.text).line_start(page.first_line), |snippet, mark| {
                    snippet.annotation(mark)
                }),
            )
        }
        _ => places.into_iter().filter_map(|(span, label, kind)| Some((Window::of(span, files)?, label, kind))).fold(
            Group::with_level(Level::ERROR),
            |group, (window, label, kind)| {
                let mark = kind.span(window.span).label(label);
                group.element(Snippet::source(window.text).line_start(window.first_line).annotation(mark))
            },
        ),
    };
    let group = match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.clone())),
        None => group,
    };
    if group.is_empty() {
        return None;
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    Some(renderer.render(&[group]).trim_end().to_owned())
}

/// A part of a file in which all places of a diagnostic lie, shown as one piece.
struct Page<'a> {
    text: &'a str,
    /// Where the part begins in the file.
    start: usize,
    first_line: usize,
    file: &'a SourceFile,
    id: filter::FileId,
}

impl<'a> Page<'a> {
    /// No more octets around a place are looked at.
    const OCTETS_MAX: usize = 64 << 10;

    /// The lines around a place. `None` when they are no text or too long for it.
    fn of(span: Span, files: &'a [SourceFile]) -> Option<Self> {
        let file = files.get(span.file.0 as usize)?;
        let at = (span.start as usize).min(file.text.len());
        let from = at.saturating_sub(Self::OCTETS_MAX / 2);
        let start = if from == 0 { 0 } else { from + 1 + file.text.get(from..at)?.iter().position(|&o| o == b'\n')? };
        let rest = file.text.get(start..)?;
        let cut = rest.get(..Self::OCTETS_MAX).unwrap_or(rest);
        let end = if cut.len() == rest.len() { rest.len() } else { cut.iter().rposition(|&o| o == b'\n')? };
        let text = std::str::from_utf8(rest.get(..end)?).ok()?;
        let longest = text.lines().map(str::len).max().unwrap_or(0);
        let page = Self { text, start, first_line: line_and_column(file, offset(start)).0, file, id: span.file };
        (longest <= Window::OCTETS_MAX && page.range(span).is_some()).then_some(page)
    }

    /// Whether a place lies in it, or is shown nowhere.
    fn holds(&self, span: Span) -> bool {
        span == Span::default() || (span.file == self.id && (self.range(span).is_some() || is_end(span, self.file)))
    }

    /// A place as octets of the part. `None` for places that are shown nowhere.
    fn range(&self, span: Span) -> Option<std::ops::Range<usize>> {
        if span == Span::default() || is_end(span, self.file) {
            return None;
        }
        let range = (span.start as usize).checked_sub(self.start)?..(span.end as usize).checked_sub(self.start)?;
        (self.text.is_char_boundary(range.start) && self.text.is_char_boundary(range.end) && range.start <= range.end)
            .then_some(range)
    }
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
        Some(Self { text: format!("{before}{marked}{after}"), first_line: line_and_column(file, offset(from)).0, span })
    }
}

/// Offsets of files fit 32 bits: no file is longer than [`crate::files::FILE_OCTETS_MAX`].
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
