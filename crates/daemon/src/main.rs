//! The program rbird: wiring, and nothing else.
//!
//! The order of a start is BIRD's: command line, settings, control socket,
//! privileges, configuration, background, threads, protocols. What can fail
//! fails before the daemon goes to the background, so a caller hears it.

mod answers;
mod args;
mod background;
mod doors;
mod files;
mod instance;
mod logging;
mod privileges;
mod protocols;
mod roas;
mod run;
mod settings;
mod supervisor;
mod systemd;
mod translate;
mod world;

use args::{Answer, Args};
use background::PidFile;
use conf::load::{LoadOptions, Loaded};
use logging::ON_TERMINALS;
use settings::Settings;
use std::io::IsTerminal;
use std::process::ExitCode;
use supervisor::Reader;

fn main() -> ExitCode {
    session::memory::prepare();
    let args = match args::read() {
        Answer::Run(args) => args,
        Answer::Say(text, status) => {
            eprintln!("{text}");
            return ExitCode::from(status);
        }
    };
    match start(&args) {
        Ok(status) => status,
        Err(errors) => {
            for error in errors {
                eprintln!("{ON_TERMINALS}: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Everything up to the first thread.
fn start(args: &Args) -> Result<ExitCode, Vec<String>> {
    let user = args.user.as_deref().map(privileges::user).transpose().map_err(one)?;
    let group = args.group.as_deref().map(privileges::group).transpose().map_err(one)?;
    let settings = settings::read(args.settings.as_deref()).map_err(one)?;
    let reader = Reader { options: LoadOptions { family: args.family, dialect: args.dialect, before: None } };
    if args.lint {
        return lint(args, &reader);
    }
    if args.parse_only {
        privileges::drop(user, group).map_err(one)?;
        return load(args, &reader).map(|_| ExitCode::SUCCESS);
    }
    let path = args::socket(args, settings.control.socket.as_deref());
    let socket = control::socket::bind(&path, user.map(|u| u.as_raw()), group.map(|g| g.as_raw()))
        .map_err(|e| vec![e.to_string()])?;
    let begun = begin(args, &settings, &reader, user, group);
    let (loaded, pid_file) = match begun {
        Ok(begun) => begun,
        Err(errors) => {
            socket.remove();
            return Err(errors);
        }
    };
    Ok(run::daemon(args, &settings, reader, loaded, socket, pid_file))
}

/// Gives privileges up, reads the configuration, and goes to the background.
fn begin(
    args: &Args,
    _settings: &Settings,
    reader: &Reader,
    user: Option<nix::unistd::Uid>,
    group: Option<nix::unistd::Gid>,
) -> Result<(Loaded, Option<PidFile>), Vec<String>> {
    privileges::drop(user, group).map_err(one)?;
    let pid_file = args.pid_file.as_deref().map(PidFile::open).transpose().map_err(one)?;
    let loaded = load(args, reader)?;
    if !(args.debug || args.foreground) {
        background::detach().map_err(one)?;
    }
    let pid_file = match (args.pid_file.as_deref(), pid_file) {
        (Some(path), Some(file)) => Some(PidFile::write(path, file).map_err(one)?),
        _ => None,
    };
    Ok((loaded, pid_file))
}

fn load(args: &Args, reader: &Reader) -> Result<Loaded, Vec<String>> {
    let path = args.config.to_string_lossy();
    let loaded = reader.read(&path).map_err(|refused| match refused.files.is_empty() {
        true => vec![format!("Unable to open configuration file {}", refused.line())],
        false => refused.report(std::io::stderr().is_terminal()),
    })?;
    for line in loaded.warning_lines() {
        eprintln!("{ON_TERMINALS}: {line}");
    }
    Ok(loaded)
}

/// `rbird lint`: every warning on standard error; failure when there is one.
fn lint(args: &Args, reader: &Reader) -> Result<ExitCode, Vec<String>> {
    let loaded = load(args, reader)?;
    let warnings = conf::lint::all(&loaded.config);
    match warnings.is_empty() && loaded.warnings.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Err(conf::lint::lines(&warnings, &loaded.config.files, std::io::stderr().is_terminal())),
    }
}

fn one(error: String) -> Vec<String> {
    vec![error]
}
