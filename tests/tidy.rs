//! The rules of ARCHITECTURE.md that a compiler cannot hold: held by reading the sources.

use crate::case::project;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path in the project, and its lines.
struct Source {
    path: String,
    lines: Vec<String>,
}

impl Source {
    /// The lines that are not tests: tests stand at the end of a file, or in one that says so.
    fn code(&self) -> impl Iterator<Item = &String> {
        let tests =
            self.lines.iter().any(|line| line == "#![cfg(test)]") || self.path.contains("/tests/");
        // A line that only declares a module of tests, `#[cfg(test)] mod tests;`, ends nothing.
        let begins = |pair: &[String]| pair[0] == "#[cfg(test)]" && pair[1].ends_with('{');
        let end = self.lines.windows(2).position(begins).unwrap_or(self.lines.len());
        let end = if tests { 0 } else { end };
        self.lines[..end].iter()
    }

    fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["timeline", "evidence", "parsers", "cli", "tests"] {
        files(&project(folder), "rs", &mut paths);
    }
    let root = project("");
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"),
        lines: fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect(),
    };
    paths.into_iter().map(read).collect()
}

fn offenders(allowed: impl Fn(&Source) -> bool, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !allowed(source)) {
        for (line, number) in source.code().zip(1..) {
            let code = line.trim_start();
            if !code.starts_with("//") && words.iter().any(|word| code.contains(word)) {
                found.push(format!("{}:{number}: {code}", source.path));
            }
        }
    }
    found
}

#[test]
fn every_file_says_what_it_is() {
    for source in sources() {
        let first = source.lines.first().map(String::as_str).unwrap_or_default();
        assert!(first.starts_with("//! "), "{} does not open with //!", source.path);
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for source in sources() {
        let lines = source.code().count();
        assert!(lines < 500, "{} has {lines} lines without its tests", source.path);
    }
}

#[test]
fn no_file_is_named_after_nothing() {
    for source in sources() {
        for word in ["util", "helper", "manager", "common", "misc"] {
            assert!(!source.path.contains(word), "{} is named after nothing", source.path);
        }
    }
}

#[test]
fn nothing_is_left_undone() {
    // Written apart, so that this file does not name them.
    let marks =
        [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["#[ig", "nore"]].map(|mark| mark.concat());
    for source in sources() {
        for (line, number) in source.lines.iter().zip(1..) {
            let left = marks.iter().any(|mark| line.contains(mark));
            assert!(!left, "{}:{number}: {line}", source.path);
        }
    }
}

#[test]
fn only_one_module_of_the_evidence_crate_opens_files() {
    let allowed = |source: &Source| {
        source.is_in("tests/")
            || source.is_in("evidence/src/files")
            || source.path == "cli/src/destination.rs"
            || source.path == "cli/src/growing_file.rs"
            || source.path == "timeline/src/merge/spill.rs"
            || source.path.contains("/benches/")
            || source.path.contains("/examples/")
    };
    let found = offenders(allowed, &["std::fs", "fs::File", "File::open", "OpenOptions"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_the_timeline_names_rayon() {
    let found = offenders(|source| source.is_in("timeline/") || source.is_in("tests/"), &["rayon"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_timeline_knows_nothing_of_engines() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.is_in("timeline/src")) {
        for (line, number) in source.code().zip(1..) {
            let code = line.trim_start();
            let names = ["docker", "Docker", "podman", "buildkit"];
            if !code.starts_with("//") && names.iter().any(|name| code.contains(name)) {
                found.push(format!("{}:{number}: {code}", source.path));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_the_program_prints() {
    let words = ["println!", "print!(", "stdout()", "stderr()"];
    let allowed = |source: &Source| {
        source.is_in("cli/")
            || source.is_in("tests/")
            || source.path.contains("/benches/")
            || source.path.contains("/examples/")
    };
    let found = offenders(allowed, &words);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_parser_imports_a_sibling() {
    let names: Vec<(&str, &str)> =
        dockline_parsers::all().filter_map(|parser| parser.name.split_once('.')).collect();
    let mut found = Vec::new();
    let families: Vec<String> = dockline_parsers::all()
        .filter_map(|parser| parser.name.split_once('.'))
        .map(|name| name.0.to_owned())
        .collect();
    for source in sources() {
        let family = families.iter().find(|family| source.is_in(&format!("parsers/src/{family}/")));
        let Some(family) = family else { continue };
        for line in source.code().filter(|line| line.trim_start().starts_with("use ")) {
            let own = |name: &&&str| source.path.contains(&format!("/{name}"));
            let sibling = |name: &&str| {
                line.contains(&format!("{family}::{name}"))
                    || (line.contains(&format!("super::{name}")) && !own(&name))
            };
            let mut siblings = names.iter().filter(|(of, _)| of == family).map(|(_, name)| name);
            if let Some(name) = siblings.find(|name| !own(name) && sibling(name)) {
                found.push(format!("{} imports {name}: {line}", source.path));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn crates_depend_in_one_direction() {
    let order = ["timeline", "evidence", "parsers", "cli"];
    for (index, name) in order.iter().enumerate() {
        let manifest = fs::read_to_string(project(name).join("Cargo.toml")).unwrap();
        for later in &order[index..] {
            let depends = manifest.contains(&format!("dockline-{later}."));
            assert!(!depends, "{name} must not depend on {later}");
        }
    }
}

#[test]
fn every_dependency_says_why_and_is_pinned_to_a_range() {
    let manifest = fs::read_to_string(project("Cargo.toml")).unwrap();
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    for line in table.lines().filter(|line| line.contains('=') && !line.contains("path =")) {
        assert!(line.contains('#'), "no line of why: {line}");
        assert!(!line.contains('*'), "pinned to nothing: {line}");
    }
}

#[test]
fn a_parser_describes_itself_and_its_patterns_compile() {
    for family in dockline_parsers::ALL {
        let names: Vec<&str> = family.iter().map(|parser| parser.name).collect();
        assert!(names.is_sorted(), "out of order: {names:?}");
    }
    for parser in dockline_parsers::all() {
        let (family, file) = parser.name.split_once('.').unwrap();
        let module = project("parsers/src").join(family).join(format!("{file}.rs"));
        assert!(module.is_file(), "{} is not in {}", parser.name, module.display());
        assert!(!parser.about.is_empty() && !parser.yields.is_empty(), "{}", parser.name);
        assert!(!parser.references.is_empty(), "{} cites nothing", parser.name);
        for pattern in parser.reads {
            let compiled = dockline_parsers::pattern::Pattern::compile(pattern);
            assert!(compiled.is_some(), "{}: {pattern} is no pattern", parser.name);
        }
    }
}

#[test]
fn the_readme_lists_every_parser() {
    let readme = fs::read_to_string(project("README.md")).unwrap();
    let row = |parser: &dockline_parsers::Parser| {
        format!("| `{}` | {} | {} |", parser.name, parser.about, parser.yields)
    };
    let rows: Vec<String> = dockline_parsers::all().map(row).collect();
    let table = rows.join("\n");
    assert!(readme.contains(&table), "the README's table of parsers should read:\n{table}");
}

#[test]
fn the_documents_name_only_files_that_exist() {
    for name in ["README.md", "ARCHITECTURE.md", "tests/README.md", "testdata/README.md"] {
        let text = fs::read_to_string(project(name)).unwrap();
        for word in text.split(['`', '(', ')', ' ', '\n']) {
            let inside = ["timeline/", "evidence/", "parsers/", "cli/", "tests/", "testdata/"];
            let is_path = inside.iter().any(|folder| word.starts_with(folder))
                && !word.contains(['<', '*', '{', '…']);
            let path = word.trim_end_matches(['.', ',', ':', ';']);
            assert!(!is_path || project(path).exists(), "{name} names {path}");
        }
    }
}
