//! NumPy arrays, in files of their own and in archives.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use lrfind::config::{DataPlan, TaskKind};
use lrfind::error::DataError;
use lrfind::task::data::{ExampleShape, Split, load};
use proptest::prelude::*;

use crate::{Folder, UNTOUCHED, check_loaded, gzip, labels, numbers, values};

/// A `.npy` file of version 1.
pub(crate) fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let mut head = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // The elements begin at a multiple of 64 bytes.
    while !(head.len() + 11).is_multiple_of(64) {
        head.push(' ');
    }
    head.push('\n');
    let length = (head.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], head.as_bytes(), elements].concat()
}

pub(crate) fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(crate) fn long_integers(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// An archive of these arrays, packed or not.
fn npz(members: &[(&str, &[u8])], packed: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content) in members {
        let name = format!("{name}.npy");
        let file = archive.new_file(&name);
        if packed {
            let (mut entry, config) = file.compression_method(rawzip::CompressionMethod::DEFLATE).start().unwrap();
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::fast()));
            writer.write_all(content).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        } else {
            let (mut entry, config) = file.start().unwrap();
            let mut writer = config.wrap(&mut entry);
            writer.write_all(content).unwrap();
            let (_, descriptor) = writer.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
    }
    archive.finish().unwrap();
    bytes
}

/// Loads a pair of files.
fn load_pair(inputs: &[u8], targets: &[u8], task: TaskKind, channels_last: bool) -> Result<Split, DataError> {
    let folder = Folder::with("");
    load(&DataPlan::Npy {
        path: folder.add("inputs", inputs),
        source: "inputs".to_owned(),
        targets: folder.add("targets", targets),
        targets_source: "targets".to_owned(),
        task,
        channels_last,
        prepare: UNTOUCHED,
    })
}

/// Loads the arrays x and y of an archive.
fn load_archive(archive: &[u8]) -> Result<Split, DataError> {
    let folder = Folder::with(archive);
    load(&DataPlan::Npz {
        path: folder.file(),
        source: "file".to_owned(),
        inputs: "x".to_owned(),
        targets: "y".to_owned(),
        task: TaskKind::Classification,
        channels_last: false,
        prepare: UNTOUCHED,
    })
}

const CLASSES: TaskKind = TaskKind::Classification;

#[test]
fn tables_of_any_type_load() {
    let targets = npy("<i8", "(3,)", &long_integers(&[7, -1, 7]));
    for (descr, elements) in [
        ("<f4", floats(&[1.5, 2.0, -3.0, 4.0, 5.0, 6.0])),
        (">f4", [1.5f32, 2.0, -3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_be_bytes()).collect()),
        ("<f8", [1.5f64, 2.0, -3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()).collect()),
    ] {
        let inputs = npy(descr, "(3, 2)", &elements);
        let split = load_pair(&inputs, &targets, CLASSES, false).unwrap();
        assert_eq!((split.train.shape, split.train.features), (ExampleShape::Flat, 2));
        assert_eq!(numbers(&split.train), [1.5, 2.0, -3.0, 4.0, 5.0, 6.0]);
        assert_eq!((labels(&split.train), split.train.outputs()), (&[1, 0, 1][..], 2));
        assert_eq!(load_pair(&gzip(&inputs), &gzip(&targets), CLASSES, false).unwrap(), split);
    }
    // A table of bytes is a table of numbers; one number for each example is one feature.
    let bytes = load_pair(&npy("|u1", "(3,)", &[0, 7, 255]), &targets, CLASSES, false).unwrap();
    assert_eq!((numbers(&bytes.train), bytes.train.features), (vec![0.0, 7.0, 255.0], 1));
}

#[test]
fn numbers_are_targets_of_a_regression() {
    let inputs = npy("<f4", "(3,)", &floats(&[1.0, 2.0, 3.0]));
    let column = npy("<f4", "(3, 1)", &floats(&[0.5, 1.5, 2.5]));
    let split = load_pair(&inputs, &column, TaskKind::Regression, false).unwrap();
    assert_eq!(values(&split.train), [0.5, 1.5, 2.5]);
}

#[test]
fn images_load_with_either_order_of_their_axes() {
    let targets = npy("|u1", "(2,)", &[0, 1]);
    let first: Vec<u8> = (0..24).collect();
    let channels_first = load_pair(&npy("|u1", "(2, 3, 2, 2)", &first), &targets, CLASSES, false).unwrap().train;
    assert_eq!(channels_first.shape, ExampleShape::Image { channels: 3, height: 2, width: 2 });
    assert_eq!(channels_first.row(1)[0], 12.0 / 255.0);

    let last: Vec<u8> = (0..2u8).flat_map(|i| (0..4).flat_map(move |p| (0..3).map(move |c| 12 * i + 4 * c + p))).collect();
    let channels_last = load_pair(&npy("|u1", "(2, 2, 2, 3)", &last), &targets, CLASSES, true).unwrap().train;
    assert_eq!(channels_last, channels_first);
    let wide: Vec<f32> = last.iter().map(|&byte| f32::from(byte)).collect();
    let numbers_last = load_pair(&npy("<f4", "(2, 2, 2, 3)", &floats(&wide)), &targets, CLASSES, true).unwrap().train;
    assert_eq!(numbers(&numbers_last), first.iter().map(|&byte| f32::from(byte)).collect::<Vec<_>>());

    let grey = load_pair(&npy("|u1", "(2, 3, 4)", &first), &targets, CLASSES, false).unwrap().train;
    assert_eq!(grey.shape, ExampleShape::Image { channels: 1, height: 3, width: 4 });
}

#[test]
fn archives_load_packed_and_plain() {
    let (inputs, targets) = (npy("<f4", "(3,)", &floats(&[1.0, 2.0, 3.0])), npy("<i8", "(3,)", &long_integers(&[0, 1, 0])));
    let members = [("unused", &b"no array"[..]), ("y", &targets), ("x", &inputs)];
    let split = load_archive(&npz(&members, false)).unwrap();
    assert_eq!((numbers(&split.train), labels(&split.train)), (vec![1.0, 2.0, 3.0], &[0, 1, 0][..]));
    assert_eq!(load_archive(&npz(&members, true)).unwrap(), split);
}

/// As `numpy.savez_compressed("a.npz", x=numpy.arange(6, dtype="uint8").reshape(3, 2), y=[0, 1, 0])` of NumPy 2.4 wrote it.
const FROM_NUMPY: &str = "504b03042d0000000800000021001bfa7d61ffffffffffffffff05001400782e6e70790100100086000000000000004c000000000000009bec17ea\
     1b10c9c850c650ad9e925a9c5ca46ea5a05e536aa8aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91ac63a0a469a3a\
     0ab50a64032e06462666165600504b03042d0000000800000021008a4737a8ffffffffffffffff05001400792e6e70790100100098000000000000\
     004a000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17\
     672416a402f91ac63a9a3a0ab50a14002e06286064400500504b01022d032d0000000800000021001bfa7d614c0000008600000005000000000000\
     0000000000800100000000782e6e7079504b01022d032d0000000800000021008a4737a84a00000098000000050000000000000000000000800183\
     000000792e6e7079504b0506000000000200020066000000040100000000";

#[test]
fn an_archive_that_numpy_wrote_loads() {
    let bytes: Vec<u8> =
        (0..FROM_NUMPY.len() / 2).map(|i| u8::from_str_radix(&FROM_NUMPY[2 * i..2 * i + 2], 16).unwrap()).collect();
    let split = load_archive(&bytes).unwrap();
    assert_eq!(numbers(&split.train), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(labels(&split.train), [0, 1, 0]);
}

#[test]
fn bad_arrays_are_refused_by_name() {
    let inputs = npy("<f4", "(3, 2)", &floats(&[1.0; 6]));
    let targets = npy("<i8", "(3,)", &long_integers(&[0, 1, 2]));
    let infinite = floats(&[1.0, 2.0, f32::NAN, 4.0, 5.0, f32::INFINITY]);
    for (numbers, answers, file, words) in [
        (&inputs[..], &npy("<i8", "(2,)", &long_integers(&[0, 1])), "targets", "the shape (2,), which is not one target"),
        (&inputs, &npy("<i8", "(3, 2)", &long_integers(&[0; 6])), "targets", "argmax"),
        (
            &inputs,
            &npy("<i8", "(3,)", &long_integers(&[4; 3])),
            "targets",
            "same class, \"4\", so there is nothing to learn: check `targets`",
        ),
        (&inputs, &npy("<f4", "(3,)", &floats(&[0.0, 1.5, 1.0])), "targets", "holds 1.5 for example 1"),
        (&inputs, &npy("<f4", "(3,)", &floats(&[0.0, 1.0, f32::NAN])), "targets", "holds NaN for example 2"),
        (
            &npy("<f4", "(3, 2)", &infinite),
            &targets,
            "inputs",
            "2 numbers that single precision cannot hold, the first of them NaN, in example 1, number 0",
        ),
        (&npy("<f8", "(3,)", &[0xef; 24]), &targets, "inputs", "3 numbers that single precision cannot hold"),
        (&npy("<f4", "()", &floats(&[1.0])), &targets, "inputs", "a single number"),
        (&npy("<f4", "(3, 0)", &[]), &targets, "inputs", "is empty ((3, 0))"),
        (&npy("<f4", "(0,)", &[]), &targets, "inputs", "is empty ((0,))"),
        (&npy("<f4", "(3, 1, 1, 1, 2)", &floats(&[1.0; 6])), &targets, "inputs", "reshape(len(array), -1)"),
        (&inputs[..inputs.len() - 1], &targets, "inputs", "ends after 5 of 6 elements"),
        (&[&inputs[..], &[0]].concat(), &targets, "inputs", "goes on after its 6 elements"),
        (&inputs[..50], &targets, "inputs", "ends within its head"),
        (b"", &targets, "inputs", "ends within its head"),
        (b"a,b,label\n1,2,3\n", &targets, "inputs", "which no NumPy array does"),
        (&npy("<f4", "(3, 4000000000)", &[]), &targets, "inputs", "8 GiB"),
        (&npy("<f4", "(1000000000000, 1)", &[]), &npy("<i8", "(1000000000000,)", &[]), "targets", "8 GiB"),
        (&npy("<f4", "(99999999999, 99999999999)", &[]), &targets, "inputs", "damaged"),
        (&npy("|O", "(3,)", b"\x80\x04]"), &targets, "inputs", "Python objects"),
    ] {
        let error = load_pair(numbers, answers, CLASSES, false).expect_err(words);
        assert!(error.path.ends_with(file) && error.message.contains(words), "{error}");
    }
    let error = load_pair(&inputs, &targets, CLASSES, true).unwrap_err();
    assert!(error.message.contains("remove `channels-last`"), "{error}");
    let error = load_pair(&inputs, &npy("<f4", "(3,)", &floats(&[2.0; 3])), TaskKind::Regression, false).unwrap_err();
    assert!(error.message.contains("holds 2 for every example"), "{error}");
}

#[test]
fn bad_archives_are_refused() {
    let (inputs, targets) = (npy("<f4", "(3,)", &floats(&[1.0, 2.0, 3.0])), npy("<i8", "(3,)", &long_integers(&[0, 1, 0])));
    let whole = npz(&[("x", &inputs), ("y", &targets)], true);
    let plain = npz(&[("x", &inputs), ("y", &targets)], false);
    let others = npz(&[("train", &inputs), ("labels", &targets)], false);
    let mut changed = plain.clone();
    // Within the elements of x, which come first.
    let last = plain.windows(4).position(|bytes| bytes == 3f32.to_le_bytes()).unwrap();
    changed[last] ^= 1;
    for (archive, words) in [
        (&whole[..whole.len() / 2], "no .npz archive, or cut short"),
        (&inputs, "no .npz archive"),
        (&[], "no .npz archive"),
        (
            &others,
            "no array \"x\" and no array \"y\": name two of its arrays by `inputs` and `targets`; it holds \"train\", \"labels\"",
        ),
        (&npz(&[("x", b"no array"), ("y", &targets)], true), "the array \"x\""),
        (&npz(&[("x", &npy("<f4", "(3,)", &[0; 5])), ("y", &targets)], true), "the array \"x\" ends after 1 of 3 elements"),
        (&changed, "check"),
    ] {
        let error = load_archive(archive).expect_err(words);
        assert!(error.message.contains(words), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_bytes_make_the_array_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_loaded(&load_pair(&bytes, &bytes, CLASSES, false));
        check_loaded(&load_archive(&bytes));
        let member = [b"\x93NUMPY\x01\x00", &bytes[..]].concat();
        check_loaded(&load_pair(&member, &member, CLASSES, true));
        check_loaded(&load_archive(&npz(&[("x", &member), ("y", &bytes)], true)));
    }

    #[test]
    fn no_head_makes_the_array_reader_panic(
        descr in prop::sample::select(vec!["<f4", ">f8", "|u1", "|b1", "<i2", ">u8", "|S3", "<f2", "", "O"]),
        shape in prop::collection::vec(prop_oneof![0u64..5, any::<u64>()], 0..5),
        elements in prop::collection::vec(any::<u8>(), 0..100),
        task in prop::sample::select(vec![TaskKind::Classification, TaskKind::Regression]),
        channels_last in any::<bool>(),
    ) {
        let shown = format!("({},)", shape.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
        let array = npy(descr, &shown, &elements);
        let size = shape.iter().fold(1u64, |n, &d| n.saturating_mul(d)).min(100) as usize;
        let whole = npy(descr, &shown, &elements.iter().copied().cycle().take(8 * size).collect::<Vec<_>>());
        let answers = npy("|u1", &format!("({},)", shape.first().unwrap_or(&1)), &[0, 1, 2, 3, 4]);
        for inputs in [&array, &whole] {
            check_loaded(&load_pair(inputs, &answers, task, channels_last));
            check_loaded(&load_pair(inputs, inputs, task, channels_last));
        }
    }

    #[test]
    fn a_damaged_archive_does_not_make_the_reader_panic(place in any::<prop::sample::Index>(), byte in any::<u8>(), packed in any::<bool>()) {
        let (inputs, targets) = (npy("<f4", "(3,)", &floats(&[1.0, 2.0, 3.0])), npy("<i8", "(3,)", &long_integers(&[0, 1, 0])));
        let mut archive = npz(&[("x", &inputs), ("y", &targets)], packed);
        let place = place.index(archive.len());
        archive[place] = byte;
        check_loaded(&load_archive(&archive));
    }
}
