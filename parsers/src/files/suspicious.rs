//! Files that an investigator wants to see first: one table of rules.
//!
//! A rule looks at one file, never at its content, and gives a tag to its events. It says that
//! something is worth a look, not that it is bad: packages come with setuid programs, too.

use crate::changes::Class;
use dockline_evidence::{FileKind, Metadata};
use dockline_timeline::Instant;

/// In nanoseconds.
const SECOND: i128 = 1_000_000_000;

/// What a rule may look at.
#[derive(Clone, Copy, Debug)]
pub struct Suspect<'a> {
    /// The path, as the container sees it, with a leading `/`, in bytes.
    pub path: &'a [u8],
    /// What became of it.
    pub class: Class,
    /// What is known of it; of what is gone, as it was.
    pub metadata: &'a Metadata,
    /// What it was below.
    pub below: Option<&'a Metadata>,
    /// Whether it is a copy that kept the times of a node of a layer below.
    pub is_copy: bool,
    /// When its directory was last written.
    pub directory_modified: Option<Instant>,
}

/// One rule.
struct Rule {
    tag: &'static str,
    applies: fn(&Suspect<'_>) -> bool,
}

/// All rules, in the order in which their tags are given.
const RULES: &[Rule] = &[
    Rule { tag: "suspicious-file:setuid", applies: |file| file.gained(0o4000) },
    Rule { tag: "suspicious-file:setgid", applies: |file| file.gained(0o2000) },
    Rule { tag: "suspicious-file:executable-in-temporary", applies: is_executable_in_temporary },
    Rule { tag: "suspicious-file:hidden-name", applies: has_hidden_name },
    Rule { tag: "suspicious-file:control-characters", applies: has_control_characters },
    Rule { tag: "suspicious-file:accounts", applies: |file| file.is_one_of(ACCOUNTS) },
    Rule { tag: "suspicious-file:sudoers", applies: |file| file.is_one_of(SUDOERS) },
    Rule { tag: "suspicious-file:cron", applies: |file| file.is_one_of(CRON) },
    Rule { tag: "suspicious-file:ssh", applies: |file| file.is_one_of(SSH) },
    Rule { tag: "suspicious-file:loader", applies: |file| file.is_one_of(LOADER) },
    Rule { tag: "suspicious-file:startup", applies: |file| file.is_one_of(STARTUP) },
    Rule { tag: "suspicious-file:authentication", applies: |file| file.is_one_of(AUTHENTICATION) },
    Rule { tag: "suspicious-file:web-root", applies: |file| file.is_one_of(WEB_ROOTS) },
    Rule { tag: "suspicious-file:device-node", applies: is_device_node },
    Rule { tag: "suspicious-file:time-contradiction", applies: has_contradicting_times },
    Rule { tag: "suspicious-file:trace-deleted", applies: is_deleted_trace },
];

// A path that ends in `/` stands for all below it, one that begins with `*` for the end of a path.
const TEMPORARY: &[&str] = &["/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/"];
const ACCOUNTS: &[&str] = &["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"];
const SUDOERS: &[&str] = &["/etc/sudoers", "/etc/sudoers.d/", "/etc/doas.conf", "/etc/doas.d/"];
const CRON: &[&str] = &[
    "/etc/crontab",
    "/etc/cron.d/",
    "/etc/cron.hourly/",
    "/etc/cron.daily/",
    "/etc/cron.weekly/",
    "/etc/cron.monthly/",
    "/etc/crontabs/",
    "/etc/anacrontab",
    "/etc/periodic/",
    "/var/spool/cron/",
    "/var/spool/at/",
];
const SSH: &[&str] = &[
    "/etc/ssh/",
    "*/.ssh/authorized_keys",
    "*/.ssh/authorized_keys2",
    "*/.ssh/config",
    "*/.ssh/rc",
];
const LOADER: &[&str] =
    &["/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d/", "/etc/ld-musl-x86_64.path"];
const STARTUP: &[&str] = &[
    "/etc/systemd/",
    "/lib/systemd/system/",
    "/usr/lib/systemd/system/",
    "/usr/local/lib/systemd/system/",
    "/etc/init.d/",
    "/etc/rc.local",
    "/etc/inittab",
    "/etc/profile",
    "/etc/profile.d/",
    "/etc/bash.bashrc",
    "/etc/environment",
    "*/.bashrc",
    "*/.bash_profile",
    "*/.profile",
    "*/.zshrc",
];
const AUTHENTICATION: &[&str] = &[
    "/etc/pam.d/",
    "/etc/pam.conf",
    "/etc/nsswitch.conf",
    "/lib/security/",
    "/lib/x86_64-linux-gnu/security/",
    "/usr/lib64/security/",
];
const WEB_ROOTS: &[&str] = &[
    "/var/www/",
    "/srv/www/",
    "/srv/http/",
    "/usr/share/nginx/html/",
    "/usr/local/apache2/htdocs/",
    "/usr/local/tomcat/webapps/",
    "/opt/lampp/htdocs/",
];
const TRACES: &[&str] = &[
    "/var/log/",
    "*/.bash_history",
    "*/.ash_history",
    "*/.zsh_history",
    "*/.sh_history",
    "*/.python_history",
    "*/.mysql_history",
    "*/.viminfo",
    "*/.lesshst",
];

/// The tags of a file, in the order of the table.
pub fn tags(suspect: &Suspect<'_>) -> impl Iterator<Item = &'static str> {
    tags_of_any(std::slice::from_ref(suspect))
}

/// The tags of a file that is seen under several paths, each tag once.
pub fn tags_of_any(suspects: &[Suspect<'_>]) -> impl Iterator<Item = &'static str> {
    let applies = |rule: &&Rule| suspects.iter().any(|suspect| (rule.applies)(suspect));
    RULES.iter().filter(applies).map(|rule| rule.tag)
}

impl Suspect<'_> {
    /// Whether the container made it what it is, and did not only delete or open it.
    fn was_made_or_changed(&self) -> bool {
        !matches!(self.class, Class::Deleted | Class::CopiedUp)
    }

    fn is_regular(&self) -> bool {
        self.metadata.kind == FileKind::Regular
    }

    fn name(&self) -> &[u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// Whether it is a program that has a bit of the mode now that it had not below.
    fn gained(&self, bit: u32) -> bool {
        let has = |metadata: &Metadata| metadata.mode.is_some_and(|mode| mode & bit != 0);
        let had = self.below.is_some_and(has) && self.class == Class::Metadata;
        self.is_regular() && self.was_made_or_changed() && has(self.metadata) && !had
    }

    fn lies_in(&self, paths: &[&str]) -> bool {
        paths.iter().any(|pattern| match pattern.strip_prefix('*') {
            Some(end) => self.path.ends_with(end.as_bytes()),
            None if pattern.ends_with('/') => self.path.starts_with(pattern.as_bytes()),
            None => self.path == pattern.as_bytes(),
        })
    }

    /// Whether one of these was made, changed or deleted; a directory that only was copied up was
    /// not.
    fn is_one_of(&self, paths: &[&str]) -> bool {
        self.class != Class::CopiedUp
            && self.metadata.kind != FileKind::Directory
            && self.lies_in(paths)
    }
}

fn is_executable_in_temporary(file: &Suspect<'_>) -> bool {
    let is_executable = file.metadata.mode.is_some_and(|mode| mode & 0o111 != 0);
    file.is_regular() && file.was_made_or_changed() && is_executable && file.lies_in(TEMPORARY)
}

fn has_hidden_name(file: &Suspect<'_>) -> bool {
    let name = file.name();
    let is_blank = !name.is_empty() && name.iter().all(|byte| *byte == b' ');
    let is_hidden = (name.starts_with(b".") && !is_of_kubelet(file)) || is_blank;
    matches!(file.class, Class::Added | Class::Replaced) && is_hidden
}

/// The link and the directories with which the kubelet gives a volume all of its files at once:
/// `..data` to `..2024_01_31_12_00_00.123456789`.
fn is_of_kubelet(file: &Suspect<'_>) -> bool {
    let is_stamp = |name: &[u8]| {
        let is_of_stamp = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'_' | b'.');
        name.len() > 20 && name.iter().all(is_of_stamp)
    };
    match (file.metadata.kind, file.name()) {
        (FileKind::SymbolicLink, name) => name == b"..data",
        (FileKind::Directory, name) => name.strip_prefix(b"..").is_some_and(is_stamp),
        _ => false,
    }
}

fn has_control_characters(file: &Suspect<'_>) -> bool {
    file.class != Class::CopiedUp && file.name().iter().any(u8::is_ascii_control)
}

fn is_device_node(file: &Suspect<'_>) -> bool {
    let is_device = matches!(file.metadata.kind, FileKind::CharacterDevice | FileKind::BlockDevice);
    is_device && file.was_made_or_changed()
}

/// A file that was made here can have been written only after it was made, and its metadata are
/// written with its content. Where no birth is kept, a later change of the metadata counts only if
/// the modification time has no fraction, as a time that was set by hand.
///
/// In a copy of the evidence every file was made after its directory was last written: there births
/// tell nothing.
fn has_contradicting_times(file: &Suspect<'_>) -> bool {
    let is_own =
        matches!(file.class, Class::Added | Class::Replaced | Class::Modified) && !file.is_copy;
    let Metadata { born, changed, .. } = *file.metadata;
    let Some(modified) = file.metadata.modified.filter(|_| is_own && file.is_regular()) else {
        return false;
    };
    let is_later = |time: Instant| time.nanoseconds_since(modified) > SECOND;
    let is_of_copy = |born: Instant| {
        file.directory_modified.is_some_and(|written| born.nanoseconds_since(written) > SECOND)
    };
    let is_before_birth = born.is_some_and(|born| is_later(born) && !is_of_copy(born));
    let is_set = born.is_none()
        && modified.nanoseconds() == 0
        && changed.is_some_and(|changed| is_later(changed) && changed.nanoseconds() != 0);
    let is_in_the_future =
        changed.is_some_and(|changed| modified.nanoseconds_since(changed) > SECOND);
    is_before_birth || is_set || is_in_the_future
}

fn is_deleted_trace(file: &Suspect<'_>) -> bool {
    file.class == Class::Deleted && file.lies_in(TRACES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_evidence::{MemoryTree, Tree, TreePath};

    fn regular(mode: u32) -> Metadata {
        let tree = MemoryTree::new().with_file("f", "", Instant::new(1_000, 0));
        let path = TreePath::parse(b"f").unwrap();
        Metadata { mode: Some(mode), ..tree.metadata(&path).unwrap() }
    }

    fn suspect<'a>(path: &'a str, class: Class, metadata: &'a Metadata) -> Suspect<'a> {
        let (below, is_copy, directory_modified) = (None, false, None);
        let path = path.as_bytes();
        Suspect { path, class, metadata, below, is_copy, directory_modified }
    }

    fn told(path: &str, class: Class) -> Vec<&'static str> {
        let metadata = regular(0o644);
        tags(&suspect(path, class, &metadata))
            .map(|tag| tag.strip_prefix("suspicious-file:").unwrap())
            .collect()
    }

    #[test]
    fn every_rule_has_a_file_that_it_tells_and_one_that_it_does_not() {
        use Class::{Added, CopiedUp, Deleted, Modified};
        for (path, tag) in [
            ("/etc/shadow", "accounts"),
            ("/etc/sudoers.d/x", "sudoers"),
            ("/var/spool/cron/crontabs/root", "cron"),
            ("/home/u/.ssh/authorized_keys", "ssh"),
            ("/etc/ld.so.preload", "loader"),
            ("/etc/systemd/system/x.service", "startup"),
            ("/root/.bashrc", "startup"),
            ("/etc/pam.d/sshd", "authentication"),
            ("/var/www/html/shell.php", "web-root"),
            ("/a/new\nline", "control-characters"),
        ] {
            assert_eq!(told(path, Modified), [tag], "{path}");
            assert_eq!(told(path, CopiedUp), [""; 0], "{path}");
        }
        assert_eq!(told("/usr/.x", Added), ["hidden-name"]);
        assert_eq!(told("/usr/  ", Added), ["hidden-name"]);
        assert_eq!(told("/usr/.x", Modified), [""; 0]);
        assert_eq!(told("/root/.bash_history", Deleted), ["trace-deleted"]);
        assert_eq!(told("/var/log/auth.log", Deleted), ["trace-deleted"]);
        assert_eq!(told("/usr/bin/x", Added), [""; 0]);
    }

    #[test]
    fn the_names_of_the_kubelet_are_not_hidden_where_they_are_what_it_makes() {
        let of = |name: &str, kind| {
            let path = format!("/config/{name}");
            let metadata = Metadata { kind, ..regular(0o644) };
            tags(&suspect(&path, Class::Added, &metadata)).count()
        };
        let stamp = "..2024_01_31_12_00_00.123456789";
        assert_eq!(of("..data", FileKind::SymbolicLink), 0);
        assert_eq!(of(stamp, FileKind::Directory), 0);
        for (name, kind) in [
            ("..data", FileKind::Regular),
            (stamp, FileKind::SymbolicLink),
            ("..", FileKind::Directory),
            ("..2024_x", FileKind::Directory),
        ] {
            assert_eq!(of(name, kind), 1, "{name}");
        }
    }

    #[test]
    fn a_mode_is_told_where_it_was_gained() {
        let (with, without) = (regular(0o6755), regular(0o755));
        let of = |path, class, below| -> Vec<&'static str> {
            tags(&Suspect { below, ..suspect(path, class, &with) }).collect()
        };
        let both = ["suspicious-file:setuid", "suspicious-file:setgid"];
        assert_eq!(of("/bin/x", Class::Added, None), both);
        assert_eq!(of("/bin/x", Class::Metadata, Some(&without)), both);
        assert_eq!(of("/bin/x", Class::Metadata, Some(&with)), [""; 0]);
        assert_eq!(of("/bin/x", Class::CopiedUp, Some(&with)), [""; 0]);
        let executable = tags(&suspect("/dev/shm/x", Class::Added, &without)).collect::<Vec<_>>();
        assert_eq!(executable, ["suspicious-file:executable-in-temporary"]);
        let device = Metadata { kind: FileKind::BlockDevice, ..regular(0o666) };
        let device = tags(&suspect("/tmp/d", Class::Added, &device)).collect::<Vec<_>>();
        assert_eq!(device, ["suspicious-file:device-node"]);
    }

    #[test]
    fn times_contradict_each_other_unless_the_evidence_is_a_copy() {
        let at = |seconds, nanoseconds| Instant::new(seconds, nanoseconds);
        let of = |born, changed, directory_modified| {
            let metadata = Metadata { born, changed, ..regular(0o644) };
            let suspect = Suspect { directory_modified, ..suspect("/x", Class::Added, &metadata) };
            has_contradicting_times(&suspect)
        };
        assert!(of(at(2_000, 0), at(2_000, 0), at(2_000, 0)), "born after it was written");
        assert!(!of(at(2_000, 0), at(2_000, 0), at(1_000, 0)), "a copy");
        assert!(!of(at(1_000, 0), at(2_000, 0), None), "a change of the mode");
        assert!(of(None, at(2_000, 5), None), "set to a whole second");
        assert!(!of(None, at(1_000, 5), None));
        assert!(of(None, at(900, 0), None), "in the future");
        let metadata = Metadata { born: at(2_000, 0), ..regular(0o644) };
        let copy = Suspect { is_copy: true, ..suspect("/x", Class::Added, &metadata) };
        assert!(!has_contradicting_times(&copy), "copied up from a layer below");
    }
}
