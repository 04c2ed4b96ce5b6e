//! Writes `out.jsonl`, `out.csv` and `out.body` of hostile events, to be read by the programs that
//! the outputs are for; `tests/README.md` says how.
//!
//! `cargo run -p dockline-timeline --example hostile_events -- DIRECTORY [COUNT]`: the events made
//! by hand, and COUNT seeded ones.

#[path = "../tests/hostile/mod.rs"]
mod hostile;

use dockline_timeline::{Rendered, output};
use std::error::Error;
use std::io::{Write, stdout};
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("give a directory")?);
    let count = arguments.next().map_or(Ok(5_000), |count| count.parse())?;
    let mut samples = hostile::by_hand();
    samples.extend(hostile::seeded(1, count));
    for output in output::all() {
        let mut renderer = output.renderer();
        let mut bytes = output.header();
        let rendered = samples
            .iter()
            .filter(|sample| renderer.render(&sample.event(), &mut bytes) == Rendered::Row)
            .count();
        let path = directory.join("out").with_extension(output.extension());
        std::fs::write(&path, bytes)?;
        let total = samples.len();
        writeln!(stdout(), "{}: {rendered} of {total} events", path.display())?;
    }
    Ok(())
}
