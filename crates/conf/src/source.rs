//! The text of a configuration: the main file, with what it includes in its place.
//!
//! `include "PATTERN";` stands alone at the beginning of a line, anywhere, also
//! inside a block. A relative path starts at the including file's directory; a
//! pattern may match nothing, a plain path must be there. Files that include
//! each other in a circle, too deep, too many or too long are refused.

use crate::files::{FILE_OCTETS_MAX, Files, TOTAL_OCTETS_MAX};
use crate::glob;
use filter::span::SourceFile;
use filter::syntax::{Op, Tok, Token, Wrong, lex};
use filter::{Diagnostic, FileId, Span};
use std::sync::Arc;

/// How many files may be open in each other, the main one included.
const DEPTH_MAX: usize = 8;

/// How many files may make up a configuration.
const FILES_MAX: usize = 10_000;

/// All files of a configuration and their tokens in one row.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) tokens: Vec<Token>,
    /// What was wrong with files and includes.
    pub(crate) errors: Vec<Diagnostic>,
}

impl Source {
    /// Reads the file at `path` and whatever it includes. The error is for a main file that can not be read.
    pub(crate) fn read(path: &str, disk: &dyn Files) -> Result<Self, String> {
        let text = disk.read(path, FILE_OCTETS_MAX)?;
        let mut reader = Reader {
            disk,
            octets: 0,
            open: Vec::new(),
            source: Self { files: Vec::new(), tokens: Vec::new(), errors: Vec::new() },
        };
        reader.file(path, text);
        let mut source = reader.source;
        let end = source.files.first().map_or(0, |main| main.text.len() as u32);
        let span = Span { file: FileId(0), start: end, end };
        source.tokens.push(Token { tok: Tok::End, span, first_on_line: true });
        Ok(source)
    }

    /// One text that lies in no file: a command.
    pub(crate) fn text(name: &str, text: &[u8]) -> Self {
        let files = vec![SourceFile { path: name.into(), text: text.into() }];
        Self { files, tokens: lex(FileId(0), text), errors: Vec::new() }
    }
}

struct Reader<'a> {
    disk: &'a dyn Files,
    /// Read so far, of all files.
    octets: usize,
    /// The files being read, outermost first.
    open: Vec<Arc<str>>,
    source: Source,
}

impl Reader<'_> {
    /// Appends the tokens of a file, without its end.
    fn file(&mut self, path: &str, text: Vec<u8>) {
        let id = FileId(self.source.files.len() as u32);
        let path: Arc<str> = path.into();
        self.octets += text.len();
        self.open.push(path.clone());
        let tokens = lex(id, &text);
        self.source.files.push(SourceFile { path, text: text.into() });
        let mut rest = tokens.as_slice();
        while let [token, tail @ ..] = rest {
            match (self.include(rest), token.tok) {
                (Some((pattern, span, behind)), _) => {
                    self.included(&pattern, span);
                    rest = behind;
                    continue;
                }
                (None, Tok::End) => {}
                (None, Tok::Wrong(Wrong::Comment)) => self.unclosed_comment(token.span),
                (None, _) => self.source.tokens.push(*token),
            }
            rest = tail;
        }
        self.open.pop();
    }

    /// `include "PATTERN";` at the beginning of a line: the pattern, its place, and what follows.
    fn include<'t>(&self, tokens: &'t [Token]) -> Option<(String, Span, &'t [Token])> {
        let [word, text, end, behind @ ..] = tokens else { return None };
        let on_one_line = !text.first_on_line && !end.first_on_line;
        let is_include = word.first_on_line
            && word.tok == Tok::Word
            && text.tok == Tok::Text
            && end.tok == Tok::Op(Op::Semicolon)
            && on_one_line
            && self.octets_at(word.span) == b"include";
        let quoted = self.octets_at(text.span);
        let pattern = String::from_utf8_lossy(quoted.get(1..quoted.len().saturating_sub(1))?).into_owned();
        is_include.then_some((pattern, Span { start: word.span.start, ..text.span }, behind))
    }

    fn octets_at(&self, span: Span) -> &[u8] {
        let file = self.source.files.get(span.file.0 as usize);
        file.and_then(|f| f.text.get(span.start as usize..span.end as usize)).unwrap_or_default()
    }

    /// Puts the files that a pattern matches here.
    fn included(&mut self, pattern: &str, span: Span) {
        let path = beside(self.open.last().map_or("", |p| p), pattern);
        if self.open.len() >= DEPTH_MAX {
            self.refuse(span, "Max include depth reached", format!("files may include each other {DEPTH_MAX} deep"));
            return;
        }
        for path in glob::expand(&path, self.disk) {
            if self.open.iter().any(|open| **open == *path) {
                self.refuse(span, "Max include depth reached", format!("`{path}` includes itself"));
                return;
            }
            if self.source.files.len() >= FILES_MAX {
                self.refuse(span, "Too many files", format!("a configuration has at most {FILES_MAX} files"));
                return;
            }
            let octets_max = FILE_OCTETS_MAX.min(TOTAL_OCTETS_MAX.saturating_sub(self.octets));
            match self.disk.read(&path, octets_max) {
                Ok(text) => self.file(&path, text),
                Err(why) => {
                    self.source
                        .errors
                        .push(Diagnostic::error(span, format!("Unable to open included file {path}: {why}")));
                }
            }
        }
    }

    fn refuse(&mut self, span: Span, message: &str, label: String) {
        let mut wrong = Diagnostic::error(span, message);
        wrong.label = Some(label);
        self.source.errors.push(wrong);
    }

    /// BIRD finds it at the end of the file; where it began is said in a note.
    fn unclosed_comment(&mut self, span: Span) {
        let end = Span { start: span.end, end: span.end.saturating_add(1), ..span };
        let begin = Span { end: span.start.saturating_add(2), ..span };
        self.source.errors.push(Diagnostic::error(end, "Unterminated comment").note(begin, "this comment has no `*/`"));
    }
}

/// A path as the including file means it: relative ones start at that file's directory.
fn beside(file: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    match file.rsplit_once('/') {
        Some((dir, _)) => format!("{dir}/{path}"),
        None => format!("./{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    fn words(files: &Memory) -> (String, Vec<String>) {
        let source = Source::read("etc/main", files).unwrap();
        let text = |t: &Token| {
            let file = &source.files[t.span.file.0 as usize];
            String::from_utf8_lossy(&file.text[t.span.start as usize..t.span.end as usize]).into_owned()
        };
        let errors = source.errors.iter().map(|e| crate::report::line(e, &source.files)).collect();
        (source.tokens.iter().map(text).collect::<Vec<_>>().join(" ").trim_end().to_owned(), errors)
    }

    #[test]
    fn included_files_stand_where_they_are_included_in_order_of_name() {
        let files = Memory::new()
            .with("etc/main", "a {\n  include \"d/*.conf\"; b\n}\ninclude \"none*\";")
            .with("etc/d/2.conf", "two")
            .with("etc/d/1.conf", "one\ninclude \"3\";")
            .with("etc/d/3", "three");
        assert_eq!(words(&files), ("a { one three two b }".into(), vec![]));
    }

    #[test]
    fn only_at_the_beginning_of_a_line_is_a_file_included() {
        let files = Memory::new().with("etc/main", "a include \"b\";\ninclude\n\"b\";");
        assert_eq!(words(&files).0, "a include \"b\" ; include \"b\" ;");
    }

    #[test]
    fn files_that_are_not_there_and_circles_are_refused_at_their_include() {
        let files =
            Memory::new().with("etc/main", "include \"x\";\n  include \"y\";").with("etc/y", "include \"main\";");
        assert_eq!(
            words(&files).1,
            [
                "etc/main:1:1 Unable to open included file etc/x: No such file or directory",
                "etc/y:1:1 Max include depth reached"
            ]
        );
    }

    #[test]
    fn a_comment_that_does_not_end_is_found_where_the_file_ends() {
        let files = Memory::new().with("etc/main", "a\n/* b\n");
        assert_eq!(words(&files), ("a".into(), vec!["etc/main:3:1 Unterminated comment".into()]));
    }
}
