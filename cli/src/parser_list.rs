//! `dockline parsers`: every parser, what it reads and what it yields.

use dockline_parsers::Parser;
use std::fmt::Write;

/// The list, as text.
pub(crate) fn table() -> String {
    let mut text = String::new();
    for parser in dockline_parsers::all() {
        // Writing to a string cannot fail.
        let _ok = write_parser(&mut text, parser);
    }
    text
}

fn write_parser(text: &mut String, parser: &Parser) -> std::fmt::Result {
    writeln!(text, "{}", parser.name)?;
    writeln!(text, "    {}", parser.about)?;
    writeln!(text, "    yields  {}", parser.yields)?;
    for pattern in parser.reads {
        writeln!(text, "    reads   {pattern}")?;
    }
    for reference in parser.references {
        writeln!(text, "    see     {reference}")?;
    }
    writeln!(text)
}
