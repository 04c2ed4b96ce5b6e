//! What a file system uses, as its superblock tells it in three words of bits.

/// The three words of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Features {
    /// A kernel that does not know one of these may still write.
    pub(crate) compatible: u32,
    /// A kernel that does not know one of these may not even read.
    pub(crate) incompatible: u32,
    /// A kernel that does not know one of these may read.
    pub(crate) read_only: u32,
}

const HAS_JOURNAL: u32 = 0x4;
const SPARSE_SUPER2: u32 = 0x200;

const COMPRESSION: u32 = 0x1;
const FILETYPE: u32 = 0x2;
const RECOVER: u32 = 0x4;
const JOURNAL_DEV: u32 = 0x8;
const META_BG: u32 = 0x10;
const EXTENTS: u32 = 0x40;
const SIXTY_FOUR_BIT: u32 = 0x80;
const MMP: u32 = 0x100;
const FLEX_BG: u32 = 0x200;
const EA_INODE: u32 = 0x400;
const DIRDATA: u32 = 0x1000;
const CSUM_SEED: u32 = 0x2000;
const LARGEDIR: u32 = 0x4000;
const INLINE_DATA: u32 = 0x8000;
const ENCRYPT: u32 = 0x1_0000;
const CASEFOLD: u32 = 0x2_0000;
/// All that we can read; what is encrypted is refused file by file.
const READ: u32 = FILETYPE
    | RECOVER
    | META_BG
    | EXTENTS
    | SIXTY_FOUR_BIT
    | MMP
    | FLEX_BG
    | EA_INODE
    | DIRDATA
    | CSUM_SEED
    | LARGEDIR
    | INLINE_DATA
    | ENCRYPT
    | CASEFOLD;
/// Those that ext3 has as well.
const EXT3: u32 = COMPRESSION | FILETYPE | RECOVER | JOURNAL_DEV | META_BG;

const SPARSE_SUPER: u32 = 0x1;
const GDT_CSUM: u32 = 0x10;
const METADATA_CSUM: u32 = 0x400;
/// sparse_super, large_file and btree_dir.
const EXT3_READ_ONLY: u32 = 0x7;

impl Features {
    pub(crate) fn has_journal(self) -> bool {
        self.compatible & HAS_JOURNAL != 0
    }

    /// Whether two groups alone have a backup superblock, which the superblock names.
    pub(crate) fn has_two_backups(self) -> bool {
        self.compatible & SPARSE_SUPER2 != 0
    }

    /// Whether the groups 1 and those that are powers of 3, 5 and 7 alone have one.
    pub(crate) fn has_sparse_backups(self) -> bool {
        self.read_only & SPARSE_SUPER != 0
    }

    pub(crate) fn needs_recovery(self) -> bool {
        self.incompatible & RECOVER != 0
    }

    /// Whether this is no file system at all, but the journal of another.
    pub(crate) fn is_journal(self) -> bool {
        self.incompatible & JOURNAL_DEV != 0
    }

    pub(crate) fn has_kinds_in_directories(self) -> bool {
        self.incompatible & FILETYPE != 0
    }

    pub(crate) fn has_meta_block_groups(self) -> bool {
        self.incompatible & META_BG != 0
    }

    pub(crate) fn is_64bit(self) -> bool {
        self.incompatible & SIXTY_FOUR_BIT != 0
    }

    pub(crate) fn has_checksum_seed(self) -> bool {
        self.incompatible & CSUM_SEED != 0
    }

    pub(crate) fn has_large_directories(self) -> bool {
        self.incompatible & LARGEDIR != 0
    }

    /// CRC-32C over all metadata.
    pub(crate) fn has_metadata_checksums(self) -> bool {
        self.read_only & METADATA_CSUM != 0
    }

    /// CRC-16 over group descriptors alone.
    pub(crate) fn has_group_checksums(self) -> bool {
        self.read_only & GDT_CSUM != 0
    }

    /// `ext2`, `ext3` or `ext4`, whichever is the oldest that has them all.
    pub(crate) fn name(self) -> &'static str {
        let is_ext4 = self.incompatible & !EXT3 != 0 || self.read_only & !EXT3_READ_ONLY != 0;
        match (is_ext4, self.has_journal()) {
            (true, _) => "ext4",
            (false, true) => "ext3",
            (false, false) => "ext2",
        }
    }

    /// What we cannot read, by name.
    pub(crate) fn unsupported(self) -> Vec<String> {
        let unknown = self.incompatible & !READ & !JOURNAL_DEV;
        let name = |bit: u32| match bit {
            COMPRESSION => "ext4 feature compression".to_string(),
            bit => format!("ext4 incompatible feature {bit:#x}"),
        };
        (0..32).map(|shift| 1_u32 << shift).filter(|bit| unknown & bit != 0).map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_is_the_oldest_that_has_its_features() {
        let name = |compatible, incompatible, read_only| {
            Features { compatible, incompatible, read_only }.name()
        };
        assert_eq!(name(0x38, 0x2, 0x3), "ext2");
        assert_eq!(name(0x3c, 0x6, 0x3), "ext3");
        assert_eq!(name(0x3c, 0x242, 0x3), "ext4");
        assert_eq!(name(0x38, 0x2, 0x7b), "ext4");
    }

    #[test]
    fn features_that_are_not_read_are_named() {
        let features = Features { compatible: 0, incompatible: 0x8000_0043, read_only: 0 };
        let names = ["ext4 feature compression", "ext4 incompatible feature 0x80000000"];
        assert_eq!(features.unsupported(), names);
    }
}
