//! Class labels: from what the data says to the numbers 0..K.

use std::collections::HashMap;

use super::{Note, Targets};

/// More classes than this, about as many as there are rows, cannot be what was meant.
const MANY: usize = 1000;
/// The same for labels with decimal fractions, which are seldom classes at all.
const MANY_FRACTIONS: usize = 10;

/// Labels in the order of the rows.
#[derive(Default)]
pub(super) struct Labels {
    /// The number of each label, in the order of first sight.
    seen: HashMap<String, u32>,
    rows: Vec<u32>,
}

impl Labels {
    /// Takes the label of the next row.
    pub(super) fn push(&mut self, label: &str) {
        let id = if let Some(&id) = self.seen.get(label) {
            id
        } else {
            let id = self.seen.len() as u32;
            self.seen.insert(label.to_owned(), id);
            id
        };
        self.rows.push(id);
    }

    /// Numbers the classes: by value if all labels are numbers (and then 1 and 1.0 are one class), else by the alphabet.
    /// Returns the targets, the name of each class, and a note if there are oddly many.
    ///
    /// # Errors
    /// When there are fewer than two classes, or so many that a number must be meant: the message, which names the `key` that
    /// says where the labels are.
    pub(super) fn finish(self, key: &str) -> Result<(Targets, Vec<String>, Option<Note>), String> {
        let numbers: Option<HashMap<&str, f64>> = self.seen.keys().map(|l| Some((l.as_str(), number(l)?))).collect();
        let mut names: Vec<&str> = self.seen.keys().map(String::as_str).collect();
        names.sort_unstable();
        if let Some(numbers) = &numbers {
            names.sort_by(|a, b| numbers[a].total_cmp(&numbers[b]));
        }
        let same = |a: &str, b: &str| numbers.as_ref().is_some_and(|n| n[a].total_cmp(&n[b]).is_eq());

        let mut class_of = vec![0; names.len()];
        let mut classes: Vec<String> = Vec::new();
        for (i, name) in names.iter().enumerate() {
            if i == 0 || !same(names[i - 1], name) {
                classes.push((*name).to_owned());
            }
            class_of[self.seen[*name] as usize] = classes.len() as u32 - 1;
        }
        let fractions = numbers.is_some_and(|n| n.values().any(|v| v.fract() != 0.0));
        let note = judge(&classes, self.rows.len(), fractions, key)?;
        let labels = self.rows.iter().map(|&id| class_of[id as usize]).collect();
        Ok((Targets::Classes { labels, classes: classes.len() }, classes, note))
    }
}

/// The label as a number, if it is one. −0 is 0.
fn number(label: &str) -> Option<f64> {
    label.parse().ok().filter(|v: &f64| v.is_finite()).map(|v| v + 0.0)
}

/// Whether so many classes make sense.
fn judge(classes: &[String], rows: usize, fractions: bool, key: &str) -> Result<Option<Note>, String> {
    let count = classes.len();
    if count < 2 {
        let only = classes.first().map_or_else(|| "none".to_owned(), |c| super::quoted(c));
        return Err(format!(
            "every row that is used has the same class, {only}, so there is nothing to learn: check `{key}` and `share`"
        ));
    }
    // A pair of rows with a pair of classes is a fair, if small, data set.
    if count * 2 < rows || count <= MANY_FRACTIONS {
        return Ok(None);
    }
    if count > MANY || fractions {
        return Err(format!(
            "the target has {count} different values in {rows} rows, too many for classes: \
             write task = \"regression\", or choose another `{key}`"
        ));
    }
    Ok(Some(Note {
        code: "many-classes",
        message: format!("the target has {count} classes in {rows} rows"),
        hint: format!("if it is a quantity, write task = \"regression\"; if it numbers the rows, choose another `{key}`"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(labels: &[&str]) -> (Vec<u32>, Vec<String>) {
        let mut all = Labels::default();
        for label in labels {
            all.push(label);
        }
        match all.finish("target").unwrap() {
            (Targets::Classes { labels, classes }, names, _) => {
                assert_eq!(names.len(), classes);
                (labels, names)
            }
            other => panic!("{other:?}"),
        }
    }

    fn refusal(count: usize, label: impl Fn(usize) -> String) -> Result<Option<Note>, String> {
        let mut all = Labels::default();
        (0..count).for_each(|i| all.push(&label(i)));
        all.finish("target").map(|(_, _, note)| note)
    }

    #[test]
    fn numbers_are_ordered_by_value_and_words_by_the_alphabet() {
        assert_eq!(classes(&["10", "9", "-1", "9"]).0, [2, 1, 0, 1]);
        assert_eq!(classes(&["cat", "ant", "10"]), (vec![2, 1, 0], ["10", "ant", "cat"].map(String::from).to_vec()));
    }

    #[test]
    fn one_number_written_two_ways_is_one_class() {
        assert_eq!(classes(&["1.0", "1", "0", "-0", "2"]).0, [1, 1, 0, 0, 2]);
    }

    #[test]
    fn refuses_one_class_and_quantities() {
        assert!(refusal(5, |_| "yes".into()).unwrap_err().contains("same class, \"yes\""));
        assert!(refusal(0, |_| String::new()).is_err());
        assert!(refusal(1001, |i| i.to_string()).unwrap_err().contains("task = \"regression\""));
        assert!(refusal(20, |i| format!("{i}.5")).unwrap_err().contains("20 different values in 20 rows"));
    }

    #[test]
    fn oddly_many_classes_are_noted_and_ordinary_ones_are_not() {
        assert_eq!(refusal(40, |i| i.to_string()).unwrap().unwrap().code, "many-classes");
        assert_eq!(refusal(40, |i| (i % 19).to_string()).unwrap(), None);
        assert_eq!(refusal(2000, |i| (i % 900).to_string()).unwrap(), None);
        assert_eq!(refusal(2, |i| i.to_string()).unwrap(), None);
    }
}
