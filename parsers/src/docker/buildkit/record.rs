//! `BuildHistoryRecord`: all that is kept of one build, as a protobuf message.

use crate::formats::protobuf::{self, Problem, Value, fields};
use crate::formats::secrets::{names_of_addresses_with_passwords, names_of_secrets};
use dockline_timeline::Instant;

/// Values of an exporter's answer that are longer hold whole configurations, which are blobs too.
const ANSWER_LENGTH: usize = 300;

/// A blob that a record points to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) media_type: String,
    pub(super) digest: String,
}

/// One build.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) build: String,
    pub(super) frontend: String,
    /// What the frontend was told, as `key=value`: file, target, arguments, labels.
    pub(super) attributes: Vec<String>,
    /// What was to become of it: `image name=docker.io/lab/web:1`.
    pub(super) exporters: Vec<String>,
    /// Names of the images that it was to make.
    pub(super) names: Vec<String>,
    pub(super) error: Option<String>,
    pub(super) created: Option<Instant>,
    pub(super) completed: Option<Instant>,
    pub(super) log: Option<Blob>,
    pub(super) trace: Option<Blob>,
    pub(super) external_error: Option<Blob>,
    /// What the exporter answered, as `key=value`, without whole configurations.
    pub(super) answers: Vec<String>,
    /// Images that it made.
    pub(super) results: Vec<Blob>,
    /// What it says of how it made them.
    pub(super) attestations: Vec<Blob>,
    pub(super) pinned: bool,
    pub(super) cached_steps: Option<i64>,
    pub(super) total_steps: Option<i64>,
    pub(super) completed_steps: Option<i64>,
    pub(super) warnings: Option<i64>,
}

impl Record {
    /// Reads a message.
    pub(super) fn read(message: &[u8]) -> Result<Record, Problem> {
        let mut record = Record::default();
        for field in fields(message) {
            let field = field?;
            match field.value {
                Value::Bytes(bytes) => record.set_bytes(field.number, bytes)?,
                Value::Varint(_) => record.set_number(field.number, field.value.integer()),
                _ => {}
            }
        }
        Ok(record)
    }

    fn set_bytes(&mut self, number: u32, bytes: &[u8]) -> Result<(), Problem> {
        match number {
            1 => self.build = super::text(bytes),
            2 => self.frontend = super::text(bytes),
            3 => self.attributes.push(joined(&pair(bytes)?)),
            4 => self.add_exporter(bytes)?,
            5 => self.error = Some(error_of(bytes)?),
            6 => self.created = protobuf::timestamp(bytes)?,
            7 => self.completed = protobuf::timestamp(bytes)?,
            8 => self.log = Some(blob(bytes)?),
            9 => {
                let (key, value) = pair(bytes)?;
                if value.len() <= ANSWER_LENGTH {
                    self.answers.push(joined(&(key, value)));
                }
            }
            10 => self.add_result(bytes)?,
            11 => {
                // A map: the platform, and what was made for it.
                for field in fields(bytes) {
                    let field = field?;
                    if let (2, Value::Bytes(result)) = (field.number, field.value) {
                        self.add_result(result)?;
                    }
                }
            }
            13 => self.trace = Some(blob(bytes)?),
            18 => self.external_error = Some(blob(bytes)?),
            _ => {}
        }
        Ok(())
    }

    fn set_number(&mut self, number: u32, value: Option<i64>) {
        match number {
            14 => self.pinned = value == Some(1),
            15 => self.cached_steps = value,
            16 => self.total_steps = value,
            17 => self.completed_steps = value,
            19 => self.warnings = value,
            _ => {}
        }
    }

    fn add_exporter(&mut self, message: &[u8]) -> Result<(), Problem> {
        let (mut words, mut names) = (Vec::new(), Vec::new());
        for field in fields(message) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Bytes(kind)) => words.insert(0, super::text(kind)),
                (2, Value::Bytes(entry)) => {
                    let (key, value) = pair(entry)?;
                    if key == "name" {
                        names.extend(value.split(',').map(str::to_owned));
                    }
                    words.push(joined(&(key, value)));
                }
                _ => {}
            }
        }
        self.names.extend(names.into_iter().filter(|name| !name.is_empty()));
        self.exporters.push(words.join(" "));
        Ok(())
    }

    fn add_result(&mut self, message: &[u8]) -> Result<(), Problem> {
        for field in fields(message) {
            let field = field?;
            let Value::Bytes(bytes) = field.value else { continue };
            match field.number {
                1 => add(&mut self.results, blob(bytes)?),
                2 => add(&mut self.attestations, blob(bytes)?),
                3 => {
                    for field in fields(bytes) {
                        let field = field?;
                        if let (2, Value::Bytes(bytes)) = (field.number, field.value) {
                            add(&mut self.results, blob(bytes)?);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The value of what the frontend was told.
    pub(super) fn told(&self, name: &str) -> Option<&str> {
        let pairs = self.attributes.iter().filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Names of what may be a secret in what the frontend was told.
    pub(super) fn secrets(&self) -> Vec<String> {
        let mut secrets = names_of_secrets(&self.attributes);
        secrets.extend(names_of_addresses_with_passwords(&self.attributes));
        secrets.sort();
        secrets.dedup();
        secrets
    }

    /// What was built, and from what, for a person.
    pub(super) fn described(&self) -> String {
        let what = match self.names.as_slice() {
            [] => self.build.clone(),
            names => names.join(", "),
        };
        let file = self.told("filename").unwrap_or("Dockerfile");
        let target = self.told("target").map(|target| format!(" (target {target})"));
        let context = self.told("context").or(self.told("vcs:localdir:context"));
        let context = context.map(|context| format!(" in {context}"));
        let (target, context) = (target.unwrap_or_default(), context.unwrap_or_default());
        format!("build of {what} from {file}{target}{context}")
    }
}

fn add(blobs: &mut Vec<Blob>, blob: Blob) {
    if !blobs.contains(&blob) {
        blobs.push(blob);
    }
}

fn joined((key, value): &(String, String)) -> String {
    format!("{key}={value}")
}

/// An entry of a map of texts.
fn pair(message: &[u8]) -> Result<(String, String), Problem> {
    let mut pair = (String::new(), String::new());
    for field in fields(message) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(key)) => pair.0 = super::text(key),
            (2, Value::Bytes(value)) => pair.1 = super::text(value),
            _ => {}
        }
    }
    Ok(pair)
}

/// The message of a `google.rpc.Status`.
fn error_of(message: &[u8]) -> Result<String, Problem> {
    let mut text = String::new();
    for field in fields(message) {
        let field = field?;
        if let (2, Value::Bytes(bytes)) = (field.number, field.value) {
            text = super::text(bytes);
        }
    }
    Ok(text)
}

/// A `Descriptor`.
fn blob(message: &[u8]) -> Result<Blob, Problem> {
    let mut blob = Blob::default();
    for field in fields(message) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(bytes)) => blob.media_type = super::text(bytes),
            (2, Value::Bytes(bytes)) => blob.digest = super::text(bytes),
            _ => {}
        }
    }
    Ok(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that holds bytes.
    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
        field.extend(content);
        field
    }

    fn entry(key: &str, value: &str) -> Vec<u8> {
        [bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat()
    }

    #[test]
    fn a_record_says_what_was_built_from_what() {
        let descriptor = [bytes(1, b"media"), bytes(2, b"sha256:0")].concat();
        let message = [
            bytes(1, b"reference"),
            bytes(3, &entry("filename", "a/Dockerfile")),
            bytes(3, &entry("target", "final")),
            bytes(3, &entry("context", "https://u:p@git.example/x.git")),
            bytes(3, &entry("build-arg:TOKEN", "t")),
            bytes(4, &[bytes(1, b"image"), bytes(2, &entry("name", "a:1,b:1"))].concat()),
            bytes(5, &bytes(2, b"exit code: 1")),
            bytes(6, &[8, 1]),
            bytes(8, &descriptor),
            bytes(9, &entry("image.name", "a:1")),
            bytes(11, &bytes(2, &bytes(3, &bytes(2, &descriptor)))),
            vec![14 << 3, 1, 15 << 3, 2],
        ];
        let record = Record::read(&message.concat()).unwrap();
        assert_eq!(
            record.described(),
            "build of a:1, b:1 from a/Dockerfile (target final) in https://u:p@git.example/x.git"
        );
        assert_eq!(record.secrets(), ["build-arg:TOKEN", "context"]);
        assert_eq!(record.error.as_deref(), Some("exit code: 1"));
        assert_eq!(record.exporters, ["image name=a:1,b:1"]);
        assert_eq!(record.answers, ["image.name=a:1"]);
        let blob = Blob { media_type: "media".to_owned(), digest: "sha256:0".to_owned() };
        assert_eq!((record.log, record.results), (Some(blob.clone()), vec![blob]));
        assert_eq!(record.created, Instant::new(1, 0));
        assert_eq!((record.pinned, record.cached_steps, record.total_steps), (true, Some(2), None));
    }

    #[test]
    fn a_record_that_is_cut_is_a_problem() {
        let message = bytes(1, b"reference");
        assert!(Record::read(&message[..5]).is_err());
    }
}
