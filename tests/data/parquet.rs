//! Parquet tables, of one file and of several.

use lrfind::config::{Column, DataPlan, TaskKind};

use crate::{Folder, UNTOUCHED, assert_refused, refusal};

pub(crate) fn plan(path: std::path::PathBuf, target: Column, task: TaskKind) -> DataPlan {
    DataPlan::Parquet { path, source: "file".into(), target, task, shape: None, prepare: UNTOUCHED }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn without_the_feature_it_is_told_how_to_get_it() {
    let folder = Folder::with("PAR1");
    let refused = refusal(&plan(folder.file(), Column::Index(-1), TaskKind::Classification));
    assert_refused(refused, None, &["built without Parquet", "--features parquet"]);
}

#[cfg(feature = "parquet")]
mod with_the_feature {
    use std::sync::Arc;

    use lrfind::task::data::{Dataset, ExampleShape, load};
    use parquet::basic::{Compression, GzipLevel, ZstdLevel};
    use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::{check_loaded, labels, numbers, values};

    /// A file of this schema and of row groups that `fill` writes.
    fn file(schema: &str, compression: Compression, groups: usize, fill: impl Fn(usize, &mut dyn Columns)) -> Vec<u8> {
        let schema = Arc::new(parse_message_type(&format!("message m {{ {schema} }}")).unwrap());
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
        for group in 0..groups {
            let mut row_group = writer.next_row_group().unwrap();
            fill(group, &mut row_group);
            row_group.close().unwrap();
        }
        writer.close().unwrap();
        bytes
    }

    /// A row group to be written, column by column.
    trait Columns {
        fn bools(&mut self, values: &[bool]);
        fn int32(&mut self, values: &[i32]);
        fn int64(&mut self, values: &[i64]);
        fn floats(&mut self, values: &[f32]);
        fn doubles(&mut self, values: &[f64]);
        fn texts(&mut self, values: &[&str]);
        /// Numbers of which some are missing.
        fn optional(&mut self, values: &[Option<f64>]);
    }

    fn write<T: DataType>(
        group: &mut SerializedRowGroupWriter<'_, impl std::io::Write + Send>,
        values: &[T::T],
        levels: Option<&[i16]>,
    ) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, levels, None).unwrap();
        column.close().unwrap();
    }

    impl<W: std::io::Write + Send> Columns for SerializedRowGroupWriter<'_, W> {
        fn bools(&mut self, values: &[bool]) {
            write::<BoolType>(self, values, None);
        }
        fn int32(&mut self, values: &[i32]) {
            write::<Int32Type>(self, values, None);
        }
        fn int64(&mut self, values: &[i64]) {
            write::<Int64Type>(self, values, None);
        }
        fn floats(&mut self, values: &[f32]) {
            write::<FloatType>(self, values, None);
        }
        fn doubles(&mut self, values: &[f64]) {
            write::<DoubleType>(self, values, None);
        }
        fn texts(&mut self, values: &[&str]) {
            write::<ByteArrayType>(self, &values.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>(), None);
        }
        fn optional(&mut self, values: &[Option<f64>]) {
            let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
            write::<DoubleType>(self, &values.iter().copied().flatten().collect::<Vec<_>>(), Some(&levels));
        }
    }

    const MIXED: &str = "required boolean flag; required int32 small (INTEGER(8, true)); required int32 large (INTEGER(32, false)); \
                         required int64 long; required float single; optional double gaps; required binary species (STRING);";

    /// Two row groups of two rows of every kind of column.
    fn mixed(compression: Compression) -> Vec<u8> {
        file(MIXED, compression, 2, |group, columns| {
            let shift = i32::try_from(group).unwrap();
            columns.bools(&[true, false]);
            columns.int32(&[-3 + shift, 5]);
            columns.int32(&[-1, 7]);
            columns.int64(&[1 << 40, -2]);
            columns.floats(&[0.5, -1.5]);
            columns.optional(&[Some(2.25), Some(1e-3)]);
            columns.texts(&["owl", ["ant", "bee"][group]]);
        })
    }

    fn loaded(bytes: &[u8], target: Column, task: TaskKind) -> Dataset {
        let folder = Folder::with(bytes);
        let split = load(&plan(folder.file(), target, task));
        check_loaded(&split);
        split.unwrap().train
    }

    fn named(name: &str) -> Column {
        Column::Name(name.to_owned())
    }

    const CLASSES: TaskKind = TaskKind::Classification;
    const NUMBERS: TaskKind = TaskKind::Regression;

    #[test]
    fn every_kind_of_column_is_read_whatever_the_compression() {
        let first = [1.0, -3.0, 4_294_967_295.0, 1_099_511_627_776.0, 0.5, 2.25];
        let second = [0.0, 5.0, 7.0, -2.0, -1.5, 1e-3];
        let third = [1.0, -2.0, 4_294_967_295.0, 1_099_511_627_776.0, 0.5, 2.25];
        for compression in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(GzipLevel::default()),
            Compression::LZ4_RAW,
            Compression::ZSTD(ZstdLevel::default()),
        ] {
            let data = loaded(&mixed(compression), Column::Index(-1), CLASSES);
            assert_eq!(data.features, 6);
            assert_eq!(numbers(&data), [first, second, third, second].concat(), "{compression:?}");
            // Ant, bee, owl.
            assert_eq!(labels(&data), [2, 0, 2, 1]);
        }
    }

    #[test]
    fn the_target_is_found_by_name_and_by_position() {
        let bytes = file("required double x; required int64 y; required double z;", Compression::SNAPPY, 1, |_, columns| {
            columns.doubles(&[1.0, 2.0, 3.0]);
            columns.int64(&[10, 9, 10]);
            columns.doubles(&[4.0, 5.0, 6.0]);
        });
        for target in [named("y"), Column::Index(1), Column::Index(-2)] {
            let data = loaded(&bytes, target.clone(), CLASSES);
            assert_eq!((labels(&data), numbers(&data)), (&[1, 0, 1][..], vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
            assert_eq!(values(&loaded(&bytes, target, NUMBERS)), [10.0, 9.0, 10.0]);
        }
        let folder = Folder::with(&bytes);
        let refused = |target| refusal(&plan(folder.file(), target, CLASSES));
        assert_refused(refused(named("Y ")), None, &["there is no column", "did you mean \"y\"?"]);
        assert_refused(refused(Column::Index(3)), None, &["there are 3 columns"]);
    }

    #[test]
    fn the_parts_of_a_folder_are_one_table() {
        let part = |start: f64| {
            file("required double x; required boolean y;", Compression::SNAPPY, 1, |_, columns| {
                columns.doubles(&[start, start + 1.0]);
                columns.bools(&[true, false]);
            })
        };
        let folder = Folder::with("left aside");
        for (name, content) in
            [("b.parquet", part(3.0)), ("a.parquet", part(1.0)), ("c.PARQ", part(5.0)), ("_metadata.parquet", vec![1])]
        {
            folder.add(&format!("table/{name}"), content);
        }
        let table = folder.file().with_file_name("table");
        let data = load(&plan(table.clone(), named("y"), CLASSES)).unwrap().train;
        assert_eq!((numbers(&data), labels(&data)), (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1, 0, 1, 0, 1, 0][..]));
        folder.add("table/d.parquet", file("required double z; required boolean y;", Compression::SNAPPY, 0, |_, _| {}));
        assert_refused(
            refusal(&plan(table, named("y"), CLASSES)),
            None,
            &["columns are \"z\", \"y\"", "a.parquet are \"x\", \"y\""],
        );
        folder.add("empty/readme.txt", "nothing");
        let empty = folder.file().with_file_name("empty");
        assert_refused(refusal(&plan(empty, named("y"), CLASSES)), None, &["no `.parquet` file"]);
    }

    #[test]
    fn rows_may_be_images() {
        let bytes = file("required int32 a; required int32 b; required boolean y;", Compression::SNAPPY, 1, |_, columns| {
            columns.int32(&[1, 2]);
            columns.int32(&[3, 4]);
            columns.bools(&[true, false]);
        });
        let folder = Folder::with(&bytes);
        let mut plan = plan(folder.file(), Column::Index(-1), CLASSES);
        let DataPlan::Parquet { shape, .. } = &mut plan else { panic!() };
        *shape = Some([1, 2, 1]);
        assert_eq!(load(&plan).unwrap().train.shape, ExampleShape::Image { channels: 1, height: 2, width: 1 });
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_column_and_row_group() {
        let refused = |schema: &str, target: &str, task, fill: &dyn Fn(usize, &mut dyn Columns)| {
            let folder = Folder::with(file(schema, Compression::SNAPPY, 2, fill));
            refusal(&plan(folder.file(), named(target), task))
        };
        let null = |group: usize, columns: &mut dyn Columns| {
            columns.optional(&[Some(1.0), if group == 1 { None } else { Some(2.0) }]);
            columns.bools(&[true, false]);
        };
        let with_null = "optional double age; required boolean y;";
        let words = ["column \"age\", row group 1, row 1 of it", "null"];
        assert_refused(refused(with_null, "y", CLASSES, &null), None, &words);
        assert_refused(refused(with_null, "age", NUMBERS, &null), None, &words);
        for (value, words) in [(f64::NAN, "not a finite number"), (1e300, "too large for single precision")] {
            let wild = |group: usize, columns: &mut dyn Columns| {
                columns.doubles(&[1.0, 2.0, if group == 0 { value } else { 3.0 }]);
                columns.bools(&[true, false, true]);
            };
            let refused = refused("required double age; required boolean y;", "y", CLASSES, &wild);
            assert_refused(refused, None, &["column \"age\", row group 0, row 2 of it", words]);
        }
        let text = |_: usize, columns: &mut dyn Columns| {
            columns.texts(&["red", " "]);
            columns.bools(&[true, false]);
        };
        let colours = "required binary colour (STRING); required boolean y;";
        assert_refused(
            refused(colours, "y", CLASSES, &text),
            None,
            &["column \"colour\": it holds text", "encode it as numbers"],
        );
        assert_refused(refused(colours, "colour", CLASSES, &text), None, &["row group 0, row 1 of it", "label is empty"]);
        assert_refused(refused(colours, "colour", NUMBERS, &text), None, &["row group 0, row 0 of it", "it holds text"]);
        for (kind, words) in [
            ("int32 x (DATE)", "holds times"),
            ("int64 x (TIMESTAMP(MICROS, true))", "holds times"),
            ("int32 x (DECIMAL(5, 2))", "holds decimals"),
        ] {
            let fill = |_: usize, columns: &mut dyn Columns| {
                if kind.starts_with("int32") {
                    columns.int32(&[1, 2]);
                } else {
                    columns.int64(&[1, 2]);
                }
                columns.bools(&[true, false]);
            };
            assert_refused(
                refused(&format!("required {kind}; required boolean y;"), "y", CLASSES, &fill),
                None,
                &["column \"x\"", words],
            );
        }
        let same = |_: usize, columns: &mut dyn Columns| {
            columns.doubles(&[1.0, 2.0]);
            columns.bools(&[true, true]);
        };
        assert_refused(
            refused("required double x; required boolean y;", "y", CLASSES, &same),
            None,
            &["column \"y\"", "same class, \"true\""],
        );
        let alone = |_: usize, columns: &mut dyn Columns| columns.doubles(&[1.0]);
        assert_refused(refused("required double x;", "x", NUMBERS, &alone), None, &["at least one feature", "\"x\""]);
    }

    #[test]
    fn the_index_of_pandas_is_no_feature() {
        let schema = "required double x; required boolean y; required int64 __index_level_0__;";
        let bytes = file(schema, Compression::SNAPPY, 1, |_, columns| {
            columns.doubles(&[1.0, 2.0]);
            columns.bools(&[true, false]);
            columns.int64(&[7, 8]);
        });
        let folder = Folder::with(&bytes);
        let split = load(&plan(folder.file(), Column::Index(-1), CLASSES)).unwrap();
        assert_eq!((numbers(&split.train), split.notes[0].code), (vec![1.0, 2.0], "index-left-out"));
    }

    #[test]
    fn damaged_files_are_refused_and_never_a_panic() {
        let whole = mixed(Compression::SNAPPY);
        let folder = Folder::with("");
        let load = |bytes: &[u8]| {
            folder.add("file", bytes);
            let outcome = load(&plan(folder.file(), Column::Index(-1), CLASSES));
            check_loaded(&outcome);
            outcome
        };
        for length in 0..whole.len() {
            assert!(load(&whole[..length]).is_err(), "{length} bytes");
        }
        for place in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] ^= flip;
                let _ = load(&bytes);
            }
        }
        let folder = Folder::with("x,y\n1,2\n");
        assert_refused(refusal(&plan(folder.file(), Column::Index(-1), CLASSES)), None, &["check that it is a Parquet file"]);
        let empty = file("required double x; required boolean y;", Compression::SNAPPY, 0, |_, _| {});
        let folder = Folder::with(empty);
        assert_refused(refusal(&plan(folder.file(), Column::Index(-1), CLASSES)), None, &["holds no rows"]);
    }
}
