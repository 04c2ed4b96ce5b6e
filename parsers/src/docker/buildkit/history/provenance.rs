//! Provenance of a build: the attestation of SLSA, version 0.2 or 1, that BuildKit makes.

use crate::formats::json::{self, Fields, Wrong};

/// Entries that are kept of each list.
const LIMIT: usize = 200;

/// What a build was made from.
#[derive(Debug, Default)]
pub(super) struct Provenance {
    /// Images, archives and repositories, by address, with their digests.
    pub(super) dependencies: Vec<String>,
    /// Names of the secrets and keys that the build was given; their values are not kept anywhere.
    pub(super) secrets: Vec<String>,
}

impl Provenance {
    /// Adds what an attestation says. Its content is told by whoever reads the content store, so
    /// nothing is said here of one that cannot be read.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let Ok(document) = json::read(bytes) else { return };
        let wrong = Wrong::default();
        let file = Fields::new(&document.value, &wrong);
        // A whole statement has the provenance as its predicate.
        let predicate = if file.has("predicate") { file.object("predicate") } else { file };
        let definition = predicate.object("buildDefinition");
        let lists = [definition.objects("resolvedDependencies"), predicate.objects("materials")];
        for one in lists.iter().flatten().take(LIMIT) {
            let digest = one.object("digest").pairs().join(" ");
            let address = one.text("uri").unwrap_or_default();
            self.dependencies.push(format!("{address} {digest}").trim().to_owned());
        }
        let requests = [
            definition.object("externalParameters").object("request"),
            predicate.object("invocation").object("parameters"),
        ];
        for (request, list) in requests.iter().flat_map(|one| [(one, "secrets"), (one, "ssh")]) {
            let ids = request.objects(list).into_iter().filter_map(|one| one.text("id"));
            let ids = ids.take(LIMIT);
            self.secrets.extend(ids.map(|id| if list == "ssh" { format!("ssh:{id}") } else { id }));
        }
    }
}
