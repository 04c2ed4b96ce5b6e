//! The name by which people call an image: `name:tag`, or `name@sha256:…`.

use crate::Digest;

/// The name of an image in the table of references.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageReference {
    /// `httpd:2.4.38-alpine`: given here, or by whoever built the image.
    Tag(String),
    /// `httpd@sha256:…`: the digest of the manifest in a registry, which the engine learns only
    /// when it pulls the image from there or pushes it there.
    Registry(String),
}

impl ImageReference {
    /// The reference in `text`; `None` when it is neither a tag nor a digest.
    #[must_use]
    pub fn parse(text: &str) -> Option<ImageReference> {
        if let Some((name, digest)) = text.split_once('@') {
            let is_reference = !name.is_empty() && Digest::parse(digest).is_some();
            return is_reference.then(|| ImageReference::Registry(text.to_owned()));
        }
        // The colon of a port stands before a slash: `127.0.0.1:5000/lab/web` has no tag.
        let (name, tag) = text.rsplit_once(':')?;
        let is_reference = !name.is_empty() && !tag.is_empty() && !tag.contains('/');
        is_reference.then(|| ImageReference::Tag(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            ImageReference::Tag(text) | ImageReference::Registry(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag_and_a_digest_must_be_one() {
        let tag = |text: &str| Some(ImageReference::Tag(text.to_owned()));
        assert_eq!(ImageReference::parse("lab/web:classic"), tag("lab/web:classic"));
        assert_eq!(ImageReference::parse("127.0.0.1:5000/web:1"), tag("127.0.0.1:5000/web:1"));
        assert_eq!(ImageReference::parse("127.0.0.1:5000/web"), None);
        assert_eq!(ImageReference::parse("web@sha256:12"), None);
        let pulled = format!("web@{}", Digest::of(b""));
        assert_eq!(ImageReference::parse(&pulled), Some(ImageReference::Registry(pulled.clone())));
        assert_eq!(ImageReference::parse(&pulled).unwrap().as_str(), pulled);
    }
}
