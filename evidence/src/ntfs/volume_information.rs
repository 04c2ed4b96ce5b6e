//! The file `$Volume`: label, version of NTFS, and whether the volume was taken in use and not yet
//! put down in order.

use super::attribute::AttributeType;
use super::file_record::FileReference;
use super::mft::Mft;
use super::names::Name;
use crate::EvidenceError;
use crate::fields::Fields;
use crate::file_system::Flaw;
use dockline_timeline::IssueKind;

const RECORD: u64 = 3;
const DIRTY: u16 = 1;
const MAJOR_VERSION: u8 = 3;

/// What a volume says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct VolumeInformation {
    pub(super) label: Option<String>,
    /// What is wrong with it.
    pub(super) flaws: Vec<Flaw>,
}

impl VolumeInformation {
    /// Where `$Volume` cannot be read, that is what is wrong.
    pub(super) fn read(mft: &Mft) -> VolumeInformation {
        VolumeInformation::try_read(mft).unwrap_or_else(|error| {
            let what = format!("$Volume cannot be read: {error}");
            VolumeInformation { label: None, flaws: vec![Flaw { kind: error.issue_kind(), what }] }
        })
    }

    fn try_read(mft: &Mft) -> Result<VolumeInformation, EvidenceError> {
        let file = mft.file(FileReference::any(RECORD))?;
        let value = |kind| mft.value(&file, kind, &Name::none());
        let label = value(AttributeType::VOLUME_NAME)?.unwrap_or_default();
        let label = String::from_utf8_lossy(&Name::from_bytes(&label).to_utf8()).into_owned();
        let information = value(AttributeType::VOLUME_INFORMATION)?.unwrap_or_default();
        let label = Some(label).filter(|label| !label.is_empty());
        Ok(VolumeInformation { label, flaws: flaws(&information)? })
    }
}

fn flaws(information: &[u8]) -> Result<Vec<Flaw>, EvidenceError> {
    let fields = Fields::new("NTFS volume information", 0, information);
    let (major, minor) = (fields.u8(8)?, fields.u8(9)?);
    let mut found = Vec::new();
    let mut unsupported = |what| found.push(Flaw { kind: IssueKind::Unsupported, what });
    if major != MAJOR_VERSION {
        unsupported(format!("NTFS version {major}.{minor} is not supported; it is read as 3.1"));
    }
    if fields.le16(10)? & DIRTY != 0 {
        let what = "the volume is dirty, and its $LogFile is not replayed: files may be seen as \
                    they were shortly before the end";
        unsupported(what.to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dirty_volume_and_an_old_version_are_flaws() {
        let count = |bytes: &[u8]| flaws(bytes).unwrap().len();
        assert_eq!(count(&[0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0]), 0);
        assert_eq!(count(&[0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 1, 0]), 1);
        assert_eq!(count(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0]), 2);
        assert!(flaws(&[0; 11]).is_err());
    }
}
