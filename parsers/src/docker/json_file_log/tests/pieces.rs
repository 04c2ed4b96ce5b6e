//! Long lines and their pieces.

use super::*;
use dockline_timeline::{Event, Findings, Issue, Job, Strand};

fn piece(letter: &str, stream: &str, time: &str) -> String {
    record(&letter.repeat(16_384), stream, time)
}

fn short(found: &Collected) -> Vec<String> {
    let mut shown = shown(found);
    for letter in ["A", "B"] {
        let run = letter.repeat(16_384);
        shown.iter_mut().for_each(|line| *line = line.replace(&run, &format!("<{letter}>")));
    }
    shown
}

#[test]
fn pieces_of_one_time_are_one_event_at_the_place_of_the_first() {
    let log = [
        piece("A", "stdout", "04.5"),
        piece("A", "stdout", "04.5"),
        record("end\\n", "stdout", "04.5"),
    ];
    let found = found(&[log.concat().as_bytes()]);
    assert_eq!(short(&found), ["offset:0 stdout \"<A><A>end\" pieces=3"]);
    assert_eq!((found.records, issues(&found)), (3, vec![]));
}

#[test]
fn pieces_of_engines_before_20_10_each_have_their_own_time() {
    let log = [
        piece("A", "stdout", "04.5"),
        piece("A", "stdout", "04.6"),
        record("end\\n", "stdout", "04.7"),
    ];
    let found = found(&[log.concat().as_bytes()]);
    assert_eq!(short(&found), ["offset:0 stdout \"<A><A>end\" pieces=3"]);
    assert_eq!(found.keys[0].instant.nanoseconds(), 500_000_000);
}

#[test]
fn a_line_of_exactly_one_piece_ends_with_a_record_of_a_line_break_alone() {
    let log = [piece("A", "stdout", "04.5"), record("\\n", "stdout", "04.5")];
    let found = found(&[log.concat().as_bytes()]);
    assert_eq!(short(&found), ["offset:0 stdout \"<A>\" pieces=2"]);
}

#[test]
fn a_piece_whose_bad_bytes_were_replaced_is_still_a_piece() {
    let mut long = "A".repeat(16_383);
    long.push_str("\\ufffd");
    let log = [record(&long, "stdout", "04.5"), record("\\ufffdend\\n", "stdout", "04.6")];
    let found = found(&[log.concat().as_bytes()]);
    assert!(shown(&found)[0].ends_with("\u{fffd}\u{fffd}end\" pieces=2"));
}

#[test]
fn pieces_are_joined_by_stream_across_the_records_of_the_other() {
    let log = [
        piece("A", "stdout", "04.5"),
        record("err\\n", "stderr", "04.6"),
        piece("B", "stderr", "04.7"),
        record("out\\n", "stdout", "04.5"),
        record("more\\n", "stderr", "04.7"),
    ];
    let found = found(&[log.concat().as_bytes()]);
    let expected = [
        format!("offset:{} stderr \"err\"", log[0].len()),
        "offset:0 stdout \"<A>out\" pieces=2".to_owned(),
        format!("offset:{} stderr \"<B>more\" pieces=2", log[0].len() + log[1].len()),
    ];
    assert_eq!(short(&found), expected);
}

#[test]
fn pieces_are_joined_across_a_rotation() {
    let older = piece("A", "stdout", "04.5");
    let newer = record("end\\n", "stdout", "04.5");
    let found = found(&[older.as_bytes(), newer.as_bytes()]);
    assert_eq!(short(&found), ["offset:0 stdout \"<A>end\" pieces=2"]);
    assert_eq!(found.keys[0].rank, Rank(0));
    assert_eq!((found.records, found.record_bytes), (2, (older.len() + newer.len()) as u64));
}

#[test]
fn a_last_line_without_a_line_break_is_not_continued_by_the_next_run() {
    let log = [record("no newline", "stdout", "04"), record("next run\\n", "stdout", "05")];
    let expected = vec![
        "offset:0 stdout \"no newline\"".to_owned(),
        "offset:69 stdout \"next run\"".to_owned(),
    ];
    assert_eq!(shown(&found(&[log.concat().as_bytes()])), expected);
}

#[test]
fn once_two_pieces_share_a_time_all_do() {
    let log = [
        piece("A", "stdout", "04"),
        piece("B", "stdout", "04"),
        record("next run\\n", "stdout", "05"),
    ];
    let found = found(&[log.concat().as_bytes()]);
    assert_eq!(short(&found)[0], "offset:0 stdout \"<A><B>\" pieces=2 incomplete=true");
    assert_eq!(found.lines.len(), 2);
}

#[test]
fn a_piece_that_nothing_continues_is_an_event_and_says_so() {
    let found = found(&[piece("A", "stdout", "04").as_bytes()]);
    assert_eq!(short(&found), ["offset:0 stdout \"<A>\" incomplete=true"]);
}

#[test]
fn an_open_piece_waits_for_one_mebibyte_and_no_more() {
    let between = record("err\\n", "stderr", "04");
    let most = (1024 * 1024 - 1) / between.len();
    for (count, expected) in [(most, most + 1), (most + 1, most + 3)] {
        let log =
            [piece("A", "stdout", "03"), between.repeat(count), record("end\\n", "stdout", "03")];
        let found = found(&[log.concat().as_bytes()]);
        assert_eq!(found.lines.len(), expected, "{count}");
        assert_eq!(found.records, count as u64 + 2);
    }
}

#[test]
fn a_message_spans_at_most_four_mebibytes() {
    let log = piece("A", "stdout", "03").repeat(300);
    let found = found(&[log.as_bytes()]);
    let pieces: Vec<String> = shown(&found)
        .iter()
        .map(|line| line.rsplit('"').next().unwrap().trim().to_owned())
        .collect();
    assert_eq!(pieces, ["pieces=255 incomplete=true", "pieces=45 incomplete=true"]);
    let what = "message cut after 4194304 bytes of log; the rest follows on its own";
    assert_eq!(issues(&found), [format!("offset:0 {what} -0 -0")]);
}

#[test]
fn nothing_is_joined_across_a_hole() {
    let log = [piece("A", "stdout", "04"), "\0".repeat(9), record("end\\n", "stdout", "04")];
    let found = found(&[log.concat().as_bytes()]);
    assert_eq!(short(&found)[0], "offset:0 stdout \"<A>\" incomplete=true");
    assert_eq!(found.lines.len(), 2);
}

#[test]
fn streams_that_no_engine_writes_are_never_joined() {
    let log = [piece("A", "stdin", "04"), record("end\\n", "stdin", "04")];
    assert_eq!(found(&[log.concat().as_bytes()]).lines.len(), 2);
}

#[test]
fn a_log_in_which_always_something_is_open_is_let_out_bit_by_bit() {
    // Both streams without any line break: there is never a place where nothing is open.
    let pair = |n: u32| {
        let out = record("out", "stdout", &format!("03.{n:06}"));
        out + &record("err", "stderr", &format!("04.{n:06}"))
    };
    let log: String = (0..100_000).map(pair).collect();
    let division = Division { at_once: 0, range: u64::MAX, block: 400 };
    let mut found = Collected::new();
    read(super::log(&[log.as_bytes()]), division, &mut found);
    assert_eq!((found.lines.len(), found.issues.len()), (200_000, 0));
    let mut strands = Strands::default();
    read(super::log(&[log.as_bytes()]), division, &mut strands);
    assert!(strands.0.len() > 2, "{:?}", strands.0);
    assert!(strands.0.iter().all(|size| *size < 5 * 1024 * 1024), "{:?}", strands.0);
}

/// The sizes of all blocks.
#[derive(Default)]
struct Strands(Vec<u64>);

impl Findings for Strands {
    fn event(&mut self, _: &Event<'_>) {}
    fn issue(&mut self, _: Issue) {}
    fn records(&mut self, _: &Origin, _: u64, _: u64) {}
    fn job(&mut self, job: Job) {
        job(self);
    }
    fn strand(&mut self, strand: Box<dyn Strand>) {
        self.0.extend(strand.blocks().iter().map(|block| block.size));
    }
}
