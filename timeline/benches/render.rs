//! How fast one worker renders events of a typical container log, for each output.
//!
//! `cargo bench -p dockline-timeline --bench render`

use dockline_timeline::output::{self, Output};
use dockline_timeline::{Event, Instant, Kind, Meaning, Origin, Position, Rank, Subject};
use std::error::Error;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

const EVENTS: u32 = 20_000;
const ROUNDS: usize = 75;

static KIND: Kind = Kind {
    data_type: "docker:container:log:entry",
    source_short: "DOCKER",
    source_long: "Docker container log",
};

/// Lines as servers write them: access logs, JSON, colours, characters beyond ASCII.
const TEXTS: [&str; 6] = [
    "172.18.0.1 - - [21/Nov/2026:21:54:17 +0000] \"GET /api/v1/items?page=3 HTTP/1.1\" 200 5316",
    "{\"level\":\"info\",\"ts\":1700603657.12,\"msg\":\"request done\",\"status\":200,\"ms\":12.4}",
    "2026-11-21 21:54:17.120 UTC [61] LOG:  checkpoint complete: wrote 42 buffers (0.3%)",
    "\u{1b}[32mINFO\u{1b}[0m server listening on 0.0.0.0:8080",
    "Überprüfung von „Größe“ beendet – 3 µs",
    "    at org.example.shop.Cart.checkout(Cart.java:214)",
];

fn main() -> Result<(), Box<dyn Error>> {
    let origin = origin();
    let subject = subject();
    for output in output::all() {
        let (bytes, best) = best_of(output.as_ref(), &origin, &subject)?;
        let seconds = best.as_secs_f64();
        writeln!(
            stdout(),
            "{:8} {:7.0} MB/s {:6.2} M events/s {:6.0} bytes an event",
            output.name(),
            bytes / seconds / 1e6,
            f64::from(EVENTS) / seconds / 1e6,
            bytes / f64::from(EVENTS),
        )?;
    }
    Ok(())
}

fn origin() -> Origin {
    let id = "25b0".repeat(16);
    let path = format!("/var/lib/docker/containers/{id}/{id}-json.log");
    let place = (Arc::from("node-17"), Arc::from("node-17.E01"), Arc::from(path));
    Origin::new(place, "docker.json_file_log", Rank(3))
}

fn subject() -> Subject {
    Subject {
        container_identifier: Some("25b0".repeat(16)),
        container_name: Some("shop-web-1".to_owned()),
        image_name: Some("registry.example.com/shop/web:2.4.38".to_owned()),
        image_identifier: Some(format!("sha256:{}", "ab12".repeat(16))),
    }
}

/// Bytes of one round, and the time of the fastest.
fn best_of(
    output: &dyn Output,
    origin: &Origin,
    subject: &Subject,
) -> Result<(f64, Duration), Box<dyn Error>> {
    let mut renderer = output.renderer();
    let mut buffer = Vec::with_capacity(1 << 20);
    let mut best = Duration::MAX;
    let mut bytes = 0.0;
    for _ in 0..ROUNDS {
        let start = Clock::now();
        bytes = 0.0;
        for number in 0..EVENTS {
            let event = log_event(number, origin, subject)?;
            renderer.render(black_box(&event), &mut buffer);
            if buffer.len() > 900_000 {
                bytes += f64::from(u32::try_from(buffer.len())?);
                black_box(&mut buffer).clear();
            }
        }
        bytes += f64::from(u32::try_from(buffer.len())?);
        buffer.clear();
        best = best.min(start.elapsed());
    }
    Ok((bytes, best))
}

fn log_event<'a>(
    number: u32,
    origin: &'a Origin,
    subject: &'a Subject,
) -> Result<Event<'a>, Box<dyn Error>> {
    let nanoseconds = number.wrapping_mul(7_919_117) % 1_000_000_000;
    let instant = Instant::new(1_700_603_657 + i64::from(number / 100), nanoseconds)
        .ok_or("no such instant")?;
    let text = TEXTS.iter().cycle().nth(usize::try_from(number % 6)?).ok_or("no text")?;
    let at = (instant, Meaning::ContentModification);
    Ok(Event {
        position: Position::Line(u64::from(number)),
        action: "log",
        text: text.into(),
        log_source: Some("stdout"),
        ..Event::new(origin, &KIND, subject, at)
    })
}
