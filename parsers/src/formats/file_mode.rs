//! The mode of a file, as `ls -l` writes it.

use dockline_evidence::FileKind;

/// Setuid, setgid and sticky, with the letter that stands for each where the file may be executed,
/// and where not, and the bit of that permission.
const SPECIAL: [(u32, u8, u8, u32, usize); 3] = [
    (0o4000, b's', b'S', 0o100, 3),
    (0o2000, b's', b'S', 0o010, 6),
    (0o1000, b't', b'T', 0o001, 9),
];

/// `-rwsr-xr-x`.
#[must_use]
pub fn mode_as_string(kind: FileKind, mode: u32) -> String {
    let kind = match kind {
        FileKind::Regular => '-',
        FileKind::Directory => 'd',
        FileKind::SymbolicLink => 'l',
        FileKind::CharacterDevice => 'c',
        FileKind::BlockDevice => 'b',
        FileKind::Fifo => 'p',
        FileKind::Socket => 's',
    };
    let letters = "rwxrwxrwx".bytes().enumerate().map(|(index, letter)| {
        let bit = 0o400_u32.checked_shr(u32::try_from(index).unwrap_or(0)).unwrap_or(0);
        let special = SPECIAL.iter().find(|(.., at)| index.checked_add(1) == Some(*at));
        match special {
            Some((special, with, _, execute, _)) if mode & special != 0 && mode & execute != 0 => {
                *with
            }
            Some((special, _, without, ..)) if mode & special != 0 => *without,
            _ if mode & bit != 0 => letter,
            _ => b'-',
        }
    });
    std::iter::once(kind).chain(letters.map(char::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_written_as_ls_does() {
        let of = |mode| mode_as_string(FileKind::Regular, mode);
        assert_eq!(of(0o644), "-rw-r--r--");
        assert_eq!(of(0o4755), "-rwsr-xr-x");
        assert_eq!(of(0o6644), "-rwSr-Sr--");
        assert_eq!(of(0o2070), "----rws---");
        assert_eq!(mode_as_string(FileKind::Directory, 0o1777), "drwxrwxrwt");
        assert_eq!(mode_as_string(FileKind::Directory, 0o1776), "drwxrwxrwT");
        assert_eq!(mode_as_string(FileKind::SymbolicLink, 0o777), "lrwxrwxrwx");
        assert_eq!(mode_as_string(FileKind::CharacterDevice, 0), "c---------");
    }
}
