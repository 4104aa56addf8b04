//! From an object to the cells of a row, in one pass and without copies.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Error, Value};

use crate::curves::cell::Cell;
use crate::curves::columns::Columns;
use crate::curves::rows::Row;

/// The cells of an object; what is in other keys is passed over.
pub(super) fn row<'t>(text: &'t [u8], columns: &Columns) -> Result<Row<'t>, Error> {
    let seed = columns.seed.is_some().then_some(Cell::Missing);
    let mut row = Row { learning_rate: Cell::Missing, seed, step: Cell::Missing, loss: Cell::Missing };
    let mut parser = serde_json::Deserializer::from_slice(text);
    parser.deserialize_map(Fields { columns, row: &mut row, prefix: "" })?;
    parser.end()?;
    Ok(row)
}

/// The keys of an object, and those of objects within it, named by both with a dot between them.
pub(super) struct Keys {
    pub(super) own: Vec<String>,
    pub(super) nested: Vec<String>,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = serde_json::Map::deserialize(deserializer)?;
        let mut nested = Vec::new();
        let own = object.keys().cloned().collect();
        for (key, value) in object {
            collect_nested(&key, value, &mut nested);
        }
        Ok(Self { own, nested })
    }
}

fn collect_nested(name: &str, value: Value, nested: &mut Vec<String>) {
    let Value::Object(object) = value else { return };
    for (key, value) in object {
        let name = format!("{name}.{key}");
        collect_nested(&name, value, nested);
        nested.push(name);
    }
}

/// Reads the fields of an object into a row, where the columns begin with `prefix`.
struct Fields<'c, 'r, 't> {
    columns: &'c Columns,
    row: &'r mut Row<'t>,
    prefix: &'c str,
}

impl<'de> Visitor<'de> for Fields<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { columns, row, prefix } = self;
        while let Some(field) = map.next_key_seed(KeySeed { columns, prefix })? {
            let place = match field {
                Field::Rate => &mut row.learning_rate,
                Field::Seed => row.seed.get_or_insert(Cell::Missing),
                Field::Step => &mut row.step,
                Field::Loss => &mut row.loss,
                Field::Within(prefix) => {
                    map.next_value_seed(Within(Fields { columns, row, prefix }))?;
                    continue;
                }
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = map.next_value()?;
        }
        Ok(())
    }
}

/// The same for a value that may be an object; what is none holds no fields.
struct Within<'c, 'r, 't>(Fields<'c, 'r, 't>);

impl<'de> DeserializeSeed<'de> for Within<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.0.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// What a key leads to; of an object that holds columns, what they begin with.
enum Field<'c> {
    Rate,
    Seed,
    Step,
    Loss,
    Within(&'c str),
    Other,
}

/// Reads a key as the column that it names after `prefix`, without a copy of it.
struct KeySeed<'c> {
    columns: &'c Columns,
    prefix: &'c str,
}

impl<'de, 'c> DeserializeSeed<'de> for KeySeed<'c> {
    type Value = Field<'c>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<'c>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'c> Visitor<'_> for KeySeed<'c> {
    type Value = Field<'c>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Field<'c>, E> {
        let Columns { learning_rate, seed, step, loss } = self.columns;
        // What follows the key in a column's name; nothing where it is the column.
        let rest = |column: &'c str| column.strip_prefix(self.prefix)?.strip_prefix(key);
        let is = |column: &'c str| rest(column) == Some("");
        Ok(if is(loss) {
            Field::Loss
        } else if is(step) {
            Field::Step
        } else if is(learning_rate) {
            Field::Rate
        } else if seed.as_deref().is_some_and(is) {
            Field::Seed
        } else {
            let columns = [Some(loss), Some(step), Some(learning_rate), seed.as_ref()];
            let within = columns.into_iter().flatten().find(|column| rest(column).is_some_and(|rest| rest.starts_with('.')));
            within.map_or(Field::Other, |column| Field::Within(&column[..=self.prefix.len() + key.len()]))
        })
    }
}

impl<'de> Deserialize<'de> for Cell<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Cell<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Cell<'de>, E> {
                Ok(Cell::Other(if value { "true" } else { "false" }))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Cell<'de>, E> {
                Ok(Cell::Whole(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Cell<'de>, E> {
                Ok(Cell::Number(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Cell<'de>, E> {
                Ok(Cell::Number(value))
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cell<'de>, E> {
                Ok(Cell::Text(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Cell<'de>, E> {
                Ok(Cell::Text(Cow::Owned(value.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Cell<'de>, E> {
                Ok(Cell::Missing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Cell::Other("a list"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Cell::Other("an object"))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_its_columns_and_no_others() {
        let columns =
            Columns { learning_rate: "lr".into(), seed: Some("run".into()), step: "step".into(), loss: "loss".into() };
        let text = br#"{"step": 3, "loss": 2.5, "other": {"loss": [1, {}]}, "run": "a\nb", "lr": 1e-3, "x": null}"#;
        let row = row(text, &columns).unwrap();
        assert_eq!((row.step, row.loss, row.learning_rate), (Cell::Whole(3), Cell::Number(2.5), Cell::Number(1e-3)));
        assert_eq!(row.seed, Some(Cell::Text("a\nb".into())));
        let nested = Columns { learning_rate: "config.optim.lr".into(), loss: "train.loss".into(), ..columns.clone() };
        let text =
            br#"{"config": {"lr": 9, "optim": {"lr": 0.1}}, "train": {"loss": 2, "losses": [1]}, "step": 1, "run": "a"}"#;
        let row = super::row(text, &nested).unwrap();
        assert_eq!((row.learning_rate, row.loss, row.step), (Cell::Number(0.1), Cell::Whole(2), Cell::Whole(1)));
        for flat in [r#"{"config": 3, "train": [{"loss": 1}], "step": 1}"#, r#"{"config": null, "train": "x", "step": 1}"#] {
            let row = super::row(flat.as_bytes(), &nested).unwrap();
            assert_eq!((row.learning_rate, row.loss), (Cell::Missing, Cell::Missing), "{flat}");
        }
        let dotted = super::row(br#"{"train.loss": 2}"#, &nested).unwrap();
        assert_eq!(dotted.loss, Cell::Whole(2));
        for odd in [r#"{"loss": {"mean": 1}}"#, r#"{"loss": [1]}"#, r#"{"loss": true}"#] {
            assert!(matches!(super::row(odd.as_bytes(), &columns).unwrap().loss, Cell::Other(_)), "{odd}");
        }
        for broken in ["", "{", "1", "{} {}", r#"{"loss": NaN}"#] {
            assert!(super::row(broken.as_bytes(), &columns).is_err(), "{broken}");
        }
    }
}
