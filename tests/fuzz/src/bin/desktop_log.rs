//! Logs of Docker Desktop: lines without a date, and any others, or a console when the input begins
//! like one.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let is_console = input.starts_with(b"[ ") || input.starts_with(b"INFO");
    let name = if is_console { "log/vm/console.log" } else { "log.txt" };
    dockline_fuzz::read_as_file(&format!("Users/ada/AppData/Local/Docker/{name}"), input);
});
