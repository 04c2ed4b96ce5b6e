//! The labels with which Docker Compose and Podman Compose mark what they make: to which project it
//! belongs, and from which files on the host that was made. docker/compose 2.40 `pkg/api/labels.go`.

use super::attributes::Attributes;
use dockline_timeline::Attribute;

const PROJECT: &str = "com.docker.compose.project=";
const SERVICE: &str = "com.docker.compose.service=";
const DIRECTORY: &str = "com.docker.compose.project.working_dir=";
const FILES: &str = "com.docker.compose.project.config_files=";

fn label<'a>(labels: &'a [String], prefix: &str) -> Option<&'a str> {
    labels.iter().find_map(|label| label.strip_prefix(prefix))
}

/// Project and service.
pub fn summary<'a>(labels: &'a [String], all: &mut Attributes<'a>) {
    all.text("compose_project", label(labels, PROJECT));
    all.text("compose_service", label(labels, SERVICE));
}

/// Project and service, and the directory and files of the host that they come from.
#[must_use]
pub fn attributes(labels: &[String]) -> Vec<Attribute<'_>> {
    let mut all = Attributes::default();
    summary(labels, &mut all);
    all.text("compose_directory", label(labels, DIRECTORY));
    let files = label(labels, FILES).into_iter().flat_map(|files| files.split(','));
    all.list("compose_files", files.map(str::to_owned).collect());
    all.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_compose_say_from_which_files_something_was_made() {
        let labels = [
            "a=b",
            "com.docker.compose.project=shop",
            "com.docker.compose.project.config_files=/srv/shop/compose.yaml,/srv/shop/dev.yaml",
            "com.docker.compose.project.working_dir=/srv/shop",
            "com.docker.compose.service=web",
        ]
        .map(str::to_owned);
        let names: Vec<&str> = attributes(&labels).iter().map(|one| one.name).collect();
        let all = ["compose_project", "compose_service", "compose_directory", "compose_files"];
        assert_eq!(names, all);
        assert!(attributes(&labels[..1]).is_empty());
    }
}
