//! A conversation: commands from a terminal or a pipe.
//!
//! On a terminal rustyline edits the line; TAB completes from the table of
//! commands, `?` explains without waiting for the end of the line (inside quotes
//! it is a character like others). Without a terminal, or with `-l`, lines are
//! read as they come. Lines of the log that arrive while somebody types are
//! shown before the next reply. A `configure` may have made another release of the
//! daemon: behind it the table is that of who greets then, and while it may be undone
//! by itself, that of who greets before each line.

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
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

const PROMPT: &str = "bird> ";

/// Talks until the user ends it; whether the daemon refused the last command.
pub fn run(options: &Options, connection: Connection, output: Output, release: Release) -> Result<bool, String> {
    let known = Known::of(release);
    let mut talk =
        Talk { connection, socket: options.socket.clone(), output, known, refused: false, may_be_undone: false };
    if options.light || !std::io::stdin().is_terminal() {
        talk.plainly()?;
    } else {
        talk.with_editor()?;
    }
    Ok(talk.refused)
}

struct Talk {
    connection: Connection,
    socket: PathBuf,
    output: Output,
    known: Known,
    refused: bool,
    /// A configuration runs that the daemon takes back unless it is confirmed.
    may_be_undone: bool,
}

/// The commands of the release that speaks, for all who read them.
#[derive(Clone)]
struct Known(Arc<RwLock<Arc<Tree>>>);

impl Known {
    fn of(release: Release) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Tree::new(release)))))
    }

    fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn follow(&self, release: Release) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Tree::new(release));
    }
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
        editor.set_helper(Some(Assistant { known: self.known.clone() }));
        let question = Question { known: self.known.clone(), output: self.output };
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
        if self.may_be_undone {
            self.follow();
        }
        let command = match self.known.tree().expand(line) {
            Expansion::Command(command) => command,
            Expansion::Explained(text) => {
                self.output.text(&text);
                self.refused = true;
                return Ok(Next::Line);
            }
        };
        let verb = command.split(' ').next();
        match verb {
            Some("exit" | "quit") => return Ok(Next::End),
            Some("help") => self.output.text("Press `?' for context sensitive help.\n"),
            _ => {
                self.connection.send(&command)?;
                self.refused = self.connection.reply(&self.output)?.is_refusal();
            }
        }
        if verb == Some("configure") && !self.refused {
            self.follow();
            let words: Vec<&str> = command.split(' ').collect();
            match words.as_slice() {
                [_, "confirm" | "undo"] => self.may_be_undone = false,
                words => self.may_be_undone |= words.contains(&"timeout"),
            }
        }
        Ok(Next::Line)
    }

    /// The commands are those of who greets now.
    fn follow(&self) {
        if let Some(greeting) = Connection::greeting(&self.socket) {
            self.known.follow(Release::of_greeting(&greeting));
        }
    }
}

/// Completes from the tree.
struct Assistant {
    known: Known,
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..at).unwrap_or_default();
        let tree = self.known.tree();
        let (start, completion) = tree.complete(typed);
        Ok(match completion {
            Completion::Nothing => (start, Vec::new()),
            Completion::Word(word, true) => (start, vec![format!("{word} ")]),
            Completion::Word(word, false) => (start, vec![word.to_owned()]),
            Completion::Choices => (start, tree.choices(typed)),
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
    known: Known,
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
        let help = self.known.tree().explain(typed).replace('\n', "\r\n");
        self.output.text(&format!("?\r\n{help}"));
        Some(Cmd::Repaint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Write};
    use std::os::unix::net::{UnixListener, UnixStream};

    /// A daemon of 1.6 that is one of 2 from its `configure` on, and once more one of 1.6 until that is undone.
    fn daemon(listener: &UnixListener) {
        let greet = |release: &str| {
            let mut stream = listener.accept().unwrap().0;
            writeln!(stream, "0001 BIRD {release} ready.").unwrap();
            BufReader::new(stream)
        };
        let said = |from: &mut BufReader<UnixStream>| {
            let mut line = String::new();
            from.read_line(&mut line).unwrap();
            line
        };
        let mut talk = greet("1.6.8");
        assert_eq!(said(&mut talk), "configure check\n");
        writeln!(talk.get_mut(), "0020 Configuration OK").unwrap();
        drop(greet("1.6.8"));
        assert_eq!(said(&mut talk), "configure\n");
        writeln!(talk.get_mut(), "0003 Reconfigured").unwrap();
        drop(greet("2.0.12"));
        assert_eq!(said(&mut talk), "configure timeout 1\n");
        writeln!(talk.get_mut(), "0003 Reconfigured").unwrap();
        drop(greet("1.6.8"));
        // Time is over.
        drop(greet("2.0.12"));
        assert_eq!(said(&mut talk), "show status\n");
        writeln!(talk.get_mut(), "0013 up").unwrap();
        assert_eq!(said(&mut talk), "", "nothing more comes");
    }

    #[test]
    fn behind_a_configure_the_commands_are_those_of_who_greets_then() {
        let socket = std::env::temp_dir().join(format!("rbirdc-{}.ctl", std::process::id()));
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let daemon = std::thread::spawn(move || daemon(&listener));
        let output = Output::new(false);
        let mut connection = Connection::open(&socket).unwrap();
        let known = Known::of(Release::of_greeting(&connection.reply(&output).unwrap().text));
        let mut talk = Talk { connection, socket: socket.clone(), output, known, refused: false, may_be_undone: false };
        let knows_roa = |talk: &Talk| matches!(talk.known.tree().expand("add roa"), Expansion::Command(_));
        assert!(talk.line("conf check").unwrap() == Next::Line && knows_roa(&talk));
        assert!(talk.line("conf").unwrap() == Next::Line && !knows_roa(&talk));
        assert!(talk.line("conf timeout 1").unwrap() == Next::Line && knows_roa(&talk));
        assert!(talk.line("show status").unwrap() == Next::Line && !knows_roa(&talk));
        drop(talk);
        daemon.join().unwrap();
        let _ = std::fs::remove_file(&socket);
    }
}
