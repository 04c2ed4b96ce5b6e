//! dockline: turns the evidence of a dead container host into one super-timeline.
//!
//! This crate is arguments, wiring, messages and the exit status; it parses no evidence and sorts
//! nothing. What was typed is in [`arguments`], what it means in [`request`]; [`timeline`], [`diff`]
//! and [`source_list`] do it.

mod arguments;
mod console;
mod destination;
mod diff;
mod growing_file;
mod open_files;
mod parser_list;
mod per_host;
mod progress;
mod report;
mod request;
mod source_list;
mod sources;
mod summary;
mod timeline;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

/// How a run ended, as the exit status says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Everything was read.
    Done,
    /// Something could not be read; it is in the report.
    Partial,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> ExitCode {
        match ending {
            Ending::Done => ExitCode::SUCCESS,
            Ending::Partial => ExitCode::from(3),
        }
    }
}

/// The arguments were understood, but ask for something that cannot be.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    open_files::raise_limit();
    match run(arguments.command) {
        Ok(ending) => ending.into(),
        Err(error) if console::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            console::error(&error);
            let wrong_usage = error.is::<request::WrongUsage>();
            if wrong_usage { ExitCode::from(WRONG_USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn run(command: Command) -> anyhow::Result<Ending> {
    match command {
        Command::Timeline(arguments) => timeline::run(&request::Request::new(*arguments)?),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Sources(arguments) => source_list::run(&arguments),
        Command::Parsers => {
            console::print(&parser_list::table())?;
            Ok(Ending::Done)
        }
    }
}
