//! Files that an investigator wants to see first: one table of rules.
//!
//! A rule looks at one file, never at its content, and gives a tag to its events. It says that
//! something is worth a look, not that it is bad: packages come with setuid programs, too.

use crate::changes::Class;
use dockline_evidence::{FileKind, Metadata};

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
    RULES.iter().filter(|rule| (rule.applies)(suspect)).map(|rule| rule.tag)
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
    let is_hidden = file.name().starts_with(b".") || file.name().iter().all(|byte| *byte == b' ');
    matches!(file.class, Class::Added | Class::Replaced) && is_hidden
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
fn has_contradicting_times(file: &Suspect<'_>) -> bool {
    let is_own =
        matches!(file.class, Class::Added | Class::Replaced | Class::Modified) && !file.is_copy;
    let Some(modified) = file.metadata.modified.filter(|_| is_own && file.is_regular()) else {
        return false;
    };
    let is_later =
        |time: dockline_timeline::Instant| time.seconds() > modified.seconds().saturating_add(1);
    let is_before_birth = file.metadata.born.is_some_and(is_later);
    let is_set = file.metadata.born.is_none()
        && modified.nanoseconds() == 0
        && file
            .metadata
            .changed
            .is_some_and(|changed| is_later(changed) && changed.nanoseconds() != 0);
    let is_in_the_future = file
        .metadata
        .changed
        .is_some_and(|changed| modified.seconds() > changed.seconds().saturating_add(1));
    is_before_birth || is_set || is_in_the_future
}

fn is_deleted_trace(file: &Suspect<'_>) -> bool {
    file.class == Class::Deleted && file.lies_in(TRACES)
}
