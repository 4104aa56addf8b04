//! Plain text.

use std::path::Path;

use lrfind::config::DataPlan;
use lrfind::error::DataError;
use lrfind::task::data::{ExampleShape, Split, load};
use proptest::prelude::*;

use crate::{Folder, assert_refused, check_loaded, gzip, labels, numbers, refusal};

fn text(path: &Path, context: usize, held_out: f64) -> DataPlan {
    DataPlan::Text { path: path.to_owned(), source: "text".to_owned(), context, held_out, split_seed: 0 }
}

fn load_text(content: impl AsRef<[u8]>, context: usize) -> Result<Split, DataError> {
    load(&text(&Folder::with(content).file(), context, 0.0))
}

#[test]
fn pieces_follow_one_another_and_each_character_has_the_next_for_its_target() {
    let train = load_text("hello, hello!", 4).unwrap().train;
    // In the order of the code points: a space, "!", ",", then the letters.
    let number = |c: char| " !,ehlo".find(c).unwrap();
    assert_eq!(train.shape, ExampleShape::Tokens { context: 4, vocabulary: 7 });
    assert_eq!((train.len(), train.features, train.outputs()), (3, 4, 7));
    let inputs: Vec<f32> = "hello, hello".chars().map(|c| number(c) as f32).collect();
    let targets: Vec<u32> = "ello, hello!".chars().map(|c| number(c) as u32).collect();
    assert_eq!((numbers(&train), labels(&train)), (inputs, &targets[..]));
    // The last character can only be a target.
    assert_eq!(load_text("hello, hello", 4).unwrap().train.len(), 2);
    assert_eq!(load_text(gzip(b"\xef\xbb\xbfhello, hello!"), 4).unwrap().train, train);
}

#[test]
fn a_large_vocabulary_is_kept_too() {
    let characters: String = (0..600u32).filter_map(|i| char::from_u32(0x4e00 + i)).collect();
    let train = load_text(&characters, 3).unwrap().train;
    assert_eq!(train.shape, ExampleShape::Tokens { context: 3, vocabulary: 600 });
    assert_eq!((train.row(100), &labels(&train)[300..303]), (vec![300.0, 301.0, 302.0], &[301, 302, 303][..]));
}

#[test]
fn held_out_pieces_keep_their_targets() {
    let content: String = (0..400u32).map(|i| char::from(b'a' + (i * i % 23) as u8)).collect();
    let split = load(&text(&Folder::with(&content).file(), 7, 0.3)).unwrap();
    assert_eq!((split.train.len(), split.held_out.len()), (40, 17));
    for part in [&split.train, &split.held_out] {
        for i in 0..part.len() {
            let (row, targets) = (part.row(i), &labels(part)[7 * i..7 * i + 7]);
            assert!(row[1..].iter().zip(targets).all(|(&next, &target)| next == target as f32), "{row:?} {targets:?}");
        }
    }
}

#[test]
fn bad_texts_are_refused() {
    let bad = |content: &[u8], context| refusal(&text(&Folder::with(content).file(), context, 0.0));
    assert_refused(bad(b"", 4), None, &["has 0 different characters"]);
    assert_refused(bad(b"aaaaaaaaaaaaaa", 4), None, &["has 1 different characters"]);
    assert_refused(bad(b"abababab", 4), None, &["holds 8 characters", "context = 4", "lower `context`"]);
    assert_refused(bad(b"one\ntwo\nth\xffree\n", 2), Some(3), &["not UTF-8", "save the file as UTF-8"]);
    assert_refused(bad(b"\xff\xfea\0b\0", 2), Some(1), &["UTF-16"]);
    assert_refused(bad(&gzip(b"hello, hello!")[..15], 2), None, &["cut short"]);
    assert_refused(refusal(&text(Path::new("nowhere"), 4, 0.0)), None, &["check the path"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn no_bytes_make_the_text_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>(), context in 1usize..9) {
        check_loaded(&load_text(&bytes, context));
        check_loaded(&load_text(&text, context));
    }
}
