//! Values of flags: what they may be, and what is said of the others.

use lrfind::config;

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "write a whole number of 1 or more".to_owned())
}

pub(super) fn seeds(text: &str) -> Result<usize, String> {
    let (least, most) = (config::SEEDS.start(), config::SEEDS.end());
    text.parse()
        .ok()
        .filter(|n| config::SEEDS.contains(n))
        .ok_or_else(|| format!("write a whole number from {least} to {most}"))
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
