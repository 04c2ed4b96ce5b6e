//! A request to the engine's API as dockerd logs it: when it failed, `Handler for POST
//! /v1.41/containers/web/start returned error: ...`; every one of them when its level is `debug`,
//! `Calling POST /v1.41/containers/web/start`. Since 28 the path has a field of its own.

use crate::formats::logrus::Entry;

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request<'m> {
    /// What was not done; of a request that did not fail, that it was made.
    pub(super) action: &'static str,
    /// What that means, for a person.
    pub(super) says: &'static str,
    /// The container that it was about, as its user named it.
    pub(super) container: Option<&'m str>,
}

impl<'m> Request<'m> {
    /// Reads a message; `None` when it is another.
    pub(super) fn read(entry: &'m Entry<'_>) -> Option<Request<'m>> {
        let message = &*entry.message;
        if let Some(request) = message.strip_prefix("Handler for ") {
            let (request, _) = request.split_once(" returned error")?;
            let (action, container) = failure(method_and_path(request, entry)?);
            return Some(Request { action, says: "request to the engine failed", container });
        }
        let called = message.strip_prefix("Calling ");
        let request =
            called.or_else(|| message.strip_prefix("handling ")?.strip_suffix(" request"))?;
        let (_, path) = method_and_path(request, entry)?;
        let container = failure(("", path)).1;
        Some(Request { action: "api_request", says: "request to the engine", container })
    }
}

/// Method and path, without the version of the API and the query.
fn method_and_path<'m>(request: &'m str, entry: &'m Entry<'_>) -> Option<(&'m str, &'m str)> {
    let (method, path) = request.split_once(' ').unwrap_or((request, ""));
    let path = entry.field("request-url").unwrap_or(path);
    let path = path.split('?').next()?.strip_prefix('/')?;
    let is_version = |part: &str| part.starts_with('v') && part.contains('.');
    let path =
        path.split_once('/').filter(|(part, _)| is_version(part)).map_or(path, |(_, rest)| rest);
    Some((method, path))
}

/// What a request would have done, and to which container.
fn failure<'m>((method, path): (&str, &'m str)) -> (&'static str, Option<&'m str>) {
    let parts: Vec<&'m str> = path.split('/').take(4).collect();
    match (method, parts.as_slice()) {
        ("POST", ["containers", "create"]) => ("create_failed", None),
        ("POST", ["containers", name, "start" | "restart"]) => ("start_failed", Some(*name)),
        ("POST", ["containers", name, "exec"]) => ("exec_failed", Some(*name)),
        ("POST", ["exec", ..]) => ("exec_failed", None),
        ("POST", ["images", "create"]) => ("pull_failed", None),
        ("POST", ["build"]) => ("build_failed", None),
        (_, ["containers", name, ..]) if !["json", "create", "prune"].contains(name) => {
            ("api_error", Some(*name))
        }
        _ => ("api_error", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(&'static str, Option<String>)> {
        let entry = Entry::parse(line).unwrap();
        let request = Request::read(&entry)?;
        Some((request.action, request.container.map(str::to_owned)))
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

    #[test]
    fn a_request_of_a_daemon_that_logs_all_of_them_is_told() {
        let old = r#"level=debug msg="Calling POST /v1.41/containers/web/kill?signal=9""#;
        assert_eq!(read(old), Some(("api_request", Some("web".to_owned()))));
        let new = r#"level=debug msg="handling GET request" method=GET module=api request-url="/v1.55/containers/json?all=1""#;
        assert_eq!(read(new), Some(("api_request", None)));
        assert_eq!(read(r#"level=debug msg="Calling it a day""#), None);
    }
}
