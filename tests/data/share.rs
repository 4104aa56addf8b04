//! A share of the examples of a file, whatever its kind.

use std::path::Path;

use lrfind::config::parse;
use lrfind::task::build;
use lrfind::task::data::{Dataset, load};

use crate::arrays::{floats, long_integers, npy};
use crate::{Folder, labels, numbers};

const EXAMPLES: usize = 2000;

/// The data of this section, in files of this folder.
fn loaded(folder: &Folder, data: &str, share: f64) -> Dataset {
    let config = format!("[data]\n{data}\nheld-out = 0\nstandardize = false\nshare = {share}\n[model]\nkind = \"linear\"\n");
    let plan = parse(&config, &folder.0.path().join("config.toml")).unwrap();
    load(&plan.data).unwrap().train
}

/// Example `i` holds its number, and its class follows from it.
fn class(i: usize) -> u32 {
    i.is_multiple_of(7).into()
}

/// The numbers of the examples that were read, each of which must have its own class.
fn read(data: &Dataset, number: impl Fn(&[f32]) -> f32) -> Vec<usize> {
    let read: Vec<usize> = numbers(data).chunks(data.features).map(|row| number(row).round() as usize).collect();
    for (&i, &label) in read.iter().zip(labels(data)) {
        assert_eq!(label, class(i), "example {i}");
    }
    read
}

fn files() -> Folder {
    let folder = Folder::with("");
    let lines: Vec<String> = (0..EXAMPLES).map(|i| format!("{i},0.5,{}\n", class(i))).collect();
    folder.add("table.csv", lines.concat());
    let pairs: Vec<f32> = (0..EXAMPLES).flat_map(|i| [i as f32, 0.5]).collect();
    let classes: Vec<i64> = (0..EXAMPLES).map(|i| class(i).into()).collect();
    folder.add("x.npy", npy("<f4", &format!("({EXAMPLES}, 2)"), &floats(&pairs)));
    folder.add("y.npy", npy("<i8", &format!("({EXAMPLES},)"), &long_integers(&classes)));
    // Images of two pixels, which are the bytes of the number.
    let pixels: Vec<u8> = (0..EXAMPLES).flat_map(|i| (i as u16).to_be_bytes()).collect();
    let head = |dimensions: &[u32]| -> Vec<u8> {
        [0, 0, 8, dimensions.len() as u8].into_iter().chain(dimensions.iter().flat_map(|d| d.to_be_bytes())).collect()
    };
    folder.add("images", [head(&[EXAMPLES as u32, 1, 2]), pixels.clone()].concat());
    let bytes: Vec<u8> = (0..EXAMPLES).map(|i| class(i) as u8).collect();
    folder.add("labels", [head(&[EXAMPLES as u32]), bytes].concat());
    folder.add("pixels.npy", npy("|u1", &format!("({EXAMPLES}, 1, 2)"), &pixels));
    folder
}

#[test]
fn every_kind_of_file_gives_the_same_share_with_its_own_targets() {
    let folder = files();
    let of_pixels = |row: &[f32]| 255.0 * (256.0 * row[0] + row[1]);
    let first = |row: &[f32]| row[0];
    let csv = "kind = \"csv\"\npath = \"table.csv\"";
    let (few, all) = (read(&loaded(&folder, csv, 0.1), first), read(&loaded(&folder, csv, 1.0), first));
    assert_eq!(all, (0..EXAMPLES).collect::<Vec<_>>());
    assert!((140..260).contains(&few.len()) && few.is_sorted(), "{}", few.len());
    let arrays = loaded(&folder, "kind = \"npy\"\npath = \"x.npy\"\ntargets = \"y.npy\"", 0.1);
    let idx = loaded(&folder, "kind = \"idx\"\nimages = \"images\"\nlabels = \"labels\"", 0.1);
    let bytes = loaded(&folder, "kind = \"npy\"\npath = \"pixels.npy\"\ntargets = \"y.npy\"", 0.1);
    assert_eq!(read(&arrays, first), few);
    assert_eq!(read(&idx, of_pixels), few);
    assert_eq!(read(&bytes, of_pixels), few);
    let other = loaded(&folder, &format!("{csv}\nsplit-seed = 1"), 0.1);
    assert_ne!(read(&other, first), few);
}

/// An epoch is one of the whole data, so the planned run stays as long as it was.
#[test]
fn a_share_does_not_shorten_the_planned_run() {
    let folder = files();
    let per_epoch = |share: f64, batch: usize| {
        let config = format!(
            "[data]\nkind = \"csv\"\npath = \"table.csv\"\nheld-out = 0\nshare = {share}\n[model]\nkind = \"linear\"\n\
             [training]\nbatch-size = {batch}\n"
        );
        let plan = parse(&config, Path::new(&folder.0.path().join("config.toml"))).unwrap();
        build(&plan).unwrap().facts().iterations_per_epoch
    };
    assert_eq!((per_epoch(1.0, 20), per_epoch(1.0, 0)), (100, 1));
    assert!((70..130).contains(&per_epoch(0.1, 20)), "{}", per_epoch(0.1, 20));
    assert_eq!(per_epoch(0.1, 0), 1);
}
