//! `--per-host`: one timeline for each host, in a directory, in the same pass.
//!
//! A file is named after its host: what no file system takes in a name becomes `_`. Two hosts of
//! which that makes one name, in letters of either case, are told apart by a number.

use crate::destination::{Destination, make_directory};
use crate::request::{PerHost, Request, check_output};
use dockline_parsers::Plan;
use dockline_timeline::{Part, Rank};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Longest name of a file without its extension, in bytes; most file systems take 255.
const NAME_LENGTH: usize = 200;

/// The timelines of all hosts in one format.
pub(crate) struct HostFiles {
    /// Where the events of each host go, in the order of their files.
    pub(crate) parts: Vec<Part>,
    /// The same files, to be completed.
    pub(crate) destinations: Vec<Destination>,
    /// Each host and its file.
    pub(crate) paths: HostPaths,
}

/// Each host and its file, in the order of their files.
pub(crate) type HostPaths = Vec<(String, PathBuf)>;

/// Opens a file for each host of the plan.
pub(crate) fn open(
    (request, per_host): (&Request, &PerHost),
    format: &'static str,
    plan: &Plan,
) -> anyhow::Result<HostFiles> {
    make_directory(&per_host.directory)?;
    let hosts = hosts(plan);
    let names = file_names(hosts.keys().copied());
    let (mut parts, mut destinations, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for ((host, from), name) in hosts.into_iter().zip(names) {
        let path = per_host.directory.join(format!("{name}.{}", extension(format)));
        check_output((&request.evidence, request.overwrite), &path)?;
        let (destination, to) = Destination::open(Some(&path), request.overwrite)?;
        parts.push(Part { from, to });
        destinations.push(destination);
        paths.push((host.to_owned(), path));
    }
    Ok(HostFiles { parts, destinations, paths })
}

/// Each host with the rank of its first file: files are ordered by host.
fn hosts(plan: &Plan) -> BTreeMap<&str, Rank> {
    let mut hosts: BTreeMap<&str, Rank> = BTreeMap::new();
    for file in plan.planned.iter().flat_map(|planned| &planned.artifact.files) {
        let first = hosts.entry(&*file.origin.host).or_insert(file.origin.rank);
        *first = file.origin.rank.min(*first);
    }
    hosts
}

fn extension(format: &str) -> &str {
    if format == "bodyfile" { "body" } else { format }
}

/// A name for the file of each host.
fn file_names<'h>(hosts: impl Iterator<Item = &'h str>) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut names = Vec::new();
    for host in hosts {
        let plain = file_name(host);
        let numbered = (2_u64..).map(|number| format!("{plain}-{number}"));
        let mut candidates = std::iter::once(plain.clone()).chain(numbered);
        let name = candidates.find(|name| !taken.contains(&name.to_lowercase()));
        let name = name.unwrap_or(plain);
        taken.insert(name.to_lowercase());
        names.push(name);
    }
    names
}

fn file_name(host: &str) -> String {
    let mut name = String::new();
    for character in host.chars().map(|c| if is_plain(c) { c } else { '_' }) {
        if name.len().saturating_add(character.len_utf8()) > NAME_LENGTH {
            break;
        }
        name.push(character);
    }
    if name.starts_with(['.', '-']) || name.is_empty() {
        name.insert(0, '_');
    }
    name
}

/// Whether every file system takes it in a name.
fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '.' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_has_a_file_name_of_its_own() {
        let hosts = ["web1", "Web1", "a/b", "a:b", "..", "", "web1-2", "büro.example"];
        let names = file_names(hosts.into_iter());
        let expected = ["web1", "Web1-2", "a_b", "a_b-2", "_..", "_", "web1-2-2", "büro.example"];
        assert_eq!(names, expected);
        let long = file_names([&*"ü".repeat(300), &*"ü".repeat(301)].into_iter());
        assert_eq!((long[0].len(), long[1].len()), (200, 202));
    }
}
