//! A request to the engine's API that failed, as dockerd logs it: `Handler for POST
//! /v1.41/containers/web/start returned error: ...`; since 29 with the path in a field of its own.

use crate::formats::logrus::Entry;

/// A request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed<'m> {
    /// What was not done.
    pub(super) action: &'static str,
    /// The container that it was about, as its user named it.
    pub(super) container: Option<&'m str>,
}

impl<'m> Failed<'m> {
    /// Reads a message; `None` when it is another.
    pub(super) fn read(entry: &'m Entry<'_>) -> Option<Failed<'m>> {
        let rest = entry.message.strip_prefix("Handler for ")?;
        let (method, rest) = rest.split_once(' ')?;
        let (path, _) = rest.split_once(" returned error")?;
        let path = entry.field("request-url").unwrap_or(path);
        let path = path.split('?').next().unwrap_or(path);
        let mut parts = path.trim_start_matches('/').split('/').peekable();
        let is_version = |part: &&str| part.starts_with('v') && part.contains('.');
        parts.next_if(is_version);
        let parts: Vec<&str> = parts.take(4).collect();
        let (action, container) = match (method, parts.as_slice()) {
            ("POST", ["containers", "create"]) => ("create_failed", None),
            ("POST", ["containers", name, "start" | "restart"]) => ("start_failed", Some(*name)),
            ("POST", ["containers", name, "exec"]) => ("exec_failed", Some(*name)),
            ("POST", ["exec", ..]) => ("exec_failed", None),
            ("POST", ["images", "create"]) => ("pull_failed", None),
            ("POST", ["build"]) => ("build_failed", None),
            (_, ["containers", name, ..]) if *name != "json" => ("api_error", Some(*name)),
            _ => ("api_error", None),
        };
        Some(Failed { action, container })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(&'static str, Option<String>)> {
        let entry = Entry::parse(line).unwrap();
        let failed = Failed::read(&entry)?;
        Some((failed.action, failed.container.map(str::to_owned)))
    }

    #[test]
    fn a_failed_request_says_what_was_not_done_and_to_which_container() {
        let old = r#"level=error msg="Handler for POST /v1.41/containers/web/start returned error: no such file""#;
        assert_eq!(read(old), Some(("start_failed", Some("web".to_owned()))));
        let new = r#"level=error msg="Handler for GET /containers/{name:.*}/logs returned error" method=GET request-url="/v1.55/containers/9f295fcdc182/logs?stderr=1""#;
        assert_eq!(read(new), Some(("api_error", Some("9f295fcdc182".to_owned()))));
        let create = r#"level=error msg="Handler for POST /v1.24/containers/create returned error: No such image: x""#;
        assert_eq!(read(create), Some(("create_failed", None)));
        assert_eq!(read(r#"level=error msg="Handler for POST""#), None);
    }
}
