//! Which two images are meant, and in which stores they are compared.
//!
//! One image may lie in several stores, such as root's and a user's. Two that are compared are taken
//! from one store where one has both: in another the same files may have other owners and times.

use super::SHORT_ID;
use crate::arguments::DiffArguments;
use crate::request::{EvidenceArgument, WrongUsage, one_evidence};
use dockline_parsers::inventory::{ImageFiles, Meant, StoreOfImages, StoredImage};
use dockline_parsers::plan::Planned;
use dockline_parsers::{ArtifactFile, Plan};
use dockline_timeline::{Issue, IssueKind, Position};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Images that an error lists.
const MOST_LISTED: usize = 50;

/// Two images, as they were typed.
pub(super) struct Wanted {
    words: [String; 2],
    /// They stood where evidence stands, and are no files.
    after_evidence: bool,
}

/// An image of one store.
#[derive(Clone, Copy)]
pub(super) struct Image<'a> {
    pub(super) store: &'a StoreOfImages,
    pub(super) image: &'a StoredImage,
    /// A file of the same tree.
    pub(super) file: &'a ArtifactFile,
}

/// An image in each of its stores.
struct Found<'a> {
    first: Image<'a>,
    others: Vec<Image<'a>>,
}

/// One that is compared.
pub(super) struct Chosen<'a> {
    pub(super) image: Image<'a>,
    pub(super) files: ImageFiles,
    /// The places of the other stores that hold it.
    pub(super) also_in: Vec<String>,
}

/// The evidence, and the images that are named by an option or after it.
pub(super) fn evidence_and_images(
    arguments: &DiffArguments,
) -> anyhow::Result<(Vec<EvidenceArgument>, Option<Wanted>)> {
    let (evidence, wanted) = match (arguments.images.as_slice(), arguments.evidence.as_slice()) {
        ([first, second], evidence) => {
            let words = [first.clone(), second.clone()];
            (evidence, Some(Wanted { words, after_evidence: false }))
        }
        (_, [evidence @ .., first, second])
            if !evidence.is_empty()
                && arguments.container.is_none()
                && !is_file(first)
                && !is_file(second) =>
        {
            let words = [first.clone(), second.clone()];
            (evidence, Some(Wanted { words, after_evidence: true }))
        }
        (_, evidence) => (evidence, None),
    };
    let evidence = evidence.iter().map(|text| one_evidence(text)).collect::<anyhow::Result<_>>()?;
    Ok((evidence, wanted))
}

/// What to say of a word that is no file, where nothing says that it is an image.
pub(super) fn advice(arguments: &DiffArguments) -> Option<String> {
    let word = arguments.evidence.iter().find(|word| !is_file(word))?;
    Some(format!("if {word} is an image, name two: --images IMAGE1 IMAGE2"))
}

fn is_file(text: &str) -> bool {
    one_evidence(text).is_ok_and(|argument| argument.path.symlink_metadata().is_ok())
}

/// Every image whose layers are directories of the evidence.
pub(super) fn all(plan: &Plan) -> Vec<Image<'_>> {
    let mut images = Vec::new();
    let mut seen = BTreeSet::new();
    for Planned { artifact, inventory, .. } in &plan.planned {
        let Some(file) = artifact.files.first() else { continue };
        let here = |store: &&StoreOfImages| Arc::ptr_eq(&store.tree, &artifact.tree);
        for store in inventory.image_layers.stores.iter().filter(here) {
            if seen.insert(std::ptr::from_ref(store)) {
                images.extend(store.images.iter().map(|image| Image { store, image, file }));
            }
        }
    }
    images
}

/// The images that are meant.
pub(super) fn chosen<'a>(
    wanted: &Wanted,
    images: &[Image<'a>],
) -> Result<[Chosen<'a>; 2], WrongUsage> {
    let of = |word: &String| meant(word, images).map_err(|sentence| wanted.wrong(&sentence));
    let [first, second] = &wanted.words;
    let (first, second) = (of(first)?, of(second)?);
    let store_of = |image: &Image<'a>| std::ptr::from_ref(image.store);
    let stores: BTreeSet<_> = second.all().map(store_of).collect();
    let shared = first.all().find(|image| stores.contains(&store_of(image)));
    let shared = shared.map(|image| image.store);
    Ok([first.chosen(shared), second.chosen(shared)])
}

/// The image that a word means.
fn meant<'a>(word: &str, images: &[Image<'a>]) -> Result<Found<'a>, String> {
    let how: Vec<Option<Meant>> =
        images.iter().map(|image| image.image.is_meant_by(word)).collect();
    let best = how.iter().flatten().max();
    let found = images.iter().zip(&how).filter(|(_, how)| how.is_some() && how.as_ref() == best);
    let found: Vec<Image<'a>> = found.map(|(image, _)| *image).collect();
    match found.as_slice() {
        [] if images.is_empty() => Err("no layer of an image is in the evidence".to_owned()),
        [] => {
            let there_are = listed(images.iter().map(Image::in_words));
            Err(format!("no image with layers is called {word}; there are {there_are}"))
        }
        [first, others @ ..] if others.iter().all(|other| other.image.id == first.image.id) => {
            Ok(Found { first: *first, others: others.to_vec() })
        }
        several => {
            let place = |image: &Image<'_>| format!("{} in {}", image.in_words(), image.place());
            let there_are = listed(several.iter().map(place));
            Err(format!("several images are called {word}, name one by its id: {there_are}"))
        }
    }
}

/// Each once, and not without end.
fn listed(images: impl Iterator<Item = String>) -> String {
    let mut told = BTreeMap::new();
    for (order, image) in images.enumerate() {
        told.entry(image).or_insert(order);
    }
    let mut told: Vec<(String, usize)> = told.into_iter().collect();
    told.sort_by_key(|(_, order)| *order);
    let more = told.len().saturating_sub(MOST_LISTED);
    let shown = told.into_iter().take(MOST_LISTED).map(|(image, _)| image);
    let shown = shown.collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown}, and {more} more") } else { shown }
}

impl Wanted {
    fn wrong(&self, sentence: &str) -> WrongUsage {
        let [first, second] = &self.words;
        WrongUsage(match self.after_evidence {
            false => sentence.to_owned(),
            true => format!("{first} and {second} are no files, so images are meant: {sentence}"),
        })
    }
}

impl Image<'_> {
    fn in_words(&self) -> String {
        let name = self.image.names.first().map_or("unnamed", String::as_str);
        let id = self.image.id.strip_prefix("sha256:").unwrap_or(&self.image.id);
        format!("{name} ({} on {})", id.get(..SHORT_ID).unwrap_or(id), self.file.origin.host)
    }

    /// Where its store lies.
    pub(super) fn place(&self) -> String {
        super::place(self.file, &self.store.place)
    }
}

impl<'a> Found<'a> {
    fn all(&self) -> impl Iterator<Item = &Image<'a>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Takes the image from the wanted store, else from the first that has it.
    fn chosen(&self, store: Option<&StoreOfImages>) -> Chosen<'a> {
        let is_wanted =
            |image: &&Image<'_>| store.is_some_and(|store| std::ptr::eq(store, image.store));
        let image = *self.all().find(is_wanted).unwrap_or(&self.first);
        let others = self.all().filter(|other| !std::ptr::eq(other.store, image.store));
        let also_in = others.map(Image::place).collect();
        Chosen { image, files: image.store.files(image.image), also_in }
    }
}

impl Chosen<'_> {
    /// What could not be known of its layers.
    pub(super) fn issues(&self) -> impl Iterator<Item = Issue> {
        let (image, missing) = (self.image, self.files.missing.iter());
        let place = image.file.origin_of(&image.store.place).at(Position::File);
        missing.map(move |layer| {
            let words = image.in_words();
            let what = format!("layer {layer} of {words} is not there: its files show as missing");
            Issue::new(IssueKind::Unreadable, place.clone(), what)
        })
    }
}

/// Which of several stores was taken, that the two lie in different ones, and what lies below a layer
/// and is none of the image.
pub(super) fn notes(images: &[Chosen<'_>; 2]) -> Vec<String> {
    let several = images.iter().filter(|chosen| !chosen.also_in.is_empty()).map(|chosen| {
        let (words, also_in) = (chosen.image.in_words(), chosen.also_in.join(", "));
        format!("{words} is taken from {}; it is in {also_in}, too", chosen.image.place())
    });
    let [first, second] = images.each_ref().map(|chosen| chosen.image);
    let differ = (!std::ptr::eq(first.store, second.store)).then(|| {
        let (one, other) = (first.place(), second.place());
        format!("the images lie in two stores, where owners and times may differ: {one}, {other}")
    });
    let more = images.iter().filter(|chosen| !chosen.files.not_of_image.is_empty());
    let more = more.map(|chosen| {
        let snapshots = listed(chosen.files.not_of_image.iter().cloned());
        let words = chosen.image.in_words();
        format!("{words} was unpacked onto what is no layer of it, and is not shown: {snapshots}")
    });
    let mut notes: Vec<String> = several.chain(differ).chain(more).collect();
    notes.dedup();
    notes
}
