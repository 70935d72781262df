//! A conversation: commands from a terminal or a pipe.
//!
//! On a terminal rustyline edits the line; TAB completes from the table of
//! commands, `?` explains without waiting for the end of the line (inside quotes
//! it is a character like others). Without a terminal, or with `-l`, lines are
//! read as they come. Lines of the log that arrive while somebody types are
//! shown before the next reply.

use crate::commands::Release;
use crate::connection::Connection;
use crate::options::Options;
use crate::output::Output;
use crate::tree::{Completion, Expansion, Tree};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext, EventHandler, Helper,
    KeyEvent, RepeatCount,
};
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

const PROMPT: &str = "bird> ";

/// Talks until the user ends it; whether the daemon refused the last command.
pub fn run(options: &Options, connection: Connection, output: Output, release: Release) -> Result<bool, String> {
    let mut talk = Talk { connection, output, tree: Arc::new(Tree::new(release)), refused: false };
    if options.light || !std::io::stdin().is_terminal() {
        talk.plainly()?;
    } else {
        talk.with_editor()?;
    }
    Ok(talk.refused)
}

struct Talk {
    connection: Connection,
    output: Output,
    tree: Arc<Tree>,
    refused: bool,
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Next {
    Line,
    End,
}

impl Talk {
    fn plainly(&mut self) -> Result<(), String> {
        let prompt = if std::io::stdin().is_terminal() { PROMPT } else { "" };
        let output = self.output;
        output.text(prompt);
        for line in std::io::stdin().lock().split(b'\n') {
            let line = line.map_err(|e| e.to_string())?;
            if self.line(&String::from_utf8_lossy(&line))? == Next::End {
                break;
            }
            output.text(prompt);
        }
        Ok(())
    }

    fn with_editor(&mut self) -> Result<(), String> {
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
        let mut editor: Editor<Assistant, DefaultHistory> = Editor::with_config(config).map_err(|e| e.to_string())?;
        editor.set_helper(Some(Assistant { tree: Arc::clone(&self.tree) }));
        let question = Question { tree: Arc::clone(&self.tree), output: self.output };
        editor.bind_sequence(Event::from(KeyEvent::from('?')), EventHandler::Conditional(Box::new(question)));
        loop {
            match editor.readline(PROMPT) {
                Ok(line) => {
                    if self.line(&line)? == Next::End {
                        return Ok(());
                    }
                }
                // The line is given up, not the conversation.
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn line(&mut self, line: &str) -> Result<Next, String> {
        if line.trim().is_empty() {
            return Ok(Next::Line);
        }
        let command = match self.tree.expand(line) {
            Expansion::Command(command) => command,
            Expansion::Explained(text) => {
                self.output.text(&text);
                self.refused = true;
                return Ok(Next::Line);
            }
        };
        match command.split(' ').next() {
            Some("exit" | "quit") => return Ok(Next::End),
            Some("help") => self.output.text("Press `?' for context sensitive help.\n"),
            _ => {
                self.connection.send(&command)?;
                self.refused = self.connection.reply(&self.output)?.is_refusal();
            }
        }
        Ok(Next::Line)
    }
}

/// Completes from the tree.
struct Assistant {
    tree: Arc<Tree>,
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..at).unwrap_or_default();
        let (start, completion) = self.tree.complete(typed);
        Ok(match completion {
            Completion::Nothing => (start, Vec::new()),
            Completion::Word(word, true) => (start, vec![format!("{word} ")]),
            Completion::Word(word, false) => (start, vec![word.to_owned()]),
            Completion::Choices => (start, self.tree.choices(typed)),
        })
    }
}

impl Helper for Assistant {}
impl Highlighter for Assistant {}
impl Hinter for Assistant {
    type Hint = String;
}
impl Validator for Assistant {}

/// The `?` key.
struct Question {
    tree: Arc<Tree>,
    output: Output,
}

impl ConditionalEventHandler for Question {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let typed = context.line().get(..context.pos()).unwrap_or_default();
        let quoted = typed.matches('"').count() % 2 == 1;
        if quoted {
            return None;
        }
        // The terminal is raw: line ends need their carriage return.
        let help = self.tree.explain(typed).replace('\n', "\r\n");
        self.output.text(&format!("?\r\n{help}"));
        Some(Cmd::Repaint)
    }
}
