//! CSV, IDX and made-up data.

use std::path::Path;

use lrfind::config::{Column, DataPlan, PreparePlan, SyntheticPlan, TaskKind};
use lrfind::error::DataError;
use lrfind::task::data::{ExampleShape, Split, load};
use proptest::prelude::*;

use crate::{Folder, UNTOUCHED, assert_refused, check_loaded, gzip, labels, numbers, refusal, values};

fn csv(path: &Path) -> DataPlan {
    DataPlan::Csv {
        path: path.to_owned(),
        source: "data.csv".to_owned(),
        target: Column::Index(-1),
        task: TaskKind::Classification,
        header: None,
        shape: None,
        prepare: UNTOUCHED,
    }
}

/// `csv` with another target and task.
fn csv_for(path: &Path, column: Column, kind: TaskKind) -> DataPlan {
    let mut plan = csv(path);
    if let DataPlan::Csv { target, task, .. } = &mut plan {
        (*target, *task) = (column, kind);
    }
    plan
}

fn name(text: &str) -> Column {
    Column::Name(text.to_owned())
}

fn bad_csv(text: &str) -> (Option<u64>, String) {
    refusal(&csv(&Folder::with(text).file()))
}

fn bad_regression(text: &str) -> (Option<u64>, String) {
    refusal(&csv_for(&Folder::with(text).file(), Column::Index(-1), TaskKind::Regression))
}

#[test]
fn the_digits_load() {
    let mut plan = csv(Path::new("configs/data/digits.csv.gz"));
    if let DataPlan::Csv { prepare, .. } = &mut plan {
        *prepare = PreparePlan { held_out: 0.2, standardize: true, ..UNTOUCHED };
    }
    let split = load(&plan).unwrap();
    assert_eq!((split.train.len(), split.held_out.len()), (1438, 359));
    for part in [&split.train, &split.held_out] {
        assert_eq!((part.features, part.outputs(), part.inputs.len()), (64, 10, part.len() * 64));
        assert!(numbers(part).iter().all(|x| x.is_finite()));
    }
    // The margin of every picture is empty.
    assert!(split.notes.len() == 1 && split.notes[0].code == "constant-feature");
    let said = "4 of 64 features are constant in the training part (columns 0, 24, 32, 39, counted from 0)";
    assert_eq!(split.notes[0].message, said);
    for j in [2, 20, 63] {
        let column: Vec<f64> = (0..1438).map(|i| f64::from(split.train.row(i)[j])).collect();
        let mean = column.iter().sum::<f64>() / 1438.0;
        let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1438.0;
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "column {j}: {mean} {variance}");
    }
    assert_eq!(load(&plan).unwrap(), split);
}

#[test]
fn reads_words_names_quotes_and_other_delimiters() {
    let folder = Folder::with("\u{feff}\"width; cm\";species;height\r\n1.5;cat;2\r\n\r\n-2; ant ;3e1");
    let split = load(&csv_for(&folder.file(), name("species"), TaskKind::Classification)).unwrap();
    assert_eq!(numbers(&split.train), [1.5, 2.0, -2.0, 30.0]);
    assert_eq!(labels(&split.train), [1, 0]);
    assert!(split.held_out.is_empty() && split.notes.is_empty());

    let split = load(&csv_for(&folder.file(), name("height"), TaskKind::Regression));
    assert!(split.unwrap_err().message.contains("column \"species\": \"cat\" is not a number"));
}

#[test]
fn reads_tabs_and_targets_by_position_and_gzip_by_its_bytes() {
    let folder = Folder::with(gzip(b"3\t1\t0\n4\t2\t7\n"));
    let split = load(&csv_for(&folder.file(), Column::Index(0), TaskKind::Regression)).unwrap();
    assert_eq!(split.train.row(1), [2.0, 7.0]);
    assert_eq!(values(&split.train), [3.0, 4.0]);
    assert_eq!(split.train.outputs(), 1);

    // Two gzip members in one file are one text.
    let folder = Folder::with([gzip(b"1,0\n2,1\n"), gzip(b"3,1\n")].concat());
    assert_eq!(numbers(&load(&csv(&folder.file())).unwrap().train), [1.0, 2.0, 3.0]);
}

#[test]
fn a_bad_cell_is_named_by_line_column_and_value() {
    assert_refused(bad_csv("a,b,y\n1,2,0\n1,red,1\n"), Some(3), &["column \"b\": \"red\" is not a number"]);
    assert_refused(bad_csv("1,2,0\n1,red,1\n"), Some(2), &["column 1 (counted from 0): \"red\""]);
    let drop = "fill in a value or drop the row";
    assert_refused(bad_csv("1,2,0\n1,,1\n"), Some(2), &["column 1", "empty", drop]);
    assert_refused(bad_csv("1,2,0\nNaN,2,1\n"), Some(2), &["column 0", "\"NaN\"", drop]);
    assert_refused(bad_csv("1,2,0\n1,-inf,1\n"), Some(2), &["\"-inf\"", drop]);
    assert_refused(bad_csv("1,2,0\n1,1e99,1\n"), Some(2), &["\"1e99\" is too large"]);
    assert_refused(bad_csv("1,2,0\n1,2,\n"), Some(2), &["column 2", "label is empty"]);
    assert_refused(bad_csv("1,2,0\n1,2,nan\n"), Some(2), &["\"nan\" is no class label"]);
    assert_refused(bad_regression("1,2,0\n1,2,inf\n"), Some(2), &["column 2", "\"inf\"", drop]);
    assert_refused(bad_csv("a;b\n1,5;0\n2;1\n"), Some(2), &["\"1,5\" has a comma: write a decimal point"]);
}

#[test]
fn lines_are_counted_past_every_line_end_blank_line_and_quoted_one() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a,b,y", "", "1,2,0", "\"1\n\",2,1", "", "", "1,x,1", "1,2,0"].join(end);
        assert_refused(bad_csv(&text), Some(8), &["column \"b\": \"x\""]);
    }
}

#[test]
fn problems_are_reported_together_and_the_list_ends() {
    assert_refused(
        bad_csv("1,2,0\nx,2,1\n1,2\n1,2,0\n,2,0\n"),
        Some(2),
        &["\"x\"", "\n  line 3: the row has 2 cells", "\n  line 5: column 0 (counted from 0): the cell is empty"],
    );
    let rows: String = (0..20).map(|_| "1,2\n").collect();
    let (line, message) = bad_csv(&format!("1,2,0\n{rows}"));
    assert_eq!((line, message.lines().count()), (Some(2), 11));
    assert!(message.ends_with("only the first ten are shown"));
}

#[test]
fn a_column_of_text_is_one_problem() {
    let (line, message) = bad_csv(&format!("1,2,0\n{}", "x,y,1\n".repeat(100)));
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!((line, lines.len()), (Some(2), 2), "{message}");
    for (text, column) in lines.iter().zip(["column 0", "  line 2: column 1"]) {
        assert!(text.starts_with(column) && text.ends_with("; lines 3, 4, 5 and 96 more have the like"), "{message}");
    }
}

#[test]
fn ragged_rows_are_refused() {
    assert_refused(bad_csv("1,2,0\n1,2,1,4\n"), Some(2), &["4 cells", "the first line has 3"]);
    for end in ["", "\n", "\n1,2,0\n"] {
        assert_refused(bad_csv(&format!("1,2,0\n1,\"2,1{end}")), Some(2), &["never closed"]);
    }
    assert_refused(bad_csv("only\nwords\n"), Some(1), &["only one column found (\"only\")"]);
}

#[test]
fn text_that_is_not_utf8_is_refused_with_its_place() {
    let refused = |bytes: &[u8]| refusal(&csv(&Folder::with(bytes).file()));
    assert_refused(refused(b"a,b,y\n1,2,0\n1,2,caf\xe9\n"), Some(3), &["column \"y\"", "from byte 3", "UTF-8"]);
    assert_refused(refused(b"a,\xe9,y\n1,2,0\n"), Some(1), &["column 1", "UTF-8"]);
    assert_refused(refused(b"\xff\xfea\0,\0b\0\n\0"), Some(1), &["UTF-16"]);
}

#[test]
fn targets_that_cannot_be_found_are_refused() {
    let with = |target, task| refusal(&csv_for(&Folder::with("width,height\n1,2\n2,3\n").file(), target, task));
    let (class, number) = (TaskKind::Classification, TaskKind::Regression);
    assert_refused(with(name("heigth"), class), Some(1), &["\"width\", \"height\"; did you mean \"height\"?"]);
    assert_refused(with(Column::Index(2), number), Some(1), &["target = 2", "there are 2 columns"]);
    assert_refused(with(Column::Index(-3), number), Some(1), &["target = -3", "-1 to -2"]);
    let bare = Folder::with("1,2\n2,3\n");
    assert_refused(refusal(&csv_for(&bare.file(), name("y"), class)), Some(1), &["only numbers"]);
}

#[test]
fn targets_that_cannot_be_learnt_are_refused() {
    assert_refused(bad_csv("1,2,yes\n1,3,yes\n"), None, &["column 2", "same class, \"yes\""]);
    let quantities = (0..30).map(|i| format!("{i},{}.25", i * 3)).collect::<Vec<_>>().join("\n");
    assert_refused(bad_csv(&quantities), None, &["30 different values in 30 rows", "task = \"regression\""]);
    assert_refused(bad_regression("1,5\n2,5.0\n"), None, &["the target is 5 in every row"]);
    assert_refused(bad_csv("a,y\n1,0\n1,0\n"), None, &["column \"y\""]);
}

#[test]
fn empty_and_missing_files_are_refused() {
    assert_refused(bad_csv(""), None, &["the file is empty"]);
    assert_refused(bad_csv("\n \n\n"), None, &["the file is empty"]);
    assert_refused(bad_csv("a,b,y\n"), None, &["a header and nothing else"]);
    assert_refused(bad_regression("1,2\n"), None, &["nothing to learn"]);

    let folder = Folder::with("");
    assert_refused(refusal(&csv(&folder.0.path().join("nowhere.csv"))), None, &["check the path"]);
    assert_refused(refusal(&csv(folder.0.path())), None, &["cannot be read"]);
}

#[test]
fn damaged_gzip_is_refused() {
    let whole = gzip("1,2,0\n3,4,1\n".repeat(500).as_bytes());
    for kept in [3, 12, whole.len() / 2, whole.len() - 1] {
        assert_refused(refusal(&csv(&Folder::with(&whole[..kept]).file())), None, &["cut short", "fetch it again"]);
    }
    let mut damaged = whole.clone();
    let crc = damaged.len() - 6;
    damaged[crc] ^= 1;
    assert_refused(refusal(&csv(&Folder::with(&damaged).file())), None, &["damaged", "fetch the file again"]);
    assert!(load(&csv(&Folder::with([whole, b"garbage".to_vec()].concat()).file())).is_err());
}

/// An IDX file of unsigned bytes.
fn idx(dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

/// Loads, with whatever is in them, an image and a label file.
fn load_idx(images: &[u8], labels: &[u8]) -> Result<Split, DataError> {
    let folder = Folder::with("");
    load(&DataPlan::Idx {
        images: folder.add("images", images),
        images_source: "images".to_owned(),
        labels: folder.add("labels", labels),
        labels_source: "labels".to_owned(),
        prepare: UNTOUCHED,
    })
}

#[test]
fn idx_pairs_load_plain_and_gzipped() {
    let images = idx(&[3, 2, 2], &[0, 255, 51, 102, 1, 2, 3, 4, 5, 6, 7, 8]);
    let targets = idx(&[3], &[7, 1, 7]);
    let split = load_idx(&images, &targets).unwrap();
    assert_eq!((split.train.features, split.train.outputs(), labels(&split.train)), (4, 2, &[1, 0, 1][..]));
    assert_eq!(split.train.row(0), [0.0, 1.0, 0.2, 0.4]);
    assert_eq!(load_idx(&gzip(&images), &gzip(&targets)).unwrap(), split);
    assert_eq!(split.train.shape, ExampleShape::Image { channels: 1, height: 2, width: 2 });
    let flat = load_idx(&idx(&[3, 4], &images[16..]), &targets).unwrap().train;
    assert_eq!((flat.shape, numbers(&flat)), (ExampleShape::Flat, numbers(&split.train)));
    let colour = load_idx(&idx(&[3, 2, 2, 1], &images[16..]), &targets).unwrap().train;
    assert_eq!(colour.shape, ExampleShape::Image { channels: 2, height: 2, width: 1 });
    assert_eq!(numbers(&colour), numbers(&split.train));
}

#[test]
fn bad_idx_files_are_refused_by_name() {
    let images = idx(&[3, 2, 1], &[0, 1, 2, 3, 4, 5]);
    let targets = idx(&[3], &[0, 1, 2]);
    let floats = [&[0, 0, 0x0d, 1], &images[4..]].concat();
    let huge = idx(&[u32::MAX; 2], &[]);
    let overflowing = idx(&[u32::MAX; 4], &[]);
    let more = [&images[..], &[9]].concat();
    let zipped = gzip(&images);
    for (pixels, answers, file, words) in [
        (&targets[..], &images[..], "images", "looks like the label file"),
        (&images, &images, "labels", "looks like the image file"),
        (&images, &idx(&[2], &[0, 1]), "labels", "holds 2 labels, but"),
        (&images, &idx(&[3], &[4, 4, 4]), "labels", "every label is the same"),
        (&images[..images.len() - 1], &targets, "images", "ends after 5 of 6 elements"),
        (&images, &targets[..9], "labels", "ends after 1 of 3 elements"),
        (&images[..9], &targets, "images", "ends within its head"),
        (&[], &targets, "images", "ends within its head"),
        (&more, &targets, "images", "goes on after its 6 elements"),
        (b"1,2,3\n", &targets, "images", "[31, 2c, 32, 2c]"),
        (&floats, &targets, "images", "type 0x0d"),
        (&huge, &targets, "images", "8 GiB"),
        (&overflowing, &targets, "images", "cannot be"),
        (&idx(&[], &[]), &targets, "images", "no dimensions"),
        (&idx(&[0, 2], &[]), &targets, "images", "holds no pixels (0 × 2)"),
        (&idx(&[3, 0], &[]), &targets, "images", "holds no pixels"),
        (&zipped[..zipped.len() - 2], &targets, "images", "cut short"),
    ] {
        let error = load_idx(pixels, answers).unwrap_err();
        assert!(error.path.ends_with(file) && error.message.contains(words), "{error}");
    }
}

#[test]
fn made_up_data_loads_and_the_quadratic_has_none() {
    let made = |problem| load(&DataPlan::Synthetic { problem, data_seed: 3, held_out: 0.25 }).unwrap();
    let teacher = made(SyntheticPlan::TeacherStudent { samples: 200, features: 5, hidden: 4, noise: 0.1 });
    assert_eq!((teacher.train.len(), teacher.held_out.len(), teacher.train.features), (150, 50, 5));
    let spirals = made(SyntheticPlan::Spirals { samples: 200, classes: 4, noise: 0.1, label_noise: 0.5 });
    assert_eq!((spirals.train.len(), spirals.train.outputs(), spirals.train.features), (150, 4, 2));
    let quadratic = made(SyntheticPlan::Quadratic { curvatures: vec![1.0], noise: 0.0 });
    assert!(quadratic.train.is_empty() && quadratic.held_out.is_empty());
}

/// Loads `content` in every way that a file can be taken, for the panics.
fn try_everything(content: &[u8]) {
    let folder = Folder::with(content);
    for target in [Column::Index(0), Column::Index(-1), name("a")] {
        for task in [TaskKind::Classification, TaskKind::Regression] {
            let mut plan = csv_for(&folder.file(), target.clone(), task);
            for (guess, scaled) in [(None, true), (Some(true), false), (Some(false), true)] {
                if let DataPlan::Csv { header, prepare, .. } = &mut plan {
                    (*header, *prepare) = (guess, PreparePlan { standardize: scaled, held_out: 0.4, ..UNTOUCHED });
                }
                check_loaded(&load(&plan));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn no_bytes_make_the_csv_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        try_everything(&bytes);
        try_everything(&gzip(&bytes));
    }

    #[test]
    fn no_text_of_likely_pieces_makes_the_csv_reader_panic(
        pieces in prop::collection::vec(
            prop::sample::select(vec!["1", "2", "-2.5", "a", "nan", "1e39", ",", ",", ";", "\t", "\n", "\n", "\r", "\"", " ", "é"]),
            0..60,
        ),
    ) {
        try_everything(pieces.concat().as_bytes());
    }

    #[test]
    fn tables_of_numbers_come_back_as_they_were(
        rows in prop::collection::vec((any::<f32>(), -1e30f32..1e30, 0usize..3), 2..40)
    ) {
        let rows: Vec<_> = rows.into_iter().filter(|(x, ..)| x.is_finite()).collect();
        let text = rows.iter().map(|(x, y, class)| format!("{x},{y},c{class}")).collect::<Vec<_>>().join("\n");
        let distinct = (0..3).filter(|c| rows.iter().any(|r| r.2 == *c)).count();
        let outcome = load(&csv(&Folder::with(text).file()));
        prop_assert_eq!(outcome.is_ok(), distinct > 1);
        if let Ok(split) = outcome {
            let expected: Vec<f32> = rows.iter().flat_map(|(x, y, _)| [*x, *y]).collect();
            prop_assert_eq!(numbers(&split.train), expected);
        }
    }

    #[test]
    fn no_bytes_make_the_idx_reader_panic(
        images in prop::collection::vec(any::<u8>(), 0..60),
        labels in prop::collection::vec(any::<u8>(), 0..40),
        dimensions in prop::collection::vec(prop_oneof![0u32..6, any::<u32>()], 0..5),
    ) {
        check_loaded(&load_idx(&images, &labels));
        let count = dimensions.first().copied().unwrap_or(0);
        check_loaded(&load_idx(&idx(&dimensions, &images), &idx(&[count], &labels)));
        let pixels = dimensions.iter().fold(1u64, |n, &d| n.saturating_mul(u64::from(d))).min(2000) as usize;
        let whole = images.iter().copied().cycle().take(if images.is_empty() { 0 } else { pixels }).collect::<Vec<_>>();
        let answers: Vec<u8> = (0..count.min(10)).map(|i| i as u8 % 3).collect();
        check_loaded(&load_idx(&idx(&dimensions, &whole), &idx(&[count], &answers)));
    }
}
