//! A command of a container tool that somebody ran through sudo, as sudo logs it: `alice : TTY=pts/0 ;
//! PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/docker run --privileged ...`.

/// Tools whose commands are told.
const TOOLS: &[&str] = &[
    "docker",
    "docker-compose",
    "dockerd",
    "podman",
    "podman-compose",
    "buildah",
    "skopeo",
    "nerdctl",
    "ctr",
    "crictl",
    "kubectl",
    "runc",
    "crun",
];

/// A command that was run through sudo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sudo<'m> {
    /// Who ran it.
    pub(super) user: &'m str,
    /// The command with its arguments.
    pub(super) command: &'m str,
}

impl<'m> Sudo<'m> {
    /// Reads a message of sudo; `None` when it runs no container tool.
    pub(super) fn read(message: &'m str) -> Option<Sudo<'m>> {
        let (before, command) = message.split_once("COMMAND=")?;
        let program = command.split(' ').next()?;
        let tool = program.rsplit('/').next()?;
        let user = before.split(" : ").next()?.trim();
        TOOLS.contains(&tool).then_some(Sudo { user, command })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_of_container_tools_are_told() {
        let line = "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/docker run -v /:/host sh";
        let expected = Sudo { user: "alice", command: "/usr/bin/docker run -v /:/host sh" };
        assert_eq!(Sudo::read(line), Some(expected));
        assert_eq!(Sudo::read("alice : USER=root ; COMMAND=/usr/bin/apt install docker"), None);
        assert_eq!(Sudo::read("pam_unix(sudo:session): session opened"), None);
    }
}
