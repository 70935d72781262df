//! `rbirdc`: the client of the control socket.
//!
//! It speaks to rbird and to real BIRD alike and depends on none of the daemon's
//! rooms; the table of commands is one file that both compile, since BIRD has no
//! command that lists its commands. Which of them the daemon knows follows from the
//! release in its greeting. Abbreviations, help and completion happen here: the
//! daemon takes whole words only.
//!
//! Its behaviour follows the name it is called by. As `rbirdc` it ends with 1
//! when the daemon refuses a command; as `birdc` or `birdcl` with 0, as BIRD
//! 1.6.8's client does, on which scripts rely. Names that end in 6 speak to
//! `bird6.ctl`; those with an `l` do without line editing.

#[path = "../../control/src/commands.rs"]
mod commands;

mod connection;
mod interactive;
mod options;
mod output;
mod tree;

use commands::Release;
use connection::Connection;
use options::Options;
use output::Output;
use std::process::ExitCode;
use tree::{Expansion, Tree};

fn main() -> ExitCode {
    let options = match Options::read(std::env::args_os()) {
        Ok(options) => options,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::FAILURE;
        }
    };
    match run(&options) {
        Ok(refused) if refused && options.tells_refusals => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One command or a conversation; whether the daemon refused the last command.
fn run(options: &Options) -> Result<bool, String> {
    let output = Output::new(options.verbose);
    let mut connection = Connection::open(&options.socket)?;
    let release = Release::of_greeting(&connection.reply(&output)?.text);
    if options.restricted {
        connection.send("restrict")?;
        connection.reply(&output)?;
    }
    if options.command.is_empty() {
        return interactive::run(options, connection, output, release);
    }
    match Tree::new(release).expand(&options.command) {
        Expansion::Command(line) => {
            connection.send(&line)?;
            Ok(connection.reply(&output)?.is_refusal())
        }
        Expansion::Explained(text) => {
            output.text(&text);
            Ok(true)
        }
    }
}
