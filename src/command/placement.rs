//! Where a script runs: its share of the devices and of the processor's cores.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Variables by which libraries learn how many threads to use; `NPROC` is XLA's.
const THREADS: [&str; 9] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",
];

/// Variables that make a script reproducible and its losses come at once, where the user has not set them.
const DEFAULTS: [(&str, &str); 2] = [("PYTHONUNBUFFERED", "1"), ("PYTHONHASHSEED", "0")];

/// The variables that tell a script its number of threads and make it reproducible, with the values that they have for it. The
/// `threads` that the config gives win over what is inherited; the share of the cores does not.
pub(super) fn environment(
    threads: Option<usize>,
    share: usize,
    inherited: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let told = THREADS.map(|name| {
        let usual = || inherited(name).unwrap_or_else(|| share.to_string());
        (name, threads.map_or_else(usual, |threads| threads.to_string()))
    });
    let defaults = DEFAULTS.map(|(name, value)| (name, inherited(name).unwrap_or_else(|| value.to_owned())));
    told.into_iter().chain(defaults).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Devices, and how many scripts use each.
#[derive(Debug)]
pub(super) struct Devices {
    names: Vec<String>,
    users: Arc<Mutex<Vec<usize>>>,
}

/// The use of a device, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    name: String,
    index: usize,
    users: Arc<Mutex<Vec<usize>>>,
}

impl Devices {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self { users: Arc::new(Mutex::new(vec![0; names.len()])), names }
    }

    /// A place on the device with the fewest users, the first of them; `None` where there are no devices.
    pub(super) fn take(&self) -> Option<Place> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let index = (0..users.len()).min_by_key(|&index| users[index])?;
        users[index] += 1;
        Some(Place { name: self.names[index].clone(), index, users: Arc::clone(&self.users) })
    }
}

impl Place {
    /// The device's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)[self.index] -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_shared_out_evenly_and_given_back() {
        let devices = Devices::new(vec!["a".into(), "b".into()]);
        let (first, second, third) = (devices.take().unwrap(), devices.take().unwrap(), devices.take().unwrap());
        assert_eq!([first.name(), second.name(), third.name()], ["a", "b", "a"]);
        drop(second);
        assert_eq!(devices.take().unwrap().name(), "b");
        assert!(Devices::new(Vec::new()).take().is_none());
    }

    #[test]
    fn what_is_inherited_wins_over_a_share_but_not_over_the_config() {
        let set = |name: &str| ["OMP_NUM_THREADS", "PYTHONHASHSEED"].contains(&name).then(|| "7".to_owned());
        let shared = environment(None, 4, set);
        let of_shared = |name: &str| shared[name].as_str();
        assert_eq!([of_shared("OMP_NUM_THREADS"), of_shared("MKL_NUM_THREADS")], ["7", "4"]);
        assert_eq!([of_shared("PYTHONHASHSEED"), of_shared("PYTHONUNBUFFERED")], ["7", "1"]);
        assert_eq!(environment(Some(2), 4, set)["OMP_NUM_THREADS"], "2");
    }
}
