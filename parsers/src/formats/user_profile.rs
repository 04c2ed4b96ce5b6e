//! Whose files lie at a path: the name of the profile or the home that it is below.
//!
//! Windows and macOS keep profiles in `Users` (`C:\Documents and Settings` ended before Docker
//! did), Linux homes in `home`; root's home is `root`. Windows does not tell the cases of a name
//! apart, so `USERS` is meant as well. A mounted C:, an image of it and a folder of collected files
//! have the same names at different depths.

use crate::ArtifactFile;
use dockline_evidence::TreePath;

/// Directories of `Users` that belong to nobody in particular.
const SHARED: &[&[u8]] = &[b"Public", b"All Users", b"Default", b"Default User", b"Shared"];

/// The name of the user in whose profile or home a file lies, as the directory has it; `None` when
/// it lies in none, or in one that all users share.
#[must_use]
pub fn user(path: &TreePath) -> Option<String> {
    let mut components = path.components();
    while let Some(component) = components.next() {
        if component.eq_ignore_ascii_case(b"Users") || component == b"home" {
            let (name, is_directory) = (components.next()?, components.next().is_some());
            let is_shared = SHARED.iter().any(|shared| name.eq_ignore_ascii_case(shared));
            return (is_directory && !is_shared)
                .then(|| String::from_utf8_lossy(name).into_owned());
        }
        if component == b"root" {
            return Some(String::from("root"));
        }
    }
    None
}

/// [`user`] of a file; of one that lies in an archive or a disk in other evidence, whose profile that
/// lies in.
#[must_use]
pub fn user_of(file: &ArtifactFile) -> Option<String> {
    user(&file.path).or_else(|| user(&TreePath::parse(file.origin.evidence.as_bytes())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user_of(path: &str) -> Option<String> {
        user(&TreePath::parse(path.as_bytes()).unwrap())
    }

    #[test]
    fn the_directory_below_users_or_home_is_the_user() {
        let owned = |name: &str| Some(String::from(name));
        assert_eq!(user_of("Users/ada/AppData/Local/Docker/log.txt"), owned("ada"));
        assert_eq!(user_of("p2/USERS/Ada L/.docker/config.json"), owned("Ada L"));
        assert_eq!(user_of("home/ada/.docker/config.json"), owned("ada"));
        assert_eq!(user_of("root/.docker/config.json"), owned("root"));
        assert_eq!(user_of("C/Users/root/.docker/config.json"), owned("root"));
    }

    #[test]
    fn what_all_users_share_belongs_to_none() {
        for path in [
            "Users/Public/Documents/Hyper-V/Virtual hard disks/MobyLinuxVM.vhdx",
            "Users/all users/Docker/x",
            "Users/Default/NTUSER.DAT",
            "Users/Shared/x",
            "Users/desktop.ini",
            "ProgramData/DockerDesktop/service.txt",
            "Users",
            "",
        ] {
            assert_eq!(user_of(path), None, "{path}");
        }
    }
}
