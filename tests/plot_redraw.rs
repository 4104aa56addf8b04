//! What can be made from a report alone.

mod common;

use common::cli::{Folder, QUADRATIC};

fn found() -> Folder {
    let folder = Folder::new();
    folder.write("q.toml", QUADRATIC);
    folder.lrfind("find q.toml --quiet --seeds 2 --out found").ends_with(0);
    folder
}

#[test]
fn plots_drawn_anew_are_the_same_plots() {
    let folder = found();
    let first = folder.files("found");
    for (report, out) in [("found/report.json", "of-file"), ("found", "of-folder")] {
        folder.lrfind(&format!("plot {report} --out {out}")).ends_with(0);
        let again = folder.files(out);
        assert_eq!(again.len(), 4, "{:?}", again.keys());
        for (name, png) in again {
            assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "{name}");
            assert!(first[&name] == png, "{name} differs");
        }
    }
}

#[test]
fn plots_go_beside_the_report_by_default() {
    let folder = found();
    let first = folder.files("found");
    std::fs::remove_file(folder.path("found/schedule.png")).unwrap();
    folder.lrfind("plot found").ends_with(0);
    assert!(folder.files("found") == first);
}

#[test]
fn the_schedule_in_every_format_holds_the_recommended_rate() {
    let folder = found();
    let rate = folder.report("found")["recommendation"]["learning_rate"].to_string();
    for (format, sign) in [
        ("text", "iteration"),
        ("burn", "use burn::lr_scheduler"),
        ("pytorch", "torch.optim.lr_scheduler"),
        ("keras", "keras"),
        ("optax", "optax"),
        ("json", "\"initial\""),
    ] {
        let text = folder.lrfind(&format!("schedule found --format {format}")).ends_with(0).stdout;
        assert!(text.contains(sign) && text.contains(&rate), "no {sign} or {rate} in {format}:\n{text}");
        if format == "json" {
            let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(facts.is_object(), "{text}");
        }
    }
}

#[test]
fn what_is_no_report_is_refused() {
    let folder = Folder::new();
    folder.write("text.json", "not json");
    folder.write("other.json", "{\"a\": 1}");
    folder.write("newer.json", "{\"schema_version\": 999}");
    for command in ["plot", "schedule"] {
        for file in ["absent.json", "text.json", "other.json", "newer.json"] {
            folder.lrfind(&format!("{command} {file}")).ends_with(2).complains_of(&[file]);
        }
    }
}
