//! Both backends come to the same answer.

mod common;

use common::cli::Folder;

#[test]
fn flex_and_ndarray_agree() {
    let folder = Folder::new();
    let [flex, ndarray] = ["flex", "ndarray"].map(|device| {
        folder.on_digits("find", &format!("--seeds 2 --iterations 40 --quiet --device {device} --out {device}")).ends_with(0);
        let report = folder.report(device);
        assert_eq!(report["device"], device);
        ["/recommendation/learning_rate", "/instability/threshold"]
            .map(|place| report.pointer(place).and_then(serde_json::Value::as_f64).unwrap().log10())
    });
    // Their sums are rounded differently, and the rates tried follow from what was seen.
    assert!((flex[0] - ndarray[0]).abs() < 0.05, "recommended 10^{} and 10^{}", flex[0], ndarray[0]);
    assert!((flex[1] - ndarray[1]).abs() < 0.1, "thresholds 10^{} and 10^{}", flex[1], ndarray[1]);
}
