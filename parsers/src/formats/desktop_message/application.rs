//! Docker Desktop as a program: started, shut down, crashed, signed in, first used.

use super::wording::{Wording, find, is_component, wording};
use super::{Message, Topic};
use dockline_timeline::Meaning::{self, End, Recorded, Start};

const TABLE: &[Wording] = &[
    row(("GUI", "Starting..."), ("app_start", Start), "Docker Desktop was started"),
    row(
        ("GUI", "An instance is already running"),
        ("app_start_refused", Recorded),
        "Docker Desktop was started again while it ran",
    ),
    row(
        ("", "shutdownSequence begin"),
        ("app_stopping", Recorded),
        "Docker Desktop is shutting down",
    ),
    row(("", "backend crashed, dumping error to file"), ("app_crash", End), "the backend crashed"),
    row(("", "Login successfull"), ("login", Recorded), "somebody signed in at Docker Hub"),
    row(("", "Successfully logged in"), ("login", Recorded), "somebody signed in at Docker Hub"),
    row(("", "Logout"), ("logout", Recorded), "somebody signed out of Docker Hub"),
];

const fn row(
    begins: (&'static str, &'static str),
    action: (&'static str, Meaning),
    says: &'static str,
) -> Wording {
    wording(begins, Topic::Application, action, says)
}

pub(super) fn read<'a>(component: &str, message: &'a str) -> Option<Message<'a>> {
    first_use(message)
        .or_else(|| compose(message))
        .or_else(|| registry_access(component))
        .or_else(|| find(TABLE, component, message))
}

/// `NPS user ceated on :3/5/2018 2:31:38 AM -08:00`, spelled so: when the user's profile was first
/// used, in the form that the host's culture has.
fn first_use<'a>(message: &'a str) -> Option<Message<'a>> {
    let (_, when) = message
        .split_once("NPS user ceated on :")
        .or_else(|| message.split_once("NPS user created on :"))?;
    let told = Message::new(Topic::Application, "first_use", "when Docker Desktop was first used");
    Some(told.text("first_used", Some(when.trim())))
}

/// `compose/bulk/:action ProjectName:shop Action:down`.
fn compose<'a>(message: &'a str) -> Option<Message<'a>> {
    let (_, rest) = message.split_once("compose/bulk/:action")?;
    let value = |key: &str| {
        let (_, after) = rest.split_once(key)?;
        after.trim_start().split([' ', ',', '}', '"']).find(|word| !word.is_empty())
    };
    let told = Message::new(
        Topic::Application,
        "compose",
        "somebody used a compose project in the graphical interface",
    );
    Some(
        told.text("compose_project", value("ProjectName:"))
            .text("compose_action", value(" Action:")),
    )
}

/// Whatever the watchers of registries and organizations say: there is little of it, and it names
/// who was signed in.
fn registry_access<'a>(component: &str) -> Option<Message<'a>> {
    let says = if is_component(component, "registryaccess") {
        "which registries may be used"
    } else if is_component(component, "allowed-orgs") {
        "which organizations may sign in"
    } else {
        return None;
    };
    Some(Message::new(Topic::Application, "registry_access", says))
}
