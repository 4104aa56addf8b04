//! Values of flags: what they may be, and what is said of the others.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use lrfind::config;

pub(super) fn at_least_one<N: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<N, String> {
    text.parse().ok().filter(|n| *n >= N::from(1)).ok_or_else(|| "write a whole number of 1 or more".to_owned())
}

/// Workers: more than any stage has trials for only cost their start.
pub(super) fn jobs(text: &str) -> Result<usize, String> {
    within(text, &config::JOBS)
}

/// Bytes of memory: a number, and perhaps a unit.
pub(super) fn memory(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u32, u32); 10] = [
        ("", 1, 0),
        ("B", 1, 0),
        ("KB", 1000, 1),
        ("MB", 1000, 2),
        ("GB", 1000, 3),
        ("TB", 1000, 4),
        ("KIB", 1024, 1),
        ("MIB", 1024, 2),
        ("GIB", 1024, 3),
        ("TIB", 1024, 4),
    ];
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (text[..end].parse::<f64>(), text[end..].trim().to_ascii_uppercase());
    let factor = UNITS.into_iter().find(|(name, ..)| *name == unit);
    let bytes = number.ok().zip(factor).map(|(number, (_, base, power))| number * f64::from(base).powi(power.cast_signed()));
    match bytes {
        Some(bytes) if bytes < 1.0 => Err("no trial fits into no memory: write a size such as 8GiB".to_owned()),
        Some(bytes) if bytes < 1e18 => Ok(bytes as u64),
        Some(_) => Err("no machine has so much memory: write a size such as 8GiB".to_owned()),
        None => Err("write a size such as 8GiB, 500MB, or a number of bytes".to_owned()),
    }
}

pub(super) fn seeds(text: &str) -> Result<usize, String> {
    within(text, &config::SEEDS)
}

/// Iterations of a short trial.
pub(super) fn iterations(text: &str) -> Result<u64, String> {
    within(text, &config::ITERATIONS)
}

fn within<N: FromStr + PartialOrd + Display>(text: &str, allowed: &RangeInclusive<N>) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| format!("write a whole number from {} to {}", allowed.start(), allowed.end()))
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..1.0).contains(share))
        .ok_or_else(|| "write a number from 0 to below 1, such as 0.98".to_owned())
}

pub(super) fn stop_factor(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|factor| *factor > 1.0).ok_or_else(|| "write a number above 1, such as 4, or inf".to_owned())
}

pub(super) fn margin(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor: &f64| factor.is_finite() && *factor > 1.0)
        .ok_or_else(|| "write a number above 1, such as 1.5".to_owned())
}

pub(super) fn tolerance(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor: &f64| factor.is_finite() && *factor >= 1.0)
        .ok_or_else(|| "write a number of at least 1, such as 2".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_memory_are_read_with_their_units() {
        for (text, bytes) in [
            ("8GiB", 8 << 30),
            ("500MB", 500_000_000),
            ("500 mb", 500_000_000),
            ("1.5kib", 1536),
            ("4096", 4096),
            ("4096B", 4096),
            ("2TiB", 2 << 40),
        ] {
            assert_eq!(memory(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn rubbish_is_no_size() {
        for text in ["", "GiB", "8G", "eight", "-1", "1e9", "1.2.3", "8 GiB or so", "0", "0.1", "inf", "nan", "99999999TiB"] {
            let message = memory(text).unwrap_err();
            assert!(message.contains("write a size such as 8GiB"), "{text}: {message}");
        }
    }
}
