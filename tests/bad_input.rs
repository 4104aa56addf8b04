//! Bad configs, bad data and bad places: each ends with code 2, before any trial, and says where, what, and what to do.

mod common;

use std::io::Write as _;

use common::cli::{Folder, QUADRATIC};

const MLP: &str = "[model]\nkind = \"mlp\"\nhidden = [8]\n";
const GOOD: &str = "a,b,label\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n9,10,0\n11,12,1\n";

/// Runs `find` on a config with this data file, and expects a refusal that holds all of `parts`.
#[track_caller]
fn refused(name: &str, content: impl AsRef<[u8]>, config: &str, parts: &[&str]) {
    let folder = Folder::new();
    folder.write(name, content);
    folder.write("x.toml", config);
    for command in ["find", "check"] {
        let ran = folder.lrfind(&format!("{command} x.toml --out out")).ends_with(2).complains_of(parts);
        assert_eq!(ran.stdout, "", "{ran:#?}");
        assert!(!ran.stderr.contains(" trials, "), "trials were run: {ran:#?}");
        assert!(!folder.path("out").exists());
    }
}

/// A config that reads `data.csv`, with a rate for `check`.
fn csv(data: &str, rest: &str) -> String {
    format!("[data]\nkind = \"csv\"\npath = \"data.csv\"\n{data}{MLP}[training]\nlearning-rate = 0.1\n{rest}")
}

#[test]
fn a_missing_data_file() {
    refused("other.csv", GOOD, &csv("", ""), &["data.csv", "cannot be read", "check the path"]);
}

#[test]
fn a_column_that_is_not_there() {
    let parts = ["data.csv:1", "\"lable\"", "did you mean \"label\"?"];
    refused("data.csv", GOOD, &csv("target = \"lable\"\n", ""), &parts);
}

#[test]
fn a_number_that_is_none() {
    let data = "a,b,label\n1,2,0\nnan,4,1\n5,6,0\n";
    refused("data.csv", data, &csv("", ""), &["data.csv:3", "\"a\"", "nan", "fill in a value or drop the row"]);
}

#[test]
fn a_single_class() {
    let data = "a,b,label\n1,2,7\n3,4,7\n5,6,7\n";
    refused("data.csv", data, &csv("", ""), &["data.csv", "\"label\"", "same class, \"7\"", "check `target`"]);
}

#[test]
fn a_batch_larger_than_the_data() {
    let parts = ["x.toml:9: ", "batch size 64", "5 examples", "at most 5"];
    refused("data.csv", GOOD, &csv("", "batch-size = 64\n"), &parts);
}

#[test]
fn layers_that_do_not_fit() {
    let nested = "[data]\nkind = \"csv\"\npath = \"data.csv\"\n[model]\nkind = \"layers\"\nlayers = [\n \"relu\",\n                   { kind = \"residual\", layers = [\n \"relu\",\n { kind = \"conv\", channels = 2, kernel = 3 },\n ] },\n]\n                  [training]\nlearning-rate = 0.1\nbatch-size = 2\n";
    let parts = ["x.toml:10: ", "layer 2 (residual)", "layer 2 (conv), which gets 2 features", "an image or a sequence"];
    refused("data.csv", GOOD, nested, &parts);
}

#[test]
fn an_average_over_features() {
    let config =
        csv("", "batch-size = 2\n").replace("kind = \"mlp\"\nhidden = [8]", "kind = \"layers\"\nlayers = [\"global-average\"]");
    refused("data.csv", GOOD, &config, &["x.toml:6: ", "layer 1 (global-average)", "no positions to average over"]);
}

#[test]
fn noise_on_labels_that_nobody_reads() {
    let config = csv("label-noise = 0.1\n", "batch-size = 2\n").replace("\"mlp\"", "\"autoencoder\"");
    refused("data.csv", GOOD, &config, &["x.toml:4: ", "reads no labels", "leave `label-noise` out"]);
}

#[test]
fn more_parts_than_examples() {
    let parts = ["x.toml", "mini-batch of 5 examples", "6 parts", "`accumulate = 5` or less"];
    refused("data.csv", GOOD, &csv("", "batch-size = 0\naccumulate = 6\n"), &parts);
}

#[test]
fn a_warm_up_as_long_as_the_run() {
    let parts = ["x.toml", "warm-up of 30 iterations", "all 30", "shorten `warmup-iterations`"];
    let schedule = "schedule = { kind = \"linear\", warmup-iterations = 30 }\n";
    refused("data.csv", GOOD, &csv("", &format!("batch-size = 5\nepochs = 30\n{schedule}")), &parts);
}

#[test]
fn a_batch_norm_over_one_value() {
    let data = "[data]\nkind = \"csv\"\npath = \"data.csv\"\n";
    let model = "[model]\nkind = \"layers\"\nlayers = [{ kind = \"linear\", units = 4 }, \"batch-norm\", \"relu\"]\n";
    for (batch, advice) in [("batch-size = 1", "raise `batch-size`"), ("batch-size = 4\naccumulate = 4", "lower `accumulate`")]
    {
        let config = format!("{data}{model}[training]\nlearning-rate = 0.1\n{batch}\n");
        refused("data.csv", GOOD, &config, &["x.toml", "batch norm sees one value at a time", advice]);
    }
}

#[test]
fn a_range_from_zero_or_reversed() {
    let range = |range: &str| csv("", &format!("batch-size = 2\n[search]\nrange = {range}\n"));
    refused("data.csv", GOOD, &range("[0.0, 1.0]"), &["x.toml:11:10", "0.0", "fix:"]);
    refused("data.csv", GOOD, &range("[1.0, 1e-4]"), &["x.toml:11:9", "not below its end", "fix: write `range = ["]);
    let folder = Folder::new();
    folder.write("q.toml", QUADRATIC);
    folder.lrfind("find q.toml --range 0 1").ends_with(2).complains_of(&["--range", "0.0 is not a usable", "1e-12"]);
    let ran = folder.lrfind("find q.toml --range 1 0.1").ends_with(2).complains_of(&[
        "--range",
        "1 is not below 0.1",
        "lower rate first",
    ]);
    assert!(!ran.stderr.contains("usable"), "{ran:#?}");
}

#[test]
fn flags_out_of_bounds() {
    let folder = Folder::new();
    folder.write("q.toml", QUADRATIC);
    for (flag, value) in [("--seeds", "1000000000"), ("--iterations", "18446744073709551615"), ("--iterations", "1")] {
        folder.lrfind(&format!("find q.toml {flag} {value}")).ends_with(2).complains_of(&[flag, value]);
    }
    let ran = folder.lrfind("check q.toml --lr 1e-300").ends_with(2).complains_of(&["--lr", "1e-300"]);
    assert!(ran.stderr.len() < 200, "{ran:#?}");
}

#[test]
fn a_billion_hidden_units() {
    for hidden in ["[1000000000]", "[65536, 65536]"] {
        let config = csv("", "batch-size = 2\n").replace("[8]", hidden);
        refused("data.csv", GOOD, &config, &["x.toml", "hidden"]);
    }
}

#[test]
fn a_config_that_is_not_text() {
    let folder = Folder::new();
    folder.write("x.toml", b"name = \"x\"\n# \xff\n");
    folder.lrfind("find x.toml").ends_with(2).complains_of(&["x.toml", "not UTF-8", "line 2", "fix: save it as UTF-8"]);
}

#[test]
fn data_that_is_not_text() {
    let data = b"a,b,label\n1,2,0\n3,\xff,1\n5,6,0\n";
    refused("data.csv", data, &csv("", ""), &["data.csv:3", "\"b\"", "not UTF-8", "save the file as UTF-8"]);
}

#[test]
fn compressed_data_cut_short() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(GOOD.repeat(200).as_bytes()).unwrap();
    let whole = gz.finish().unwrap();
    let config = csv("", "").replace("data.csv", "data.csv.gz");
    refused("data.csv.gz", &whole[..whole.len() / 2], &config, &["data.csv.gz", "cut short", "fetch it again"]);
}

#[test]
fn images_cut_short() {
    let images = b"\0\0\x08\x03\0\0\0\x0a\0\0\0\x04\0\0\0\x04only these";
    let config =
        format!("[data]\nkind = \"idx\"\nimages = \"i.idx\"\nlabels = \"i.idx\"\n{MLP}[training]\nlearning-rate = 0.1\n");
    refused("i.idx", images, &config, &["i.idx", "10 of 160", "cut short", "fetch it again"]);
}

#[test]
fn text_for_a_model_that_does_not_read_it() {
    let config = format!(
        "[data]\nkind = \"text\"\npath = \"t.txt\"\ncontext = 4\n{MLP}[training]\nbatch-size = 2\nlearning-rate = 0.1\n"
    );
    refused("t.txt", "to be or not to be, that is the question", &config, &["x.toml", "one at each position", "\"mlp\""]);
}

#[test]
fn a_known_data_set_that_is_not_there() {
    let config = format!("[data]\nkind = \"mnist\"\npath = \"mnist\"\n{MLP}[training]\nlearning-rate = 0.1\n");
    let parts = ["mnist", "lacks train-images-idx3-ubyte, train-labels-idx1-ubyte", "https://", "`path`", "LRFIND_DATA"];
    refused("other", "", &config, &parts);
}

#[test]
fn augmented_tables() {
    refused(
        "data.csv",
        GOOD,
        &csv("augment = { flip = true }\n", "batch-size = 2\n"),
        &["augment is for images, and these examples are none"],
    );
}

#[test]
fn several_problems_at_once() {
    let config =
        "nmae = \"x\"\n[data]\nkind = \"cvs\"\n[model]\nkind = \"mpl\"\n[training]\noptimizer = \"sdg\"\nbatch-size = -1\n";
    let parts =
        ["x.toml:1:1", "`name`", "x.toml:3:8", "\"csv\"", "x.toml:5:8", "\"mlp\"", "x.toml:7", "\"sgd\"", "x.toml:8", "-1"];
    refused("data.csv", GOOD, config, &parts);
}

#[test]
fn places_that_cannot_be_written_are_found_before_the_first_trial() {
    let folder = Folder::new();
    folder.write("q.toml", format!("{QUADRATIC}[training]\nlearning-rate = 0.02\n"));
    folder.write("file", "");
    for command in ["find", "check"] {
        for (flags, place) in [("--out file/out", "file/out"), ("--out out --timing file/t.json", "file")] {
            let ran = folder.lrfind(&format!("{command} q.toml {flags}")).ends_with(2).complains_of(&["cannot", place]);
            assert!(!ran.stderr.contains(" trials, "), "trials were run: {ran:#?}");
            // What the system said is said once.
            assert_eq!(ran.stderr.matches("os error").count(), 1, "{ran:#?}");
        }
    }
}

#[cfg(target_os = "linux")]
mod full_disk {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::*;

    /// A file system of 64 KiB, unmounted at the end.
    struct Small(PathBuf);

    impl Small {
        /// `None` where this user may not mount.
        fn mounted(at: &Path) -> Option<Self> {
            std::fs::create_dir(at).unwrap();
            let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(at).output();
            mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
        }
    }

    impl Drop for Small {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(&self.0).status();
        }
    }

    #[test]
    fn leaves_no_half_report() {
        let folder = Folder::new();
        folder.write("q.toml", QUADRATIC);
        let Some(disk) = Small::mounted(&folder.path("disk")) else {
            eprintln!("skipped: this user may not mount a small file system");
            return;
        };
        // Room for the proof that the folder can be written to, but not for the report.
        std::fs::write(disk.0.join("ballast"), vec![0; 48 * 1024]).unwrap();
        let ran = folder.lrfind("find q.toml --quiet --seeds 8 --out disk/out").ends_with(2);
        assert!(ran.stderr.contains("report.json") && ran.stderr.contains("No space left on device"), "{ran:#?}");
        assert!(folder.files("disk/out").keys().all(|name| name == "trials.journal"), "{:?}", folder.files("disk/out").keys());
        // The answer is not lost with the file.
        assert!(ran.stdout.contains("recommended learning rate"), "{ran:#?}");
    }
}
