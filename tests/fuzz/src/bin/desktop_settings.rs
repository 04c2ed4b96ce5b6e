//! Settings of Docker Desktop, and a program with a version resource.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    dockline_fuzz::read_as_file("Docker/settings.json", input);
    dockline_fuzz::read_as_file("Docker/Docker/Docker Desktop.exe", input);
});
