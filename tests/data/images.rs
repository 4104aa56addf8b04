//! Folders of images, and the data sets known by name.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use lrfind::config::{DataPlan, KnownSet, PreparePlan};
use lrfind::error::DataError;
use lrfind::task::data::{ExampleShape, Split, load};
use proptest::prelude::*;

use crate::{Folder, UNTOUCHED, check_loaded, gzip, labels, numbers};

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// An image whose pixels follow from their place.
fn painted(width: u32, height: u32, of: impl Fn(u32, u32) -> [u8; 3]) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb(of(x, y)))
}

fn load_folder(path: &Path, size: [usize; 2], channels: usize) -> Result<Split, DataError> {
    let source = "folder".to_owned();
    load(&DataPlan::ImageFolder { path: path.to_owned(), source, size, channels, prepare: UNTOUCHED })
}

#[test]
fn a_folder_of_images_loads_channel_by_channel_in_the_order_of_the_names() {
    let folder = Folder::with("");
    std::fs::remove_file(folder.file()).unwrap();
    let image = painted(2, 1, |x, _| [10, 20 + x as u8, 30]);
    folder.add("dogs/b.png", encoded(image.clone(), ImageFormat::Png));
    folder.add("dogs/a.PNG", encoded(painted(2, 1, |_, _| [0, 0, 255]), ImageFormat::Png));
    folder.add("ants/1.jpeg", encoded(painted(2, 1, |_, _| [200, 200, 200]), ImageFormat::Jpeg));
    folder.add("ants/.hidden", "not looked at");
    let split = load_folder(folder.0.path(), [1, 2], 3).unwrap();
    assert_eq!(split.train.shape, ExampleShape::Image { channels: 3, height: 1, width: 2 });
    assert_eq!((labels(&split.train), split.train.outputs()), (&[0, 1, 1][..], 2));
    let bytes = |i: usize| -> Vec<u8> { split.train.row(i).iter().map(|x| (x * 255.0).round() as u8).collect() };
    assert!(bytes(0).iter().all(|&byte| byte.abs_diff(200) < 3), "{:?}", bytes(0));
    assert_eq!((bytes(1), bytes(2)), (vec![0, 0, 0, 0, 255, 255], vec![10, 10, 20, 21, 30, 30]));
    assert!(split.notes.is_empty());

    folder.add("ants/notes.txt", "text");
    let grey = load_folder(folder.0.path(), [1, 2], 1).unwrap();
    assert_eq!((grey.train.features, grey.notes[0].code), (2, "files-left-out"));
    assert!(grey.notes[0].message.contains("ants/notes.txt"), "{:?}", grey.notes);
}

#[test]
fn images_are_resized_and_lose_their_transparency() {
    let folder = Folder::with("");
    std::fs::remove_file(folder.file()).unwrap();
    // The left half is black and the right half white, whatever the size.
    let halves = |width: u32| painted(width, 8, move |x, _| if x < width / 2 { [0; 3] } else { [255; 3] });
    folder.add("a/large.png", encoded(halves(64), ImageFormat::Png));
    folder.add("a/small.png", encoded(halves(4), ImageFormat::Png));
    folder.add("b/clear.png", encoded(RgbaImage::from_pixel(4, 8, image::Rgba([255, 0, 0, 7])), ImageFormat::Png));
    let split = load_folder(folder.0.path(), [2, 4], 3).unwrap();
    for i in 0..2 {
        let row = split.train.row(i);
        assert!(row[0] < 0.2 && row[3] > 0.8 && row[0] < row[1] + 0.01 && row[2] < row[3] + 0.01, "{row:?}");
    }
    assert_eq!(split.train.row(2)[..9], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
}

#[test]
fn bad_folders_are_refused_with_every_bad_file() {
    let folder = Folder::with("a file");
    let png = encoded(painted(4, 4, |_, _| [1, 2, 3]), ImageFormat::Png);
    let refused = |words: &[&str]| {
        let message = load_folder(folder.0.path(), [4, 4], 3).unwrap_err().message;
        for word in words {
            assert!(message.contains(word), "{word:?} is not in: {message}");
        }
    };
    let error = load_folder(&folder.file(), [4, 4], 3).unwrap_err().message;
    assert!(error.contains("name the folder"), "{error}");
    let error = load_folder(&folder.0.path().join("nowhere"), [4, 4], 3).unwrap_err().message;
    assert!(error.contains("check the path"), "{error}");
    refused(&["has 0 sub-folders"]);
    folder.add("a/1.png", &png);
    refused(&["has 1 sub-folders"]);
    folder.add("b/readme.txt", "");
    refused(&["without PNG or JPEG images: \"b\""]);
    folder.add("b/1.png", &png[..png.len() / 2]);
    folder.add("b/2.jpg", "no image");
    folder.add("b/3.png", "");
    refused(&["b/1.png: is damaged", "\n  b/2.jpg: is no PNG or JPEG image", "b/3.png: is no PNG"]);
    // The ending does not matter where the content does.
    folder.add("b/1.png", &png);
    folder.add("b/2.jpg", &png);
    folder.add("b/3.png", &png);
    assert_eq!(load_folder(folder.0.path(), [4, 4], 3).unwrap().train.len(), 4);
}

#[test]
fn standardised_images_have_mean_0_and_deviation_1_in_each_channel() {
    let folder = Folder::with("");
    std::fs::remove_file(folder.file()).unwrap();
    for i in 0..6u8 {
        let image = painted(3, 3, |x, y| [40 * i, (x * y * 20) as u8 + i, 7]);
        folder.add(&format!("{}/{i}.png", i % 2), encoded(image, ImageFormat::Png));
    }
    let plan = |standardize| DataPlan::ImageFolder {
        path: folder.0.path().to_owned(),
        source: "folder".to_owned(),
        size: [3, 3],
        channels: 3,
        prepare: PreparePlan { standardize, ..UNTOUCHED },
    };
    let train = load(&plan(true)).unwrap().train;
    let channel =
        |c: usize| -> Vec<f64> { (0..6).flat_map(|i| train.row(i)[9 * c..9 * c + 9].to_vec()).map(f64::from).collect() };
    for c in 0..2 {
        let values = channel(c);
        let (mean, square) = (values.iter().sum::<f64>() / 54.0, values.iter().map(|x| x * x).sum::<f64>() / 54.0);
        assert!(mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-5, "{c}: {mean} {square}");
    }
    assert!(channel(2).iter().all(|x| x.abs() < 1e-6), "a constant channel is centred");
}

fn load_known(set: KnownSet, folder: &Folder) -> Result<Split, DataError> {
    load(&DataPlan::Known { set, path: Some(folder.0.path().to_owned()), source: None, prepare: UNTOUCHED })
}

/// A CIFAR-10 file of these labels; the planes of image i hold i, 100 + i and 200 + i.
fn batch(labels: &[u8]) -> Vec<u8> {
    let record = |(i, &label): (usize, &u8)| {
        let planes = [0, 100, 200].map(|base| vec![base + i as u8; 1024]).concat();
        [vec![label], planes].concat()
    };
    labels.iter().enumerate().flat_map(record).collect()
}

#[test]
fn cifar_10_loads_from_its_five_files_as_they_are_packed() {
    let folder = Folder::with("");
    let error = load_known(KnownSet::Cifar10, &folder).unwrap_err();
    for word in ["data_batch_1.bin", "data_batch_5.bin", "cs.toronto.edu", "LRFIND_DATA", "`path`"] {
        assert!(error.message.contains(word), "{word:?} is not in: {error}");
    }
    for i in 1..=5u8 {
        folder.add(&format!("cifar-10-batches-bin/data_batch_{i}.bin"), batch(&[i, 9]));
    }
    let split = load_known(KnownSet::Cifar10, &folder).unwrap();
    assert_eq!((split.train.len(), split.train.outputs()), (10, 10));
    assert_eq!(labels(&split.train), [1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
    assert_eq!(split.train.shape, ExampleShape::Image { channels: 3, height: 32, width: 32 });
    let row = split.train.row(1);
    assert_eq!((row[0], row[1023], row[1024], row[3071]), (1.0 / 255.0, 1.0 / 255.0, 101.0 / 255.0, 201.0 / 255.0));
    assert_eq!(split.notes[0].code, "class-missing");

    for (content, words) in [
        (batch(&[1, 10]), "image 1 (counted from 0) has the label 10"),
        (batch(&[1])[..3000].to_vec(), "whole number"),
        (Vec::new(), "whole number"),
        (gzip(&batch(&[1]))[..20].to_vec(), "cut short"),
    ] {
        folder.add("cifar-10-batches-bin/data_batch_3.bin", content);
        let error = load_known(KnownSet::Cifar10, &folder).unwrap_err();
        assert!(error.path.ends_with("data_batch_3.bin") && error.message.contains(words), "{error}");
    }
}

#[test]
fn mnist_and_its_likes_load_from_their_two_files() {
    let folder = Folder::with("");
    folder.add(
        "train-images-idx3-ubyte.gz",
        gzip(&[&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2], &[0, 255, 51, 0][..]].concat()),
    );
    let error = load_known(KnownSet::Mnist, &folder).unwrap_err();
    assert!(error.message.contains("which lacks train-labels-idx1-ubyte: get what is missing"), "{error}");
    folder.add("train-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 2, 7, 3]);
    for set in [KnownSet::Mnist, KnownSet::FashionMnist] {
        let train = load_known(set, &folder).unwrap().train;
        assert_eq!((numbers(&train), labels(&train)), (vec![0.0, 1.0, 0.2, 0.0], &[1, 0][..]));
        assert_eq!(train.shape, ExampleShape::Image { channels: 1, height: 1, width: 2 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn no_bytes_make_the_image_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        place in any::<prop::sample::Index>(),
        jpeg in any::<bool>(),
    ) {
        let format = if jpeg { ImageFormat::Jpeg } else { ImageFormat::Png };
        let good = encoded(painted(5, 3, |x, y| [x as u8, y as u8, 9]), format);
        let mut damaged = good.clone();
        let place = place.index(good.len());
        damaged[place] = bytes.first().copied().unwrap_or(0xff);
        let folder = Folder::with("");
        folder.add("a/1.png", &good);
        for content in [&bytes, &damaged] {
            folder.add("b/1.png", content);
            check_loaded(&load_folder(folder.0.path(), [2, 2], 3));
            check_loaded(&load_folder(folder.0.path(), [7, 1], 1));
        }
    }

    #[test]
    fn no_bytes_make_the_cifar_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..7000)) {
        let folder = Folder::with("");
        for i in 1..=5 {
            folder.add(&format!("data_batch_{i}.bin"), &bytes);
        }
        check_loaded(&load_known(KnownSet::Cifar10, &folder));
    }
}
