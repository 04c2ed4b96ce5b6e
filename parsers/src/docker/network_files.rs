//! The files of a container's network: `containers/<id>/hosts`, `resolv.conf`, `resolv.conf.hash`,
//! `hostname`.
//!
//! The engine writes them when it sets up the network of a container, at each of its starts, and
//! mounts them into it as files of `/etc`, where a process of the container can write them too. So
//! `resolv.conf` tells the last start of the network, unless the container wrote it. `hosts` is
//! changed again when a network is left: 29.7 takes the container's addresses out at its end, 20.10
//! leaves them, so that a container that has ended still has its last address here and nowhere else.
//! After moby `daemon/container_operations_unix.go`, `libnetwork/sandbox_dns_unix.go` of 20.10.27
//! and 29.7.2.
//!
//! | instant | event |
//! |---|---|
//! | time of `resolv.conf` | name resolution of the container last set up, with its name servers |
//! | time of `hosts` | names of addresses last written, with those that are not in every container |
//!
//! `hostname` and `resolv.conf.hash` have no event: `config.v2.json` holds the name; the hash is of
//! an earlier content where the engine wrote `resolv.conf` once more, as it does in networks with
//! its own name server, so that a difference proves nothing.

use crate::formats::attributes::Attributes;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Confidence, Event, Findings, Kind, Meaning};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.network_files",
    reads: &[
        "containers/{container:id}/hosts",
        "containers/{container:id}/resolv.conf",
        "containers/{container:id}/resolv.conf.hash",
        "containers/{container:id}/hostname",
    ],
    gather: Gather::File,
    about: "hosts and resolv.conf of a container, as its processes see them",
    yields: "last setup of name resolution, last write of the names of addresses",
    references: &[
        "moby 29.7.2 daemon/container_operations_unix.go, daemon/libnetwork/sandbox_dns_unix.go",
        "moby 20.10.27 daemon/container_operations_unix.go, libnetwork/sandbox_dns_unix.go",
    ],
    parse,
};

static NETWORK_FILE: Kind = Kind {
    data_type: "docker:container:network_file",
    source_short: "DOCKER",
    source_long: "Docker container network file",
};

/// Lines of a file that are told.
const LINE_LIMIT: usize = 1000;
/// So many entries of `hosts` stand in the message; all are in the attribute.
const SHOWN: usize = 8;
/// Names that the engine gives to addresses of every container.
const EVERYWHERE: [&str; 6] = [
    "localhost",
    "ip6-localhost",
    "ip6-localnet",
    "ip6-mcastprefix",
    "ip6-allnodes",
    "ip6-allrouters",
];

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let Some(bytes) = artifact.read(file, findings) else { continue };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        findings.records(&file.origin, 1, length);
        match file.path.file_name() {
            Some(b"hosts") => hosts((artifact, file), &bytes, inventory, findings),
            Some(b"resolv.conf") => resolv_conf((artifact, file), &bytes, inventory, findings),
            _ => (),
        }
    }
}

fn hosts(
    place: (&Artifact, &ArtifactFile),
    bytes: &[u8],
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let own = |line: &Vec<String>| {
        line.len() > 1 && !line.iter().skip(1).any(|name| EVERYWHERE.contains(&name.as_str()))
    };
    let entries: Vec<String> =
        lines(bytes).into_iter().filter(own).map(|line| line.join(" ")).collect();
    let text = match entries.as_slice() {
        [] => "names of addresses last written; only those that every container has".to_owned(),
        entries => {
            let first: Vec<&str> = entries.iter().take(SHOWN).map(String::as_str).collect();
            let more = if entries.len() > SHOWN { " and more" } else { "" };
            format!("names of addresses last written: {}{more}", first.join(", "))
        }
    };
    let mut all = Attributes::default();
    all.texts("hosts_entries", &entries);
    tell(place, (inventory, &text), all, findings);
}

fn resolv_conf(
    place: (&Artifact, &ArtifactFile),
    bytes: &[u8],
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let value = |line: Vec<String>, key: &str| match line.split_first() {
        Some((first, rest)) if first == key && !rest.is_empty() => Some(rest.join(" ")),
        _ => None,
    };
    let values = |key: &str| lines(bytes).into_iter().filter_map(|line| value(line, key)).collect();
    let (servers, search): (Vec<String>, Vec<String>) = (values("nameserver"), values("search"));
    let text = match servers.as_slice() {
        [] => "name resolution last set up, by no name server".to_owned(),
        servers => format!("name resolution last set up, by {}", servers.join(", ")),
    };
    let mut all = Attributes::default();
    all.texts("name_servers", &servers);
    all.texts("search_domains", &search);
    tell(place, (inventory, &text), all, findings);
}

/// Words of each line that is no comment.
fn lines(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(bytes);
    let words = |line: &str| -> Vec<String> {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect()
    };
    text.lines().take(LINE_LIMIT).map(words).filter(|line| !line.is_empty()).collect()
}

fn tell(
    (artifact, file): (&Artifact, &ArtifactFile),
    (inventory, text): (&Inventory, &str),
    attributes: Attributes<'_>,
    findings: &mut dyn Findings,
) {
    let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
    let (Some(modified), Some(id)) = (modified, file.capture("container")) else { return };
    let subject = inventory.container_subject(id);
    let when = (modified, Meaning::ContentModification);
    let mut event = Event::new(&file.origin, &NETWORK_FILE, &subject, when);
    event.confidence = Confidence::Filesystem;
    event.action = "network";
    event.text = text.into();
    event.attributes = attributes.into_vec();
    inventory.mark_removed(&mut event);
    findings.event(&event);
}
