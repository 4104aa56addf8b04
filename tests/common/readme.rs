//! Tables that README.md quotes.

use std::fs;
use std::path::Path;

/// Holds what stands in README.md between the markers `<!-- section:begin -->` and `<!-- section:end -->` to `wanted`; where
/// `UPDATE_README` is set, puts it there instead. `test` is the test that does so.
pub fn assert_quotes(section: &str, wanted: &str, test: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {section}:begin -->\n"), format!("<!-- {section}:end -->"));
    let (before, rest) = readme.split_once(&begin).expect("README.md has the begin marker");
    let (written, after) = rest.split_once(&end).expect("README.md has the end marker");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(path, format!("{before}{begin}{wanted}{end}{after}")).unwrap();
    } else {
        assert_eq!(written, wanted, "run `UPDATE_README=1 cargo test --release --test {test}`");
    }
}
