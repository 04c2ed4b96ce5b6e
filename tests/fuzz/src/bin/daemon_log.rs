//! Messages of daemons: a log of the whole host when the input begins with a letter or a digit, else
//! docker.log.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let is_of_host = input.first().is_some_and(u8::is_ascii_alphanumeric);
    let path = if is_of_host { "var/log/syslog" } else { "var/log/docker.log" };
    dockline_fuzz::read_as_file(path, input);
});
