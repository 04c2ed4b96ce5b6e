//! Ids in the text of a message: which runs of 64 digits there are, and which of them is a container.
//!
//! Images, layers, networks, endpoints and sandboxes have ids of the same form. What stands before
//! an id tells what it is; where that says nothing, only the inventory can.

/// What stands right before the id of a container.
const BEFORE: &[&str] = &[
    "ontainer ",
    "ontainer \"",
    "container id \"",
    "sandbox id \"",
    "containerID=",
    "ontainerID:",
    "ontainer_id:\"",
    "container_id=",
    "/moby/",
    "moby-",
    "/k8s.io/",
    "/containers/",
    "/docker/",
    "docker-",
    "libpod-",
    "conmon-",
    "crio-",
    "containerd-",
    "to shim ",
    "od sandbox ",
    "od sandbox: ",
    "ontainer for \"",
    "PodSandbox for \"",
    "xecSync for \"",
    "xec for \"",
    "\"Data\":\"",
    " Data:",
];

/// An id in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'t> {
    /// The text before it.
    pub(super) before: &'t str,
    /// Its 64 digits.
    pub(super) id: &'t str,
    /// The text after it.
    pub(super) after: &'t str,
}

impl Found<'_> {
    /// Whether it names content by its digest.
    pub(super) fn is_digest(&self) -> bool {
        self.before.ends_with("sha256:") || self.before.ends_with("sha256-")
    }

    /// Whether the words around it say that it is a container.
    fn is_container(&self) -> bool {
        let stale =
            self.before.starts_with("Removing stale sandbox ") && self.before.ends_with('(');
        BEFORE.iter().any(|words| self.before.ends_with(words))
            || stale
            || (self.before.is_empty() && self.after.starts_with(" cleanup: "))
    }
}

/// The ids in a text: runs of exactly 64 lower-case hexadecimal digits between other characters.
pub(super) fn ids(text: &str) -> impl Iterator<Item = Found<'_>> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
    let mut from = 0_usize;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let start = from.saturating_add(rest.bytes().position(|byte| is_word(&byte))?);
            let run = text.get(start..)?.bytes().take_while(is_word).count();
            from = start.saturating_add(run);
            let id = text.get(start..from)?;
            if crate::container_id::is_id(id.as_bytes()) {
                return Some(Found { before: text.get(..start)?, id, after: text.get(from..)? });
            }
        }
    })
}

/// The container that a text names: the last id that the words around it say to be one.
pub(super) fn container(text: &str) -> Option<&str> {
    // `CreateContainer within sandbox "A" ... returns container id "B"`: the last one counts.
    ids(text).filter(Found::is_container).last().map(|found| found.id)
}

/// The first id of which the words say that it is an image's.
pub(super) fn image(text: &str) -> Option<&str> {
    let is_image = |found: &Found<'_>| {
        found.is_digest()
            && ["image sha256:", "image reference \"sha256:", "image id \"sha256:"]
                .iter()
                .any(|words| found.before.ends_with(words))
    };
    ids(text).find(is_image).map(|found| found.id)
}

/// Whether this is an id that was shortened, as daemons show it: 12 digits.
pub(super) fn is_short(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "01afc5bdfb4c359054b68a1aa8195910aa85b3972a1dbd1df070cb25e29c039b";
    const B: &str = "2e722c80f77229493b25e0ebc072cd2601fdd153a86dbbd6efbbb2aaab078832";

    #[test]
    fn only_whole_runs_of_64_digits_are_ids() {
        let text = format!("{A} x{B} {B}0 {} é{B}.", A.to_uppercase());
        let found: Vec<&str> = ids(&text).map(|found| found.id).collect();
        assert_eq!(found, [A, B]);
        assert_eq!(ids(&"a".repeat(100_000)).count(), 0);
    }

    #[test]
    fn the_words_before_an_id_say_what_it_is() {
        for text in [
            format!("{A} cleanup: failed to delete container from containerd: no such container"),
            format!("Removing stale sandbox {B} ({A})"),
            format!("docker-{A}.scope: Deactivated successfully."),
            format!("run-docker-runtime\\x2drunc-moby-{A}-runc.4XkFtF.mount: Succeeded."),
            format!(
                "CreateContainer within sandbox \"{B}\" for &C{{}} returns container id \"{A}\""
            ),
            format!("connecting to shim {A}"),
            format!("oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/docker/{A},task=sh"),
        ] {
            assert_eq!(container(&text), Some(A), "{text}");
        }
        let endpoint = format!("deleting object [endpoint {A} {B}], retrying....");
        assert_eq!(container(&endpoint), None);
        let layer = format!("Layer sha256:{A} cleaned up");
        assert_eq!((container(&layer), image(&layer)), (None, None));
        assert_eq!(image(&format!("signature chain for image sha256:{A}: x")), Some(A));
    }
}
