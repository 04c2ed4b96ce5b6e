//! What the text of a volume group says: its physical volumes, and the logical volumes with their
//! segments. Sizes are in extents, and those of extents and stripes in sectors of 512 bytes.

use super::config::{Section, Value};
use super::logical_volume::{Area, LogicalVolume, Segment};
use crate::file_system::Flaw;
use dockline_timeline::IssueKind;
use std::collections::{BTreeMap, BTreeSet};

const SECTOR: u64 = 512;
/// Stripes of a segment; the tools make 128 at most.
const MAX_STRIPES: u64 = 128;
/// Bytes of a name; LVM2 allows 127.
const MAX_NAME: usize = 127;

/// A volume group, as one text describes it.
pub(super) struct VolumeGroup {
    name: String,
    pub(super) uuid: String,
    /// Which of several descriptions is the newest: `seqno`.
    pub(super) generation: u64,
    /// Bytes of an extent.
    pub(super) extent: u64,
    /// The physical volumes by the names that segments use.
    pub(super) physical: BTreeMap<String, Extents>,
    /// The logical volumes.
    pub(super) volumes: Vec<LogicalVolume>,
    /// What could not be understood of it.
    pub(super) flaws: Vec<Flaw>,
}

/// The extents of a physical volume, as its volume group knows them.
pub(super) struct Extents {
    pub(super) uuid: String,
    /// Byte at which its first extent begins.
    pub(super) start: u64,
    /// How many there are.
    pub(super) count: u64,
}

impl VolumeGroup {
    /// Understands a text.
    pub(super) fn parse(text: &str) -> Result<VolumeGroup, String> {
        let root = Section::parse(text)?;
        let (name, section) = root.sections.first().ok_or("the text has no volume group")?;
        check_name(name)?;
        let within = |error: String| format!("volume group {name}: {error}");
        let sectors = section.number("extent_size").map_err(within)?;
        let extent = sectors.checked_mul(SECTOR).filter(|bytes| *bytes > 0);
        let mut group = VolumeGroup {
            name: (*name).to_owned(),
            uuid: section.text("id").map_err(within)?.to_owned(),
            generation: section.number("seqno").map_err(within)?,
            extent: extent.ok_or_else(|| within(format!("extent_size is {sectors}")))?,
            physical: BTreeMap::new(),
            volumes: Vec::new(),
            flaws: Vec::new(),
        };
        let physical = section.section("physical_volumes");
        for (name, section) in physical.map_or(&[][..], |all| &all.sections) {
            match physical_volume(section) {
                Ok(found) => drop(group.physical.insert((*name).to_owned(), found)),
                Err(error) => group.flaw(&format!("physical volume {name}: {error}")),
            }
        }
        if let Some(section) = section.section("logical_volumes") {
            group.add_volumes(section);
        }
        Ok(group)
    }

    /// Whether it counts this physical volume as its own.
    pub(super) fn has(&self, uuid: &str) -> bool {
        self.physical.values().any(|physical| physical.uuid == uuid)
    }

    /// Name of a logical volume under `/dev/mapper`: a dash stands between the two names, so one
    /// within a name is doubled.
    pub(super) fn mapper_name(&self, logical: &str) -> String {
        format!("{}-{}", self.name.replace('-', "--"), logical.replace('-', "--"))
    }

    /// The device files of a logical volume.
    pub(super) fn device_names(&self, logical: &str) -> Vec<String> {
        let mapper = self.mapper_name(logical);
        vec![format!("/dev/{}/{logical}", self.name), format!("/dev/mapper/{mapper}")]
    }

    /// Name of a logical volume, as the tools write it.
    pub(super) fn full_name(&self, logical: &str) -> String {
        format!("{}/{logical}", self.name)
    }

    fn add_volumes(&mut self, section: &Section) {
        let stores = snapshot_stores(section);
        for (name, section) in &section.sections {
            let volume = check_name(name).and_then(|()| logical_volume(name, section, self.extent));
            match volume {
                Ok(volume) if stores.contains(*name) => {
                    self.volumes.push(LogicalVolume { is_snapshot: true, ..volume });
                }
                Ok(volume) => self.volumes.push(volume),
                Err(error) => self.flaw(&format!("logical volume {name}: {error}")),
            }
        }
    }

    fn flaw(&mut self, what: &str) {
        let what = format!("volume group {}: {what}", self.name);
        self.flaws.push(Flaw { kind: IssueKind::Malformed, what });
    }
}

/// A name that cannot be mistaken for a path.
fn check_name(name: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+_.-".contains(&byte);
    let is_name = name.len() <= MAX_NAME && name.bytes().all(is_allowed);
    if !is_name || matches!(name, "" | "." | "..") {
        return Err("its name is none that LVM2 allows".to_owned());
    }
    Ok(())
}

/// The logical volumes that hold only what a snapshot has of its own.
fn snapshot_stores<'a>(volumes: &'a Section) -> BTreeSet<&'a str> {
    let segments = volumes.sections.iter().flat_map(|(_, volume)| &volume.sections);
    segments
        .flat_map(|(_, segment)| [segment.text("cow_store"), segment.text("merging_store")])
        .filter_map(Result::ok)
        .collect()
}

fn physical_volume(section: &Section) -> Result<Extents, String> {
    let start = section.number("pe_start")?;
    Ok(Extents {
        uuid: section.text("id")?.to_owned(),
        start: start.checked_mul(SECTOR).ok_or_else(|| format!("pe_start is {start}"))?,
        count: section.number("pe_count")?,
    })
}

fn logical_volume(name: &str, section: &Section, extent: u64) -> Result<LogicalVolume, String> {
    let is_visible = section.list("status").contains(&Value::Text("VISIBLE".into()));
    let mut segments = Vec::new();
    for (name, section) in &section.sections {
        let segment = segment(section, extent).map_err(|error| format!("{name}: {error}"))?;
        segments.push(segment);
    }
    segments.sort_by_key(|segment| segment.start);
    let mut size = 0;
    for segment in &segments {
        if segment.start != size {
            return Err(format!("a segment begins at byte {}, need {size}", segment.start));
        }
        size = segment.end();
    }
    Ok(LogicalVolume { name: name.to_owned(), is_visible, is_snapshot: false, segments })
}

fn segment(section: &Section, extent: u64) -> Result<Segment, String> {
    let bytes = |name: &str, unit: u64| {
        let number = section.number(name)?;
        number.checked_mul(unit).ok_or_else(|| format!("{name} is {number}"))
    };
    // Newer tools add what older ones must understand to the type, as in `cache+METADATA_FORMAT`.
    let kind = section.text("type")?.to_owned();
    let (start, length) = (bytes("start_extent", extent)?, bytes("extent_count", extent)?);
    start.checked_add(length).ok_or("it ends past all numbers")?;
    let mut segment = Segment { kind, start, length, stripe: length, areas: Vec::new() };
    if !segment.is_striped() {
        return Ok(segment);
    }
    let count = section.number("stripe_count")?;
    if !(1..=MAX_STRIPES).contains(&count) {
        return Err(format!("stripe_count is {count}, need 1 to {MAX_STRIPES}"));
    }
    if count > 1 {
        segment.stripe = bytes("stripe_size", SECTOR)?;
    }
    let (pairs, rest) = section.list("stripes").as_chunks::<2>();
    segment.areas = pairs.iter().map(area).collect::<Result<_, String>>()?;
    let is_complete = rest.is_empty() && u64::try_from(pairs.len()) == Ok(count);
    let row = segment.stripe.checked_mul(count).and_then(|row| length.checked_rem(row));
    if !is_complete || row != Some(0) {
        return Err(format!("its stripes are not {count}, or do not fill it"));
    }
    Ok(segment)
}

fn area([name, extent]: &[Value; 2]) -> Result<Area, String> {
    match (name, extent) {
        (Value::Text(name), Value::Number(extent)) => Ok(Area {
            name: name.clone().into_owned(),
            extent: u64::try_from(*extent).map_err(|_| format!("a stripe begins at {extent}"))?,
        }),
        _ => Err("a stripe is no name with a number".to_owned()),
    }
}
