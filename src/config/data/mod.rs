//! The `[data]` section.

mod prepare;
mod synthetic;

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::plan::{Column, DataPlan, KnownSet, TaskKind};
use super::section::Section;

#[derive(Clone, Copy)]
enum Source {
    Csv,
    Parquet,
    Idx,
    Npy,
    Npz,
    ImageFolder,
    Text,
    Known(KnownSet),
    Synthetic,
}

/// Longest piece of a text, in characters.
const MOST_CONTEXT: usize = 1 << 16;
/// Most pixels along one side of an image.
const MOST_PIXELS: usize = 4096;

/// Reads the section. Relative paths are resolved against `folder`.
pub(crate) fn read(mut section: Section<'_>, folder: &Path) -> Option<DataPlan> {
    let kinds = [
        ("csv", Source::Csv),
        ("parquet", Source::Parquet),
        ("idx", Source::Idx),
        ("npy", Source::Npy),
        ("npz", Source::Npz),
        ("image-folder", Source::ImageFolder),
        ("text", Source::Text),
        ("mnist", Source::Known(KnownSet::Mnist)),
        ("fashion-mnist", Source::Known(KnownSet::FashionMnist)),
        ("cifar10", Source::Known(KnownSet::Cifar10)),
        ("synthetic", Source::Synthetic),
    ];
    let kind = section.variant("kind", &kinds);
    let data = section.require("kind", kind).and_then(|kind| match kind {
        Source::Csv => csv(&mut section, folder),
        Source::Parquet => parquet(&mut section, folder),
        Source::Idx => idx(&mut section, folder),
        Source::Npy => npy(&mut section, folder),
        Source::Npz => npz(&mut section, folder),
        Source::ImageFolder => image_folder(&mut section, folder),
        Source::Text => text(&mut section, folder),
        Source::Known(set) => Some(known(&mut section, set, folder)),
        Source::Synthetic => synthetic::read(&mut section),
    });
    section.finish();
    data
}

fn csv(section: &mut Section<'_>, folder: &Path) -> Option<DataPlan> {
    let path = file(section, "path", folder);
    let (target, header) = (target(section), section.boolean("header"));
    if header == Some(false) && matches!(target, Some(Column::Name(_))) {
        section.complain(
            "header",
            "`target` names a column, but `header = false` says that the columns have no names",
            "write `header = true`, or give the target's position, for example `target = -1`",
        );
    }
    let target = target.unwrap_or(Column::Index(-1));
    let task = task(section);
    let shape = shape(section);
    let prepare = prepare::read(section, task, true);
    let (source, path) = path?;
    Some(DataPlan::Csv { path, source, target, task, header, shape, prepare })
}

fn parquet(section: &mut Section<'_>, folder: &Path) -> Option<DataPlan> {
    let path = file(section, "path", folder);
    let target = target(section).unwrap_or(Column::Index(-1));
    let (task, shape) = (task(section), shape(section));
    let prepare = prepare::read(section, task, true);
    let (source, path) = path?;
    Some(DataPlan::Parquet { path, source, target, task, shape, prepare })
}

/// Channels, height and width of an image.
fn shape(section: &mut Section<'_>) -> Option<[usize; 3]> {
    let lengths = section.integers("shape", 1..=MOST_PIXELS)?;
    let shape = lengths.try_into().ok();
    if shape.is_none() {
        section.wrong_value("shape", "three integers: channels, height and width");
    }
    shape
}

fn idx(section: &mut Section<'_>, folder: &Path) -> Option<DataPlan> {
    let (images, labels) = (file(section, "images", folder), file(section, "labels", folder));
    let prepare = prepare::read(section, TaskKind::Classification, false);
    let ((images_source, images), (labels_source, labels)) = (images?, labels?);
    Some(DataPlan::Idx { images, images_source, labels, labels_source, prepare })
}

fn npy(section: &mut Section<'_>, folder: &Path) -> Option<DataPlan> {
    let (inputs, targets) = (file(section, "path", folder), file(section, "targets", folder));
    let (task, channels_last) = (task(section), channels_last(section));
    let prepare = prepare::read(section, task, true);
    let ((source, path), (targets_source, targets)) = (inputs?, targets?);
    Some(DataPlan::Npy { path, source, targets, targets_source, task, channels_last, prepare })
}

fn npz(section: &mut Section<'_>, folder: &Path) -> Option<DataPlan> {
    let path = file(section, "path", folder);
    let mut name = |key, default: &str| section.string(key).unwrap_or(default).to_owned();
    let (inputs, targets) = (name("inputs", "x"), name("targets", "y"));
    let (task, channels_last) = (task(section), channels_last(section));
    let prepare = prepare::read(section, task, true);
    let (source, path) = path?;
    Some(DataPlan::Npz { path, source, inputs, targets, task, channels_last, prepare })
}

fn image_folder(section: &mut Section<'_>, folder: &Path) -> Option<DataPlan> {
    let (path, size) = (file(section, "path", folder), size(section));
    let channels = section.integer("channels", 1..=3).unwrap_or(3);
    if channels == 2 {
        section.complain("channels", "images have 1 or 3 channels, not 2", "write `channels = 1` for grey, or 3 for colour");
    }
    let prepare = prepare::read(section, TaskKind::Classification, false);
    let ((source, path), size) = (path?, size?);
    Some(DataPlan::ImageFolder { path, source, size, channels, prepare })
}

/// Height and width of images.
fn size(section: &mut Section<'_>) -> Option<[usize; 2]> {
    let size = section.integers("size", 1..=MOST_PIXELS);
    let size = section.require("size", size)?;
    let pair = <[usize; 2]>::try_from(size.as_slice()).ok();
    if pair.is_none() {
        section.complain(
            "size",
            format!("`size` holds {} numbers, not the height and the width of the images", size.len()),
            "write, for example, `size = [32, 32]`",
        );
    }
    pair
}

fn text(section: &mut Section<'_>, folder: &Path) -> Option<DataPlan> {
    let path = file(section, "path", folder);
    let context = section.integer("context", 1..=MOST_CONTEXT).unwrap_or(64);
    let (held_out, split_seed) = (prepare::held_out(section), prepare::seed(section, "split-seed"));
    let (source, path) = path?;
    Some(DataPlan::Text { path, source, context, held_out, split_seed })
}

fn known(section: &mut Section<'_>, set: KnownSet, folder: &Path) -> DataPlan {
    let source = section.string("path").map(str::to_owned);
    let path = source.as_ref().map(|source| folder.join(source));
    let prepare = prepare::read(section, TaskKind::Classification, false);
    DataPlan::Known { set, path, source, prepare }
}

fn channels_last(section: &mut Section<'_>) -> bool {
    section.boolean("channels-last").unwrap_or(false)
}

/// A required path, as written and resolved.
fn file(section: &mut Section<'_>, key: &'static str, folder: &Path) -> Option<(String, PathBuf)> {
    let written = section.string(key);
    let written = section.require(key, written)?;
    Some((written.to_owned(), folder.join(written)))
}

fn task(section: &mut Section<'_>) -> TaskKind {
    section.choice("task", TaskKind::NAMES).unwrap_or(TaskKind::Classification)
}

fn target(section: &mut Section<'_>) -> Option<Column> {
    match section.any("target")? {
        DeValue::Integer(_) => section.integer("target", ..).map(Column::Index),
        DeValue::String(_) => section.string("target").map(|name| Column::Name(name.to_owned())),
        _ => {
            section.wrong_value("target", "a column's position or its name");
            None
        }
    }
}
