//! The names of images: `image/<driver>/repositories.json` and `imagedb/metadata/sha256/<image>/*`.
//!
//! The engine rewrites the whole table `repositories.json` on each change of any name, by pull, tag,
//! build, load, untag or removal; it holds no times. A name with a digest (`alpine@sha256:…`) is
//! there only for what was pulled from a registry or pushed to one, by 1.13 or later. Beside it, for each image:
//! `lastUpdated`, the last time that a tag was put on it by `docker tag`, `build -t`, `commit` or
//! `import` (not by a pull, nor by a load), be that tag still there or not; `parent`, the image that
//! it was made from by a local build or commit; `builtLocally` (24.0 and later), an empty mark.
//! After moby `reference/store.go`, `image/store.go`, `daemon/images/image_tag.go` of 20.10.27 (the
//! same files below `daemon/` in 29.7).
//!
//! | instant | event |
//! |---|---|
//! | `lastUpdated` | image last tagged; says which tags are left |
//! | time of `repositories.json` | one for each name in it: set then or before |
//! | time of `parent`, `builtLocally` | image made on this host |
//!
//! The times of `lastUpdated` files themselves are not told: they are what is written in them. The
//! table of engines before 1.10 (`repositories-<driver>`) is not supported.

mod image_metadata;
mod table;

use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Event, Findings, IssueKind, Kind, Position, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.image_repositories",
    reads: &[
        "image/{driver}/repositories.json",
        "image/{driver}/.tmp-repositories.json{version*}",
        "image/{driver}/imagedb/metadata/sha256/{image:id}/lastUpdated",
        "image/{driver}/imagedb/metadata/sha256/{image:id}/parent",
        "image/{driver}/imagedb/metadata/sha256/{image:id}/builtLocally",
        "imagedb/metadata/sha256/{image:id}/lastUpdated",
        "imagedb/metadata/sha256/{image:id}/parent",
        "imagedb/metadata/sha256/{image:id}/builtLocally",
        "overlay2/repositories.json",
    ],
    gather: Gather::File,
    about: "names of images, and when each image was last tagged",
    yields: "last tag of an image, names in the table, images made on this host",
    references: &["moby 20.10.27 reference/store.go, image/store.go, daemon/images/image_tag.go"],
    parse,
};

static REFERENCE: Kind = Kind {
    data_type: "docker:image:reference",
    source_short: "DOCKER",
    source_long: "Docker image reference",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let Some(bytes) = artifact.read(file, findings) else { continue };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if file.capture("image").is_none() {
            table::parse((artifact, file), &bytes, inventory, findings);
            continue;
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => {
                findings.records(&file.origin, 1, length);
                image_metadata::parse((artifact, file), text, inventory, findings);
            }
            Err(error) => {
                let at = Position::Offset(u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX));
                let issue = file.issue(IssueKind::Malformed, at, "bytes that are not UTF-8");
                findings.issue(issue.losing(1, length));
            }
        }
    }
}

/// What the event's image is called, and whether a registry knows it.
fn add_names<'a>(event: &mut Event<'a>, image: &'a crate::inventory::Image) {
    let list = |names: &'a [String]| {
        (!names.is_empty()).then(|| Value::List(names.iter().map(Cow::from).collect()))
    };
    event.attribute("image_tags", list(&image.tags));
    event.attribute("image_digests", list(&image.digests));
    if image.digests.is_empty() {
        event.tags.push(Cow::from("no-registry-digest"));
    }
}
