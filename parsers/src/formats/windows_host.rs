//! What the registry of a Windows host says of the host itself: its name and its time zone.
//!
//! Both stand in the hive `Windows\System32\config\SYSTEM`, in the control set that its key `Select`
//! calls the current one.

use crate::formats::registry_hive::{Flaw, Hive, Key};
use crate::formats::windows_zone::{WindowsZone, ZoneValues};
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{EvidenceError, FileKind, Tree, TreePath};
use dockline_timeline::IssueKind;

/// Larger transaction logs are not read: they are held in memory. Windows writes a few megabytes.
const LOG_LIMIT: u64 = 128 * 1024 * 1024;

/// The hive of the system, from the root of its volume.
pub const SYSTEM_HIVE: [&str; 4] = ["Windows", "System32", "config", "SYSTEM"];

/// The node below `directory` whose components are these in any case, as Windows would find it: the
/// first by name where there are several.
#[must_use]
pub fn in_any_case(tree: &dyn Tree, directory: &TreePath, components: &[&str]) -> Option<TreePath> {
    components.iter().try_fold(directory.clone(), |directory, wanted| {
        let entries = tree.list(&directory).ok()?;
        let is_it = |name: &[u8]| name.eq_ignore_ascii_case(wanted.as_bytes());
        directory.join(&entries.iter().find(|entry| is_it(&entry.name))?.name)
    })
}

/// Opens a hive with the transaction logs beside it.
///
/// # Errors
/// The flaw because of which it cannot be opened.
pub fn open_hive(tree: &dyn Tree, path: &TreePath) -> Result<Hive, Flaw> {
    let bytes = tree.open(path).map_err(|error| flaw(&error, "the hive"))?;
    let mut logs = Vec::new();
    let mut flaws = Vec::new();
    for (name, kind) in logs_of(tree, path) {
        let shown = String::from_utf8_lossy(name.file_name().unwrap_or_default()).into_owned();
        if kind != FileKind::Regular {
            continue;
        }
        let read = tree.open(&name).and_then(|bytes| Ok(read_up_to(&*bytes, LOG_LIMIT)?));
        match read {
            Ok((log, false)) => logs.push(log),
            Ok((_, true)) => {
                let what =
                    format!("{shown}: larger than the {LOG_LIMIT} bytes that are read of it");
                flaws.push(Flaw { kind: IssueKind::LimitReached, offset: 0, what });
            }
            Err(error) => flaws.push(flaw(&error, &shown)),
        }
    }
    let hive = Hive::open(bytes, &logs)?;
    flaws.into_iter().for_each(|flaw| hive.flaw(flaw));
    Ok(hive)
}

fn logs_of(tree: &dyn Tree, path: &TreePath) -> Vec<(TreePath, FileKind)> {
    let Some((directory, name)) = path.parent().zip(path.file_name()) else { return Vec::new() };
    let is_log = |entry: &[u8]| {
        let Some((stem, extension)) = entry.split_at_checked(name.len()) else { return false };
        let is_extension = [&b".LOG1"[..], b".LOG2"].map(|log| extension.eq_ignore_ascii_case(log));
        stem.eq_ignore_ascii_case(name) && is_extension.contains(&true)
    };
    let entries = tree.list(&directory).unwrap_or_default();
    let logs = entries.iter().filter(|entry| is_log(&entry.name));
    logs.filter_map(|entry| Some((directory.join(&entry.name)?, entry.kind))).collect()
}

fn flaw(error: &EvidenceError, name: &str) -> Flaw {
    Flaw { kind: error.issue_kind(), offset: 0, what: format!("{name}: {error}") }
}

/// The control set that Windows last ran with.
pub fn control_set(system: &Hive) -> Option<Key<'_>> {
    let current = system.key("Select")?.number("Current")?;
    system.key(&format!("ControlSet{current:03}"))
}

/// The name of the host.
pub fn computer_name(system: &Hive) -> Option<String> {
    let control = control_set(system)?.subkey("Control")?;
    let name = control.subkey("ComputerName")?.subkey("ComputerName")?.text("ComputerName")?;
    let is_name = !name.is_empty() && !name.chars().any(char::is_control);
    is_name.then_some(name)
}

/// The time zone of the host, and the key that says it; without the zone when it says none.
pub fn zone(system: &Hive) -> Option<(Key<'_>, Option<WindowsZone>)> {
    let key = control_set(system)?.subkey("Control")?.subkey("TimeZoneInformation")?;
    let signed = |name: &str| {
        let number = u32::try_from(key.number(name)?).ok()?;
        Some(i32::from_ne_bytes(number.to_ne_bytes()))
    };
    let start = |name: &str| key.value(name).map(|value| value.data).unwrap_or_default();
    let is_set = |name: &str| key.number(name).is_some_and(|number| number != 0);
    let (standard_start, daylight_start) = (start("StandardStart"), start("DaylightStart"));
    let key_name = key.text("TimeZoneKeyName").or_else(|| key.text("StandardName"));
    let zone = signed("Bias").and_then(|bias| {
        WindowsZone::parse(&ZoneValues {
            bias,
            standard_bias: signed("StandardBias").unwrap_or(0),
            daylight_bias: signed("DaylightBias").unwrap_or(0),
            standard_start: &standard_start,
            daylight_start: &daylight_start,
            daylight_disabled: is_set("DynamicDaylightTimeDisabled")
                || is_set("DisableAutoDaylightTimeSet"),
            key_name: key_name.as_deref(),
        })
    });
    Some((key, zone))
}
